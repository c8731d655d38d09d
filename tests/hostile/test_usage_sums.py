# SPDX-License-Identifier: MIT
"""Books that were made up: names of 64 characters, names that act on terminals and spreadsheets or run right to left, four
bytes a letter, numbers of 13 digits. Every form of usage says the sums that an addition of `ledger export` by other code
comes to, its last line adds up, and its text fits 80 columns."""
import collections
import csv
import io
import itertools
import json
import os
import random
import re
import sqlite3
import time
import unittest

from anchorage import Anchorage
from sandbox import Sandbox

NAMES = ["", "n" * 64, "\U0001f600" * 16 + "\u05d0\u05d1\u05d2" * 16, "=1+1", "a,b\"c\"", "\u0627\u0644\u0645 x", "crawler",
         "漢字" * 32, "(together)", "-5", "@cmd", "e\u0301" * 32]
TEAMS = ["seo", "sales", "together", "t" * 64, "(anchorage)"]
FAULTS = ["upstream_late", "bad_target"]
TARGETS = ["example.com", "x" * 64 + ".example", "https://example.com/" + "path/" * 30, "\U0001f600.example", "=cmd|x"]
MARKS = ["", "last_visited", "last_visited,stats.refpages", "rows,where.backlinks,last_visited", "mode"]
NUMBERS = [0, 1, 8, 1000, 999_999, 1_234_567_890_123]
COLUMNS = ("calls", "results", "rows", "units", "units_predicted", "units_alone", "units_unknown", "faults", "approximate",
           "approximate_rows")
OF_ROWS = {"rows", "where.backlinks", "mode"}  # marks that say that other rows are possible
HOUR = 3600


def width(text):
    """At least what a terminal makes of it: East Asian and pictures are two columns wide."""
    return sum(2 if ord(letter) >= 0x1100 and not 0x2000 <= ord(letter) < 0x2E80 else 1 for letter in text)


class Books:
    """Entries and their hourly sums, as the daemon writes them."""

    def __init__(self, path, now):
        self.books, self.now, self.names, self.seq = sqlite3.connect(path), now, {}, 0
        self.rollups = collections.defaultdict(lambda: [0] * 8 + [1 << 62, 0])
        self.names = {text: number for number, text in self.books.execute("SELECT id, text FROM name")}
        self.seq = self.books.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0]

    def name(self, text):
        if text and text not in self.names:
            self.names[text] = max([0, *self.names.values()]) + 1
            self.books.execute("INSERT INTO name VALUES(?, ?)", (self.names[text], text))
        return self.names[text] if text else 0

    def settle(self, dice, team, key, target, hours_ago):
        rows, units, alone, results = (dice.choice(NUMBERS) for _ in range(4))
        moment, failed = self.now - hours_ago * HOUR, dice.random() < 0.2
        unknown = dice.random() < 0.1
        client = None if team == "(anchorage)" else f"10.0.0.{dice.randrange(5)}"
        place = (moment // HOUR, self.name(team), self.name(key), self.name("anchors"))
        self.seq += 1
        marks = "" if failed else dice.choice(MARKS)
        self.books.execute("INSERT INTO entry VALUES(?,?,2,?,NULL,?,?,?,?,?,1,?,?,?,?,?,1,NULL,0,?,?,5,0)",
                           (self.seq, moment * 1000, f"id{self.seq}", *place[1:3], client, place[3], target, rows,
                            None if unknown else units, units, alone, results, self.name(marks),
                            self.name(dice.choice(FAULTS)) if failed else None))
        sums = self.rollups[place]
        for i, more in enumerate((1, results, rows, units, units, alone, units if unknown else 0, int(failed))):
            sums[i] += more
        sums[8:] = min(sums[8], self.seq), max(sums[9], self.seq)

    def close(self):
        for place, sums in self.rollups.items():
            self.books.execute("INSERT INTO rollup VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", (*place, *sums))
        self.books.commit()
        self.books.close()


class Sums(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sandbox = cls.enterClassContext(Sandbox(today=None))
        many = 900_000_000_000_000
        cls.proxy = Anchorage(sandbox, teams={"seo": {"rows_per_month": many, "units_per_month": many}, "sales": {},
                                              "together": {"rows_per_month": 1}, "t" * 64: {}})
        cls.addClassCleanup(cls.proxy.close)
        dice = random.Random(16)
        cls.keys = {}
        for i, name in enumerate(NAMES):
            done = cls.proxy.run("key", "add", "--team", TEAMS[i % 4], *(["--name", name] if name else []), "--token",
                                 f"token-of-many-letters-{i}", check=0)
            cls.keys[done.stdout.split()[0]] = name
        books = Books(os.path.join(cls.proxy.path, "state", "ledger.db"), int(time.time()))
        for _ in range(400):
            team = dice.choice(TEAMS)
            key = "" if team == "(anchorage)" else dice.choice([*cls.keys, "?90138ec070"])
            books.settle(dice, team, key, dice.choice(TARGETS), dice.randrange(24 * 40))
        books.close()
        done = cls.proxy.run("ledger", "export", "--since", "1970-01-01", check=0)
        cls.entries = [json.loads(line) for line in done.stdout.splitlines()]

    @staticmethod
    def words(entry, by):
        """What the entry is counted under by fault or mark; by anything else it is counted once."""
        if "mark" in by:
            return entry["approximate"]
        return [entry["fault"]] if "fault" not in by or entry["fault"] else []

    def expected(self, since, *by, team=None, key=None):
        """The sums by these, from the export alone. By marks the place () has each call once."""
        sums = collections.defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
        for entry in self.entries:
            own = entry["team"] == "(anchorage)"
            if entry["kind"] != "settle" or entry["time"] < since or team not in (None, entry["team"]) or \
                    key not in (None, entry["key"]):
                continue
            places = {"team": entry["team"], "key": entry["key"] or ("(anchorage)" if own else ""),
                      "client": entry["client"] or ("(anchorage)" if own else ""), "table": entry["table"],
                      "target": entry["target"], "day": entry["time"][:10], "hour": entry["time"][:13] + ":00:00Z",
                      "shape": entry["shape"]}
            units = entry["units_predicted"] if entry["units"] is None else entry["units"]
            numbers = (1, entry["results"], entry["rows"], units, entry["units_predicted"], entry["units_alone"],
                       units if entry["units"] is None else 0, entry["fault"] is not None)
            words = self.words(entry, by)
            marks = set(entry["approximate"])
            for word in words:
                shown = {word} if "mark" in by else marks
                line = sums[tuple(word if one in ("fault", "mark") else places[one] for one in by)]
                for column, number in zip(COLUMNS, (*numbers, bool(shown), bool(shown & OF_ROWS))):
                    line[column] += number
            if "mark" in by and words:
                for column, number in zip(COLUMNS, (*numbers, bool(marks), bool(marks & OF_ROWS))):
                    sums[()][column] += number
        return sums

    def questions(self):
        views = ("team", "key", "client", "day", "hour", "table", "target", "fault", "mark", "shape")
        for by in views:
            yield (by,), []
        for by, per in itertools.product(views, ("team", "key")):
            if by != per:
                yield (by, per), ["--per", per]

    def together(self, sums):
        if () in sums:
            return dict(sums[()])
        return {column: sum(line[column] for line in sums.values()) for column in COLUMNS}

    def test_json_and_csv(self):
        since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 30 * 24 * HOUR))
        narrower = itertools.cycle(({"team": "seo"}, {"key": list(self.keys)[2]}))
        for by, extra in self.questions():
            for filters in ({}, next(narrower)):
                with self.subTest(by=by, filters=filters):
                    words = ["usage", "--by", by[0], *extra, "--since", "30d",
                             *(word for name, value in filters.items() for word in ("--" + name, value))]
                    expected = self.expected(since, *by, **filters)
                    answer = json.loads(self.proxy.run(*words, "--format", "json", check=0).stdout)
                    found = {tuple(item[one] or "" for one in by): {column: item[column] for column in COLUMNS}
                             for item in answer["items"] if item["calls"]}
                    self.assertEqual(found, {place: line for place, line in expected.items() if place and line["calls"]})
                    self.assertEqual({column: answer["total"][column] for column in COLUMNS}, self.together(expected))
                    for item in answer["items"] if "key" in by else []:
                        self.assertEqual(item["name"] or "", self.keys.get(item["key"], ""))
                    lines = list(csv.DictReader(io.StringIO(self.proxy.run(*words, "--format", "csv", check=0).stdout)))
                    self.assertEqual(lines[-1][by[0]], "(together)")
                    for column in COLUMNS:
                        if by[0] != "mark":
                            self.assertEqual(sum(int(line[column]) for line in lines[:-1]), int(lines[-1][column]))
                        self.assertEqual(int(lines[-1][column]), self.together(expected)[column])
                    self.assertEqual(len(lines) - 1, len(answer["items"]))

    def test_what_top_leaves_out(self):
        for top in (1, 3, 1000):
            words = ["usage", "--by", "key", "--since", "30d", "--sort", "rows", "--top", str(top)]
            answer = json.loads(self.proxy.run(*words, "--format", "json", check=0).stdout)
            rows = [item["rows"] for item in answer["items"] if item["key"] != "(anchorage)"]
            self.assertEqual(rows, sorted(rows, reverse=True))
            self.assertLessEqual(len(answer["items"]), top)
            lines = list(csv.DictReader(io.StringIO(self.proxy.run(*words, "--format", "csv", check=0).stdout)))
            self.assertEqual(sum(int(line["units"]) for line in lines[:-1]), answer["total"]["units"])
            self.assertEqual([line["key"] for line in lines].count("others"), answer["others"] > 0)
        whole = json.loads(self.proxy.run("usage", "--by", "key", "--since", "30d", "--format", "json", check=0).stdout)
        self.assertEqual(whole["total"], answer["total"])
        self.assertEqual(whole["items"][-1]["key"], "(anchorage)")

    def test_text_fits_and_adds_up(self):
        since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 30 * 24 * HOUR))
        more = itertools.cycle(([], ["--team", "seo"], ["--bill", "9999999999999.99"], ["--top", "2"], ["--sort", "name"]))
        for by, words in self.questions():
            words = ["usage", "--by", by[0], *words, "--since", "30d", *next(more)]
            if by[0] in ("fault", "mark") and "--bill" in words:
                self.assertIn("a bill is for all calls", self.proxy.run(*words, check=2).stderr)
                continue
            with self.subTest(words=words):
                text = self.proxy.run(*words, check=0).stdout
                for line in text.splitlines():
                    self.assertEqual(line, line.rstrip())
                    if not (by[0] == "target" and "https://" in line):
                        self.assertLessEqual(width(line), 80, line)
                self.assertNotIn("\x1b", text)
                total = self.together(self.expected(since, *by, team="seo" if "--team" in words else None))
                last = [line for line in text.splitlines() if line.startswith("together ")][-1]
                self.assertIn(f" {total['units']:,} ", last + " ")
                self.assertIn(f" {total['rows']:,} ", last + " ")

    def test_keys_are_listed(self):
        text = self.proxy.run("key", "list", check=0).stdout
        for line in text.splitlines():
            self.assertLessEqual(width(line), 80, line)
        self.assertIn("  name: " + "n" * 64 + "\n", text)
        rows = json.loads(self.proxy.run("key", "list", "--format", "json", check=0).stdout)["items"]
        lines = list(csv.DictReader(io.StringIO(self.proxy.run("key", "list", "--format", "csv", check=0).stdout)))
        self.assertEqual({row["key"]: row["name"] or "" for row in rows}, self.keys)
        for row, line in zip(rows, lines, strict=True):
            cells = {name: "'" + value if value and value[0] in "=+-@" else value or "" for name, value in row.items()}
            self.assertEqual(cells, line)

    def test_entries_are_listed(self):
        answer = json.loads(self.proxy.run("ledger", "export", "--since", "1970-01-01", "--format", "json", check=0).stdout)
        self.assertEqual(answer, self.entries)
        self.assertEqual(json.loads(self.proxy.run("ledger", "export", "--since", "999999", "--format", "json").stdout), [])
        text = self.proxy.run("ledger", "export", "--format", "text", check=0).stdout
        for line in text.splitlines():
            self.assertEqual(line, line.rstrip())
            if "https://" not in line:
                self.assertLessEqual(width(line), 80, line)
        self.assertEqual(len(re.findall("(?m)^[0-9]", text)), len(self.entries))

    def test_bills_add_up(self):
        for split in ("units_alone", "units", "rows"):
            words = ["usage", "--by", "key", "--since", "30d", "--bill", "1234.57", "--split", split, "--format", "csv"]
            lines = list(csv.DictReader(io.StringIO(self.proxy.run(*words, check=0).stdout)))
            cents = [int(line["bill"].replace(".", "")) for line in lines]
            self.assertEqual((sum(cents[:-1]), cents[-1]), (123457, 123457))

    def test_limits_are_of_the_month(self):
        month = time.strftime("%Y-%m-01", time.gmtime())
        sums = self.expected(month, "team")
        answer = json.loads(self.proxy.run("usage", "--format", "json", check=0).stdout)
        for limit in answer["limits"]:
            used = sums[(limit["team"],)][limit["what"]]
            self.assertEqual((limit["used"], limit["left"]), (used, max(limit["limit"] - used - limit["held"], 0)))
        self.assertEqual(answer["whole"]["units"], self.together(sums)["units"])

    def test_warnings_are_quiet_when_all_is_well(self):
        done = self.proxy.run("usage", "--warn", "1000%", "--team", "seo", check=0)
        self.assertEqual(done.stdout + done.stderr, "")
        self.assertRegex(self.proxy.run("usage", "--warn", "10", check=2).stderr, "with its sign, not 10")


if __name__ == "__main__":
    unittest.main()
