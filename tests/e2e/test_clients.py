# SPDX-License-Identifier: MIT
"""Clients of all manners: those that leave, hurry, dawdle or come in crowds; and the end of the daemon under them."""
import socket
import struct
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage, OneProxy, read_answer
from sandbox import Sandbox

ROWS = {"match": "anchors", "query": {"order_by": "anchor:asc"}}


def request(path, method="GET", version="1.1", headers=""):
    return f"{method} {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n".encode()


class Manners(OneProxy):
    def path(self, **params):
        return self.proxy.params(params)

    def test_keep_alive_and_pipelining(self):
        data = b"".join(request(self.path(limit=limit)) for limit in (1, 2, 3, 4, 5))
        answers = self.proxy.raw(data, count=5)
        self.assertEqual([len(answer.anchors) for answer in answers], [1, 2, 3, 4, 5])
        self.assertEqual(len({answer.id for answer in answers}), 5)
        for answer in answers:
            self.charged(answer, 1 + len(answer.anchors))

    def test_a_fault_leaves_the_connection_open(self):
        answers = self.proxy.raw(request(self.path(where="x")) + request("/nope") + request(self.path(limit=1)), count=3)
        self.assertEqual([answer.fault for answer in answers], ["bad_where", "not_found", None])

    def test_byte_by_byte(self):
        with self.proxy.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request(self.path(limit=1)):
                connection.sendall(bytes([byte]))
            with connection.makefile("rb") as stream:
                self.assertEqual(len(read_answer(stream).anchors), 1)

    def test_head(self):
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request(self.path(limit=2), "HEAD") + request(self.path(limit=2)))
            head, get = read_answer(stream, "HEAD"), read_answer(stream)
        self.assertEqual((head.status, head.bytes, head.rows_charged, head.units), (200, b"", 0, 0))
        self.assertEqual(head.headers["content-type"], get.headers["content-type"])
        for name in ("content-length", "transfer-encoding", "x-results-count", "x-anchorage-cache"):
            self.assertNotIn(name, head.headers)

    def test_options(self):
        for path in ("*", "/", self.path()):
            answer = self.proxy.raw(request(path, "OPTIONS"))
            self.assertEqual(answer.status, 204)
            self.assertIn("GET", answer.headers["allow"])
        self.assertEqual(self.sandbox.log(), [])

    def test_other_methods(self):
        for method, status in (("PUT", 405), ("DELETE", 405), ("BREW", 501)):
            answer = self.proxy.raw(request(self.path(), method))
            self.assertEqual((answer.status, answer.fault), (status, "bad_request"))

    def test_http_1_0(self):
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request(self.path(limit=1), version="1.0"))
            answer = read_answer(stream)
            self.assertEqual(len(answer.anchors), 1)
            self.assertEqual(stream.read(), b"", "closed behind the answer")
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            for _ in range(2):
                connection.sendall(request(self.path(limit=1), version="1.0", headers="Connection: keep-alive\r\n"))
                self.assertEqual(len(read_answer(stream).anchors), 1)

    def test_connection_close(self):
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request(self.path(limit=1), headers="Connection: close\r\n") + request(self.path()))
            self.assertEqual(len(read_answer(stream).anchors), 1)
            self.assertEqual(stream.read(), b"")

    def test_limits_of_http(self):
        for data, status in ((b"GET /?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
                             (request("/", headers="".join(f"A{n}: b\r\n" for n in range(70))), 431),
                             (request("/", "POST", headers="Content-Length: 70000\r\n"), 413),
                             (request("/", "POST", headers="Transfer-Encoding: chunked\r\n"), 501),
                             (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505), (b"GET /\nHost: x\n\n", 400),
                             (request("/", headers="Host: y\r\n"), 400)):
            answer = self.proxy.raw(data)
            self.assertEqual((answer.status, answer.fault), (status, "bad_request"), data[:60])
            self.assertEqual(answer.headers["x-anchorage-rows"], "0")

    def leave(self, target, how):
        """Ask, wait until v3 is asked, go; the entries of the call once it is settled."""
        self.sandbox.script({**ROWS, "delay_ms": 300})
        seen = {entry["id"] for entry in self.proxy.ledger()}
        connection = self.proxy.connect()
        connection.sendall(request(self.path(target=target)))
        self.sandbox.wait(requests=1)
        how(connection)
        new = [entry for entry in self.proxy.ledger() if entry["id"] not in seen]
        self.assertTrue(new, "a hold is on disk before v3 is asked")
        return self.proxy.settled(new[0]["id"])

    def test_leaving_while_v3_works(self):
        def reset(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        for target, how in (("closes.example", lambda connection: connection.close()), ("resets.example", reset)):
            self.sandbox.reset()
            entries = self.leave(target, how)
            ends = [entry for entry in entries if entry["kind"] != "hold"]
            self.assertEqual(len(ends), 1, entries)
            self.assertEqual((ends[0]["kind"], ends[0]["rows"]), ("settle", 1 + ends[0]["results"]),
                             "v3 was asked and answered: who half closes must not be served for nothing")
            self.assertGreaterEqual(ends[0]["units"], self.sandbox.state()["spent"], "what v3 took is in the books")
        self.assertEqual(self.proxy.usage()["seo"]["rows_held"], 0)

    def test_leaving_before_the_request_is_whole(self):
        before = len(self.proxy.ledger())
        with self.proxy.connect() as connection:
            connection.sendall(request(self.path())[:-4])
        self.assertEqual(self.proxy.get(limit=0, token="x").fault, "unknown_key")
        self.assertEqual((len(self.proxy.ledger()), self.sandbox.log()), (before, []))

    def test_leaving_while_the_answer_is_written(self):
        """It was charged before its first byte left, and stays charged."""
        rows = self.proxy.usage().get("seo", {"rows": 0})["rows"]
        with self.proxy.connect() as connection:
            connection.sendall(request(self.path(target="lower.example")))
            self.assertEqual(len(connection.recv(20)), 20)
        self.assertEqual(self.proxy.usage()["seo"]["rows"], rows + 201)

    def test_many_at_once(self):
        answers = self.proxy.many([{"target": f"crowd{n % 7}.example", "limit": 1 + n % 5} for n in range(60)])
        self.assertEqual({answer.status for answer in answers}, {200})
        for n, answer in enumerate(answers):
            self.assertLessEqual(len(answer.anchors), 1 + n % 5)
            self.assertEqual(answer.rows_charged, 1 + len(answer.anchors))
        self.proxy.ledger()
        for answer in answers:
            settles = [e for e in self.proxy.known_entries(answer.id) if e["kind"] == "settle"]
            self.assertEqual([e["rows"] for e in settles], [answer.rows_charged])
        self.assertEqual(sum(answer.units for answer in answers), self.sandbox.state()["spent"])
        self.proxy.run("ledger", "verify", check=0)


class Alone(unittest.TestCase):
    def test_the_end_waits_for_a_call(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            sandbox.script({**ROWS, "delay_ms": 700})
            with proxy.connect() as idle, proxy.connect() as busy, busy.makefile("rb") as stream:
                busy.sendall(request(proxy.params({})))
                sandbox.wait(requests=1)
                proxy.terminate()
                self.assertEqual(read_answer(stream).status, 200)
                self.assertEqual(stream.read(), b"")
                proxy.finish()
                self.assertEqual(idle.recv(1), b"")
            with self.assertRaises(OSError):
                proxy.connect()
            ends = [entry for entry in proxy.ledger() if entry["kind"] not in ("hold", "note")]
            self.assertEqual([entry["kind"] for entry in ends], ["settle"])
            self.assertEqual(proxy.usage()["seo"]["rows_held"], 0)

    def test_the_end_does_not_wait_for_ever(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"drain_timeout": "300ms"}) as proxy:
            sandbox.script({**ROWS, "stall": True})
            with proxy.connect() as busy:
                busy.sendall(request(proxy.params({})))
                sandbox.wait(requests=1)
                proxy.terminate()
                proxy.finish()
            ends = [entry for entry in proxy.ledger() if entry["kind"] not in ("hold", "note")]
            self.assertEqual([(entry["kind"], entry["rows"]) for entry in ends][-1:], [("unknown", 0)], ends)
            self.assertEqual(proxy.usage()["seo"]["rows_held"], 0)

    def test_killed_with_a_call_in_flight(self):
        """The hold becomes unknown: no rows, the units that may have been taken; before anyone is served again."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            good = proxy.get(limit=2)
            sandbox.reset()
            sandbox.script({**ROWS, "stall": True})
            with proxy.connect() as busy:
                busy.sendall(request(proxy.params({})))
                sandbox.wait(requests=1)
                proxy.kill()
            proxy.start()
            ends = [entry for entry in proxy.ledger() if entry["kind"] in ("settle", "unknown", "release")]
            self.assertEqual([(entry["kind"], entry["rows"]) for entry in ends],
                             [("settle", good.rows_charged), ("unknown", 0)])
            self.assertEqual(proxy.usage()["seo"]["rows"], good.rows_charged)
            self.assertGreaterEqual(proxy.usage()["seo"]["units"], sandbox.state()["spent"])
            self.assertEqual(proxy.get(limit=1).status, 200)
            proxy.run("ledger", "verify", check=0)

    def crowd(self, calls, sandbox=None, **options):
        with Sandbox(today=None, **(sandbox or {})) as box, Anchorage(box, **options) as proxy:
            answers = proxy.many(calls)
            usage = proxy.usage()
            self.assertEqual(sum(item["rows_held"] for item in usage.values()), 0)
            self.assertEqual(sum(item["rows"] for item in usage.values()),
                             sum(answer.rows_charged for answer in answers))
            self.assertEqual(sum(item["units"] for item in usage.values()), box.state()["spent"])
            proxy.run("ledger", "verify", check=0)
            return answers, usage, box.log(), box.state()["spent"]

    def test_concurrency_of_a_team(self):
        calls = [{"target": f"t{n}.example", "limit": 1} for n in range(12)]
        answers, _, log, _ = self.crowd(calls, {"latency": "50ms"}, teams={"seo": {"concurrency": 2}},
                                        fidelity={"stats": "zero"})
        self.assertEqual({answer.status for answer in answers}, {200})
        edges = sorted([(entry["at_ms"], 1) for entry in log] + [(entry["at_ms"] + entry["ms"], -1) for entry in log])
        flying = most = 0
        for _, edge in edges:
            flying += edge
            most = max(most, flying)
        self.assertLessEqual(most, 2)

    def test_too_busy_is_said_after_queue_timeout(self):
        calls = [{"target": f"t{n}.example", "limit": 1} for n in range(6)]
        answers, _, log, _ = self.crowd(calls, {"latency": "1s"}, teams={"seo": {"concurrency": 1}},
                                        proxy={"queue_timeout": "200ms"}, fidelity={"stats": "zero"})
        faults = sorted(answer.fault or "" for answer in answers)
        self.assertEqual(faults, [""] + ["too_busy"] * 5)
        self.assertEqual(len(log), 1)

    def test_one_team_does_not_hold_up_another(self):
        with Sandbox(today=None) as box, Anchorage(
                box, teams={"seo": {"concurrency": 1}, "ads": {}}, keys=[("seo", TOKEN), ("ads", OTHER_TOKEN)]) as proxy:
            box.script({**ROWS, "query": {"target": "slow.example"}, "delay_ms": 1500})
            with proxy.connect() as slow:
                slow.sendall(request(proxy.params({"target": "slow.example"})))
                box.wait(requests=1)
                self.assertEqual(proxy.get(token=OTHER_TOKEN).status, 200)
                slow.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    slow.recv(1)

    def test_rows_of_a_month_are_never_passed(self):
        calls = [{"target": f"t{n}.example", "limit": 3} for n in range(30)]
        answers, usage, _, _ = self.crowd(calls, {"latency": "20ms"}, teams={"seo": {"rows_per_month": 41}},
                                          proxy={"queue_timeout": "5s"}, fidelity={"stats": "zero"})
        self.assertLessEqual(usage["seo"]["rows"], 41)
        self.assertGreater(usage["seo"]["rows"], 41 - 4, "what is left is not wasted")
        self.assertEqual({answer.fault for answer in answers}, {None, "out_of_rows"})

    def test_units_of_a_month_are_never_passed(self):
        for options in ({"teams": {"seo": {"units_per_month": 520}}}, {"upstream": {"units_per_month": 520}}):
            calls = [{"target": f"t{n}.example", "limit": 2} for n in range(30)]
            answers, _, _, spent = self.crowd(calls, {"latency": "20ms"}, fidelity={"stats": "zero"}, **options)
            self.assertLessEqual(spent, 520)
            self.assertGreater(spent, 520 - 50, "what is left is not wasted")
            self.assertEqual({answer.fault for answer in answers}, {None, "out_of_units"})

    def test_units_of_a_call_are_never_passed(self):
        calls = [{"target": "big.example", "limit": limit} for limit in (10, 100, 150, 400, 1000)]
        upstream = {"units_per_call": 1000, "max_rows_per_request": 50, "answer_ttl": "0"}  # else they share pages
        answers, _, _, _ = self.crowd(calls, upstream=upstream, fidelity={"stats": "zero"})
        for answer in answers:
            self.assertLessEqual(answer.units, 1000)
        self.assertEqual([answer.fault for answer in answers], [None] * 5)
        self.assertEqual(["rows" in answer.marks for answer in answers], [False, False, True, True, True])


if __name__ == "__main__":
    unittest.main()
