# SPDX-License-Identifier: MIT
"""Calls whose clients leave, or whose time is over, at the worst moment."""
import signal
import time
import unittest

from anchorage import Anchorage
from sandbox import Sandbox
from test_sharing import Background

QUIET = {"stats": "zero"}


class AtTheEndOfTheirTime(unittest.TestCase):
    def test_clients_with_the_same_timeout_as_the_proxy(self):
        """Each leaves about when its call_timeout is over: the end of its call is on its way to the disk then, and must
        not come twice."""
        seconds, count = 0.6, 120
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"call_timeout": f"{seconds * 1000:.0f}ms"}, upstream={"answer_ttl": "0"},
                          teams={"seo": {"concurrency": count + 1}}, fidelity=QUIET) as proxy:
            for turn in range(2):
                sandbox.script({"match": "anchors", "stall": True})
                first = Background(proxy, target="lower.example")
                sandbox.wait(requests=turn + 1)
                joined = [(time.monotonic(), Background(proxy, target="lower.example")) for _ in range(count)]
                for number, (began, client) in enumerate(joined):
                    leaves = began + seconds - 0.012 + number * 0.016 / count  # the moment is what is tested
                    time.sleep(max(0, leaves - time.monotonic()))
                    client.leave()
                self.assertEqual(first.answer().fault, "upstream_late")
            proxy.stop()
            ends = {}
            for entry in proxy.ledger():
                if entry["target"] == "lower.example" and entry["kind"] != "hold":
                    ends.setdefault(entry["id"], []).append(entry["kind"])
            self.assertEqual([kinds for kinds in ends.values() if len(kinds) != 1], [])
            self.assertEqual(len(ends), 2 * (count + 1))
            self.assertIn(["release"], ends.values())  # on a busy machine most are late


class BetweenPages(unittest.TestCase):
    OPTIONS = {"upstream": {"max_rows_per_request": 50}, "fidelity": QUIET}

    def test_who_leaves_while_waiting_for_room_is_done_at_once(self):
        """The rest of the team's limit is held by another call. When that ends, nothing is bought for nobody."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, fidelity=QUIET, upstream={"max_rows_per_request": 100},
                          teams={"seo": {"rows_per_month": 210}}) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 500})
            pages = Background(proxy, target="lower.example", limit=150)
            sandbox.wait(requests=1)
            waits = Background(proxy, target="small.example", limit=100)
            proxy.get(from_="subscription_info")  # it has been read
            waits.leave()
            self.assertEqual(pages.answer().fault, None)
            time.sleep(0.3)  # in which it would be asked for
            self.assertEqual({entry["query"]["target"] for entry in sandbox.log()}, {"lower.example"})
            self.assertEqual([e for e in proxy.ledger() if e["target"] == "small.example"], [])

    def test_who_leaves_while_a_later_page_is_written_into_the_books(self):
        """The proxy finds the end of a page and that of its client at once: the hold for the next page is on its way."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, fidelity=QUIET, upstream={"max_rows_per_request": 100}) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 200})
            client = Background(proxy, target="big.example", limit=250)
            sandbox.wait(requests=1)
            proxy.process.send_signal(signal.SIGSTOP)
            sandbox.wait(requests=1, finished=1)
            client.leave()
            proxy.process.send_signal(signal.SIGCONT)
            id = next(entry["id"] for entry in proxy.ledger() if entry["kind"] == "hold")
            [end] = [entry for entry in proxy.settled(id) if entry["kind"] != "hold"]
            self.assertEqual((end["kind"], end["rows"], end["units"]), ("settle", 99, 900))
            self.assertEqual(len(sandbox.log()), 1)

    def test_pages_that_nobody_wants_are_not_asked_for(self):
        """The page under way is paid for, its rows are owed, and it serves the next call."""
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox, **self.OPTIONS) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 300})
            client = Background(proxy, target="lower.example")
            sandbox.wait(requests=1)
            client.leave()
            id = next(entry["id"] for entry in proxy.ledger() if entry["kind"] == "hold")
            [end] = [entry for entry in proxy.settled(id) if entry["kind"] != "hold"]
            self.assertEqual((end["kind"], end["rows"], end["results"], end["units"], end["fault"]),
                             ("settle", 51, 50, 450, "too_busy"))
            self.assertEqual(len(sandbox.log()), 1)
            self.assertEqual(proxy.get(target="lower.example").rows_charged, 187)
            self.assertEqual(sum(entry["rows"] for entry in sandbox.log()), 186)

    def test_only_what_the_call_itself_has_brought_is_owed(self):
        """Rows that were remembered are of the call that asked for them, rows that `offset` skips are in no answer, and
        clauses cost what they cost."""
        calls = [({"limit": 500}, 50 + 1), ({"offset": 30, "where": "backlinks>0"}, 20 + 1 + 5),
                 ({"offset": 30, "having": "refdomains>1", "where": "backlinks>0"}, 20 + 1 + 5 + 5),
                 ({"offset": 150, "where": "backlinks>1"}, 0)]
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox, **self.OPTIONS) as proxy:
            proxy.get(target="lower.example", limit=60)
            for number, (call, _) in enumerate(calls):
                sandbox.script({"match": "anchors", "delay_ms": 200})
                client = Background(proxy, target="lower.example", **call)
                sandbox.wait(requests=3 + number)
                client.leave()
                sandbox.wait(requests=3 + number, finished=3 + number)
            proxy.stop()
            ends = [entry for entry in proxy.ledger() if entry["fault"] == "too_busy"]
            self.assertEqual([entry["rows"] for entry in ends], [rows for _, rows in calls])
            self.assertEqual({(entry["kind"], entry["units"] > 0) for entry in ends}, {("settle", True)})

    def test_pages_that_another_call_waits_for(self):
        with Sandbox(today=None, anchor_case="fold") as sandbox, Anchorage(sandbox, **self.OPTIONS) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 300})
            client = Background(proxy, target="lower.example")
            sandbox.wait(requests=1)
            joins = Background(proxy, target="lower.example")
            proxy.get(from_="subscription_info")  # it has been read
            client.leave()
            answer = joins.answer()
            self.assertEqual((answer.rows_charged, answer.units), (187, 0), answer)
            self.assertEqual(sum(entry["rows"] for entry in sandbox.log()), 186)


class WhileDraining(unittest.TestCase):
    def test_a_call_without_a_client_is_brought_to_its_end(self):
        """No connection is left, but v3 is at work: the daemon ends when the price is known and booked."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, fidelity=QUIET) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 500})
            client = Background(proxy, target="lower.example", limit=20)
            sandbox.wait(requests=1)
            client.leave()
            proxy.get(from_="subscription_info")  # it has been seen
            proxy.stop()
            [hold, end] = [entry for entry in proxy.ledger() if entry["kind"] != "note"]
            self.assertEqual((hold["kind"], end["kind"], end["units"], end["rows"]),
                             ("hold", "settle", sandbox.state()["spent"], 21))


if __name__ == "__main__":
    unittest.main()
