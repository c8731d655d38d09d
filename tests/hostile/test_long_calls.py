# SPDX-License-Identifier: MIT
"""What is too long to be sent to API v3 is the call's own matter: it must not shut the gate for everybody else, nor book
units that nobody took. It did: a URL of a megabyte was refused by libcurl as "out of memory", which counted as a failure
of v3 and as a cost that is not known."""
import re
import unittest
import urllib.parse

from anchorage import Anchorage, TOKEN
from fake_v3 import RESET, FakeV3, answer, rows
from sandbox import Sandbox

MOST = 16384
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def long_where(n, column="anchor"):
    return ",".join(f'{column}="{chr(97 + i % 26) * 300}"' for i in range(n))


def post(proxy, **params):
    full = {"token": TOKEN, "from": "anchors", "target": "small.example", "mode": "subdomains", "output": "json", **params}
    return proxy.get(raw="/", method="POST", body=urllib.parse.urlencode(full), headers=FORM)


class LongCalls(unittest.TestCase):
    def test_clauses_that_are_too_long(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            for params, fault in (({"where": long_where(95)}, "bad_where"), ({"having": long_where(95)}, "bad_having"),
                                  ({"where": long_where(30), "having": long_where(60)}, "bad_having"),
                                  ({"where": long_where(60), "having": long_where(30)}, "bad_where")):
                for _ in range(6):
                    refused = post(proxy, **params)
                    self.assertEqual((refused.status, refused.fault, refused.units), (200, fault, 0), refused)
                self.assertRegex(refused.json["error"], r"too long for API v3: .* [0-9]+ more than the 16384")
            self.assertEqual(sandbox.log(), [])
            self.assertNotIn("hold", [entry["kind"] for entry in proxy.ledger()])
            self.assertIsNone(proxy.get(limit=2).fault, "the gate is open")
            self.assertNotIn("unknown", [entry["kind"] for entry in proxy.ledger()])

    def test_the_limit_is_exact(self):
        """The URL that is one byte longer is refused, and says so; that of 16384 bytes is sent."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            def ask(n):
                return post(proxy, where=f'anchor="{"x" * n}"', limit=1)
            low, high = 10, 17000
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if ask(middle).fault is None else (low, middle)
            refused = ask(high)
            self.assertIn("16385 bytes, 1 more", refused.json["error"])
            self.assertEqual(refused.fault, "bad_where")

    def test_a_page_behind_a_long_text(self):
        """The next page would begin behind a text that no URL has room for: the list ends there, and says so."""
        def play(connection, request):
            connection.send(answer(rows("a", "b" * 6000 + "\u00e9" * 2000, links_to_target=9),
                                   headers=["x-api-units-cost-total-actual: 50"]))

        with FakeV3(play) as v3, Anchorage(v3.url, upstream={"max_rows_per_request": 2},
                                           fidelity={"stats": "zero"}) as proxy:
            for cache in "miss", "hit":
                got = proxy.get(limit=5)
                self.assertIsNone(got.fault, got)
                self.assertEqual(len(got.anchors), 2)
                self.assertIn("rows", got.marks)
                self.assertEqual((got.rows_charged, got.headers["x-anchorage-cache"]), (3, cache))
            self.assertEqual(len(v3.requests), 1)
            whole = proxy.get(limit=2)
            self.assertNotIn("rows", whole.marks, "these are all that it asked for")

    def test_resets_after_long_requests(self):
        """Something before v3 hangs up on long requests: those calls fail, all others go on."""
        down = []

        def play(connection, request):
            if down or len(request.path) > 8000:
                return RESET
            return connection.send(answer(rows("a"), headers=["x-api-units-cost-total-actual: 50"]))

        with FakeV3(play) as v3, Anchorage(v3.url, fidelity={"stats": "zero"}) as proxy:
            self.assertIsNone(proxy.get(target="first.example", limit=1).fault)
            for number in range(8):
                cut = post(proxy, where=f'anchor="{"x" * (9000 + number)}"', limit=1)
                self.assertEqual(cut.fault, "upstream_down", cut)
                self.assertFalse(re.search("several times", cut.json["error"]), cut)
            self.assertIsNone(proxy.get(target="second.example", limit=1).fault, "the gate is open")
            down.append(True)
            for number in range(6):
                cut = proxy.get(target=f"third{number}.example", limit=1)
            self.assertIn("several times", cut.json["error"], "v3 is down, and the gate is shut")
            seen = len(v3.requests)
            self.assertEqual(post(proxy, where=f'anchor="{"y" * 9000}"', limit=1).fault, "upstream_down")
            self.assertEqual(len(v3.requests), seen)

    def test_long_requests_alone_tell_of_a_v3_that_is_down(self):
        with FakeV3(lambda connection, request: RESET) as v3, Anchorage(v3.url, fidelity={"stats": "zero"}) as proxy:
            for number in range(6):
                cut = post(proxy, where=f'anchor="{"x" * (9000 + number)}"', limit=1)
            self.assertIn("several times", cut.json["error"])
            self.assertEqual(len(v3.requests), 5)


if __name__ == "__main__":
    unittest.main()
