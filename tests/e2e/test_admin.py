# SPDX-License-Identifier: MIT
"""The admin side of the daemon: what it answers, to whom, and until when."""
# quick
import csv
import functools
import http.client
import io
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import unittest
from unittest import mock
import urllib.parse

from anchorage import PATIENCE, TOKEN, Anchorage, Answer, read_answer
from sandbox import Sandbox

PATHS = ["/healthz", "/readyz", "/metrics", "/usage", "/overview", "/unknown", "/explain", "/calls", "/"]
TEAMS = {"seo": {"rows_per_month": 1000, "units_per_month": 100000, "concurrency": 1}, "idle": {}}


def parse_metrics(text):
    """Prometheus' text format, strictly: {name: (kind, help, {labels: value})}, labels as a tuple of pairs. Every metric
    has HELP, then TYPE, then its samples, in one piece. A histogram's labels are its bounds, "sum" and "count"."""
    if not text.endswith("\n") or "\n\n" in text or "\r" in text:
        raise AssertionError("lines must end in one LF each")
    metrics, name, state = {}, None, "sample"
    for line in text[:-1].split("\n"):
        if match := re.fullmatch(r"# HELP ([a-z_:][a-z0-9_:]*) ((?:[^\\]|\\\\|\\n)+)", line):
            if match[1] in metrics or state == "help":
                raise AssertionError(f"{line!r}: HELP again, or without TYPE")
            name, state = match[1], "help"
            metrics[name] = (None, match[2], {})
        elif match := re.fullmatch(r"# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)", line):
            if match[1] != name or state != "help":
                raise AssertionError(f"{line!r}: TYPE not behind its HELP")
            state = "type"
            metrics[name] = (match[2], metrics[name][1], {})
        elif match := re.fullmatch(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)', line):
            suffix = match[1].removeprefix(name or "?")
            histogram = metrics.get(name, ("",))[0] == "histogram"
            if suffix not in (("_bucket", "_sum", "_count") if histogram else ("",)) or state == "help":
                raise AssertionError(f"{line!r}: a sample outside of its metric")
            state = "sample"
            pairs = re.findall(r'([a-z_]+)="((?:[^"\\]|\\\\|\\"|\\n)*)"', match[2] or "")
            if ",".join(f'{label}="{value}"' for label, value in pairs) != (match[2] or ""):
                raise AssertionError(f"{line!r}: bad labels")
            labels = (("le", suffix[1:]),) if suffix in ("_sum", "_count") else tuple(sorted(pairs))
            if labels in metrics[name][2]:
                raise AssertionError(f"{line!r}: the same sample again")
            metrics[name][2][labels] = float(match[3])
        else:
            raise AssertionError(f"{line!r}: no line of the format")
    for name, (kind, _, samples) in metrics.items():
        if not samples or len({tuple(label for label, _ in labels) for labels in samples}) != 1:
            raise AssertionError(f"{name}: no samples, or with other labels each")
        if kind == "histogram":
            bounds = {labels[0][1]: n for labels, n in samples.items()}
            sums = {word: bounds.pop(word) for word in ("sum", "count")}
            counts = list(bounds.values())
            if list(bounds)[-1] != "+Inf" or counts[-1] != sums["count"] or counts != sorted(counts) or \
                    [float(bound) for bound in bounds] != sorted(float(bound) for bound in bounds):
                raise AssertionError(f"{name}: its counts do not add up")
        if name.endswith("_total") != (kind == "counter") or (kind == "counter" and min(samples.values()) < 0):
            raise AssertionError(f"{name}: is no {kind}")
    return metrics


class Admin:
    """Questions to the admin side of a proxy."""

    def __init__(self, proxy):
        addresses = [line.split()[3] for line in proxy.lines if line.startswith("anchorage: admin on ")]
        if proxy.lines.index(f"anchorage: admin on {addresses[0]}\n") > proxy.lines.index("anchorage: ready\n"):
            raise AssertionError("ready came before the admin side was there")
        host, _, port = addresses[0].rpartition(":")
        self.address = (host, int(port))

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def metrics(self):
        answer = self.ask("/metrics")
        if (answer.status, answer.headers["content-type"]) != (200, "text/plain; version=0.0.4; charset=utf-8"):
            raise AssertionError(answer)
        return parse_metrics(answer.bytes.decode())

    def value(self, name, **labels):
        """A sample, or None."""
        return self.metrics().get(name, (None, None, {}))[2].get(tuple(sorted(labels.items())))

    def until(self, wanted, question):
        """Ask until the answer is the one wanted: nothing tells when it is."""
        deadline = time.monotonic() + PATIENCE
        while (got := question()) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"{got!r} instead of {wanted!r}")
            time.sleep(0.01)


class Questions(unittest.TestCase):
    """One proxy that has served a few calls."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(today=None).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = Anchorage(cls.sandbox, proxy={"admin": "127.0.0.1:0"}, teams=TEAMS)
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.admin = Admin(cls.proxy)
        cls.entries_before = len(cls.proxy.ledger())
        cls.good = [cls.proxy.get(limit=2) for _ in range(3)]
        cls.alone = [cls.proxy.entries(answer.id)[-1]["units_alone"] for answer in cls.good]
        cls.bad = [cls.proxy.get(token="wrong" * 8), cls.proxy.get(from_="nothing"), cls.proxy.get(limit="x")]

    def error(self, answer, status):
        """An error as JSON; its words."""
        self.assertEqual((answer.status, answer.headers["content-type"]),
                         (status, "application/json; charset=utf-8"), answer)
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertNotIn("access-control-allow-origin", answer.headers)
        return answer.json["error"]

    def test_health(self):
        self.assertEqual((self.admin.ask("/healthz").status, self.admin.ask("/readyz").status), (200, 200))
        self.assertEqual(self.admin.ask("/readyz").json, {"ready": True})

    def test_metrics_count_what_happened(self):
        m = {name: samples for name, (_, _, samples) in self.admin.metrics().items()}
        rows = sum(answer.rows_charged for answer in self.good)
        units = sum(answer.units for answer in self.good)
        hits = sum(answer.headers["x-anchorage-cache"] == "hit" for answer in self.good)
        self.assertEqual([answer.status for answer in self.good], [200, 200, 200])
        self.assertGreater(hits, 0)
        self.assertEqual(m["anchorage_calls_total"], {(): 6})
        answers = {labels[0][1]: n for labels, n in m["anchorage_answers_total"].items() if n}
        self.assertEqual(answers, {"none": 3, "unknown_key": 1, "unknown_table": 1, "bad_limit": 1})
        self.assertEqual(m["anchorage_rows_total"], {(): rows})
        self.assertEqual(m["anchorage_units_total"], {(): units})
        self.assertEqual(m["anchorage_units_predicted_total"], {(): units})
        self.assertEqual(m["anchorage_answer_sources_total"],
                         {(("cache", "hit"),): hits, (("cache", "miss"),): len(self.good) - hits, (("cache", "shared"),): 0})
        self.assertEqual(m["anchorage_units_saved_total"], {(): sum(self.alone) - units})
        self.assertEqual(m["anchorage_approximate_answers_total"], {(): sum(bool(a.marks) for a in self.good)})
        self.assertEqual(m["anchorage_v3_requests_total"], {(): len(self.sandbox.log())})
        took = m["anchorage_call_duration_seconds"]
        self.assertEqual(took[("le", "count"),], 6)
        rooms = {labels[0][1]: n for labels, n in m["anchorage_room_seconds_total"].items()}
        self.assertEqual(list(rooms), ["read", "plan", "admit", "fetch", "render", "settle"])
        self.assertLessEqual(sum(rooms.values()), took[("le", "sum"),] + 1e-5)
        self.assertGreater(rooms["fetch"], 0)
        v3 = (("key", "main"),)
        self.assertEqual(m["anchorage_v3_results_total"][("fault", "none"),], len(self.sandbox.log()))
        self.assertEqual(m["anchorage_v3_duration_seconds"][("le", "count"),], len(self.sandbox.log()))
        self.assertEqual(m["anchorage_v3_wait_seconds"][("le", "count"),], len(self.sandbox.log()))
        for name, value in {"waiting": 0, "in_flight": 0, "breaker_open": 0, "out_of_units": 0, "rate_divisor": 1,
                            "rate_paused_seconds": 0}.items():
            self.assertEqual(m["anchorage_v3_" + name], {v3: value}, name)
        self.assertGreater(m["anchorage_v3_rate_tokens"][v3], 0)
        self.assertGreater(m["anchorage_cache_entries"][v3], 0)
        self.assertGreater(m["anchorage_cache_bytes"][v3], 0)
        self.assertLess(m["anchorage_cache_bytes"][v3], m["anchorage_cache_max_bytes"][v3])
        entries = m["anchorage_ledger_entries_total"][()]
        self.assertEqual(entries, len(self.proxy.ledger()) - self.entries_before)
        self.assertLessEqual(m["anchorage_ledger_commit_seconds"][("le", "count"),], entries)
        self.assertGreater(m["anchorage_ledger_commit_longest_seconds"][()], 0)
        self.assertEqual(m["anchorage_ledger_commit_failures_total"], {(): 0})
        self.assertEqual(m["anchorage_log_lines_lost_total"], {(): 0})
        self.assertGreaterEqual(m["process_threads"][()], 2)
        for name, value in {"ready": 1, "draining": 0, "ledger_serving": 1, "calls_running": 0}.items():
            self.assertEqual(m["anchorage_" + name], {(): value}, name)
        self.assertEqual(m["anchorage_calls_waiting"], {(("for", "turn"),): 0, (("for", "room"),): 0})
        self.assertEqual(m["anchorage_connections"][("side", "admin"),], 1)
        version = self.proxy.run("version", check=0).stdout.split()
        self.assertIn(dict(list(m["anchorage_build_info"])[0])["version"], version)
        seo, idle = (("team", "seo"),), (("team", "idle"),)
        self.assertEqual(m["anchorage_team_rows_used"], {seo: rows, idle: 0})
        self.assertEqual(m["anchorage_team_rows_total"], {seo: rows, idle: 0})
        self.assertEqual(m["anchorage_team_units_total"], {seo: units, idle: 0})
        self.assertEqual(m["anchorage_team_calls_total"], {seo: 3, idle: 0})
        self.assertEqual(m["anchorage_team_units_used"], {seo: units, idle: 0})
        self.assertEqual(m["anchorage_team_rows_limit"], {seo: 1000})
        self.assertEqual(m["anchorage_team_rows_left"], {seo: 1000 - rows})
        self.assertEqual(m["anchorage_team_units_left"], {seo: 100000 - units})
        self.assertNotIn("anchorage_units_left", m)
        self.assertGreater(m["process_resident_memory_bytes"][()], 1 << 20)
        self.assertGreater(m["process_open_fds"][()], 3)

    def test_the_parser_can_fail(self):
        good = "# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c\"} 1\n"
        parse_metrics(good)
        for bad in [good[:-1], good + "\n", good + "a_total{b=\"c\"} 2\n", good + "a_total 2\n", good * 2,
                    good.replace("counter", "gauge"), good.replace(" 1", " -1"), good.replace("c\"", "\"c\""),
                    good.replace("# HELP a_total x\n", ""), good.replace("a_total{", "b_total{"),
                    good.replace("# TYPE a_total counter\n", "")]:
            with self.assertRaises(AssertionError, msg=bad):
                parse_metrics(bad)

    def test_promtool_agrees(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        done = subprocess.run(["promtool", "check", "metrics"], input=self.admin.ask("/metrics").bytes,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_usage_is_that_of_the_command(self):
        today = time.strftime("%Y-%m-%d", time.gmtime())
        for query, words in [("", []), ("?by=key", ["--by", "key"]), ("?team=seo&by=day&per=key", ["--team", "seo", "--by", "day",
                                                                                                "--per", "key"]),
                             ("?since=7d&sort=rows&top=1", ["--since", "7d", "--sort", "rows", "--top", "1"]),
                             (f"?by=day&since={today}", ["--by", "day", "--since",
                                                                                                today])]:
            answer = self.admin.ask("/usage" + query)
            self.assertEqual((answer.status, answer.headers["content-type"]),
                             (200, "application/json; charset=utf-8"), answer)
            self.assertEqual(answer.json,
                             json.loads(self.proxy.run("usage", "--format", "json", *words, check=0).stdout))
        rows = sum(answer.rows_charged for answer in self.good)
        answer = self.admin.ask("/usage?format=csv&by=team")
        self.assertEqual(answer.headers["content-type"], "text/csv; charset=utf-8")
        table = {row["team"]: row for row in csv.DictReader(io.StringIO(answer.bytes.decode()))}
        self.assertEqual((table["seo"]["rows"], table["seo"]["rows_limit"]), (str(rows), "1000"))
        self.assertEqual(self.admin.ask("/usage?since=2020-01-01&until=2020-02-01&by=key").json,
                         {"by": "key", "since": "2020-01-01", "until": "2020-02-01", "items": []})

    def test_usage_says_what_is_wrong(self):
        for query, words in [("by=nobody", "not nobody"), ("since=tomorrow", "not tomorrow"), ("top=0", "from 1 on"),
                             ("team=nosuch", 'there is no team "nosuch"; configured: seo'), ("key=nosuch", "there is no key"),
                             ("format=text", "json or csv"),
                             ("warn=1", 'no parameter "warn"'), ("by=--help", "begin with -"), ("by=%zz", "hexadecimal")]:
            self.assertIn(words, self.error(self.admin.ask("/usage?" + query), 400))

    def test_many_questions_of_usage(self):
        """Each is answered, or told to come again; nobody waits."""
        sockets = [socket.create_connection(self.admin.address, PATIENCE) for _ in range(20)]
        for one in sockets:
            one.sendall(b"GET /usage?by=hour HTTP/1.1\r\nHost: localhost\r\n\r\n")
        statuses = []
        for one in sockets:
            with one, one.makefile("rb") as stream:
                answer = read_answer(stream)
                statuses.append(answer.status)
                self.assertEqual("retry-after" in answer.headers, answer.status == 503)
        self.assertIn(200, statuses)
        self.assertLessEqual(set(statuses), {200, 503})
        # One that leaves does not stop the work it has asked for.
        with socket.create_connection(self.admin.address, PATIENCE) as one:
            one.sendall(b"GET /usage HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.admin.until(200, lambda: self.admin.ask("/usage").status)

    def test_explain(self):
        call = f"https://apiv2.ahrefs.com/?from=anchors&target=small.example&mode=domain&limit=5&token={TOKEN}"
        answer = self.admin.ask("/explain?" + urllib.parse.urlencode({"call": call}))
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json,
                         json.loads(self.proxy.run("explain", "--format", "json", call, check=0).stdout))
        self.assertNotIn(TOKEN.encode(), answer.bytes)
        pasted = self.admin.ask("/explain?" + urllib.parse.urlencode({"call": f"curl '{call}' \\  -H 'X: {TOKEN}' \\--compressed"}))
        self.assertEqual(pasted.status, 200, pasted)
        self.assertEqual(pasted.json["requests"], answer.json["requests"])
        self.assertNotIn(TOKEN.encode(), pasted.bytes)
        refused = self.admin.ask("/explain?call=from%3Dnothing")
        self.assertEqual((refused.status, refused.json["fault"]), (200, "unknown_table"))
        self.assertIn("call is missing", self.error(self.admin.ask("/explain"), 400))

    def test_paths_and_methods(self):
        for path in ["/none", "/admin", "/metrics/", "/%6Detrics", "//metrics"]:
            answer = self.admin.ask(path)
            self.error(answer, 404)
            self.assertEqual(answer.json["paths"], PATHS)
        for method in ["POST", "DELETE", "PUT"]:
            answer = self.admin.ask("/usage", method)
            self.error(answer, 405)
            self.assertEqual(answer.headers["allow"], "GET, HEAD")
        for path in PATHS[:4]:
            head = self.admin.ask(path, "HEAD")
            self.assertEqual((head.status, head.bytes), (200, b""))
            self.assertGreater(int(head.headers["content-length"]), 0)
        with socket.create_connection(self.admin.address, PATIENCE) as one, one.makefile("rb") as stream:
            one.sendall(b"GET /metrics HTTP/1.1\nHost: localhost\n\n")
            self.error(read_answer(stream), 400)

    def test_only_for_names_of_this_machine(self):
        for host in ["evil.example", f"evil.example:{self.admin.address[1]}", "192.0.2.1", "localhost.evil.example"]:
            for path in PATHS + ["/none"]:
                self.error(self.admin.ask(path, Host=host), 403)
        for host in ["localhost", "127.0.0.1:1", "[::1]:80"]:
            self.assertEqual(self.admin.ask("/healthz", Host=host).status, 200)
        with socket.create_connection(self.admin.address, PATIENCE) as one, one.makefile("rb") as stream:
            one.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertEqual(read_answer(stream).status, 200)

    def test_no_secrets(self):
        text = b"".join(self.admin.ask(path).bytes for path in PATHS)
        text += self.admin.ask("/usage?by=key").bytes
        for secret in [TOKEN, "wrong" * 8, self.sandbox.key]:
            self.assertNotIn(secret.encode(), text)
        self.assertNotIn(b"small.example", self.admin.ask("/metrics").bytes)
        self.assertEqual(self.proxy.get("/metrics").fault, "not_found", "clients do not reach it")


class Life(unittest.TestCase):
    """Proxies of their own: what the admin side says when something is wrong, and its beginning and end."""

    def test_who_is_turned_away_is_counted(self):
        caps = {"admin": "127.0.0.1:0", "max_connections_per_address": 2}
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy=caps, teams=TEAMS) as proxy:
            admin = Admin(proxy)
            with proxy.connect(), proxy.connect():
                answers = [proxy.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(3)]
            self.assertEqual({(answer.status, answer.fault) for answer in answers}, {(503, "too_busy")})
            name = "anchorage_connections_turned_away_total"
            self.assertEqual([admin.value(name, side=side) for side in ("client", "admin")], [3, 0])
            self.assertEqual((admin.value("anchorage_calls_total"), admin.value("anchorage_answers_total", fault="too_busy")),
                             (3, 3))
            self.assertEqual([answer.rows_charged for answer in answers], [0, 0, 0])
            self.assertEqual(len({answer.headers["x-anchorage-id"] for answer in answers}), 3)

    def test_draining_is_seen_until_the_end(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}, teams=TEAMS) as proxy:
            admin = Admin(proxy)
            sandbox.script({"match": "anchors", "stall": True, "times": 0})
            call = f"GET {proxy.params({})} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            with proxy.connect() as first, proxy.connect() as second:
                first.sendall(call)
                sandbox.wait(requests=1)
                second.sendall(call.replace(b"small", b"other"))
                admin.until(1, lambda: admin.value("anchorage_calls_waiting", **{"for": "turn"}))
                m = {name: samples for name, (_, _, samples) in admin.metrics().items()}
                self.assertEqual(m["anchorage_calls_running"], {(): 1})
                self.assertEqual(m["anchorage_team_calls_running"][("team", "seo"),], 1)
                self.assertEqual(m["anchorage_connections"][("side", "client"),], 2)
                proxy.terminate()
                admin.until(503, lambda: admin.ask("/readyz").status)
                self.assertEqual(admin.ask("/readyz").json["ready"], False)
                self.assertIn("draining", admin.ask("/readyz").json["error"])
                self.assertEqual(admin.ask("/healthz").status, 200)
                self.assertEqual((admin.value("anchorage_draining"), admin.value("anchorage_ready")), (1, 0))
                self.assertEqual(admin.ask("/usage").status, 200)
                with self.assertRaises(OSError):
                    proxy.connect()
                with socket.create_connection(admin.address, PATIENCE) as idle:
                    proxy.terminate()
                    proxy.finish()
                    self.assertEqual(idle.recv(1), b"")

    def test_a_ledger_that_cannot_write(self):
        """A limit on file sizes stands in for a full disk. Its signal is ignored here, and so in the daemon."""
        popen = functools.partial(subprocess.Popen, restore_signals=False)
        with Sandbox(today=None) as sandbox, mock.patch("subprocess.Popen", popen), \
                Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}) as proxy:
            admin = Admin(proxy)
            self.assertEqual(proxy.get(limit=1).status, 200)
            pid, forever = proxy.process.pid, resource.RLIM_INFINITY
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, forever))
            self.assertEqual(proxy.get(limit=2).fault, "ledger_down")
            answer = admin.ask("/readyz")
            self.assertEqual((answer.status, answer.json["ready"]), (503, False))
            self.assertIn("ledger_down", answer.json["error"])
            self.assertEqual((admin.value("anchorage_ledger_serving"), admin.value("anchorage_ready")), (0, 0))
            self.assertEqual(admin.value("anchorage_answers_total", fault="ledger_down"), 1)
            self.assertEqual(admin.ask("/healthz").status, 200)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (forever, forever))
            admin.until(200, lambda: admin.ask("/readyz").status)
            self.assertEqual(proxy.get(limit=2).status, 200)

    def test_totals_survive(self):
        """A restart, and a death, take nothing from a team's totals."""
        names = ["anchorage_team_" + name for name in ["calls_total", "faults_total", "rows_total", "units_total"]]
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}, teams=TEAMS) as proxy:
            for limit in (1, 2):
                self.assertEqual(proxy.get(limit=limit).status, 200)
            sandbox.script({"match": "anchors", "status": 502, "body": "x"})
            self.assertEqual(proxy.get(target="other.example").fault, "upstream_down")
            before = [Admin(proxy).value(name, team="seo") for name in names]
            used = proxy.usage()["seo"]
            self.assertEqual(before, [used["calls"], used["faults"], used["rows"], used["units"]])
            self.assertEqual(before[:2], [3, 1])
            proxy.stop()
            proxy.start()
            self.assertEqual([Admin(proxy).value(name, team="seo") for name in names], before)
            sandbox.reset()
            sandbox.script({"match": "anchors", "stall": True})
            with proxy.connect() as connection:
                connection.sendall(f"GET {proxy.params({'target': 'a.example'})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                sandbox.wait(requests=1)
                proxy.kill()
            proxy.start()
            after = [Admin(proxy).value(name, team="seo") for name in names]
            used = proxy.usage()["seo"]
            self.assertEqual(after, [used["calls"], used["faults"], used["rows"], used["units"]])
            self.assertEqual(after[0], before[0] + 1)
            self.assertEqual(proxy.get(limit=1).status, 200)
            self.assertEqual(Admin(proxy).value(names[0], team="seo"), after[0] + 1)

    def test_gates_of_v3(self):
        """What keeps requests from leaving is seen."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"},
                                                       fidelity={"stats": "zero"}) as proxy:
            admin = Admin(proxy)
            sandbox.script({"match": "anchors", "status": 500, "body": "x", "times": 0})
            for number in range(6):
                self.assertEqual(proxy.get(target=f"t{number}.example").fault, "upstream_down")
            self.assertEqual(admin.value("anchorage_v3_breaker_open", key="main"), 1)
            self.assertGreaterEqual(admin.value("anchorage_v3_results_total", fault="upstream_down"), 6)
        with Sandbox(today=None, units=1) as sandbox, Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}) as proxy:
            admin = Admin(proxy)
            self.assertEqual(admin.value("anchorage_v3_out_of_units", key="main"), 0)
            self.assertEqual(proxy.get(limit=1).fault, "upstream_out_of_units")
            self.assertEqual(admin.value("anchorage_v3_out_of_units", key="main"), 1)

    def test_a_loop_that_stands_still(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}) as proxy:
            admin = Admin(proxy)
            long_ones = lambda: sum(n * sign for sign, bound in [(1, "+Inf"), (-1, "0.25")]
                                    for labels, n in admin.metrics()["anchorage_loop_late_seconds"][2].items()
                                    if labels == (("le", bound),))
            before = long_ones()
            proxy.process.send_signal(signal.SIGSTOP)
            time.sleep(0.5)  # what is measured is time
            proxy.process.send_signal(signal.SIGCONT)
            admin.until(True, lambda: long_ones() > before)
            self.assertGreater(admin.value("anchorage_loop_late_longest_seconds"), 0.25)

    def test_the_token(self):
        """Open to other machines, for who has the token; a load balancer needs none."""
        token = "t0ken-" + "x" * 26
        with Sandbox(today=None) as sandbox:
            proxy = Anchorage(sandbox, proxy={"admin": "0.0.0.0:0", "admin_token_file": "admin.token"})
            try:
                for text, why in [(None, "cannot read"), ("", "one word"), ("two words of it all", "one word"),
                                  ("x" * 15, "guessed")]:
                    if text is not None:
                        with open(os.path.join(proxy.path, "admin.token"), "w", encoding="ascii") as file:
                            file.write(text)
                    for command, code in [("check", 1), ("serve", 78)]:
                        self.assertIn(why, proxy.run(command, check=code).stderr)
                with open(os.path.join(proxy.path, "admin.token"), "w", encoding="ascii") as file:
                    file.write(token + "\n")
                proxy.run("check", check=0)
                proxy.start()
                admin = Admin(proxy)
                admin.address = ("127.0.0.1", admin.address[1])
                for host in ["proxy.example", "127.0.0.1"]:
                    for path in PATHS + ["/none"]:
                        for wrong in [{}, {"Authorization": "Bearer " + token[:-1]}, {"Authorization": token}]:
                            answer = admin.ask(path, Host=host, **wrong)
                            is_open = path in ("/healthz", "/readyz")
                            if path == "/":
                                self.assertEqual((answer.status, answer.headers["location"]), (303, "/login?next=%2F"))
                                continue
                            self.assertEqual(answer.status, 200 if is_open else 401, (path, wrong))
                            self.assertEqual(answer.headers.get("www-authenticate"),
                                             None if is_open else 'Bearer realm="anchorage"')
                    right = {"Authorization": "Bearer " + token, "Host": host}
                    self.assertEqual(admin.ask("/metrics", **right).status, 200)
                    self.assertEqual(admin.ask("/usage", **right).status, 200)
                    self.assertEqual(admin.ask("/none", **right).status, 404)
                with socket.create_connection(admin.address, PATIENCE) as one, one.makefile("rb") as stream:
                    header = f"Authorization: Bearer {token}\r\n"
                    one.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
                    self.assertEqual(read_answer(stream).status, 401, "a header twice is none")
                for path in PATHS[:-1]:
                    self.assertEqual(proxy.get(path, headers={"Authorization": "Bearer " + token}).fault, "not_found")
                proxy.stop()
                self.assertNotIn(token, "".join(proxy.lines))
            finally:
                proxy.close()

    def test_several_addresses_or_none(self):
        with Sandbox(today=None) as sandbox:
            with Anchorage(sandbox, proxy={"admin": "127.0.0.1:0 [::1]:0"}) as proxy:
                self.assertEqual(len([line for line in proxy.lines if line.startswith("anchorage: admin on ")]), 2)
            with Anchorage(sandbox) as proxy:
                self.assertNotIn("admin", "".join(proxy.lines))

    def test_an_address_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            proxy = Anchorage("http://127.0.0.1:1/v3", proxy={"admin": address})
            try:
                with open(proxy.config, encoding="utf-8") as file:
                    line = 1 + file.read().split("\n").index("admin = " + address)
                for command in ["check", "serve"]:
                    done = proxy.run(command, check=1)
                    self.assertIn(f"{proxy.config}:{line}", done.stderr)
                    self.assertIn(os.strerror(98), done.stderr)
            finally:
                proxy.close()


if __name__ == "__main__":
    unittest.main()
