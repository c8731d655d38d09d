# SPDX-License-Identifier: MIT
"""Books that somebody has changed: numbers that no ledger of ours has, in every column of every table. The daemon serves
or says why not, every command ends with a word, and `ledger verify` does not call changed entries good."""
import os
import shutil
import sqlite3
import subprocess
import unittest

from anchorage import BINARY, PATIENCE, SANITIZER, Anchorage
from sandbox import Sandbox

NUMBERS = [-(1 << 63), (1 << 63) - 1, -1, 1 << 62, 1 << 33, 253402300800000, -62167219200001]
TEXT = b"\xff\xfe\x00" + "\u202e\u009b31m".encode() + b"x" * 3000
READERS = {"rollup": ["usage", "--by", "hour"], "key": ["key", "list"], "stranger": ["key", "list", "--unknown"],
           "entry": ["ledger", "export"], "closed": ["ledger", "verify"], "name": ["usage"], "trace": ["usage", "--by", "fault"],
           "latest": ["usage", "--by", "shape"]}
COMMANDS = [["usage", "--by", by] for by in ("team", "key", "client", "day", "hour", "table", "target",
                                                     "fault", "mark", "shape")] + [
    ["usage", "--since", "1970-01-01", "--until", "9999-12-31", "--by", "hour", "--format", "csv"],
    ["usage", "--bill", "9999999999999.99", "--split", "units"], ["usage", "--warn", "1%"], ["key", "list"],
    ["key", "list", "--unknown"], ["ledger", "export"], ["ledger", "export", "--format", "csv", "--since", "1970-01-01"],
    ["ledger", "verify"]]


class Changed(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = self.enterContext(Anchorage(sandbox, teams={"seo": {"rows_per_month": 100000}}))
        self.proxy.get(limit=1)
        self.proxy.get(target="site.example", limit=2)
        self.proxy.get(token="nobody")
        self.proxy.get(limit="x")
        self.proxy.stop()
        self.state = os.path.join(self.proxy.path, "state")
        self.good = os.path.join(self.proxy.path, "good")
        shutil.copytree(self.state, self.good, ignore=shutil.ignore_patterns("*.sock"))

    def change(self, *statements):
        shutil.rmtree(self.state)
        shutil.copytree(self.good, self.state)
        with sqlite3.connect(os.path.join(self.state, "ledger.db")) as books:
            for statement, values in statements:
                try:
                    books.execute(statement, values)
                except sqlite3.Error:
                    pass  # a rule of the table itself
            books.commit()
        books.close()

    def run_all(self, commands=COMMANDS):
        """Each ends with a word of ours; the statuses."""
        statuses = []
        for words in commands:
            done = subprocess.run([BINARY, *words, "--config", self.proxy.config], capture_output=True, timeout=PATIENCE,
                                  check=False)
            err = done.stderr.decode("utf-8", "replace")
            self.assertIn(done.returncode, (0, 1), (words, err))
            self.assertIsNone(SANITIZER.search(err), (words, err))
            if done.returncode:
                self.assertTrue(err, words)
            statuses.append(done.returncode)
        return statuses

    def columns(self):
        with sqlite3.connect(os.path.join(self.good, "ledger.db")) as books:
            tables = [name for name, in books.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = [(table, row[1]) for table in tables for row in books.execute(f"PRAGMA table_info({table})")]
        books.close()
        return found

    def test_numbers_of_entries(self):
        for number in NUMBERS:
            for column in ("time", "kind", "rows", "units", "units_alone", "results", "duration_ms"):
                with self.subTest(column=column, number=number):
                    self.change(("DROP TRIGGER entry_stays", ()), (f"UPDATE entry SET {column} = ?", (number,)))
                    self.assertEqual(self.run_all([["ledger", "verify"]]), [1])
        for number in NUMBERS[:2]:
            self.change(("DROP TRIGGER entry_stays", ()),
                        ("UPDATE entry SET time = ?, rows = ?, units = ?, units_alone = ?", (number,) * 4))
            self.run_all()

    def test_every_column(self):
        for table, column in self.columns():
            for value in (NUMBERS[0], TEXT):
                with self.subTest(table=table, column=column, value=value):
                    self.change(("DROP TRIGGER entry_stays", ()), (f"UPDATE {table} SET {column} = ?", (value,)))
                    self.run_all([READERS.get(table, ["usage"])])

    def test_every_table(self):
        for table in dict(self.columns()):
            with self.subTest(table=table):
                self.change((f"DELETE FROM {table}", ()))
                self.run_all([["usage"], ["key", "list"], ["ledger", "export"], ["ledger", "verify"]])

    def test_a_daemon_with_them(self):
        """It serves, or ends with a reason; it never falls."""
        changes = [("UPDATE rollup SET hour = ?", ((1 << 63) - 1,)), ("UPDATE rollup SET rows = ?", (1 << 62,)),
                   ("UPDATE meta SET value = ?", (-5,)), ("UPDATE meta SET value = ?", ((1 << 63) - 1,)),
                   ("UPDATE entry SET kind = 1, rows = ?, units = ?", ((1 << 63) - 1, -(1 << 63))),
                   ("UPDATE entry SET seq = seq + ?", ((1 << 63) - 100,)), ("DELETE FROM shape", ()),
                   ("UPDATE key SET created = ?", (-(1 << 63),)), ("UPDATE stranger SET calls = ?", ((1 << 63) - 1,)),
                   ("PRAGMA user_version = -7", ()), ("PRAGMA user_version = 2147483647", ())]
        for statement, values in changes:
            with self.subTest(statement=statement, values=values):
                self.change(("DROP TRIGGER entry_stays", ()), (statement, values))
                try:
                    self.proxy.start()
                except RuntimeError as error:
                    self.assertRegex(str(error), "anchorage: ledger: .*ledger.db: ")
                    self.assertIsNone(SANITIZER.search(str(error)))
                    continue
                self.proxy.get(limit=1)
                self.proxy.get(token="nobody")
                self.run_all([["usage"], ["key", "list", "--unknown"], ["ledger", "verify"]])
                self.proxy.stop()

    def test_files_that_are_cut_off_or_no_books(self):
        size = os.path.getsize(os.path.join(self.good, "ledger.db"))
        for length in (0, 15, 100, 4096, size // 2, size - 1):
            with self.subTest(length=length):
                self.change()
                os.truncate(os.path.join(self.state, "ledger.db"), length)
                self.run_all([["key", "list"], ["ledger", "verify"]])
        for content in (b"SQLite format 3\0" + b"\xff" * 5000, os.urandom(10000), b"x" * 100000):
            self.change()
            with open(os.path.join(self.state, "ledger.db"), "wb") as file:
                file.write(content)
            self.assertEqual(set(self.run_all([["key", "list"], ["usage"]])), {1})


if __name__ == "__main__":
    unittest.main()
