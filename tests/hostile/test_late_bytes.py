# SPDX-License-Identifier: MIT
"""Bytes that API v3, or a balancer before it, sends on a kept connection while nothing is asked. They were taken for the
answer to the next request: another team's, with another price, and then remembered. Such a connection is closed at once,
nothing that came on it is believed, and the next call gets its own answer, on another connection."""
import os
import signal
import subprocess
import tempfile
import threading
import unittest

from anchorage import Anchorage, PATIENCE
from fake_v3 import CLOSE, RESET, FakeV3, answer, rows

PRICE = "x-api-units-cost-total-actual: "
POISON = answer(rows("poison"), headers=[PRICE + "12345"])
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LATE = {
    "a whole answer": POISON,
    "half an answer": POISON[:len(POISON) // 2],
    "a status line": b"HTTP/1.1 200 OK\r\n",
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a 408": TIMEOUT,
    "one byte": b"\n",
    "garbage": bytes(range(256)) * 8,
    "more than a buffer": b" " * 200000,
}


def one(anchor):
    return answer(rows(anchor), headers=[PRICE + "50"])


def named(connection, request):
    """The anchor of the answer is the target that was asked for: whoever gets another's answer sees it."""
    target = request.path.split("target=")[1].split("&")[0]
    return connection.send(one(target))


def certificate(folder):
    paths = os.path.join(folder, "v3.crt"), os.path.join(folder, "v3.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=v3", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


class LateBytes(unittest.TestCase):
    def proxy(self, v3, **upstream):
        return Anchorage(v3.url, fidelity={"stats": "zero"}, upstream=upstream)

    def right(self, proxy, target, units=50):
        got = proxy.get(target=target, limit=1)
        self.assertIsNone(got.fault, got)
        self.assertEqual([row["anchor"] for row in got.anchors], [target])
        self.assertEqual((got.units, got.rows_charged), (units, 2), got)
        entry = proxy.settled(got.id)[-1]
        self.assertEqual((entry["kind"], entry["units"]), ("settle", units), entry)

    def closed(self, connection, why):
        self.assertTrue(connection.ended.wait(PATIENCE), f"{why}: the connection is still open")

    def play_late(self, tls=None, **upstream):
        for close in False, True:
            with FakeV3(named, tls=tls) as v3, self.proxy(v3, **upstream) as proxy:
                for number, (name, late) in enumerate(LATE.items()):
                    self.right(proxy, f"before{number}.example")
                    connection = v3.connections[-1]
                    connection.send(late)
                    if close:
                        connection.close()
                    self.closed(connection, name)
                    self.right(proxy, f"after{number}.example")
                    self.assertEqual(len(v3.connections), number + 2, f"{name}: the next call has one of its own")
                    self.assertEqual(len(v3.requests), 2 * number + 2)
                answers = [proxy.get(target=f"after{number}.example", limit=1) for number in range(len(LATE))]
                for number, got in enumerate(answers):
                    self.assertEqual(got.headers["x-anchorage-cache"], "hit")
                    self.assertEqual(got.anchors[0]["anchor"], f"after{number}.example")

    def test_late_bytes(self):
        self.play_late()

    def test_late_bytes_over_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            tls = certificate(folder)
            self.play_late(tls, ca_file=tls[0])

    def test_connections_are_kept(self):
        """With and without TLS, whose session tickets come unasked, too."""
        with tempfile.TemporaryDirectory() as folder:
            certificate_and_key = certificate(folder)
            for tls in None, certificate_and_key:
                more = {"ca_file": tls[0]} if tls else {}
                with FakeV3(named, tls=tls) as v3, self.proxy(v3, **more) as proxy:
                    for number in range(20):
                        self.right(proxy, f"t{number}.example")
                    self.assertEqual(len(v3.connections), 1)
                    if tls:
                        self.assertEqual(v3.connections[0].socket.version(), "TLSv1.3")

    def test_late_bytes_beside_the_next_call(self):
        """The bytes and the call come in the same round of the loop."""
        with FakeV3(named) as v3, self.proxy(v3) as proxy:
            for number in range(10):
                self.right(proxy, f"before{number}.example")
                proxy.process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, proxy.process.pid, os.WSTOPPED)
                v3.connections[-1].send(POISON)
                got = []
                caller = threading.Thread(target=lambda: got.append(
                    proxy.get(target=f"beside{number}.example", limit=1)))  # pylint: disable=cell-var-from-loop
                caller.start()
                proxy.process.send_signal(signal.SIGCONT)
                caller.join()
                self.assertIsNone(got[0].fault, got)
                self.assertEqual((got[0].anchors[0]["anchor"], got[0].units), (f"beside{number}.example", 50))

    def test_a_balancer_that_hangs_up(self):
        """An idle connection that is closed in an orderly way, or reset, costs no call anything."""
        for how in CLOSE, RESET:
            with FakeV3(named) as v3, self.proxy(v3) as proxy:
                for number in range(5):
                    self.right(proxy, f"t{number}.example")
                    v3.connections[-1].close(how)
                    self.assertEqual(len(v3.connections), number + 1)
                self.assertEqual(len(v3.requests), 5)


if __name__ == "__main__":
    unittest.main()
