# SPDX-License-Identifier: MIT
"""More than the proxy takes at once: memory that all calls share, and when to come again."""
import select
import time
import unittest

from anchorage import Anchorage, read_answer
from sandbox import Sandbox
from test_sharing import Background


class Busy(unittest.TestCase):
    def test_retry_after_is_honest(self):
        """Calls take two seconds, one runs, more wait than queue_timeout allows: they are told to come when those
        before them will have ended."""
        with Sandbox(today=None, latency="2s") as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "300ms"}, upstream={"answer_ttl": "0"},
                          fidelity={"stats": "zero"}, teams={"seo": {"concurrency": 1}}) as proxy:
            self.assertEqual(proxy.get(target="small.example").status, 200)
            answers = proxy.many([{"target": "small.example", "limit": n + 1} for n in range(5)])
            busy = [answer for answer in answers if answer.fault]
            self.assertEqual(({answer.fault for answer in busy}, len(busy)), ({"too_busy"}, 4))
            seconds = sorted(int(answer.headers["retry-after"]) for answer in busy)
            self.assertGreaterEqual(seconds[-1], 3, seconds)
            self.assertLessEqual(seconds[-1], 9, seconds)

    def test_nothing_is_paid_in_vain(self):
        """More calls than the rate lets out: those that have begun get all that they need, the others nothing."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "1s"}, upstream={"requests_per_minute": 1200},
                          teams={"seo": {"concurrency": 100}}) as proxy:
            waves = []
            for wave in range(8):  # the line is full all the time
                waves += [Background(proxy, target=f"t{wave}-{n}.example", limit=5) for n in range(8)]
                time.sleep(0.2)
            answers = [call.answer() for call in waves]
            self.assertEqual({answer.fault for answer in answers}, {None, "too_busy"})
            self.assertEqual({answer.units for answer in answers if answer.fault}, {0})
            self.assertGreaterEqual(sum(not answer.fault for answer in answers), 10)
            self.assertEqual(sandbox.state()["spent"], sum(answer.units for answer in answers))

    def test_who_waits_only_for_the_machine_is_not_refused(self):
        """More comes back at once than a round of the loop works on: others begin some milliseconds later, and
        queue_timeout, which is about the waits for other calls, has nothing to say there."""
        with Sandbox(today=None, units="unlimited") as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "0s"}, fidelity={"stats": "zero"},
                          teams={"seo": {"concurrency": 1000}}) as proxy:
            calls = [proxy.connect() for _ in range(300)]
            for number, connection in enumerate(calls):
                params = proxy.params({"target": f"big{number}.example", "limit": 1000})
                connection.sendall(f"GET {params} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            faults = []
            for connection in calls:
                with connection, connection.makefile("rb") as stream:
                    faults.append(read_answer(stream).fault)
            self.assertEqual(faults, [None] * len(calls))

    def test_a_page_waits_for_the_rate_as_long_as_its_call_may(self):
        """The first page is paid; what is paid is not given up for a wait that call_timeout allows."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "100ms"}, fidelity={"stats": "zero"},
                          upstream={"requests_per_minute": 120, "max_rows_per_request": 100}) as proxy:
            while (answer := proxy.get(target="big.example", limit=300)).fault and not answer.units:
                time.sleep(0.2)  # the first request has to wait, too
            self.assertEqual((answer.fault, len(answer.anchors)), (None, 300), answer)

    def test_queue_timeout_counts_all_tries(self):
        """A call waits for room in its team's limit, and has a new try whenever another one ends: that does not make
        its time longer."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"queue_timeout": "300ms"}, fidelity={"stats": "zero"},
                          upstream={"answer_ttl": "0"}, teams={"seo": {"rows_per_month": 1000}}) as proxy:
            sandbox.script({"match": "anchors", "query": {"target": "big.example"}, "delay_ms": 2500})
            holds = Background(proxy, target="big.example", limit=400)
            sandbox.wait(requests=1)
            began = time.monotonic()
            waits = Background(proxy, target="lower.example", limit=700)
            while not select.select([waits.connection], [], [], 0.05)[0] and time.monotonic() < began + 2:
                self.assertEqual(proxy.get(target="one.example", limit=1).status, 200)
            answer = waits.answer()
            self.assertEqual((answer.fault, answer.rows_charged), ("too_busy", 0), answer)
            self.assertLess(time.monotonic() - began, 2)
            holds.leave()

    LIMITED = {"proxy": {"queue_timeout": "100ms"}, "fidelity": {"stats": "zero"},
               "upstream": {"max_rows_per_request": 100, "answer_ttl": "0"}, "teams": {"seo": {"rows_per_month": 210}}}

    def test_what_is_set_aside_for_later_pages_is_no_other_calls(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, **self.LIMITED) as proxy:
            sandbox.script({"match": "anchors", "query": {"target": "big.example"}, "delay_ms": 1500})
            pages = Background(proxy, target="big.example", limit=150)
            sandbox.wait(requests=1)
            other = proxy.get(target="small.example", limit=100)
            self.assertEqual((other.fault, other.units, sandbox.state()["seen"]), ("too_busy", 0, 1), other)
            answer = pages.answer()
            self.assertEqual((answer.fault, len(answer.anchors)), (None, 150), answer)
            self.assertIsNone(proxy.get(target="small.example", limit=50).fault)

    def test_who_would_need_what_another_holds_waits_before_it_pays(self):
        """Both would have paid in vain. The other one ends within queue_timeout, or this one is refused unasked."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, **self.LIMITED) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 300}, {"match": "anchors", "delay_ms": 300})
            calls = [Background(proxy, target="big.example", limit=150, order_by=order) for order in ("backlinks:desc", "anchor")]
            answers = sorted([call.answer() for call in calls], key=lambda answer: bool(answer.fault))
            self.assertEqual([answer.fault for answer in answers], [None, "too_busy"], answers)
            self.assertEqual([len(answers[0].anchors), answers[1].units], [150, 0])

    def test_who_has_joined_holds_nothing_that_it_needs(self):
        options = self.LIMITED | {"upstream": {"max_rows_per_request": 100}, "teams": {"seo": {"rows_per_month": 280}}}
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, **options) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 500})
            leads = Background(proxy, target="lower.example", limit=150)
            sandbox.wait(requests=1)
            joins = Background(proxy, target="lower.example", limit=150)
            answer = leads.answer()
            self.assertEqual((answer.fault, len(answer.anchors), answer.rows_charged), (None, 150, 151), answer)
            answer = joins.answer()
            self.assertTrue(answer.fault == "too_busy" or answer.rows_charged == 129, answer)
            self.assertEqual(answer.units, 0)


class Memory(unittest.TestCase):
    OPTIONS = {"fidelity": {"stats": "zero"}, "upstream": {"units_per_call": 0, "answer_ttl": "0"}}
    CALLS = [{"target": "big.example", "limit": 2500 + n, "order_by": "backlinks:desc"} for n in range(11)]

    def test_calls_wait_for_memory(self):
        """What each may need is set aside before v3 is asked: not all at once, but all."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16"}, **self.OPTIONS) as proxy:
            for call, answer in zip(self.CALLS, proxy.many(self.CALLS)):
                self.assertEqual((answer.status, len(answer.anchors)), (200, call["limit"]), answer)

    def test_no_memory_in_time(self):
        """Who cannot get it within queue_timeout is refused before anything is spent."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16", "queue_timeout": "100ms"}, **self.OPTIONS) as proxy:
            sandbox.script({"match": "anchors", "times": 0, "delay_ms": 1000})
            answers = proxy.many(self.CALLS)
            self.assertEqual({answer.fault for answer in answers}, {None, "too_busy"}, answers)
            for answer in answers:
                if answer.fault:
                    self.assertEqual((answer.status, answer.rows_charged, answer.units), (503, 0, 0), answer)
                    self.assertRegex(answer.headers["retry-after"], "^[1-9][0-9]*$")
            self.assertEqual(len(sandbox.log()), sum(answer.status == 200 for answer in answers))

    def test_copies_of_an_answer_wait_for_memory(self):
        """Calls that join one hold nothing until its answer is there, and then more together than there is."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16"}, teams={"seo": {"concurrency": 100}},
                          **self.OPTIONS) as proxy:
            sandbox.script({"match": "anchors", "delay_ms": 300})
            call = {"target": "big.example", "limit": 5000, "order_by": "backlinks:desc"}
            answers = proxy.many([call] * 40)
            self.assertEqual({(answer.status, len(answer.anchors)) for answer in answers}, {(200, 5000)})
            self.assertGreater(sum(len(answer.bytes) for answer in answers), 16 << 20)
            self.assertEqual(len(sandbox.log()), 1)

    def test_an_answer_that_does_not_fit(self):
        """Half a gibibyte of nothing is not read to its end either."""
        with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, \
                Anchorage(sandbox, proxy={"call_memory": "16"}, fidelity={"stats": "zero"},
                          upstream={"units_per_call": 0}) as proxy:
            sandbox.script({"match": "anchors", "flood": 1 << 29})
            answer = proxy.get(target="big.example", limit=10)
            self.assertEqual((answer.status, answer.fault, answer.rows_charged), (502, "upstream_odd", 0), answer)
            self.assertEqual(proxy.get(target="one.example").status, 200)


if __name__ == "__main__":
    unittest.main()
