# SPDX-License-Identifier: MIT
"""What the documents show as an address to listen on is one: `anchorage check` takes it. Each command that they show runs."""
# quick
import glob
import os
import pathlib
import re
import shlex
import subprocess
import time
import unittest

from anchorage import BINARY, PATIENCE, Anchorage
from sandbox import Sandbox

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# An address by itself: not inside a URL, a path or a longer word.
ADDRESS = re.compile(r"(?<![\w/:.@\[\]%-])"
                     r"(unix:[\w/.-]+|(?:\[[0-9a-fA-F:]+\]|\*|localhost|[0-9a-z]+(?:\.[0-9a-z]+)+):[0-9]{1,5})"
                     r"(?![\w:]|\.\w)")
# What this machine may lack, and says nothing about the form.
OF_THE_MACHINE = r"Permission denied|Cannot assign requested address|Address already in use|Address family not supported"


COMMAND = r"(?:serve|check|explain|key|usage|ledger|doctor|version)"


def documents():
    for path in (os.path.join(ROOT, "README.md"), *sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))):
        yield os.path.relpath(path, ROOT), pathlib.Path(path).read_text(encoding="utf-8")


def commands():
    """Lines of code that are a command: (document, line)."""
    for path, text in documents():
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S):
            for line in re.findall(rf"^(?:\$ |.*\bsudo (?:-u \S+ )?)?anchorage ({COMMAND}\b.*)", block, re.M):
                yield path, line


def mentions():
    """Commands within sentences, often without what else they need."""
    for path, text in documents():
        for span in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
            found = re.fullmatch(rf"(?:anchorage )?((?:key|ledger) [a-z]+|(?:check|explain|usage|doctor)(?= -))\b(.*)",
                                 " ".join(span.split()))
            if found:
                yield path, found[1].split(), re.findall(r"--[a-z-]+", found[2])


class Documents(unittest.TestCase):
    def test_commands_run(self):
        """In the order in which they stand: who follows the page does the same."""
        sandbox = self.enterContext(Sandbox(today=None))
        proxy = Anchorage(sandbox, teams={"seo": {}, "sales": {}}, proxy={"listen": "127.0.0.1:0"})
        self.addCleanup(proxy.close)
        files = {"old-token": "0123456789abcdef0123\n", "keys.csv": "team,name,token\nseo,a,a123456789abcdef0123\n",
                 "calls.txt": "from=anchors&target=example.com\nfrom=anchors&target=a.example&limit=10\n"}
        for name, text in files.items():
            pathlib.Path(proxy.path, name).write_text(text, encoding="ascii")
        count = 0
        for path, line in commands():
            with self.subTest(document=path, line=line):
                words = shlex.split(line, comments=True)
                if words[0] == "serve":
                    proxy.start()
                    proxy.get(limit=1)
                    proxy.stop()
                    continue
                text = None
                if "<" in words:
                    text = files[words[-1]]
                    words = words[:words.index("<")]
                if "ID" in words:
                    key = proxy.run("key", "add", "--team", "seo", "--quiet", check=0).stdout.split()[0]
                    words = [{"ID": key, "TEAM": "sales"}.get(word, word) for word in words]
                if "--bill" in words:  # of a month that had no calls there is nothing to split
                    words = ["--month=" + time.strftime("%Y-%m", time.gmtime()) if word == "--month" else word for word in words
                             if not re.fullmatch(r"\d{4}-\d\d", word)]
                if words[:2] == ["key", "add"] and "--token-file" in words:
                    pathlib.Path(proxy.path, "old-token").write_text(f"0123456789abcdef{count:04}\n", encoding="ascii")
                done = subprocess.run([BINARY, *words, *([] if "curl" in words else ["--config", proxy.config])], input=text,
                                      capture_output=True, text=True, cwd=proxy.path, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                count += 1
        self.assertGreater(count, 25)

    def test_commands_that_are_spoken_of(self):
        """They are there, and have the options."""
        count = 0
        for path, words, options in mentions():
            with self.subTest(document=path, words=words):
                done = subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                for option in options:
                    self.assertRegex(done.stdout, rf"(?m)^  {option}\b")
                count += 1
        self.assertGreater(count, 20)

    def test_addresses(self):
        shown = {}
        for path in [os.path.join(ROOT, name) for name in ("README.md", "config/anchorage.conf")] + \
                sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
            with open(path, encoding="utf-8") as file:
                for address in ADDRESS.findall(file.read()):
                    shown.setdefault(address, os.path.relpath(path, ROOT))
        self.assertLessEqual({"127.0.0.1:8080", "[::1]:8080", "*:8080", "unix:/run/x.sock"}, set(shown))
        with Sandbox(today=None) as sandbox:
            for address, path in shown.items():
                proxy = Anchorage(sandbox)
                try:
                    proxy.sections["proxy"]["listen"] = address.replace("unix:/run/", f"unix:{proxy.path}/")
                    proxy.write_config()
                    done = proxy.run("check")
                    if done.returncode:
                        self.assertRegex(done.stderr, OF_THE_MACHINE, f"{path} shows {address}")
                finally:
                    proxy.close()


if __name__ == "__main__":
    unittest.main()
