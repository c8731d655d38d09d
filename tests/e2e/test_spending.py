# SPDX-License-Identifier: MIT
"""What is spent is owed: a call is checked as a whole before its first request, cut to what its limits pay for, answered
once something was paid for, and never dearer than `explain` says. Written from the rules in docs/accounting.md."""
import json
import math
import os
import random
import re
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage
from sandbox import Sandbox
from spellings import Spellings, many

LONG = "big.example"  # 20 000 anchors
SHORT, SHORT_ROWS = "small.example", 12
ROW, FLOOR, TOTALS = 9, 50, 100  # units of a row, of a small request, of totals and ratio
OWN_LIMITS = ("out_of_rows", "out_of_units", "too_dear")
CASES = ("keep", "fold")  # of v3
PLENTY = "unlimited"
FORGETFUL = {"answer_ttl": 0}  # [upstream]: each call pays for its own list


class Spending(unittest.TestCase):
    def proxy(self, v3=None, team=None, teams=None, **sections):
        """A proxy before `v3` (None: a sandbox with these `v3_` options). `team`: limits of the one team."""
        options = {name[3:]: sections.pop(name) for name in list(sections) if name.startswith("v3_")}
        if v3 is None:
            v3 = Sandbox(**{"today": None, "units": PLENTY, **options})
            self.addCleanup(v3.stop)
            v3.start()
        elif not isinstance(v3, Sandbox):
            v3.__enter__()
            self.addCleanup(v3.__exit__)
        self.v3 = v3
        sections["upstream"] = {"units_per_month": PLENTY, **sections.get("upstream", {})}
        proxy = Anchorage(v3 if isinstance(v3, Sandbox) else v3.url, teams=teams or {"seo": team or {}}, **sections)
        self.addCleanup(proxy.close)
        return proxy.start()

    def seen(self):
        """Requests that v3 has seen."""
        return self.v3.state()["seen"]

    def lists(self):
        """(limit, rows) of each request for the list."""
        return [(int(one["query"]["limit"]), one["rows"]) for one in self.v3.log()
                if "/anchors" in one["path"] and "anchor" in one["query"]["select"].split(",")]

    def at_most(self, proxy, **call):
        """Units, by explain."""
        query = proxy.params(call)[2:]
        return json.loads(proxy.run("explain", "--format", "json", query, check=0).stdout)["units_at_most"]

    def whole(self, answer, results):
        self.assertIsNone(answer.fault, answer)
        self.assertEqual(len(answer.anchors), results, answer)
        self.assertNotIn("rows", answer.marks, answer)
        self.assertNotIn("x-anchorage-why", answer.headers, answer)

    def cut(self, answer, least, most, limit, *numbers):
        """The rows that fit, owed and marked; which limit, with numbers."""
        self.assertIsNone(answer.fault, answer)
        results = len(answer.anchors)
        self.assertTrue(least <= results <= most, f"{results} rows, not {least} to {most}: {answer}")
        self.assertEqual(answer.headers["x-results-count"], str(results))
        self.assertEqual(answer.rows_charged, 1 + results, answer)
        self.assertIn("rows", answer.marks, answer)
        why = answer.headers.get("x-anchorage-why", "")
        self.assertIn(limit, why, answer)
        self.assertTrue(re.search(r"\d", why), why)
        for number in numbers:
            self.assertIn(str(number), why.replace(" ", "").replace(",", ""), why)

    def refused_unasked(self, proxy, fault, **call):
        before = self.seen()
        answer = proxy.get(**call)
        self.assertEqual(answer.fault, fault, answer)
        self.assertEqual((answer.rows_charged, answer.units), (0, 0), answer)
        self.assertEqual(self.seen(), before, "nothing is asked for what is refused")

    def nothing_unpaid(self, proxy, most=FLOOR):
        """The books: no refusal by our own limits has more units than a target's totals."""
        for one in proxy.ledger():
            if one["fault"] in OWN_LIMITS and one["kind"] != "hold":
                self.assertLessEqual(one["units"] or 0, most, one)


class WholeCall(Spending):
    """The whole call is checked before its first request."""

    def test_no_row_fits(self):
        for team, upstream, fault in (({"rows_per_month": 1}, {}, "out_of_rows"),
                                      ({"units_per_month": TOTALS + FLOOR - 1}, {}, "out_of_units"),
                                      ({}, {"units_per_month": TOTALS + FLOOR - 1}, "out_of_units"),
                                      ({}, {"units_per_call": TOTALS + FLOOR - 1}, "too_dear")):
            with self.subTest(team=team, upstream=upstream):
                proxy = self.proxy(team=team, upstream=upstream)
                self.refused_unasked(proxy, fault, target=LONG)
                self.refused_unasked(proxy, fault, target=SHORT, limit=1)

    def test_a_row_left_pays_for_the_totals_alone(self):
        proxy = self.proxy(team={"rows_per_month": 1})
        answer = proxy.get(target=SHORT, limit=0)
        self.assertEqual((answer.fault, answer.rows_charged), (None, 1), answer)

    def test_offset_is_part_of_the_price(self):
        """What is skipped takes units, even though it costs no rows."""
        proxy = self.proxy(upstream={"units_per_call": 1000}, fidelity={"anchor_case": "keep"})
        self.refused_unasked(proxy, "too_dear", target=LONG, limit=1, offset=5000)

    def test_what_is_remembered_is_free(self):
        proxy = self.proxy(v3_anchor_case="fold", team={"units_per_month": 400})
        first = proxy.get(target=SHORT, limit=5)
        self.assertIsNone(first.fault, first)
        while proxy.get(target=SHORT, limit=0, mode="exact").units:  # what is left is spent on small matters
            pass
        for number in range(20):
            if proxy.get(target=f"t{number}.example", limit=1).fault:
                break
        before = self.seen()
        again = proxy.get(target=SHORT, limit=5)
        self.assertIsNone(again.fault, again)
        self.assertEqual((again.units, again.anchors), (0, first.anchors))
        self.assertEqual(self.seen(), before)

    def test_holds_of_others_are_waited_for(self):
        """Each of two short lists may cost more than half of what is left; what they take fits twice."""
        for case in CASES:
            proxy = self.proxy(v3_anchor_case=case, v3_latency="20ms", team={"units_per_month": 10000})
            answers = proxy.many([{"target": target, "limit": 600} for target in (SHORT, "tricky.example")])
            for answer in answers:
                self.assertIsNone(answer.fault, answer)
                self.assertNotIn("rows", answer.marks, answer)

    def test_a_cap_that_is_not_known_yet(self):
        """Pages that brought less than was held for leave what was set aside to those behind them."""
        for team, upstream in (({"units_per_month": 9000 + TOTALS}, {}), ({}, {"units_per_month": 9000 + TOTALS})):
            proxy = self.proxy(v3_row_cap=100, team=team, upstream=upstream, fidelity={"anchor_case": "keep"})
            answer = proxy.get(target=LONG)
            self.whole(answer, 1000)
            self.assertEqual(answer.units, 9000 + TOTALS)
            held = sum(one["units"] for one in proxy.ledger() if one["kind"] == "hold")
            self.assertEqual(held, 9000 + TOTALS, "never more than may be spent")

    def test_holds_are_page_by_page(self):
        """A crash counts no more than was asked for."""
        proxy = self.proxy(v3_row_cap=100, upstream={"max_rows_per_request": 100}, fidelity={"anchor_case": "keep"})
        self.v3.script({"match": "anchors", "query": {"limit": "100"}, "stall": True})
        with proxy.connect() as client:
            client.sendall(f"GET {proxy.params({'target': LONG})} HTTP/1.1\r\nHost: v2\r\n\r\n".encode())
            self.v3.wait(requests=3)
            proxy.kill()
        ended = [one for one in proxy.ledger() if one["kind"] == "unknown"]
        self.assertEqual(len(ended), 1, ended)
        asked = 100 * ROW + TOTALS
        self.assertLessEqual(ended[0]["units"], asked, ended)


class CutToFit(Spending):
    """What does not fit is answered as far as it fits."""

    def test_last_rows_of_a_team(self):
        for case in CASES:
            with self.subTest(case):
                proxy = self.proxy(v3_anchor_case=case, team={"rows_per_month": 900})
                answer = proxy.get(target=LONG)
                self.cut(answer, 899, 899, "rows_per_month", 900)
                self.assertEqual(answer.headers["x-anchorage-rows-left"], "0")
                self.assertLessEqual(answer.units, 10300)
                self.refused_unasked(proxy, "out_of_rows", target=LONG, order_by="backlinks:desc")
                self.refused_unasked(proxy, "out_of_rows", target="site-a.example")

    def test_prices_of_clauses_count(self):
        proxy = self.proxy(v3_anchor_case="fold", team={"rows_per_month": 100})
        answer = proxy.get(target=LONG, having="backlinks>0")
        self.assertEqual((answer.fault, len(answer.anchors), answer.rows_charged), (None, 94, 100), answer)
        self.assertIn("rows", answer.marks)

    def test_the_largest_answer(self):
        """units_per_call is its size."""
        for cap in (0, 100):
            with self.subTest(row_cap=cap):
                proxy = self.proxy(v3_row_cap=cap, upstream={"units_per_call": 10000, "max_rows_per_request": cap or
                                                             "auto"}, fidelity={"anchor_case": "keep"})
                answer = proxy.get(target=LONG, limit=5000)
                self.cut(answer, 1090, 1100, "units_per_call", 10000)
                self.assertLessEqual(answer.units, 10000)

    def test_the_largest_answer_where_rows_are_merged(self):
        proxy = self.proxy(upstream={"units_per_call": 10000})
        answer = proxy.get(target=LONG, limit=5000, order_by="backlinks:desc")
        self.cut(answer, 800, 1105, "units", 10000)  # the list gives the ratio
        self.assertLessEqual(answer.units, 10000)

    def test_the_default_ceiling(self):
        proxy = self.proxy(fidelity={"anchor_case": "keep"})
        answer = proxy.get(target=LONG, limit=100000)
        self.cut(answer, 11000, 11100, "units_per_call", 100000)
        self.assertLessEqual(answer.units, 100000)

    def test_units_of_the_team_and_of_all(self):
        for team, upstream in (({"units_per_month": 5000}, {}), ({}, {"units_per_month": 5000})):
            with self.subTest(team=team):
                proxy = self.proxy(v3_anchor_case="fold", team=team, upstream=upstream)
                answer = proxy.get(target=LONG)
                self.cut(answer, 400, 544, "units_per_month", 5000)
                self.assertLessEqual(answer.units, 5000)

    def test_what_is_short_comes_whole(self):
        """Programs ask for 100 000 rows of lists that have ten."""
        for case in CASES:
            for team, upstream in (({"rows_per_month": 900}, {}), ({"rows_per_month": 20}, {}),
                                   ({"units_per_month": 5000}, {}), ({}, {"units_per_month": 5000}),
                                   ({}, {"units_per_call": 1000})):
                with self.subTest(case=case, team=team, upstream=upstream):
                    proxy = self.proxy(v3_anchor_case=case, team=team, upstream=upstream)
                    answer = proxy.get(target=SHORT, limit=100000)
                    self.whole(answer, len(answer.anchors))
                    self.assertEqual(sum(row["backlinks"] for row in answer.anchors), answer.json["stats"]["backlinks"])

    def test_a_cut_answer_is_not_the_answer_of_others(self):
        """Its pages are: a call with more room goes on behind them."""
        proxy = self.proxy(v3_anchor_case="fold", teams={"seo": {"rows_per_month": 900}, "rich": {}},
                           keys=[("seo", TOKEN), ("rich", OTHER_TOKEN)])
        poor = proxy.get(target=LONG)
        self.cut(poor, 899, 899, "rows_per_month")
        rich = proxy.get(target=LONG, token=OTHER_TOKEN)
        self.whole(rich, 1000)
        self.assertEqual(rich.anchors[:899], poor.anchors)
        self.assertLessEqual(rich.units, 110 * ROW)

    def test_nor_of_those_that_ask_at_the_same_time(self):
        proxy = self.proxy(v3_anchor_case="fold", v3_latency="30ms", keys=[("seo", TOKEN), ("rich", OTHER_TOKEN)],
                           teams={"seo": {"rows_per_month": 900}, "rich": {}})
        poor, rich = proxy.many([{"target": LONG}, {"target": LONG, "token": OTHER_TOKEN}])
        self.cut(poor, 899, 899, "rows_per_month")
        self.whole(rich, 1000)

    def test_free_targets_are_not_cut(self):
        proxy = self.proxy(v3_anchor_case="fold", team={"rows_per_month": 1}, upstream={"units_per_call": 200})
        answer = proxy.get(target="ahrefs.com")
        self.assertEqual((answer.fault, answer.rows_charged, answer.units), (None, 0, 0), answer)
        self.assertNotIn("rows", answer.marks, answer)


class PaidForIsAnswered(Spending):
    """After something was paid for, our own limits never refuse."""

    def test_random_calls(self):
        dice = random.Random(1)
        for case, options in (("keep", {}), ("keep", {"row_cap": 100}),
                              ("keep", {"collation": "nocase", "text_compare": "collation"})):
            for team, upstream in (({"rows_per_month": 3000}, {}), ({"units_per_month": 30000}, {}),
                                   ({}, {"units_per_month": 30000}), ({}, {"units_per_call": 3000})):
                upstream = {**upstream, "max_rows_per_request": options.get("row_cap", "auto")}
                proxy = self.proxy(team=team, upstream=upstream, v3_anchor_case=case,
                                   **{"v3_" + name: value for name, value in options.items()})
                for _ in range(6):
                    call = {"target": dice.choice((LONG, "site-a.example", "tricky.example", SHORT)),
                            "limit": dice.choice((1, 2, 30, 100, 500, 1000, 100000)),
                            "order_by": dice.choice((None, "backlinks:desc", "anchor:desc", "refdomains:desc")),
                            "having": dice.choice((None, None, "backlinks<9")), "offset": dice.choice((None, None, 40))}
                    with self.subTest(case=case, options=options, team=team, upstream=upstream, call=call):
                        most = self.at_most(proxy, **call)
                        answer = proxy.get(**call)
                        if answer.fault:
                            self.assertIn(answer.fault, OWN_LIMITS, answer)
                            self.assertEqual(answer.units, 0, answer)
                        else:
                            self.assertGreaterEqual(answer.rows_charged, 1)
                        self.assertLessEqual(answer.units, most, answer)
                self.nothing_unpaid(proxy)

    def test_spellings_that_never_end(self):
        proxy = self.proxy(Spellings(many("abcdefghijkl", 3000)), upstream=FORGETFUL)
        for limit in (2, 10, 1000):
            with self.subTest(limit=limit):
                answer = proxy.get(limit=limit)
                self.assertIsNone(answer.fault, answer)
                self.assertEqual((len(answer.anchors), answer.rows_charged), (1, 2))
                self.assertIn("rows", answer.marks)
                self.assertLessEqual(answer.units, self.at_most(proxy, limit=limit))

    def test_the_last_units_of_a_team(self):
        """Its list merges, and there is nothing left for refills: what is there is given."""
        proxy = self.proxy(Spellings([one for word in ("abc", "def", "ghi", "jkl") for one in many(word, 8)]),
                           team={"units_per_month": 2 * FLOOR + FLOOR})
        answer = proxy.get(limit=3)
        self.assertIsNone(answer.fault, answer)
        self.assertGreaterEqual(len(answer.anchors), 1)
        self.assertLessEqual(answer.units, 150)

    def test_one_that_refills_ended_is_not_remembered(self):
        proxy = self.proxy(Spellings(sorted(many("abcdefghij", 60) + [f"z{number:03}" for number in range(60)])))
        first = proxy.get(limit=5)
        again = proxy.get(limit=5)
        self.assertIn("rows", first.marks, first)
        self.assertIsNone(again.fault, again)
        self.assertNotEqual(again.headers["x-anchorage-cache"], "hit", "its pages are remembered, the answer is not")


class AtMost(Spending):
    """`explain` says what a call may cost, and it keeps to that."""

    def test_price_and_allowance(self):
        proxy = self.proxy()
        for limit, most in ((1000, 9000 + 2250 + TOTALS), (2, FLOOR + FLOOR + TOTALS), (100, 900 + 225 + TOTALS),
                            (20, 180 + FLOOR + TOTALS), (0, TOTALS)):
            self.assertEqual(self.at_most(proxy, target=LONG, limit=limit), most, limit)
        text = proxy.run("explain", proxy.params({"target": LONG, "limit": 1000})[2:], check=0).stdout
        self.assertRegex(text, r"at most 1,001 rows and 11,350 units")

    def test_never_above_the_ceiling(self):
        proxy = self.proxy(upstream={"units_per_call": 10000})
        for limit in (1000, 1100, 5000, 100000, 5000000):
            self.assertLessEqual(self.at_most(proxy, target=LONG, limit=limit), 10000)

    def test_nor_where_rows_are_remembered(self):
        """What is known already is no reason to take more for what is not."""
        for folds in ("keep", "fold"):
            proxy = self.proxy(upstream={"units_per_call": 160, "stats_ttl": 0}, fidelity={"anchor_case": folds})
            for order in (None, "backlinks:desc"):
                for limit in (4, 100000):
                    call = {"target": LONG, "limit": limit, "order_by": order}
                    self.assertLessEqual(proxy.get(**call).units, self.at_most(proxy, **call), call)

    def test_what_folds_nothing_has_no_allowance(self):
        proxy = self.proxy(fidelity={"anchor_case": "keep"})
        self.assertEqual(self.at_most(proxy, target=LONG, limit=1000), 9000 + TOTALS)

    def test_the_call_keeps_to_it(self):
        for options in ({}, {"row_cap": 100}, {"anchor_case": "fold"}):
            cap = options.get("row_cap", "auto")
            proxy = self.proxy(upstream={"max_rows_per_request": cap},
                               **{"v3_" + name: value for name, value in options.items()})
            for order in (None, "backlinks:desc", "anchor:desc"):
                for limit in (3, 99, 1500):
                    with self.subTest(options=options, order=order, limit=limit):
                        call = {"target": LONG, "order_by": order, "limit": limit}
                        most = self.at_most(proxy, **call)
                        answer = proxy.get(**call)
                        self.assertIsNone(answer.fault, answer)
                        self.assertLessEqual(answer.units, most)


class Refills(Spending):
    """A refill costs what it brings."""

    def test_six_requests_are_the_most(self):
        words = [f"{letter}{other}" for letter in "bcdfghjkl" for other in "mnpqrstvw"]
        lists = {"one anchor": many("abcdefghijkl", 3000),
                 "four spellings each": [one for word in words for one in many(word, 4)],
                 "two spellings each": [one for number in range(1500) for one in (f"W{number:04}", f"w{number:04}")],
                 "one in ten": [one for number in range(3000) for one in
                                ([f"W{number:04}", f"w{number:04}"] if number % 10 == 0 else [f"w{number:04}"])]}
        for name, anchors in lists.items():
            proxy = self.proxy(Spellings(anchors), upstream=FORGETFUL)
            for limit in (1, 2, 10, 99, 1000):
                for order in (None, "backlinks:desc"):
                    with self.subTest(name, limit=limit, order=order):
                        self.v3.lists.clear()
                        answer = proxy.get(limit=limit, order_by=order)
                        self.assertIsNone(answer.fault, answer)
                        self.assertLessEqual(len(self.v3.lists), 6, self.v3.lists)
                        small = [page for page, rows, _ in self.v3.lists[1:] if page == rows and page < FLOOR // ROW]
                        self.assertEqual(small, [], "a page is never smaller than what the floor pays for")

    def test_with_a_cap_of_the_plan(self):
        for cap, limit in ((7, 20), (100, 1000), (250, 999)):
            with self.subTest(cap=cap, limit=limit):
                anchors = [one for number in range(3000) for one in (f"W{number:04}", f"w{number:04}")]
                proxy = self.proxy(Spellings(anchors), upstream={"max_rows_per_request": cap})
                answer = proxy.get(limit=limit)
                self.assertIsNone(answer.fault, answer)
                self.assertLessEqual(len(self.v3.lists), math.ceil(limit / cap) + 5, self.v3.lists)
                self.assertLessEqual(max(page for page, _, _ in self.v3.lists), cap)

    def test_at_a_months_end_as_with_room(self):
        for limit in (20, 999):
            asked = []
            for rows in (limit + 1, PLENTY):
                proxy = self.proxy(team={} if rows == PLENTY else {"rows_per_month": rows})
                answer = proxy.get(target=LONG, limit=limit, order_by="backlinks:desc")
                self.assertIsNone(answer.fault, answer)
                asked.append((self.lists(), answer.bytes))
            self.assertEqual(asked[0], asked[1])
            self.assertLessEqual(len(asked[0][0]), 6)

    def test_what_merges_little_comes_whole(self):
        """The allowance is enough for ordinary sites: one anchor in ten has a second spelling."""
        anchors = [one for number in range(3000) for one in
                   ([f"W{number:04}", f"w{number:04}"] if number % 10 == 0 else [f"w{number:04}"])]
        proxy = self.proxy(Spellings(anchors))
        self.whole(proxy.get(limit=1000, order_by="backlinks:desc"), 1000)


class OddOrders(Spending):
    """A v3 that orders text otherwise than it compares it is answered, with marks."""

    def test_default_lists(self):
        for collation, caps in (("nocase", (0, 100)), ("locale-like", (0, 250))):
            for cap in caps:
                proxy = self.proxy(v3_collation=collation, v3_row_cap=cap,
                                   upstream={"max_rows_per_request": cap or "auto", **FORGETFUL})
                for limit in (100, 1500):
                    with self.subTest(collation=collation, cap=cap, limit=limit):
                        answer = proxy.get(target=LONG, limit=limit)
                        self.assertIsNone(answer.fault, answer)
                        self.assertGreaterEqual(len(answer.anchors), 1)
                        self.assertLessEqual(answer.units, self.at_most(proxy, target=LONG, limit=limit))
                        self.assertIn("order_by.anchor", answer.marks)
                        if len(answer.anchors) < limit and not cap:
                            self.assertIn("rows", answer.marks)


if __name__ == "__main__":
    unittest.main()
