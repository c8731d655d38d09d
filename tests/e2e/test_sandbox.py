# SPDX-License-Identifier: MIT
# quick
"""The sandbox itself: data that agree, prices, refusals, filters and orders."""
import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sandbox import ALL, OneSandbox, Sandbox, TODAY, leaf  # noqa: E402

COLUMNS = set(ALL.split(",")) | set(
    "discovered_status domain_rating drop_reason is_content is_dofollow is_homepage_link is_nofollow "
    "is_non_html is_root_domain is_sponsored is_ugc languages len_url_redirect link_type linked_domains "
    "links_external lost_reason noindex positions positions_source_domain powered_by refdomains_source "
    "root_domain_name snippet_left snippet_right source_page_author title traffic_domain traffic_page url_from "
    "url_redirect url_redirect_with_target url_to".split())
MODES = ["exact", "prefix", "domain", "subdomains"]


def total(answer):
    return sum(row["links_to_target"] for row in answer.rows)


def names(answer):
    return [row["anchor"] for row in answer.rows]


class Data(OneSandbox):
    targets = ["one.example", "small.example", "tricky.example", "lower.example", "lost.example", "empty.example",
               "shop.test", "www.shop.test", "example.co.uk"]

    def test_stats_are_the_sum_of_the_anchors(self):
        for target in self.targets:
            for mode in MODES:
                live = self.sandbox.anchors(target, limit=10000, mode=mode, history="live")
                ever = self.sandbox.anchors(target, limit=10000, mode=mode)
                metrics = self.sandbox.stats(target, mode=mode).json["metrics"]
                with self.subTest(target=target, mode=mode):
                    if mode == "prefix":
                        self.assertIsNone(metrics)
                        continue
                    self.assertEqual((total(live), total(ever)), (metrics["live"], metrics["all_time"]))
                    self.assertLessEqual(metrics["live_refdomains"], metrics["all_time_refdomains"])

    def test_modes_nest(self):
        for path in ["", "/about", "/tools"]:
            seen = []
            for mode in MODES:
                target = "shop.test" + (path if mode in ("exact", "prefix") else "")
                rows = self.sandbox.anchors(target, limit=10000, mode=mode).rows
                seen.append({row["anchor"]: row["links_to_target"] for row in rows})
            for inner, outer in zip(seen, seen[1:]):
                self.assertTrue(all(outer.get(anchor, 0) >= n for anchor, n in inner.items()), path)
            self.assertLess(sum(seen[2].values()), sum(seen[3].values()))

    def test_subdomains_are_the_sum_of_the_hosts(self):
        hosts = ["", "www.", "blog.", "m.blog.", "shop.", "de."]
        live = lambda host, mode: self.sandbox.stats(host + "shop.test", mode=mode).json["metrics"]["live"]
        self.assertEqual(sum(live(host, "domain") for host in hosts), live("", "subdomains"))
        self.assertEqual(live("blog.", "domain") + live("m.blog.", "domain"), live("blog.", "subdomains"))
        self.assertEqual(live("nothing-known.", "subdomains"), 0)

    def test_a_slash_makes_another_page(self):
        count = lambda path: total(self.sandbox.anchors("http://big.example" + path, mode="exact", limit=100000))
        self.assertNotEqual(count("/about"), count("/about/"))
        self.assertGreater(min(count("/about"), count("/about/")), 0)
        self.assertEqual(total(self.sandbox.anchors("big.example/abo", mode="prefix", limit=100000)),
                         count("/about") + count("/about/"))

    def test_protocols_add_up(self):
        count = lambda protocol: total(self.sandbox.anchors("shop.test", limit=10000, protocol=protocol))
        self.assertEqual(count("http") + count("https"), count("both"))
        self.assertEqual(count(None), count("both"))

    def test_rows_make_sense(self):
        for row in self.sandbox.anchors("shop.test", ALL, limit=10000).rows:
            self.assertLessEqual(row["refdomains"], row["refpages"])
            self.assertLessEqual(row["refpages"], row["links_to_target"])
            self.assertLessEqual(row["dofollow_links"], row["links_to_target"])
            self.assertEqual(row["last_seen"] is not None, row["lost_links"] == row["links_to_target"])
            self.assertTrue(row["last_seen"] is None or row["last_seen"] > row["first_seen"])
            self.assertIsInstance(row["top_domain_rating"], float)
            self.assertIsInstance(row["is_spam"], bool)
            self.assertRegex(row["first_seen"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_live_rows_have_lost_nothing(self):
        for row in self.sandbox.anchors("shop.test", ALL, limit=10000, history="live").rows:
            self.assertEqual((row["last_seen"], row["lost_links"], row["new_links"]), (None, 0, 0))

    def test_history(self):
        count = lambda history: total(self.sandbox.anchors("shop.test", limit=10000, history=history))
        live, ever = count("live"), count("all_time")
        self.assertEqual(count(None), ever, "history is all_time by default")
        since = [count(f"since:{year}-01-01") for year in (2012, 2018, 2024)]
        self.assertEqual(since[0], ever)
        self.assertTrue(live < since[2] < since[1] < since[0])
        self.assertEqual(count("since:" + TODAY), live)

    def test_stats_of_a_day_gone_by(self):
        then = self.sandbox.stats("shop.test", "2018-01-01").json["metrics"]
        now = self.sandbox.stats("shop.test").json["metrics"]
        self.assertLess(then["all_time"], now["all_time"])
        self.assertEqual(self.sandbox.stats("shop.test", "2011-12-31").json["metrics"]["all_time"], 0)

    def test_fixed_targets(self):
        live = lambda target: self.sandbox.anchors(target, limit=100000, history="live").rows
        self.assertEqual([row["links_to_target"] for row in live("one.example")], [3])
        self.assertEqual(len(live("small.example")), 12)
        self.assertEqual(len(live("big.example")), 20000)
        self.assertEqual(live("empty.example"), [])
        self.assertEqual(live("lost.example"), [])
        self.assertEqual(len(self.sandbox.anchors("lost.example").rows), 40)
        self.assertTrue(all(row["anchor"] == row["anchor"].lower() for row in live("lower.example")))
        odd = {row["anchor"] for row in live("tricky.example")}
        self.assertTrue({"", "<img>", "back\\slash", "\u0130stanbul", "cafe\u0301", "\U0001f600",
                         " leading space"} <= odd)
        self.assertTrue({"SEO", "seo", "Seo"} <= odd)

    def test_unknown_target(self):
        self.refused(self.sandbox.anchors("unknown.example"), 404, "target not found")
        self.refused(self.sandbox.stats("unknown.example"), 404, "target not found")

    def test_every_domain_has_data(self):
        sizes = {len(self.sandbox.anchors(f"site{i}.net", limit=100000).rows) for i in range(20)}
        self.assertGreater(min(sizes), 0)
        self.assertGreater(len(sizes), 8)

    def test_seed(self):
        mine = self.sandbox.anchors("shop.test", ALL).bytes
        with Sandbox() as same, Sandbox(seed=2) as other:
            self.assertEqual(same.anchors("SHOP.test", ALL).bytes, mine)
            self.assertNotEqual(other.anchors("shop.test", ALL).bytes, mine)

    def test_today(self):
        with Sandbox(today="2015-06-01") as old:
            rows = old.anchors("shop.test", ALL, limit=10000).rows
            self.assertTrue(rows and all(row["first_seen"] < "2015-06-02" for row in rows))
            self.assertEqual(old.stats("shop.test", "2015-06-02").status, 400)


class Prices(OneSandbox):
    def test_fifty_at_least(self):
        self.assertEqual(self.sandbox.anchors("one.example").cost, [1, 50, 50, 50, "miss"])
        self.assertEqual(self.sandbox.anchors("small.example", limit=3).cost, [3, 16, 50, 50, "miss"])
        self.assertEqual(self.sandbox.anchors("empty.example").cost, [0, 50, 50, 50, "miss"])
        self.assertEqual(self.sandbox.anchors("small.example", limit=0).cost, [0, 50, 50, 50, "miss"])
        self.assertEqual(self.sandbox.stats("small.example").cost, [1, 50, 50, 50, "miss"])
        self.assertEqual(self.sandbox.state()["spent"], 250)

    def test_columns_are_paid_once(self):
        cost = lambda **params: self.sandbox.anchors("big.example", limit=100, **params).cost[1:3]
        self.assertEqual(cost(select=ALL), [15, 1500])
        self.assertEqual(cost(select="anchor,anchor,links_to_target"), [2, 200])
        self.assertEqual(cost(select="anchor,links_to_target,refpages,first_seen"), [4, 400])
        self.assertEqual(cost(select="anchor", order_by="refdomains:desc,anchor:asc"), [6, 600])
        self.assertEqual(cost(select="anchor", where=leaf("anchor", "neq", "x")), [1, 100])
        self.assertEqual(cost(select="anchor", where={"or": [leaf("refpages", "gt", 0), leaf("refpages", "lt", 0)]}),
                         [2, 200])
        self.assertEqual(cost(select="anchor", where=leaf("traffic_domain", "gte", 0)), [11, 1100])
        self.assertEqual(cost(select="anchor", where=leaf("refdomains_source", "gte", 0)), [6, 600])

    def test_free_targets(self):
        for target in ["ahrefs.com", "www.ahrefs.com", "yep.com", "firehose.com"]:
            answer = self.sandbox.anchors(target, limit=1000)
            rows, _, nominal, actual, _ = answer.cost
            self.assertLessEqual(rows, 100)
            self.assertEqual((nominal, actual), (max(50, 2 * rows), 0))
            self.assertEqual(self.sandbox.stats(target).cost, [1, 50, 50, 0, "miss"])
        self.assertEqual(self.sandbox.anchors("ahrefs.com", limit=1000).cost[0], 100)
        self.assertEqual(self.sandbox.state()["spent"], 0)

    def test_budget(self):
        text = "API units limit reached. Expected usage: {}, API units left: {}."
        self.sandbox.reset(units=1000)
        self.assertEqual(self.sandbox.anchors("small.example", limit=500).status, 200)
        answer = self.sandbox.anchors("small.example", limit=500)
        self.assertEqual((answer.status, answer.json["error"]), (403, text.format(1000, 950)))
        self.sandbox.reset(units=49)
        self.refused(self.sandbox.stats("small.example"), 403, text.format(50, 49))
        self.assertEqual(self.sandbox.stats("ahrefs.com").status, 200, "free targets need no budget")
        self.sandbox.reset(units=None, key_units=60)
        self.assertEqual(self.sandbox.stats("small.example").status, 200)
        self.assertEqual(self.sandbox.stats("small.example").json["error"], text.format(50, 10))
        self.sandbox.reset(units=None, key_units=None)

    def test_limits_and_usage(self):
        self.sandbox.anchors("small.example")
        limits = self.sandbox.limits()
        self.assertEqual(limits, {
            "subscription": "Enterprise, billed yearly", "usage_reset_date": "2026-09-01T00:00:00Z",
            "units_limit_workspace": None, "units_usage_workspace": 50, "units_limit_api_key": None,
            "units_usage_api_key": 50, "api_key_expiration_date": "2027-08-01T00:00:00Z"})
        self.assertEqual(self.sandbox.state()["spent"], 50, "asking is free")

    def test_keys_are_billed_apart(self):
        with Sandbox(key=["one", "two"], units=5000, key_units=100, reset_date="2026-08-15") as sandbox:
            sandbox.stats("small.example")
            sandbox.get("site-explorer/anchors", {"target": "one.example", "select": "anchor", "limit": 10}, key="two")
            one, two = sandbox.limits("one"), sandbox.limits("two")
            self.assertEqual([one["units_usage_api_key"], one["units_usage_workspace"]], [50, 100])
            self.assertEqual([two["units_usage_api_key"], two["units_limit_api_key"]], [50, 100])
            self.assertEqual([one["units_limit_workspace"], one["usage_reset_date"]], [5000, "2026-08-15T00:00:00Z"])

    def test_plans(self):
        for plan, rows, units in [("Lite", 100, 200000), ("standard", 250, 800000), ("Advanced", 500, 2000000)]:
            with Sandbox(plan=plan) as sandbox:
                self.assertEqual(sandbox.anchors("big.example").cost[0], rows)
                self.assertEqual(sandbox.limits()["units_limit_workspace"], units)
                self.assertIn(plan.title(), sandbox.limits()["subscription"])
        with Sandbox(plan="Lite", row_cap=7, units="unlimited") as sandbox:
            self.assertEqual(sandbox.anchors("big.example").cost[0], 7)
            self.assertIsNone(sandbox.limits()["units_limit_workspace"])
        with Sandbox(plan="Starter") as sandbox:
            self.assertEqual(sandbox.anchors("ahrefs.com").json, {"error": "Insufficient plan"})


class Refusals(OneSandbox):
    def bad(self, text, target="small.example", **params):
        self.refused(self.sandbox.anchors(target, **params), 400, text)

    def test_keys(self):
        ask = lambda **headers: self.sandbox.request("GET", "/v3/site-explorer/anchors", headers=headers)
        for headers in [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + self.sandbox.key}]:
            answer = ask(**{"User-Agent": "t", **headers})
            self.assertEqual((answer.status, answer.json), (401, ["Error", "Unauthorized"]))
        answer = ask(Authorization="Bearer " + self.sandbox.key)
        self.assertEqual((answer.status, answer.json), (403, ["Error", "Forbidden"]), "no User-Agent")
        with Sandbox(denied_key="old") as sandbox:
            answer = sandbox.get("site-explorer/anchors", key="old")
            self.assertEqual((answer.status, answer.json), (403, ["Error", "Forbidden"]))

    def test_paths_and_methods(self):
        for path in ["site-explorer/referring-domains", "site-explorer/anchors/", "nothing"]:
            self.refused(self.sandbox.get(path), 404, "Not Found")
        headers = {"Authorization": "Bearer " + self.sandbox.key, "User-Agent": "t"}
        answer = self.sandbox.request("POST", "/v3/site-explorer/anchors", "{}", headers)
        self.refused(answer, 405, "Method Not Allowed")

    def test_parameters(self):
        self.bad("The 'offset' parameter is not supported.", offset="0")
        self.bad("missing parameter 'select'", select=None)
        self.bad("missing parameter 'target'", target=None)
        self.bad("bad value latest for type enum", mode="latest")
        self.bad("bad value ftp for type enum", protocol="ftp")
        self.bad("bad value lots for type integer", limit="lots")
        self.bad("bad value -1 for type integer", limit="-1")
        self.bad("bad value 1.5 for type integer", timeout="1.5")
        self.bad("bad value soon for type history", history="soon")
        self.bad("bad value since:yesterday for type history", history="since:yesterday")
        self.bad("bad date 2026-08-02: it is in the future", history="since:2026-08-02")
        self.bad("bad value yaml for type enum", output="yaml")
        self.bad("output 'xml' is not supported by the sandbox", output="xml")
        headers = {"Authorization": "Bearer " + self.sandbox.key, "User-Agent": "t"}
        twice = "/v3/site-explorer/anchors?target=a.com&select=anchor&target=b.com"
        self.refused(self.sandbox.request("GET", twice, headers=headers), 400, "parameter 'target' given twice")
        for odd in ["%zz", "%ff", "%"]:
            answer = self.sandbox.request("GET", "/v3/site-explorer/anchors?select=anchor&target=" + odd,
                                          headers=headers)
            self.refused(answer, 400, "bad query string")
        self.assertEqual(self.sandbox.anchors("small.example", output="json").status, 200)

    def test_columns(self):
        self.bad("column 'domain' not found", select="anchor,domain")
        self.bad("column '' not found", select="")
        self.bad("column 'title' not found", select="title")
        self.bad("column 'traffic_desc' not found", order_by="traffic_desc")
        self.bad("column 'url_from' not found", order_by="url_from:asc")
        self.bad("bad order direction up", order_by="anchor:up")
        self.bad("column 'last_visited' not found", where=leaf("last_visited", "gt", "2020-01-01"))

    def test_targets(self):
        for target in ["sc-domain:small.example", "", "localhost", "a b.com", "me@small.example", "-a.com", "a..com",
                       "127.0.0.1", "small.example:99x", "x" * 64 + ".com", "a.com#b"]:
            self.bad("bad target " + target, target=target)
            self.refused(self.sandbox.stats(target), 400, "bad target " + target)
        self.assertEqual(self.sandbox.anchors("münchen.test").status, 200)

    def test_stats_date(self):
        self.refused(self.sandbox.stats("small.example", date=None), 400, "missing parameter 'date'")
        self.refused(self.sandbox.stats("small.example", "2026-02-30"), 400, "bad value 2026-02-30 for type date")
        self.refused(self.sandbox.stats("small.example", "2026-08-02"), 400, "bad date 2026-08-02: it is in the future")
        self.refused(self.sandbox.stats("small.example", select="live", mode="x"), 400, "bad value x for type enum")

    def test_where(self):
        expression, syntax = "bad where: invalid filter expression", "bad where: invalid JSON syntax"
        for where in ["", "links_to_target > 5", "{", '{"field":"anchor"', "null"]:
            self.bad(expression, where=where)
        for where in [[], {}, 5, {"and": []}, {"or": {}}, {"and": None}, leaf("anchor", "notsubstring", "x"),
                      leaf("anchor", "iregex", "x"),
                      {"field": "anchor", "is": [["eq", "x"]]}, {"field": "anchor"}, {"is": ["eq", "x"]},
                      leaf("anchor", "nothing"),
                      {**leaf("anchor", "eq", "x"), "more": 1}, {**leaf("anchor", "eq", "x"), "modifier": "lower"},
                      {"field": 5, "is": ["eq", "x"]}, {"field": "anchor", "is": ["eq"]},
                      {"and": [leaf("anchor", "eq", "x"), 7]}]:
            self.bad(syntax, where=json.dumps(where))

    def test_values_of_the_wrong_type(self):
        for field, operator, value, kind in [
                ("anchor", "eq", 5, "string"), ("anchor", "eq", None, "string"), ("refpages", "gt", "5", "integer"),
                ("refpages", "gt", 5.5, "integer"), ("first_seen", "gt", "soon", "datetime"),
                ("first_seen", "gt", 20200101, "datetime"), ("first_seen", "eq", "2020-13-01", "datetime"),
                ("is_spam", "eq", "yes", "boolean"), ("is_spam", "eq", 2, "boolean"),
                ("top_domain_rating", "gt", "9", "float"), ("link_type", "eq", "href", "enum"),
                ("refpages", "substring", "5", "integer"), ("is_spam", "gt", True, "boolean"),
                ("languages", "eq", "en", "array(string)"), ("first_seen", "prefix", "2020", "datetime")]:
            self.bad(f"bad where: bad value {json.dumps(value)} for type {kind}", where=leaf(field, operator, value))

    def test_expressions_that_re2_lacks(self):
        for pattern in ["(", "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", r"(a)\1", "a++", "(?>a)", "(*FAIL)", r"\Kx",
                        "(?#x)"]:
            self.bad("bad where: invalid regular expression", where=leaf("anchor", "regex", pattern))
        for pattern in ["(?i)SEO", r"^\Qa.b\E$", "(?P<n>a)", "(?:a|b)+?", r"\p{Cyrillic}", "[[:alpha:]]", r"\x{e9}",
                        r"a\++"]:
            self.assertEqual(self.sandbox.anchors("small.example", where=leaf("anchor", "regex", pattern)).status, 200,
                             pattern)

    def test_unreadable_http(self):
        for text in [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET v3 HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]:
            with socket.create_connection(("127.0.0.1", self.sandbox.port), 10) as connection:
                connection.sendall(text)
                self.assertTrue(connection.makefile("rb").read().startswith(b"HTTP/1.1 400 "), text)


class Twins(OneSandbox):
    """(?i) goes by the simple case folding of Unicode, as RE2's does: more letters are one than lower case makes one."""

    def found(self, pattern):
        return set(names(self.sandbox.anchors("twins.example", "anchor", limit=1000, where=leaf("anchor", "regex", pattern))))

    def test_twins(self):
        for letters in ("sSſ", "kK\u212a", "µμΜ", "βΒϐ", "θΘϴϑ", "ιΙ\u0345\u1fbe", "σΣς", "вВᲀ", "тТᲄᲅ", "ꙋꙊᲈ", "ṡṠẛ", "ßẞ"):
            for letter in letters:
                self.assertEqual(self.found(f"(?i)^{letter}$"), set(letters), letter)
        self.assertEqual(self.found("(?i)^seo$"), {"seo", "SEO", "ſeo"})
        self.assertEqual(self.found("(?i)^(?-i:[sS])eo$"), {"seo", "SEO"})
        self.assertEqual(self.found("(?i)^(?-i:[θΘϴ])$"), set("θΘϴ"))


class Filters(OneSandbox):
    """On tricky.example, whose anchors are known; the test holds the same filters against them in Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = cls.sandbox.anchors("tricky.example", ALL, limit=1000).rows

    def expect(self, where, holds):
        answer = self.sandbox.anchors("tricky.example", "anchor", limit=1000, where=where)
        self.assertEqual(answer.status, 200, answer)
        expected = {row["anchor"] for row in self.rows if holds(row)}
        self.assertEqual(set(names(answer)), expected, where)
        return expected

    def test_text(self):
        a = lambda row: row["anchor"]
        some = [
            self.expect(leaf("anchor", "eq", "seo"), lambda r: a(r) == "seo"),
            self.expect(leaf("anchor", "neq", "seo"), lambda r: a(r) != "seo"),
            self.expect(leaf("anchor", "substring", "seo"), lambda r: "seo" in a(r)),
            self.expect(leaf("anchor", "isubstring", "SEO"), lambda r: "seo" in a(r).lower()),
            self.expect(leaf("anchor", "isubstring", "ПРИВЕТ"), lambda r: "привет" in a(r).lower()),
            self.expect(leaf("anchor", "phrase_match", "seo"), lambda r: a(r) in ("seo", "best-seo tools", "中文 seo")),
            self.expect(leaf("anchor", "iphrase_match", "Seo"), lambda r: "seo" in a(r).lower() and a(r) != "museo"),
            self.expect(leaf("anchor", "prefix", " "), lambda r: a(r).startswith(" ")),
            self.expect(leaf("anchor", "suffix", "\\"), lambda r: a(r).endswith("\\")),
            self.expect(leaf("anchor", "substring", '"'), lambda r: '"' in a(r)),
            self.expect(leaf("anchor", "regex", "^[0-9]+$"), lambda r: a(r).isascii() and a(r).isdigit()),
            self.expect(leaf("anchor", "regex", "(?i)^seo$"), lambda r: a(r).lower() == "seo"),
            self.expect(leaf("anchor", "regex", "(?i)^привет$"), lambda r: a(r).lower() == "привет"),
            self.expect(leaf("anchor", "regex", "(?i)^(?-i:[sS])eo$"), lambda r: a(r).lower() == "seo"),
            self.expect(leaf("anchor", "empty"), lambda r: a(r) == ""),
            self.expect(leaf("anchor", "gt", "z"), lambda r: a(r).encode() > b"z"),
            self.expect(leaf("anchor", "lte", "SEO"), lambda r: a(r).encode() <= b"SEO"),
            self.expect({**leaf("anchor", "eq", "SEO"), "modifier": "uppercase"}, lambda r: a(r).upper() == "SEO"),
        ]
        self.assertTrue(all(some), "each of these filters keeps something")
        self.expect(leaf("anchor", "is_null"), lambda r: False)

    def test_numbers_dates_truths(self):
        self.expect(leaf("links_to_target", "gte", 5), lambda r: r["links_to_target"] >= 5)
        self.expect(leaf("links_to_target", "lt", 5), lambda r: r["links_to_target"] < 5)
        self.expect(leaf("refdomains", "eq", 2), lambda r: r["refdomains"] == 2)
        self.expect(leaf("top_domain_rating", "gt", 29.5), lambda r: r["top_domain_rating"] > 29.5)
        self.expect(leaf("top_domain_rating", "lte", 30), lambda r: r["top_domain_rating"] <= 30)
        self.expect(leaf("first_seen", "gte", "2014-01-01"), lambda r: r["first_seen"] >= "2014-01-01")
        moment = self.rows[0]["first_seen"]
        self.assertTrue(self.expect(leaf("first_seen", "eq", moment), lambda r: r["first_seen"] == moment))
        self.expect(leaf("first_seen", "gt", moment), lambda r: r["first_seen"] > moment)
        self.expect(leaf("last_seen", "is_null"), lambda r: r["last_seen"] is None)
        self.expect({"not": leaf("last_seen", "is_null")}, lambda r: r["last_seen"] is not None)
        for yes in (True, 1):
            self.assertTrue(self.expect(leaf("is_spam", "eq", yes), lambda r: r["is_spam"]))
        self.expect(leaf("is_spam", "neq", 1), lambda r: not r["is_spam"])

    def test_joints(self):
        few, seo = leaf("refpages", "lte", 2), leaf("anchor", "isubstring", "e")
        test_few, test_seo = lambda r: r["refpages"] <= 2, lambda r: "e" in r["anchor"].lower()
        self.expect({"and": [few, seo]}, lambda r: test_few(r) and test_seo(r))
        self.expect({"or": [few, seo]}, lambda r: test_few(r) or test_seo(r))
        self.expect({"not": {"or": [few, {"not": seo}]}}, lambda r: not (test_few(r) or not test_seo(r)))
        self.expect({"and": [{"or": [few]}]}, test_few)

    def test_filters_on_links_part_them(self):
        """A filter and its opposite share all links between them."""
        whole = sum(row["links_to_target"] for row in self.rows)
        filters = [leaf("is_dofollow", "eq", True), leaf("is_nofollow", "eq", 1), leaf("domain_rating", "gt", 20.5),
                   leaf("title", "isubstring", "a"), leaf("url_from", "prefix", "https://www."),
                   leaf("positions", "lt", 10),
                   leaf("url_to", "suffix", "/"), leaf("snippet_left", "empty"), leaf("link_type", "eq", "text"),
                   leaf("lost_reason", "is_null"), leaf("drop_reason", "eq", "duplicate"),
                   leaf("traffic_domain", "gte", 100),
                   leaf("discovered_status", "eq", "linkfound"), leaf("languages", "empty"),
                   leaf("noindex", "eq", False),
                   {"field": "languages", "list_is": {"any": ["eq", "en"]}},
                   {"field": "languages", "list_is": {"all": {"or": [["prefix", "e"], ["suffix", "e"]]}}},
                   {"field": "powered_by", "list_is": {"and": [["prefix", "W"], {"not": ["eq", "x"]}]}},
                   leaf("len_url_redirect", "gt", 0),
                   {"field": "url_redirect_with_target", "list_is": {"any": ["suffix", "/"]}},
                   leaf("source_page_author", "is_null"), leaf("is_homepage_link", "eq", True),
                   leaf("is_content", "eq", True),
                   leaf("is_root_domain", "eq", True), leaf("links_external", "lt", 3), leaf("linked_domains", "lt", 3),
                   leaf("refdomains_source", "lt", 3), leaf("traffic_page", "lt", 3),
                   leaf("positions_source_domain", "lt", 9),
                   leaf("is_ugc", "eq", True), leaf("is_sponsored", "eq", True), leaf("is_non_html", "eq", True),
                   leaf("snippet_right", "empty"), {"field": "url_redirect", "list_is": {"any": ["suffix", "/go"]}},
                   leaf("root_domain_name", "suffix", ".com")]
        for where in filters:
            kept = total(self.sandbox.anchors("tricky.example", limit=1000, where=where))
            rest = total(self.sandbox.anchors("tricky.example", limit=1000, where={"not": where}))
            self.assertEqual(kept + rest, whole, where)
            self.assertTrue(kept and rest, where)
        self.assertEqual({f["field"] for f in filters} | set(ALL.split(",")), COLUMNS, "every column has been a filter")

    def test_dofollow(self):
        kept = self.sandbox.anchors("tricky.example", limit=1000, where=leaf("is_dofollow", "eq", True)).rows
        self.assertEqual({row["anchor"]: row["links_to_target"] for row in kept},
                         {row["anchor"]: row["dofollow_links"] for row in self.rows if row["dofollow_links"]})

    def test_both_levels(self):
        where = {"and": [leaf("is_dofollow", "eq", True), leaf("links_to_target", "gte", 5)]}
        kept = self.sandbox.anchors("tricky.example", limit=1000, where=where).rows
        self.assertEqual({row["anchor"]: row["links_to_target"] for row in kept},
                         {row["anchor"]: row["dofollow_links"] for row in self.rows if row["dofollow_links"] >= 5})

    def test_anchor_beside_a_filter_on_links(self):
        where = {"or": [leaf("anchor", "eq", "seo"), leaf("is_dofollow", "eq", True)]}
        kept = {row["anchor"]: row["links_to_target"] for row in self.sandbox.anchors("tricky.example", limit=1000,
                                                                                      where=where).rows}
        for row in self.rows:
            expected = row["links_to_target"] if row["anchor"] == "seo" else row["dofollow_links"]
            self.assertEqual(kept.get(row["anchor"], 0), expected, row["anchor"])

    def test_order(self):
        ask = lambda order: self.sandbox.anchors("tricky.example", ALL, limit=1000, order_by=order).rows
        by_anchor = ask("anchor:asc")
        self.assertEqual([r["anchor"] for r in by_anchor], sorted((r["anchor"] for r in self.rows), key=str.encode))
        for column in ["links_to_target", "first_seen", "top_domain_rating", "is_spam", "refdomains"]:
            values = [r[column] for r in ask(column + ":asc")]
            self.assertEqual(values, sorted(values), column)
            values = [r[column] for r in ask(column + ":desc")]
            self.assertEqual(values, sorted(values, reverse=True), column)
        pairs = [(-r["refpages"], r["anchor"].encode()) for r in ask("refpages:desc,anchor:asc")]
        self.assertEqual(pairs, sorted(pairs))
        self.assertEqual(ask("links_to_target"), ask("links_to_target:desc"))
        self.assertEqual(ask(None), ask("links_to_target:desc"))

    def test_limit_cuts_the_order(self):
        whole = names(self.sandbox.anchors("big.example", limit=3000, order_by="anchor:asc"))
        self.assertEqual(names(self.sandbox.anchors("big.example", order_by="anchor:asc")), whole[:1000])
        after = self.sandbox.anchors("big.example", limit=50, order_by="anchor:asc",
                                     where=leaf("anchor", "gt", whole[99]))
        self.assertEqual(names(after), whole[100:150])

    def test_columns_come_as_asked(self):
        row = self.sandbox.anchors("small.example", "refpages,anchor", limit=1).rows[0]
        self.assertEqual(list(row), ["refpages", "anchor"])



if __name__ == "__main__":
    unittest.main()
