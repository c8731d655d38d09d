# SPDX-License-Identifier: MIT
"""Calls as old programs make them, and what comes back: rows, headers, books."""
import json
import re
import unittest

import v2
from anchorage import TOKEN, OneProxy

T = TOKEN
STATS, SEEN = "stats.refpages", "last_visited"


def case(raw, target, mode, marks=(), free=False, error=None, **cut):
    """`raw` is the path and query; the rest says what v2 would have made of it. `cut` is for v2.answer()."""
    return {"raw": raw.replace("T!", T), "target": target, "mode": mode, "marks": {*marks}, "free": free,
            "error": error, "cut": cut}


AHREFS = {"target": "ahrefs.com", "mode": "domain", "free": True}


def word(text):
    return lambda row: re.search(rf"(?<![^\W]){re.escape(text)}(?![^\W])", row["anchor"]) is not None


CASES = [
    # The calls of documents, code and tests.
    case("?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=2&output=json", **AHREFS, limit=2),
    case("?token=T!&target=ahrefs.com&limit=1000&output=json&from=anchors&mode=domain", **AHREFS),
    case("/?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=2&output=json", **AHREFS, limit=2),
    case("/?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=2&output=json&where=backlinks%3E10,refpages%3E20"
         "&order_by=refpages%3Aasc", **AHREFS, limit=2, order=["refpages"], marks=["where.backlinks", "where.refpages"],
         where=lambda r: r["backlinks"] > 10 and r["refpages"] > 20),
    case("/?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=2&output=json&where=first_seen%3E%3D%222018-01-01"
         "%22,first_seen%3C%3D%222018-12-31%22&order_by=refpages%3Adesc", **AHREFS, limit=2, order=["refpages:desc"],
         marks=["where.first_seen"], where=lambda r: "2018" == r["first_seen"][:4]),
    case("/?token=T!&from=anchors&target=example.com&mode=domain&limit=1000&output=json&where=first_seen%3E%222018-01-01"
         "%22,backlinks%3E10", "example.com", "domain", marks=["where.first_seen", "where.backlinks"],
         where=lambda r: r["first_seen"] >= "2018-01-02" and r["backlinks"] > 10),
    case("/?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=1000&output=json&where=links%3E10,links%3C20"
         "&order_by=first_seen%3Aasc", **AHREFS, error="bad_where"),
    case("/?token=T!&from=anchors&target=example.com/page&mode=exact&limit=20&output=json", "http://example.com/page",
         "exact", limit=20),
    case("?token=T!&target=www.example.com%2Fblog%2F&limit=20&from=anchors&mode=exact&output=json",
         "http://www.example.com/blog/", "exact", limit=20),
    case("/?token=T!&target=example.com&limit=5&from=anchors&mode=subdomains&output=json", "example.com", "subdomains",
         limit=5),
    case("/?from=anchors&target=example.com&mode=domain&limit=15&output=json&order_by=backlinks%3Adesc&token=T!",
         "example.com", "domain", limit=15, order=["backlinks:desc"]),
    case("/?from=anchors&target=example.com&limit=10&output=json&order_by=backlinks%3Adesc&token=T!", "example.com",
         "subdomains", limit=10, order=["backlinks:desc"], marks=["mode"]),
    case("/?from=anchors&target=example.com&mode=domain&limit=1&output=json&where=anchor%3A%22seo%22&token=T!",
         "example.com", "domain", limit=1, where=lambda r: r["anchor"] == "seo"),
    case("/?from=anchors&target=example.com&mode=domain&offset=30&limit=30&order_by=backlinks%3Adesc&output=json"
         "&token=T!", "example.com", "domain", offset=30, limit=30, order=["backlinks:desc"]),
    case("/?token=T!&output=json&from=anchors&target=https%3a%2f%2fseotoolsforexcel.com&limit=1000&offset=0&mode=exact"
         "&order_by=anchor:asc", "https://seotoolsforexcel.com/", "exact"),
    case("/?token=T!&from=anchors&target=example.com&mode=domain&where=backlinks%3C10%2Cword%28anchor%2C%22link%22%29",
         "example.com", "domain", marks=["where.backlinks"],
         where=lambda r: r["backlinks"] < 10 and word("link")(r)),
    case("/?token=T!&from=anchors&target=example.com&mode=domain&order_by=anchors%3Adesc%2Cbacklinks%3Aasc",
         "example.com", "domain", error="bad_order_by"),
    case("/?token=T!&from=anchors&target=example.com&mode=domain&having=substring(refdomain%2C%22x%22)", "example.com",
         "domain", error="bad_having"),
    case("/?data&select=*&from=anchors&target=ahrefs.com&mode=domain&output=json&token=T!", **AHREFS),
    case("?token=T!&from=anchors&mode=domain&target=ahrefs.com", **AHREFS),
    # Put on the wire by real programs.
    case("/?output=json&target=ahrefs.com&mode=domain&select=anchor%2Cbacklinks&where=backlinks%3C10%2Cword%28anchor%2C%22"
         "it%5C%27s+%5C%22seo%5C%22+tool%22%29%2Cfirst_seen%3E%3D%222018-01-01%22%2Crefdomain%3D%22example.com%22&having="
         "substring%28anchor%2C%22a+b%26c%22%29%2Crefdomains%3E1&order_by=refdomains%3Adesc%2Canchor&offset=5&limit=10"
         "&from=anchors&token=T!", **AHREFS, where=lambda r: False, select=["anchor", "backlinks"],
         marks=["where.backlinks", "where.first_seen", "where.refdomain"]),
    case("/?where=backlinks%3C10%2Crefpages%3C5&having=word(anchor%2C%22link%22)&select=anchor%2Cbacklinks&order_by="
         "first_seen%2Clast_visited%3Adesc&mode=domain&output=json&token=T!&target=ahrefs.com&from=anchors&limit=10"
         "&offset=5", **AHREFS, order=["first_seen", "last_visited:desc"], offset=5, limit=10,
         select=["anchor", "backlinks"], marks=["where.backlinks", "where.refpages", "order_by.last_visited"],
         where=lambda r: r["backlinks"] < 10 and r["refpages"] < 5 and word("link")(r)),
    case("/?token=T!&from=anchors&target=ahrefs.com&mode=domain&limit=1e+05&output=json", **AHREFS, limit=100000),
    case("/?target=ahrefs.com&token=T!&from=anchors&mode=domain&where=word%28anchor%2C%22seo%20tools%22%29%2C"
         "first_seen%3E%3D%222013-01-01%22&having=refdomains%3E1&order_by=refdomains%3Adesc%2Canchor%3Aasc&offset=0"
         "&limit=10&output=json", **AHREFS, limit=10, order=["refdomains:desc"], marks=["where.first_seen"],
         where=lambda r: word("seo tools")(r) and r["first_seen"] >= "2013-01-01" and r["refdomains"] > 1),
    case("/?from=anchors&having=word%28anchor%2C%22seo%22%29&limit=25&mode=subdomains&order_by=refdomains%3Adesc"
         "%2Canchor%3Aasc&output=json&select=anchor%2Cbacklinks&target=example.com&token=T!&where=backlinks%3E%2210"
         "%22%2Cfirst_seen%3E%3D%222013-01-01%22", "example.com", "subdomains", limit=25, order=["refdomains:desc"],
         select=["anchor", "backlinks"], marks=["where.backlinks", "where.first_seen"],
         where=lambda r: word("seo")(r) and r["backlinks"] > 10 and r["first_seen"] >= "2013-01-01"),
    case("/?token=T!&from=anchors&output=json&mode=domain&target=ahrefs.com&limit=2&where=anchor%3A%22seo%22&order_by="
         "backlinks%3Adesc", **AHREFS, limit=2, where=lambda r: r["anchor"] == "seo"),
    case("/?token=T!&order_by=backlinks:desc&where=anchor=%22seo%20tool%22,first_seen%3E=%222018-01-01%22&having="
         "refdomains%3E1&from=anchors&target=ahrefs.com&output=json&mode=domain&limit=2", **AHREFS, limit=2,
         marks=["where.first_seen"], where=lambda r: r["anchor"] == "seo tool" and r["first_seen"] >= "2018-01-01"
         and r["refdomains"] > 1),
    # Filters and cuts on a small target.
    case("/?token=T!&from=anchors&target=small.example&mode=prefix&having=backlinks%3E%3D9", "small.example", "domain",
         where=lambda r: r["backlinks"] >= 9),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&where=anchor%3C%3E%22best%22", "small.example",
         "subdomains", where=lambda r: r["anchor"] != "best"),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&where=anchor%3D%22%22", "small.example",
         "subdomains", where=lambda r: r["anchor"] == ""),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&where=anchor%3DBEST", "small.example",
         "subdomains", where=lambda r: r["anchor"] == "best"),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&where=substring(anchor,%22MALL%22)",
         "small.example", "subdomains", where=lambda r: "mall" in r["anchor"]),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&having=first_seen%3C%222014-01-01%22",
         "small.example", "subdomains", where=lambda r: r["first_seen"] < "2014-01-01"),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&having=first_seen%3D%222012-02-07%22",
         "small.example", "subdomains", where=lambda r: r["first_seen"][:10] == "2012-02-07"),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&having=refdomains%3C%3E9,refpages%3C%3D17",
         "small.example", "subdomains", where=lambda r: r["refdomains"] != 9 and r["refpages"] <= 17),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&select=first_seen,anchor&limit=4&offset=3",
         "small.example", "subdomains", select=["anchor", "first_seen"], limit=4, offset=3),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&offset=100", "small.example", "subdomains",
         offset=100),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&order_by=anchor:desc&limit=5", "small.example",
         "subdomains", order=["anchor:desc"], limit=5),
    case("/?token=T!&from=anchors&target=small.example&mode=subdomains&limit=0", "small.example", "subdomains", limit=0),
    case("/?token=T!&from=anchors&target=http://www.small.example/x&mode=domain&where=", "www.small.example", "domain"),
    case("/?token=T!&from=anchors&target=SMALL.example&mode=subdomains&where=last_visited%3E%3D%222019-01-01%22",
         "small.example", "subdomains", marks=["where.last_visited"]),
    case("/?token=T!&from=anchors&target=one.example&mode=subdomains", "one.example", "subdomains"),
    case("/?token=T!&from=anchors&target=empty.example&mode=subdomains", "empty.example", "subdomains"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains", "tricky.example", "subdomains"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=anchor%3D%22it%5C%27s%22", "tricky.example",
         "subdomains", where=lambda r: r["anchor"] == "it's"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=anchor%3D%22back%5C%5Cslash%22",
         "tricky.example", "subdomains", where=lambda r: r["anchor"] == "back\\slash"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=anchor%3D%22a,b,c%22", "tricky.example",
         "subdomains", where=lambda r: r["anchor"] == "a,b,c"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=substring(anchor,%22x = 1%22)".replace(
        " ", "+"), "tricky.example", "subdomains", where=lambda r: "x = 1" in r["anchor"]),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=substring(anchor,%22.*%22)",
         "tricky.example", "subdomains", where=lambda r: ".*" in r["anchor"]),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=word(anchor,%22SEO%22)", "tricky.example",
         "subdomains", where=word("seo")),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=anchor%3D%22%D0%9F%D0%A0%D0%98%D0%92"
         "%D0%95%D0%A2%22", "tricky.example", "subdomains", where=lambda r: r["anchor"] == "привет"),
    case("/?token=T!&from=anchors&target=tricky.example&mode=subdomains&where=anchor%3C%3E%22seo%22,anchor%3C%3Enull",
         "tricky.example", "subdomains", where=lambda r: r["anchor"] not in ("seo", "null")),
]


class Calls(OneProxy):
    """v3's rows are lower-cased already here, so that every answer must be exact."""

    sandbox_options = {"anchor_case": "fold"}

    def expect(self, one):
        rows = v2.merged(v2.v3_rows(self.sandbox, one["target"], one["mode"]))
        return rows, v2.answer(rows, **one["cut"])

    def marks(self, one, everything, expected):
        marks = set(one["marks"])
        if expected and "last_visited" in expected[0]:
            marks.add(SEEN)
        if len(everything) > 1:
            marks.add(STATS)
        return marks

    def price(self, one, expected):
        return 0 if one["free"] else 1 + len(expected) + 5 * ("&where=" in one["raw"] or "?where=" in one["raw"]) + \
            5 * ("having=" in one["raw"])

    def test_every_call(self):
        for one in CASES:
            with self.subTest(one["raw"].replace(T, "T")):
                answer = self.proxy.get(raw=one["raw"])
                if one["error"]:
                    self.refused(answer, one["error"])
                    self.assertEqual(list(answer.json), ["error"])
                    continue
                everything, expected = self.expect(one)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.json.get("anchors"), expected, answer)
                self.assertEqual(answer.bytes, json.dumps(answer.json, ensure_ascii=False,
                                                          separators=(",", ":")).encode())
                price = self.price(one, expected)
                if one["raw"].endswith("where="):
                    price -= 5
                entry = self.charged(answer, price)
                self.assertEqual(answer.headers["x-results-count"], str(len(expected)))
                self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
                self.assertNotIn("x-anchorage-rows-left", answer.headers, "no limit: nothing left to say")
                self.assertEqual((entry["table"], entry["team"], entry["client"]), ("anchors", "seo", "127.0.0.1"))
                self.assertEqual((entry["where"], entry["having"]),
                                 ("where=" in one["raw"] and not one["raw"].endswith("where="), "having=" in one["raw"]))
                stats = answer.json["stats"]
                self.assertEqual(stats["backlinks"], v2.live(self.sandbox, one["target"], one["mode"]))
                if len(expected) == len(everything) and not one["cut"].get("where"):
                    self.assertEqual(stats["refpages"], sum(row["refpages"] for row in everything))
                self.assertTrue(0 <= stats["refpages"] <= max(stats["backlinks"], 0), stats)
                self.assertEqual(answer.marks, self.marks(one, everything, expected))

    def test_the_units_are_those_that_the_sandbox_took(self):
        before = self.sandbox.state()["spent"]
        answer = self.proxy.get(target="units.example")
        self.assertEqual(answer.units, self.sandbox.state()["spent"] - before)
        self.assertEqual(answer.units, sum(entry["units"] for entry in self.sandbox.log()))

    def test_condition_on_the_domain_is_marked(self):
        rows = v2.v3_rows(self.sandbox, "example.com", "domain")
        domains = self.sandbox.get("site-explorer/anchors", {
            "target": "example.com", "select": "anchor", "history": "live", "mode": "domain",
            "where": {"field": "root_domain_name", "is": ["suffix", "e"]}}).rows
        self.assertTrue(domains)
        answer = self.proxy.get(target="example.com", mode="domain", where='subdomain(refdomain,"example.org")')
        self.assertEqual(answer.status, 200)
        self.assertIn("where.refdomain", answer.marks)
        narrow = v2.v3_rows(self.sandbox, "example.com", "domain",
                            {"or": [{"field": "root_domain_name", "is": ["eq", "example.org"]},
                                    {"field": "root_domain_name", "is": ["suffix", ".example.org"]}]})
        self.assertEqual(answer.anchors, v2.answer(v2.merged(narrow)))
        self.assertGreater(len(rows), len(narrow))

    def test_xml_and_php_say_the_same(self):
        for target in ("small.example", "tricky.example", "empty.example", "one.example"):
            for params in ({}, {"limit": 3, "select": "anchor,backlinks"}, {"where": "backlinks>1000000"}):
                with self.subTest(target=target, params=params):
                    value = self.proxy.get(target=target, **params).json
                    answer = self.proxy.get(target=target, output="php", **params)
                    self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
                    self.assertEqual(v2.from_php(answer.bytes), value)
                    answer = self.proxy.get(target=target, output="xml", **params)
                    self.assertEqual(answer.headers["content-type"], "text/xml; charset=utf-8")
                    self.assertTrue(answer.bytes.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'
                                                            b"<AhrefsApiResponse><anchors>"))
                    self.assertEqual(self.loose(v2.from_xml(answer.bytes)), self.loose(value))

    def loose(self, value):
        """As XML can hold it: texts, without the characters it lacks, line ends as a parser gives them."""
        if isinstance(value, dict):
            return {name: self.loose(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.loose(one) for one in value]
        text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", str(value))
        return text

    def test_subscription_info(self):
        for raw in ("/?from=subscription_info&output=json&token=" + T,
                    f"?token={T}&limit=1000&output=json&from=subscription_info",
                    f"/?mode=exact&output=json&token={T}&from=subscription_info&target=ahrefs.com"):
            answer = self.proxy.get(raw=raw)
            self.assertEqual((answer.status, answer.rows_charged, answer.units), (200, 0, 0))
            used = sum(item["rows"] for item in self.proxy.usage().values())
            self.assertEqual(answer.json, {"info": {"rows_left": 2000000000 - used, "rows_limit": 2000000000,
                                                    "subscription": "Enterprise"}})
        answer = self.proxy.get(from_="subscription_info", output="xml")
        self.assertEqual(v2.from_xml(answer.bytes)["info"]["subscription"], "Enterprise")
        answer = self.proxy.get(from_="subscription_info", output="php")
        self.assertEqual(v2.from_php(answer.bytes)["info"]["rows_limit"], 2000000000)
        self.assertEqual(self.sandbox.log(), [], "nothing is asked for it")
        self.refused(self.proxy.get(raw="/?from=subscription_info&output=json", headers={"Authorization": "Bearer " + T}),
                     "unknown_key")

    def test_post_forms(self):
        query = f"/?output=json&target=small.example&mode=subdomains&from=anchors&token={T}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        expected = self.proxy.get(raw=query).json
        for raw, body, headers in [(query, None, {}), (query, "", {"Content-Length": "0"}),
                                   (query, "limit=1", {"Content-Type": "text/plain"}),
                                   ("/", query[2:], form),
                                   (query[:query.index("&from")], "from=anchors&token=" + T, form)]:
            with self.subTest(raw=raw.replace(T, "T"), body=body):
                answer = self.proxy.get(raw=raw, method="POST", body=body, headers=headers)
                self.assertEqual((answer.status, answer.json), (200, expected))

    def test_old_post_over_http_1_0(self):
        query = f"/?output=json&target=small.example&mode=subdomains&from=anchors&token={T}"
        answer = self.proxy.raw(f"POST {query} HTTP/1.0\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n"
                                "\r\nline1\nline2".encode())
        self.assertEqual((answer.status, answer.json), (200, self.proxy.get(raw=query).json))

    def test_raw_utf8_in_the_query(self):
        answer = self.proxy.raw(f"GET /?token={T}&from=anchors&target=tricky.example&mode=subdomains&where=anchor="
                                "\"привет\" HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.assertEqual([row["anchor"] for row in answer.anchors], ["привет"])

    def test_an_error_in_every_output(self):
        for output, parse in (("json", json.loads), ("xml", v2.from_xml), ("php", v2.from_php)):
            answer = self.proxy.get(output=output, where='nope<"<&>"')
            self.refused(answer, "bad_where")
            self.assertEqual(list(parse(answer.bytes)), ["error"])
            self.assertIsInstance(parse(answer.bytes)["error"], str)

    def test_tokens_and_keys_never_reach_the_log(self):
        self.proxy.get()
        self.proxy.get(token="nobody-knows-this-token-at-all-0000000000")
        log = "".join(self.proxy.lines)
        for secret in (T, self.sandbox.key, "nobody-knows-this-token"):
            self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main()
