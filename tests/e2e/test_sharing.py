# SPDX-License-Identifier: MIT
"""The least units: the same question at the same time is one request, and each pays its own rows."""
import json
import random
import threading
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage, OneProxy, read_answer
from sandbox import Sandbox

SLOW_MS = 300  # how long v3 takes where others are to join


def asked(sandbox):
    """How often each path was asked."""
    counts = {}
    for entry in sandbox.log():
        name = entry["path"].rpartition("/")[2]
        if name == "anchors" and entry["query"]["limit"] == "25" and "where" not in entry["query"] \
                and entry["query"]["order_by"] == "links_to_target:desc":
            name = "ratio"
        counts[name] = counts.get(name, 0) + 1
    return counts


class Background:
    """A call whose client can leave."""

    def __init__(self, proxy, **params):
        self.connection = proxy.connect()
        self.connection.sendall(f"GET {proxy.params(params)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def leave(self):
        self.connection.close()

    def answer(self):
        with self.connection, self.connection.makefile("rb") as stream:
            return read_answer(stream)


class SameQuestion(OneProxy):
    proxy_options = {"upstream": {"answer_ttl": "0", "stats_ttl": "0"},
                     "teams": {"seo": {}, "ads": {}, "poor": {"rows_per_month": 5}},
                     "keys": [("seo", TOKEN), ("ads", OTHER_TOKEN), ("poor", "5" * 40)]}

    def slow(self, match="*", **entry):
        self.sandbox.script({"match": match, "times": 0, "delay_ms": SLOW_MS, **entry})

    def test_one_request_for_all(self):
        self.slow()
        answers = self.proxy.many([{"target": "lower.example", "token": token} for token in [TOKEN, OTHER_TOKEN] * 10])
        self.assertEqual(asked(self.sandbox), {"anchors": 1, "backlinks-stats": 1, "ratio": 1})
        self.assertEqual(len({answer.bytes for answer in answers}), 1)
        by_word = {}
        for answer in answers:
            by_word.setdefault(answer.headers["x-anchorage-cache"], []).append((answer, self.charged(answer, 201)))
        [(starter, paid)] = by_word["miss"]
        self.assertEqual((paid["via"], paid["paid_by"]), ("upstream", None))
        self.assertEqual(paid["units"], self.sandbox.state()["spent"])
        self.assertEqual(len(by_word["shared"]), 19)
        for answer, entry in by_word["shared"]:
            self.assertEqual((entry["via"], entry["paid_by"], entry["units"], entry["units_alone"]),
                             ("shared", starter.id, 0, paid["units"]))
            self.assertEqual(answer.marks, starter.marks)

    def test_a_failure_reaches_all(self):
        self.slow("anchors", status=500, body="broken")
        answers = self.proxy.many([{"target": "lower.example"}] * 6)
        self.assertEqual(asked(self.sandbox).get("anchors"), 1)
        for answer in answers:
            self.refused(answer, "upstream_down", 503)
        ends = [entry for answer in answers for entry in self.proxy.entries(answer.id) if entry["kind"] != "hold"]
        self.assertEqual(sorted(entry["kind"] for entry in ends), ["release"] * 5 + ["unknown"])

    def test_the_first_client_leaves(self):
        self.slow()
        first = Background(self.proxy, target="lower.example")
        self.sandbox.wait(requests=1)
        others = [Background(self.proxy, target="lower.example") for _ in range(3)]
        self.proxy.get(from_="subscription_info")  # the others have been read by now
        first.leave()
        for answer in [other.answer() for other in others]:
            entry = self.charged(answer, 201)
            self.assertEqual((answer.headers["x-anchorage-cache"], entry["units"]), ("shared", 0))
            paid = entry["paid_by"]
        self.assertEqual([entry["rows"] for entry in self.proxy.settled(paid) if entry["kind"] == "settle"], [201])

    def test_one_that_waits_leaves(self):
        before = self.proxy.ledger()[-1]["seq"] if self.proxy.ledger() else 0
        self.slow()
        first = Background(self.proxy, target="lower.example")
        self.sandbox.wait(requests=1)
        second = Background(self.proxy, target="lower.example")
        self.proxy.get(from_="subscription_info")
        second.leave()
        answer = first.answer()
        self.charged(answer, 201)
        left = [entry for entry in self.proxy.ledger() if entry["seq"] > before and entry["id"] != answer.id and
                entry["target"] == "lower.example"]
        self.assertEqual([entry["kind"] for entry in left], ["hold", "release"], "who left owes nothing")
        self.assertEqual(asked(self.sandbox)["anchors"], 1)

    def test_out_of_rows(self):
        """Who joins holds its own rows: its team's limit counts, not that of the starter."""
        self.slow()
        answers = self.proxy.many([{"target": "lower.example"}, {"target": "lower.example", "token": "5" * 40}] * 2)
        self.assertEqual(sorted(answer.fault or "" for answer in answers), ["", "", "out_of_rows", "out_of_rows"])
        self.assertEqual(self.proxy.usage()["poor"]["rows"], 0)

    def test_totals_of_other_calls(self):
        """A crawler asks much of a new target: its totals and its ratio are paid once."""
        self.slow()
        calls = [{"target": "small.example", "having": f"backlinks>{n}"} for n in range(20)]
        answers = self.proxy.many(calls)
        self.assertEqual(asked(self.sandbox), {"anchors": 20, "backlinks-stats": 1, "ratio": 1})
        self.assertEqual(len({json.dumps(answer.json["stats"]) for answer in answers}), 1)
        self.assertEqual(sum(answer.units for answer in answers), self.sandbox.state()["spent"])
        for answer in answers:
            entry = self.charged(answer, 6 + len(answer.anchors))
            self.assertEqual(entry["via"], "upstream")
            self.assertIn(entry["units_alone"] - entry["units"], (0, 50, 100))
            self.assertGreaterEqual(entry["units_alone"], max(50, 9 * len(answer.anchors)) + 100)

    def test_totals_alone_are_shared(self):
        self.slow()
        answers = self.proxy.many([{"target": "small.example", "limit": 0, "mode": "domain", "output": output}
                                   for output in ("json", "xml", "php")])
        self.assertEqual(asked(self.sandbox), {"backlinks-stats": 1, "ratio": 1})
        words = sorted(answer.headers["x-anchorage-cache"] for answer in answers)
        self.assertEqual(words, ["miss", "shared", "shared"])
        for answer in answers:
            entry = self.charged(answer, 1)
            self.assertEqual(entry["units_alone"], 100)
            self.assertEqual(bool(entry["paid_by"]), entry["via"] == "shared")

    def test_totals_that_fail(self):
        self.slow("backlinks-stats", status=500, body="broken")
        answers = self.proxy.many([{"target": "small.example", "having": f"backlinks>{n}"} for n in range(4)])
        for answer in answers:
            self.refused(answer, "upstream_down", 503)
        self.assertEqual(asked(self.sandbox)["backlinks-stats"], 1)


class OwnMatters(unittest.TestCase):
    """What is only the starter's own matter does not reach the others."""

    def test_each_has_its_own_deadline(self):
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"call_timeout": "700ms"}, upstream={"answer_ttl": "0"},
                          fidelity={"stats": "zero"}) as proxy:
            sandbox.script({"match": "anchors", "stall": True})
            first = Background(proxy, target="lower.example")
            sandbox.wait(requests=1)
            timer = threading.Timer(0.4, lambda: second.append(Background(proxy, target="lower.example")))
            second = []
            timer.start()
            late = first.answer()
            self.assertEqual((late.fault, late.status), ("upstream_late", 504), late)
            timer.join()
            answer = second[0].answer()
            self.assertEqual((answer.status, answer.fault, answer.headers.get("x-anchorage-cache")),
                             (200, None, "miss"), answer)
            self.assertEqual(len(sandbox.log()), 2)

    def test_a_starter_that_leaves_unsent(self):
        """Nothing was sent for it yet: the next one asks instead."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, upstream={"answer_ttl": "0", "requests_per_minute": 120},
                          fidelity={"stats": "zero"}) as proxy:
            first = Background(proxy, target="lower.example")
            others = [Background(proxy, target="lower.example") for _ in range(3)]
            proxy.get(from_="subscription_info")  # they have been read
            first.leave()
            answers = [other.answer() for other in others]
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(len(sandbox.log()), 1)
            self.assertEqual(proxy.usage()["seo"]["rows"], 3 * 201)


class Positions(unittest.TestCase):
    """Rows that were paid for are not asked for again, and the answer is the same as if they had been."""

    ORDERS = ["", "anchor:desc", "backlinks:desc", "refpages", "first_seen:desc", "refdomains:desc,first_seen"]

    def windows(self, dice, count, most):
        """Forwards, backwards, overlapping, beyond the end."""
        at = 0
        for _ in range(count):
            limit = dice.choice([1, 3, 7, 25, 40, 1000])
            yield {"offset": at, "limit": limit}
            at = dice.choice([at + limit, at + limit, 0, max(0, at - limit), dice.randrange(most + 10)])

    def same(self, target, options, seed, upstream=None, orders=ORDERS, most=60):
        """A proxy that remembers and one that does not answer byte by byte the same, whatever is asked."""
        dice = random.Random(seed)
        upstream = {"units_per_call": 0, **(upstream or {})}
        with Sandbox(today=None, units="unlimited", **options) as sandbox, \
                Anchorage(sandbox, upstream=upstream) as keeps, \
                Anchorage(sandbox, upstream={**upstream, "answer_ttl": "0"}) as asks:
            for order in orders:
                for window in self.windows(dice, 7, most):
                    params = {"target": target, "order_by": order or None, **window,
                              "output": dice.choice(["json", "xml"])}
                    a, b = keeps.get(**params), asks.get(**params)
                    with self.subTest(seed=seed, params=params):
                        self.assertEqual((a.status, a.bytes), (b.status, b.bytes))
                        self.assertEqual((a.marks, a.rows_charged, a.headers["x-results-count"]),
                                         (b.marks, b.rows_charged, b.headers["x-results-count"]))
                        self.assertLessEqual(a.units, b.units)
            units = {name: proxy.usage()["seo"]["units"] for name, proxy in (("keeps", keeps), ("asks", asks))}
            self.assertLess(units["keeps"], units["asks"] / 2)

    def test_plain(self):
        self.same("lower.example", {"anchor_case": "fold"}, 1, most=200)

    def test_rows_that_merge(self):
        self.same("tricky.example", {}, 2)

    def test_an_order_that_is_not_ours(self):
        self.same("tricky.example", {"collation": "nocase", "text_compare": "collation"}, 3, orders=self.ORDERS[:3])
        self.same("tricky.example", {"collation": "locale-like", "text_compare": "collation"}, 4,
                  orders=self.ORDERS[::2])

    def test_short_pages(self):
        self.same("tricky.example", {}, 5, {"max_rows_per_request": 9}, orders=self.ORDERS[1:4])
        self.same("lower.example", {"row_cap": 100}, 6, orders=self.ORDERS[:2], most=200)

    def test_a_pager_pays_each_row_once(self):
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            anchors, calls = [], 0
            while len(anchors) == 100 * calls:
                page = proxy.get(target="big.example", limit=100, offset=len(anchors), order_by="backlinks:desc",
                                 having="refdomains>2")
                self.assertEqual(page.status, 200, page)
                anchors += page.anchors
                calls += 1
            self.assertGreater(calls, 5)
            rows = sum(entry["rows"] for entry in sandbox.log())
            self.assertEqual(rows, len(anchors), "each row is asked for once")
            self.assertEqual([entry["query"]["limit"] for entry in sandbox.log()], ["100"] * calls)
            again, spent = proxy.get(target="big.example", limit=10000, order_by="backlinks:desc",
                                     having="refdomains>2"), sandbox.state()["spent"]
            self.assertEqual(again.anchors, anchors)
            self.assertEqual((again.headers["x-anchorage-cache"], again.units, spent),
                             ("hit", 0, sandbox.state()["spent"]))
            [entry] = [entry for entry in proxy.entries(again.id) if entry["kind"] == "settle"]
            self.assertEqual((entry["via"], entry["rows"], entry["units_alone"]),
                             ("cache", again.rows_charged, 9 * len(anchors)))

    def test_a_pager_that_does_not_wait(self):
        """All pages at once: calls wait for the page that another one asks for, and each row is asked for once."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold", latency="50ms") as sandbox, \
                Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            for size in (50, 60):
                asked_before = len(sandbox.log())
                calls = [{"target": "big.example", "limit": size, "offset": size * n,
                          "order_by": "backlinks:desc" if size == 50 else "refpages:desc"} for n in range(10)]
                pages = proxy.many(calls)
                self.assertEqual({page.status for page in pages}, {200})
                anchors = [row["anchor"] for page in pages for row in page.anchors]
                self.assertEqual((len(anchors), len(set(anchors))), (10 * size, 10 * size))
                self.assertEqual(sum(entry["rows"] for entry in sandbox.log()[asked_before:]), 10 * size)
                self.assertEqual(sum(page.units for page in pages),
                                 sum(entry["units"] for entry in sandbox.log()[asked_before:]))

    def test_a_page_that_fails_for_all(self):
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            sandbox.script({"match": "anchors", "times": 0, "status": 500, "body": "x", "delay_ms": 300})
            answers = proxy.many([{"target": "big.example", "limit": 10, "offset": 10 * n} for n in range(5)])
            self.assertEqual({answer.fault for answer in answers}, {"upstream_down"})
            self.assertEqual(len(sandbox.log()), 1)

    def test_a_large_answer(self):
        """It is made beside the loop, and remembered rows are read a few at a time: the same bytes."""
        with Sandbox(today=None, units="unlimited") as sandbox, \
                Anchorage(sandbox, upstream={"units_per_call": 0}, fidelity={"stats": "zero"}) as keeps, \
                Anchorage(sandbox, upstream={"units_per_call": 0, "answer_ttl": "0"},
                          fidelity={"stats": "zero"}) as asks:
            for offset, limit in ((0, 5500), (5500, 500), (0, 5800)):
                params = {"target": "big.example", "order_by": "refpages:desc", "offset": offset, "limit": limit}
                a, b = keeps.get(**params), asks.get(**params)
                self.assertEqual((a.status, a.fault, a.bytes), (200, None, b.bytes))
                self.assertEqual(a.headers["x-results-count"], str(limit))
            self.assertEqual(a.units, 0)

    def test_rows_of_a_call_that_failed_later(self):
        """Its first pages were paid for: the next call begins behind them."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, \
                Anchorage(sandbox, upstream={"max_rows_per_request": 50}, fidelity={"stats": "zero"}) as proxy:
            sandbox.script({"match": "anchors", "skip": 2, "status": 500, "body": "x"})
            self.assertEqual(proxy.get(target="lower.example").fault, "upstream_down")
            asked_before = len(sandbox.log())
            answer = proxy.get(target="lower.example")
            self.assertGreater(len(answer.anchors), 150)
            self.assertEqual(sum(entry["rows"] or 0 for entry in sandbox.log()[asked_before:]), len(answer.anchors) - 100)


class Busy(unittest.TestCase):
    def test_retry_after_is_honest(self):
        """Calls take two seconds, one runs, more wait than queue_timeout allows: they are told to come when those
        before them will have ended."""
        with Sandbox(today=None, latency="2s") as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "300ms"}, upstream={"answer_ttl": "0"},
                          fidelity={"stats": "zero"}, teams={"seo": {"concurrency": 1}}) as proxy:
            self.assertEqual(proxy.get(target="small.example").status, 200)
            answers = proxy.many([{"target": "small.example", "limit": n + 1} for n in range(5)])
            busy = [answer for answer in answers if answer.fault]
            self.assertEqual(({answer.fault for answer in busy}, len(busy)), ({"too_busy"}, 4))
            seconds = sorted(int(answer.headers["retry-after"]) for answer in busy)
            self.assertGreaterEqual(seconds[-1], 3, seconds)
            self.assertLessEqual(seconds[-1], 9, seconds)


class Memory(unittest.TestCase):
    OPTIONS = {"fidelity": {"stats": "zero"}, "upstream": {"units_per_call": 0, "answer_ttl": "0"}}
    CALLS = [{"target": "big.example", "limit": 2500 + n, "order_by": "backlinks:desc"} for n in range(11)]

    def test_calls_wait_for_memory(self):
        """What each may need is set aside before v3 is asked: not all at once, but all."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16"}, **self.OPTIONS) as proxy:
            for call, answer in zip(self.CALLS, proxy.many(self.CALLS)):
                self.assertEqual((answer.status, len(answer.anchors)), (200, call["limit"]), answer)

    def test_no_memory_in_time(self):
        """Who cannot get it within queue_timeout is refused before anything is spent."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16", "queue_timeout": "100ms"}, **self.OPTIONS) as proxy:
            sandbox.script({"match": "anchors", "times": 0, "delay_ms": 1000})
            answers = proxy.many(self.CALLS)
            self.assertEqual({answer.fault for answer in answers}, {None, "too_busy"}, answers)
            for answer in answers:
                if answer.fault:
                    self.assertEqual((answer.status, answer.rows_charged, answer.units), (503, 0, 0), answer)
                    self.assertRegex(answer.headers["retry-after"], "^[1-9][0-9]*$")
            self.assertEqual(len(sandbox.log()), sum(answer.status == 200 for answer in answers))

    def test_an_answer_that_does_not_fit(self):
        """Half a gibibyte of nothing is not read to its end either."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16"}, fidelity={"stats": "zero"},
                          upstream={"units_per_call": 0}) as proxy:
            sandbox.script({"match": "anchors", "flood": 1 << 29})
            answer = proxy.get(target="big.example", limit=10)
            self.assertEqual((answer.status, answer.fault, answer.rows_charged), (502, "upstream_odd", 0), answer)
            self.assertEqual(proxy.get(target="one.example").status, 200)


if __name__ == "__main__":
    unittest.main()
