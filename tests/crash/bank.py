# SPDX-License-Identifier: MIT
"""kill -9 at any moment, again and again: the bank is robbed, and every row must be where its answer said.

One sandbox stays. In each round the proxy starts on the same state directory, 16 clients call with all their might, the
proxy is killed, and the books are opened by the commands. books.py says what must hold of them. Set in the environment:
CRASH_ROUNDS (30), CRASH_SEED (any by default; a failure names it), BUILD_DIR.
"""
import collections
import faulthandler
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))

from anchorage import BINARY, SANITIZER, Anchorage, read_answer  # noqa: E402
from books import Books, RECORDS  # noqa: E402
from sandbox import Sandbox  # noqa: E402

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "30"))
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**9))
PATIENCE_PER_ROUND = 30  # seconds; a round takes one or two
CLIENTS = 16
ROUNDS_A_LEDGER = 20  # then the books begin anew, or reading them all after each crash would take ever longer
TEAMS = ("tight", "narrow", "dear", "open")
TOKENS = {team: f"{number}" * 40 for number, team in enumerate(TEAMS)}
EXPECTED_FAULTS = {"out_of_rows", "out_of_units", "too_dear", "too_busy"}
OFTEN = ("small.example", "example.com", "shared.example", "blog.example.org")


class Client(threading.Thread):
    """Calls until the proxy is gone. Some calls are left before their answer comes."""

    def __init__(self, proxy, name, gone):
        super().__init__()
        self.proxy, self.prefix, self.gone = proxy, name, gone
        self.random = random.Random(f"{SEED} {name}")
        self.answers, self.wrong = [], []
        self.calls = self.left = 0
        self.waits = False  # for an answer, at this moment
        self.connection = self.stream = None

    def run(self):
        try:
            while not self.gone.is_set():
                self.call()
        except (OSError, AssertionError) as error:
            if not self.gone.is_set():
                self.wrong.append(f"{self.prefix}: {error!r} before the kill")
        finally:
            self.hang_up()

    def hang_up(self):
        if self.connection:
            self.stream.close()
            self.connection.close()
            self.connection = None

    def params(self):
        pick = self.random.choice
        if self.random.random() < 0.3:
            return self.record()
        target = pick(OFTEN) if self.random.random() < 0.4 else f"{self.prefix}-{self.calls}.example"
        return {"token": TOKENS[pick(TEAMS)], "target": target, "mode": pick(("subdomains", "domain")),
                "limit": pick((0, 1, 2, 5, 20, 100)), "output": pick(("json", "json", "xml", "php")),
                "where": pick((None, None, "backlinks>1", 'first_seen>="2018-01-01"')),
                "having": pick((None, None, "refdomains>1")),
                "order_by": pick((None, "refpages:desc", "backlinks:desc")), "offset": pick((None, None, None, 3))}

    def record(self):
        """A call that shares a POST with others."""
        pick = self.random.choice
        target = pick(OFTEN) if self.random.random() < 0.2 else f"{self.prefix}-{self.random.randrange(200)}.example"
        return {"from": pick(RECORDS), "token": TOKENS[pick(TEAMS)], "target": target,
                "mode": pick(("subdomains", "domain"))}

    def call(self):
        params = self.params()
        team = next(team for team, token in TOKENS.items() if token == params["token"])
        if not self.connection:
            self.connection = self.proxy.connect()
            self.stream = self.connection.makefile("rb")
        self.connection.sendall(f"GET {self.proxy.params(params)} HTTP/1.1\r\nHost: v2\r\n\r\n".encode())
        self.calls += 1
        self.waits = True
        if self.random.random() < 0.12:
            self.gone.wait(self.random.choice((0, 0.002, 0.006)))
            self.left += 1
            self.waits = False
            self.hang_up()
            return
        answer = read_answer(self.stream)
        self.waits = False
        if answer is None:
            raise AssertionError("no answer, and the connection was closed")
        self.answers.append((team, params["target"], answer))
        if answer.fault and answer.fault not in EXPECTED_FAULTS:
            self.wrong.append(f"{self.prefix}: an answer that nobody asked for: {answer}")


class Bank:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.random = random.Random(SEED)
        self.proxy = self.books = None
        self.limits = {}
        self.wrong = []
        self.numbers = collections.Counter()
        self.faults = collections.Counter()

    def begin(self):
        """New books."""
        if self.proxy:
            self.proxy.close()
        self.books = Books()
        self.proxy = Anchorage(self.sandbox, upstream={"units_per_month": "unlimited"},
                               teams={team: {} for team in TEAMS}, keys=list(TOKENS.items()))

    def set_limits(self):
        """A little more than is used, so that they are reached in most rounds."""
        month = time.strftime("%Y-%m", time.gmtime())

        def limit(team, amount, most):
            return self.books.used.get((team, month), {}).get(amount, 0) + self.random.randint(1, most)

        self.limits = {"tight": {"rows": limit("tight", "rows", 200)},
                       "narrow": {"rows": limit("narrow", "rows", 1500)},
                       "dear": {"rows": limit("dear", "rows", 3000), "units": limit("dear", "units", 15000)}}
        for team, limits in self.limits.items():
            self.proxy.sections["team " + team] = {name + "_per_month": value for name, value in limits.items()}
        most = self.random.choice(("unlimited", self.books.used_of_all(month) + self.random.randint(5000, 60000)))
        self.proxy.sections["upstream"]["units_per_month"] = most
        self.proxy.sections["upstream"]["units_per_call"] = self.random.choice((0, 100000, 400))
        self.proxy.write_config()

    def round(self, number):
        if (number - 1) % ROUNDS_A_LEDGER == 0:
            self.begin()
        self.set_limits()
        self.sandbox.reset()
        since = len(self.books.entries)
        clients = self.rob(number)
        self.reopen()
        self.check(number, since, clients)

    def rob(self, number):
        """Start, call, kill."""
        self.proxy.start()
        gone = threading.Event()
        clients = [Client(self.proxy, f"r{number}-c{client}", gone) for client in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(0.05, 0.4))  # the moment is what is tested
        dead_too_early = self.proxy.process.poll()
        gone.set()
        in_flight = sum(client.waits for client in clients)
        self.proxy.kill()
        for client in clients:
            client.join()
        if dead_too_early is not None or SANITIZER.search("".join(self.proxy.lines)):
            self.wrong.append(f"the proxy ended by itself ({dead_too_early}): {''.join(self.proxy.lines)[-3000:]}")
        self.numbers["kills in flight"] += in_flight > 0
        self.numbers["calls in flight at a kill"] += in_flight
        return clients

    def reopen(self):
        """Let the books be recovered: by the first command, by the next daemon, or by one that is killed meanwhile."""
        how = self.random.choice(("command", "daemon", "killed"))
        self.numbers["reopened by a " + how] += 1
        if how == "daemon":
            self.proxy.start()
            self.proxy.stop()
        elif how == "killed":
            with subprocess.Popen([BINARY, "serve", "--config", self.proxy.config], cwd=self.proxy.path,
                                  stderr=subprocess.DEVNULL) as process:
                time.sleep(self.random.uniform(0, 0.03))
                process.kill()

    def check(self, number, since, clients):
        verify = self.proxy.run("ledger", "verify")
        wrong = [] if verify.returncode == 0 else [f"ledger verify: exit {verify.returncode}: "
                                                   f"{verify.stdout}{verify.stderr}"]
        wrong += self.books.read(self.proxy.run("ledger", "export", "--format", "jsonl", check=0).stdout)
        wrong += self.books.open_holds() + self.books.compare_limits(self.limits)
        wrong += self.books.compare_usage(self.proxy.usage("team", "--since", "2000-01-01"))
        answers = [answer for client in clients for answer in client.answers]
        wrong += self.books.compare_answers(answers)
        state, requests = self.sandbox.state(), self.sandbox.log()
        if state["seen"] == len(requests):
            wrong += self.books.compare_requests(since, requests)
        else:
            wrong.append(f"the sandbox's log has {len(requests)} of {state['seen']} requests: shorten the round")
        for client in clients:
            wrong += client.wrong
            self.numbers["calls"] += client.calls
            self.numbers["clients left"] += client.left
        self.faults.update(answer.fault for _, _, answer in answers if answer.fault)
        self.numbers["good answers"] += sum(answer.fault is None for _, _, answer in answers)
        self.numbers["v3 requests"] += len(requests)
        new = self.books.entries[since:]
        self.numbers["entries"] += len(new)
        self.numbers["left open by a crash"] += sum(e["kind"] == "unknown" and e["fault"] == "crash" for e in new)
        self.numbers["from cache"] += sum(e["via"] == "cache" for e in new)
        self.numbers["shared"] += sum(e["via"] == "shared" for e in new)
        self.wrong += [f"seed {SEED} round {number}: {what}" for what in wrong]

    def report(self, rounds):
        print(f"seed {SEED}: {rounds} rounds, {len(self.wrong)} violations; " +
              ", ".join(f"{name} {value}" for name, value in self.numbers.items()) +
              f"; refusals {json.dumps(self.faults)}")
        for what in self.wrong[:20]:
            print(what, file=sys.stderr)


def main():
    print(f"CRASH_SEED={SEED} CRASH_ROUNDS={ROUNDS}", flush=True)
    faulthandler.dump_traceback_later(PATIENCE_PER_ROUND * ROUNDS, exit=True)
    latency = random.Random(SEED).randint(1, 6)
    number = 0
    with Sandbox(today=None, seed=SEED % 1000 + 1, latency=f"{latency}ms") as sandbox:
        bank = Bank(sandbox)
        try:
            while number < ROUNDS and not bank.wrong:
                number += 1
                bank.round(number)
            if number > 2 and not bank.numbers["left open by a crash"]:
                bank.wrong.append(f"seed {SEED}: no kill met an open hold: nothing was tested")
        except (AssertionError, RuntimeError, http.client.HTTPException) as error:
            bank.wrong.append(f"seed {SEED} round {number}: {error}")
        finally:
            if bank.proxy:
                bank.proxy.close()
        bank.report(number)
    faulthandler.cancel_dump_traceback_later()
    return 1 if bank.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
