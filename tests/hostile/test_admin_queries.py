# SPDX-License-Identifier: MIT
"""Any query at the admin side: bytes that are no text, parameters twice, values without end. Each is answered with a
reason, as JSON, and the daemon goes on."""
import json
import random
import socket
import unittest
import urllib.parse

from anchorage import PATIENCE, Anchorage, read_answer
from sandbox import Sandbox

PATHS = ["/usage", "/explain", "/metrics", "/healthz", "/readyz", "/", "//", "/usage/", "/%75sage", "/usage%00"]
NAMES = ["by", "since", "until", "month", "format", "call", "BY", "b%79", "", "warn", "bill", "config"]
VALUES = ["", "team", "client", "9999-12", "9999-12-31", "0000-01-01", "2026-11", "csv", "json", "text", "-", "--help", "%",
          "%0", "%zz", "%00", "%0a", "%1b%5b31m", "%c2%9b", "%e2%80%ae", "%ff%fe", "%ed%a0%80", "+", "%2d", "=", "==", "a=b",
          "%25", "9" * 300, "%c3%28" * 50, "/?from=anchors", "from%3Danchors%26target%3Dexample.com", "x" * 3000,
          "%26" * 900, "from%3Danchors%26where%3D" + "%28" * 900, "from%3Danchors%26limit%3D" + "9" * 400,
          "from%3Danchors%26target%3D%00%ff", "curl+%27http%3A%2F%2Fx%2F%3Ffrom%3Danchors%27"]


class Queries(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = self.enterContext(Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}))
        host, _, port = next(line.split()[-1] for line in self.proxy.lines
                             if line.startswith("anchorage: admin on ")).rpartition(":")
        self.admin = (host, int(port))

    def ask(self, target):
        with socket.create_connection(self.admin, timeout=PATIENCE) as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with connection.makefile("rb") as stream:
                return read_answer(stream)

    def judge(self, target):
        answer = self.ask(target)
        self.assertIn(answer.status, (200, 400, 404, 414, 503), (target, answer))
        if answer.status != 200:
            self.assertTrue(answer.json["error"], target)
        answer.bytes.decode("utf-8")
        for byte in answer.bytes:
            self.assertFalse(byte < 0x20 and byte != 0x0A or byte == 0x7F, (target, answer))
        return answer.status

    def test_queries_at_random(self):
        dice, seen = random.Random(2), set()
        for _ in range(600):
            parts = [f"{dice.choice(NAMES)}{dice.choice(['=', '=', '=', ''])}{dice.choice(VALUES)}"
                     for _ in range(dice.randrange(5))]
            seen.add(self.judge((dice.choice(PATHS[:2] + PATHS) + "?" + "&".join(parts)).encode()))
        self.assertLessEqual({200, 400, 404}, seen)
        for _ in range(200):
            raw = bytes(dice.choice([*range(0x21, 0x7F)]) for _ in range(dice.randrange(300)))
            self.judge(b"/usage?by=" + raw)
            self.judge(b"/explain?call=" + raw)
            self.judge(b"/explain?call=" + urllib.parse.quote(dice.randbytes(dice.randrange(200))).encode())
        self.assertIsNone(self.proxy.get(limit=1).fault)

    def test_twice_and_long(self):
        for query in ("by=team&by=team", "since=2026-01-01&since=", "month=&month=", "call=a"):
            with self.subTest(query=query):
                self.assertEqual(self.judge(b"/usage?" + query.encode()), 400)
        self.assertEqual(self.judge(b"/usage?" + b"&" * 4000), 200)
        self.assertEqual(self.judge(b"/usage?by=" + b"x" * 7900), 400)
        self.assertEqual(self.judge(b"/usage?by=" + b"x" * 9000), 414)
        self.assertEqual(json.loads(self.ask(b"/usage?by=team").bytes)["by"], "team")


if __name__ == "__main__":
    unittest.main()
