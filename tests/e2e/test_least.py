# SPDX-License-Identifier: MIT
"""Never a column, a row or a request more than a call needs: what v3 was asked for is the least that is possible."""
import unittest

import least
from anchorage import Anchorage
from sandbox import Sandbox

CALLS = [
    {}, {"limit": "0"}, {"limit": "1"}, {"limit": "6"}, {"limit": "25", "order_by": "backlinks:desc"},
    {"limit": "24", "order_by": "backlinks:desc"}, {"order_by": "backlinks:desc", "select": "anchor,backlinks"},
    {"select": "anchor"}, {"select": "refpages"}, {"select": "anchor,refdomains", "limit": "20"},
    {"select": "anchor,last_visited"}, {"select": "anchor", "order_by": "refdomains:desc"},
    {"select": "anchor", "having": "refdomains>1"}, {"having": "backlinks>2", "order_by": "first_seen"},
    {"offset": "3", "limit": "5"}, {"where": "backlinks>1", "select": "anchor,backlinks"},
]


class Least(unittest.TestCase):
    def play(self, sandbox, proxy, calls, remembers=True, targets=("lower.example", "small.example")):
        model = least.Model(proxy, remembers)
        for call in calls:
            for target in targets:
                call = {**call, "target": target}
                spent, requests, known = sandbox.state()["spent"], len(sandbox.log()), model.requests
                answer = proxy.get(**call)
                with self.subTest(call=call):
                    self.assertEqual((answer.status, answer.fault), (200, None), answer)
                    self.assertEqual(sandbox.state()["spent"] - spent, model.take(call, answer))
                    self.assertEqual(len(sandbox.log()) - requests, model.requests - known)
                    self.assertEqual(answer.units, sandbox.state()["spent"] - spent)

    def test_without_memory(self):
        """Each by itself; the ratio is kept all the same."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, \
                Anchorage(sandbox, upstream={"answer_ttl": "0", "stats_ttl": "0"}) as proxy:
            self.play(sandbox, proxy, CALLS, remembers=False)

    def test_with_memory(self):
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox) as proxy:
            self.play(sandbox, proxy, CALLS + [{"offset": "300"}] + CALLS[::-1])

    def test_a_list_known_to_be_shorter(self):
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox) as proxy:
            self.assertLess(len(proxy.get(target="small.example", limit=50).anchors), 50)
            asked = len(sandbox.log())
            for more in ({"limit": 1000}, {"offset": 50}, {"limit": 5}, {"limit": 5000, "offset": 1, "output": "php"}):
                self.assertEqual(proxy.get(target="small.example", **more).units, 0)
            self.assertEqual(len(sandbox.log()), asked)

    def test_stats_zero_saves_two_requests(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            proxy.get(limit=3)
            proxy.get(limit=0)
            self.assertEqual([entry["path"].rpartition("/")[2] for entry in sandbox.log()], ["anchors"])

    def test_the_last_row_before_a_limit(self):
        """Near the team's limit no more is asked for than it has room for, and one row to see that there are more."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, \
                Anchorage(sandbox, fidelity={"stats": "zero"}, teams={"seo": {"rows_per_month": 30}}) as proxy:
            answer = proxy.get(target="lower.example")
            self.assertEqual((len(answer.anchors), answer.rows_charged, answer.headers["x-anchorage-rows-left"]), (29, 30, "0"))
            self.assertEqual(sandbox.log()[-1]["query"]["limit"], "30")

    def test_typical_clients(self):
        """A slice of tests/bench/units.py: the same answers at once or one after the other, 1.0 x the least."""
        for name, client in (("dashboard", [least.WIDGETS[:10]] * 2), ("pager", least.CLIENTS["pager, few columns"][:5]),
                             ("report", least.CLIENTS["20 people, the same report"]),
                             ("crawler", [least.CLIENTS["crawler, 25 filters x 2 sites"][1][:8]])):
            with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox) as proxy, self.subTest(name):
                model = least.Model(proxy)
                for calls in client:
                    for call, answer in zip(calls, proxy.many(calls)):
                        self.assertEqual(answer.status, 200, answer)
                        model.take(call, answer)
                self.assertLessEqual(sandbox.state()["spent"], model.units)
                self.assertLessEqual(len(sandbox.log()), model.requests)


if __name__ == "__main__":
    unittest.main()
