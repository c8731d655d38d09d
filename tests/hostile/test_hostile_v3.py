# SPDX-License-Identifier: MIT
"""An API v3 that says whatever it likes: numbers that are none, heads without end, answers cut at each byte. The daemon
lives, every call gets an answer of its own, no team pays rows for what failed, and the books add up."""
import unittest

from anchorage import Anchorage
from fake_v3 import CLOSE, RESET, FakeV3, answer, rows

GOOD = answer(rows("a"), headers=["x-api-units-cost-total-actual: 50", "x-api-rows: 1"])
NUMBERS = ["-1", "-0", "1e400", "0x10", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1" * 4000,
           "1000000001", "", "5, 5", "\u0665", "\x00", "5;q=1"]
HEADERS = ["x-api-units-cost-total-actual", "x-api-units-cost-total", "x-api-rows", "Retry-After", "Content-Length",
           "Content-Type", "x-api-cache", "Connection", "Keep-Alive", "Date", "Transfer-Encoding", "Content-Encoding"]
DATES = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "2020-01-01T24:00:00Z",
         "-001-01-01T00:00:00Z", "2020-01-01", "2020-01-01T00:00:00+02:00", "", "\u0000", 5, None, [], {}]
FAULTS = {None, "upstream_odd", "upstream_down", "upstream_denied", "upstream_late", "bad_target"}


class HostileV3(unittest.TestCase):
    """`self.bytes` is what the next request gets, and how the connection ends behind it."""

    def setUp(self):
        self.bytes, self.how, self.number = GOOD, None, 0

        def play(connection, _):
            connection.send(self.bytes)
            return self.how

        v3 = FakeV3(play)
        self.addCleanup(v3.__exit__)
        self.proxy = Anchorage(v3.__enter__().url, fidelity={"stats": "zero"}, upstream={"timeout": "5s"})
        self.addCleanup(self.proxy.close)
        self.proxy.start()

    def ask(self, data, how=CLOSE, good=1):
        """One call with these bytes, and good ones, so that the gate stays open."""
        self.number += 1
        self.bytes, self.how = data, how
        got = self.proxy.get(target=f"t{self.number}.example", limit=3)
        self.bytes, self.how = GOOD, None
        self.assertIn(got.fault, FAULTS, got)
        self.assertTrue(0 <= got.units <= 1000000000, got)
        self.assertEqual(got.rows_charged, 0 if got.fault else 1 + len(got.anchors), got)
        for again in range(good):
            right = self.proxy.get(target=f"good{self.number}.{again}.example", limit=3)
            self.assertEqual((right.fault, right.units), (None, 50), right)
        return got

    def books(self):
        """Every hold has one end, and none of them has rows without an answer."""
        self.proxy.ledger()
        ends = {}
        for entry in self.proxy.known:
            if entry["kind"] in ("settle", "release", "unknown"):
                self.assertNotIn(entry["id"], ends)
                ends[entry["id"]] = entry
                self.assertTrue(entry["fault"] is None or entry["rows"] == 0, entry)
                self.assertTrue(entry["units"] is None or 0 <= entry["units"] <= 1000000000, entry)
        holds = {entry["id"] for entry in self.proxy.known if entry["kind"] == "hold"}
        self.assertEqual(holds, set(ends))
        self.proxy.run("ledger", "verify", check=0)

    def test_numbers_in_headers(self):
        body = b'{"anchors":[]}'
        for status in "200 OK", "429 Slow":
            for header in HEADERS[:4] if status != "200 OK" else HEADERS:
                if status != "200 OK" and header == "Retry-After":
                    continue  # it would be obeyed
                for number in NUMBERS[:8] if status != "200 OK" else NUMBERS:
                    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{header}: {number}\r\n"
                    if status != "200 OK":
                        head += "Retry-After: 0\r\n"
                    self.ask(head.encode() + (b"" if header == "Content-Length" else b"Content-Length: 14\r\n")
                             + b"\r\n" + body)
        self.books()

    def test_dates_and_numbers_in_rows(self):
        for date in DATES:
            self.ask(answer(rows("a", first_seen=date)), None)
        for number in -1, 2 ** 63 - 1, 2 ** 63, 2 ** 64, 1e400, 1.5, "7", None, [], True:
            self.ask(answer(rows("a", "b", links_to_target=number, refpages=number, refdomains=number)), None)
        self.books()

    def test_heads(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        end = b"Content-Length: 14\r\n\r\n" + b'{"anchors":[]}'
        for data in (ok + b"x: " + b"y" * (1 << 20) + b"\r\n" + end, ok + b"x: y\r\n" * 5000 + end, ok + b"x: y\r\n" * 50000 + end,
                     b"HTTP/1.1 103 x\r\nx: y\r\n\r\n" * 20000 + ok + end, b"HTTP/1.1 100 x\r\n\r\n" * 100 + ok + end,
                     b"HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n", b"HTTP/2 200\r\n" + end, b"HTTP/0.9 200 OK\r\n" + end,
                     b"HTTP/1.1 999 OK\r\n" + end, b"HTTP/1.1 000 OK\r\n" + end, b"HTTP/1.1 2000 OK\r\n" + end,
                     b"HTTP/1.1 304 x\r\n\r\n", b"HTTP/1.1 206 x\r\n" + end, b"HTTP/9.9 200 OK\r\n" + end, b"ICY 200 OK\r\n" + end,
                     ok + b"\x00\x00: \x00\r\n" + end, ok + b" folded\r\n" + end, ok + b"x: \xff\xfe\x80\r\n" + end,
                     ok + b"Location: http://127.0.0.1:1/\r\n" + end, ok + b"Set-Cookie: a=b\r\n" + end, b"\r\n\r\n" + ok + end,
                     ok.replace(b"\r", b"") + end.replace(b"\r", b""), b"\x16\x03\x01\x02\x00", b"", b"H", b"HTTP/1.1"):
            self.ask(data)
        for status in 300, 301, 302, 303, 307, 308:
            got = self.ask(f"HTTP/1.1 {status} x\r\nLocation: /v3/x\r\n".encode() + end)
            self.assertEqual(got.fault, "upstream_odd")
        self.books()

    def test_chunks_and_lengths(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        body = b'{"anchors":[]}'
        for data in (b"\r\ne\r\n" + body + b"\r\n0\r\n\r\n", b"\r\nE;x=y\r\n" + body + b"\r\n0\r\nx-api-rows: 7\r\n\r\n",
                     b"\r\nffffffffffffffff\r\n" + body, b"\r\n-e\r\n" + body, b"\r\n" + b"0" * 1000 + b"e\r\n" + body,
                     b"\r\n" + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n",
                     b"\r\n0\r\n" + b"x: y\r\n" * 20000 + b"\r\n", b"\r\n0\r\n" + b"z" * 200000 + b"\r\n\r\n",
                     b"Content-Length: 3\r\n\r\ne\r\n" + body + b"\r\n0\r\n\r\n"):
            self.ask(head + data)
        for length in "13", "15", "0", "14\r\nContent-Length: 15", "14\r\nContent-Length: 14":
            self.ask(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        self.books()

    def test_cut_at_each_byte(self):
        data = (b"HTTP/1.1 200 OK\r\nx-api-units-cost-total-actual: 50\r\nContent-Length: 101\r\n\r\n"
                b'{"anchors":[{"anchor":"a","links_to_target":1,"refpages":1,"refdomains":1,'
                b'"first_seen":"2020-01-01T0:00:00Z"}]}'.replace(b"T0:", b"T00:"))
        data = data.replace(b"101", str(len(data) - data.index(b"{")).encode())
        for n in range(len(data) + 1):
            got = self.ask(data[:n], CLOSE if n % 3 else RESET, good=2)
            if got.fault is None:
                self.assertTrue(n == len(data), f"after {n} of {len(data)} bytes: {got}")
        self.books()

    def test_limits_and_usage(self):
        """What v3 says of the key, said without sense: the daemon starts, and serves."""
        fields = {"subscription": "x" * 5000, "usage_reset_date": "99999-99-99", "api_key_expiration_date": "9999-12-31T23:59:59Z",
                  "units_limit_workspace": 2 ** 64, "units_usage_workspace": -5, "units_limit_api_key": 1e400,
                  "units_usage_api_key": 2 ** 63}
        odd = [{**fields}, {**fields, "usage_reset_date": "0000-01-01", "api_key_expiration_date": "0000-01-01"},
               {**fields, "subscription": "\u001b[2J\u202e\u0085\x00", "usage_reset_date": "2026-12-31T00:00:00." + "9" * 300 + "Z",
                "api_key_expiration_date": "2026-12-31T00:00:00." + "9" * 300 + "Z"},
               {name: None for name in fields}, {name: [] for name in fields}, {name: "" for name in fields},
               {**fields, "units_limit_workspace": 2 ** 63 - 1, "units_usage_workspace": 2 ** 63 - 1, "units_usage_api_key": 0}]
        for limits in [{"limits_and_usage": one} for one in odd] + [[], {}, {"limits_and_usage": 5}, "x" * 100000]:
            asked = []

            def play(connection, request):
                is_limits = "limits-and-usage" in request.path
                asked.extend([1] * is_limits)  # pylint: disable=cell-var-from-loop
                connection.send(answer(limits) if is_limits else GOOD)  # pylint: disable=cell-var-from-loop

            with FakeV3(play) as v3, Anchorage(v3.url, fidelity={"stats": "zero"}) as proxy:
                proxy.run("doctor")
                self.assertTrue(asked)
                self.assertIsNone(proxy.get(limit=3).fault)


if __name__ == "__main__":
    unittest.main()
