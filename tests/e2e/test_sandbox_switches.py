# SPDX-License-Identifier: MIT
"""The sandbox itself: every switch both ways, every fault, its control side, its command line."""
import email.utils
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sandbox import ALL, BUILD_DIR, OneSandbox, Sandbox, TODAY, leaf  # noqa: E402


def names(answer):
    return [row["anchor"] for row in answer.rows]


class Switches(unittest.TestCase):
    def both(self, name, *values):
        """A sandbox for each value of a switch; the first must be the default."""
        default = Sandbox().start()
        self.addCleanup(default.stop)
        started = []
        for value in values:
            sandbox = Sandbox(**{name: value}).start()
            self.addCleanup(sandbox.stop)
            started.append(sandbox)
        self.default = default
        return started

    def test_anchor_case(self):
        keep, fold = self.both("anchor_case", "keep", "fold")
        kept, folded = (s.anchors("tricky.example", ALL, limit=1000, history="live").rows for s in (keep, fold))
        self.assertEqual(kept, self.default.anchors("tricky.example", ALL, limit=1000, history="live").rows)
        sums = {}
        for row in kept:
            anchor = "".join(letter.lower() for letter in row["anchor"])  # one by one: no final sigma
            sums[anchor] = sums.get(anchor, 0) + row["links_to_target"]
        self.assertEqual({row["anchor"]: row["links_to_target"] for row in folded}, sums)
        self.assertLess(len(folded), len(kept))
        self.assertEqual(fold.stats("tricky.example").json, keep.stats("tricky.example").json)

    def test_collation(self):
        bytes_, nocase, locale = self.both("collation", "bytes", "nocase", "locale-like")
        order = lambda s: names(s.anchors("tricky.example", limit=1000, order_by="anchor:asc"))
        self.assertEqual(order(bytes_), sorted(order(bytes_), key=str.encode))
        self.assertEqual(order(bytes_), order(self.default))
        self.assertNotEqual(order(nocase), order(bytes_))
        near = lambda found, *words: sorted(found.index(w) for w in words)
        first, *rest = near(order(nocase), "SEO", "Seo", "seo")
        self.assertEqual(rest, [first + 1, first + 2])
        self.assertLess(order(locale).index("à la carte"), order(locale).index("best-seo tools"))
        self.assertLess(order(locale).index("Äpfel"), order(locale).index("back\\slash"))
        self.assertGreater(order(nocase).index("à la carte"), order(nocase).index("zzz last"))

    def test_text_compare(self):
        with Sandbox(collation="nocase") as by_bytes, Sandbox(collation="nocase",
                                                              text_compare="collation") as by_collation:
            ask = lambda s: set(names(s.anchors("tricky.example", limit=1000,
                                                where=leaf("anchor", "gt", "click here"))))
            self.assertNotIn("SEO", ask(by_bytes))
            self.assertIn("SEO", ask(by_collation))
            whole = names(by_collation.anchors("tricky.example", limit=1000, order_by="anchor:asc"))
            self.assertEqual(ask(by_collation), set(whole[whole.index("click here") + 1:]))

    def test_link_filters(self):
        narrow, select = self.both("link_filters", "narrow", "select")
        where = leaf("is_dofollow", "eq", True)
        rows = lambda s, w=None: {r["anchor"]: r for r in s.anchors("tricky.example", ALL, limit=1000, where=w).rows}
        whole = rows(narrow)
        self.assertEqual(set(rows(narrow, where)), set(rows(select, where)))
        self.assertTrue(all(whole[anchor] == row for anchor, row in rows(select, where).items()))
        self.assertTrue(all(row["links_to_target"] == whole[a]["dofollow_links"] for a,
                            row in rows(narrow, where).items()))
        self.assertEqual(rows(narrow, where), rows(self.default, where))

    def test_mixed_levels(self):
        any_, refuse = self.both("mixed_levels", "any", "refuse")
        where = {"or": [leaf("is_dofollow", "eq", True), leaf("links_to_target", "gte", 6)]}
        rows = any_.anchors("tricky.example", ALL, limit=1000).rows
        expected = {r["anchor"]: r["links_to_target"] for r in rows if r["dofollow_links"] or r["links_to_target"] >= 6}
        answer = any_.anchors("tricky.example", limit=1000, where=where)
        self.assertEqual({r["anchor"]: r["links_to_target"] for r in answer.rows}, expected)
        self.assertEqual(refuse.anchors("tricky.example", where=where).status, 400)
        self.assertEqual(refuse.anchors("tricky.example", where={"and": where["or"]}).status, 200)

    def test_null_tests(self):
        lenient, strict = self.both("null_tests", "lenient", "strict")
        ask = lambda s, column: s.anchors("small.example", where=leaf(column, "is_null")).status
        self.assertEqual([ask(lenient, "first_seen"), ask(strict, "first_seen")], [200, 400])
        self.assertEqual([ask(lenient, "last_seen"), ask(strict, "last_seen")], [200, 200])

    def test_json(self):
        plain, escaped = self.both("json", "plain", "escaped")
        ask = lambda s: s.anchors("tricky.example", ALL, limit=1000)
        self.assertEqual(ask(plain).json, ask(escaped).json)
        self.assertTrue(ask(escaped).text.isascii())
        self.assertIn("\\/", ask(escaped).text)
        self.assertNotIn("\\/", ask(plain).text)
        self.assertIn("\U0001f600", ask(plain).text)
        self.assertIn("\\ud83d\\ude00", ask(escaped).text)

    def test_cost_miss(self):
        real, zero = self.both("cost_miss", "real", "zero")
        self.assertEqual(real.stats("small.example").cost[2:], [50, 50, "miss"])
        self.assertEqual(zero.stats("small.example").cost[2:], [50, 0, "miss"])
        self.assertEqual(zero.state()["spent"], 50)

    def test_cache_case(self):
        lower, upper = self.both("cache_case", "lower", "upper")
        self.assertEqual([s.stats("small.example").cost[4] for s in (lower, upper)], ["miss", "MISS"])

    def test_cache(self):
        with Sandbox(cache_ttl="60s") as sandbox:
            costs = [sandbox.stats("small.example").cost[3:] for _ in range(2)]
            self.assertEqual(costs, [[50, "miss"], [0, "hit"]])
            self.assertEqual(sandbox.anchors("small.example").cost[3:], [50, "miss"])
            self.assertEqual(sandbox.state()["spent"], 100)
            self.assertEqual(sandbox.log()[1]["cache"], "hit")

    def test_default_order(self):
        links, anchor, scattered = self.both("default_order", "links", "anchor", "scattered")
        rows = lambda s: s.anchors("tricky.example", limit=1000).rows
        counts = [row["links_to_target"] for row in rows(links)]
        self.assertEqual(counts, sorted(counts, reverse=True))
        found = [row["anchor"].encode() for row in rows(anchor)]
        self.assertEqual(found, sorted(found))
        self.assertEqual(rows(scattered), rows(scattered))
        self.assertNotIn(rows(scattered), [rows(links), rows(anchor)])
        self.assertEqual(links.anchors("tricky.example", "anchor").cost[1], 1, "the default order is not paid for")

    def test_default_direction(self):
        desc, asc = self.both("default_direction", "desc", "asc")
        for sandbox, word in [(desc, "desc"), (asc, "asc")]:
            self.assertEqual(sandbox.anchors("tricky.example", order_by="anchor").bytes,
                             sandbox.anchors("tricky.example", order_by="anchor:" + word).bytes)

    def test_unknown_parameters(self):
        ignore, refuse = self.both("unknown_parameters", "ignore", "refuse")
        self.assertEqual(ignore.anchors("small.example", colour="red").status, 200)
        self.assertEqual(refuse.anchors("small.example", colour="red").json, {"error": "unknown parameter 'colour'"})

    def test_decorated_target(self):
        refuse, accept = self.both("decorated_target", "refuse", "accept")
        for target in ["https://small.example", "small.example/about", "small.example:80"]:
            for mode in [None, "domain"]:
                self.assertEqual(refuse.anchors(target, mode=mode).json, {"error": "bad target " + target})
                self.assertEqual(accept.anchors(target, mode=mode).bytes,
                                 accept.anchors("small.example", mode=mode).bytes)
            self.assertEqual(refuse.anchors(target, mode="exact").status, 200)

    def test_on_timeout(self):
        for value, status, body in [("error", 500, {"error": "timeout"}), ("empty", 200, {"anchors": []})]:
            with Sandbox(on_timeout=value, latency="1500ms") as sandbox:
                began = time.monotonic()
                answer = sandbox.anchors("small.example", timeout=1)
                self.assertEqual((answer.status, answer.json), (status, body))
                self.assertLess(time.monotonic() - began, 1.4)

    def test_compression(self):
        never, packed = self.both("compression", "never", "gzip")
        self.assertNotIn("content-encoding", never.get("x", headers={"Accept-Encoding": "gzip"}).headers)
        params = {"target": "small.example", "select": "anchor"}
        answer = packed.get("site-explorer/anchors", params, headers={"Accept-Encoding": "gzip, br"})
        self.assertEqual(answer.headers["content-encoding"], "gzip")
        self.assertEqual(answer.text, never.get("site-explorer/anchors", params).text)
        self.assertNotIn("content-encoding", packed.get("site-explorer/anchors", params).headers)

    def test_rate(self):
        with Sandbox(key=["one", "two"], rate=3) as sandbox:
            self.assertEqual([sandbox.stats("small.example").status for _ in range(4)], [200, 200, 200, 429])
            answer = sandbox.stats("small.example")
            self.assertEqual(answer.json, {"error": "Too Many Requests"})
            self.assertIn(int(answer.headers["retry-after"]), range(50, 61))
            self.assertEqual(sandbox.get("subscription-info/limits-and-usage", key="two").status, 200, "per key")
            self.assertEqual(sandbox.state()["spent"], 150)
            sandbox.reset(rate=1)
            self.assertEqual([sandbox.stats("small.example").status for _ in range(2)], [200, 429])
            sandbox.reset(rate=0)
            self.assertEqual([sandbox.stats("small.example").status for _ in range(9)], [200] * 9)

    def test_retry_after(self):
        for value in ["date", "none"]:
            with Sandbox(rate=1, retry_after=value) as sandbox:
                sandbox.stats("small.example")
                header = sandbox.stats("small.example").headers.get("retry-after")
                if value == "none":
                    self.assertIsNone(header)
                else:
                    wait = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
                    self.assertTrue(50 < wait < 62, header)

    def test_429_body(self):
        for value, kind, begin in [("html", "text/html", b"<html>"), ("empty", "application/json", b"")]:
            with Sandbox(rate=1, **{"429_body": value}) as sandbox:
                sandbox.stats("small.example")
                answer = sandbox.stats("small.example")
                self.assertEqual((answer.status, answer.headers["content-type"]), (429, kind))
                self.assertTrue(answer.bytes.startswith(begin) and bool(answer.bytes) == bool(begin))

    def test_latency(self):
        with Sandbox(latency="80ms") as sandbox:
            began = time.monotonic()
            sandbox.stats("small.example")
            self.assertGreater(time.monotonic() - began, 0.07)


class Faults(OneSandbox):
    def raw(self, entry, path="backlinks-stats?target=small.example&date=" + TODAY, timeout=10):
        """What comes over the wire, to the end or until it stays silent; and how it ends."""
        if entry:
            self.sandbox.script(entry)
        received = b""
        with socket.create_connection(("127.0.0.1", self.sandbox.port), timeout) as connection:
            connection.sendall(f"GET /v3/site-explorer/{path} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n"
                               f"Authorization: Bearer {self.sandbox.key}\r\n\r\n".encode())
            try:
                while chunk := connection.recv(65536):
                    received += chunk
                return received, "closed"
            except ConnectionResetError:
                return received, "reset"
            except TimeoutError:
                return received, "silent"

    def test_status_and_body(self):
        self.sandbox.script({"match": "backlinks-stats", "status": 502, "body": "<html>Page under maintenance</html>",
                             "content_type": "text/html"})
        self.assertEqual(self.sandbox.anchors("small.example").status, 200)
        answer = self.sandbox.stats("small.example")
        self.assertEqual((answer.status, answer.headers["content-type"]), (502, "text/html"))
        self.assertEqual(answer.text, "<html>Page under maintenance</html>")
        self.assertNotIn("x-api-rows", answer.headers)
        self.assertEqual(self.sandbox.stats("small.example").status, 200, "once unless told otherwise")
        self.assertEqual(self.sandbox.state()["spent"], 100, "what was failed is not billed")
        self.assertEqual([e["scripted"] for e in self.sandbox.log()], [False, True, False])

    def test_body_in_place(self):
        self.sandbox.script({"body": {"metrics": {"live": "7/8"}}}, {"body_hex": "7b22ff7d"},
                            {"replace": {'"live":': '"dead":'}})
        answer = self.sandbox.stats("small.example")
        self.assertEqual((answer.text, answer.cost[2]), ('{"metrics":{"live":"7/8"}}', 50))
        self.assertEqual(self.sandbox.stats("small.example").bytes, b'{"\xff}')
        self.assertIn("dead", self.sandbox.stats("small.example").json["metrics"])

    def test_choosing_requests(self):
        self.sandbox.script({"status": 500, "times": 2, "skip": 1},
                            {"match": "*", "query": {"mode": "exact", "protocol": None}, "status": 503})
        ask = lambda **params: self.sandbox.stats("small.example", **params).status
        self.assertEqual([ask() for _ in range(4)], [200, 500, 500, 200])
        self.assertEqual([ask(mode="exact", protocol="http"), ask(mode="domain"), ask(mode="exact")], [200, 200, 503])
        self.assertEqual(self.sandbox.state()["script_left"], 0)
        self.sandbox.script({"times": 0, "status": 500})
        self.assertEqual([ask() for _ in range(5)], [500] * 5)
        self.assertEqual(self.sandbox.state()["script_left"], 1)

    def test_headers(self):
        self.sandbox.script({"headers": {"x-api-units-cost-total": None, "X-API-Cache": "no_cache",
                                         "Set-Cookie": "a=b"}})
        headers = self.sandbox.stats("small.example").headers
        self.assertNotIn("x-api-units-cost-total", headers)
        self.assertEqual((headers["x-api-cache"], headers["set-cookie"]), ("no_cache", "a=b"))

    def test_lies(self):
        self.sandbox.script({"lie_rows": 7, "lie_units": 1234})
        self.assertEqual(self.sandbox.stats("small.example").cost, [7, 50, 1234, 1234, "miss"])
        self.assertEqual(self.sandbox.state()["spent"], 50)
        self.sandbox.script({"lie_length": -3, "close": True})
        honest = self.sandbox.stats("empty.example")
        received, end = self.raw({"lie_length": 5, "close": True}, "backlinks-stats?target=empty.example&date=" + TODAY)
        self.assertEqual(end, "closed")
        head, body = received.split(b"\r\n\r\n", 1)
        self.assertIn(b"Content-Length: %d\r\n" % (len(body) + 5), head)
        self.assertEqual(honest.bytes, body[:-3])

    def test_truncation(self):
        received, end = self.raw({"truncate_at": 10})
        self.assertEqual((len(received.split(b"\r\n\r\n", 1)[1]), end), (10, "closed"))
        self.assertEqual(self.sandbox.state()["spent"], 50, "what was cut off is billed")

    def test_reset(self):
        self.assertEqual(self.raw({"reset": True}), (b"", "reset"))
        self.assertEqual(self.raw({"reset": True, "truncate_at": 4})[1], "reset")

    def test_stall(self):
        self.assertEqual(self.raw({"stall": True}, timeout=0.2), (b"", "silent"))
        received, end = self.raw({"stall": True, "truncate_at": 4}, timeout=0.2)
        self.assertEqual((received.split(b"\r\n\r\n", 1)[1], end), (b'{"me', "silent"))
        self.sandbox.wait(finished=2)
        self.assertEqual([e["client_left"] for e in self.sandbox.log()], [True, True])

    def test_raw(self):
        self.assertEqual(self.raw({"raw": "HTTP/1.1 200 \u00fc\r\n\r\n"}),
                         ("HTTP/1.1 200 \u00fc\r\n\r\n".encode(), "closed"))
        self.assertEqual(self.raw({"raw_hex": "00ff"}), (b"\x00\xff", "closed"))
        self.assertEqual(self.raw({"raw": ""}), (b"", "closed"))
        self.assertEqual(self.sandbox.log()[0]["status"], 0)

    def test_delay_and_drip(self):
        began = time.monotonic()
        self.sandbox.script({"delay_ms": 60}, {"drip_ms": 10, "drip_bytes": 20})
        self.sandbox.stats("small.example")
        self.assertGreater(time.monotonic() - began, 0.055)
        body = self.sandbox.stats("small.example").bytes
        self.assertEqual(body, self.sandbox.stats("small.example").bytes)
        self.assertGreater(self.sandbox.log()[1]["ms"], 10 * (len(body) // 20 - 1))

    def test_big_bodies(self):
        honest = self.sandbox.stats("small.example")
        self.sandbox.script({"flood": 300000}, {"flood": 3000000, "gzip": True}, {"chunked": True}, {"no_length": True})
        self.assertEqual(len(self.sandbox.stats("small.example").bytes), len(honest.bytes) + 300000)
        bomb = self.sandbox.stats("small.example")
        self.assertEqual((bomb.headers["content-encoding"], bomb.json), ("gzip", honest.json))
        self.assertLess(len(bomb.bytes), 30000)
        self.assertEqual(len(bomb.text), len(honest.text) + 3000000)
        chunked = self.sandbox.stats("small.example")
        self.assertEqual((chunked.headers["transfer-encoding"], chunked.bytes), ("chunked", honest.bytes))
        until_close = self.sandbox.stats("small.example")
        self.assertEqual((until_close.headers.get("content-length"), until_close.bytes), (None, honest.bytes))

    def test_bad_scripts(self):
        for entry in [{"stauts": 500}, {"status": "500"}, {"status": 99}, {"times": -1}, {"headers": {"a": 1}},
                      {"drip_bytes": 0},
                      {"body_hex": "xy"}, {"body_hex": "123"}, {"replace": {"": "x"}}, 5, {"delay_ms": -1}]:
            with self.assertRaises(RuntimeError, msg=entry):
                self.sandbox.script([{"status": 500}, entry])
        self.assertEqual(self.sandbox.state()["script_left"], 0, "all or nothing")


class Control(OneSandbox):
    def test_log(self):
        self.sandbox.anchors("small.example", where=leaf("anchor", "neq", "ü&"), history="live")
        self.sandbox.anchors("small.example", offset=1)
        good, bad = self.sandbox.log()
        self.assertEqual([good["n"], good["method"], good["path"]], [1, "GET", "/v3/site-explorer/anchors"])
        self.assertEqual(json.loads(good["query"]["where"]), leaf("anchor", "neq", "ü&"))
        self.assertEqual([good["status"], good["rows"], good["units"], good["cache"]], [200, 12, 50, "miss"])
        self.assertEqual([bad["status"], bad["units"], bad["over"]], [400, 0, True])
        self.assertEqual(good["headers"]["User-Agent"], "test")
        self.assertNotIn(self.sandbox.key, json.dumps(self.sandbox.log()))

    def test_reset(self):
        self.sandbox.script({"status": 500})
        self.sandbox.stats("one.example")
        self.sandbox.script({"status": 500})
        self.sandbox.reset()
        self.assertEqual(self.sandbox.state(), {"seen": 0, "over": 0, "spent": 0, "script_left": 0})
        self.assertEqual(self.sandbox.log(), [])
        with self.assertRaises(RuntimeError):
            self.sandbox.control("POST", "reset", "units")

    def test_wait(self):
        with self.assertRaisesRegex(RuntimeError, "not so many"):
            self.sandbox.wait(requests=1, timeout=0.05)
        with socket.create_connection(("127.0.0.1", self.sandbox.port), 10) as waiting:
            waiting.sendall(b"GET /_sandbox/wait?requests=2&finished=2 HTTP/1.1\r\n\r\n")
            self.sandbox.stats("one.example")
            waiting.settimeout(0.05)
            self.assertRaises(TimeoutError, waiting.recv, 1)
            self.sandbox.stats("one.example")
            waiting.settimeout(10)
            self.assertTrue(waiting.recv(100).startswith(b"HTTP/1.1 200 "))
        with socket.create_connection(("127.0.0.1", self.sandbox.port), 10) as gone:
            gone.sendall(b"GET /_sandbox/wait?requests=9 HTTP/1.1\r\n\r\n")
        self.assertEqual(self.sandbox.wait(requests=2)["seen"], 2)

    def test_a_log_that_runs_over(self):
        self.sandbox.script({"status": 500, "times": 0, "body": ""})
        request = b"GET /v3/x HTTP/1.1\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.sandbox.port), 30) as connection:
            answers = connection.makefile("rb")
            for _ in range(101):
                connection.sendall(request * 100)
                for line in (answers.readline() for _ in range(400)):
                    self.assertTrue(line)
        state = self.sandbox.wait(finished=10100)
        log = self.sandbox.log()
        self.assertEqual((state["seen"], len(log), log[0]["n"], log[-1]["n"]), (10100, 10000, 101, 10100))

    def test_requests_in_one_packet(self):
        with socket.create_connection(("127.0.0.1", self.sandbox.port), 10) as connection:
            one = b"GET /v3/x?n=%d HTTP/1.1\r\nUser-Agent: t\r\nConnection: %s\r\n\r\n"
            text = one % (1, b"keep-alive") + one % (2, b"close")
            connection.sendall(text[:20])
            connection.sendall(text[20:])
            self.assertEqual(connection.makefile("rb").read().count(b"HTTP/1.1 401 "), 2)
        self.assertEqual([e["query"]["n"] for e in self.sandbox.log()], ["1", "2"])


class Program(unittest.TestCase):
    binary = os.path.join(BUILD_DIR, "anchorage-sandbox")

    def run_it(self, *arguments):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=20)

    def test_help_names_every_switch_and_value(self):
        text = self.run_it("--help").stdout
        for word in ["anchor-case", "keep", "fold", "collation", "locale-like", "nocase", "link-filters", "narrow",
                     "text-compare",
                     "--json", "escaped", "cost-miss", "zero", "retry-after", "429-body", "default-order", "scattered",
                     "cache-case", "upper", "one.example", "big.example", "unknown.example", "firehose.com"]:
            self.assertIn(word, text)

    def test_the_document_names_every_option_and_field(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "../../docs/sandbox.md")) as file:
            document = file.read()
        with open(os.path.join(here, "../sandbox/script.c")) as file:
            fields = re.findall(r'{ "(\w+)", json_type_', file.read())
        options = re.findall(r"^  (--[\w-]+)", self.run_it("--help").stdout, re.MULTILINE)
        self.assertTrue(len(fields) > 20 and len(options) > 20)
        for word in options + fields:
            self.assertRegex(document, f"`{word}[` ]", "docs/sandbox.md does not tell of it")

    def test_bad_options(self):
        for arguments in [["--port", "1"], ["x"], ["--json", "odd"], ["--json"], ["--rate", "-1"],
                          ["--today", "2026-02-30"],
                          ["--listen", "0.0.0.0:0"], ["--listen", "127.0.0.1:70000"], ["--latency", "5"],
                          ["--plan", "Gold"],
                          ["--units", "many"], ["--seed", ""], ["--key", ""]]:
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn("--help", done.stderr)

    def test_port_in_use(self):
        with Sandbox() as sandbox:
            done = self.run_it("--listen", f"127.0.0.1:{sandbox.port}")
            self.assertEqual(done.returncode, 1)
            self.assertIn("Address already in use", done.stderr)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            port_file, log_file = os.path.join(folder, "port"), os.path.join(folder, "log")
            with Sandbox(port_file=port_file, log=log_file) as sandbox:
                with open(port_file) as file:
                    self.assertEqual(int(file.read()), sandbox.port)
                sandbox.stats("one.example")
                sandbox.wait(finished=1)
                with open(log_file) as file:
                    line = json.loads(file.read())
                self.assertEqual((line["status"], line["units"], line["query"]["target"]), (200, 50, "one.example"))
            self.assertEqual(self.run_it("--log", folder).returncode, 1)
            self.assertEqual(self.run_it("--port-file", folder).returncode, 1)

    def test_signals_end_it_with_calls_open(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Sandbox() as sandbox:
                sandbox.script({"stall": True})
                with socket.create_connection(("127.0.0.1", sandbox.port), 10) as connection:
                    connection.sendall(b"GET /v3/x HTTP/1.1\r\n\r\n")
                    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as waiting:
                        waiting.sendall(b"GET /_sandbox/wait?requests=9 HTTP/1.1\r\n\r\n")
                        sandbox.wait(requests=1)
                        sandbox.process.send_signal(number)
                        self.assertEqual(sandbox.process.wait(20), 0)

    def test_ipv6(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        process = subprocess.Popen([self.binary, "--listen=[::1]:0"], stdout=subprocess.PIPE, text=True)
        try:
            self.assertRegex(process.stdout.readline(), r"^listening on http://\[::1\]:\d+/v3$")
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


if __name__ == "__main__":
    unittest.main()
