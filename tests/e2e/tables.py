# SPDX-License-Identifier: MIT
"""A second opinion on every table but anchors: what a v2 call has to be answered with, worked out from all rows of the
target, which a sandbox of its own is asked for. Written from the facts about v2 and the decisions in docs/ alone; it
knows nothing of how the proxy goes about it: it asks for whole lists, and filters, orders and cuts them here.

    model = Tables(oracle_sandbox)
    model.answer({"from": "refdomains", "target": "small.example", "mode": "domain"})
"""
import datetime
import json
import math
import re
from fractions import Fraction

from model import Refused, Unsure, compare, conditions, fold, is_word, moments, target_of, whole, write_xml_value
from sandbox import leaf

MODES = ("exact", "domain", "subdomains", "prefix")
EVERY_ROW = 1000000


class Column:
    """`kind`: what conditions and orders make of it. `field`: of v3's row, `.field` of the record. `fidelity`: E exact,
    R rounded, C from the call, N near, B a bound, M missing, S by name in select only."""

    def __init__(self, name, kind, field, fidelity, flags):
        self.name, self.kind, self.field, self.fidelity = name, kind, field, fidelity
        self.allowed = {"where": flags[0] == "+", "having": flags[1] == "+"}

    @property
    def shown(self):
        return self.fidelity != "-"


def columns(text):
    return {line.split()[0]: Column(*line.split()) for line in text.splitlines() if line.strip()}


def price(request, row, where, having=None):
    return {"request": Fraction(str(request)), "row": Fraction(str(row)), "where": where,
            "having": where if having is None else having}


METRICS = """
    backlinks int .backlinks E --
    refpages int .backlinks B --
    pages int . M --
    valid_pages int . M --
    text int . M --
    image int . M --
    nofollow int .backlinks_nofollow E --
    ugc int . M --
    sponsored int . M --
    dofollow int .backlinks_dofollow E --
    redirect int .backlinks_redirect E --
    canonical int . M --
    gov int . M --
    edu int . M --
    rss int . M --
    alternate int . M --
    html_pages int . M --
    links_internal int .backlinks_internal N --
    links_external int .outgoing_links E --
"""
LINK = """
    url_from url url_from E ++
    ahrefs_rank rating url_rating_source R ++
    domain_rating rating domain_rating_source R -+
    ahrefs_top int ahrefs_rank_source E -+
    ip_from ip ip_source E ++
    links_internal int links_internal E ++
    links_external int links_external E ++
    page_size int page_size E ++
    encoding case encoding E ++
    title fold title E ++
    language language languages E ++
    url_to url url_to E ++
    first_seen date first_seen_link E ++
    last_visited date last_visited E ++
    prev_visited never first_seen_link B ++
    original bool . M ++
    redirect int redirect_code E ++
    alt fold alt E ++
    anchor fold anchor E ++
    text_pre fold snippet_left E ++
    text_post fold snippet_right E ++
    http_code int . M ++
    url_from_first_seen date first_seen E ++
    link_type type link_type E ++
    nofollow bool is_nofollow E ++
    ugc bool is_ugc E ++
    sponsored bool is_sponsored E ++
"""
BROKEN = LINK.replace("http_code int . M ++", """broken_at never last_visited_target B ++
    http_code int http_code_target E ++
    error text . M ++""").replace("    url_from_first_seen date first_seen E ++\n", "")
DOMAIN = """
    refdomain host domain E ++
    backlinks int links_to_target E ++
    refpages int links_to_target B ++
    first_seen date first_seen E ++
    last_visited bounded first_seen B ++
    domain_rating rating domain_rating R -+
    url url url_to - +-
    ip ip ip_source - +-
"""
BY_TYPE = """
    refdomain host domain E ++
    refdomain_top host domain N --
    backlinks int links_to_target E ++
    backlinks_dofollow int dofollow_links E ++
    refpages int links_to_target B ++
    first_seen date first_seen E ++
    last_visited bounded first_seen B ++
    domain_rating rating domain_rating R -+
    traffic float traffic_domain S --
    linked_domains int dofollow_linked_domains S --
    refdomains int dofollow_refdomains S --
    url url url_to - +-
    ip ip ip_source - +-
    all bool all - +-
    text bool link_type=text - +-
    image bool link_type=image - +-
    nofollow bool is_nofollow - +-
    dofollow bool is_dofollow - +-
    redirect bool link_type=redirect - +-
    canonical bool link_type=canonical - +-
    gov bool ending=gov - +-
    edu bool ending=edu - +-
"""
PAGE = """
    url url url E ++
    ahrefs_rank rating url_rating R ++
    first_seen date first_seen E ++
    last_visited date last_crawled E ++
    http_code int http_code E ++
    size int . M ++
    links_internal int . M ++
    links_external int . M ++
    encoding text . M ++
    title title title E ++
    redirect_url text . M ++
    content_encoding text . M ++
"""
STATS_BY_TYPE = {"refdomains": "refdomains", "ips": "refips", "class_c": "refips_subnets", "max_backlinks": None,
                 "max_backlinks_dofollow": None, "max_refpages": None, "total_backlinks": "backlinks",
                 "total_backlinks_dofollow": "backlinks_dofollow", "all": "refdomains", "text": None, "image": None,
                 "nofollow": "refdomains_nofollow", "ugc": None, "sponsored": None, "dofollow": "refdomains_dofollow",
                 "redirect": None, "canonical": None, "gov": None, "edu": None, "rss": None, "alternate": None}


class Table:
    """`report`: v3's list, None for the record. `fixed`: its parameters. `key`: of v3's row. `marked`: conditions whose
    number belongs to the group. `unsorted`: columns that no order may name."""

    def __init__(self, key, text, prices, report=None, keys=(), stats=None, grouped=False, **fixed):
        self.key, self.columns, self.prices, self.report, self.keys = key, columns(text), prices, report, keys
        self.stats, self.grouped, self.fixed = stats, grouped, fixed


LIVE = {"history": "live"}
TABLES = {
    "domain_rating": Table("domain", "domain_rating rating .domain_rating R -+\nahrefs_top int .ahrefs_rank E -+",
                           price(1, 0, 0)),
    "metrics": Table("metrics", METRICS, price(1, 0, 0)),
    "metrics_extended": Table("metrics", METRICS + """
    refdomains int .refdomains E --
    refclass_c int .refips_subnets E --
    refips int .refips E --
    linked_root_domains int .linked_domains E --""", price(1, 1, 0)),
    "positions_metrics": Table("metrics", """
    positions int .org_keywords E --
    positions_top10 int .org_keywords_1_3+.org_keywords_4_10 E --
    positions_top3 int .org_keywords_1_3 E --
    traffic float .org_traffic E --
    traffic_top10 float . M --
    traffic_top3 float . M --
    cost float .org_cost E --
    cost_top10 float . M --
    cost_top3 float . M --""", price(1, 1, 5)),
    "backlinks": Table("refpages", LINK, price(1, 0.2, 5), "all-backlinks", ("url_from", "url_to"), aggregation="all",
                       **LIVE),
    "backlinks_one_per_domain": Table("refpages", LINK + "    total_backlinks int link_group_count E -+",
                                      price(10, 2, 5), "all-backlinks", ("url_from", "url_to"),
                                      aggregation="all", **LIVE),
    "broken_backlinks": Table("refpages", BROKEN, price(1, 5, 5), "broken-backlinks", ("url_from", "url_to"),
                              aggregation="all"),
    "refdomains": Table("refdomains", DOMAIN, price(1, 1, 5), "refdomains", ("domain",), grouped=True,
                        stats={"refdomains": "refdomains", "ips": "refips", "class_c": "refips_subnets"}, **LIVE),
    "refdomains_by_type": Table("refdomains", BY_TYPE, price(10, 1, 10), "refdomains", ("domain",), grouped=True,
                                stats=STATS_BY_TYPE, **LIVE),
    "linked_domains": Table("domains", """
    domain_from host target C -+
    domain_to host domain E -+
    links int links_from_target E -+
    unique_pages int links_from_target B -+
    domain_to_rating rating domain_rating R -+
    domain_to_ahrefs_top int . M -+""", price(1, 1, 5), "linkeddomains", ("domain",), grouped=True),
    "refips": Table("refips", """
    refip ip ip_source N ++
    refdomain host domain E ++
    backlinks int links_to_target E ++""", price(1, 1, 5), "refdomains", ("ip_source", "domain"), grouped=True, **LIVE),
    "ahrefs_rank": Table("pages", "url url url E ++\nahrefs_rank rating url_rating R -+", price(1, 1, 5),
                         "crawled-pages", ("url",)),
    "pages": Table("pages", PAGE, price(1, 0.2, 5), "crawled-pages", ("url",), stats="pages"),
    "pages_extended": Table("pages", PAGE + """
    backlinks int ~backlinks E ++
    dofollow int ~backlinks_dofollow E ++
    nofollow int ~backlinks_nofollow E ++
    redirects int ~backlinks_redirect E ++
    refdomains int ~refdomains E ++
    refclass_c int ~refips_subnets E ++
    refips int ~refips E ++""", price(1, 1, 5), "crawled-pages", ("url",), stats="pages"),
}
RECORD = "domain_rating,ahrefs_rank,backlinks,backlinks_dofollow,backlinks_nofollow,backlinks_redirect,backlinks_internal," \
         "refips,refips_subnets,linked_domains,outgoing_links,org_keywords,org_keywords_1_3,org_keywords_4_10,url_rating," \
         "refdomains,refdomains_dofollow,refdomains_nofollow,org_traffic,org_cost"
TYPES = {"href": ("text", "image"), **{word: (word,) for word in ("redirect", "frame", "form", "canonical", "rss",
                                                                 "alternate")}}
V2_TYPE = {v3: v2 for v2, words in TYPES.items() for v3 in words}
EMPTY = {"int": 0, "rating": 0, "float": 0.0, "bool": False}


def half_up(number):
    return int(math.floor(Fraction(str(number)) + Fraction(1, 2)))


# --- the three forms ---

def write_php(value):
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, float):
        return b"d:%d;" % value if value == int(value) else b"d:%r;" % value
    if value is None:
        return b"N;"
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, str):
        return b's:%d:"%s";' % (len(value.encode()), value.encode())
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return b"a:%d:{%s}" % (len(value), b"".join(write_php(key) + write_php(one) for key, one in pairs))


def xml_value(value, name):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list):
        one = name.removesuffix("s")
        return "".join(f"<{one}>{xml_value(item, one)}</{one}>" for item in value)
    if isinstance(value, dict):
        return "".join(f"<{key}>{xml_value(item, key)}</{key}>" for key, item in value.items())
    return write_xml_value(value, name)


WRITE = {"json": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
         "php": write_php,
         "xml": lambda value: ('<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse>' + xml_value(value, "") +
                               "</AhrefsApiResponse>").encode()}


class Expected:
    """`faults`: one of these must come; else the bodies that may, the marks that must and those that may."""

    def __init__(self, **fields):
        self.faults, self.maybe, self.sure = set(), set(), True
        self.__dict__.update(fields)


class Clause:
    """Conditions of a where or having: tests of v3's rows, filters for v3 of what only links know, marks, faults."""

    def __init__(self, model, table, name, clause, text):
        self.tests, self.links, self.marks, self.faults = [], [], set(), set()
        self.of_groups = []  # tests of what only a group has
        self.model, self.table, self.name, self.clause = model, table, name, clause
        self.used = text is not None
        try:
            parsed = conditions(text) if self.used else []
        except ValueError:
            self.faults.add("bad_" + clause)
            return
        for one in parsed:
            try:
                self.read(*one)
            except Refused as refused:
                self.faults.add(str(refused))

    def bad(self):
        return Refused("bad_" + self.clause)

    def mark(self, column):
        self.marks.add(f"{self.clause}.{column.name}")

    def read(self, name, operator, literal):
        column = self.table.columns.get(name)
        if not column or not column.allowed[self.clause]:
            raise self.bad()
        if column.fidelity == "M" or column.kind == "never" or column.field.startswith("~"):
            raise Refused("not_exact")
        function = operator in ("substring", "word", "subdomain")
        getattr(self, "read_" + column.kind)(column, operator, literal, function)

    def add(self, column, test):
        """A test of what the column shows; `test` sees v3's value, never null."""
        empty = {"int": 0, "rating": 0.0}.get(column.kind, "")
        tests = self.of_groups if column.field == "link_group_count" else self.tests
        tests.append(lambda row: test(empty if row[column.field] is None else row[column.field]))
        self.mark_of_shown(column)

    def mark_of_shown(self, column):
        """v3 looks at links before it shows one of each domain."""
        if self.name == "backlinks_one_per_domain" and self.clause == "having":
            self.mark(column)

    # texts

    def text(self, column, operator, literal, function, see, host=None):
        if function and literal == "":
            raise Unsure("nothing to look for")
        if operator in ("<", "<=", ">", ">="):
            self.mark(column)
        want = see(literal)
        if operator == "subdomain":
            if host is None:
                raise Refused("not_exact")
            self.tests.append(lambda row: row[host] == want.lower() or row[host].endswith("." + want.lower()))
            self.mark_of_shown(column)
        elif operator == "substring":
            self.add(column, lambda text: want in see(text))
        elif operator == "word":
            self.add(column, lambda text: is_word(see(text), want))
        else:
            self.add(column, lambda text: compare(operator, see(text).encode(), want.encode()))

    def read_url(self, column, operator, literal, function):
        if column.field == "url_to" and self.table.grouped:
            self.url_of_group(column, operator, literal)
            return
        host = {"url_from": "name_source", "url_to": "name_target"}.get(column.field)
        if operator == "subdomain" and host is None:
            raise Refused("not_exact")
        self.text(column, operator, literal, function, str, host)

    def url_of_group(self, column, operator, literal):
        """Only links have it: v3 is asked."""
        if operator == "subdomain":
            raise Refused("not_exact")
        self.mark(column)
        self.links.append(leaf("url_to", {"=": "eq", "<>": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte",
                                          "substring": "substring", "word": "phrase_match"}[operator], literal))

    def read_host(self, column, operator, literal, function):
        if column.fidelity == "C":
            raise Unsure("a condition on the target itself")
        self.text(column, operator, literal.lower(), function, str, column.field)

    def read_ip(self, column, operator, literal, function):
        if operator == "subdomain":
            raise Unsure("subdomain of an address")
        self.text(column, operator, literal.lower(), function, str)

    def read_fold(self, column, operator, literal, function):
        if operator == "subdomain":
            raise Unsure("a text is no domain")
        self.text(column, operator, literal, function, fold)

    def read_case(self, column, operator, literal, function):
        if operator == "subdomain":
            raise Unsure("an encoding is no domain")
        self.text(column, operator, literal, function, str)

    def read_title(self, column, operator, literal, function):
        """Of crawled-pages: a null cannot be asked for, and without regular expressions = has regard to case."""
        if operator == "<>" or (literal == "" and operator in ("=", "<", "<=", ">=")) or operator == "subdomain":
            raise Refused("not_exact")
        if operator in ("<", "<=", ">", ">="):
            raise Unsure("the order of titles and nulls")
        self.text(column, operator, literal, function, fold if function else str)

    def read_type(self, column, operator, literal, function):
        if function or operator not in ("=", "<>") or literal not in TYPES:
            raise self.bad()
        self.add(column, lambda word: (word in TYPES[literal]) == (operator == "="))

    def read_language(self, column, operator, literal, function):
        if function or operator not in ("=", "<>"):
            raise Refused("not_exact")
        self.mark(column)
        self.mark_of_shown(column)
        self.tests.append(lambda row: (literal in row["languages"]) == (operator == "="))

    # numbers, days, booleans

    def number(self, literal):
        if not re.fullmatch(r"-?[0-9]+", literal) or not -2 ** 63 <= int(literal) < 2 ** 63:
            raise self.bad()
        return int(literal)

    def read_int(self, column, operator, literal, function):
        if function:
            raise self.bad()
        want = self.number(literal)
        if self.table.grouped and (self.clause == "where" or column.fidelity == "B"):
            self.mark(column)
        self.add(column, lambda number: compare(operator, number, want))

    def read_rating(self, column, operator, literal, function):
        if function:
            raise self.bad()
        want = self.number(literal)
        self.add(column, lambda rating: compare(operator, half_up(rating), want))

    def read_date(self, column, operator, literal, function):
        span = None if function else moments(literal)
        if span is None:
            raise self.bad()
        first, last = span
        if self.table.grouped and self.clause == "where":
            self.mark(column)

        def test(text):
            moment = datetime.datetime.fromisoformat(text.rstrip("Z"))
            return {"=": first <= moment <= last, "<>": not first <= moment <= last, "<": moment < first,
                    "<=": moment <= last, ">": moment > last, ">=": moment >= first}[operator]
        self.add(column, test)

    def read_bounded(self, column, operator, literal, function):
        span = None if function else moments(literal)
        if span is None:
            raise self.bad()
        if operator not in (">", ">=") or (self.model.today - span[0].date()).days < 180:
            raise Refused("not_exact")
        self.mark(column)

    def read_bool(self, column, operator, literal, function):
        word = literal.lower() if isinstance(literal, str) else literal
        if function or word not in ("true", "false", "1", "0"):
            raise self.bad()
        if operator == ">" and word == "0":
            want = True
        elif operator in ("=", "<>"):
            want = (word in ("true", "1")) == (operator == "=")
        else:
            raise self.bad()
        if self.table.grouped:
            self.kind_of_link(column, want)
        else:
            self.add(column, lambda value: value == want)

    def kind_of_link(self, column, want):
        what, _, word = column.field.partition("=")
        if what == "ending":
            end = re.compile(rf"(^|\.){word}(\.[a-z]{{2}})?$")
            self.tests.append(lambda row: bool(end.search(row["domain"])) == want)
            return
        if not want:
            raise Refused("not_exact")
        if what == "all":
            return
        self.mark(column)
        self.links.append(leaf("link_type", "eq", word) if word else leaf(what, "eq", True))

    def read_text(self, column, operator, literal, function):
        raise Unsure("no such column has conditions")

    read_float = read_text


class Tables:
    """`oracle`: a sandbox with the same data as the proxy's, without caps. `missing`, `last_visited`, `stats`: as in
    [fidelity]. `oldest`: of a domain the oldest link is shown, not that of the best page."""

    def __init__(self, oracle, missing="empty", last_visited="first_seen", stats="ask", default_mode="subdomains",
                 oldest=False):
        self.oracle, self.missing, self.last_visited, self.stats = oracle, missing, last_visited, stats
        self.default_mode, self.oldest, self.kept = default_mode, oldest, {}

    @property
    def today(self):
        return datetime.datetime.now(datetime.timezone.utc).date()

    # --- what v3 knows ---

    def record(self, target, mode, country=None):
        key = ("record", target, mode, country)
        if key not in self.kept:
            answer = self.oracle.batch([(target, mode)], RECORD, **({"country": country} if country else {}))
            if answer.status != 200:
                raise RuntimeError(f"{key}: {answer}")
            [self.kept[key]] = answer.rows
        return self.kept[key]

    def rows(self, table, target, mode, links=()):
        """All rows, with all that conditions and columns need."""
        fields = {column.field for column in table.columns.values() if column.field and column.field[0] not in ".~"}
        fields = {field for field in fields if "=" not in field} - {"target", "all"}
        fields |= {"name_source", "name_target", "root_name_source", "url_rating_source", "first_seen_link"} \
            if "backlinks" in table.report else set()
        fields.discard("link_group_count")
        if table.report == "refdomains":
            fields = {"domain", "links_to_target", "dofollow_links", "first_seen", "domain_rating", "ip_source",
                      "traffic_domain", "dofollow_linked_domains", "dofollow_refdomains"}
        key = (table.report, table.fixed.get("aggregation"), target, mode, json.dumps(links), frozenset(fields))
        if key in self.kept:
            return self.kept[key]
        params = dict(table.fixed, mode=mode, protocol="both", limit=EVERY_ROW)
        found, last = [], None
        while True:  # crawled-pages gives a hundred rows, free targets as well
            filters = list(links) + ([leaf(table.keys[0], "gt", last)] if last is not None else [])
            where = None if not filters else filters[0] if len(filters) == 1 else {"and": filters}
            answer = self.oracle.list(table.report, target, ",".join(sorted(fields)), where=where,
                                      order_by=table.keys[0] + ":asc", **params)
            if answer.status != 200:
                raise RuntimeError(f"{key}: {answer}")
            found += answer.rows
            if len(answer.rows) != 100 or table.keys[0] not in ("url", "domain"):
                break
            last = answer.rows[-1][table.keys[0]]
        self.kept[key] = found
        return found

    # --- what v2 shows ---

    def cell(self, table, column, row, target, host):
        if column.fidelity == "M":
            return None if self.missing == "null" else EMPTY.get(column.kind, "")
        if column.fidelity == "C":
            return host
        if column.field.startswith("~"):
            return self.record(row["url"].partition("://")[2], "exact")[column.field[1:]]
        value = row[column.field]
        if column.name in ("prev_visited", "last_visited") and column.fidelity == "B" and self.last_visited == "null":
            return None
        if column.name == "broken_at" and value is None:
            value = row["last_visited"]
        if column.kind == "rating":
            return half_up(value or 0)
        if column.kind == "type":
            return V2_TYPE[value]
        if column.kind == "language":
            return value[0] if value else ""
        if column.kind == "float":
            return float(value)
        return EMPTY.get(column.kind, "") if value is None else value

    def select(self, name, table, text, faults):
        every = [one for one in table.columns.values() if one.shown and one.fidelity != "S"]
        if text is None or text == "*":
            return every
        asked = [one.strip(" ") for one in text.split(",")]
        named = [one for one in table.columns.values() if one.name in asked and one.shown]
        unknown = [one for one in asked if one not in [column.name for column in named]]
        if [one for one in unknown if one not in ("first_origin", "last_origin")] or (unknown and "refpages" != table.key):
            faults.add("bad_select")
        elif unknown and self.missing != "null":
            faults.add("not_exact")
        elif unknown:
            raise Unsure("columns that are nowhere shown")
        if any(one.fidelity == "M" for one in named) and self.missing != "null":
            faults.add("not_exact")
        return named

    def marks_of_columns(self, select):
        found = set()
        for column in select:
            near = column.fidelity in "NMB" or (column.fidelity == "S" and column.name != "traffic")
            if near and column.name != "total_backlinks":
                found.add(column.name)
        return found

    def order(self, name, table, text, faults, marks):
        """[(column, descending)] and whether a rating orders."""
        found = []
        for item in text.split(",") if text is not None else []:
            match = re.fullmatch(r" *([a-z_0-9]+) *(?:: *(asc|desc) *)?", item)
            column = table.columns.get(match[1]) if match else None
            if not column or not column.shown:
                faults.add("bad_order_by")
                continue
            nullable = column.field in ("redirect_code", "alt", "ip_source", "title") and name != "refips" and \
                (column.field != "title" or table.report == "crawled-pages")
            if column.fidelity == "M" or column.kind == "language" or nullable or column.field.startswith("~") or \
                    column.field in ("http_code_target", "last_visited_target"):
                faults.add("not_exact")
                continue
            if column.kind == "type" or (column.fidelity in "B") or \
                    (column.fidelity == "S" and column.name != "traffic"):
                marks.add("order_by." + column.name)
            if column.name == "total_backlinks":
                raise Unsure("an order that v3 does not have")
            if column.fidelity != "C":
                found.append((column, match[2] == "desc"))
        if table.report == "crawled-pages" and not faults:
            self.one_column(found, faults)
        return found

    def one_column(self, found, faults):
        """crawled-pages sorts by one; the URL may follow."""
        names = list(dict.fromkeys(column.name for column, _ in found))
        if len(names) > 2 or (len(names) == 2 and "url" not in names[1:] and names[0] != "url"):
            faults.add("not_exact")

    def number(self, params, name, default, most, faults):
        number = whole(params[name]) if name in params else default
        if number is None or number > most:
            faults.add("bad_" + name)
            return default
        return number

    def answer(self, params):
        """What must come for parameters (decoded; token and spelling are another model's matter)."""
        name, output = params["from"], params.get("output", "json")
        table, faults, marks = TABLES[name], set(), set()
        if "mode" not in params:
            marks.add("mode")
        mode = params.get("mode", self.default_mode)
        if mode not in MODES:
            faults.add("bad_mode")
        target = free = None
        try:
            target, v3_mode, free = target_of(params.get("target"), mode)
        except Refused as refused:
            faults.add(str(refused))
        select = self.select(name, table, params.get("select"), faults)
        is_object = not table.report
        if is_object:
            return self.object(name, table, params, output, faults, marks, select, target and (target, v3_mode), free)
        order = self.order(name, table, params.get("order_by"), faults, marks)
        limit = self.number(params, "limit", 1000, 5000000, faults)
        offset = self.number(params, "offset", 0, 2 ** 63 - 1, faults)
        clauses = [Clause(self, table, name, clause, params.get(clause)) for clause in ("where", "having")]
        for clause in clauses:
            faults |= clause.faults
            marks |= clause.marks
        if faults:
            return Expected(faults=faults, output=output)
        if name == "ahrefs_rank" and mode == "exact" and not any(clause.used for clause in clauses):
            return self.page_itself(table, params, output, select, target, marks, limit, offset)
        return self.list(name, table, params, output, marks, select, order, limit, offset, clauses,
                         (target, v3_mode), free)

    def object(self, name, table, params, output, faults, marks, select, where, free):
        country = None
        if "having" in params:
            faults.add("bad_having")
        if "where" in params:
            try:
                found = conditions(params["where"])
                names = {literal.lower() for column, operator, literal in found if (column, operator) == ("country", "=")}
                if name == "positions_metrics" and len(names) == 1 and len(found) == 1 and names <= {
                        "us", "de", "fr", "gb", "es", "jp", "tr"}:
                    [country] = names
                else:
                    faults.add("bad_where")
            except ValueError:
                faults.add("bad_where")
        if faults:
            return Expected(faults=faults, output=output)
        if name == "domain_rating":
            marks.discard("mode")
        record = self.record(*where, country)
        cells = {}
        for column in select:
            fields = [field.lstrip(".") for field in column.field.split("+")]
            values = [record[field] if field else None for field in fields]
            if column.fidelity == "M":
                cells[column.name] = None if self.missing == "null" else EMPTY[column.kind]
                continue
            if None in values:
                marks.add(column.name)
            total = sum(value or 0 for value in values)
            cells[column.name] = half_up(total) if column.kind == "rating" else \
                float(total) if column.kind == "float" else int(total)
        marks |= self.marks_of_columns(select)
        return Expected(output=output, bodies=[{table.key: cells}], marks=marks, results=1, free=free,
                        rows=table.prices["request"] + table.prices["row"] + table.prices["where"] * ("where" in params))

    def page_itself(self, table, params, output, select, target, marks, limit, offset):
        text = params["target"].strip(" ")
        scheme = re.match(r"[A-Za-z]+://", text)
        if "/" not in target:
            target += "/"
        if not limit or offset:
            raise Unsure("a row that is cut off")
        row = {"url": (scheme[0].lower() if scheme else "https://") + target,
               "ahrefs_rank": half_up(self.record(target, "exact")["url_rating"])}
        return Expected(output=output, marks=marks - {"mode"}, results=1, free=False, rows=Fraction(2),
                        bodies=[{table.key: [{column.name: row[column.name] for column in select}]}])

    def shown_key(self, table, row, order):
        """v2's order of a row that is shown: rounded ratings, its own words, then the key."""
        def value(column):
            if column.kind == "rating":
                return half_up(row[column.field])
            return V2_TYPE[row[column.field]] if column.kind == "type" else row[column.field]
        return [value(column) for column, _ in order]

    @staticmethod
    def sorted(rows, keys, order, value):
        def bytes_of(one):
            return one.encode() if isinstance(one, str) else one
        rows = sorted(rows, key=lambda row: [bytes_of(row[key]) for key in keys])
        for place in range(len(order) - 1, -1, -1):
            rows = sorted(rows, key=lambda row: bytes_of(value(row)[place]), reverse=order[place][1])
        return rows

    def list(self, name, table, params, output, marks, select, order, limit, offset, clauses, where, free):
        links = [one for clause in clauses for one in clause.links]
        tests = [test for clause in clauses for test in clause.tests]
        every = self.rows(table, *where, links)
        if name == "refips":
            every = [row for row in every if row["ip_source"] is not None]
        passed = [row for row in every if all(test(row) for test in tests)]
        sure = True
        if name == "backlinks_one_per_domain":
            passed, sure = self.one_of_each(passed)
            passed = [row for row in passed if all(test(row) for clause in clauses for test in clause.of_groups)]
        stream = self.sorted(passed, table.keys, order, lambda row: [row[column.field] for column, _ in order])
        given = stream[offset:offset + limit]
        shown = self.sorted(given, table.keys, order, lambda row: self.shown_key(table, row, order))
        dropped = any("last_visited" in mark for clause in clauses for mark in clause.marks)
        filtered = bool(tests or links)
        ended, maybe = len(stream) < offset + limit, set()
        rated = {"order_by." + column.name for column, _ in order if column.kind == "rating"}
        if limit and shown != given:
            moved = rated if len(stream) > offset + limit or not ended or offset else set()
            if len(rated) == 1 and not ended and not any(mark.startswith("order_by") for mark in marks):
                marks |= rated
            else:
                maybe |= moved
        if given:
            marks |= self.marks_of_columns(select)
            if name == "refips":
                marks.add("refip")
            if name == "backlinks_one_per_domain":
                marks.add("rows")
        if name == "backlinks_one_per_domain":
            maybe |= {"total_backlinks"}
        host = re.sub(r"[/:].*", "", where[0])
        body = {table.key: [{column.name: self.cell(table, column, row, where[0], host) for column in select}
                            for row in shown]}
        bodies = self.with_stats(table, name, body, where, marks, maybe, ended and not filtered, len(stream),
                                 offset, limit)
        if name == "refdomains_by_type":
            self.add_endings(bodies, shown, maybe if dropped else marks, ended and not filtered and not offset)
        rows = table.prices["request"] + table.prices["row"] * len(shown) + sum(
            table.prices[clause.clause] for clause in clauses if clause.used)
        return Expected(output=output, bodies=bodies, marks=marks, maybe=maybe, results=len(shown), free=free, rows=rows,
                        sure=sure)

    def one_of_each(self, links):
        """The link shown of each domain, as the sandbox has it, and whether it is known."""
        groups, shown, sure = {}, [], True
        for link in links:
            groups.setdefault(link["root_name_source"], []).append(link)
        for group in groups.values():
            field, best = ("first_seen_link", min) if self.oldest else ("url_rating_source", max)
            first = [link for link in group if link[field] == best(link[field] for link in group)]
            sure = sure and len(first) == 1
            shown.append({**first[0], "link_group_count": len(group)})
        return shown, sure

    def with_stats(self, table, name, body, where, marks, maybe, is_whole, total, offset, limit):
        if table.stats is None:
            return [body]
        if self.stats == "zero":
            marks.add("stats")
            return [{**body, "stats": dict.fromkeys(["pages"] if table.stats == "pages" else table.stats, 0)}]
        if table.stats == "pages":
            if is_whole and not offset:
                return [{**body, "stats": {"pages": total}}]
            (maybe if is_whole else marks).add("stats.pages")
            return [{**body, "stats": {"pages": number}} for number in range(min(total, offset + limit + 1) + 1)]
        record = self.record(*where)
        found = {}
        for name, field in table.stats.items():
            found[name] = record[field] if field else None if self.missing == "null" else 0
            if not field or field == "refdomains_nofollow":
                marks.add("stats." + name)
        return [{**body, "stats": found}]

    @staticmethod
    def add_endings(bodies, shown, marks, is_whole):
        counts = {}
        if not is_whole:
            marks.add("tlds")
        for row in shown:
            ending = row["domain"].rpartition(".")[2]
            counts[ending] = counts.get(ending, 0) + 1
        for body in bodies:
            body["tlds"] = [{"tld": ending, "count": count}
                            for ending, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def differences(expected, answer):
    """What is wrong with an answer of the proxy, as a list of sentences."""
    if expected.faults:
        return [] if answer.fault in expected.faults else \
            [f"fault {answer.fault!r}, not one of {sorted(expected.faults)}: {answer.bytes[:300]!r}"]
    if answer.fault:
        return [f"fault {answer.fault!r}: {answer.bytes[:300]!r}"]
    wrong = []
    want = 0 if expected.free else math.ceil(expected.rows)
    for what, right, got in (("status", 200, answer.status), ("rows", want, answer.rows_charged),
                             ("results", expected.results, int(answer.headers["x-results-count"]))):
        if right != got:
            wrong.append(f"{what}: {got}, not {right}")
    missing, more = expected.marks - answer.marks, answer.marks - expected.marks - expected.maybe
    if missing or more:
        wrong.append(f"marks: missing {sorted(missing)}, too many {sorted(more)}")
    if not expected.sure:  # which rows they are, is not
        return wrong
    bodies = [WRITE[expected.output](body) for body in expected.bodies]
    if answer.bytes not in bodies:
        best = max(bodies, key=lambda body: common(body, answer.bytes))
        place = common(best, answer.bytes)
        wrong.append(f"body of {len(answer.bytes)} bytes, not {len(best)}; from byte {place}: "
                     f"{answer.bytes[max(0, place - 80):place + 120]!r}, not {best[max(0, place - 80):place + 120]!r}")
    return wrong


def common(one, other):
    return next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
