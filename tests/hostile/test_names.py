# SPDX-License-Identifier: MIT
"""Names that act on a terminal, on a spreadsheet or on the direction of text, in books that have them already: no table,
log or CSV passes them on, JSON has them escaped, and no new key gets one. And imports whose columns are swapped, headers
missing, quotes broken: a token never comes out again."""
import csv
import io
import json
import os
import re
import sqlite3
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage
from sandbox import Sandbox

ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NASTY = "a\u009b31mb\u202etxt.exe\u2069\x1b[2J\u200f\u061c\x7f\u2028"
SPOILT = ["1.23457E+39", "1,23457E+39", "1E+39", "'" + TOKEN, TOKEN[:20] + " " + TOKEN[20:], TOKEN[:20] + "\u00a0" + TOKEN[20:],
          "\u2019" + TOKEN, '"""' + TOKEN + '"""', "#########", "1234567890123450000000000000000000000000"]


class Names(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = Anchorage(sandbox, proxy={"admin": "127.0.0.1:0"}, teams={"seo": {}, "sales": {}})
        self.addCleanup(self.proxy.close)

    def change(self, *statements):
        with sqlite3.connect(os.path.join(self.proxy.path, "state", "ledger.db")) as books:
            for statement in statements:
                books.execute(*statement)
            books.commit()
        books.close()

    def make_nasty(self, name):
        """Books in which every text has it."""
        self.proxy.start().get(limit=1)
        self.proxy.stop()
        self.change(("DROP TRIGGER entry_stays",), ("UPDATE key SET name = ?", (name,)),
                    ("UPDATE name SET text = ? || text WHERE text <> 'seo'", (name,)),
                    ("UPDATE entry SET target = ?, client = ?", (name, name)))

    def commands(self):
        for by in ("team", "key", "client", "table", "target"):
            for form in ("text", "json", "csv"):
                yield ["usage", "--by", by, "--format", form]
        yield from (["usage", "--warn", "1%"], ["key", "list"], ["key", "list", "--unknown"], ["ledger", "verify"],
                    ["ledger", "export"], ["ledger", "export", "--format", "csv"])

    def test_nothing_that_acts_is_shown(self):
        self.make_nasty(NASTY)
        shown = 0
        for words in self.commands():
            with self.subTest(words=words):
                done = self.proxy.run(*words)
                for text in (done.stdout, done.stderr):
                    self.assertIsNone(ACTS.search(text), text[:500])
                    shown += "\ufffd" in text
        self.assertGreater(shown, 6)
        targets = {entry["target"] for entry in self.proxy.ledger() if entry["kind"] == "settle"}
        self.assertEqual(targets, {NASTY})  # exact, for it is escaped
        usage = self.proxy.usage("target")
        self.assertEqual(list(usage), [NASTY])

    def test_no_new_name_has_one(self):
        for name in ("a\u009bb", "\u202eb", "x\u2066y", "\u061c", "a\u200eb", "a\x1bb", "a\x7fb", "a\u2028b"):
            with self.subTest(name=name):
                done = self.proxy.run("key", "add", "--team", "seo", "--name", name, check=1)
                self.assertIsNone(ACTS.search(done.stderr))
                done = self.proxy.run("key", "import", "-", text_in=f"seo,{name},{TOKEN}\n", check=1)
                self.assertRegex(done.stderr, r":1: .*\(column 2, name\)")
        self.proxy.run("key", "add", "--team", "seo", "--name", "b\u00fccher \u05d0\u05d1 \U0001f600", check=0)
        self.assertIn("b\u00fccher \u05d0\u05d1 \U0001f600", self.proxy.run("key", "list").stdout)

    def test_other_words_are_shown_clean(self):
        for words in (["usage", "--by", NASTY.replace("\x00", "")], ["key", "assign", NASTY, "seo"], ["usage", "--" + NASTY],
                      ["ledger", "export", "--since", NASTY], ["key", "add", "--team", NASTY], ["explain", NASTY]):
            with self.subTest(words=words):
                done = self.proxy.run(*words)
                self.assertNotEqual(done.returncode, 0)
                self.assertIsNone(ACTS.search(done.stdout + done.stderr), done.stderr)
        with open(self.proxy.config, "a", encoding="utf-8") as file:
            file.write("[team a\u202eb]\n[proxy\u009b]\ncall_timeout = \u2067soon\n")
        self.assertIsNone(ACTS.search(self.proxy.run("check", check=1).stderr))

    def test_cells_that_are_no_formulas(self):
        for first in "=+-@\t\r":
            name = first + 'HYPERLINK("http://x.example";"y"),1'
            with self.subTest(first=first):
                self.make_nasty(name)
                for words, column in ((["usage", "--by", "target", "--format", "csv"], "target"),
                                      (["usage", "--by", "client", "--format", "csv"], "client"),
                                      (["ledger", "export", "--format", "csv"], "target")):
                    text = self.proxy.run(*words, check=0).stdout
                    rows = list(csv.DictReader(io.StringIO(text, newline="")))
                    rows = [row for row in rows if row[column] != "(together)"]
                    self.assertEqual(rows[-1][column], "'" + name.replace("\r", "\n"))  # as pipes are read as text
                    self.assertNotRegex(text, r'(?m)(^|,)"?[=+@\t]')
                self.proxy.close()
                self.doCleanups()
                self.setUp()

    def test_numbers_stay_numbers(self):
        self.make_nasty("plain")
        self.change(("UPDATE entry SET rows = -5 WHERE kind = 2",), ("UPDATE rollup SET rows = -5",))
        for words in (["usage", "--format", "csv"], ["ledger", "export", "--format", "csv"]):
            rows = list(csv.DictReader(io.StringIO(self.proxy.run(*words, check=0).stdout)))
            self.assertTrue({"-5", "-10"} & {row["rows"] for row in rows}, rows)

    # ---- tokens ----

    def silent(self, done, *tokens):
        for token in tokens:
            for piece in {token, token.strip("'\"# "), token[:12]} - {""}:
                if len(piece) > 5:
                    self.assertNotIn(piece, done.stdout + done.stderr)

    def test_spoilt_tokens(self):
        for token in SPOILT:
            with self.subTest(token=token):
                path = os.path.join(self.proxy.path, "token")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(token + "\n")
                for words in (["--token", token], ["--token-file", path]):
                    done = self.proxy.run("key", "add", "--team", "seo", *words, check=1)
                    self.assertRegex(done.stderr, "^anchorage key add: .*token")
                    self.silent(done, token)
                done = self.proxy.run("key", "import", "-", check=1,
                                      text_in=f"team,name,token\nseo,good,{OTHER_TOKEN}\nseo,bad,{token}\n")
                self.assertRegex(done.stderr, ":3: .*needs quotes" if "," in token else r":3: .*token.* \(column 3, token\)")
                self.silent(done, token, OTHER_TOKEN)
        self.assertEqual(len(self.proxy.run("key", "list").stdout.splitlines()), 1)

    def test_an_import_says_no_token(self):
        other = "z" * 30
        for text in (f"{TOKEN},reports,seo\n", f"reports,seo,{TOKEN}\n", f"seo,{TOKEN}\u202e,reports of it\n", f"{TOKEN}\n",
                     f"seo;n;{TOKEN}\n", f"seo\tn\t{TOKEN}\n", f'seo,n,"{TOKEN}\n', f'seo,n,{TOKEN}"x\n', f'seo,"n"{TOKEN},x\n',
                     f"name;token;team\nn;{TOKEN};seo\n", f"Token,Owner,Team\n{TOKEN},n,seo\n",
                     f"seo,{TOKEN},{other}\nseo,{OTHER_TOKEN},{other}\n", f"seo,n,{TOKEN} {OTHER_TOKEN}\n",
                     f"seo,a,{TOKEN}\nsales,a,{TOKEN}\n", f"\ufeff\ufeffseo,n,{TOKEN}\nx\n", f"{TOKEN},{OTHER_TOKEN},{other}\n" * 50):
            for dry in ([], ["--dry-run"]):
                with self.subTest(text=text):
                    done = self.proxy.run("key", "import", *dry, "-", text_in=text, check=1)
                    self.assertRegex(done.stderr, r"anchorage key import: [^:]+:\d+: ")
                    self.silent(done, TOKEN, OTHER_TOKEN, other)
        for words in (["key", "add", "--team", "seo", TOKEN], ["key", "disable", TOKEN], ["key", "rotate", TOKEN],
                      ["key", "assign", TOKEN, "seo"], ["key", "list", TOKEN],
                      ["key", "add", "--team=seo", "--tokn=" + TOKEN]):
            with self.subTest(words=words):
                done = self.proxy.run(*words)
                self.assertIn(done.returncode, (1, 2))
                self.silent(done, TOKEN, OTHER_TOKEN)

    def test_short_tokens_are_warned_of(self):
        done = self.proxy.run("key", "add", "--team", "seo", "--token", "x" * 15, check=0)
        self.assertRegex(done.stderr, "^anchorage key add: warning: .*16 characters")
        self.assertEqual(self.proxy.run("key", "add", "--team", "seo", "--token", "x" * 16, "--quiet", check=0).stderr, "")
        done = self.proxy.run("key", "import", "-", text_in=f"seo,n,{'y' * 15}\nseo,n2,{'y' * 16}\nsales,n3,short\n", check=0)
        self.assertRegex(done.stderr, r"\Aanchorage key import: [^:]+:1: warning: .*\nanchorage key import: [^:]+:3: warning: .*\n\Z")
        self.assertNotIn("short\n", done.stderr)
        self.assertEqual(json.loads(self.proxy.run("usage", "--format", "json", check=0).stdout)["by"], "team")


if __name__ == "__main__":
    unittest.main()
