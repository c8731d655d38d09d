# SPDX-License-Identifier: MIT
"""The manual pages: complete, and clean to the tools that show them."""
import re
import shutil
import subprocess
import unittest

from place import BUILD, SOURCE

PAGES = ["anchorage.1", "anchorage.conf.5", "anchorage-sandbox.1"]


def text(page):
    return (BUILD / page).read_text(encoding="utf-8").replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


class Manual(unittest.TestCase):
    def test_every_option_of_the_table(self):
        page = text("anchorage.conf.5")
        table = (SOURCE / "config/options.def").read_text(encoding="utf-8")
        rows = re.findall(r'^OPTION\((\w+), (\w+), \w+, \w+, "[^"]*",\s+"([^"]*)"', table, re.M)
        self.assertGreater(len(rows), 30)
        parts = dict(re.findall(r'^\.SH "\[(\w+)(?: NAME)?\]"\n((?:(?!\.SH).*\n)*)', page, re.M))
        for section, name, default in rows:
            self.assertIn(f".B {name} = {default or '(empty)'}\n", parts[section], f"[{section}] {name}")
        self.assertEqual(len(re.findall(r"^\.B \w+ = ", page, re.M)), len(rows))

    def test_every_command_and_option(self):
        page = text("anchorage.1")

        def say(*words):
            return subprocess.run([BUILD / "anchorage", *words, "--help"], capture_output=True, text=True, check=True).stdout

        names = []
        for name in re.findall(r"^  ([a-z]+)  ", say(), re.M):
            help_text = say(name)
            many = re.findall(r"^  ([a-z]+)  ", help_text, re.M) if " COMMAND " in help_text else []
            names += [f"{name} {one}" for one in many] or [name]
        self.assertGreater(len(names), 12)
        for name in names:
            part = re.search(rf"(?m)^\.B {name}\b(?:(?!^\.RE).*\n)*", page)
            self.assertTrue(part, name)
            for option in re.findall(r"^  (--[a-z-]+)(?! FILE, -c|, -h)\b", say(*name.split()), re.M):
                self.assertIn(f"\n.B {option}", part[0] if option not in ("--config", "--help") else page, name)

    def test_every_option_of_the_sandbox(self):
        out = subprocess.run([BUILD / "anchorage-sandbox", "--help"], capture_output=True, text=True, check=True).stdout
        page = text("anchorage-sandbox.1")
        for name in re.findall(r"^  (--[a-z0-9-]+)", out, re.M):
            self.assertRegex(page, rf"(?m)^\.B {name}\b")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc(self):
        for page in PAGES:
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", BUILD / page], capture_output=True, text=True,
                                  check=False)
            # A sentence may be long where it names many things.
            wrong = [line for line in done.stdout.splitlines() if "longer than 80 bytes" not in line]
            self.assertEqual(wrong, [])

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff(self):
        for page in PAGES:
            done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", BUILD / page], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)


if __name__ == "__main__":
    unittest.main()
