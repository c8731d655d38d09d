# SPDX-License-Identifier: MIT
"""The least units: the same question at the same time is one request, and each pays its own rows."""
import json
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
                     "teams": {"seo": {}, "ads": {}, "poor": {"rows_per_month": 5},
                               "tight": {"rows_per_month": 370}, "tight2": {"rows_per_month": 370}},
                     "keys": [("seo", TOKEN), ("ads", OTHER_TOKEN), ("poor", "5" * 40), ("tight", "6" * 40),
                              ("tight2", "7" * 40)]}

    def slow(self, match="*", **entry):
        self.sandbox.script({"match": match, "times": 0, **{"delay_ms": SLOW_MS, **entry}})

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
        """Who joins holds its own rows: its team's limit counts, not that of the starter. It asks for what that pays for."""
        self.slow()
        answers = self.proxy.many([{"target": "lower.example"}, {"target": "lower.example", "token": "5" * 40}] * 2)
        self.assertEqual(sorted((answer.fault or "", answer.rows_charged) for answer in answers),
                         [("", 5), ("", 201), ("", 201), ("out_of_rows", 0)])
        self.assertEqual(self.proxy.usage()["poor"]["rows"], 5)

    def test_one_that_waited_for_room_joins(self):
        """While it waits for room in its team's limit another team asks the same: it joins, and sends nothing of what it
        had wanted to ask itself."""
        self.slow(query={"mode": "domain"})
        self.slow(delay_ms=4 * SLOW_MS)
        tight = {"token": "6" * 40}
        holds = Background(self.proxy, target="lower.example", mode="domain", limit=150, **tight)
        self.sandbox.wait(requests=3)
        waits = Background(self.proxy, target="lower.example", **tight)
        self.proxy.get(from_="subscription_info")  # it has been read
        asks = Background(self.proxy, target="lower.example")
        self.charged(holds.answer(), 151)
        paid = self.charged(asks.answer(), 201)
        answer = waits.answer()
        shared = self.charged(answer, 201)
        self.assertEqual((shared["via"], shared["paid_by"], shared["units"]), ("shared", paid["id"], 0))
        self.assertEqual(asked(self.sandbox)["anchors"], 2)

    def test_an_answer_that_comes_while_its_call_waits_for_room(self):
        """It had joined, and could have owed more rows than other calls' holds leave. Now it is known how few it owes."""
        self.slow(query={"mode": "domain"}, delay_ms=5 * SLOW_MS)
        self.slow()
        tight = {"token": "7" * 40}
        holds = Background(self.proxy, target="held.example", mode="domain", limit=300, **tight)
        self.sandbox.wait(requests=3)
        asks = Background(self.proxy, target="small.example", limit=200, order_by="backlinks:desc")
        self.sandbox.wait(requests=5)
        waits = Background(self.proxy, target="small.example", limit=200, order_by="backlinks:desc", **tight)
        paid = self.charged(asks.answer(), 12)
        shared = self.charged(waits.answer(), 12)
        self.assertEqual((shared["via"], shared["paid_by"], shared["units"]), ("shared", paid["id"], 0))
        self.assertEqual(sum(entry["query"]["target"] == "small.example" for entry in self.sandbox.log()), 2)
        self.assertEqual(holds.answer().fault, None)

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

    def test_a_list_that_fails_takes_nothing_else_along(self):
        """The totals and the ratio that it had asked for are good: others who wait for them are served, and told nothing
        of the list."""
        for number, failure in enumerate(({"replace": {'"anchors"': '"rows"'}}, {"status": 400, "body": {"error": "bad where: mine"}})):
            with self.subTest(failure=failure):
                self.sandbox.reset()
                self.slow("backlinks-stats")
                self.sandbox.script({"match": "anchors", "query": {"limit": "7"}, **failure})
                call = {"target": f"odd{number}.example", "mode": "domain"}
                first = Background(self.proxy, limit=7, **call)
                self.sandbox.wait(requests=3)
                others = [Background(self.proxy, limit=2, order_by=order, **call) for order in ("backlinks", "refpages")]
                self.refused(first.answer(), "upstream_odd", 502)
                for other in others:
                    self.charged(other.answer(), 3)
                self.assertEqual(asked(self.sandbox), {"anchors": 3, "backlinks-stats": 1, "ratio": 1})

    def test_totals_that_fail(self):
        self.slow("backlinks-stats", status=500, body="broken")
        answers = self.proxy.many([{"target": "small.example", "having": f"backlinks>{n}"} for n in range(4)])
        for answer in answers:
            self.refused(answer, "upstream_down", 503)
        self.assertEqual(asked(self.sandbox)["backlinks-stats"], 1)


class LargeAnswer(OneProxy):
    """One that is written and copied beside the loop."""

    proxy_options = {"upstream": {"answer_ttl": "0", "stats_ttl": "0", "units_per_call": 0}}

    def test_one_request_for_all(self):
        self.sandbox.script({"match": "*", "times": 0, "delay_ms": SLOW_MS})
        calls = [{"target": "big.example", "limit": 20000, "output": output} for output in ("xml", "php") * 4]
        answers = self.proxy.many(calls)
        for output in (0, 1):
            self.assertEqual(len({answer.bytes for answer in answers[output::2]}), 1)
            self.assertGreater(len(answers[output].bytes), 1 << 20)
            words = sorted(answer.headers["x-anchorage-cache"] for answer in answers[output::2])
            self.assertEqual(words[1:], ["shared"] * 3)
        for answer in answers:
            self.charged(answer, answers[0].rows_charged)
        self.assertEqual(sum(answer.units for answer in answers), self.sandbox.state()["spent"])

    def test_those_who_wait_leave(self):
        self.sandbox.script({"match": "*", "times": 0, "delay_ms": SLOW_MS})
        first = Background(self.proxy, target="big.example", limit=20000)
        self.sandbox.wait(requests=1)
        others = [Background(self.proxy, target="big.example", limit=20000) for _ in range(3)]
        self.proxy.get(from_="subscription_info")  # the others have been read by now
        others[0].leave()
        answer = first.answer()
        for other in others[1:2]:
            self.assertEqual(other.answer().bytes, answer.bytes)
        others[2].leave()
        self.charged(answer, answer.rows_charged)


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


if __name__ == "__main__":
    unittest.main()
