# SPDX-License-Identifier: MIT
"""too_long = refuse: no part is given for the whole, and what a refusal costs. By the rules in docs/accounting.md."""
import unittest

from spellings import Spellings
from test_spending import CASES, FLOOR, LONG, SHORT, Spending


class NoPartForTheWhole(Spending):
    def proxy(self, *args, **sections):
        return super().proxy(*args, fidelity={"too_long": "refuse", **sections.pop("fidelity", {})}, **sections)

    def test_what_may_not_fit_is_refused(self):
        for team, upstream, fault in (({"rows_per_month": 900}, {}, "out_of_rows"),
                                      ({"units_per_month": 5000}, {}, "out_of_units"),
                                      ({}, {"units_per_month": 5000}, "out_of_units"),
                                      ({}, {"units_per_call": 5000}, "too_dear")):
            with self.subTest(team=team, upstream=upstream):
                proxy = self.proxy(team=team, upstream=upstream)
                answer = proxy.get(target=LONG)
                self.assertEqual((answer.fault, answer.rows_charged), (fault, 0), answer)
                self.assertLessEqual(answer.units, FLOOR)
                for order in ("backlinks:desc", "refpages:desc", "first_seen:asc"):  # the totals are known now
                    self.refused_unasked(proxy, fault, target=LONG, order_by=order)
                self.nothing_unpaid(proxy)

    def test_what_the_totals_prove_to_fit(self):
        for case in CASES:
            proxy = self.proxy(v3_anchor_case=case)
            answer = proxy.get(target=SHORT, limit=100000)
            self.whole(answer, len(answer.anchors))
            self.assertGreater(len(answer.anchors), 0)
            again = proxy.get(target=SHORT, limit=100000, order_by="backlinks:desc")
            self.whole(again, len(answer.anchors))

    def test_what_fits_as_it_was_asked(self):
        proxy = self.proxy(v3_anchor_case="fold")
        self.assertEqual(len(proxy.get(target=LONG, limit=1000).anchors), 1000)

    def test_what_is_remembered_proves_it(self):
        proxy = self.proxy(v3_anchor_case="fold", upstream={"units_per_call": 20000})
        first = proxy.get(target="site-a.example", limit=1000)
        self.assertIsNone(first.fault, first)
        again = proxy.get(target="site-a.example", limit=100000)
        self.whole(again, len(first.anchors))
        self.assertLessEqual(again.units, FLOOR)

    def test_what_is_remembered_shows_that_it_is_too_long(self):
        """More rows than the limit pays for are there: nothing is asked to know it."""
        proxy = self.proxy(v3_anchor_case="fold", team={"rows_per_month": 60}, upstream={"stats_ttl": 0})
        self.assertEqual(len(proxy.get(target=LONG, limit=30).anchors), 30)
        self.refused_unasked(proxy, "out_of_rows", target=LONG)
        proxy = self.proxy(v3_anchor_case="fold", team={"rows_per_month": 60}, upstream={"stats_ttl": 0})
        self.whole(proxy.get(target="lower.example", order_by="backlinks:desc", limit=40), 40)
        self.refused_unasked(proxy, "out_of_rows", target="lower.example", order_by="backlinks:desc", limit=41)

    def test_as_many_rows_as_are_remembered(self):
        """They pay for no more; whether there are more is known by the totals."""
        options = {"team": {"rows_per_month": 26}, "upstream": {"stats_ttl": 0}}
        proxy = self.proxy(**options)
        self.assertEqual(len(proxy.get(target=LONG, limit=12).anchors), 12)
        answer = proxy.get(target=LONG)
        self.assertEqual((answer.fault, answer.units, answer.rows_charged), ("out_of_rows", FLOOR, 0), answer)
        proxy = self.proxy(Spellings([f"{number:02}" for number in range(12)]), **options)
        self.assertEqual(len(proxy.get(limit=12).anchors), 12)
        self.whole(proxy.get(), 12)


if __name__ == "__main__":
    unittest.main()
