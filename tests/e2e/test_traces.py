# SPDX-License-Identifier: MIT
"""Refused calls leave a trace, and the latest call of each shape is kept without its token."""
import json
import os
import sqlite3
import unittest
import urllib.parse

from anchorage import OTHER_TOKEN, TOKEN, Anchorage
from sandbox import Sandbox

ODD = "tok+en/with.signs=%41&\"-and-more"  # a token that is written in many ways


class Traces(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = Anchorage(self.sandbox, teams={"seo": {"rows_per_month": 40}, "sales": {}},
                               keys=[("seo", TOKEN), ("sales", OTHER_TOKEN)])
        self.addCleanup(self.proxy.close)
        self.proxy.start()

    def usage(self, by, *words):
        done = self.proxy.run("usage", "--by", by, "--format", "json", *words, check=0)
        return {item[by]: item for item in json.loads(done.stdout)["items"]}

    def read(self, sql):
        """Of the books, which no daemon holds."""
        books = sqlite3.connect(os.path.join(self.proxy.path, "state", "ledger.db"))
        rows = books.execute(sql).fetchall()
        books.close()
        return rows

    def refuse_some(self):
        self.proxy.get(where="nosuch>1")
        self.proxy.get(where="nosuch>2", token=OTHER_TOKEN)
        self.proxy.get(limit="x", token=OTHER_TOKEN)
        self.proxy.get(from_="nosuch")
        self.proxy.get(token="nobody-knows-it")
        self.proxy.get(raw="/nothing")

    def test_refusals_are_shown_at_once_and_stay(self):
        self.refuse_some()
        self.assertIsNone(self.proxy.get(limit=2, where="backlinks>0").fault)
        for _ in range(2):
            faults = self.usage("fault")
            self.assertEqual({fault: (item["calls"], item["refused"], item["faults"]) for fault, item in faults.items()},
                             {"bad_where": (2, 2, 2), "bad_limit": (1, 1, 1), "unknown_table": (1, 1, 1),
                              "unknown_key": (1, 1, 1), "not_found": (1, 1, 1)})
            teams = self.usage("team")
            self.assertEqual({team: (item["calls"], item["refused"]) for team, item in teams.items()},
                             {"seo": (1, 2), "sales": (0, 2)})
            self.assertEqual(teams["seo"]["approximate"], 1)
            self.assertEqual(self.usage("fault", "--team", "sales").keys(), {"bad_where", "bad_limit"})
            self.assertEqual(self.usage("table")["anchors"]["refused"], 3)
            self.assertEqual(self.usage("shape")[self.shape_of(self.usage("shape"), "bad_limit")]["refused"], 1)
            marks = self.usage("mark")
            self.assertEqual({mark: item["calls"] for mark, item in marks.items()}, {"last_visited": 1, **{
                mark: 1 for mark in marks if mark != "last_visited"}})
            self.assertIn("FAILED", self.proxy.run("usage", check=0).stdout)
            self.assertIsNone(self.usage("client")["127.0.0.1"]["refused"])
            self.proxy.stop()
            self.assertIn("good:", self.proxy.run("ledger", "verify", check=0).stdout)
            self.proxy.start()

    @staticmethod
    def shape_of(shapes, word):
        return next(shape for shape, item in shapes.items() if f"refused {word} " in item["call"])

    def test_words_are_exact_after_a_crash(self):
        for limit in (1, 2, 3):
            self.assertIsNone(self.proxy.get(limit=limit).fault)
        before = {mark: item["calls"] for mark, item in self.usage("mark").items()}
        self.assertEqual(before["last_visited"], 3)
        self.proxy.kill()
        self.assertEqual({mark: item["calls"] for mark, item in self.usage("mark").items()}, before)
        self.assertEqual(self.usage("team")["seo"]["approximate"], 3)
        self.assertIn("good:", self.proxy.run("ledger", "verify", check=0).stdout)

    def test_no_token_is_kept(self):
        token = ODD
        self.proxy.run("key", "add", "--team", "sales", "--token", token, check=0)
        quoted = urllib.parse.quote(token, safe="")
        every = "".join(f"%{byte:02x}" for byte in token.encode())
        common = "from=anchors&target=small.example&mode=domain&limit=1"
        self.assertIsNone(self.proxy.get(raw=f"/?{common}&t%6Fken={every}").fault)
        self.proxy.get(raw=f"/?{common}&token={quoted}&where=anchor=%22{quoted}%22")
        self.proxy.get(raw=f"/?{common}&offset={every}&token={quoted}")
        self.proxy.get(raw="/?from=anchors", method="POST", body=f"token={quoted}&target=small.example&limit=z".encode(),
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.proxy.stop()
        texts = {call for call, in self.read("SELECT call FROM latest")}
        self.assertIn(common, texts)
        self.assertIn("from=anchors&target=small.example&limit=z", texts)
        self.assertIn(f"{common}&offset=[token]", texts)
        for name in os.listdir(os.path.join(self.proxy.path, "state")):
            with open(os.path.join(self.proxy.path, "state", name), "rb") as file:
                data = file.read().lower()
            for guise in (token.encode(), quoted.encode(), every.encode(), urllib.parse.quote_plus(token).encode()):
                self.assertNotIn(guise.lower(), data)

    def test_the_latest_call_of_a_shape(self):
        for target in ("small.example", "big.example"):
            self.assertIsNone(self.proxy.get(limit=1, target=target).fault)
        pad = "x" * 1100
        self.proxy.get(where="nosuch>1", x="short")
        self.proxy.get(where="nosuch>1", x=pad)
        self.proxy.stop()
        rows = {text: (call, size) for text, call, size in
                self.read("SELECT text, call, bytes FROM latest JOIN shape ON shape.id = latest.shape")}
        served = [call for text, (call, _) in rows.items() if not text.startswith("refused ")]
        self.assertEqual(len(served), 1)
        self.assertIn("target=big.example", served[0])
        call, size = rows["refused bad_where anchors target,mode,where,output"]
        self.assertIsNone(call)
        self.assertGreater(size, 1100)


class Numbers(unittest.TestCase):
    """What was asked, what is left of what, until when, and what would be right."""
    MONTH = r"1 (January|February|March|April|May|June|July|August|September|October|November|December) 20[0-9]{2} \(UTC\)"

    def setUp(self):
        self.sandbox = self.enterContext(Sandbox(today=None))

    def proxy(self, **options):
        return self.enterContext(Anchorage(self.sandbox, **options))

    def test_rows(self):
        proxy = self.proxy(teams={"seo": {"rows_per_month": 1003}})
        self.assertEqual(proxy.get(limit=1000, target="big.example").rows_charged, 1001)
        self.assertEqual(proxy.get(limit=1).rows_charged, 2)
        answer = proxy.get(limit=1000, where="backlinks>0")
        self.assertEqual(answer.fault, "out_of_rows")
        self.assertRegex(answer.headers["x-anchorage-why"], f"^team seo has 0 of 1,003 rows left until {self.MONTH}; this call needs "
                         "at least 7 and may need 1,006: ask for fewer rows, or have rows_per_month raised$")

    def test_units_of_a_team(self):
        proxy = self.proxy(proxy={"error_status": "http"}, teams={"seo": {"units_per_month": 60}})
        answer = proxy.get(limit=100)
        self.assertEqual(answer.fault, "out_of_units")
        self.assertRegex(answer.json["error"], f"^team seo has 60 of 60 API v3 units left until {self.MONTH}; this call needs at least "
                         "[0-9]+ and may need [0-9,]+: ask for fewer rows or columns, or have its units_per_month raised$")

    def test_units_of_all(self):
        proxy = self.proxy(proxy={"error_status": "http"}, upstream={"units_per_month": 60}, fidelity={"too_long": "refuse"})
        answer = proxy.get(target="big.example", select="anchor", limit=10000)
        self.assertEqual(answer.fault, "out_of_units")
        self.assertRegex(answer.json["error"], f"^all teams together have 60 of 60 API v3 units left until {self.MONTH}; this call may "
                         "need [0-9,]+: ask for fewer rows or columns, or have units_per_month of all raised"
                         "(; it has cost [0-9]+ API v3 units by now)?$")

    def test_tables(self):
        proxy = self.proxy(proxy={"error_status": "http"})
        self.assertIn("API v2 had a table \"backlinks_new_lost\", which is not served yet; API v3 has most of it in "
                      "site-explorer/all-backlinks; served: anchors, ", proxy.get(from_="backlinks_new_lost").json["error"])
        self.assertIn("API v2 had no table \"ancors\"; did you mean anchors? served: anchors, ",
                      proxy.get(from_="ancors").json["error"])
        self.assertIn("API v2 had no table \"organic_keywords\"; served: anchors, ",
                      proxy.get(from_="organic_keywords").json["error"])


if __name__ == "__main__":
    unittest.main()
