# SPDX-License-Identifier: MIT
"""anchorage doctor: each finding at every value that v3 might have, with and without a daemon."""
import json
import os
import threading
import unittest

from anchorage import TOKEN
from sandbox import Sandbox
from test_accounts import LIMITS, WithKeys, day_in

NAMES = ["key", "plan", "units", "month", "key_ends", "prefix", "anchor_case", "anchor_order", "prices", "text_compare",
         "link_filters", "totals"]


class Patient(WithKeys):
    def doctor(self, *words, check=None):
        """The findings by name, and the whole report."""
        report = json.loads(self.run("doctor", "--format", "json", *words, check=check).stdout)
        self.findings = {finding["name"]: finding for finding in report["findings"]}
        return report

    def verdicts(self, *names):
        return [self.findings[name]["verdict"] for name in names]

    def learnt(self):
        with open(os.path.join(self.path, "state", "learnt"), encoding="utf-8") as file:
            return file.read()


class Findings(unittest.TestCase):
    """Without a daemon."""

    def examine(self, check=0, scripts=(), proxy=None, **options):
        sandbox = Sandbox(**{"today": None, **options}).start()
        self.addCleanup(sandbox.stop)
        sandbox.script(*scripts)
        patient = Patient(sandbox, **(proxy or {}))
        self.addCleanup(patient.close)
        report = patient.doctor(check=check)
        self.assertLessEqual(report["requests"], 8)
        asked = sandbox.log()
        self.assertEqual([entry["path"] for entry in asked if entry["path"] == LIMITS], [LIMITS])
        self.assertEqual(len(asked), 1 + report["requests"])
        for entry in asked[1:]:
            self.assertRegex(entry["query"]["target"], r"^(https://)?ahrefs\.com\b")
        for finding in report["findings"]:
            self.assertIn(finding["verdict"], ("fine", "note", "wrong"))
            self.assertTrue(finding["do"] or finding["verdict"] != "wrong", finding)
        return patient

    def test_v3_as_it_is_hoped_to_be(self):
        patient = self.examine(anchor_case="fold")
        self.assertEqual(sorted(patient.findings), sorted(NAMES))
        self.assertEqual(set(patient.verdicts(*NAMES)), {"fine"}, patient.findings)
        self.assertNotIn("upper_case", patient.learnt())
        self.assertEqual([(entry["team"], entry["key"], entry["rows"], entry["units"]) for entry in patient.ledger()],
                         [("(anchorage)", None, 0, 0)] * 16)
        patient.run("ledger", "verify", check=0)

    def test_case_and_order(self):
        for case in ("keep", "fold"):
            for collation in ("bytes", "nocase", "locale-like"):
                for compare in ("bytes", "collation"):
                    with self.subTest(case=case, collation=collation, compare=compare):
                        # Folded texts without case: bytes and nocase cannot be told apart, nor need they be.
                        orderly = collation == "bytes" or (case, collation) == ("fold", "nocase")
                        agree = orderly or compare == "collation"
                        patient = self.examine(check=None, anchor_case=case, collation=collation, text_compare=compare)
                        self.assertEqual(patient.verdicts("anchor_case", "anchor_order", "text_compare"),
                                         ["note" if case == "keep" else "fine", "fine" if orderly else "note",
                                          "fine" if agree else "wrong"], patient.findings)
                        self.assertEqual("upper_case = 1" in patient.learnt(), case == "keep")
                        self.assertEqual("disorder = 1" in patient.learnt(), not orderly)

    def test_link_filters(self):
        self.assertEqual(self.examine(link_filters="select").verdicts("link_filters"), ["note"])
        self.assertEqual(self.examine(link_filters="narrow").verdicts("link_filters"), ["fine"])

    def test_prices(self):
        wrong = {"match": "anchors", "headers": {"x-api-units-cost-total": "1000"}}
        patient = self.examine(check=1, scripts=[wrong])
        self.assertEqual(patient.verdicts("prices"), ["wrong"])
        self.assertIn("1000 units for 100 rows, our table 900", patient.findings["prices"]["found"])
        silent = {"match": "anchors", "headers": {"x-api-units-cost-total": None}}
        self.assertEqual(self.examine(scripts=[silent]).verdicts("prices"), ["note"])

    def test_totals_and_prefix(self):
        lie = {"match": "backlinks-stats", "query": {"mode": "exact"}, "replace": {"\"live\":": "\"live\":1"}}
        self.assertEqual(self.examine(scripts=[lie]).verdicts("totals"), ["note"])
        counts = {"match": "backlinks-stats", "query": {"mode": "prefix"}, "body": {"metrics": {"live": 77}}}
        patient = self.examine(scripts=[counts])
        self.assertEqual(patient.verdicts("prefix"), ["note"])
        self.assertIn("77 links", patient.findings["prefix"]["found"])

    def test_the_plan_and_its_limits(self):
        patient = self.examine(check=1, plan="Lite", key_units=20, expires=day_in(3), reset_date="2030-01-31",
                               proxy={"upstream": {"max_rows_per_request": 500, "billing_day": 5,
                                                   "units_per_month": 1000000}})
        self.assertEqual(patient.verdicts("plan", "units", "month", "key_ends", "units_per_month"),
                         ["wrong", "wrong", "wrong", "wrong", "note"])
        self.assertIn("100 rows", patient.findings["plan"]["found"])
        patient = self.examine(subscription="Galaxy", expires=day_in(20))
        self.assertEqual(patient.verdicts("plan", "key_ends"), ["note", "note"])

    def test_units_that_it_takes_after_all(self):
        costs = {"match": "backlinks-stats", "headers": {"x-api-units-cost-total-actual": "50"}}
        patient = self.examine(check=1, scripts=[costs])
        self.assertEqual(patient.verdicts("free_target"), ["wrong"])
        self.assertNotIn("anchor_case", patient.findings, "it goes on though it costs")
        self.assertEqual(patient.usage()["(anchorage)"]["units"], 50)

    def test_odd_answers(self):
        scripts = [{"match": "anchors", "body": "{\"anchors\":[{}]}"}, {"match": "anchors", "status": 400, "body": {"error": "bad where"}},
                   {"match": "backlinks-stats", "query": {"mode": "exact"}, "body": "[]"}]
        patient = self.examine(check=1, scripts=scripts)
        self.assertEqual(patient.verdicts("anchor_order", "anchor_case", "totals"), ["wrong", "wrong", "wrong"])
        self.assertIn("bad where", patient.findings["anchor_case"]["found"])

    def test_no_v3_and_no_key(self):
        with Sandbox(today=None, denied_key="bad", key="good") as sandbox:
            for key, words in (("bad", "403"), ("stranger", "401")):
                patient = Patient(sandbox)
                self.addCleanup(patient.close)
                with open(os.path.join(patient.path, "v3.key"), "w", encoding="ascii") as file:
                    file.write(key)
                report = patient.doctor(check=1)
                self.assertEqual((report["requests"], len(report["findings"])), (0, 1))
                self.assertIn("does not take the key", patient.findings["key"]["found"])
                self.assertIn(words, patient.findings["key"]["found"])
        patient = Patient("http://127.0.0.1:1/v3")
        self.addCleanup(patient.close)
        patient.doctor(check=1)
        self.assertIn("cannot be reached", patient.findings["key"]["found"])

    def test_the_command_line(self):
        patient = Patient("http://127.0.0.1:1/v3")
        self.addCleanup(patient.close)
        for words in (["--format"], ["--format", "xml"], ["--team", "no body"], ["more"], ["--save"]):
            self.assertTrue(patient.run("doctor", *words, check=2).stderr, words)
        self.assertIn("no team \"nobody\"", patient.run("doctor", "--team", "nobody", check=1).stderr)
        self.assertIn("--save FILE", patient.run("doctor", "--help", check=0).stdout)


class WithDaemon(unittest.TestCase):
    def test_what_it_learns_counts_at_once_and_after_a_restart(self):
        with Sandbox(today=None, collation="nocase", text_compare="collation", plan="Lite") as sandbox:
            patient = Patient(sandbox)
            self.addCleanup(patient.close)
            patient.start()
            calm = patient.get(target="lower.example", limit=5)
            self.assertEqual(calm.marks & {"anchor.case", "order_by.anchor"}, set())
            patient.doctor(check=0)
            self.assertEqual(patient.verdicts("anchor_case", "anchor_order"), ["note", "note"])
            for _ in range(2):
                sandbox.reset()
                answer = patient.get(target="lower.example", limit=150)
                self.assertLessEqual({"anchor.case", "order_by.anchor"}, answer.marks)
                self.assertEqual(sandbox.log()[0]["query"]["limit"], "100")
                patient.stop()
                patient.start()
            self.assertIn("plan = Lite", patient.learnt())

    def test_the_report_is_the_same_and_can_be_kept(self):
        with Sandbox(today=None, key=["main-secret", "own-secret"]) as sandbox:
            patient = Patient(sandbox, {"own.key": "own-secret"},
                              teams={"seo": {}, "own": {"api_key_file": "own.key"}}, keys=[("seo", TOKEN)])
            self.addCleanup(patient.close)
            alone = patient.run("doctor", "--save", "alone.json", check=0)
            patient.start()
            asked = patient.run("doctor", "--save", "asked.json", check=0)
            self.assertEqual(alone.stdout, asked.stdout)
            self.assertRegex(asked.stdout, r"(?m)^fine   key: ")
            sandbox.reset()
            self.assertEqual(patient.doctor("--team", "own", check=0)["key"], "own")
            self.assertEqual({entry["key"] for entry in sandbox.log()}, {1})
            with open(os.path.join(patient.path, "asked.json"), encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(json.loads(text)["key"], "main")
            self.assertNotIn("secret", text)
            self.assertNotIn("AHREFS.COM", text)
            self.assertEqual(patient.run("doctor", "--save", "/nowhere/x", check=1).stdout, asked.stdout)
            patient.run("ledger", "verify", check=0)

    def test_the_daemon_may_end_meanwhile(self):
        with Sandbox(today=None) as sandbox:
            sandbox.script({"match": "anchors", "stall": True})
            with Patient(sandbox, proxy={"drain_timeout": "100ms"}) as patient:
                done = []
                thread = threading.Thread(target=lambda: done.append(patient.run("doctor")))
                thread.start()
                sandbox.wait(requests=3)
                again = patient.run("doctor", check=1)
                self.assertIn("at work already", again.stderr)
                patient.stop()
                thread.join()
                self.assertEqual(done[0].returncode, 1)
                patient.run("ledger", "verify", check=0)
                self.assertEqual({entry["kind"] for entry in patient.ledger()}, {"note", "hold", "settle", "unknown"})


if __name__ == "__main__":
    unittest.main()
