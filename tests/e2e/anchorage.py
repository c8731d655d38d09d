# SPDX-License-Identifier: MIT
"""The proxy for a test: a directory with a configuration, a key, `anchorage serve`, and questions to ask it.

    with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
        answer = proxy.get(target="small.example", limit=2)
        print(answer.status, answer.json, answer.rows_charged, proxy.ledger()[-1])
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from sandbox import Sandbox

BUILD_DIR = os.environ.get("BUILD_DIR", "build")
BINARY = os.path.abspath(os.path.join(BUILD_DIR, "anchorage"))
TOKEN = "0123456789abcdef0123456789abcdef01234567"
OTHER_TOKEN = "fedcba9876543210fedcba9876543210fedcba98"
SANITIZER = re.compile(r"Sanitizer|runtime error:")
PATIENCE = 60  # seconds until a test gives up; nothing here waits so long unless something is wrong


class Answer:
    """An answer: status, headers (names in lower case; no name twice) and body."""

    def __init__(self, status, headers, body):
        self.status, self.bytes = status, body
        self.headers = {name.lower(): value for name, value in headers}
        if len(self.headers) != len(headers):
            raise AssertionError(f"a header twice: {headers}")

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def anchors(self):
        return self.json["anchors"]

    @property
    def id(self):
        return self.headers["x-anchorage-id"]

    @property
    def fault(self):
        return self.headers.get("x-anchorage-fault")

    @property
    def rows_charged(self):
        return int(self.headers["x-anchorage-rows"])

    @property
    def units(self):
        return int(self.headers["x-anchorage-units"])

    @property
    def marks(self):
        """What X-Anchorage-Approximate names, as a set."""
        return set(re.split(r",\s*", self.headers["x-anchorage-approximate"])
                   if "x-anchorage-approximate" in self.headers else [])

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.bytes[:300]!r}>"


def read_answer(stream, method="GET"):
    """One answer from a binary file, by its Content-Length; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    match = re.fullmatch(rb"HTTP/1\.[01] ([0-9]{3}) [^\r\n]*\r\n", line)
    if not match:
        raise AssertionError(f"no status line: {line!r}")
    headers = []
    while (line := stream.readline()) != b"\r\n":
        name, colon, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        if not colon or not line.endswith(b"\r\n"):
            raise AssertionError(f"no header line: {line!r}")
        headers.append((name, value.strip()))
    answer = Answer(int(match[1]), headers, b"")
    length = int(answer.headers.get("content-length", 0))
    if method != "HEAD" and answer.status not in (100, 204):
        answer.bytes = stream.read(length)
        if len(answer.bytes) != length:
            raise AssertionError(f"the body ends after {len(answer.bytes)} of {length} bytes")
    return answer


class Anchorage:
    """A proxy before `sandbox` (or any URL). `proxy`, `upstream`, `fidelity`, `ledger` are dicts of options, `teams`
    a dict of dicts; `keys` a list of (team, token)."""

    def __init__(self, sandbox, proxy=None, upstream=None, fidelity=None, ledger=None, teams=None, keys=None):
        self.folder = tempfile.TemporaryDirectory(prefix="anchorage-e2e-")
        self.path = self.folder.name
        self.config = os.path.join(self.path, "anchorage.conf")
        self.url = sandbox if isinstance(sandbox, str) else sandbox.url
        with open(os.path.join(self.path, "v3.key"), "w", encoding="ascii") as file:
            file.write((Sandbox.key if isinstance(sandbox, str) else sandbox.key) + "\n")
        os.chmod(os.path.join(self.path, "v3.key"), 0o600)
        os.mkdir(os.path.join(self.path, "state"))
        teams = {"seo": {}} if teams is None else teams
        self.sections = {
            "proxy": {"listen": "127.0.0.1:0", "admin": "", "state_directory": os.path.join(self.path, "state"),
                      **(proxy or {})},
            "upstream": {"url": self.url, "api_key_file": "v3.key", "requests_per_minute": 1000000,
                         "limits_interval": 0, **(upstream or {})},
            "fidelity": fidelity or {}, "ledger": ledger or {},
            **{"team " + name: options for name, options in teams.items()}}
        self.write_config()
        self.keys = [("seo", TOKEN)] if keys is None else keys
        self.process = self.reader = None
        self.environment, self.wrapper = {}, []  # for the daemon: more of it; words before its own
        self.known = []
        self.ready = threading.Event()
        self.lines = []
        self.heard = threading.Condition()
        self.sockets, self.environment = {}, {}  # handed in by supervise()

    def write_config(self):
        with open(self.config, "w", encoding="utf-8") as file:
            for section, options in self.sections.items():
                file.write(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))

    # --- commands ---

    def run(self, *words, check=None, text_in=None):
        """`anchorage WORDS --config …`: its CompletedProcess; `check`: the exit code that it must have."""
        done = subprocess.run([BINARY, *words, "--config", self.config], input=text_in, capture_output=True, text=True,
                              timeout=PATIENCE, cwd=self.path, check=False)
        if SANITIZER.search(done.stderr):
            raise AssertionError(f"{words}: {done.stderr}")
        if check is not None and done.returncode != check:
            raise AssertionError(f"anchorage {' '.join(words)}: exit {done.returncode}, not {check}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def ledger(self):
        """Every entry, oldest first. Only what is new is asked for: an entry never changes."""
        since = self.known[-1]["seq"] + 1 if self.known else 1
        new = self.run("ledger", "export", "--format", "jsonl", "--since", str(since), check=0).stdout
        self.known += [json.loads(line) for line in new.splitlines()]
        return list(self.known)

    def entries(self, id):
        """The entries of one call."""
        self.ledger()
        return self.known_entries(id)

    def known_entries(self, id):
        """The same of what ledger() has brought already."""
        return [entry for entry in self.known if entry["id"] == id]

    def usage(self, by="team", *words):
        """The items of `usage --by`, by their first field."""
        answer = json.loads(self.run("usage", "--by", by, "--format", "json", *words, check=0).stdout)
        return {item[by]: item for item in answer["items"]}

    # --- the daemon ---

    def supervise(self, sockets=None, **environment):
        """Start it from now on as a supervisor would: with listening sockets {name: [socket]} that it inherits, and
        variables of the environment."""
        self.sockets, self.environment = sockets or {}, environment
        return self

    def _launch(self):
        command = [*self.wrapper, BINARY, "serve", "--config", self.config]
        names = [(name, one.fileno()) for name, all in self.sockets.items() for one in all]
        environment = {**os.environ, **self.environment}
        if names:
            # The process has to be named before it exists, and its descriptors begin with 3.
            moves = " ".join(f"{number}<&{fd}" for number, (_, fd) in enumerate(names, 3))
            command = ["sh", "-c", f'exec {moves}; LISTEN_PID=$$ exec "$@"', "sh", *command]
            environment |= {"LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(name for name, _ in names)}
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=self.path,
                                env=environment, pass_fds=[fd for _, fd in names])

    def start(self):
        for team, token in self.keys:
            self.run("key", "add", "--team", team, "--token", token, check=0)
        self.keys = []
        self.ready.clear()
        self.lines = []
        self.process = self._launch()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,))
        self.reader.start()
        if not self.ready.wait(PATIENCE) or self.process.poll() is not None or not self.addresses:
            self.kill()
            raise RuntimeError("anchorage serve did not get ready:\n" + "".join(self.lines))
        host, _, port = self.addresses[0].rpartition(":")
        self.address = (host, int(port))
        return self

    def _read(self, stderr):
        with stderr:
            for line in stderr:
                with self.heard:
                    self.lines.append(line)
                    self.heard.notify_all()
                if line.startswith("anchorage: ready"):
                    self.ready.set()
        self.ready.set()

    def says(self, pattern, since=0):
        """Wait for a line of the log that matches, behind the first `since` lines; the match."""
        def find():
            return next(filter(None, (re.search(pattern, line) for line in self.lines[since:])), None)

        with self.heard:
            if not self.heard.wait_for(find, PATIENCE):
                raise AssertionError(f"no line like {pattern!r} in:\n" + "".join(self.lines[-40:]))
            return find()

    def reload(self, **sections):
        """Change sections of the configuration (None takes one away; `team_seo` is [team seo]), send SIGHUP; what the
        log says of it."""
        for name, options in sections.items():
            name = name.replace("_", " ", 1)
            if options is None:
                self.sections.pop(name, None)
            else:
                self.sections[name] = {**self.sections.get(name, {}), **options}
        self.write_config()
        since = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        return self.says("^anchorage: reload: (.* is (not )?taken.*)", since)[1]

    @property
    def addresses(self):
        return [line.split()[3] for line in self.lines if line.startswith("anchorage: listening on ")]

    @property
    def tls_addresses(self):
        return [line.split()[3] for line in self.lines
                if line.startswith("anchorage: listening on ") and line.endswith(" with TLS\n")]

    def kill(self):
        """The end that nothing can prepare for."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process = None

    def terminate(self):
        """Ask it to end, without waiting."""
        self.process.send_signal(signal.SIGTERM)

    def finish(self, expect=0):
        """Wait for its end, which must be a good one."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("anchorage serve did not end:\n" + "".join(self.lines[-40:])) from None
        self.reader.join()
        self.process = None
        text = "".join(self.lines)
        if code != expect or SANITIZER.search(text):
            raise RuntimeError(f"anchorage serve ended with {code}:\n{text[-6000:]}")

    def stop(self):
        if self.process:
            self.terminate()
            self.finish()

    def close(self):
        try:
            self.stop()
        finally:
            self.kill()
            self.folder.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *error):
        self.close()

    # --- clients ---

    def params(self, params):
        """The parameters of an ordinary call, changed by `params`; None takes one away."""
        full = {"token": TOKEN, "from": "anchors", "target": "small.example", "mode": "subdomains", "output": "json",
                **params}
        return "/?" + urllib.parse.urlencode({name: value for name, value in full.items() if value is not None})

    def get(self, raw=None, method="GET", body=None, headers=None, **params):
        """A call on a connection of its own: `raw` (path and query), or an ordinary one with `params` changed
        (`from_` for from)."""
        if "from_" in params:
            params["from"] = params.pop("from_")
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, self.params(params) if raw is None else raw, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def many(self, calls):
        """Several calls at once, each a dict for get(); their answers in the same order."""
        answers = [None] * len(calls)

        def one(index):
            answers[index] = self.get(**calls[index])

        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def connect(self):
        return socket.create_connection(self.address, timeout=PATIENCE)

    def raw(self, data, count=1, method="GET"):
        """Send bytes, take `count` answers; then what is left until the end when count is 0."""
        with self.connect() as connection:
            connection.sendall(data)
            with connection.makefile("rb") as stream:
                if count == 0:
                    return stream.read()
                answers = [read_answer(stream, method) for _ in range(count)]
                return answers[0] if count == 1 else answers

    def settled(self, id):
        """The settle of a call, once it is booked. A client that left is settled behind its back; the ledger is asked
        until then."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            entries = self.entries(id)
            if any(entry["kind"] in ("settle", "release", "unknown") for entry in entries):
                return entries
        raise AssertionError(f"{id} is never settled")


class OneProxy(unittest.TestCase):
    """Tests that share a sandbox and a proxy. The sandbox is reset before each; the ledger goes on."""

    sandbox_options = {}
    proxy_options = {}

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(**{"today": None, **cls.sandbox_options}).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = Anchorage(cls.sandbox, **cls.proxy_options)
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()

    def setUp(self):
        self.sandbox.reset()
        self.refusals = set()

    def tearDown(self):
        self.check_refusals()

    def check_refusals(self):
        """Nothing was charged for what was refused in this test, and no hold is left open."""
        for entry in self.proxy.ledger() if self.refusals else []:
            if entry["id"] in self.refusals and entry["kind"] != "hold":
                self.assertEqual(entry["rows"], 0, entry)
        self.assertEqual({team: item["rows_held"] for team, item in self.proxy.usage().items() if item["rows_held"]},
                         {})

    def refused(self, answer, fault, status=200):
        """A refusal: its status, word, id, no rows; tearDown() looks into the ledger."""
        self.assertEqual((answer.fault, answer.status), (fault, status), answer)
        self.assertEqual(answer.headers.get("x-anchorage-rows"), "0", answer)
        self.assertRegex(answer.headers.get("x-anchorage-id", ""), r"^\S+$", answer)
        self.assertEqual(int(answer.headers["content-length"]), len(answer.bytes), answer)
        self.assertEqual((answer.headers.get("x-status"), answer.headers.get("x-results-count")), ("error", "0"), answer)
        if status in (429, 503):
            self.assertRegex(answer.headers.get("retry-after", ""), r"^[0-9]+$", answer)
            self.assertLessEqual(int(answer.headers["retry-after"]), 3600, answer)
        else:
            self.assertNotIn("retry-after", answer.headers, answer)
        self.refusals.add(answer.id)

    def charged(self, answer, rows):
        """A good answer: its headers agree with its body and with the ledger."""
        self.assertEqual((answer.status, answer.fault), (200, None), answer)
        self.assertEqual(int(answer.headers["content-length"]), len(answer.bytes), answer)
        self.assertNotIn("transfer-encoding", answer.headers)
        self.assertNotIn("x-status", answer.headers)
        self.assertEqual(answer.rows_charged, rows, answer)
        settles = [entry for entry in self.proxy.entries(answer.id) if entry["kind"] == "settle"]
        self.assertEqual(len(settles), 1, settles)
        entry = settles[0]
        self.assertEqual(entry["rows"], rows, entry)
        self.assertEqual(entry["units"], answer.units, entry)
        self.assertEqual(entry["results"], int(answer.headers["x-results-count"]), entry)
        self.assertEqual(set(entry["approximate"]), answer.marks, entry)
        self.assertIsNone(entry["fault"], entry)
        return entry
