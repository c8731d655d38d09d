# SPDX-License-Identifier: MIT
"""What nobody outside knows about v3 is a switch of the sandbox. Whatever it says, an answer is right, or it is marked, or
refused; never wrong in silence."""
import unittest

import v2
from anchorage import Anchorage
from sandbox import Sandbox

TARGETS = ["small.example", "tricky.example", "lower.example", "words.example"]

# What is asked of each target: parameters, v2.answer()'s words for it.
CALLS = [
    ({}, {}),
    ({"limit": 3}, {"limit": 3}),
    ({"limit": 5, "offset": 4}, {"limit": 5, "offset": 4}),
    ({"order_by": "anchor:desc", "limit": 4}, {"order": ["anchor:desc"], "limit": 4}),
    ({"order_by": "backlinks:desc", "limit": 5}, {"order": ["backlinks:desc"], "limit": 5}),
    ({"order_by": "refdomains,first_seen:desc", "limit": 7}, {"order": ["refdomains", "first_seen:desc"], "limit": 7}),
    ({"having": "backlinks>=9"}, {"where": lambda r: r["backlinks"] >= 9}),
    ({"having": "refdomains<3", "limit": 4}, {"where": lambda r: r["refdomains"] < 3, "limit": 4}),
    ({"where": 'substring(anchor,"e")', "limit": 6}, {"where": lambda r: "e" in r["anchor"], "limit": 6}),
    ({"where": 'anchor="seo"'}, {"where": lambda r: r["anchor"] == "seo"}),
    ({"where": 'anchor<>"seo"'}, {"where": lambda r: r["anchor"] != "seo"}),
    ({"where": 'anchor>"m"', "limit": 5}, {"where": lambda r: r["anchor"].encode() > b"m", "limit": 5}),
    ({"having": 'first_seen<"2015-01-01"'}, {"where": lambda r: r["first_seen"] < "2015-01-01"}),
    ({"select": "anchor,refpages", "limit": 2}, {"select": ["anchor", "refpages"], "limit": 2}),
]

# Marks that excuse rows other than v2's; the others speak of single values.
EXCUSES = {"anchor.case", "order_by.anchor", "where.anchor", "having.anchor"}


class Switches(unittest.TestCase):
    def play(self, proxy_options=None, strict=False, calls=CALLS, targets=TARGETS, **switches):
        """All calls to all targets; how many answers were marked. The truth comes from a sandbox of plain habits."""
        marked = refused = 0
        # Ordered one way and compared another, v3 cannot be paged; saying so is all that can be done.
        at_odds = "collation" in switches and switches.get("text_compare") == "bytes"
        with Sandbox(today=None, anchor_case=switches.get("anchor_case")) as plain, Sandbox(today=None, **switches) as sandbox, \
                Anchorage(sandbox, **(proxy_options or {})) as proxy:
            for target in targets:
                keep = (proxy_options or {}).get("fidelity", {}).get("anchor_case") == "keep"
                v3 = v2.v3_rows(plain, target, "subdomains")
                rows = [v2.kept(row) for row in v3] if keep else v2.merged(v3)
                live = v2.live(plain, target, "subdomains")
                for params, cut in calls:
                    with self.subTest(switches=switches, target=target, **params):
                        answer = proxy.get(target=target, **params)
                        if at_odds and answer.fault == "upstream_odd":
                            refused += 1
                            continue
                        self.assertEqual((answer.status, answer.fault), (200, None), answer)
                        expected = v2.answer(rows, **cut)
                        excused = bool(answer.marks & EXCUSES)
                        if strict or not excused:
                            self.assertEqual(answer.anchors, expected, answer)
                        self.assertEqual(answer.json["stats"]["backlinks"], live)
                        self.assertEqual(answer.rows_charged, 1 + len(answer.anchors) + 5 * ("where" in params)
                                         + 5 * ("having" in params))
                        self.assertEqual(int(answer.headers["x-results-count"]), len(answer.anchors))
                        marked += excused
            usage = proxy.usage()["seo"]
            self.assertEqual((usage["rows_held"], usage["faults"]), (0, refused))
            if switches.get("cost_miss", "real") == "real":
                self.assertEqual(usage["units"], sandbox.state()["spent"], "our books agree with v3's")
        return marked

    def test_anchor_case_folded_there(self):
        """Nothing has to be folded here: all is exact, save what compares text, which is always marked."""
        self.play(anchor_case="fold", strict=True, calls=[call for call in CALLS if ">" not in call[0].get("where", "")
                                                          or "<>" in call[0]["where"]])

    def test_anchor_case_kept_there(self):
        self.assertTrue(self.play(anchor_case="keep"))

    def test_anchor_case_kept_here_too(self):
        self.play({"fidelity": {"anchor_case": "keep"}}, anchor_case="keep",
                  calls=[call for call in CALLS if "anchor" not in call[0].get("where", "")], strict=True)

    def test_collation(self):
        for collation in ("nocase", "locale-like"):
            self.play(collation=collation, text_compare="collation", targets=TARGETS[:3])
            self.play(collation=collation, text_compare="bytes", targets=TARGETS[:1])

    def test_collation_with_lower_case_alone(self):
        """Even where all letters are small, accents may stand elsewhere."""
        self.play(collation="locale-like", text_compare="collation", anchor_case="fold", targets=TARGETS[1:2])

    def test_text_is_compared_by_the_collation(self):
        self.play(text_compare="collation", targets=TARGETS[:2])

    def test_escaped_json(self):
        self.play(json="escaped", targets=TARGETS[:2])

    def test_link_filters(self):
        for how in ("narrow", "select"):
            with Sandbox(today=None, link_filters=how) as sandbox, Anchorage(sandbox) as proxy:
                for where in ('subdomain(refdomain,"example")', 'refdomain="a.example"'):
                    answer = proxy.get(target="lower.example", where=where)
                    self.assertEqual(answer.status, 200)
                    self.assertIn("where.refdomain", answer.marks)

    def test_no_price_on_a_miss(self):
        with Sandbox(today=None, cost_miss="zero") as sandbox, Anchorage(sandbox) as proxy:
            for target in TARGETS:
                before = sandbox.state()["spent"]
                answer = proxy.get(target=target)
                self.assertEqual(answer.status, 200)
                booked = [entry for entry in proxy.entries(answer.id) if entry["kind"] == "settle"]
                self.assertIsNone(booked[0]["units"], "0 on a miss is no price")
                self.assertGreaterEqual(booked[0]["units_predicted"], sandbox.state()["spent"] - before)
            self.assertGreaterEqual(proxy.usage()["seo"]["units_predicted"], sandbox.state()["spent"])
        self.play(cost_miss="zero", targets=TARGETS[:1])

    def test_a_limit_holds_even_without_prices(self):
        with Sandbox(today=None, cost_miss="zero") as sandbox, \
                Anchorage(sandbox, teams={"seo": {"units_per_month": 2000}}, fidelity={"stats": "zero"}) as proxy:
            for number in range(30):
                answer = proxy.get(target=f"site{number}.example", limit=20)
                if answer.status != 200 or answer.fault:
                    break
            self.assertEqual(answer.fault, "out_of_units")
            self.assertLessEqual(sandbox.state()["spent"], 2000)

    def test_case_of_the_cache_header(self):
        for case in ("lower", "upper"):
            with Sandbox(today=None, cache_case=case, cache_ttl="60s") as sandbox, \
                    Anchorage(sandbox, upstream={"answer_ttl": 0, "stats_ttl": 0}) as proxy:
                first, second = proxy.get(), proxy.get()
                self.assertEqual(first.units, sandbox.state()["spent"])
                self.assertEqual(second.units, 0, "a hit of v3's cache is free, and known to be")
                self.assertEqual(proxy.usage()["seo"]["units"], sandbox.state()["spent"])

    def test_429(self):
        for retry_after, body in (("seconds", "json"), ("date", "html"), ("none", "empty")):
            with self.subTest(retry_after=retry_after, body=body):
                with Sandbox(today=None, retry_after=retry_after, **{"429_body": body}) as sandbox, \
                        Anchorage(sandbox, proxy={"call_timeout": "5s"}) as proxy:
                    sandbox.reset(rate=3)
                    self.assertEqual(proxy.get().status, 200)
                    answer = proxy.get(target="one.example", limit=1)
                    self.assertEqual((answer.status, answer.rows_charged), (503, 0), answer)
                    self.assertIn(answer.fault, ("upstream_down", "too_busy"))
                    self.assertRegex(answer.headers["retry-after"], "^[1-9][0-9]*$")
                    self.assertEqual(proxy.usage()["seo"]["units"], sandbox.state()["spent"])

    def test_compression(self):
        self.play(compression="gzip", targets=TARGETS[:1])


if __name__ == "__main__":
    unittest.main()
