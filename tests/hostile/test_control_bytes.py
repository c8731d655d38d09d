# SPDX-License-Identifier: MIT
"""The control socket is open to the daemon's group: whatever bytes come, the daemon goes on. Words with a NUL in them were
taken as other words, and a question that came in unlucky pieces was cut."""
import os
import random
import socket
import struct
import unittest

from anchorage import PATIENCE, Anchorage
from sandbox import Sandbox


def part(data):
    return struct.pack("=I", len(data)) + data


def question(*words, text=b""):
    return part(struct.pack("=I", len(words))) + b"".join(part(word) for word in words) + part(text)


WORDS = [b"key", b"add", b"import", b"list", b"--unknown", b"disable", b"usage", b"--by", b"client", b"--since", b"--month",
         b"9999-12", b"2026-11-31", b"ledger", b"verify", b"export", b"--format", b"csv", b"--bill", b"--warn", b"--split",
         b"9" * 40, b"-", b"--", b"=", b"--=", b"--by=", b"--team", b"seo", b"\xff\xfe", b"%s%n%n", b"--token", b"doctor",
         b"x" * 5000, b"", b" ", b"\n", b"--help", b"--warn=80%", b"--bill=9999999999999.99", b"--dry-run"]
IMPORTS = [b"team,name,token\n", b"seo,\xff\xc2\x9b,\n", b'"', b'""""', b"," * 9999, b"\r\n\r\n", b"\xef\xbb\xbfseo,n,t\n",
           b'seo,"' + b"x" * 100000 + b'",abcdefghijklmnopqrst\n', b"seo,n," + b"y" * 100000 + b"\n"]


class Bytes(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = self.enterContext(Anchorage(sandbox))

    def ask(self, *pieces):
        """The answer to a question sent piece by piece; empty when it was not taken."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(os.path.join(self.proxy.path, "state", "control.sock"))
            try:
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(65536), b""))
            except (ConnectionResetError, BrokenPipeError):
                return b""

    def serves(self):
        self.assertIsNone(self.proxy.get(limit=1).fault)
        self.assertIn("seo", self.proxy.usage())

    def test_a_word_is_text(self):
        self.assertIn(b"seo", self.ask(question(b"key", b"list")))
        self.assertEqual(self.ask(question(b"key\0list", b"x")), b"")
        self.assertEqual(self.ask(question(b"key", b"list\0")), b"")
        self.assertEqual(self.ask(question(b"\0", b"\0")), b"")
        self.serves()

    def test_in_pieces(self):
        whole = question(b"key", b"list")
        for at in range(1, len(whole)):
            with self.subTest(at=at):
                self.assertIn(b"seo", self.ask(whole[:at], whole[at:]))

    def test_questions_at_random(self):
        dice = random.Random(1)
        for round in range(400):
            words = [dice.choice(WORDS) for _ in range(dice.randrange(1, 8))]
            text = b"".join(dice.choice(IMPORTS) for _ in range(dice.randrange(3)))
            self.ask(question(*words, text=text))
            whole = bytearray(question(*words, text=text[:100]))
            for _ in range(dice.randrange(1, 6)):
                whole[dice.randrange(len(whole))] = dice.randrange(256)
            self.ask(bytes(whole[:dice.randrange(len(whole) + 1)]))
            self.ask(dice.randbytes(dice.randrange(100)))
        self.serves()
        self.proxy.run("ledger", "verify", check=0)

    def test_a_command_line_that_is_too_long(self):
        for words in (["key", "list", *["x"] * 70], ["key", "disable", "x" * 70000]):
            done = self.proxy.run(*words, check=2)
            self.assertRegex(done.stderr, "too long|too many")


if __name__ == "__main__":
    unittest.main()
