# SPDX-License-Identifier: MIT
"""Who calls in a soak: each client is a thread that acts until the end, and remembers what it was answered."""
import collections
import http.client
import os
import random
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse

from anchorage import read_answer

TEAMS = {**{f"t{number}": {"concurrency": 16} for number in range(6)},
         "tight": {"rows_per_month": 3000}, "dear": {"units_per_month": 200000}, "narrow": {"concurrency": 1},
         "unassigned": {"rows_per_month": 1000000}}
KEYS = {f"{team}-{number}".ljust(40, "x"): team for team in TEAMS for number in range(3) if team != "unassigned"}
QUIET = ('anchorage_connections{side="client"}', "anchorage_calls_running", 'anchorage_v3_in_flight{key="main"}',
         'anchorage_v3_waiting{key="main"}', "anchorage_ledger_entries_waiting")
FDS_AT_REST = 96  # the loop, listeners, books, and connections that are kept to v3: some for each client
TARGETS = ("small.example", "example.com", "tricky.example", "lower.example", "one.example", "lost.example",
           "empty.example", "unknown.example", "ahrefs.com", "blog.example.org", "example.net", "example.co.uk")
MODES = ("subdomains", "domain", "exact", "prefix")
ODD = (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /?" + b"a" * 9000,
       b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"\x00" * 100, b"GET / HTTP/1.1\r",
       b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n", b"GET /?from=anchors HTTP/1.1\nHost: a\n\n")


def path(folder, name):
    return os.path.join(folder, name)


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", f"/CN={name}.test", "-addext", f"subjectAltName=DNS:{name}.example", "-keyout",
                    path(folder, name + ".key"), "-out", path(folder, name + ".pem")], check=True, capture_output=True)


def use_certificate(folder, name):
    for end in (".key", ".pem"):
        shutil.copy(path(folder, name + end), path(folder, "used" + end))


def is_sanitized(binary):
    with open(binary, "rb") as file:
        return b"__asan_init" in file.read() or b"__tsan_init" in file.read()


def admin(proxy, path):
    line = next(line for line in proxy.lines if line.startswith("anchorage: admin on "))
    connection = http.client.HTTPConnection(line.split()[3], timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def metrics(proxy):
    status, text = admin(proxy, "/metrics")
    if status != 200:
        raise AssertionError(f"/metrics: {status}")
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def calls(seed):
    """The calls of all clients, not too many different ones: what is remembered of them ends somewhere."""
    pick = random.Random(seed).choice
    made = []
    for _ in range(400):
        made.append({"target": pick(TARGETS), "mode": pick((*MODES, None)),
                     "limit": pick((0, 1, 2, 5, 20, 100, 1000, None)), "output": pick(("json", "json", "xml", "php")),
                     "where": pick((None, None, None, "backlinks>1", 'first_seen>="2018-01-01"', "backlinks>", "x" * 50,
                                    'word(anchor,"seo")', 'substring(anchor,"a")')),
                     "having": pick((None, None, "refdomains>1")), "offset": pick((None, None, None, 3, 50)),
                     "order_by": pick((None, "refpages:desc", "backlinks:desc", "anchor:desc", "first_seen")),
                     "select": pick((None, None, "anchor,backlinks", "anchor,refpages,refdomains"))})
    made += [{"target": "big.example", "limit": limit, "offset": offset, "output": output, "mode": "subdomains"}
             for limit in (2000, 12000) for offset in (None, 1500) for output in ("json", "xml")]
    made += [{"from": "subscription_info", "target": None, "mode": None}, {"from": "no_such_table"},
             {"target": "a b"}, {"output": "yaml"}, {"limit": "many"}]
    return made


class Client:
    """One that keeps its connection, calls, and checks what comes."""

    pause = (0.02, 0.15)

    def __init__(self, soak, number, seed):
        self.soak, self.proxy, self.name = soak, soak.proxy, f"{type(self).__name__.lower()} {number}"
        self.random = random.Random(f"{seed} {self.name}")
        self.calls = calls(seed)
        self.tls = number % 2 == 1
        self.answers, self.faults, self.numbers = [], collections.Counter(), collections.Counter()
        self.connection = self.stream = None

    def hang_up(self):
        if self.connection:
            if self.stream:
                self.stream.close()
            self.connection.close()
        self.connection = self.stream = None

    def open(self):
        if not self.connection:
            self.connection = self.soak.connect(self.tls)
            self.stream = self.connection.makefile("rb")

    def rest(self):
        self.soak.stop.wait(self.random.uniform(*self.pause))

    def choose(self, **more):
        params = {**self.random.choice(self.calls), "token": self.random.choice(list(KEYS)), **more}
        if self.random.random() < 0.02:
            params["token"] = f"stranger-{self.random.randrange(30)}"
        return params

    def request(self, params, more=""):
        if self.random.random() < 0.1:
            body = urllib.parse.urlencode({name: value for name, value in params.items() if value is not None})
            return f"POST / HTTP/1.1\r\nHost: v2\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()
        return f"GET {self.proxy.params(params)} HTTP/1.1\r\nHost: v2\r\n{more}\r\n".encode()

    def take(self, params):
        answer = read_answer(self.stream)
        if answer is None:
            raise AssertionError("the connection was closed instead of an answer")
        self.numbers["answers"] += 1
        if answer.fault:
            self.faults[answer.fault] += 1
        elif params.get("output") == "json" and params.get("from") is None and answer.status == 200:
            n = len(answer.json["anchors"])
            if n != int(answer.headers["x-results-count"]):
                raise AssertionError(f"{n} rows, but {answer}")
        answer.bytes = b""
        team = KEYS.get(params["token"], "unassigned")
        if params.get("target") and params.get("from") is None and "x-anchorage-rows" in answer.headers:
            self.answers.append((team, params["target"], answer))
        if answer.headers.get("connection") == "close":
            self.hang_up()

    def act(self):
        self.open()
        several = [self.choose() for _ in range(self.random.choice((1, 1, 1, 3)))]
        self.connection.sendall(b"".join(map(self.request, several)))
        for params in several:
            self.take(params)
            if not self.connection:
                break
        if self.connection and self.random.random() < 0.05:
            self.hang_up()
        self.rest()


class Leaver(Client):
    """Leaves before its answer, in several ways."""

    def act(self):
        self.open()
        self.connection.sendall(self.request(self.choose()))
        self.soak.stop.wait(self.random.choice((0, 0.001, 0.01, 0.05)))
        if self.random.random() < 0.5:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()
        self.numbers["left"] += 1
        self.rest()


class Slow(Client):
    """Asks for much and reads a little at a time; leaves when it has had enough."""

    def act(self):
        self.open()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        params = self.choose(target="big.example", limit=12000, mode="subdomains", where=None, having=None, offset=None)
        self.connection.sendall(self.request(params, "Connection: close\r\n"))
        for _ in range(self.random.randrange(60)):
            if self.soak.stop.is_set() or not self.connection.recv(4096):
                break
            self.soak.stop.wait(0.05)
        self.numbers["read slowly"] += 1
        self.hang_up()


class Stranger(Client):
    """Talks nonsense, or nothing, or half of something."""

    pause = (0.05, 0.3)

    def act(self):
        connection = self.soak.connect(False)
        with connection:
            connection.settimeout(0.2)
            try:
                for part in (self.random.choice(ODD),) * self.random.choice((0, 1, 2)):
                    connection.sendall(part)
                connection.recv(4096)
            except OSError:
                pass
        self.numbers["nonsense"] += 1
        self.rest()


class Reader(Client):
    """Reads the admin side."""

    pause = (0.3, 0.8)

    def act(self):
        call = urllib.parse.quote(self.proxy.params({"token": None}), safe="")
        for page in ("/healthz", "/readyz", "/metrics", "/usage?by=team", "/usage?by=key&format=csv",
                     "/usage?by=target", "/explain?call=" + call, "/nothing"):
            status, _ = admin(self.proxy, page)
            if status != (404 if page == "/nothing" else 200):
                raise AssertionError(f"{page}: {status}")
        self.numbers["admin reads"] += 1
        self.rest()


class Operator(Client):
    """Reloads, makes keys and takes them away, asks for the usage."""

    pause = (0.2, 1.0)

    def act(self):
        n = self.numbers["reloads"]
        use_certificate(self.soak.folder, ("one", "two")[n % 2])
        said = self.proxy.reload(team_t0={"concurrency": 8 + n % 9}, team_extra={"concurrency": 2} if n % 2 else None)
        if "not" in said:
            raise AssertionError(said)
        said = self.proxy.reload(team_wrong={"concurrency": "none"})
        if "not" not in said:
            raise AssertionError(said)
        self.proxy.sections.pop("team wrong")
        self.proxy.write_config()
        self.numbers["reloads"] += 1
        token = f"{self.random.randrange(10**39):040d}"
        said = self.proxy.run("key", "add", "--team", "t1", "--name", "passing", "--token", token, check=0).stdout
        self.proxy.run("key", "disable", said.split()[0], check=0)
        self.proxy.usage("team")
        self.proxy.run("key", "list", "--unknown", check=0)
        self.rest()


def crowd(soak, seed):
    kinds = [(Client, 14), (Leaver, 3), (Slow, 2), (Stranger, 2), (Reader, 1), (Operator, 1)]
    return [kind(soak, number, seed) for kind, count in kinds for number in range(count)]
