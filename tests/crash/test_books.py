# SPDX-License-Identifier: MIT
"""The judge of the crash tests, fed with books that are wrong: it must find each fault, and none in good books."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))

from anchorage import Answer  # noqa: E402
import books  # noqa: E402
from books import Books  # noqa: E402

PLAIN = {"time": "2026-11-24T18:30:04.186Z", "ref": None, "team": "tight", "table": "anchors", "target": "a.example",
         "rows": 0, "units": 0, "units_predicted": 0, "units_alone": 0, "via": None, "results": 0, "fault": None}


def entry(kind, id, **what):
    return {**PLAIN, "kind": kind, "id": id, **what}


def settle(id, **what):
    return entry("settle", id, **{"rows": 3, "units": 50, "units_predicted": 60, "via": "upstream", "results": 2,
                                  **what})


def good():
    """A limit of 10 rows, three calls: answered, free of charge, lost in a crash."""
    return [entry("note", "n", table="limits", rows=10, units=1000),
            entry("hold", "a", rows=6, units=60), entry("hold", "b", rows=4, units=50), settle("a"),
            entry("release", "b"), entry("hold", "c", rows=7, units=80),
            entry("unknown", "c", units=80, fault="crash")]


def export(entries):
    return "".join(json.dumps({"seq": seq, **one}) + "\n" for seq, one in enumerate(entries, 1))


def answer(id="a", rows=3, units=50, fault=None):
    headers = [("X-Anchorage-Id", id), ("X-Anchorage-Rows", str(rows)), ("X-Anchorage-Units", str(units)),
               ("x-results-count", "2")] + ([("X-Anchorage-Fault", fault)] if fault else [])
    return "tight", "a.example", Answer(200, headers, b"")


def request(units=50, target="a.example"):
    return {"query": {"target": target}, "units": units}


USAGE = {"tight": {"calls": 3, "results": 2, "rows": 3, "units": 130, "units_predicted": 60, "units_alone": 0,
                   "units_unknown": 80, "faults": 1, "rows_held": 0}}


class JudgeTest(unittest.TestCase):
    def judge(self, entries, answers=(), requests=(request(),), usage=None, limits=None):
        books = Books()
        wrong = books.read(export(entries)) + books.open_holds() + books.compare_answers(answers)
        wrong += books.compare_requests(0, requests) + books.compare_limits(limits or {})
        return wrong + (books.compare_usage(usage) if usage else [])

    def finds(self, what, entries, **seen):
        wrong = self.judge(entries, **seen)
        self.assertTrue(any(what in one for one in wrong), f"{what!r} is not in {wrong}")

    def test_good_books(self):
        self.assertEqual(self.judge(good(), [answer(), answer("b", 0, 0, "upstream_down")], usage=USAGE,
                                    limits={"tight": {"rows": 3, "units": 130}}), [])

    def test_a_lost_settle(self):
        lost = [one for one in good() if one["kind"] != "settle"]
        self.finds("an answer left without its settle", lost, answers=[answer()])
        self.finds('a hold is left open: {"seq": 2', lost)
        crashed = [entry("unknown", "a", units=60, fault="crash") if one["kind"] == "settle" else one for one in good()]
        self.finds("an answer left without its settle", crashed, answers=[answer()])

    def test_an_answer_nobody_booked(self):
        self.finds("an answer left without its settle", good(), answers=[answer("z")])

    def test_units_of_a_refusal(self):
        for fault, units, is_wrong in (("out_of_rows", 51, True), ("out_of_units", 100, True), ("too_dear", 60, True),
                                       ("too_dear", 50, False), ("too_busy", 60, False)):
            ended = [settle("a", rows=0, results=0, units=units, fault=fault) if one["id"] == "a" and
                     one["kind"] == "settle" else one for one in good()]
            wrong = self.judge(ended, requests=())
            self.assertEqual(any("our own limits" in one for one in wrong), is_wrong, (fault, units, wrong))

    def test_another_price(self):
        self.finds("its settle", good(), answers=[answer(rows=2)])
        self.finds("its settle", good(), answers=[answer(units=51)])
        self.finds("an id twice", good(), answers=[answer(), answer()])
        self.finds("a refusal owes rows", good(), answers=[answer(fault="too_busy", rows=0)])

    def test_a_doubled_end(self):
        self.finds("a second end, the first was the settle of seq 4", good() + [settle("a")])
        self.finds("a second end", good() + [entry("unknown", "b", units=50, fault="crash")])

    def test_the_wrong_order(self):
        self.finds("an end without a hold", [settle("a")] + good()[:2])
        free = {"rows": 0, "units": 0, "units_predicted": 0, "results": 0}
        self.assertEqual(self.judge([settle("f", **free)] + good()), [])  # it asked nothing and costs nothing
        for amount in free:
            self.finds("an end without a hold", [settle("f", **{**free, amount: 1, "units": None if amount ==
                                                                "units_predicted" else amount == "units"})] + good())
        self.finds("a hold after the settle", good() + [entry("hold", "a", rows=1, units=1)])

    def test_overspending(self):
        held = good()[:3] + [entry("hold", "d", rows=1, units=1)] + good()[3:] + [entry("release", "d")]
        self.finds("rows pass the limit: 0 used + 11 held > 10", held)
        self.finds("more rows than the 6", [settle("a", rows=7) if one["kind"] == "settle" else one for one in good()])
        self.finds("tight used 3 rows of 2", good(), limits={"tight": {"rows": 2}})
        self.finds("units pass the limit", good() + [entry("hold", "d", units=900), entry("release", "d")])

    def test_a_lowered_hold(self):
        lower = entry("hold", "d", ref="d", rows=2, units=3)
        held = good() + [entry("hold", "d", rows=2, units=50)]
        crashed = entry("unknown", "d", units=3, fault="crash")
        full = [entry("hold", "e", units=1000 - 130 - 3), entry("release", "e")]
        self.assertEqual(self.judge(held + [lower] + full + [crashed]), [])
        self.finds("units pass the limit", held + full + [lower, crashed])
        self.finds("a hold in place of none", good() + [lower, crashed])
        self.finds("a hold in place of none", held + [{**lower, "ref": "a"}, crashed])
        self.finds("a hold of more than", held + [{**lower, "units": 51}, crashed])
        self.finds("a hold after the settle", good() + [entry("hold", "a", ref="a")])

    def test_shared_posts(self):
        post = {"query": {}, "units": 50, "body": json.dumps({"targets": [{"url": "r.example"}, {"url": "s.example"}]})}
        calls = [entry("hold", "d", table="metrics", target="r.example", units=50),
                 settle("d", table="metrics", target="r.example", rows=0, units=20),
                 entry("hold", "e", table="metrics", target="s.example", units=50),
                 entry("unknown", "e", table="metrics", target="s.example", units=30, fault="crash")]
        self.assertEqual(self.judge(good() + calls, requests=[request(), post]), [])
        self.finds("no request went to v3", good() + calls, requests=[request()])
        self.finds("units for POSTs, only 50", good() + calls, requests=[request(), {**post, "units": 51}])

    def test_overspending_of_all(self):
        whole = [entry("note", "m", team=None, table="limits", units=170)]
        self.assertEqual(self.judge(whole + good()), [])
        self.finds("units of all pass the limit: 0 used + 110 held > 109", [{**whole[0], "units": 109}] + good())
        other = [entry("hold", "o", team="open", units=61)]
        self.finds("units of all pass the limit", whole + other + good() + [entry("release", "o", team="open")])

    def test_a_refusal_with_rows(self):
        self.finds("rows for an answer that was a refusal",
                   [settle("a", fault="out_of_rows", results=0) if one["kind"] == "settle" else one for one in good()])
        left = [settle("a", fault="too_busy") if one["kind"] == "settle" else one for one in good()]
        self.assertEqual(self.judge(left), [])  # its client has left, and owes the rows that had come
        self.finds("rows without an answer", good()[:-1] + [entry("unknown", "c", rows=7, units=80, fault="crash")])

    def test_a_correction(self):
        denied = good() + [entry("correct", "x", ref="a", rows=-3, fault="ledger_down")]
        refusal = answer(rows=0, units=50, fault="ledger_down")
        self.assertEqual(self.judge(denied, [refusal]), [])
        self.finds("a refusal owes rows", good(), answers=[refusal])
        self.finds("its rows were taken back", denied, answers=[answer()])
        self.finds("a correction of nothing", good() + [entry("correct", "x", ref="z", rows=-3)])

    def test_old_lines(self):
        for change, what in ((lambda lines: lines[:3] + [lines[3].replace('"rows": 3', '"rows": 2')] + lines[4:],
                              'line 4 has changed: it was {"seq": 4'),
                             (lambda lines: lines[:-1], "old entries are gone: 7 lines were there, now 6"),
                             (lambda lines: lines[:2] + lines[3:], "line 3 has changed")):
            books, text = Books(), export(good())
            self.assertEqual(books.read(text) + books.read(text), [])
            wrong = books.read("".join(change(text.splitlines(True))))
            self.assertEqual(len(wrong), 1)
            self.assertIn(what, wrong[0])

    def test_an_entry_taken_out(self):
        books = Books()
        wrong = books.read("".join(line for line in export(good()).splitlines(True) if '"seq": 5' not in line))
        self.assertIn("seq should be 5", wrong[0])

    def test_what_v3_saw(self):
        self.finds("no request went to v3 for it", good(), requests=[])
        self.finds("v3 took 131 units for a.example, only 130 are booked", good(), requests=[request(131)])
        self.finds("only 0 are booked", good(), requests=[request(), request(1, "b.example")])
        cached = [settle("a", via="cache") if one["kind"] == "settle" else one for one in good()]
        self.assertEqual(self.judge(cached, requests=[]), [])

    def test_usage(self):
        for name in USAGE["tight"]:
            usage = {"tight": {**USAGE["tight"], name: USAGE["tight"][name] + 1}}
            self.finds(f"{name} = " if name != "rows_held" else "1 rows are held", good(), usage=usage)
        self.finds("usage of open says rows = 1", good(), usage={**USAGE, "open": {"rows": 1}})


if __name__ == "__main__":
    unittest.main()
