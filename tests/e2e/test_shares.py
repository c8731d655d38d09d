# SPDX-License-Identifier: MIT
"""No pot without shares: one team takes all that it can get of the memory, or of the units of the whole; a call of another
team is served while that team's calls still run or wait."""
import re
import select
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage
from sandbox import Sandbox
from test_sharing import Background

KEYS = [("seo", TOKEN), ("ads", OTHER_TOKEN)]
MINUTE_MS = 60000
OWN_MEMORY = "the team's other calls under way may need its share of the memory that calls may have"
OWN_WAITING = "the team's other calls hold its share of the memory that calls may have"
OWN_UNITS = "the team's other calls under way hold its share of the units that are left: half of what other teams leave"
OTHERS_UNITS = "other teams' calls under way hold the units that are left"


def has_ended(call):
    return bool(select.select([call.connection], [], [], 0)[0])


class Posted(Background):
    """A call whose parameters are too long for a request line."""

    def __init__(self, proxy, **params):  # pylint: disable=super-init-not-called
        body = proxy.params(params)[2:]
        self.connection = proxy.connect()
        self.connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                                f"Content-Length: {len(body)}\r\n\r\n{body}".encode())


class Shares(unittest.TestCase):
    def start(self, proxy=None, upstream=None, teams=None, keys=KEYS, **slow):
        """A proxy of two teams before a v3 that answers the lists of big.example, or of what `slow` says, in a minute."""
        sandbox = Sandbox(today=None, units="unlimited")
        sandbox.start()
        self.addCleanup(sandbox.stop)
        sandbox.script({"match": "anchors", "query": {"target": "big.example"}, "times": 0, "delay_ms": MINUTE_MS, **slow})
        served = Anchorage(sandbox, proxy=proxy, upstream={"units_per_call": 0, "answer_ttl": "0", **(upstream or {})},
                           fidelity={"stats": "zero"}, teams=teams or {"seo": {}, "ads": {}}, keys=keys)
        self.addCleanup(served.close)
        self.addCleanup(sandbox.stop)  # before: what is under way ends with it
        served.start()
        return sandbox, served

    def flood(self, proxy, n, kind=Background, limit=1000, **params):
        calls = [kind(proxy, **{"target": "big.example", "limit": limit + i, **params}) for i in range(n)]
        for call in calls:
            self.addCleanup(call.leave)
        return calls

    def test_memory_that_is_promised(self):
        """Eight calls with a limit of millions may come to need all that calls are promised."""
        sandbox, proxy = self.start(proxy={"call_memory": "16", "queue_timeout": "3s", "free_targets": "big.example"})
        calls = [Background(proxy, target="big.example", limit=5000000, order_by=order, where=where)
                 for order in ("backlinks:desc", "anchor") for where in ("backlinks>0", "backlinks>1", "backlinks>2", "backlinks>3")]
        for call in calls:
            self.addCleanup(call.leave)
        sandbox.wait(requests=4)
        answer = proxy.get(target="small.example", limit=5, token=OTHER_TOKEN)
        self.assertIsNone(answer.fault, answer)
        self.assertFalse(any(has_ended(call) for call in calls), "it was served beside them")
        ready = select.select([call.connection for call in calls], [], [], 10)[0]
        answer = next(call for call in calls if call.connection in ready).answer()
        self.assertEqual((answer.fault, answer.json["error"], answer.units), ("too_busy", OWN_MEMORY, 0), answer)

    def test_calls_that_wait_for_their_turn(self):
        """Their plans hold memory, too: 150 with a long having are more than there is."""
        _, proxy = self.start(proxy={"call_memory": "16"}, teams={"seo": {"concurrency": 1}, "ads": {}})
        calls = self.flood(proxy, 150, kind=Posted, having=f'anchor:"{"x" * 15000}"')
        while not any(has_ended(call) for call in calls):
            select.select([call.connection for call in calls], [], [], 1)
        answer = proxy.get(target="small.example", limit=5, token=OTHER_TOKEN)
        self.assertIsNone(answer.fault, answer)
        refused = [call.answer() for call in calls if has_ended(call)]
        self.assertLess(len(refused), 150)
        for answer in refused:
            self.assertEqual((answer.status, answer.fault, answer.json["error"]), (503, "too_busy", OWN_WAITING), answer)
            self.assertRegex(answer.headers["retry-after"], "^[1-9][0-9]*$")
        head = proxy.get(method="HEAD", target="small.example")
        self.assertEqual((head.status, head.fault), (200, None), head)
        wrong = proxy.get(target="small.example", having="no_column>1")
        self.assertEqual(wrong.fault, "bad_having", "what is wrong is told before memory is looked at")

    def test_units_that_are_held(self):
        """28 large holds are more than the whole has left."""
        sandbox, proxy = self.start(proxy={"queue_timeout": "2s"}, upstream={"units_per_month": 100000})
        calls = self.flood(proxy, 28)
        sandbox.wait(requests=4)  # each has set its allowance aside as well
        answer = proxy.get(target="small.example", limit=1000, token=OTHER_TOKEN)
        self.assertIsNone(answer.fault, answer)
        self.assertFalse(any(has_ended(call) for call in calls), "it was served beside them")
        ready = select.select([call.connection for call in calls], [], [], 10)[0]
        answer = next(call for call in calls if call.connection in ready).answer()
        self.assertEqual((answer.fault, answer.json["error"], answer.units), ("too_busy", OWN_UNITS, 0), answer)
        held = sum(entry["units"] for entry in proxy.ledger() if entry["kind"] == "hold" and entry["team"] == "seo")
        self.assertEqual(held, 9000 * 4 + 9 * (0 + 1 + 2 + 3))

    def test_the_last_units_can_be_spent(self):
        """A team that holds nothing may begin one call that fits, however large; who then waits is told for whom."""
        sandbox, proxy = self.start(proxy={"queue_timeout": "300ms"}, upstream={"units_per_month": 10000})
        self.flood(proxy, 1)
        sandbox.wait(requests=1)
        answer = proxy.get(target="small.example", limit=1000, token=OTHER_TOKEN)
        self.assertEqual((answer.fault, answer.json["error"]), ("too_busy", OTHERS_UNITS), answer)

    def test_teams_take_turns_at_what_is_left(self):
        """Each of many calls may take all that is left, one behind the other; a call of another team does not wait for
        all of them, though they were there before it."""
        sandbox, proxy = self.start(upstream={"units_per_month": 100000}, delay_ms=300, query={"target": "lower.example"})
        calls = self.flood(proxy, 12, target="lower.example", limit=100000)
        sandbox.wait(requests=1)
        answer = proxy.get(target="small.example", limit=5, token=OTHER_TOKEN)
        self.assertIsNone(answer.fault, answer)
        self.assertLessEqual(sum(has_ended(call) for call in calls), 3)
        for call in calls:
            self.assertEqual(len(call.answer().anchors), 200)

    def test_the_only_team_has_all(self):
        sandbox, proxy = self.start(upstream={"units_per_month": 100000}, teams={"seo": {}, "*": {}}, keys=KEYS[:1])
        self.flood(proxy, 28)
        sandbox.wait(requests=8)

    def test_a_reload_brings_shares(self):
        sandbox, proxy = self.start(proxy={"queue_timeout": "300ms"}, upstream={"units_per_month": 100000},
                                    teams={"seo": {}}, keys=KEYS[:1])
        self.flood(proxy, 6)
        sandbox.wait(requests=6)
        proxy.reload(**{"team ads": {}})
        proxy.run("key", "add", "--team", "ads", "--token", OTHER_TOKEN, check=0)
        answer = proxy.get(target="small.example", limit=1000)
        self.assertEqual((answer.fault, answer.json["error"]), ("too_busy", OWN_UNITS), answer)
        self.assertIsNone(proxy.get(target="small.example", limit=1000, token=OTHER_TOKEN).fault)

    def test_check_warns(self):
        """Of each team without a limit of units beside others, where the whole has one."""
        def warned(whole, teams):
            with Anchorage("http://127.0.0.1:1", upstream={"units_per_month": whole}, teams=teams) as proxy:
                done = proxy.run("check", check=0)
                self.assertIn("fine", done.stdout)
                self.assertEqual(proxy.run("check", "--reload", check=0).stderr, done.stderr)
                pattern = (r"anchorage.conf:\d+: warning: \[team (\S+)\] has no units_per_month and can use up those of all "
                           "teams; a limit of its own$")
                lines = done.stderr.splitlines()
                return [re.search(pattern, line)[1] for line in lines]

        self.assertEqual(warned(100000, {"seo": {}, "ads": {"units_per_month": 500}, "web": {}}), ["seo", "web"])
        self.assertEqual(warned(100000, {"seo": {}}), [])
        self.assertEqual(warned(100000, {"seo": {}, "*": {}}), [])
        self.assertEqual(warned("unlimited", {"seo": {}, "ads": {}}), [])
        self.assertEqual(warned(100000, {"seo": {"units_per_month": 0}, "ads": {"units_per_month": 1}}), [])


if __name__ == "__main__":
    unittest.main()
