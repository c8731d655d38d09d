# SPDX-License-Identifier: MIT
"""Paging with offset: the rows that are remembered, and the answers made of them."""
import random
import unittest

from anchorage import Anchorage
from sandbox import Sandbox
from test_sharing import Background


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

    def test_a_page_whose_call_leaves_unsent(self):
        """One of those who waited for it asks instead, the others wait for that one: each row is paid for once still."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, \
                Anchorage(sandbox, upstream={"requests_per_minute": 240}, fidelity={"stats": "zero"}) as proxy:
            first = Background(proxy, target="lower.example", limit=20)
            others = [Background(proxy, target="lower.example", limit=20, offset=20 * n) for n in range(1, 5)]
            proxy.get(from_="subscription_info")  # they have been read
            first.leave()
            self.assertEqual([len(other.answer().anchors) for other in others], [20] * 4)
            self.assertEqual(sum(entry["rows"] for entry in sandbox.log()), 100)

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


if __name__ == "__main__":
    unittest.main()
