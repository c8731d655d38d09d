# SPDX-License-Identifier: MIT
"""What people read: 80 columns from every command (100 from explain), also where no terminal is; fewer on a narrower one;
colours on a terminal alone, whose user wants them; words such as paths, URLs and ids in one piece. Messages to standard error
are folded where that is a terminal: elsewhere programs look for them, a line each."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from anchorage import BINARY, PATIENCE, Anchorage
from sandbox import Sandbox

LONG = "t" * 64
NAMES = ("crawler", "n" * 64, "שלום עולם", "蜘蛛 " * 13 + "蜘蛛", "🕷" * 30, "a=b,c;d\"e'f", "-x", "=1+1")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
CALLS = ("from=anchors&target=example.com/blog&mode=prefix&where=backlinks>5&order_by=last_visited:desc&limit=1000&wher=x",
         "from=anchors&target=example.com&where=backlinks>5,refdomainz>3", "from=nosuch", "from=anchors&target=" + "a" * 60 +
         ".example&limit=10000000000&offset=7")


def width(text):
    """At least what a terminal makes of it: East Asian and pictures are two columns wide."""
    return sum(2 if ord(letter) >= 0x1100 and not 0x2000 <= ord(letter) < 0x2E80 else 1 for letter in text)


def on_terminal(words, columns, path, **environment):
    """What a command writes on a terminal so wide, and its exit status."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=its, stderr=its, cwd=path,
                          env={**clean, "TERM": "xterm", **environment}) as process:
        os.close(its)
        said = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # its other end is closed
                break
            if not more:
                break
            said += more
        os.close(ours)
        return said.decode().replace("\r\n", "\n"), process.wait(PATIENCE)


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sandbox = cls.enterClassContext(Sandbox(today=None))
        cls.proxy = Anchorage(sandbox, teams={"seo": {"rows_per_month": 9_000_000_000_000, "units_per_month": 9_000_000_000_000},
                                              LONG: {"units_per_month": 1}, "x" * 60: {}}, upstream={"units_per_month": 10 ** 13})
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.ids = []
        for i, name in enumerate(NAMES):
            done = cls.proxy.run("key", "add", "--team", ("seo", LONG)[i % 2], "--name=" + name, "--token", f"a-long-enough-token-{i}",
                                 check=0)
            cls.ids.append(done.stdout.strip())
        for target in ("example.com", "b.example"):
            cls.proxy.get(target=target, limit=10)
        for i in range(len(NAMES)):
            cls.proxy.get(token=f"a-long-enough-token-{i}", target="a" * 60 + ".example", limit=10)
        cls.proxy.get(token="nobody" * 30, headers={"User-Agent": "w" * 200})

    def lines(self):
        """A line of each command that reads or changes something, right and wrong ones."""
        yield from (["check"], ["usage"], ["usage", "--by", "key"], ["usage", "--by", "shape"], ["usage", "--by", "client"],
                    ["usage", "--by", "day", "--per", "key"], ["usage", "--by", "key", "--bill", "9999999999999.99"],
                    ["usage", "--team", LONG], ["usage", "--team", "nosuch"], ["usage", "--key", "nosuch12"], ["usage", "--warn", "1%"],
                    ["usage", "--month", "2020-01"], ["key", "list"], ["key", "list", "--unknown"], ["ledger", "verify"],
                    ["ledger", "export", "--format", "text"], ["doctor"], ["doctor", "--team", "nosuch"], ["version"],
                    ["key", "add", "--team", "nosuch"], ["key", "add", "--team", LONG, "--name", "n" * 64, "--token", "short-token-1"],
                    ["key", "disable", self.ids[1]], ["key", "enable", self.ids[1]], ["key", "assign", self.ids[1], "seo"],
                    ["key", "assign", self.ids[1], LONG], ["key", "assign", self.ids[1], "nosuch"], ["key", "disable", "nosuch12"],
                    ["key", "import", "nothing.csv"], ["ledger", "correct", "4" * 26, "--units", "1"])
        for call in CALLS:
            yield ["explain", call]
        for name in ("serve", "check", "explain", "key", "usage", "ledger", "doctor", "version"):
            yield [name, "--help"]
            yield [name, "--nosuch"]
            yield [name, "one", "more", "word", "than", "there", "is"]
        yield ["--help"]
        yield []

    def check(self, text, words, most):
        for line in COLOUR.sub("", text).splitlines():
            self.assertFalse(line.endswith(" "), (words, line))
            self.assertTrue(width(line) <= most or " " not in line.strip(), (words, width(line), line))

    def test_every_line_fits(self):
        for words in self.lines():
            with self.subTest(words=words):
                done = self.proxy.run(*words)
                self.check(done.stdout, words, 100 if "explain" in words[:1] else 80)
                if done.returncode == 2:
                    self.check(done.stderr, words, 80)
                else:
                    said, _ = on_terminal([*words, "--config", self.proxy.config], 80, self.proxy.path)
                    self.check(said, words, 100 if "explain" in words[:1] else 80)
                self.assertNotIn("\x1b", done.stdout + done.stderr)
                self.assertIn(done.returncode, (0, 1, 2))

    def test_a_narrow_terminal(self):
        for columns in (60, 45):
            for words in self.lines():
                if words[:1] == ["explain"] or words[:2] in (["ledger", "export"], ["key", "list"]) and words[2:]:
                    continue  # these have a width of their own
                with self.subTest(words=words, columns=columns):
                    text, _ = on_terminal([*words, "--config", self.proxy.config], columns, self.proxy.path)
                    for line in COLOUR.sub("", text).splitlines():
                        held = max(map(width, re.split("  +", line)), default=0) >= columns - 24  # a column that cannot be less
                        self.assertTrue(width(line) <= columns or " " not in line.strip() or held, (width(line), line))

    def test_columns_go_by_a_fixed_order(self):
        there = []
        for columns in (200, 80, 70, 62, 54, 46, 40):
            text, _ = on_terminal(["usage", "--config", self.proxy.config], columns, self.proxy.path)
            there.append(re.split(" {2,}", COLOUR.sub("", text.splitlines()[1]).strip()))
        self.assertEqual(there[0], there[1], "80 columns are the most")
        for wider, narrower in zip(there, there[1:]):
            self.assertLessEqual(set(narrower), set(wider))
        self.assertEqual(there[-1][:3], ["TEAM", "UNITS", "ROWS"])
        for columns in (45, 80):
            csv, _ = on_terminal(["usage", "--format", "csv", "--config", self.proxy.config], columns, self.proxy.path)
            self.assertIn(",units_left", csv.splitlines()[0])
            self.assertNotIn("\x1b", csv)

    def test_colours(self):
        for words in (["usage"], ["key", "list"], ["ledger", "verify"], ["check"], ["explain", CALLS[0]], ["explain", CALLS[1]]):
            with self.subTest(words=words):
                line = [*words, "--config", self.proxy.config]
                text, _ = on_terminal(line, 100, self.proxy.path)
                self.assertIn("\x1b[1", text)
                self.assertEqual(text.count("\x1b[0m"), text.count("\x1b[1"))
                for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
                    plain, _ = on_terminal(line, 100, self.proxy.path, **environment)
                    self.assertNotIn("\x1b", plain)
                    self.assertEqual(plain, COLOUR.sub("", text))


if __name__ == "__main__":
    unittest.main()
