# SPDX-License-Identifier: MIT
"""The disk fails at the n-th call on the ledger's files, for many n: EIO and ENOSPC, at opening, reading, writing,
syncing, truncating, removing; for a while, or until it is mended.

One daemon with fault.so preloaded serves clients all the time. For each n a fault begins n calls from now. It must not
end; its paid calls get ledger_down and /readyz is red while it lasts; it comes back by itself; then the books verify,
every complete answer stands in them once, and no limit is passed. Then the same for the n-th call of the start, which
may refuse to start, with a message. In the long form strace, where it is there and allowed, makes the kernel itself say
so for some more. Set in the environment: CRASH_ROUNDS (the number of faults is three times that; 9
faults, and some of the starts, when not set), CRASH_SEED, BUILD_DIR.
"""
import errno
import http.client
import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))

from anchorage import BINARY, BUILD_DIR, PATIENCE, SANITIZER, Anchorage, read_answer  # noqa: E402
from books import Books  # noqa: E402
from sandbox import Sandbox  # noqa: E402

LONG_FORM = "CRASH_ROUNDS" in os.environ
FAULTS = 3 * int(os.environ.get("CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**9))
FAULTS_A_LEDGER = 25
CLIENTS = 6
LONG = 2**62
LIBRARY = os.path.abspath(os.path.join(BUILD_DIR, "tests", "crash", "fault.so"))
TOKENS = {team: f"{number}" * 40 for number, team in enumerate(("tight", "open"))}
EXPECTED_FAULTS = {None, "ledger_down", "out_of_rows", "too_busy"}


class Plan:
    """struct fault_plan of fault.h."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(40))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 40)

    def get(self, index):
        return struct.unpack_from("=Q", self.map, 8 * index)[0]

    def put(self, index, value):
        struct.pack_into("=Q", self.map, 8 * index, value)

    @property
    def calls(self):
        return self.get(0)

    @property
    def failed(self):
        return self.get(4)

    def fail(self, first, last, error):
        self.put(3, error)
        self.put(4, 0)
        self.put(2, last)
        self.put(1, first)

    def mend(self):
        self.put(2, 0)


class Client(threading.Thread):
    """Calls all the time."""

    def __init__(self, disk, name):
        super().__init__()
        self.disk, self.name_of = disk, name
        self.random = random.Random(f"{SEED} {name}")
        self.answers, self.wrong = [], []

    def run(self):
        try:
            with self.disk.proxy.connect() as connection, connection.makefile("rb") as stream:
                while not self.disk.over.is_set():
                    self.call(connection, stream)
        except (OSError, AssertionError) as error:
            self.wrong.append(f"{self.name_of}: {error!r}")

    def call(self, connection, stream):
        team = self.random.choice(tuple(TOKENS))
        target = self.random.choice(("small.example", "example.com", f"{self.name_of}-{len(self.answers)}.example"))
        params = {"token": TOKENS[team], "target": target, "limit": self.random.choice((0, 1, 5, 20))}
        connection.sendall(f"GET {self.disk.proxy.params(params)} HTTP/1.1\r\nHost: v2\r\n\r\n".encode())
        answer = read_answer(stream)
        if answer is None:
            raise AssertionError("no answer, and the connection was closed")
        if answer.fault not in EXPECTED_FAULTS:
            self.wrong.append(f"{self.name_of}: an answer that nobody asked for: {answer}")
        self.answers.append((team, target, answer))
        if answer.fault:
            self.disk.over.wait(0.01)  # not to be refused a thousand times a second


class Disk:
    def __init__(self, sandbox):
        self.sandbox, self.random, self.wrong = sandbox, random.Random(SEED), []
        self.proxy = self.plan = self.books = None
        self.clients = []
        self.over = threading.Event()
        self.silent = self.tried = self.starts = self.traced = 0

    # --- one daemon ---

    def make(self):
        self.proxy = Anchorage(self.sandbox, proxy={"admin": "127.0.0.1:0"}, upstream={"units_per_month": "unlimited"},
                               teams={"tight": {"rows_per_month": 3000}, "open": {}}, keys=list(TOKENS.items()))
        self.plan = Plan(os.path.join(self.proxy.path, "plan"))
        self.proxy.environment = {"LD_PRELOAD": LIBRARY, "FAULT_PLAN": os.path.join(self.proxy.path, "plan"),
                                  "FAULT_DIRECTORY": os.path.join(self.proxy.path, "state"),
                                  "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.books = Books()

    def begin(self):
        self.sandbox.reset()
        self.proxy.start()
        self.over.clear()
        self.clients = [Client(self, f"c{number}") for number in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def end(self):
        self.over.set()
        for client in self.clients:
            client.join()
            self.wrong += client.wrong
        self.wait("a green /readyz", self.is_ready)  # the last fault may have been noticed only by the last calls
        self.judge([answer for client in self.clients for answer in client.answers])
        self.proxy.stop()
        self.proxy.close()

    def is_ready(self):
        host, _, port = next(line.split()[-1] for line in self.proxy.lines if "admin" in line).rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def wait(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.proxy.process.poll() is not None:
                raise AssertionError(f"the daemon ended: {''.join(self.proxy.lines)[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come")
            time.sleep(0.005)

    def fault(self):
        """A fault that begins some calls from now: a few calls long, or until it is mended."""
        error = self.random.choice((errno.EIO, errno.ENOSPC))
        ahead = self.random.choice((1, 2, 3, 5, 9, 20, 60)) + self.random.randint(0, 8)
        length = self.random.choice((1, 1, 2, 7, 30, LONG))
        what = f"{errno.errorcode[error]} {ahead} calls from now for {length if length < LONG else 'ever'}"
        try:
            self.plan.put(4, 0)
            while not self.plan.failed:  # the calls may go by while it is written down
                first = self.plan.calls + ahead
                self.plan.fail(first, first + length, error)
                self.wait("the fault", lambda: self.plan.failed or self.plan.calls >= first + length)
            if length == LONG:
                self.wait("a red /readyz", lambda: not self.is_ready())
                before = [len(client.answers) for client in self.clients]
                self.wait("an answer for each client", lambda: all(
                    len(client.answers) > n + 1 or client.wrong for client, n in zip(self.clients, before)))
                faults = {client.answers[-1][2].fault for client in self.clients if client.answers}
                if faults - {"ledger_down"}:
                    self.wrong.append(f"{what}: answers while nothing can be written: {faults}")
            else:
                until = time.monotonic() + 2  # the books are tried again ever more seldom
                self.wait("the end of the fault", lambda: self.plan.failed >= length or time.monotonic() > until)
                self.silent += self.is_ready()
            self.plan.mend()
            self.wait("a green /readyz", self.is_ready)
        except AssertionError as error_:
            raise AssertionError(f"{what}: {error_}") from None
        self.tried += 1

    def judge(self, answers):
        verify = self.proxy.run("ledger", "verify")
        wrong = [] if verify.returncode == 0 else [f"ledger verify: {verify.stdout}{verify.stderr}"]
        wrong += self.books.read(self.proxy.run("ledger", "export", "--format", "jsonl", check=0).stdout)
        wrong += self.books.open_holds() + self.books.compare_answers(answers)
        wrong += self.books.compare_usage(self.proxy.usage("team", "--since", "2000-01-01"))
        wrong += self.books.compare_requests(0, self.sandbox.log())
        self.wrong += wrong

    # --- the kernel itself ---

    def trace(self, number):
        """From the n-th call on some fail in the kernel; the load goes on."""
        self.make()
        state = os.path.join(self.proxy.path, "state")
        self.proxy.environment = {}
        self.proxy.run("ledger", "verify", check=0)
        calls = self.random.choice(("pwrite64", "fdatasync", "ftruncate", "unlink", "pwrite64,fdatasync", "openat"))
        first = self.random.randint(1, 200 if "write" in calls else 60)
        self.proxy.wrapper = [
            "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", os.path.join(state, "ledger.db"), "-P",
            os.path.join(state, "ledger.db-wal"), "-e", "trace=" + calls, "-e",
            f"inject={calls}:error={self.random.choice(('EIO', 'ENOSPC'))}:when={first}..{first + number % 4}"]
        try:
            self.begin()
        except RuntimeError as error:
            if "anchorage: ledger: " not in str(error):
                self.wrong.append(f"{self.proxy.wrapper}: {error}")
            self.proxy.close()
            return
        before = sum(len(client.answers) for client in self.clients)
        self.wait("some answers", lambda: sum(len(client.answers) for client in self.clients) > before + 300)
        self.wait("a green /readyz", self.is_ready)
        self.end()
        self.traced += 1

    # --- the start ---

    def start_fails(self, number):
        """The n-th call of a start fails: it starts all the same, or ends with a message; then nothing is lost."""
        with_books = number % 2
        proxy = Anchorage(self.sandbox, keys=[], upstream={"units_per_month": "unlimited"})
        try:
            if with_books:
                proxy.run("key", "add", "--team", "seo", "--token", "9" * 40, check=0)
            plan = Plan(os.path.join(proxy.path, "plan"))
            plan.fail(1 + number // 2, LONG if number % 3 else 2 + number // 2, errno.EIO)
            environment = {**os.environ, "LD_PRELOAD": LIBRARY, "FAULT_PLAN": os.path.join(proxy.path, "plan"),
                           "FAULT_DIRECTORY": os.path.join(proxy.path, "state"),
                           "ASAN_OPTIONS": "verify_asan_link_order=0"}
            makes = ["key", "add", "--team", "seo", "--token", "8" * 40]  # reading makes no books
            words = ["ledger", "verify"] if with_books else makes
            done = subprocess.run([BINARY, *words, "--config", proxy.config], env=environment, capture_output=True,
                                  text=True, cwd=proxy.path, timeout=PATIENCE, check=False)
            if done.returncode not in (0, 1) or SANITIZER.search(done.stderr) or (done.returncode and not done.stderr):
                self.wrong.append(f"the start failed at call {1 + number // 2}: {done}")
            again = proxy.run("ledger", "verify")
            if again.returncode and (with_books or "there are no books" not in again.stderr):
                self.wrong.append(f"after a start that failed at call {1 + number // 2}: {again}")
            if with_books and "seo" not in proxy.run("key", "list", check=0).stdout:
                self.wrong.append("the key is gone")
            self.starts += 1
            return plan.failed > 0
        finally:
            proxy.close()


def can_trace():
    return LONG_FORM and shutil.which("strace") and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def main():
    print(f"CRASH_SEED={SEED} faults={FAULTS}", flush=True)
    with Sandbox(today=None, seed=SEED % 1000 + 1) as sandbox:
        disk = Disk(sandbox)
        try:
            while disk.tried < FAULTS and not disk.wrong:
                disk.make()
                disk.begin()
                for _ in range(min(FAULTS_A_LEDGER, FAULTS - disk.tried)):
                    disk.fault()
                disk.end()
            number = 0
            while not disk.wrong and disk.start_fails(number) | disk.start_fails(number + 1):
                number += 2 if LONG_FORM else 2 * disk.random.randint(2, 7)
            for number in range(FAULTS // 30 if can_trace() else 0):
                if not disk.wrong:
                    disk.trace(number)
        except (AssertionError, RuntimeError, OSError) as error:
            disk.wrong.append(str(error))
            disk.over.set()
            if disk.proxy:
                disk.plan.mend()
                disk.proxy.kill()
    print(f"seed {SEED}: {disk.tried} faults, {disk.silent} that nobody noticed, {disk.starts} starts, "
          f"{disk.traced} with strace, {len(disk.wrong)} violations")
    for what in disk.wrong[:20]:
        print(what, file=sys.stderr)
    return 1 if disk.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
