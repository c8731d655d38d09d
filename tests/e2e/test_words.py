# SPDX-License-Identifier: MIT
"""The words of every command, from what --help says of them: each line that is wrong by its words alone ends with 2 before
anything is opened, and what --help shows is there and runs."""
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from anchorage import BINARY, PATIENCE, SANITIZER, Anchorage
from sandbox import Sandbox

# By what stands for a value in --help: one that is good, and one that its form shows to be wrong. An empty one is wrong for all.
VALUES = {
    "TEAM": ("seo", "a b"), "NAME": ("crawler", ""), "TOKEN": ("0123456789abcdef", ""), "FILE": ("nothing", ""),
    "DATE": ("2026-11-23", "2026-13-01"), "YYYY-MM": ("2026-11", "2026-13"), "AMOUNT": ("12.50", "1,5"),
    "80%": ("80%", "80"), "SEQ|DATE": ("1", "x"), "ID": ("k7f2m0qa", ""), "COLUMN": ("rows", "nosuch"), "N": ("7", "x"),
}
# More that a value's form shows to be wrong.
ALSO_WRONG = {"TEAM": ["t" * 65, "a/b"], "DATE": ["2026-02-30", "26-1-1", "d", "-1d", "next week", "10000-01-01"],
              "YYYY-MM": ["2026-1", "2026-11-01", "9999-12"], "AMOUNT": ["-1", "1.234", "x", "1e3"],
              "80%": ["10", "0%", "1001%", "%", "8 %"], "SEQ|DATE": ["-1", "2026-13-01", "99999999999999999999"],
              "COLUMN": ["units_lef", "UNITS"], "N": ["-1", "1.5", "99999999999999999999"]}
CALL = "4dq8r2v6x0b3d5f7h9j1m4n8p2"  # what examples have
# --split is nothing without --bill.
ALSO = {"--split": ["--bill", "1"]}
OPTION = re.compile(r"^  (--[a-z0-9-]+)(?: FILE, -c FILE|, -h)?(?: (\S+))?\n((?:        .*\n)+)", re.M)


OPENED = r'none\.conf|anchorage\.conf|\.key|ledger|control\.sock|"nothing"|O_CREAT|mkdir|connect'


def say(*words):
    return subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def listed(text):
    return re.findall(r"^  ([a-z]+)  ", text, re.M)


class Command:
    def __init__(self, *words):
        self.words, self.help = words, say(*words)
        self.options = {name: (value, sentence) for name, value, sentence in
                        OPTION.findall(self.help.split("\noptions:\n", 1)[1].split("\nexamples:\n")[0])}
        synopsis = " ".join(re.search(r"^usage: anchorage ((?:.|\n +)*)\n", self.help, re.M)[1].split())
        self.needed = re.findall(r"(?<!\[)(--[a-z-]+) ", synopsis)
        self.arguments = re.sub(r"\[[^\]]*\]|--\S+ \S+", "", synopsis[len(" ".join(words)):]).split()
        self.examples = re.findall(r"^  anchorage (.*)$", self.help.split("\nexamples:\n")[1], re.M)

    def own(self):
        """The options but for those of all commands."""
        return {name: value for name, (value, _) in self.options.items() if name not in ("--config", "--help")}

    def good(self, name):
        value = self.own()[name]
        if not value:
            return [name]
        return [name, VALUES[value][0] if value in VALUES else value.split("|")[-1]]

    def base(self, without=None):
        """A line with all that must be there, but for one."""
        words = [word for name in self.needed if name != without for word in self.good(name)]
        if self.words == ("ledger", "correct"):
            return [*self.words, *words, CALL]
        return [*self.words, *words, *(VALUES.get(a.split("|")[0], ("seo",))[0] for a in self.arguments)]

    def wrong(self):
        for name in self.needed:
            yield self.base(name)
        if self.arguments:
            yield self.base()[:-1]
            yield [*self.base()[:-1], ""]
        yield [*self.base(), "one-more"]
        yield [*self.base(), "my.conf"]
        for name in ("--nosuch", "-x", "--confg"):
            yield [*self.base(), name]
        for name, value in self.own().items():
            line = self.base(name) + ALSO.get(name, [])
            yield [*line, *self.good(name), *self.good(name)]
            yield [*line, name[:-1], *self.good(name)[1:]]
            if not value:
                yield [*line, name + "=yes"]
                continue
            yield [*line, name]
            for bad in {VALUES.get(value, ("", "nosuch"))[1], ""}:
                yield [*line, name, bad]
                yield [*line, f"{name}={bad}"]


    def more_wrong(self):
        for name, value in self.own().items():
            for bad in ALSO_WRONG.get(value, []):
                yield [*self.base(name), *ALSO.get(name, []), f"{name}={bad}"]


def commands():
    for name in listed(say()):
        text = say(name)
        yield from (Command(name, one) for one in listed(text)) if " COMMAND " in text else [Command(name)]


def wrong_lines():
    yield from ([], ["nosuch"], ["chek"], ["--nosuch"], ["key"], ["key", "lst"], ["ledger"], ["ledger", "nosuch"],
                ["usage", "-c"], ["usage", "--config="], ["usage", "-c", "a", "--config", "b"])
    for command in commands():
        yield from command.wrong()


class Words(unittest.TestCase):
    def setUp(self):
        self.place = self.enterContext(tempfile.TemporaryDirectory(prefix="anchorage-words-"))

    def judge(self, line, *before):
        """Whether it ends as a wrong line does."""
        done = subprocess.run([*before, BINARY, *line], capture_output=True, text=True, cwd=self.place, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"} if before else None)
        said = f"anchorage {shlex.join(line)}: exit {done.returncode}\n{done.stderr}"
        self.assertEqual((done.returncode, done.stdout), (2, ""), said)
        lines = done.stderr.splitlines()
        self.assertTrue(2 <= len(lines) <= 3, said)
        self.assertRegex(lines[0], r"^anchorage( [a-z]+)*: ", said)
        self.assertRegex(lines[-1], r"^see anchorage( [a-z]+)* --help$", said)
        self.assertLessEqual(max(map(len, lines)), 80, said)
        self.assertNotRegex(done.stderr, r"(?<!anchorage )usage: |cannot be read|\x01", said)
        self.assertNotRegex(done.stderr, SANITIZER)
        self.assertEqual([name for name in os.listdir(self.place) if not name.startswith("trace")], [], said)

    def test_every_wrong_line(self):
        """With a configuration that is not there, and with the default one; and nothing is opened."""
        tracer = [shutil.which("strace") or "", "-e", "trace=%file,%network", "-o"]
        traced = tracer[0] and not subprocess.run([*tracer, os.path.join(self.place, "trace"), "true"], capture_output=True,
                                                  check=False).returncode

        def try_one(numbered):
            number, words = numbered
            trace = os.path.join(self.place, f"trace{number}")
            self.judge(words, *([*tracer, trace] if traced else []))
            if traced:
                text = pathlib.Path(trace).read_text(encoding="utf-8", errors="replace").split("\n", 1)[1]
                self.assertNotRegex(text, OPENED, words)
                os.remove(trace)

        lines = []
        for line in wrong_lines():
            named = any(word.startswith(("-c", "--config")) for word in line)
            lines += [line] if named else [line, ["--config", os.path.join(self.place, "none.conf"), *line]]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(try_one, enumerate(lines)))
        self.assertGreater(len(lines), 300)
        if not traced:
            self.skipTest("all lines are refused; what they open was not looked at, for strace is missing or not allowed")

    def test_values_of_a_wrong_form(self):
        for command in commands():
            for line in command.more_wrong():
                self.judge(["--config", os.path.join(self.place, "none.conf"), *line])

    def test_right_lines_are_told_from_them(self):
        """So that none of those above is refused for something else: right words end where the configuration is missing."""
        for command in commands():
            if command.words in (("version",), ("explain",)):
                continue
            for name in (None, *command.own()):
                more = [] if name is None or name in command.needed else command.good(name) + ALSO.get(name, [])
                line = [*command.base(), *more, "--config", os.path.join(self.place, "none.conf")]
                with self.subTest(line=line):
                    done = subprocess.run([BINARY, *line], capture_output=True, text=True, cwd=self.place, timeout=PATIENCE,
                                          stdin=subprocess.DEVNULL, check=False)
                    self.assertIn(done.returncode, (1, 78), done.stderr)
                    self.assertIn("none.conf: cannot be read", done.stderr)

    def test_what_was_meant(self):
        for line, says in (("chekc", "did you mean check?"), ("key lst", "did you mean list?"),
                           ("usage --formt csv", "did you mean --format?"), ("usage --by tabel", "did you mean table?"),
                           ("check my.conf", "--config FILE")):
            done = subprocess.run([BINARY, *line.split()], capture_output=True, text=True, check=False)
            self.assertIn(says, " ".join(done.stderr.split()))

    def test_no_token_is_told(self):
        token = "0123456789abcdef0123456789abcdef01234567"
        for line in (["key", "disable", "a", token], [token], ["key", token], ["usage", token], ["usage", "--by", token],
                     ["key", "add", "--" + token], ["doctor", "--team", token + " "], ["ledger", "export", "--since", "x" + token]):
            done = subprocess.run([BINARY, *line], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertNotIn(token[:12], done.stderr)


class Help(unittest.TestCase):
    def test_every_option_has_a_sentence(self):
        for command in commands():
            with self.subTest(command.words):
                self.assertLessEqual({"--config", "--help"}, set(command.options))
                for name, (value, sentence) in command.options.items():
                    self.assertRegex(" ".join(sentence.split()), r"^[A-Z].{10,}\.$", name)
                synopsis = re.search(r"^usage: anchorage (?:.|\n +)*\n", command.help, re.M)[0]
                self.assertLessEqual(set(re.findall("--[a-z-]+", synopsis)), set(command.options))
                self.assertEqual(len(command.examples), 2)
                self.assertRegex(command.help, r"exit status: 0 .* 1 .* 2 ")
                self.assertLessEqual(max(map(len, command.help.splitlines())), 80)

    def test_the_examples_run(self):
        sandbox = self.enterContext(Sandbox(today=None))
        proxy = Anchorage(sandbox, teams={"seo": {}, "sales": {}})
        self.addCleanup(proxy.close)
        key = proxy.run("key", "add", "--team", "seo", check=0).stdout.split()[0]
        proxy.start()
        call = proxy.get(limit=1).id
        proxy.stop()
        pathlib.Path(proxy.path, "old.token").write_text("0123456789abcdef0123\n", encoding="ascii")
        pathlib.Path(proxy.path, "keys.csv").write_text("team,name,token\nseo,a,a123456789abcdef0123\n", encoding="ascii")
        for command in commands():
            for example in command.examples:
                with self.subTest(example):
                    self.assertLessEqual(len(example), 78)
                    words = shlex.split(example.replace(CALL, call).replace("k7f2m0qa", key))
                    self.assertEqual(tuple(words[:len(command.words)]), (("--version",) if words[0] == "--version" else
                                                                         command.words))
                    if words[0] == "serve":
                        proxy.start()
                        proxy.stop()
                        continue
                    more = [] if "--config" in words else ["--config", proxy.config]
                    done = subprocess.run([BINARY, *words, *more], capture_output=True, text=True, cwd=proxy.path,
                                          timeout=PATIENCE, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
