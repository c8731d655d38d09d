# SPDX-License-Identifier: MIT
"""Mixed traffic for a long time, with a tenth of v3's answers broken: memory flat, descriptors flat, books right.

Many teams and keys, every output, big lists, offsets, TLS, clients that leave, read slowly or talk nonsense; meanwhile
the configuration is reloaded, keys come and go, the admin side is read. The books are judged by tests/crash/books.py.
Set in the environment: SOAK_SECONDS (6), SOAK_SEED, BUILD_DIR. Growth is judged from 300 seconds on, that of memory not
under a sanitizer.
"""
import collections
import faulthandler
import json
import os
import random
import re
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, os.pardir, "e2e"), os.path.join(HERE, os.pardir, "crash")]

from anchorage import BINARY, SANITIZER, Anchorage  # noqa: E402
from books import Books  # noqa: E402
import people  # noqa: E402
from sandbox import Sandbox  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "6"))
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**9))
LONG = 300          # seconds from which on growth says something: it takes minutes until all kinds of calls were made
SAMPLES = 60        # in a run
GROWTH_BYTES = 4 << 20
GROWTH_FDS = 12     # v3's kept connections come and go
LOG_SECONDS = 8     # the sandbox keeps the last 10 000 requests
SCRIPT_AHEAD = 400  # entries
PATIENCE = 60       # seconds for the first good answer

# A tenth of all v3 requests end in one of these.
FAULTS = (
    {"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503}, {"status": 500, "body": {"error": "oops"}},
    {"status": 502, "body": "<html>maintenance</html>", "content_type": "text/html"}, {"reset": True},
    {"truncate_at": 40}, {"truncate_at": 40, "reset": True}, {"stall": True}, {"truncate_at": 9, "stall": True},
    {"body": "{\"anchors\":[{\"anchor\":"}, {"body_hex": "ff00"}, {"body": {"metrics": None, "anchors": None}},
    {"headers": {"x-api-units-cost-total-actual": None}}, {"headers": {"x-api-rows": "many"}}, {"lie_length": 5},
    {"flood": 100000}, {"flood": 64 << 20, "gzip": True}, {"delay_ms": 300}, {"drip_ms": 3, "drip_bytes": 50},
    {"chunked": True, "close": True}, {"raw": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
)


class Proxy(Anchorage):
    """One whose log of calls is counted and thrown away."""

    def _read(self, stderr):
        self.calls_logged = 0
        with stderr:
            for line in stderr:
                if line.startswith("{"):
                    self.calls_logged += 1
                    continue
                with self.heard:
                    self.lines.append(line)
                    self.heard.notify_all()
                if line.startswith("anchorage: ready"):
                    self.ready.set()
        self.ready.set()


class Requests:
    """What v3 saw, collected before the sandbox forgets it."""

    def __init__(self, sandbox):
        self.sandbox, self.seen, self.gap = sandbox, {}, False

    def collect(self):
        for entry in self.sandbox.log():
            self.seen[entry["n"]] = {"query": {"target": entry["query"].get("target")}, "units": entry["units"]}

    def all(self):
        self.collect()
        if len(self.seen) != self.sandbox.state()["seen"]:
            self.gap = True
        return list(self.seen.values())


class Soak:
    def __init__(self, folder, sandbox):
        self.folder, self.sandbox, self.requests = folder, sandbox, Requests(sandbox)
        self.random = random.Random(SEED)
        self.stop, self.wrong, self.samples = threading.Event(), [], []
        people.make_certificate(folder, "one")
        people.make_certificate(folder, "two")
        people.use_certificate(folder, "one")
        listen = {"listen_tls": "127.0.0.1:0", "tls_certificate": people.path(folder, "used.pem"),
                  "tls_private_key": people.path(folder, "used.key"), "admin": "127.0.0.1:0", "unknown_keys": "meter",
                  "call_timeout": "20s", "queue_timeout": "5s", "drain_timeout": "10s"}
        self.proxy = Proxy(sandbox, proxy=listen, upstream={"units_per_month": "unlimited", "timeout": "2s",
                                                            "answer_ttl": "2s", "limits_interval": "5s"},
                           teams=people.TEAMS, keys=[(team, token) for token, team in people.KEYS.items()])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    # --- what the clients need ---

    def connect(self, tls):
        address = self.proxy.tls_addresses[0] if tls else self.proxy.addresses[0]
        host, _, port = address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=60)
        return self.context.wrap_socket(connection) if tls else connection

    def guard(self, what, run):
        """Run until the end; anything that falls out is wrong."""
        try:
            while not self.stop.is_set():
                run()
        except Exception as error:  # of a thread; the report has it
            self.wrong.append(f"{what}: {error!r}")
            self.stop.set()

    # --- helpers of the run ---

    def feed(self):
        """Keep v3's script filled: of ten requests one goes wrong."""
        if self.sandbox.state()["script_left"] < SCRIPT_AHEAD:
            entries = [self.random.choice(FAULTS) if self.random.random() < 0.1 else {"times": 1} for _ in range(500)]
            self.sandbox.script(entries)
        self.stop.wait(0.2)

    def collect(self):
        self.requests.collect()
        self.stop.wait(LOG_SECONDS)

    def sample(self):
        metrics = people.metrics(self.proxy)
        self.samples.append({"at": time.monotonic(), "rss": metrics["process_resident_memory_bytes"],
                             "fds": metrics["process_open_fds"], "threads": metrics["process_threads"],
                             "late": metrics["anchorage_loop_late_longest_seconds"],
                             "cache": metrics.get('anchorage_cache_bytes{key="main"}', 0),
                             "calls": metrics["anchorage_calls_total"]})
        self.stop.wait(SECONDS / SAMPLES)

    def wait_for_a_good_answer(self, clients):
        """Enough faults in a row shut the breaker for five seconds and more, in a short run perhaps until its end: then
        nothing would have been tested. So it goes on until v3 was reached."""
        deadline = time.monotonic() + PATIENCE
        while SECONDS >= 3 and not self.stop.wait(0.2) and time.monotonic() < deadline:
            if any(answer.fault is None for client in clients for _, _, answer in list(client.answers)):
                return

    def run(self):
        self.proxy.start()
        self.proxy.get(limit=1, token=next(iter(people.KEYS)))
        clients = people.crowd(self, SEED)
        jobs = [("feed", self.feed), ("collect", self.collect), ("sample", self.sample)]
        jobs += [(client.name, client.act) for client in clients]
        threads = [threading.Thread(target=self.guard, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        self.stop.wait(SECONDS)
        self.wait_for_a_good_answer(clients)
        self.stop.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.hang_up()
        return clients

    # --- the end ---

    def wait_until_quiet(self):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            metrics = people.metrics(self.proxy)
            busy = {name: metrics[name] for name in people.QUIET if metrics[name] > 0}
            if not busy:
                return metrics
            time.sleep(0.1)  # it is asked until it is so
        self.wrong.append(f"not quiet long after the last client: {busy}")
        return metrics

    def judge_flatness(self, quiet):
        most_fds = people.FDS_AT_REST
        if quiet["process_open_fds"] > most_fds:
            held = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{self.proxy.process.pid}/fd")]
            self.wrong.append(f"{quiet['process_open_fds']:.0f} descriptors at rest, more than {most_fds}: "
                              f"{collections.Counter(re.sub('[0-9]+', 'N', name) for name in held)}")
        quarter = len(self.samples) // 4
        before, after = self.samples[quarter:2 * quarter], self.samples[-quarter:]
        if SECONDS < LONG or not quarter:
            return
        grown = {name: statistics.median(s[name] for s in after) - statistics.median(s[name] for s in before)
                 for name in ("rss", "fds", "threads", "cache")}
        print(f"grown from the second quarter to the last: {grown}")
        allowed = GROWTH_BYTES + 0.05 * statistics.median(s["rss"] for s in before)
        if grown["rss"] - max(grown["cache"], 0) > allowed and not people.is_sanitized(BINARY):
            self.wrong.append(f"memory grew by {grown['rss']:.0f} bytes from the second quarter to the last")
        if grown["fds"] > GROWTH_FDS:
            self.wrong.append(f"descriptors grew by {grown['fds']:.0f}")

    def judge_books(self, clients):
        verify = self.proxy.run("ledger", "verify")
        wrong = [] if verify.returncode == 0 else [f"ledger verify: {verify.stdout}{verify.stderr}"]
        books = Books()
        wrong += books.read(self.proxy.run("ledger", "export", "--format", "jsonl", check=0).stdout)
        wrong += books.open_holds()
        wrong += books.compare_usage(self.proxy.usage("team", "--since", "2000-01-01"))
        wrong += books.compare_answers([answer for client in clients for answer in client.answers])
        requests = self.requests.all()
        if self.requests.gap:
            wrong.append("the sandbox forgot requests before they were collected")
        else:
            wrong += books.compare_requests(0, requests)
        self.wrong += wrong
        return books

    def report(self, clients, books, quiet, seconds):
        faults, numbers = collections.Counter(), collections.Counter()
        for client in clients:
            faults.update(client.faults)
            numbers.update(client.numbers)
        mib = [s["rss"] / 2**20 for s in self.samples]
        size = len(mib) // 4 or 1
        print(f"seed {SEED}: {seconds:.0f} s, {quiet['anchorage_calls_total']:.0f} calls, {len(books.entries)} entries, "
              f"{len(self.requests.seen)} v3 requests, a tenth of them broken; {len(self.wrong)} violations")
        print("resident MiB by quarter:", " ".join(f"{statistics.median(mib[i * size:(i + 1) * size] or [0]):.1f}"
                                                   for i in range(4)), f"most {max(mib):.1f}",
              f"at rest {quiet['process_resident_memory_bytes'] / 2**20:.1f}")
        print(f"descriptors: most {max(s['fds'] for s in self.samples):.0f}, at rest {quiet['process_open_fds']:.0f}; "
              f"threads: most {max(s['threads'] for s in self.samples):.0f}; "
              f"loop late at most {max(s['late'] for s in self.samples) * 1000:.0f} ms")
        print("people:", ", ".join(f"{name} {value}" for name, value in sorted(numbers.items())))
        print("refusals:", json.dumps(faults, sort_keys=True))
        for what in self.wrong[:20]:
            print("WRONG", what[:3000], file=sys.stderr)


def make_lists(sandbox):
    """Have the sandbox make all lists now. Under a sanitizer the first request for one takes up to half a second, and
    the sandbox answers one after the other: if they came at once, v3 would look dead and all calls be refused."""
    for target in people.TARGETS + ("big.example",):
        for mode in people.MODES:
            sandbox.anchors(target, mode=mode, limit=1)
    sandbox.reset()


def soak(folder):
    with Sandbox(today=None, seed=SEED % 1000 + 1, latency="4ms") as sandbox:
        make_lists(sandbox)
        soak = Soak(folder, sandbox)
        try:
            began = time.monotonic()
            clients = soak.run()
            seconds = time.monotonic() - began
            sandbox.script([])
            quiet = soak.wait_until_quiet()
            soak.judge_flatness(quiet)
            soak.proxy.terminate()
            soak.proxy.finish()
            if SANITIZER.search("".join(soak.proxy.lines)):
                soak.wrong.append("a sanitizer spoke")
            books = soak.judge_books(clients)
            soak.report(clients, books, quiet, seconds)
            if SECONDS >= 3 and not any(answer.fault is None for client in clients for _, _, answer in client.answers):
                soak.wrong.append("no good answer: nothing was tested")
        finally:
            soak.proxy.close()
        return 1 if soak.wrong else 0


def main():
    print(f"SOAK_SEED={SEED} SOAK_SECONDS={SECONDS}", flush=True)
    faulthandler.dump_traceback_later(SECONDS + 240 + SECONDS / 2, exit=True)
    with tempfile.TemporaryDirectory(prefix="anchorage-soak-") as folder:
        code = soak(folder)
    faulthandler.cancel_dump_traceback_later()
    return code


if __name__ == "__main__":
    sys.exit(main())
