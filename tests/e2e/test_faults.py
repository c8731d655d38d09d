# SPDX-License-Identifier: MIT
"""Every word of X-Anchorage-Fault that can be reached from outside, in both ways of error_status: the status, the
headers, and that nobody pays rows for it."""
import json
import resource
import signal
import time
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage, OneProxy
from sandbox import Sandbox


def body(*rows, **change):
    """A body of v3's anchors and a truthful x-api-rows; `change` fits the first row."""
    whole = [{"anchor": name, "links_to_target": 1, "refpages": 1, "refdomains": 1,
              "first_seen": "2020-01-01T00:00:00Z"} for name in rows]
    whole[0].update(change)
    return {"body": json.dumps({"anchors": whole}, ensure_ascii=False), "headers": {"x-api-rows": str(len(rows))}}


def raw_body(text):
    """The same for a body written by hand around one anchor."""
    return {"body_hex": (b'{"anchors":[{"anchor":' + text + b',"links_to_target":1,"refpages":1,"refdomains":1,'
                         b'"first_seen":"2020-01-01T00:00:00Z"}]}').hex(), "headers": {"x-api-rows": "1"}}


# What a client did wrong: parameters, word.
WRONG_CALLS = [
    ({"token": None}, "unknown_key"), ({"token": ""}, "unknown_key"), ({"token": "x" * 40}, "unknown_key"),
    ({"token": TOKEN[:-1]}, "unknown_key"), ({"token": TOKEN + "0"}, "unknown_key"),
    ({"token": TOKEN.upper()}, "unknown_key"), ({"token": TOKEN + "\0"}, "unknown_key"),
    ({"from_": None}, "unknown_table"), ({"from_": ""}, "unknown_table"), ({"from_": "nope"}, "unknown_table"),
    ({"where": "backlinks>"}, "bad_where"), ({"where": "backlinks>x"}, "bad_where"),
    ({"where": "refdomains>1"}, "bad_where"), ({"where": "nope=1"}, "bad_where"),
    ({"where": 'substring(backlinks,"1")'}, "bad_where"), ({"where": 'first_seen>"yesterday"'}, "bad_where"),
    ({"where": 'first_seen>"2021-02-30"'}, "bad_where"), ({"where": 'anchor="open'}, "bad_where"),
    ({"where": "backlinks>99999999999999999999"}, "bad_where"), ({"where": 'anchor="a" backlinks>1'}, "bad_where"),
    ({"having": 'refdomain="x"'}, "bad_having"), ({"having": "backlinks"}, "bad_having"),
    ({"order_by": "backlinks:down"}, "bad_order_by"), ({"order_by": "refdomain"}, "bad_order_by"),
    ({"order_by": "nope"}, "bad_order_by"),
    ({"select": "nope"}, "bad_select"), ({"select": "anchor,refdomain"}, "bad_select"),
    ({"limit": "-1"}, "bad_limit"), ({"limit": "abc"}, "bad_limit"), ({"limit": "5000001"}, "bad_limit"),
    ({"limit": "1.5"}, "bad_limit"), ({"limit": "99999999999999999999999"}, "bad_limit"),
    ({"offset": "-1"}, "bad_offset"), ({"offset": "x"}, "bad_offset"),
    ({"mode": "url"}, "bad_mode"), ({"output": "csv"}, "bad_output"),
    ({"target": None}, "bad_target"), ({"target": ""}, "bad_target"), ({"target": "a@b.example"}, "bad_target"),
    ({"target": "a b.example"}, "bad_target"), ({"target": "a\nb.example"}, "bad_target"),
    ({"where": 'last_visited<"2015-01-01"'}, "not_exact"), ({"having": 'last_visited="2015-01-01"'}, "not_exact"),
]

ODD, DOWN, LATE, DENIED = "upstream_odd", "upstream_down", "upstream_late", "upstream_denied"

# What v3 did wrong: a name, the script's entry, the word. Without a word the answer must come and be good.
WRONG_ANSWERS = [
    ("401 as an array", {"status": 401, "body": ["Error", "Unauthorized"]}, DENIED),
    ("403 as an array", {"status": 403, "body": ["Error", "Forbidden"]}, DENIED),
    ("403 of the plan", {"status": 403, "body": {"error": "Insufficient plan"}}, DENIED),
    ("400", {"status": 400, "body": {"error": "bad where: x"}}, ODD),
    ("404", {"status": 404, "body": "<html>Not Found</html>", "content_type": "text/html"}, ODD),
    ("404 of the target", {"status": 404, "body": {"error": "not found"}}, "bad_target"),
    ("an error as 200", {"body": {"error": "not today"}}, ODD),
    ("500", {"status": 500, "body": {"error": "Internal Error"}}, DOWN),
    ("502 in HTML", {"status": 502, "body": "<html>Page under maintenance</html>", "content_type": "text/html"}, DOWN),
    ("503 once", {"status": 503, "body": {"error": "x"}}, None),
    ("429 once, Retry-After", {"status": 429, "body": {"error": "x"}, "headers": {"Retry-After": "1"}}, None),
    ("429 once", {"status": 429, "body": "slow down"}, None),
    ("302", {"status": 302, "body": "", "headers": {"Location": "/v3/site-explorer/anchors"}}, ODD),
    ("204", {"status": 204, "body": ""}, ODD),
    ("empty 200", {"body": ""}, ODD),
    ("HTML as 200", {"body": "<html>"}, ODD),
    ("another content type", {"content_type": "text/plain"}, ODD),
    ("a body cut", {"truncate_at": 40}, ODD),
    ("a length too long", {"lie_length": 7, "close": True}, ODD),
    ("a length too short", {"lie_length": -5}, ODD),
    ("chunks", {"chunked": True}, None),
    ("until the connection closes", {"no_length": True}, None),
    ("dripping", {"drip_ms": 1, "drip_bytes": 40, **body("a", "b")}, None),
    ("not HTTP", {"raw": "hello\r\n\r\n"}, ODD),
    ("reset before the answer", {"reset": True}, DOWN),
    ("reset within the body", {"reset": True, "truncate_at": 40}, DOWN),
    ("silence", {"stall": True}, LATE),
    ("silence within the body", {"stall": True, "truncate_at": 30}, LATE),
    ("gzip nobody asked for", {"gzip": True}, ODD),
    ("x-api-rows lies", {"lie_rows": 99}, ODD),
    ("a key twice", raw_body(b'"a","anchor":"b"'), ODD),
    ("bytes that are not UTF-8 in a key", raw_body(b'"x","a\xff":"b"'), ODD),
    ("half a surrogate pair in a key", raw_body(rb'"x","\ud800":"b"'), ODD),
    ("a date with ten digits of fraction", body("a", first_seen="2020-01-01T00:00:00.1234567890Z"), ODD),
    ("a control byte", raw_body(b'"a\x01b"'), ODD),
    ("a fraction for a number", body("a", links_to_target=1.5), ODD),
    ("a number as text", body("a", links_to_target="1"), ODD),
    ("a number out of range", body("a", links_to_target=1 << 70), ODD),
    ("null for a number", body("a", refpages=None), ODD),
    ("a date of another form", body("a", first_seen="2020-01-01"), ODD),
    ("a day that is none", body("a", first_seen="2020-13-01T00:00:00Z"), ODD),
    ("bytes behind the value", {"body": '{"anchors":[]}x', "headers": {"x-api-rows": "0"}}, ODD),
    ("another list", {"body": '{"ancors":[]}', "headers": {"x-api-rows": "0"}}, ODD),
    ("an array", {"body": "[]", "headers": {"x-api-rows": "0"}}, ODD),
    ("an error as 200", {"body": {"error": "x"}, "headers": {"x-api-rows": "0"}}, ODD),
    ("no price", {"headers": {"x-api-units-cost-total": None, "x-api-units-cost-total-actual": None}}, None),
    ("bytes that are not UTF-8", raw_body(b'"\xff"'), None),
    ("half a surrogate pair", raw_body(rb'"\ud800"'), None),
    ("escapes", raw_body(rb'"\u0061\/\"\n\ud83d\ude00"'), None),
]


class WrongCalls(OneProxy):
    http_status = None
    proxy_options = {"teams": {"seo": {}, "gone": {}}, "keys": [("seo", TOKEN), ("gone", OTHER_TOKEN)],
                     "upstream": {"timeout": "700ms"}}

    def status(self, word):
        if self.http_status is None:
            return 200
        return self.http_status.get(word, 400)

    def test_what_a_client_does_wrong(self):
        for params, word in WRONG_CALLS:
            with self.subTest(params=params):
                answer = self.proxy.get(**params)
                self.refused(answer, word, self.status(word))
                self.assertEqual(list(answer.json), ["error"])
                self.assertIsInstance(answer.json["error"], str)
                self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
                self.assertNotIn(TOKEN, answer.json["error"])
        self.assertEqual(self.sandbox.log(), [], "nothing was asked")

    def test_another_path(self):
        for path in ("/nope", "/v3/site-explorer/anchors", "//nope", "/index.php"):
            answer = self.proxy.get(raw=f"{path}?token={TOKEN}&from=anchors&target=small.example")
            self.refused(answer, "not_found", self.status("not_found"))

    def test_a_token_twice(self):
        answer = self.proxy.get(raw=f"/?token={TOKEN}&token=other&from=anchors&target=small.example")
        self.refused(answer, "bad_request", 400)
        answer = self.proxy.get(raw=f"/?token={TOKEN}&from=anchors&target=small.example&token={TOKEN}&limit=1")
        self.assertEqual(answer.status, 200)

    def test_a_stranger_learns_nothing_else(self):
        for params in ({"from_": "nope"}, {"where": "x"}, {"target": None}, {"output": "csv"}):
            self.refused(self.proxy.get(token="x" * 40, **params), "unknown_key", self.status("unknown_key"))

    def test_a_disabled_key(self):
        key = self.proxy.run("key", "add", "--team", "seo", "--token", "d" * 40, check=0).stdout.split()[0]
        self.assertEqual(self.proxy.get(token="d" * 40).status, 200)
        self.proxy.run("key", "disable", key, check=0)
        self.refused(self.proxy.get(token="d" * 40), "unknown_key", self.status("unknown_key"))
        self.proxy.run("key", "enable", key, check=0)
        self.assertEqual(self.proxy.get(token="d" * 40).status, 200)

    def test_what_v3_does_wrong(self):
        failed = []
        for name, entry, word in WRONG_ANSWERS:
            with self.subTest(name):
                target = name.replace(" ", "-").replace(",", "").lower() + ".example"
                good = self.proxy.get(target="good-" + target)  # so that the breaker never shuts
                self.assertEqual(good.status, 200, good)
                self.sandbox.reset()
                self.sandbox.script({"match": "anchors", "query": {"order_by": "anchor:asc"}, **entry})
                answer = self.proxy.get(target=target)
                self.assertEqual(self.sandbox.state()["script_left"], 0, "the fault happened")
                if word is None:
                    self.assertEqual((answer.status, answer.fault), (200, None), answer)
                    self.assertEqual(answer.rows_charged, 1 + len(answer.anchors))
                else:
                    statuses = {DOWN: 503, LATE: 504, "bad_target": self.status("bad_target")}
                    self.refused(answer, word, statuses.get(word, 502))
                    self.assertNotIn(self.sandbox.key, answer.json["error"])
                    failed.append((name, answer, self.sandbox.state()["spent"]))
        self.proxy.ledger()
        for name, answer, spent in failed:
            with self.subTest(name):
                self.books(self.proxy.known_entries(answer.id), answer, spent)

    def books(self, entries, answer, spent):
        """A call that failed costs no rows; its units are booked, or may have been taken and are booked as unknown."""
        kinds = {entry["kind"]: entry for entry in entries}
        end = kinds.get("settle") or kinds.get("unknown") or kinds.get("release")
        self.assertIsNotNone(end, "the hold is never left open")
        self.assertEqual((end["rows"], end["fault"]), (0, answer.fault), end)
        self.assertGreaterEqual(end["units"], spent, end)

    def test_escapes_are_written_as_v2_did(self):
        self.sandbox.script({"match": "anchors", "query": {"order_by": "anchor:asc"}, **raw_body(
            rb'"\u0061\/\"\\\n\u0007\u00e9\ud83d\ude00"')})
        answer = self.proxy.get(target="escapes.example", select="anchor")
        self.assertIn(b'{"anchors":[{"anchor":"a/\\"\\\\\\n\\u0007' + "é😀".encode() + b'"}]', answer.bytes)


class WrongCallsHttp(WrongCalls):
    http_status = {"unknown_key": 401, "unknown_table": 404, "not_found": 404}
    proxy_options = {**WrongCalls.proxy_options, "proxy": {"error_status": "http"}}


class Alone(unittest.TestCase):
    """Tests that need a proxy, or a sandbox, of their own."""

    refused = OneProxy.refused
    check_refusals = OneProxy.check_refusals

    def once(self, play, **options):
        """For faults whose status is the same in both."""
        self.both(play, modes=["http"], **options)

    def both(self, play, sandbox=None, modes=("v2", "http"), **options):
        for mode in modes:
            with self.subTest(error_status=mode), Sandbox(today=None, **(sandbox or {})) as self.sandbox:
                proxy = {"error_status": mode, **options.get("proxy", {})}
                with Anchorage(self.sandbox, **{**options, "proxy": proxy}) as self.proxy:
                    self.refusals = set()
                    play(lambda status, mode=mode: status if mode == "http" else 200)
                    self.check_refusals()

    def test_the_month_of_v3_is_used_up(self):
        def play(_):
            self.sandbox.script({"match": "anchors", "query": {"order_by": "anchor:asc"}, "status": 403, "body": {
                "error": "API units limit reached. Expected usage: 50, API units left: 0."}})
            self.refused(self.proxy.get(), "upstream_out_of_units", 503)
            seen = len(self.sandbox.log())
            self.refused(self.proxy.get(), "upstream_out_of_units", 503)
            self.assertEqual(len(self.sandbox.log()), seen, "it is not asked again at once")
        self.once(play)

    def test_the_sandbox_says_so_itself(self):
        self.once(lambda _: self.refused(self.proxy.get(target="big.example"), "upstream_out_of_units", 503),
                  sandbox={"units": 60})

    def test_429_with_a_long_pause(self):
        def play(_):
            self.sandbox.script({"match": "anchors", "status": 429, "body": "no", "headers": {"Retry-After": "100"},
                                 "times": 0})
            answer = self.proxy.get()
            self.refused(answer, "upstream_down", 503)
            self.assertLessEqual(50, int(answer.headers["retry-after"]))
        self.once(play)

    def test_nobody_listens(self):
        def play(_):
            self.sandbox.stop()
            answer = self.proxy.get(limit=0)
            self.refused(answer, "upstream_down", 503)
            self.assertEqual([entry["kind"] for entry in self.proxy.entries(answer.id)], ["hold", "release"])
        self.once(play)

    def test_an_ordinary_call_when_nobody_listens(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            sandbox.stop()
            started = time.monotonic()
            self.assertEqual(proxy.get().fault, "upstream_down")
            self.assertLess(time.monotonic() - started, 4.5, "a shut gate ends what waits, at once")

    def test_the_breaker(self):
        def play(_):
            self.sandbox.script({"match": "*", "status": 500, "body": "x", "times": 0})
            for _ in range(6):
                self.refused(self.proxy.get(), "upstream_down", 503)
            seen = len(self.sandbox.log())
            answer = self.proxy.get()
            self.refused(answer, "upstream_down", 503)
            self.assertEqual(len(self.sandbox.log()), seen, "shut: nothing is asked")
            self.assertEqual([entry["kind"] for entry in self.proxy.entries(answer.id)][1:], ["release"])
        self.once(play)

    def test_too_much(self):
        def play(_):
            self.sandbox.script({"match": "anchors", "query": {"order_by": "anchor:asc"}, "flood": 40 << 20,
                                 "chunked": True})
            self.refused(self.proxy.get(target="flood.example"), "upstream_odd", 502)
        self.once(play, upstream={"timeout": "20s"})

    def test_not_exact_when_nothing_may_be_approximate(self):
        def play(status):
            for params in ({"where": "backlinks>1"}, {"order_by": "last_visited"}, {"where": 'refdomain="a.example"'},
                           {"where": 'first_seen>"2018-01-01"'}):
                self.refused(self.proxy.get(**params), "not_exact", status(400))
            self.assertEqual(self.sandbox.log(), [])
        self.both(play, fidelity={"approximate": "refuse"})

    def test_mode_required(self):
        self.both(lambda status: self.refused(self.proxy.get(mode=None), "bad_mode", status(400)),
                  proxy={"default_mode": "require"})

    def test_too_dear(self):
        def play(status):
            answer = self.proxy.get(limit=3)
            self.refused(answer, "too_dear", status(400))
            self.assertEqual(self.sandbox.log(), [], "refused unasked: it does not pay for one row")
        self.both(play, upstream={"units_per_call": 149})
        self.both(play, upstream={"units_per_call": 49}, fidelity={"stats": "zero"})

    def test_too_long(self):
        """At most a target's totals are asked for to know."""
        def play(status):
            answer = self.proxy.get(limit=1000)
            self.refused(answer, "too_dear", status(400))
            self.assertEqual((answer.units, [entry["path"].rpartition("/")[2] for entry in self.sandbox.log()]),
                             (50, ["backlinks-stats"]))
            self.refused(self.proxy.get(limit=1000), "too_dear", status(400))
            self.assertEqual(len(self.sandbox.log()), 1)
            answer = self.proxy.get(target="one.example", limit=1000)
            self.assertEqual((answer.status, len(answer.anchors), answer.marks & {"rows"}), (200, 1, set()), answer)
            self.assertEqual(self.proxy.get(limit=20).status, 200)
        self.both(play, upstream={"units_per_call": 500}, fidelity={"too_long": "refuse"})

    def test_too_long_is_cut(self):
        def play(status):
            answer = self.proxy.get(target="lower.example", limit=100)
            self.assertEqual((answer.status, len(answer.anchors), answer.units), (200, 44, 496), answer)
            self.assertIn("rows", answer.marks)
            self.assertRegex(answer.headers["x-anchorage-why"], "units_per_call is 500 API v3 units, which pay for 44 of the 100")
            answer = self.proxy.get(limit=1000)
            self.assertEqual((answer.status, answer.marks & {"rows"}), (200, set()), "all of a short list")
        self.both(play, upstream={"units_per_call": 500})

    def test_out_of_rows(self):
        def play(status):
            for left in (6, 2):
                answer = self.proxy.get(limit=3)
                self.assertEqual((answer.status, answer.headers.get("x-anchorage-rows-left")), (200, str(left)), answer)
            seen = len(self.sandbox.log())
            answer = self.proxy.get(limit=3)
            self.assertEqual((answer.status, answer.headers["x-anchorage-rows-left"], answer.rows_charged, len(answer.anchors)),
                             (200, "0", 2, 1), answer)
            self.assertIn("rows", answer.marks)
            self.assertIn("rows_per_month leaves 2 rows", answer.headers["x-anchorage-why"])
            self.refused(self.proxy.get(limit=3), "out_of_rows", status(429))
            self.assertEqual(len(self.sandbox.log()), seen)
            self.assertEqual(self.proxy.get(from_="subscription_info").json["info"]["rows_left"], 0)
            self.refused(self.proxy.get(limit=0), "out_of_rows", status(429))
            self.assertEqual(self.proxy.usage()["seo"]["rows"], 10)
            free = self.proxy.get(target="ahrefs.com", limit=3)
            self.assertEqual((free.status, free.rows_charged), (200, 0), "free targets cost no rows")
        self.both(play, teams={"seo": {"rows_per_month": 10}})

    def test_out_of_units(self):
        def play(status):
            self.assertEqual(self.proxy.get(limit=2).status, 200)
            used = self.proxy.usage()["seo"]["units"]
            self.assertEqual(used, self.sandbox.state()["spent"])
            self.refused(self.proxy.get(limit=1000, offset=100), "out_of_units", status(429))
            self.assertEqual(self.sandbox.state()["spent"], used)
            answer = self.proxy.get(limit=1000)
            self.assertEqual((answer.status, answer.fault), (200, None))
            self.assertLessEqual(self.sandbox.state()["spent"], 400)
        self.both(play, teams={"seo": {"units_per_month": 400}})
        self.both(play, upstream={"units_per_month": 400})

    def test_too_busy(self):
        def play(_):
            self.sandbox.script({"match": "anchors", "delay_ms": 1500, "times": 0})
            with self.proxy.connect() as slow:
                slow.sendall(f"GET {self.proxy.params({})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                self.sandbox.wait(requests=1)
                answer = self.proxy.get()
                self.refused(answer, "too_busy", 503)
                self.assertIn(b"200 OK", slow.recv(100))
        self.once(play, proxy={"queue_timeout": "100ms"}, teams={"seo": {"concurrency": 1}})

    def test_the_whole_call_takes_too_long(self):
        def play(_):
            self.sandbox.script({"match": "anchors", "stall": True, "times": 0})
            self.refused(self.proxy.get(), "upstream_late", 504)
        self.once(play, proxy={"call_timeout": "300ms"})

    def test_a_full_disk(self):
        def play(_):
            self.assertEqual(self.proxy.get(limit=1).status, 200)
            pid = self.proxy.process.pid
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
            answer = self.proxy.get(limit=2)
            self.refused_without_ledger(answer)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            deadline = time.monotonic() + 20
            while (answer := self.proxy.get(limit=3)).status != 200 and time.monotonic() < deadline:
                self.refused_without_ledger(answer)
                time.sleep(0.1)  # the daemon looks at the disk every few seconds; nothing tells when
            self.assertEqual(answer.status, 200, "it serves again by itself")
            self.proxy.run("ledger", "verify", check=0)
        with_xfsz_ignored(lambda: self.once(play))

    def refused_without_ledger(self, answer):
        self.assertEqual((answer.status, answer.fault), (503, "ledger_down"), answer)
        self.assertEqual(answer.headers["x-anchorage-rows"], "0")
        self.assertRegex(answer.headers["retry-after"], r"^[0-9]+$")
        self.assertIn("x-anchorage-id", answer.headers)

    def test_a_team_that_is_not_configured(self):
        def play(status):
            self.assertEqual(self.proxy.get(token=OTHER_TOKEN).status, 200)
            self.proxy.stop()
            del self.proxy.sections["team gone"]
            self.proxy.write_config()
            self.proxy.start()
            self.refused(self.proxy.get(token=OTHER_TOKEN), "unknown_key", status(401))
            self.assertEqual(self.proxy.get().status, 200)
        self.both(play, teams={"seo": {}, "gone": {}}, keys=[("seo", TOKEN), ("gone", OTHER_TOKEN)])


def with_xfsz_ignored(play):
    """A limit on file sizes stands in for a full disk; the signal that comes with it does not belong to one. The
    daemon inherits that it is ignored."""
    from unittest import mock
    import subprocess
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    popen = subprocess.Popen
    try:
        with mock.patch("subprocess.Popen", lambda *a, **k: popen(*a, **{**k, "restore_signals": False})):
            play()
    finally:
        signal.signal(signal.SIGXFSZ, old)


if __name__ == "__main__":
    unittest.main()
