# SPDX-License-Identifier: MIT
"""Days and months that no calendar of ours has, asked of the daemon and of the books: once they ended the daemon, for a
date that could not be written. Each is refused with what would be right, or answered; and the daemon serves."""
import http.client
import json
import os
import socket
import struct
import unittest
import urllib.parse

from anchorage import PATIENCE, Anchorage
from sandbox import Sandbox

REFUSED = [
    {"month": "9999-12"}, {"month": "0000-01"}, {"month": "0000-12"}, {"month": "1969-12"},
    {"since": "9999-12-31"}, {"since": "0000-01-01"}, {"since": "1969-12-31"},
    {"until": "0000-01-01"}, {"until": "0000-01-31"}, {"until": "1970-01-01"},
    {"since": "0000-01-01", "until": "9999-12-31"}, {"since": "9999-12-31", "until": "9999-12-31"},
    {"month": "2026-13"}, {"month": "99999-12"}, {"month": "2026-1"}, {"month": "-1"}, {"month": "2026-11-01"},
    {"month": "2026-00"}, {"since": "2026-02-30"}, {"since": "+2026-01-01"}, {"since": "2026-01-01T00:00:00Z"},
    {"since": "2026/01/01"}, {"since": "٢٠٢٦-٠١-٠١"}, {"until": "9" * 4000},
    {"month": "2026-11", "since": "2026-11-01"}, {"since": "2026-11-02", "until": "2026-11-02"},
]
TAKEN = [
    {"month": "9999-11"}, {"month": "1970-01"}, {"month": "2106-02"}, {"month": "2038-01"},
    {"since": "1970-01-01", "until": "9999-12-31"}, {"since": "1970-01-01"}, {"until": "9999-12-31"},
    {"since": "9999-12-30"}, {"until": "1970-01-02"}, {"since": "2038-01-19", "until": "2106-02-07"},
]
VIEWS = ["team", "key", "client", "day", "hour", "table", "target"]


def part(data):
    return struct.pack("=I", len(data)) + data


class Dates(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = self.enterContext(Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}))
        self.proxy.get(limit=1)
        self.admin = next(line.split()[-1] for line in self.proxy.lines if line.startswith("anchorage: admin on "))

    def ask(self, question):
        connection = http.client.HTTPConnection(*self.admin.rsplit(":", 1), timeout=PATIENCE)
        try:
            connection.request("GET", "/usage?" + urllib.parse.urlencode(question))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def control(self, *words):
        """Status, output and messages of a command, said to the socket itself."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(os.path.join(self.proxy.path, "state", "control.sock"))
            connection.sendall(part(struct.pack("=I", len(words))) + b"".join(part(word.encode()) for word in words) +
                               part(b""))
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        parts = []
        while answer:
            length, = struct.unpack_from("=I", answer)
            parts.append(answer[4:4 + length])
            answer = answer[4 + length:]
        return struct.unpack("=i", parts[0])[0], parts[1].decode(), parts[2].decode()

    def words(self, question):
        return [word for name, value in question.items() for word in (f"--{name}", value)]

    def test_the_admin_side(self):
        for question in REFUSED:
            for form in ({}, {"format": "csv"}):
                with self.subTest(question=question):
                    status, body = self.ask(question | form)
                    self.assertEqual(status, 400, body)
                    self.assertTrue(json.loads(body)["error"])
        for question in TAKEN:
            for view in VIEWS:
                with self.subTest(question=question, by=view):
                    status, body = self.ask(question | {"by": view})
                    self.assertEqual(status, 200, body)
                    self.assertLess(json.loads(body)["since"], json.loads(body)["until"])
        self.assertIsNone(self.proxy.get(limit=2).fault)

    def test_the_control_socket(self):
        for question in REFUSED:
            with self.subTest(question=question):
                status, out, err = self.control("usage", *self.words(question))
                self.assertEqual((status, out), (2, ""))
                self.assertRegex(err, r"^anchorage usage: .*\n")
        for question in TAKEN:
            for form in ("text", "json", "csv"):
                with self.subTest(question=question):
                    self.assertEqual(self.control("usage", *self.words(question), "--format", form)[0], 0)
        for since in ("0000-01-01", "1969-12-31", "9" * 30, "9223372036854775808"):
            with self.subTest(since=since):
                self.assertEqual(self.control("ledger", "export", "--since", since)[0], 2)
        for since in ("1970-01-01", "9999-12-31", "9223372036854775807", "0"):
            with self.subTest(since=since):
                self.assertEqual(self.control("ledger", "export", "--since", since)[0], 0)
        self.assertIsNone(self.proxy.get(limit=2).fault)

    def test_without_a_daemon(self):
        self.proxy.stop()
        for question in REFUSED:
            with self.subTest(question=question):
                done = self.proxy.run("usage", *self.words(question), check=2)
                self.assertRegex(done.stderr, r"^anchorage usage: ")
        for question in TAKEN:
            with self.subTest(question=question):
                self.proxy.run("usage", "--by", "day", *self.words(question), check=0)
        self.proxy.run("ledger", "export", "--since", "9999-12-31", check=0)
        self.proxy.run("ledger", "export", "--since", "0000-01-01", check=2)


if __name__ == "__main__":
    unittest.main()
