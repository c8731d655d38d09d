# SPDX-License-Identifier: MIT
"""The data of the page: /overview says the sums that an addition of `ledger export` by other code comes to, and what of the
calls was refused; /unknown is the list of tokens that nobody knows."""
import collections
import json
import time
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage
from sandbox import Sandbox
from test_admin import Admin

SUMS = ("results", "rows", "units", "units_predicted", "units_alone")
OF_ROWS = ("anchor.case", "mode", "rows", "where.", "having.", "order_by.", "twice.")


class Overview(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sandbox = cls.enterClassContext(Sandbox(today=None))
        cls.proxy = cls.enterClassContext(Anchorage(
            sandbox, proxy={"admin": "127.0.0.1:0"}, teams={"seo": {"rows_per_month": 5000}, "sales": {}, "lab": {}},
            keys=[("seo", TOKEN), ("sales", OTHER_TOKEN)]))
        cls.admin = Admin(cls.proxy)
        calls = [{"limit": 2}, {"limit": 2}, {"limit": 3, "where": "backlinks>0"}, {"target": "big.example", "limit": 20},
                 {"limit": 2, "token": OTHER_TOKEN}, {"target": "big.example", "limit": 5, "token": OTHER_TOKEN, "order_by":
                                                      "last_visited:desc"}]
        for call in calls:
            answer = cls.proxy.get(**call)
            assert answer.fault is None, answer
        cls.refused = [("seo", "bad_where"), ("seo", "bad_limit"), ("sales", "bad_where"), (None, "unknown_key"),
                       (None, "not_found")]
        cls.proxy.get(where="nosuch>1")
        cls.proxy.get(limit="x")
        cls.proxy.get(where="nosuch>1", token=OTHER_TOKEN)
        cls.proxy.get(token="nobody-knows-this-one")
        cls.proxy.get(raw="/nothing")
        cls.entries = [entry for entry in cls.proxy.ledger() if entry["kind"] in ("settle", "release", "unknown")]

    def overview(self, query=""):
        answer = self.admin.ask("/overview" + query)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json; charset=utf-8"), answer)
        return answer.json

    def expected(self, by, **filters):
        """The numbers of each line, from the export and from what was refused."""
        lines = collections.defaultdict(collections.Counter)
        for entry in self.entries:
            if any(entry[name] != value for name, value in filters.items()):
                continue
            line = lines[entry[by]]
            line["calls"] += 1
            line["approximate"] += bool(entry["approximate"])
            line["approximate_rows"] += any(mark.startswith(OF_ROWS) for mark in entry["approximate"])
            for name in SUMS:
                line[name] += (entry["units_predicted"] if entry[name] is None else entry[name]) or 0
        return lines

    def check(self, answer, by, lines):
        shown = {item[by]: item for item in answer["items"]}
        for name, line in lines.items():
            for column, number in line.items():
                self.assertEqual(shown[name][column], number, (name, column))
        total = sum(lines.values(), collections.Counter())
        self.assertEqual({column: answer["total"][column] for column in total}, dict(total))
        for column in ("units", "rows", "calls"):
            self.assertEqual(sum(sum(one[column]) for one in answer["series"]["items"]), total[column], column)
            self.assertTrue(all(len(one[column]) == len(answer["series"]["starts"]) for one in answer["series"]["items"]))

    def test_teams(self):
        for query in ("", "?period=month", "?period=7d", "?period=24h",
                      "?since=" + time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)) +
                      "&until=" + time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))):
            with self.subTest(query=query):
                lines = self.expected("team")
                for team, _ in self.refused:
                    if team:
                        lines[team].update(calls=1, refused=1, faults=1)
                answer = self.overview(query)
                self.check(answer, "team", lines)
                self.assertEqual((answer["by"], answer["filters"]), ("team", {"team": None, "key": None}))
        marks = collections.Counter(mark for entry in self.entries for mark in entry["approximate"])
        self.assertEqual({one["mark"]: one["calls"] for one in answer["marks"]}, dict(marks))
        for one in answer["marks"]:
            self.assertEqual(one["kind"], "rows" if one["mark"].startswith(OF_ROWS) else "values")
        faults = collections.Counter(fault for _, fault in self.refused)
        self.assertEqual({one["fault"]: one["calls"] for one in answer["faults"]}, dict(faults))
        last = next(one for one in answer["faults"] if one["fault"] == "bad_where")
        self.assertEqual((last["keys"], last["last"]["team"]), (2, "sales"))
        self.assertEqual((answer["unknown_tokens"]["tokens"], answer["unknown_tokens"]["calls"]), (1, 1))
        vias = collections.Counter(entry["via"] for entry in self.entries)
        self.assertEqual((answer["saved"]["cached_calls"], answer["saved"]["shared_calls"]), (vias["cache"], vias["shared"]))
        self.assertEqual(answer["saved"]["units"], answer["total"]["units_alone"] - answer["total"]["units"])
        self.assertEqual([team["team"] for team in answer["teams"]], ["seo", "sales", "lab"])
        limit = answer["limits"][0]
        self.assertEqual((limit["team"], limit["what"], limit["left"]), ("seo", "rows", limit["limit"] - limit["used"]))
        times = [item["last_call"] for item in answer["items"] if item["last_call"]]
        self.assertEqual((len(times), max(times)), (2, answer["total"]["last_call"]))
        health = answer["health"]
        self.assertEqual((health["ready"], health["why"], health["calls_running"]), (True, None, 0))
        self.assertEqual([key["key"] for key in health["keys"]], ["main"])

    def test_keys_and_tables(self):
        lines = self.expected("key", team="seo")
        self.assertEqual(len(lines), 1)
        key = next(iter(lines))
        lines[key].update(calls=2, refused=2, faults=2)
        self.check(self.overview("?team=seo"), "key", lines)
        lines = self.expected("table", key=key)
        lines["anchors"].update(calls=2, refused=2, faults=2)
        answer = self.overview("?key=" + key)
        self.check(answer, "table", lines)
        self.assertEqual(answer["by"], "table")
        self.assertEqual({one["fault"] for one in answer["faults"]}, {"bad_where", "bad_limit"})

    def test_nothing_there(self):
        answer = self.overview("?period=last-month")
        self.assertEqual((answer["total"]["calls"], answer["marks"], answer["faults"]), (0, [], []))
        self.assertEqual(self.overview("?team=nosuch")["items"], [])

    def test_wrong_questions(self):
        for query, words in (("?period=year", "period is"), ("?period=7d&since=2026-01-01", "period, or"),
                             ("?since=2026-01-01", "both"), ("?since=2024-01-01&until=2026-01-01", "366"),
                             ("?since=x&until=y", "days"), ("?nosuch=1", "no parameter"),
                             ("?since=2026-01-02&until=2026-01-01", "before")):
            answer = self.admin.ask("/overview" + query)
            self.assertEqual(answer.status, 400, (query, answer))
            self.assertIn(words, answer.json["error"])

    def test_unknown(self):
        answer = self.admin.ask("/unknown")
        self.assertEqual(answer.json, json.loads(self.proxy.run("key", "list", "--unknown", "--format", "json", check=0).stdout))
        self.assertEqual(len(answer.json["items"]), 1)
        text = self.admin.ask("/unknown?format=csv").bytes.decode()
        self.assertEqual(text, self.proxy.run("key", "list", "--unknown", "--format", "csv", check=0).stdout)
        self.assertEqual(self.admin.ask("/unknown?format=xml").status, 400)
        self.assertNotIn("nobody-knows", text + json.dumps(self.overview()))


if __name__ == "__main__":
    unittest.main()
