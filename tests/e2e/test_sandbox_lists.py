# SPDX-License-Identifier: MIT
# quick
"""The sandbox's lists and records: all are counted from the same links, and each knows v3's columns and no others."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sandbox import OneSandbox, Sandbox, leaf  # noqa: E402

TARGETS = ["one.example", "small.example", "tricky.example", "lost.example", "empty.example", "ratings.example",
           "nulls.example", "dupes.example", "shop.test", "www.shop.test", "nowhere.shop.test"]
MODES = ["exact", "prefix", "domain", "subdomains"]
ALL = 100000
COUNTS = "backlinks,backlinks_dofollow,backlinks_nofollow,backlinks_redirect,refdomains,refdomains_dofollow," \
         "refdomains_nofollow,refips,refips_subnets,linked_domains,linked_domains_dofollow,outgoing_links," \
         "outgoing_links_dofollow,index,url,mode,protocol"

# Every name, with its units where they are not 1, a ? where it may be null.
SOURCE = """is_content is_dofollow is_nofollow is_non_html is_sponsored is_ugc languages len_url_redirect link_type
    linked_domains links_external port_source port_target positions powered_by refdomains:5 root_domain_name snippet_left
    snippet_right title traffic_page:10 url_from url_redirect url_redirect_with_target url_to anchor"""
LINKS = """ahrefs_rank_source ahrefs_rank_target alt? anchor class_c:5 domain_rating_source domain_rating_target encoding
    first_seen first_seen_link http_code http_crawl ip_source? is_alternate is_canonical is_content is_dofollow is_form
    is_frame is_image is_nofollow is_redirect is_root_source is_root_target is_rss is_spam is_sponsored is_text is_ugc
    js_crawl languages last_seen? last_visited link_group_count link_type linked_domains_source_domain
    linked_domains_source_page linked_domains_target_domain links_external links_internal name_source name_target
    page_category_source? page_size page_type_source? port_source port_target positions powered_by redirect_code?
    redirect_kind refdomains_source:5 refdomains_source_domain:5 refdomains_target_domain:5 root_name_source
    root_name_target snippet_left snippet_right source_page_author? title tld_class_source tld_class_target traffic:10
    traffic_domain:10 url_from url_from_plain url_rating_source url_redirect url_redirect_with_target url_to url_to_plain"""
MORE = "is_homepage_link is_non_html len_url_redirect positions_source_domain"
DOMAIN = "dofollow_linked_domains dofollow_links dofollow_refdomains:5 domain domain_rating first_seen is_root_domain"
REPORTS = {  # columns, where-only names, columns that cannot be ordered by
    "refdomains": (DOMAIN + " ip_source? is_spam last_seen? links_to_target lost_links new_links "
                   "positions_source_domain traffic_domain:10",
                   SOURCE + " discovered_status? drop_reason? is_homepage_link lost_reason? noindex "
                   "source_page_author?", ""),
    "all-backlinks": (LINKS + " broken_redirect_new_target? broken_redirect_reason? broken_redirect_source? "
                      "discovered_status? drop_reason? is_lost is_new is_redirect_lost lost_reason? noindex "
                      "source_page_publish_date?", MORE, "link_group_count"),
    "broken-backlinks": (LINKS + " http_code_target? last_visited_target?", MORE,
                         "link_group_count http_code_target last_visited_target"),
    "linkeddomains": (DOMAIN + " linked_domain_traffic:10 linked_pages links_from_target", SOURCE, ""),
    "crawled-pages": ("first_seen http_code last_attempt last_crawled title? url url_rating", "", ""),
}


def names(text):
    """{name: (units, nullable)}."""
    found = {}
    for word in text.split():
        name, _, units = word.rstrip("?").partition(":")
        found[name] = int(units or 1), word.endswith("?")
    return found


class Counts(OneSandbox):
    def live(self, report, target, mode, select, **params):
        if report not in ("linkeddomains", "crawled-pages"):
            params["history"] = "live"
        return self.sandbox.list(report, target, select, mode=mode, limit=ALL, **params).rows

    def agree(self, target, mode, protocol, record):
        rows = lambda report, select, **params: self.live(report, target, mode, select, protocol=protocol, **params)
        anchors = rows("anchors", "links_to_target")
        domains = rows("refdomains", "domain,links_to_target,dofollow_links,ip_source")
        links = rows("all-backlinks", "root_name_source,is_nofollow,is_redirect,link_type", aggregation="all")
        shown = rows("all-backlinks", "root_name_source,link_group_count", aggregation="1_per_domain")
        alike = rows("all-backlinks", "link_group_count")
        for found in (sum(row["links_to_target"] for row in anchors), sum(row["links_to_target"] for row in domains),
                      len(links), sum(row["link_group_count"] for row in shown),
                      sum(row["link_group_count"] for row in alike)):
            self.assertEqual(found, record["backlinks"])
        for found in (len(domains), len(shown), len({row["root_name_source"] for row in links}),
                      record["refdomains_dofollow"] + record["refdomains_nofollow"]):
            self.assertEqual(found, record["refdomains"])
        self.assertEqual(record["refdomains_dofollow"], sum(row["dofollow_links"] > 0 for row in domains))
        self.assertEqual(record["backlinks_nofollow"], sum(row["is_nofollow"] for row in links))
        self.assertEqual(record["backlinks"], record["backlinks_dofollow"] + record["backlinks_nofollow"])
        self.assertEqual(record["backlinks_redirect"], sum(row["is_redirect"] for row in links))
        self.assertEqual({row["link_type"] == "redirect" for row in links if row["is_redirect"]} - {True}, set())
        addresses = {row["ip_source"] for row in domains} - {None}
        self.assertEqual(record["refips"], len(addresses))
        self.assertEqual(record["refips_subnets"], len({one.rpartition(".")[0] for one in addresses}))
        linked = rows("linkeddomains", "domain,links_from_target,dofollow_links,linked_pages")
        self.assertEqual(record["outgoing_links"], sum(row["links_from_target"] for row in linked))
        self.assertEqual(record["outgoing_links_dofollow"], sum(row["dofollow_links"] for row in linked))
        self.assertEqual(record["linked_domains"], len(linked))
        self.assertEqual(record["linked_domains_dofollow"], sum(row["dofollow_links"] > 0 for row in linked))
        for row in linked:
            self.assertLessEqual(row["linked_pages"], row["links_from_target"])
        return record["backlinks"], record["refdomains"]

    def test_every_target_mode_and_protocol_agrees(self):
        for protocol in ("both", "http", "https"):
            asked = [(target, mode, protocol) for target in TARGETS for mode in MODES]
            for one, record in zip(asked, self.sandbox.batch(asked, COUNTS).rows):
                with self.subTest(target=one):
                    self.assertEqual((record["url"], record["mode"], record["protocol"]), (one[0] + "/", *one[1:]))
                    links, domains = self.agree(*one, record)
                    stats = self.sandbox.stats(one[0], mode=one[1], protocol=protocol).json["metrics"]
                    if one[1] != "prefix":
                        self.assertEqual((stats["live"], stats["live_refdomains"]), (links, domains))

    def test_paths_agree(self):
        asked = [("shop.test" + path, mode) for path in ("/", "/about", "/about/", "/blog/", "/none")
                 for mode in ("exact", "prefix")]
        for one, record in zip(asked, self.sandbox.batch(asked, COUNTS).rows):
            with self.subTest(target=one):
                self.agree(*one, "both", record)

    def test_what_is_told_twice_is_told_alike(self):
        domains = {row["domain"]: row for row in self.live(
            "refdomains", "shop.test", "subdomains", "domain,domain_rating,ip_source,is_spam,traffic_domain")}
        [record] = self.sandbox.batch([("shop.test", "subdomains")], "domain_rating,ahrefs_rank").rows
        pages = {}
        for row in self.live("all-backlinks", "shop.test", "subdomains", "url_from,root_name_source,domain_rating_source,"
                             "ip_source,is_spam,traffic_domain,title,url_rating_source,first_seen,first_seen_link,"
                             "last_visited,last_seen,domain_rating_target,ahrefs_rank_target,name_source,url_from_plain",
                             aggregation="all"):
            domain = domains[row["root_name_source"]]
            self.assertEqual((row["domain_rating_source"], row["ip_source"], row["is_spam"], row["traffic_domain"]),
                             (domain["domain_rating"], domain["ip_source"], domain["is_spam"], domain["traffic_domain"]))
            page = (row["title"], row["url_rating_source"], row["first_seen"])
            self.assertEqual(pages.setdefault(row["url_from"], page), page)
            self.assertEqual((row["domain_rating_target"], row["ahrefs_rank_target"]),
                             (record["domain_rating"], record["ahrefs_rank"]))
            self.assertLessEqual(row["first_seen"], row["first_seen_link"])
            self.assertLessEqual(row["first_seen_link"], row["last_visited"])
            self.assertIsNone(row["last_seen"])
            self.assertEqual(row["url_from"], "https://" + row["url_from_plain"])
            self.assertTrue(row["url_from_plain"].startswith(row["name_source"] + "/"))
            self.assertTrue(("." + row["name_source"]).endswith("." + row["root_name_source"]))

    def test_a_page_has_one_rating(self):
        pages = []
        for mark in ("eq", "neq"):
            pages += self.sandbox.list("crawled-pages", "ratings.example", "url,url_rating,http_code", mode="domain",
                                       order_by="url:asc", where=leaf("url_rating", mark, 0.0)).rows[:50]
        asked = [(row["url"], "exact") for row in pages]
        for page, record in zip(pages, self.sandbox.batch(asked, "url_rating,url").rows):
            self.assertEqual(page["url_rating"], record["url_rating"], page)
            self.assertEqual(page["url"].partition("://")[2], record["url"])

    def test_a_record_knows_the_home_page(self):
        [site, home] = self.sandbox.batch([("shop.test", "subdomains"), ("shop.test/", "exact")], "url_rating").rows
        self.assertEqual(site, home)

    def test_broken_links_are_links_to_broken_pages(self):
        found = broken = 0
        for row in self.live("all-backlinks", "shop.test", "subdomains", "url_to", aggregation="all"):
            found += 1
        codes = set()
        for row in self.sandbox.list("broken-backlinks", "shop.test", "url_to,http_code_target,last_visited_target,last_seen",
                                     aggregation="all", limit=ALL).rows:
            broken += 1
            self.assertTrue(row["http_code_target"] is None or row["http_code_target"] >= 400)
            codes.add(row["http_code_target"])
        self.assertTrue(0 < broken < found and len(codes) > 1, codes)

    def test_keywords_add_up(self):
        for record in self.sandbox.batch([(target, "domain") for target in TARGETS],
                                         "org_keywords,org_keywords_1_3,org_keywords_4_10,org_keywords_11_20,"
                                         "org_keywords_21_50,org_keywords_51_plus").rows:
            self.assertEqual(record.pop("org_keywords"), sum(record.values()))


class Columns(OneSandbox):
    """Each name in select, where and order_by, where v3 has it, at its price."""

    def params(self, report):
        return {"aggregation": "1_per_domain"} if "backlinks" in report else {}

    def test_select_and_prices(self):
        for report, (columns, only_where, _) in REPORTS.items():
            columns = names(columns)
            answer = self.sandbox.list(report, "nulls.example", ",".join(columns), limit=100, **self.params(report))
            with self.subTest(report=report):
                self.assertEqual(list(answer.rows[0]), list(columns))
                self.assertEqual(answer.cost[1], sum(units for units, _ in columns.values()))
                for name, (_, nullable) in columns.items():
                    if not nullable:
                        self.assertNotIn(None, [row[name] for row in answer.rows], name)
                nulls = {name for name in columns if any(row[name] is None for row in answer.rows)}
                self.assertLessEqual({"ip_source"} & set(columns), nulls)
            for name in names(only_where):
                self.assertEqual(self.sandbox.list(report, "small.example", name).status, 400, name)
            for name in ("nothing", "", "anchors"):
                self.assertEqual(self.sandbox.list(report, "small.example", name).json,
                                 {"error": f"column '{name}' not found"})

    def test_where(self):
        for report, (columns, only_where, _) in REPORTS.items():
            [key] = [name for name in ("domain", "url", "url_from") if name in names(columns)]
            for name, (units, nullable) in {**names(columns), **names(only_where)}.items():
                where = leaf(name, "is_null") if report != "crawled-pages" else {"not": leaf(name, "gt", "2020-01-01")} \
                    if name in ("first_seen", "last_attempt", "last_crawled") else leaf(name, "neq", "x") \
                    if name in ("title", "url") else leaf(name, "lte", 1000)
                answer = self.sandbox.list(report, "small.example", key, where=where, limit=100, **self.params(report))
                with self.subTest(report=report, name=name):
                    self.assertEqual(answer.status, 200, answer)
                    if answer.rows and len(answer.rows) * (1 + units) >= 50:
                        self.assertEqual(answer.cost[1], 1 + (0 if name == key else units))
                    if not nullable and report != "crawled-pages":
                        self.assertEqual(answer.rows, [])
            self.assertEqual(self.sandbox.list(report, "small.example", key, where=leaf("nope", "eq", 1)).json,
                             {"error": "column 'nope' not found"})

    def test_order_by(self):
        for report, (columns, only_where, unsorted) in REPORTS.items():
            columns = names(columns)
            unsorted = unsorted.split()
            for name in columns:
                answer = self.sandbox.list(report, "shop.test", name, order_by=name + ":asc", limit=500,
                                           **self.params(report))
                with self.subTest(report=report, name=name):
                    if name in unsorted:
                        self.refused(answer, 400, f"column '{name}' not found")
                        continue
                    found = [row[name] for row in answer.rows]
                    key = lambda value: (value is None, value.encode() if isinstance(value, str) else 0 if value is None
                                         else list(map(str, value)) if isinstance(value, list) else value)
                    self.assertEqual(found, sorted(found, key=key))
                self.sandbox.reset()
            for name in names(only_where):
                answer = self.sandbox.list(report, "shop.test", "first_seen", order_by=name + ":asc")
                self.assertEqual(answer.json, {"error": f"column '{name}' not found"})

    def test_parameters_that_are_not_there(self):
        for report in REPORTS:
            columns = "url" if report == "crawled-pages" else "first_seen"
            for name, value, known in (("history", "live", report in ("refdomains", "all-backlinks")),
                                       ("offset", "1", False)):
                answer = self.sandbox.list(report, "small.example", columns, **{name: value})
                self.assertEqual(answer.status, 200 if known else 400, (report, name))
            self.assertEqual(self.sandbox.list(report, "refused.example", columns).json,
                             {"error": "bad target refused.example"})
            self.assertEqual(self.sandbox.list(report, "unknown.example", columns).status, 404)
        self.assertEqual(self.sandbox.list("all-backlinks", "small.example", "anchor", aggregation="none").json,
                         {"error": "bad value none for type enum"})
        self.assertEqual(self.sandbox.list("all-backlinks", "small.example", "link_group_count", aggregation="all").json,
                         {"error": "column 'link_group_count' not found"})

    def test_lists_of_numbers(self):
        where = {"field": "redirect_kind", "list_is": {"any": ["eq", 301]}}
        rows = self.sandbox.list("all-backlinks", "shop.test", "redirect_kind,redirect_code", aggregation="all",
                                 where=where, limit=ALL).rows
        self.assertTrue(rows and all(301 in row["redirect_kind"] and row["redirect_code"] for row in rows))


class Links(OneSandbox):
    def test_one_of_a_domain_is_of_the_page_with_the_highest_rating(self):
        ask = lambda kind: self.sandbox.list("all-backlinks", "shop.test", "root_name_source,url_rating_source",
                                             history="live", aggregation=kind, limit=ALL).rows
        best = {}
        for row in ask("all"):
            best[row["root_name_source"]] = max(best.get(row["root_name_source"], 0), row["url_rating_source"])
        self.assertEqual({row["root_name_source"]: row["url_rating_source"] for row in ask("1_per_domain")}, best)

    def test_filters_before_and_after_grouping(self):
        params = {"target": "shop.test", "select": "root_name_source,is_nofollow,link_group_count", "limit": ALL,
                  "aggregation": "1_per_domain", "history": "live", "where": leaf("is_nofollow", "eq", True)}
        before = self.sandbox.get("site-explorer/all-backlinks", params).rows
        with Sandbox(group_filters="after") as other:
            after = other.get("site-explorer/all-backlinks", params).rows
        [record] = self.sandbox.batch([("shop.test", "subdomains")], "backlinks_nofollow").rows
        self.assertEqual(sum(row["link_group_count"] for row in before), record["backlinks_nofollow"])
        self.assertTrue(0 < len(after) < len(before) and all(row["is_nofollow"] for row in before + after))

    def test_several_links_join_the_same_two_pages(self):
        rows = self.sandbox.list("all-backlinks", "dupes.example", "url_from,url_to,anchor", aggregation="all",
                                 history="live", order_by="url_from:asc,url_to:asc", limit=ALL).rows
        pairs = [(row["url_from"], row["url_to"]) for row in rows]
        self.assertEqual(pairs, sorted(pairs))
        for page in (7, 10, 20, 50):
            ends = [at for at in range(page, len(pairs), page) if pairs[at - 1] == pairs[at]]
            self.assertTrue(ends, page)
        self.assertLess(max(pairs.count(pair) for pair in set(pairs)), 12)

    def test_ratings_at_the_edges(self):
        rows = self.sandbox.list("refdomains", "ratings.example", "domain_rating", history="live", limit=ALL).rows
        self.assertEqual({round(row["domain_rating"] % 1, 1) for row in rows}, {0.0, 0.4, 0.5, 0.6})
        self.assertTrue({29.4, 29.5, 29.6, 30.0, 30.4, 30.5} <= {row["domain_rating"] for row in rows})
        [record] = self.sandbox.batch([("ratings.example", "domain")], "domain_rating").rows
        self.assertEqual(record["domain_rating"], 60.5)

    def test_the_same_links_as_anchors(self):
        for anchor in self.sandbox.anchors("tricky.example", history="live", limit=1000).rows[:20]:
            rows = self.sandbox.list("all-backlinks", "tricky.example", "anchor", aggregation="all", history="live",
                                     where=leaf("anchor", "eq", anchor["anchor"]), limit=ALL).rows
            self.assertEqual(len(rows), anchor["links_to_target"], anchor)


class Pages(OneSandbox):
    def test_a_hundred_rows_and_one_column_of_order(self):
        answer = self.sandbox.list("crawled-pages", "big.example", "url", order_by="url:asc", limit=5000)
        self.assertEqual((len(answer.rows), answer.cost[0]), (100, 100))
        self.refused_now(self.sandbox.list("crawled-pages", "big.example", "url", order_by="url_rating:desc,url:asc"),
                         "column 'url_rating:desc,url' not found")
        for name, what in (("title", ["regex", "a"]), ("title", "is_null"), ("title", "empty")):
            self.refused_now(self.sandbox.list("crawled-pages", "big.example", "url", where={"field": name, "is": what}),
                             "bad where: invalid JSON syntax")

    def refused_now(self, answer, text):
        self.assertEqual((answer.status, answer.json), (400, {"error": text}))

    def test_a_group_of_one_rating_is_more_than_a_page(self):
        for target in ("big.example", "ratings.example"):
            rows = self.sandbox.list("crawled-pages", target, "url,url_rating", mode="domain",
                                     where=leaf("url_rating", "eq", 0.0)).rows
            self.assertEqual(len(rows), 100 if target == "big.example" else len(rows))
            self.assertGreater(len(rows), 30)

    def test_modes_nest(self):
        seen = []
        for mode, target in (("exact", "small.example/blog/"), ("prefix", "small.example/blog/"), ("domain", "small.example"),
                             ("subdomains", "small.example")):
            seen.append({row["url"] for row in self.sandbox.list("crawled-pages", target, "url", mode=mode).rows})
        for inner, outer in zip(seen, seen[1:]):
            self.assertTrue(inner < outer, (inner, outer))
        self.assertEqual(self.sandbox.list("crawled-pages", "empty.example", "url").rows, [])


class Batch(OneSandbox):
    def test_prices(self):
        answer = self.sandbox.batch([("a.test", "domain")], "domain_rating")
        self.assertEqual(answer.cost, [1, 50, 50, 50, "miss"])
        answer = self.sandbox.batch([(f"a{i}.test", "domain") for i in range(100)], "domain_rating,ahrefs_rank,index")
        self.assertEqual(answer.cost, [100, 3, 300, 300, "miss"])
        self.assertEqual([row["index"] for row in answer.rows], list(range(100)))
        self.assertEqual([list(row) for row in answer.rows], [["ahrefs_rank", "domain_rating", "index"]] * 100)
        self.assertEqual(self.sandbox.batch([("ahrefs.com", "domain"), ("yep.com/x", "exact")], "refdomains").cost[3], 0)
        self.assertEqual(self.sandbox.batch([("ahrefs.com", "domain"), ("a.test", "domain")], "refdomains").cost[3], 50)
        self.assertEqual(self.sandbox.state()["spent"], 400)

    def test_it_refuses_all(self):
        good = ("a.test", "domain")
        for targets, text in (
                ([good, ("refused.example", "exact")], "bad target refused.example"),
                ([good, ("nodots", "domain")], "bad target nodots"),
                ([good, ("a.test/x", "domain")], "bad target a.test/x"),
                ([good, ("a.test", "domains")], "bad value domains for type enum"),
                ([good, {"url": "a.test", "mode": "domain"}], "bad body: protocol is missing or no string"),
                ([good, {"mode": "domain", "protocol": "both"}], "bad body: url is missing or no string"),
                ([good, 7], "bad body: targets are objects"),
                ([], "bad body: targets must be 1 to 100"),
                ([good] * 101, "bad body: targets must be 1 to 100")):
            self.refused(self.sandbox.batch(targets, "domain_rating"), 400, text)

    def test_other_refusals(self):
        for select, parts, text in (([], {}, "missing parameter 'select'"), ("rank", {}, "column 'rank' not found"),
                                    ([5], {}, "column '' not found"),
                                    ("ip", {"order_by": ["rank"]}, "column 'rank' not found"),
                                    ("ip", {"order_by": ["ip:up"]}, "bad order direction up"),
                                    ("ip", {"country": "US"}, "bad value US for type country"),
                                    ("ip", {"country": "xx"}, "bad value xx for type country"),
                                    ("ip", {"volume_mode": "daily"}, "bad value daily for type enum"),
                                    ("ip", {"output": "php"}, "output 'php' is not supported by the sandbox")):
            self.refused(self.sandbox.batch([("a.test", "domain")], select, **parts), 400, text)
        for body in ("", "[]", "{", "null", '"x"'):
            self.refused(self.sandbox.post("batch-analysis/batch-analysis", body), 400, "bad body: invalid JSON syntax")
        self.assertEqual(self.sandbox.get("batch-analysis/batch-analysis").status, 405)
        self.assertEqual(self.sandbox.post("site-explorer/anchors", "{}").status, 405)
        self.assertEqual(self.sandbox.post("batch-analysis/batch-analysis", "{}", key="wrong").status, 401)

    def test_order_by(self):
        rows = self.sandbox.batch([(f"a{i}.test", "domain") for i in range(20)], "domain_rating,index",
                                  order_by=["domain_rating:asc"]).rows
        self.assertEqual(rows, sorted(rows, key=lambda row: (row["domain_rating"], row["index"])))
        rows = self.sandbox.batch([(f"a{i}.test", "domain") for i in range(20)], "index", order_by=["refdomains"])
        self.assertEqual(rows.cost[1:3], [6, 120])

    def test_countries_have_numbers_of_their_own(self):
        fields = "org_keywords,org_traffic,org_cost,backlinks,domain_rating"
        [us], [de], [all_] = (self.sandbox.batch([("shop.test", "domain")], fields, **parts).rows
                              for parts in ({"country": "us"}, {"country": "de"}, {}))
        self.assertEqual(len({json.dumps(row) for row in (us, de, all_)}), 3)
        self.assertEqual(len({(row["backlinks"], row["domain_rating"]) for row in (us, de, all_)}), 1)

    def test_what_is_not_known(self):
        [row] = self.sandbox.batch([("unknown.example", "domain")], COUNTS + ",domain_rating,org_traffic,ip").rows
        for name in ("index", "url", "mode", "protocol"):
            del row[name]
        self.assertIsNone(row.pop("ip"))
        self.assertEqual(set(row.values()), {0})
        [row] = self.sandbox.batch([("nulls.example", "domain")], "ahrefs_rank,org_cost,domain_rating,backlinks").rows
        self.assertEqual((row["ahrefs_rank"], row["org_cost"]), (None, None))

    def test_the_log_has_the_body_and_the_script_sees_it(self):
        self.sandbox.script({"match": "batch-analysis", "asked": "b.test", "status": 503})
        self.assertEqual(self.sandbox.batch([("a.test", "domain")], "ip").status, 200)
        self.assertEqual(self.sandbox.batch([("b.test", "domain")], "ip").status, 503)
        self.assertEqual([json.loads(entry["body"])["targets"][0]["url"] for entry in self.sandbox.log()],
                         ["a.test", "b.test"])


class Switches(unittest.TestCase):
    def test_order_and_index(self):
        with Sandbox(batch_order="scattered", batch_index="one") as sandbox:
            rows = sandbox.batch([(f"a{i}.test", "domain") for i in range(9)], "index,url").rows
            self.assertEqual(sorted(row["index"] for row in rows), list(range(1, 10)))
            self.assertNotEqual([row["index"] for row in rows], list(range(1, 10)))
            self.assertTrue(all(row["url"] == f"a{row['index'] - 1}.test/" for row in rows))

    def test_refusals(self):
        with Sandbox(batch_names_bad="no", batch_unknown="refuse", unknown_parameters="refuse") as sandbox:
            self.assertEqual(sandbox.batch([("refused.example", "domain")], "ip").json, {"error": "bad target"})
            self.assertEqual(sandbox.batch([("unknown.example", "domain")], "ip").status, 404)
            self.assertEqual(sandbox.batch([("a.test", "domain")], "ip", limit=5).json,
                             {"error": "unknown parameter 'limit'"})

    def test_the_same_batch_is_a_hit(self):
        with Sandbox(cache_ttl="60s") as sandbox:
            costs = [sandbox.batch([(target, "domain")], "ip").cost[3:] for target in ("a.test", "b.test", "a.test")]
            self.assertEqual(costs, [[50, "miss"], [50, "miss"], [0, "hit"]])

    def test_shown_link(self):
        shown = []
        for word in ("rating", "oldest", "scattered"):
            with Sandbox(shown_link=word) as sandbox:
                rows = sandbox.list("all-backlinks", "shop.test", "root_name_source,first_seen_link,anchor,title",
                                    aggregation="1_per_domain", history="live", order_by="root_name_source:asc",
                                    limit=ALL).rows
                shown.append(rows)
        self.assertEqual(len({json.dumps(rows) for rows in shown}), 3)
        self.assertTrue(all(b["first_seen_link"] <= a["first_seen_link"] for a, b in zip(shown[0], shown[1])))


if __name__ == "__main__":
    unittest.main()
