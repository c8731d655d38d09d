# SPDX-License-Identifier: MIT
"""What every answer says of itself: the headers of successes, of refusals of each kind, and of HEAD; words that old
programs compare; parameters given twice, and those that v2 did not have."""
import re
import socket
import unittest
import urllib.parse

from anchorage import OTHER_TOKEN, TOKEN, Anchorage, OneProxy, read_answer
from sandbox import Sandbox

V2_WORDS = {"unknown_key": "invalid token", "out_of_rows": "Integration limit is exceeded"}
SHAPES = {"json": '{"error":"%s"}',
          "xml": '<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse><error>%s</error></AhrefsApiResponse>',
          "php": 'a:1:{s:5:"error";s:%d:"%s";}'}


def body_of(output, words):
    shape = SHAPES[output]
    return (shape % ((len(words), words) if output == "php" else words)).encode()


class Refusals(unittest.TestCase):
    refused = OneProxy.refused
    check_refusals = OneProxy.check_refusals

    def proxies(self, modes=("v2", "http"), sandbox=None, **options):
        for mode in modes:
            with self.subTest(error_status=mode), Sandbox(today=None, **(sandbox or {})) as self.sandbox:
                proxy = {"error_status": mode, **options.get("proxy", {})}
                with Anchorage(self.sandbox, **{**options, "proxy": proxy}) as self.proxy:
                    self.refusals = set()
                    yield mode
                    self.check_refusals()

    def test_words_that_programs_compare(self):
        """Under `v2` the body is v2's to the byte and ours stand in X-Anchorage-Why and in the log; else in the body."""
        for mode in self.proxies(teams={"seo": {"rows_per_month": 5}}):
            for output in SHAPES:
                for fault, params, status in [("unknown_key", {"token": "nobody"}, 401), ("unknown_key", {"token": None}, 401),
                                              ("out_of_rows", {"limit": 50}, 429)]:
                    answer = self.proxy.get(output=output, **params)
                    self.refused(answer, fault, 200 if mode == "v2" else status)
                    why = answer.headers.get("x-anchorage-why")
                    logged = self.proxy.says(f'"id":"{answer.id}".*"why":"([^"]*)"')[1]
                    if mode == "v2":
                        self.assertEqual(answer.bytes, body_of(output, V2_WORDS[fault]))
                        self.assertRegex(why, "^[ -~]{20,256}$")
                        self.assertEqual(why, logged.replace("…", "..."))
                    else:
                        self.assertIsNone(why)
                        self.assertNotIn(V2_WORDS[fault].encode(), answer.bytes)
                        self.assertIn(logged, answer.bytes.decode())
            other = self.proxy.get(where="x")
            self.refused(other, "bad_where", 200 if mode == "v2" else 400)
            self.assertNotIn("x-anchorage-why", other.headers)

    def test_every_refusal_says_so(self):
        """Those of HTTP itself, too."""
        for mode in self.proxies():
            for raw, status in [(b"GET / HTTP/1.1\r\n\r\n", 400), (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
                                (b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n", 405), (b"GET /?" + b"x" * 9000, 414),
                                (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505), (b"x\r\n", 400),
                                (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413),
                                (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 65 + b"\r\n", 431),
                                (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", 417)]:
                self.refused(self.proxy.raw(raw), "bad_request", status)
            self.refused(self.proxy.get(f"/?token={TOKEN}&token=x"), "bad_request", 400)
            self.refused(self.proxy.get("/nope"), "not_found", 200 if mode == "v2" else 404)

    def test_who_is_turned_away(self):
        for _ in self.proxies(modes=["v2"], proxy={"max_connections_per_address": 2}):
            with self.proxy.connect(), self.proxy.connect():
                self.refused(self.proxy.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "too_busy", 503)

    def test_retry_after_is_an_hour_at_most(self):
        for _ in self.proxies(modes=["http"], teams={"seo": {"rows_per_month": 5}, "poor": {"units_per_month": 10}},
                              keys=[("seo", TOKEN), ("poor", OTHER_TOKEN)]):
            for fault, params in [("out_of_rows", {}), ("out_of_units", {"token": OTHER_TOKEN})]:
                answer = self.proxy.get(limit=10, **params)
                self.refused(answer, fault, 429)
                # a month has an hour left, but for the last one
                self.assertIn(int(answer.headers["retry-after"]), range(1, 3601))
        for _ in self.proxies(modes=["http"]):
            self.sandbox.script({"match": "anchors", "status": 429, "body": "no", "headers": {"Retry-After": "1000000"},
                                 "times": 0})
            self.refused(self.proxy.get(limit=10), "upstream_down", 503)


class Successes(OneProxy):
    proxy_options = {"teams": {"seo": {"rows_per_month": 100000}}}

    def test_an_object_is_one_result(self):
        for output in SHAPES:
            answer = self.proxy.get(from_="subscription_info", output=output)
            self.assertEqual((answer.status, answer.headers["x-results-count"], answer.rows_charged, answer.units),
                             (200, "1", 0, 0), answer)
            self.assertIn("x-anchorage-rows-left", answer.headers)
            for name in ("x-status", "x-anchorage-cache", "x-anchorage-why", "x-anchorage-ignored"):
                self.assertNotIn(name, answer.headers)

    def test_a_success_has_no_status(self):
        self.charged(self.proxy.get(limit=2), 3)


class Head(unittest.TestCase):
    """HEAD is checked as far as the plan, and answered without asking v3, without a turn, without an entry."""

    def head(self, **params):
        """HEAD, and GET behind it on the same connection, so that a body would be noticed."""
        path = self.proxy.params({"from" if name == "from_" else name: value for name, value in params.items()})
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            for method in ("HEAD", "HEAD", "GET"):
                connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                answer = read_answer(stream, method)
                if method == "HEAD":
                    head = answer
        return head, answer

    def looks_right(self, head):
        self.assertEqual((head.rows_charged, head.units), (0, 0), head)
        self.assertRegex(head.id, "^[0-9A-Za-z]{26}$")
        for name in ("content-length", "transfer-encoding", "x-anchorage-cache", "connection"):
            self.assertNotIn(name, head.headers)
        self.assertEqual((head.headers.get("x-status"), head.headers.get("x-results-count")),
                         ("error", "0") if head.fault else (None, None))

    def test_as_get_but_for_the_answer(self):
        for mode in ("v2", "http"):
            with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"error_status": mode}) as self.proxy:
                for params in [{"limit": 3}, {"limit": 3, "output": "xml"}, {"from_": "subscription_info", "output": "php"},
                               {"token": "nobody", "output": "xml"}, {"token": None}, {"from_": "nope"}, {"where": "x"},
                               {"having": "x"}, {"target": None}, {"limit": "x"}, {"output": "csv"}, {"select": "x"},
                               {"mode": "x"}, {"order_by": "x"}, {"where": 'last_visited="2020-01-01"'}]:
                    with self.subTest(error_status=mode, params=params):
                        head, get = self.head(**params)
                        self.looks_right(head)
                        same = ("content-type", "x-anchorage-fault", "x-anchorage-why", "x-status")
                        self.assertEqual([(head.status, *map(head.headers.get, same))],
                                         [(get.status, *map(get.headers.get, same))])

    def test_nothing_is_asked_held_or_booked(self):
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "100ms", "error_status": "http"},
                          upstream={"timeout": "2s"}, teams={"seo": {"concurrency": 1, "rows_per_month": 100}}) as self.proxy:
            sandbox.script({"match": "anchors", "stall": True})
            with self.proxy.connect() as holds:
                holds.sendall(f"GET {self.proxy.params({'limit': 50})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                sandbox.wait(requests=1)
                asked, entries = len(sandbox.log()), len(self.proxy.ledger())
                for limit in (1, 1000, 5000000):  # no turn is free, nor would the limit pay for them
                    with self.proxy.connect() as connection, connection.makefile("rb") as stream:
                        path = self.proxy.params({"limit": limit, "where": "backlinks>1"})
                        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        head = read_answer(stream, "HEAD")
                    self.looks_right(head)
                    self.assertEqual((head.status, head.fault, head.marks), (200, None, {"where.backlinks"}), head)
                self.assertEqual((len(sandbox.log()), len(self.proxy.ledger())), (asked, entries))
            self.assertEqual(self.proxy.raw(b"HEAD / HTTP/1.1\r\n\r\n", method="HEAD").fault, "bad_request")


if __name__ == "__main__":
    unittest.main()
