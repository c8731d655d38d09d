# SPDX-License-Identifier: MIT
"""Rows that offset skips are asked for in few columns, by which they are ordered; the answer is the same as if they had
come whole, and what is known of their places is remembered."""
import json
import unittest

from anchorage import Anchorage
from sandbox import Sandbox

LONG, DEEP = "big.example", 2000
LINKS = {"target": LONG, "order_by": "backlinks:desc"}
ROW, PLACE, TOTALS = 9, 2, 100  # units: of a whole row, of one that is skipped by this order, of totals and ratio
KEEP = {"fidelity": {"anchor_case": "keep", "stats": "zero"}}


class Skipping(unittest.TestCase):
    def start(self, sandbox=None, **options):
        self.sandbox = Sandbox(today=None, units="unlimited", **(sandbox or {})).start()
        self.addCleanup(self.sandbox.stop)
        proxy = Anchorage(self.sandbox, **options).start()
        self.addCleanup(proxy.close)
        return proxy

    def get(self, proxy, **params):
        answer = proxy.get(**params)
        self.assertEqual((answer.status, answer.fault), (200, None), answer)
        return answer

    def lists(self, since=0):
        """(columns, rows) of the requests for the list."""
        return [(len(one["query"]["select"].split(",")), int(one["query"]["limit"])) for one in self.sandbox.log()[since:]
                if one["path"].endswith("/anchors") and "anchor" in one["query"]["select"].split(",")]


class Costs(Skipping):
    def test_few_columns_and_then_the_row(self):
        proxy = self.start(fidelity={"anchor_case": "keep"})
        answer = self.get(proxy, **LINKS, limit=1, offset=11000)
        self.assertEqual((len(answer.anchors), answer.rows_charged), (1, 2))
        self.assertLessEqual(answer.units, 11000 * PLACE + 50 + TOTALS)
        self.assertEqual(self.lists(), [(2, 11000), (5, 1)])
        [entry] = [one for one in proxy.entries(answer.id) if one["kind"] == "settle"]
        self.assertEqual((entry["units"], entry["units_predicted"], entry["units_alone"]), (answer.units,) * 3)

    def test_a_place_is_remembered(self):
        proxy = self.start(**KEEP)
        first = self.get(proxy, **LINKS, limit=1, offset=DEEP)
        before = len(self.sandbox.log())
        wider = self.get(proxy, **LINKS, limit=100, offset=DEEP)
        self.assertEqual((wider.units, wider.anchors[0]), (100 * ROW, first.anchors[0]))
        back = self.get(proxy, **LINKS, limit=10, offset=DEEP - 200)
        self.assertEqual(back.units, 10 * ROW)
        names = [row["anchor"] for row in wider.anchors]
        for page in range(1, 4):  # a pager that goes on from there pays each row once
            answer = self.get(proxy, **LINKS, limit=100, offset=DEEP + 100 * page)
            self.assertEqual(answer.units, 100 * ROW)
            names += [row["anchor"] for row in answer.anchors]
        self.assertEqual(len(set(names)), 400)
        self.assertEqual({columns for columns, _ in self.lists(before)}, {5})
        [entry] = [one for one in proxy.entries(answer.id) if one["kind"] == "settle"]
        self.assertEqual((entry["units"], entry["units_alone"]), (100 * ROW, (DEEP + 300) * PLACE + 100 * ROW))

    def test_what_was_read_whole_is_not_skipped_anew(self):
        """The first pages were read; the places behind them are remembered together with theirs."""
        proxy = self.start(**KEEP)
        for page in range(3):
            self.assertEqual(self.get(proxy, **LINKS, limit=100, offset=100 * page).units, 100 * ROW)
        before = len(self.sandbox.log())
        self.assertEqual(self.get(proxy, **LINKS, limit=10, offset=DEEP).units, (DEEP - 300) * PLACE + 10 * ROW)
        self.assertEqual(self.get(proxy, **LINKS, limit=10, offset=DEEP + 1000).units, 990 * PLACE + 10 * ROW)
        self.assertEqual(self.lists(before), [(2, DEEP - 300), (5, 10), (2, 990), (5, 10)])
        self.assertEqual(self.get(proxy, **LINKS, limit=100, offset=300).units, 100 * ROW)  # the pager has not lost its place

    def test_places_are_no_rows(self):
        """What is known of a place only is never shown: not in front, and not where windows overlap."""
        proxy = self.start(**KEEP)
        self.get(proxy, **LINKS, limit=5, offset=DEEP)
        whole = self.get(self.start(**KEEP), **LINKS, limit=DEEP + 50).anchors
        for offset, limit in ((0, 20), (DEEP - 20, 40), (DEEP, 50), (10, 300), (DEEP - 1, 2), (0, DEEP + 50)):
            answer = self.get(proxy, **LINKS, limit=limit, offset=offset)
            self.assertEqual(answer.anchors, whole[offset:offset + limit], (offset, limit))

    def test_a_list_of_these_columns_alone_is_the_same(self):
        """Its rows were paid for, whichever call asked for them."""
        proxy = self.start(**KEEP)
        self.get(proxy, **LINKS, limit=1, offset=DEEP)
        self.assertEqual(self.get(proxy, **LINKS, select="anchor,backlinks", limit=DEEP).units, 0)
        other = self.start(**KEEP)
        self.get(other, **LINKS, select="anchor,backlinks", limit=DEEP)
        self.assertEqual(self.get(other, **LINKS, limit=10, offset=DEEP).units, 10 * ROW)

    def test_nothing_is_remembered(self):
        for upstream, headers in (({"answer_ttl": "0"}, None), ({}, {"X-Anchorage-Fresh": "yes"})):
            proxy = self.start(upstream=upstream, **KEEP)
            first = self.get(proxy, **LINKS, limit=10, offset=DEEP, headers=headers)
            again = self.get(proxy, **LINKS, limit=10, offset=DEEP, headers=headers)
            self.assertEqual((first.units, again.units, again.anchors),
                             (DEEP * PLACE + 10 * ROW, first.units, first.anchors))
        self.assertEqual(self.get(proxy, **LINKS, limit=20, offset=DEEP).units, 20 * ROW)  # what came anew is for all

    def test_what_would_not_be_cheaper_is_asked_for_at_once(self):
        proxy = self.start(**KEEP)
        for params in ({"limit": 50, "offset": 50}, {"limit": 1, "offset": 2000, "select": "anchor,backlinks"},
                       {"limit": 1, "offset": 2000, "order_by": "anchor", "select": "anchor"}):
            before = len(self.sandbox.log())
            self.get(proxy, **{**LINKS, **params})
            self.assertEqual(len(self.lists(before)), 1, params)

    def test_pages_of_a_pager_that_begins_at_the_end(self):
        """All at once, in the order that is worst: the rows are asked for whole, once for all; or where one comes late,
        as places at most once more."""
        proxy = self.start(sandbox={"latency": "50ms"}, **KEEP)
        calls = [{**LINKS, "limit": 100, "offset": 100 * n} for n in reversed(range(10))]
        self.assertEqual({answer.status for answer in proxy.many(calls)}, {200})
        self.assertGreaterEqual(sum(rows for _, rows in self.lists()), 1000)
        self.assertLessEqual(self.sandbox.state()["spent"], 1000 * ROW + 900 * PLACE)


class Prices(Skipping):
    """What a call may cost is known before it asks."""

    def explain(self, proxy, **params):
        call = proxy.params({**params, "mode": "subdomains"})
        return json.loads(proxy.run("explain", "--format", "json", call, check=None).stdout)

    def test_at_most(self):
        proxy = self.start()
        told = self.explain(proxy, **LINKS, limit=1, offset=11000)
        price = 11000 * PLACE + 50
        self.assertEqual((told["rows_at_most"], told["units_at_most"]), (2, price + price // 4 + TOTALS))
        answer = self.get(proxy, **LINKS, limit=1, offset=11000)  # v3 keeps case: rows merge on the way
        self.assertLessEqual(answer.units, told["units_at_most"])
        self.assertEqual(len(answer.anchors), 1)

    def test_limits_know_it(self):
        """A limit that pays for the places and a few rows cuts the list there; one that does not, refuses unasked."""
        for limits in ({"upstream": {"units_per_call": DEEP * PLACE + 90}},
                       {"teams": {"seo": {"units_per_month": DEEP * PLACE + 90}}}):
            proxy = self.start(**KEEP, **limits)
            answer = self.get(proxy, **LINKS, limit=1000, offset=DEEP)
            self.assertEqual((len(answer.anchors), answer.marks & {"rows"}), (10, {"rows"}))
            self.assertIn("which pay for 10 of the 1000 rows", answer.headers["x-anchorage-why"])
        proxy = self.start(**KEEP, upstream={"units_per_call": DEEP * PLACE + 49})
        before = len(self.sandbox.log())
        self.assertEqual(proxy.get(**LINKS, limit=1, offset=DEEP).fault, "too_dear")
        self.assertEqual(len(self.sandbox.log()), before)

    def test_others_may_have_what_is_not_set_aside(self):
        """Two at the same time, where the whole way would pay for one alone."""
        proxy = self.start(sandbox={"latency": "20ms"}, **KEEP, teams={"seo": {"units_per_month": 2 * (DEEP * PLACE + 90)}})
        calls = [{**LINKS, "limit": 10, "offset": DEEP}, {**LINKS, "order_by": "refpages:desc", "limit": 10, "offset": DEEP}]
        self.assertEqual([(answer.fault, len(answer.anchors)) for answer in proxy.many(calls)], [(None, 10)] * 2)

    def test_who_leaves_while_rows_are_skipped_owes_none(self):
        proxy = self.start(**KEEP)
        self.sandbox.script({"match": "anchors", "delay_ms": 100})
        with proxy.connect() as client:
            path = proxy.params({**LINKS, "limit": 10, "offset": DEEP})
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: v2\r\n\r\n".encode())
            self.sandbox.wait(requests=1)
        while not (ends := [one for one in proxy.ledger() if one["kind"] not in ("hold", "note")]):
            pass  # each look takes a while
        self.assertEqual([(one["rows"], one["units"], one["fault"]) for one in ends], [(0, DEEP * PLACE, "too_busy")])
        self.assertEqual(self.get(proxy, **LINKS, limit=10, offset=DEEP).units, 10 * ROW)


class Same(Skipping):
    """The rows are those that a call from the front shows there."""

    CASES = [({}, {}), ({"anchor_case": "fold"}, {}), ({"row_cap": 100}, {"max_rows_per_request": 100}),
             ({"row_cap": 250}, {}),
             ({"collation": "locale-like", "text_compare": "collation", "anchor_case": "fold"}, {})]
    CALLS = [{"order_by": "backlinks:desc"}, {}, {"order_by": "first_seen:desc,backlinks"}, {"having": "refdomains<3"},
             {"where": "backlinks>1", "order_by": "refpages"}, {"having": "refpages<>2"}]

    def test_rows(self):
        """One proxy knows the rows in front, the other one skips them."""
        for sandbox, upstream in self.CASES:
            upstream = {"units_per_call": 0, **upstream}
            front, deep = (self.start(sandbox, upstream=upstream, fidelity={"stats": "zero"}) for _ in range(2))
            for call in self.CALLS if not sandbox else self.CALLS[:2]:
                call = {"target": "site-c.example", **call}
                self.get(front, **call, limit=500)
                for offset in (440, 400):
                    with self.subTest(sandbox=sandbox, call=call, offset=offset):
                        whole, answer = (self.get(proxy, **call, limit=40, offset=offset) for proxy in (front, deep))
                        if "rows" in answer.marks - whole.marks:  # more rows merged than the allowance pays for
                            self.assertIn("anchor.case", answer.marks)
                            self.assertLess(len(answer.anchors), 40)
                        else:
                            self.assertEqual((answer.anchors, answer.marks), (whole.anchors, whole.marks))

    def test_an_order_that_is_not_that_of_bytes(self):
        """v3 may compare texts otherwise than it orders them, and then pages leave rows out: nothing is skipped once that
        was seen."""
        proxy = self.start({"collation": "locale-like", "anchor_case": "fold"}, fidelity={"stats": "zero"})
        whole = self.get(proxy, target="site-c.example").anchors
        other = self.start({"collation": "locale-like", "anchor_case": "fold"}, fidelity={"stats": "zero"})
        self.get(other, target="lower.example")
        answer = self.get(other, target="site-c.example", limit=40, offset=600)
        self.assertEqual(self.lists()[-1], (5, 640))
        self.assertEqual({row["anchor"] for row in answer.anchors} - {row["anchor"] for row in whole}, set())

    def test_a_list_that_ends_among_those(self):
        proxy = self.start({"anchor_case": "fold"}, fidelity={"stats": "zero"})
        whole = self.get(proxy, target="lower.example").anchors
        other = self.start({"anchor_case": "fold"}, fidelity={"stats": "zero"})
        for offset in (len(whole) + 500, len(whole), len(whole) - 1):
            answer = self.get(other, target="lower.example", offset=offset)
            self.assertEqual((answer.anchors, answer.marks & {"rows"}), (whole[offset:], set()))
        self.assertEqual(answer.units, 50)

    def test_broken_rows(self):
        """Those at the end of what is skipped come again."""
        first = self.start({"anchor_case": "fold"}, fidelity={"stats": "zero"})
        whole = self.get(first, target="lower.example").anchors
        for broken, shown in ((range(150, 160), whole[160:165]), ([158, 159, 160, 161], None), (range(160), [])):
            proxy = self.start({"anchor_case": "fold"}, fidelity={"stats": "zero"})
            swap = {json.dumps(whole[i]["anchor"], ensure_ascii=False): '"' + "\\ud83d" * 2 + '"' for i in broken}
            self.sandbox.script({"match": "anchors", "times": 0, "replace": swap})
            answer = self.get(proxy, target="lower.example", limit=5, offset=160)
            if shown is None:
                shown = [{**row, "anchor": "\ufffd" * 2} for row in whole[160:162]] + whole[162:165]
            self.assertEqual(answer.anchors, shown)
            self.assertEqual("rows" in answer.marks, not shown)


if __name__ == "__main__":
    unittest.main()
