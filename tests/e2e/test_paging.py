# SPDX-License-Identifier: MIT
"""More rows than a request may bring: whatever the order, the pages put together are the list that v2 would have given,
and the price stays linear."""
import unittest

import v2
from anchorage import Anchorage
from sandbox import Sandbox

ORDERS = ["", "anchor", "anchor:desc", "backlinks", "backlinks:desc", "refpages", "refpages:desc", "refdomains",
          "refdomains:desc", "first_seen", "first_seen:desc", "last_visited", "last_visited:desc",
          "refdomains:desc,first_seen", "refpages,anchor:desc", "backlinks:desc,refpages,refdomains:desc,first_seen"]
STATS = {"fidelity": {"stats": "zero"}}


def units(pages, rows):
    """What so many rows in so many requests may cost at most: 9 a row, a row of overlap a page, 50 for a small one."""
    return 9 * (rows + 2 * pages) + 50 * pages


class Paging(unittest.TestCase):
    def compare(self, sandbox, proxy, rows, target, params, cut, cap):
        before, asked = sandbox.state()["spent"], len(sandbox.log())
        answer = proxy.get(target=target, **params)
        self.assertEqual((answer.status, answer.fault), (200, None), answer)
        expected = v2.answer(rows, **cut)
        self.assertEqual(len(answer.anchors), len(expected))
        self.assertEqual(answer.anchors, expected)
        self.assertEqual(answer.rows_charged, 1 + len(expected) + 5 * ("having" in params))
        new = sandbox.log()[asked:]
        for entry in new:
            self.assertLessEqual(entry["rows"] or 0, cap)
        spent = sandbox.state()["spent"] - before
        self.assertEqual(answer.units, spent)
        through = cut.get("offset", 0) + cut.get("limit", 1000)
        self.assertLessEqual(spent, units(min(through, len(rows)) // (cap - 1) + 2, min(through, len(rows))))

    def play(self, target, cap_there=None, upstream=None, fidelity=None, cap=100, orders=ORDERS, **sandbox_options):
        """Every order, in full, cut, and from the middle."""
        options = {"upstream": {"units_per_call": 0, **(upstream or {})},
                   "fidelity": {"stats": "zero", **(fidelity or {})}}
        with Sandbox(today=None, row_cap=cap_there, units="unlimited", **sandbox_options) as sandbox, \
                Anchorage(sandbox, **options) as proxy:
            v3 = v2.v3_rows(sandbox, target, "subdomains")
            keep = (fidelity or {}).get("anchor_case") == "keep"
            rows = [v2.kept(row) for row in v3] if keep else v2.merged(v3)
            self.assertGreater(len(rows), cap, "else this shows nothing")
            if cap_there:
                proxy.get(target=target)  # the cap is learnt
            for order in orders:
                for limit, offset in ((1000, 0), (cap + 1, 0), (cap - 1, cap - 2), (2 * cap, 1)):
                    with self.subTest(order=order, limit=limit, offset=offset):
                        params = {"order_by": order or None, "limit": limit, "offset": offset or None}
                        self.compare(sandbox, proxy, rows, target, params,
                                     {"order": order.split(",") if order else [], "limit": limit, "offset": offset}, cap)
            with self.subTest("having"):
                self.compare(sandbox, proxy, rows, target, {"having": "backlinks>1", "order_by": "backlinks"},
                             {"where": lambda r: r["backlinks"] > 1, "order": ["backlinks"]}, cap)
            with self.subTest("beyond the end"):
                self.compare(sandbox, proxy, rows, target, {"offset": len(rows) + 5}, {"offset": len(rows) + 5}, cap)
            self.assertEqual(proxy.usage()["seo"]["units"], sandbox.state()["spent"] - self.own(sandbox))

    def own(self, sandbox):
        """What the tests asked themselves."""
        return sum(entry["units"] for entry in sandbox.log() if entry["headers"].get("User-Agent") == "test")

    def test_a_cap_that_is_configured(self):
        self.play("lower.example", upstream={"max_rows_per_request": 60}, cap=60)

    def test_a_cap_that_answers_show(self):
        self.play("lower.example", cap_there=100, cap=100, orders=ORDERS[::3])

    def test_small_pages_and_folding_there(self):
        self.play("small.example", upstream={"max_rows_per_request": 4}, cap=4, anchor_case="fold", orders=ORDERS[::2])

    def test_letters_are_kept(self):
        self.play("tricky.example", upstream={"max_rows_per_request": 20}, cap=20, fidelity={"anchor_case": "keep"},
                  orders=ORDERS[::2])

    def test_folded_here(self):
        """Rows are merged across pages: the whole list is exact, the rest is marked."""
        with Sandbox(today=None, units="unlimited") as sandbox, \
                Anchorage(sandbox, upstream={"max_rows_per_request": 10}, **STATS) as proxy:
            for target in ("small.example", "tricky.example"):
                rows = v2.merged(v2.v3_rows(sandbox, target, "subdomains"))
                for order in ORDERS:
                    with self.subTest(target=target, order=order):
                        answer = proxy.get(target=target, order_by=order or None)
                        self.assertEqual(answer.anchors, v2.answer(rows, order=order.split(",") if order else []))
                        cut = proxy.get(target=target, order_by=order or None, limit=7)
                        self.assertIn("anchor.case", cut.marks)
                        self.assertEqual(len(cut.anchors), 7, "refilled after merging")
                        self.assertEqual(len({row["anchor"] for row in cut.anchors}), 7)

    def test_a_big_answer_costs_its_rows(self):
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, upstream={"max_rows_per_request": 500}, **STATS) as proxy:
            prices = []
            for limit in (500, 1000, 2000, 4000):
                answer = proxy.get(target="big.example", limit=limit, order_by="backlinks:desc")
                self.assertEqual((answer.status, len(answer.anchors)), (200, limit), answer)
                self.assertEqual(answer.rows_charged, limit + 1)
                keys = [(-row["backlinks"], row["anchor"].encode()) for row in answer.anchors]
                self.assertEqual(keys, sorted(keys))
                self.assertEqual(len({row["anchor"] for row in answer.anchors}), limit)
                prices.append(answer.units)
            for limit, price in zip((500, 1000, 2000, 4000), prices):
                self.assertLessEqual(price, limit * 9 * 1.02 + 50)

    def test_a_page_that_brings_nothing_new(self):
        """A v3 that ignores the condition would give the same page for ever: the list ends there, and says so."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, upstream={"max_rows_per_request": 20}, **STATS) as proxy:
            page = sandbox.anchors("lower.example", v2.V3_COLUMNS, history="live", order_by="anchor:asc", limit=20)
            sandbox.script({"match": "anchors", "times": 0, "body": page.text, "headers": {"x-api-rows": "20"}})
            answer = proxy.get(target="lower.example")
            self.assertEqual((answer.status, answer.rows_charged), (200, 21), answer)
            self.assertLessEqual({"order_by.anchor", "rows"}, set(answer.marks))
            self.assertNotIn("x-anchorage-why", answer.headers)
            self.assertLess(len(sandbox.log()), 6, "it stops")

    def test_a_fault_on_a_later_page(self):
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, upstream={"max_rows_per_request": 20}, **STATS) as proxy:
            sandbox.script({"match": "anchors", "skip": 3, "status": 500, "body": "x"})
            answer = proxy.get(target="lower.example")
            self.assertEqual((answer.status, answer.fault, answer.rows_charged), (503, "upstream_down", 0), answer)
            usage = proxy.usage()["seo"]
            self.assertEqual((usage["rows"], usage["rows_held"]), (0, 0))
            self.assertGreaterEqual(usage["units"], sandbox.state()["spent"])

    def test_free_targets_have_pages_of_100(self):
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox, **STATS) as proxy:
            rows = v2.merged(v2.v3_rows(sandbox, "ahrefs.com", "subdomains"))
            self.assertGreater(len(rows), 100)
            for order in ("", "backlinks:desc", "first_seen"):
                answer = proxy.get(target="ahrefs.com", order_by=order or None)
                self.assertEqual(answer.anchors, v2.answer(rows, order=[order] if order else []))
                self.assertEqual((answer.rows_charged, answer.units), (0, 0))
            answer = proxy.get(target="lower.example")
            self.assertGreater(len(answer.anchors), 100, "no cap is learnt there")

    def test_the_last_rows_of_a_team(self):
        """What they pay for is given, and says that it is not all."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, \
                Anchorage(sandbox, teams={"seo": {"rows_per_month": 60}}, **STATS) as proxy:
            answer = proxy.get(target="small.example")
            self.assertEqual(answer.status, 200)
            self.assertGreater(len(answer.anchors), 5)
            answer = proxy.get(target="lower.example")
            self.assertIsNone(answer.fault)
            self.assertIn("rows", answer.marks)
            self.assertRegex(answer.headers["x-anchorage-why"], "rows_per_month leaves [0-9]+ rows, which pay for [0-9]+ of ")
            self.assertEqual(proxy.usage()["seo"]["rows"], 60)
            seen = len(sandbox.log())
            answer = proxy.get(target="lower.example")
            self.assertEqual((answer.fault, len(sandbox.log())), ("out_of_rows", seen))


if __name__ == "__main__":
    unittest.main()
