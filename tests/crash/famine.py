# SPDX-License-Identifier: MIT
"""The n-th allocation fails, for many n: one alone, or many in a row.

At the start the daemon ends before it listens, with a message, or starts. Later it never ends: a call that finds no
memory is answered with an error, or its connection is closed; the next one is served; the books verify, and every
complete answer stands in them once. Set in the environment: CRASH_ROUNDS (unset: a small part of all n), CRASH_SEED,
BUILD_DIR.
"""
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))

from anchorage import BINARY, BUILD_DIR, PATIENCE, SANITIZER, Anchorage, read_answer  # noqa: E402
from books import Books  # noqa: E402
from disk import LONG, Plan  # noqa: E402
from sandbox import Sandbox  # noqa: E402

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "0"))
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**9))
FIRST = 40
STARTS = ROUNDS * 20 or 60    # starts in which an allocation fails, at most: all of them when it is more than there are
FAMINES = ROUNDS * 20 or 150  # allocations that fail in a daemon that runs
FAMINES_A_DAEMON = 500
PATIENCE_WITH_WRONGS = int(os.environ.get("CRASH_WRONGS", "1"))  # go on until there are so many
LIBRARY = os.path.abspath(os.path.join(BUILD_DIR, "tests", "crash", "famine.so"))
TOKEN = "7" * 40
CALLS = ({"limit": 2}, {"limit": 20, "where": "backlinks>1", "target": "example.com"}, {"limit": 0, "output": "xml"},
         {"having": "refdomains>1", "order_by": "refpages:desc", "limit": 5, "output": "php"}, {"select": "anchor,refpages"},
         {"from": "subscription_info", "target": None, "mode": None}, {"limit": "x"}, {"token": "8" * 40},
         {"where": 'anchor="x"', "limit": 3}, {"limit": 100, "target": "blog.example.org"})


class Famine:
    def __init__(self, sandbox):
        self.sandbox, self.random, self.wrong = sandbox, random.Random(SEED), []
        self.proxy = self.plan = self.books = None
        self.numbers = {"starts": 0, "refused starts": 0, "famines": 0, "errors": 0, "closed": 0, "good": 0,
                        "ended in libcurl": 0}
        self.answers = []
        self.calls = 0

    def make(self):
        self.proxy = Anchorage(self.sandbox, upstream={"units_per_month": "unlimited"}, keys=[("seo", TOKEN)],
                               proxy={"admin": "127.0.0.1:0"}, teams={"seo": {"rows_per_month": 1000000}})
        self.plan = Plan(os.path.join(self.proxy.path, "plan"))
        self.proxy.environment = {"LD_PRELOAD": LIBRARY, "FAULT_PLAN": os.path.join(self.proxy.path, "plan"),
                                  "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0:handle_abort=1"}
        self.books, self.answers = Books(), []

    # --- the start ---

    def starts(self):
        """How many allocations a start makes; then it is made to fail at some of them, or at each."""
        self.make()
        self.proxy.start()
        total = self.plan.calls
        self.proxy.stop()
        first, rest = list(range(1, FIRST + 1)), list(range(FIRST + 1, total + 1))
        self.random.shuffle(rest)
        for number in (first + rest)[:STARTS]:  # the first are those of the configuration and the keys
            self.start_fails(number, self.random.choice((1, 1, 3)))
            if len(self.wrong) >= PATIENCE_WITH_WRONGS:
                break
        self.proxy.close()
        return total

    def start_fails(self, number, length):
        self.plan.put(0, 0)
        self.plan.fail(number, number + length, 0)
        process = subprocess.Popen([BINARY, "serve", "--config", self.proxy.config], cwd=self.proxy.path, text=True,
                                   stderr=subprocess.PIPE, env={**os.environ, **self.proxy.environment})
        lines, address = [], None
        for line in process.stderr:
            lines.append(line)
            if line.startswith("anchorage: listening on "):
                address = line.split()[3]
            if line.startswith("anchorage: ready"):
                break
        else:
            process.wait(PATIENCE)
        text = "".join(lines)
        self.numbers["starts"] += 1
        if process.poll() is None:
            self.plan.mend()
            host, _, port = address.rpartition(":")
            self.proxy.address = (host, int(port))
            answer = self.proxy.get(token=TOKEN, limit=2)
            if answer.fault:
                self.wrong.append(f"start, allocation {number}+{length}: it started and serves not: {answer}")
            process.terminate()
            text += process.stderr.read()
            process.wait(PATIENCE)
            if process.returncode:
                self.wrong.append(f"start, allocation {number}+{length}: it ended with {process.returncode}: {text}")
        else:
            self.numbers["refused starts"] += 1
            if process.returncode != 1 or not text.strip():
                self.wrong.append(f"start, allocation {number}+{length}: exit {process.returncode}, said: {text[-3000:]}")
        if process.returncode == 0 and SANITIZER.search(text):
            self.wrong.append(f"start, allocation {number}+{length}: {text[-3000:]}")
        process.stderr.close()

    # --- calls ---

    def run(self):
        while self.numbers["famines"] < FAMINES and len(self.wrong) < PATIENCE_WITH_WRONGS:
            self.make()
            self.sandbox.reset()
            self.proxy.start()
            for _ in range(min(FAMINES_A_DAEMON, FAMINES - self.numbers["famines"])):
                self.famine()
                if self.proxy.process.poll() is not None or len(self.wrong) >= PATIENCE_WITH_WRONGS:
                    break
            self.judge()
            if self.proxy.process.poll() is None:
                self.proxy.stop()
            self.proxy.kill()
            self.proxy.close()

    def famine(self):
        """Some calls at once, while the allocation `number` from now fails."""
        number, length = self.random.randint(1, 400), self.random.choice((1, 1, 1, 2, 10, 100))
        first = self.plan.calls + number
        self.plan.fail(first, first + length, 0)
        what = f"allocation {number}+{length}"
        for _ in range(3):
            self.call(what, self.random.choice(CALLS))
        self.plan.mend()
        self.numbers["famines"] += 1
        # Without a famine the next one is served; the books may need a moment.
        until = time.monotonic() + 20
        while True:
            answer = self.call(what, {"target": f"n{self.calls}.example"})
            if answer is not None and answer.fault is None:
                return
            if self.proxy.process.poll() is not None:
                self.proxy.reader.join()
                self.ended(what, "".join(self.proxy.lines))
                return
            if time.monotonic() > until:
                self.wrong.append(f"{what}: afterwards nothing is served: {answer}")
                return
            time.sleep(0.05)

    def ended(self, what, said):
        """libcurl 7.88 divides by zero in a table that it had no memory for: the one end that is not ours."""
        code = self.proxy.process.returncode
        if code == -signal.SIGFPE or re.search(r"AddressSanitizer: FPE.*\n +\S+ \S+ +\(\S*libcurl", said):
            self.numbers["ended in libcurl"] += 1
        else:
            self.wrong.append(f"{what}: it ended with {code}: {said[-4000:]}")

    def call(self, what, params):
        self.calls += 1
        params = {"token": TOKEN, "target": "small.example", **params}
        try:
            with socket.create_connection(self.proxy.address, timeout=30) as connection:
                connection.sendall(f"GET {self.proxy.params(params)} HTTP/1.1\r\nHost: v2\r\n\r\n".encode())
                with connection.makefile("rb") as stream:
                    answer = read_answer(stream)
        except TimeoutError:
            self.wrong.append(f"{what}: no answer, and no end: {params}")
            return None
        except (OSError, AssertionError):
            answer = None
        if answer is None:
            self.numbers["closed"] += 1
            return None
        self.numbers["errors" if answer.fault else "good"] += 1
        if params.get("from") != "subscription_info" and "x-anchorage-id" in answer.headers:
            self.answers.append(("seo", params["target"], answer))
        return answer

    def judge(self):
        verify = self.proxy.run("ledger", "verify")
        if verify.returncode:
            self.wrong.append(f"ledger verify: {verify.stdout}{verify.stderr}")
        self.wrong += self.books.read(self.proxy.run("ledger", "export", "--format", "jsonl", check=0).stdout)
        self.wrong += self.books.compare_answers(self.answers)
        self.wrong += self.books.compare_usage(self.proxy.usage("team", "--since", "2000-01-01"))
        self.wrong += self.books.open_holds()


def main():
    print(f"CRASH_SEED={SEED}", flush=True)
    watch = threading.Timer(86000 if ROUNDS else 250, os._exit, (3,))
    watch.daemon = True
    watch.start()
    total = 0
    with Sandbox(today=None, seed=SEED % 1000 + 1) as sandbox:
        famine = Famine(sandbox)
        try:
            total = famine.starts()
            famine.run()
        except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            famine.wrong.append(repr(error))
        finally:
            if famine.proxy:
                famine.proxy.kill()
    print(f"seed {SEED}: a start makes {total} allocations; {famine.numbers}; {len(famine.wrong)} violations")
    for what in famine.wrong[:20]:
        print(what, file=sys.stderr)
    return 1 if famine.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
