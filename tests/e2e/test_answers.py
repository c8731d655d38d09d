# SPDX-License-Identifier: MIT
"""What every answer says of itself: the headers of successes, of refusals of each kind, and of HEAD; words that old
programs compare; parameters given twice, and those that v2 did not have."""
import json
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
        """Under `v2` the body is v2's to the byte and ours stand in X-Anchorage-Why; else in the body. The log has them too, and
        of an unknown key more than a client is told."""
        for mode in self.proxies(teams={"seo": {"rows_per_month": 1}}):
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
                        if fault != "unknown_key":
                            self.assertEqual(why, logged.replace("…", "..."))
                    else:
                        self.assertIsNone(why)
                        self.assertNotIn(V2_WORDS[fault].encode(), answer.bytes)
                        if fault != "unknown_key":
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
        for _ in self.proxies(modes=["http"], teams={"seo": {"rows_per_month": 1}, "poor": {"units_per_month": 10}},
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
                sandbox.wait(requests=3)  # the list, totals and ratio
                asked, entries = len(sandbox.log()), len(self.proxy.ledger())
                for limit in (1, 1000, 5000000):  # no turn is free, nor would the limit pay for them
                    with self.proxy.connect() as connection, connection.makefile("rb") as stream:
                        path = self.proxy.params({"limit": limit, "where": "backlinks>1"})
                        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        head = read_answer(stream, "HEAD")
                    self.looks_right(head)
                    self.assertEqual((head.status, head.fault, head.marks), (200, None, {"where.backlinks"}), head)
                    self.proxy.says(f'"id":"{head.id}".*"rows":0,"units":0,"results":0,.*"head":true')
                self.assertEqual((len(sandbox.log()), len(self.proxy.ledger())), (asked, entries))
            self.assertEqual(self.proxy.raw(b"HEAD / HTTP/1.1\r\n\r\n", method="HEAD").fault, "bad_request")


class Parameters(unittest.TestCase):
    """Twice with different values, and names that v2 did not have: told to the call that sent them, whoever's answer
    it is given."""

    refused = OneProxy.refused
    check_refusals = OneProxy.check_refusals

    def setUp(self):
        self.refusals = set()

    def call(self, more, method="GET", **params):
        path = self.proxy.params({"from" if name == "from_" else name: value for name, value in params.items()})
        return self.proxy.raw(f"{method} {path}{more} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), method=method)

    def told(self, answer):
        """The marks of the call itself, and what it is told to be ignored; the ledger has the marks, too."""
        self.assertIsNone(answer.fault, answer)
        for entry in self.proxy.entries(answer.id):
            if entry["kind"] == "settle":
                self.assertEqual(set(entry["approximate"]), answer.marks, entry)
        return {mark for mark in answer.marks if mark.startswith("twice.")}, answer.headers.get("x-anchorage-ignored")

    STRAY = "&limit=9&order_by=anchor&sort=x&where[]=1&sort"
    TOLD = ({"twice.limit"}, "sort,where%5B%5D")

    def test_in_an_answer_that_is_remembered(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as self.proxy:
            for target, first, second in [("small.example", "", self.STRAY), ("lower.example", self.STRAY, "")]:
                for more, cache in [(first, "miss"), (second, "hit"), (first, "hit"), (second, "hit")]:
                    answer = self.call(more, target=target, limit=3)
                    self.assertEqual(answer.headers["x-anchorage-cache"], cache)
                    self.assertEqual(self.told(answer), self.TOLD if more else (set(), None))
                    self.assertIn("last_visited", answer.marks)
                    self.assertEqual(len(answer.anchors), 3)
            logged = self.proxy.says(f'"id":"{self.call(self.STRAY, limit=3).id}".*"approximate":\\[([^]]*)\\]')[1]
            self.assertIn('"twice.limit"', logged)

    def test_in_an_answer_that_is_shared(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as self.proxy:
            for target, first, second in [("small.example", "", self.STRAY), ("lower.example", self.STRAY, "")]:
                sandbox.reset()
                sandbox.script({"match": "anchors", "delay_ms": 700})
                with self.proxy.connect() as starts, self.proxy.connect() as joins:
                    for connection, more in [(starts, first), (joins, second)]:
                        path = self.proxy.params({"target": target, "limit": 3}) + more
                        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        sandbox.wait(requests=1)
                    answers = [read_answer(connection.makefile("rb")) for connection in (starts, joins)]
                self.assertEqual([answer.headers["x-anchorage-cache"] for answer in answers], ["miss", "shared"])
                for answer, more in zip(answers, (first, second)):
                    self.assertEqual(self.told(answer), self.TOLD if more else (set(), None))

    def test_wherever_a_known_key_is_answered(self):
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"error_status": "http"}, fidelity={"approximate": "refuse"}) as self.proxy:
            self.assertEqual(self.told(self.call(self.STRAY, limit=1)), self.TOLD)  # not refused: v2 did the same
            self.assertEqual(self.told(self.call(self.STRAY, "HEAD", limit=1)), self.TOLD)
            self.assertEqual(self.told(self.call("&output=xml&x=1", from_="subscription_info")), ({"twice.output"}, "x"))
            answer = self.call(self.STRAY, select="nope")
            self.refused(answer, "bad_select", 400)
            self.assertEqual((answer.marks, answer.headers["x-anchorage-ignored"]), (set(), "sort,where%5B%5D"))
            for more in ["&where=backlinks>2", "&where=%ZZ"]:
                self.refused(self.call(more, where="backlinks>1"), "bad_where", 400)
            self.refused(self.call("&having=backlinks>2", having="backlinks>1"), "bad_having", 400)
            self.refused(self.call("&target=one.example"), "bad_target", 400)
            self.assertEqual(self.call("&target=one.example", "HEAD").fault, "bad_target")
            stranger = self.call(self.STRAY, token="nobody")
            self.refused(stranger, "unknown_key", 401)
            self.assertNotIn("x-anchorage-ignored", stranger.headers)
            answer = self.call(f"&{TOKEN}&x{TOKEN.upper()}=1", limit=1)
            self.assertEqual(answer.headers["x-anchorage-ignored"], "%5Btoken%5D,x%5Btoken%5D")
            self.check_refusals()

    def test_query_and_form_together(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as self.proxy:
            form = urllib.parse.urlencode({"limit": 9, "x": 1, "y[]": 1, "target": "small.example"})
            answer = self.proxy.get(self.proxy.params({"limit": 2}) + "&x=2", "POST", form,
                                    {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual((len(answer.anchors), *self.told(answer)), (2, {"twice.limit"}, "x,y%5B%5D"))

    def test_explain(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as self.proxy:
            call = f"/?from=anchors&target=a.example&mode=domain&limit=1&token={TOKEN}{self.STRAY}"
            text = self.proxy.run("explain", call, check=0).stdout
            self.assertRegex(text, r"(?m)^  \[\d\] twice\.limit: ")
            self.assertRegex(text, r"(?m)^  \[\d\] sort: v2 had no such parameter and ignored it$")
            self.assertRegex(text, r"(?m)^  \[\d\] where\[\]: .*; did you mean where\?$")
            told = json.loads(self.proxy.run("explain", "--format", "json", call, check=0).stdout)
            self.assertIn("twice.limit", told["approximate"])
            self.assertEqual(told["ignored"], [{"name": "sort", "like": None}, {"name": "where%5B%5D", "like": "where"}])
            for more, fault in [("&target=b", "bad_target"), ("&token=x", "bad_request")]:
                self.assertRegex(self.proxy.run("explain", call + more, check=1).stdout, f"(?m)^refused: {fault}: ")

    def test_what_explain_says_at_most(self):
        """A list may take a quarter more for rows that merge, and no more than units_per_call."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox) as self.proxy:
            for limit, rows, units, paid_for in ((1000, 1001, 9000 + 9000 // 4 + 2 * 50, None), (100000, 11101, 100000, 11100)):
                call = f"/?from=anchors&target=a.example&mode=domain&limit={limit}&token={TOKEN}"
                text = self.proxy.run("explain", call, check=0).stdout
                self.assertIn(f"at most {rows:,} rows and {units:,} units", text)
                self.assertEqual(f"units_per_call pays for {paid_for or 0:,} rows" in text, bool(paid_for), text)
                told = json.loads(self.proxy.run("explain", "--format", "json", call, check=0).stdout)
                self.assertEqual([told[name] for name in ("rows_at_most", "units_at_most", "rows_paid_for")],
                                 [rows, units, paid_for])


class Fresh(unittest.TestCase):
    """X-Anchorage-Fresh: yes asks anew, whatever is remembered; others have what came of it."""

    YES = {"X-Anchorage-Fresh": "yes"}

    def asked(self, **params):
        seen = len(self.sandbox.log())
        answer = self.proxy.get(**params)
        self.assertIsNone(answer.fault, answer)
        return answer.headers["x-anchorage-cache"], len(self.sandbox.log()) - seen

    def test_nothing_that_is_remembered_is_used(self):
        with Sandbox(today=None) as self.sandbox, Anchorage(self.sandbox) as self.proxy:
            first = self.asked(limit=5)
            self.assertEqual((first[0], self.asked(limit=5)), ("miss", ("hit", 0)))
            for _ in range(2):  # rows, totals and ratio, too
                self.assertEqual(self.asked(limit=5, headers=self.YES), first)
            for name, value in [("Cache-Control", "no-cache"), ("Pragma", "no-cache"), ("X-Anchorage-Fresh", "no"),
                                ("X-Anchorage-Fresh", "")]:
                self.assertEqual(self.asked(limit=5, headers={name: value}), ("hit", 0))

    def test_what_comes_is_remembered(self):
        with Sandbox(today=None) as self.sandbox, Anchorage(self.sandbox, fidelity={"stats": "zero"}) as self.proxy:
            old = [row["anchor"] for row in self.proxy.get(limit=20, select="anchor").anchors]
            self.sandbox.script({"match": "anchors", "body": {"anchors": [{"anchor": text} for text in ["", "0new", *old[1:4]]]}})
            new = self.proxy.get(limit=5, select="anchor", headers=self.YES)
            want = ["", "0new", *old[1:4]]
            self.assertEqual([row["anchor"] for row in new.anchors], want)
            for limit in (5, 4):  # the answer, and the rows
                answer = self.proxy.get(limit=limit, select="anchor")
                self.assertEqual((answer.headers["x-anchorage-cache"], [row["anchor"] for row in answer.anchors]),
                                 ("hit", want[:limit]))

    def test_it_does_not_join_others(self):
        with Sandbox(today=None) as self.sandbox, Anchorage(self.sandbox, fidelity={"stats": "zero"}) as self.proxy:
            self.sandbox.script({"match": "anchors", "delay_ms": 700}, {"match": "anchors", "delay_ms": 700})
            path, answers = self.proxy.params({"limit": 3}), []
            with self.proxy.connect() as plain, self.proxy.connect() as fresh, self.proxy.connect() as like:
                for connection, header, requests in [(plain, "", 1), (fresh, "X-Anchorage-Fresh: yes\r\n", 2),
                                                     (like, "x-anchorage-fresh: Yes\r\n", 2)]:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
                    self.sandbox.wait(requests=requests)
                for connection in (plain, fresh, like):
                    answers.append(read_answer(connection.makefile("rb")))
            self.assertEqual([answer.headers["x-anchorage-cache"] for answer in answers], ["miss", "miss", "shared"])


if __name__ == "__main__":
    unittest.main()
