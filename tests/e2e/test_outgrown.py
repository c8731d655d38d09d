# SPDX-License-Identifier: MIT
"""A call whose rows outgrow what it may hold ends its list there, marked `rows`: it was paid for."""
import unittest

from anchorage import Anchorage
from spellings import Spellings


class Memory(unittest.TestCase):

    TEXT, ROWS = 4000, 2600  # bytes of an anchor; together more than half of 16 MiB, which one call may hold
    SMALL = {"proxy": {"call_memory": 16}, "fidelity": {"stats": "zero"}}

    def long_texts(self, **upstream):
        letters = "x" * self.TEXT
        self.v3 = Spellings([f"{number:05}{letters}" for number in range(self.ROWS)])
        self.v3.__enter__()
        self.addCleanup(self.v3.__exit__)
        proxy = Anchorage(self.v3.url, upstream={"units_per_call": 0, **upstream}, **self.SMALL)
        self.addCleanup(proxy.close)
        return proxy.start()

    def test_rows_that_outgrow_a_call(self):
        for upstream in ({}, {"max_rows_per_request": 1000}, {"answer_ttl": 0}):
            with self.subTest(upstream=upstream):
                proxy = self.long_texts(**upstream)
                answer = proxy.get(limit=self.ROWS)
                self.assertIsNone(answer.fault, answer)
                results = len(answer.anchors)
                self.assertTrue(1000 <= results < self.ROWS, results)
                self.assertEqual([row["anchor"][:5] for row in answer.anchors], [f"{i:05}" for i in range(results)])
                self.assertEqual((answer.rows_charged, "rows" in answer.marks), (1 + results, True))
                self.assertIn("memory", answer.headers["x-anchorage-why"])
                [entry] = [one for one in proxy.entries(answer.id) if one["kind"] == "settle"]
                self.assertEqual((entry["rows"], entry["units"]), (1 + results, self.v3.spent))
                again = proxy.get(limit=self.ROWS)  # it is no answer to be remembered
                self.assertIsNone(again.fault, again)
                self.assertNotEqual(again.headers["x-anchorage-cache"], "hit")
                self.assertEqual(proxy.get(limit=1, select="backlinks").fault, None)

    def test_calls_that_outgrow_all_together(self):
        """Whatever one of them finds left when its rows come, none that has paid is refused."""
        proxy = self.long_texts(answer_ttl=0)
        calls = [{"limit": self.ROWS - number, "order_by": order} for number, order in
                 enumerate(("anchor", "anchor:desc", "backlinks,anchor", "refpages,anchor:desc"))]
        for limit, answer in zip((call["limit"] for call in calls), proxy.many(calls)):
            if answer.fault:
                self.assertEqual((answer.fault, answer.units), ("too_busy", 0), answer)
            else:
                self.assertEqual("rows" in answer.marks, len(answer.anchors) < limit, answer.marks)
                self.assertEqual("memory" in answer.headers.get("x-anchorage-why", ""), len(answer.anchors) < limit)
        for one in proxy.ledger():
            self.assertTrue(one["kind"] == "hold" or not one["fault"] or not one["units"], one)


if __name__ == "__main__":
    unittest.main()
