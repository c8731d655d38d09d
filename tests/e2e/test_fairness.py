# SPDX-License-Identifier: MIT
"""A team that floods does not keep the others waiting."""
import socket
import time
import unittest

from anchorage import OTHER_TOKEN, Anchorage
from sandbox import Sandbox


class Fairness(unittest.TestCase):
    def test_the_rate_goes_round(self):
        """Two requests a second, twenty of the flood wait: a call of another team waits for at most (teams waiting + 1) of
        them, not for all."""
        slack = 0.8  # of a machine that does other things
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, upstream={"requests_per_minute": 120}, fidelity={"stats": "zero"},
                          teams={"seo": {}, "ads": {}},
                          keys=[("seo", "0123456789abcdef0123456789abcdef01234567"), ("ads", OTHER_TOKEN)]) as proxy:
            flood = []
            try:
                for n in range(20):
                    connection = proxy.connect()
                    flood.append(connection)
                    path = proxy.params({"target": f"site{n}.example"})
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                sandbox.wait(requests=1)
                began = time.monotonic()
                answer = proxy.get(target="one.example", token=OTHER_TOKEN)
                waited = time.monotonic() - began
                self.assertEqual(answer.status, 200, answer)
                self.assertLess(waited, (1 + 1) / 2 + slack)
                self.assertLess(len(sandbox.log()), 8, "the flood still waits")
                asked = {entry["query"]["target"] for entry in sandbox.log()}
                wait = [f"site{n}.example" for n in range(20) if f"site{n}.example" not in asked]
                began = time.monotonic()
                answer = proxy.get(target=wait[len(wait) // 2], token=OTHER_TOKEN)
                waited = time.monotonic() - began
                self.assertEqual((answer.status, answer.headers["x-anchorage-cache"]), (200, "shared"), answer)
                self.assertLess(waited, (1 + 1) / 2 + slack, "it joined one in the middle of the flood")
            finally:
                for connection in flood:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    connection.close()


if __name__ == "__main__":
    unittest.main()
