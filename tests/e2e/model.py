# SPDX-License-Identifier: MIT
"""A second opinion: what a v2 call for `anchors` has to be answered with, worked out from the bytes of the query and
all rows of the target, which a sandbox of its own is asked for. Written from the facts about v2 and the decisions in
docs/ alone; it knows nothing of how the proxy goes about it.

    model = Model(oracle_sandbox, fold=True)
    model.answer(b"from=anchors&target=small.example&mode=domain&token=...")
"""
import datetime
import functools
import json
import re
import unicodedata
from fractions import Fraction

COLUMNS = ["anchor", "backlinks", "refpages", "refdomains", "first_seen", "last_visited"]
KNOWN = ["token", "select", "from", "target", "mode", "where", "having", "order_by", "limit", "offset", "output"]
NUMBERS = ("backlinks", "refpages", "refdomains")
TEXTS = ("anchor", "refdomain")
ALLOWED = {"where": ["anchor", "backlinks", "refpages", "refdomain", "first_seen", "last_visited"],
           "having": ["anchor", "backlinks", "refpages", "refdomains", "first_seen", "last_visited"]}
MODES = ("exact", "domain", "subdomains", "prefix")
TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8",
         "php": "text/plain; charset=utf-8"}
OPERATORS = ["<>", "<=", ">=", "=", ":", "<", ">"]
SECOND = datetime.timedelta(seconds=1)
DAY = datetime.timedelta(days=1)


class Refused(Exception):
    """The word of the fault."""


class Unsure(Exception):
    """The decisions do not say; such a call is not compared."""


class Expected:
    """What must come. `sure`: the rows are known exactly; else only `shape` holds."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def fold(text):
    """Lower case, letter by letter; the dotted I keeps its dot."""
    return "".join("i\u0307" if letter == "\u0130" else letter.lower() if len(letter.lower()) == 1 else letter
                   for letter in text)


def unescape(raw, name):
    """`+` and %XX of a parameter's value."""
    fault = Refused("unknown_key" if name == "token" else "unknown_table" if name == "from" else "bad_" + name)
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise fault
    plain = re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), raw.replace(b"+", b" "))
    if b"\0" in plain:
        raise fault
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        raise fault from None


def parameters(query):
    """The known parameters of a query, name to text (those without a value are absent); what is wrong; and the marks of
    those with another value behind the first."""
    found = {}
    faults, twice = [], set()
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        name = name.decode("latin-1")
        if name not in KNOWN or not value:
            continue
        try:
            text, fault = unescape(value, name), None
        except Refused as refused:
            text, fault = None, str(refused)
        if name not in found:
            found[name] = text
            faults += [fault] if fault else []
        elif text is None or found[name] != text:
            if name == "token":
                raise Refused("bad_request")
            if name in ("where", "having", "target"):
                faults.append("bad_" + name)
            else:
                twice.add("twice." + name)
    return found, faults, twice


def whole(text):
    """A whole number as programs write it: 10, 010, 1e+05."""
    match = re.fullmatch(r"([0-9]+)(?:e[+ ]?([0-9]{1,3}))?", text)
    if not match:
        return None
    return int(match[1]) * 10 ** int(match[2] or 0)


# --- conditions ---

def conditions(text):
    """[(column, operator or function, literal)] of a where or having; ValueError when it is none."""
    found = []
    place = 0

    def blanks():
        nonlocal place
        while place < len(text) and text[place] == " ":
            place += 1

    def value(ends):
        nonlocal place
        blanks()
        quote = text[place:place + 1]
        if quote in ('"', "'"):
            place += 1
            out = ""
            while True:
                if place >= len(text):
                    raise ValueError("no end of a string")
                letter = text[place]
                place += 1
                if letter == quote:
                    break
                if letter == "\\":
                    if place >= len(text):
                        raise ValueError("no end of a string")
                    letter = text[place]
                    place += 1
                    if letter not in "\\\"'0":
                        raise Unsure("another escape")
                    letter = "\0" if letter == "0" else letter
                out += letter
            blanks()
            return out
        start = place
        while place < len(text) and text[place] not in ends:
            place += 1
        word = text[start:place].strip(" ")
        if not word:
            raise ValueError("no value")
        return word

    while True:
        blanks()
        match = re.compile(r"[A-Za-z_]+").match(text, place)
        if not match:
            raise ValueError("no column")
        word = match[0]
        place = match.end()
        blanks()
        if text[place:place + 1] == "(":
            if word not in ("substring", "word", "subdomain"):
                raise ValueError("no such function")
            place += 1
            blanks()
            match = re.compile(r"[A-Za-z_]+").match(text, place)
            if not match:
                raise ValueError("no column")
            place = match.end()
            blanks()
            if text[place:place + 1] != ",":
                raise ValueError("no comma")
            place += 1
            literal = value(",)")
            if text[place:place + 1] != ")":
                raise ValueError("no parenthesis")
            place += 1
            blanks()
            found.append((match[0], word, literal))
        else:
            operator = next((one for one in OPERATORS if text.startswith(one, place)), None)
            if operator is None:
                raise ValueError("no operator")
            place += len(operator)
            found.append((word, "=" if operator == ":" else operator, value(",)")))
        if place == len(text):
            return found
        if text[place] != ",":
            raise ValueError("no comma")
        place += 1


def compare(operator, left, right):
    return {"=": left == right, "<>": left != right, "<": left < right, "<=": left <= right, ">": left > right,
            ">=": left >= right}[operator]


def moments(literal):
    """First and last second of a day or a moment; None when it is neither."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)Z)?", literal, re.ASCII)
    if not match:
        return None
    try:
        start = datetime.datetime.fromisoformat(match[1] + "T" + (match[2] or "00:00:00"))
    except ValueError:
        return None
    return start, start if match[2] else start + DAY - SECOND


def borders(letter):
    return letter == "_" or unicodedata.category(letter)[0] in "LN"


def is_word(text, word):
    """Whether `word` stands in `text` and touches no letter, digit or _."""
    for place in range(len(text) - len(word) + 1):
        if text.startswith(word, place):
            before, behind = text[place - 1:place] if place else "", text[place + len(word):place + len(word) + 1]
            if not (before and borders(before)) and not (behind and borders(behind)):
                return True
    return False


class Conditions:
    """A clause, taken apart: what it does to a row, to one that was merged, to the links, and what it marks. A merged row
    is judged by its sums and its text; its date is that of a spelling which met the clause. `counts`: the tests of numbers,
    with their column."""

    def __init__(self, clause, text, today, folding, at_or=None):
        self.tests, self.merged, self.counts, self.links, self.marks = [], [], [], [], set()
        self.used = text is not None
        self.at_or = at_or
        fault = Refused("bad_" + clause)
        try:
            parsed = conditions(text) if self.used else []
        except ValueError:
            raise fault from None
        for column, operator, literal in parsed:
            if column not in ALLOWED[clause]:
                raise fault
            if column in TEXTS:
                self.text(clause, column, operator, literal, folding)
            elif operator in ("substring", "word", "subdomain"):
                raise fault
            elif column in NUMBERS:
                if not re.fullmatch(r"-?[0-9]+", literal) or not -2 ** 63 <= int(literal) < 2 ** 63:
                    raise fault
                self.counts.append((column, lambda row, c=column, o=operator, n=int(literal): compare(o, row[c], n)))
                self.tests.append(self.counts[-1][1])
                self.merged.append(self.counts[-1][1])
                if clause == "where":
                    self.marks.add("where." + column)
            else:
                self.date(clause, column, operator, literal, today, fault)

    def date(self, clause, column, operator, literal, today, fault):
        span = moments(literal)
        if span is None:
            raise fault
        first, last = span
        if column == "last_visited":
            if operator not in (">", ">=") or first.date() > today - 180 * DAY:
                raise Refused("not_exact")
            self.marks.add(clause + ".last_visited")
            return
        if clause == "where":
            self.marks.add("where.first_seen")

        def test(row):
            moment = datetime.datetime.fromisoformat(row["first_seen"].rstrip("Z"))
            return {"=": first <= moment <= last, "<>": not first <= moment <= last, "<": moment < first,
                    "<=": moment <= last, ">": moment > last, ">=": moment >= first}[operator]
        self.tests.append(test)

    def text(self, clause, column, operator, literal, folding):
        if operator in ("substring", "word", "subdomain") and literal == "":
            raise Unsure("nothing to look for")
        if operator in ("<", "<=", ">", ">="):
            self.marks.add(f"{clause}.{column}")
        if column == "refdomain":
            self.marks.add("where.refdomain")
            word = literal.lower()
            leaf = {"=": ["eq", word], "<>": ["neq", word], "<": ["lt", word], "<=": ["lte", word],
                    ">": ["gt", word], ">=": ["gte", word], "substring": ["isubstring", word],
                    "word": ["iphrase_match", word], "subdomain": None}[operator]
            field = "root_domain_name"
            self.links.append({"field": field, "is": leaf} if leaf else
                              {"or": [{"field": field, "is": ["eq", word]},
                                      {"field": field, "is": ["suffix", "." + word]}]})
            return
        if operator == "subdomain":
            raise Unsure("the anchor is no domain")
        want = fold(literal) if folding else literal
        see = fold if folding else str
        if operator in ("<", "<=", ">", ">="):
            self.merged.append(lambda row: compare(operator, row["anchor"].encode(), want.encode()))
            if self.at_or:  # v3 compares text by its collation: it has to be asked
                self.tests.append(lambda row: row["anchor"] in self.at_or(operator, want))
            else:
                self.tests.append(lambda row: compare(operator, row["anchor"].encode(), want.encode()))
        elif operator == "substring":
            self.tests.append(lambda row: want in see(row["anchor"]))
        elif operator == "word":
            self.tests.append(lambda row: is_word(see(row["anchor"]), want))
        else:
            self.tests.append(lambda row: compare(operator, see(row["anchor"]), want))


# --- targets ---

def target_of(text, mode):
    """(target, mode) for v3, and whether it is free."""
    text = (text or "").strip(" ")
    match = re.fullmatch(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#]*)([^#]*)", text)
    if not text or not match or re.search(r"[\x00-\x20\x7f]", text) or "@" in match[1]:
        raise Refused("bad_target")
    host, path = match[1].lower(), match[2]
    bare = re.sub(r":[0-9]+$", "", host)
    if not bare:
        raise Refused("bad_target")
    free = bare == "ahrefs.com" or bare.endswith(".ahrefs.com")
    if mode == "prefix" and path in ("", "/"):
        mode = "domain"
    if mode in ("domain", "subdomains"):
        return bare, mode, free
    if host != bare:
        raise Unsure("a port in a URL")
    return bare + (path or "/"), mode, free


# --- answers ---

def write_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def write_php(value):
    if value is None:
        return b"N;"
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, str):
        raw = value.encode()
        return b's:%d:"%s";' % (len(raw), raw)
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return b"a:%d:{%s}" % (len(value), b"".join(write_php(key) + write_php(one) for key, one in pairs))


def write_xml_value(value, name):
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    if isinstance(value, list):
        one = name.removesuffix("s")
        return "".join(f"<{one}>{write_xml_value(item, one)}</{one}>" for item in value)
    return "".join(f"<{key}>{write_xml_value(item, key)}</{key}>" for key, item in value.items())


def write_xml(value):
    return ('<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse>' + write_xml_value(value, "") +
            "</AhrefsApiResponse>").encode()


WRITE = {"json": write_json, "php": write_php, "xml": write_xml}


def merge(rows):
    """Rows that differ in case alone become one."""
    merged = {}
    for row in rows:
        row = {**row, "anchor": fold(row["anchor"])}
        same = merged.get(row["anchor"])
        if same:
            for column in NUMBERS:
                same[column] += row[column]
            same["first_seen"] = min(same["first_seen"], row["first_seen"])
            same["spellings"] += 1
        else:
            merged[row["anchor"]] = {**row, "spellings": 1}
    return list(merged.values())


def group(rows, name):
    """The rows that become one, by its anchor."""
    found = {}
    for row in rows:
        found.setdefault(name(row["anchor"]), []).append(row)
    return found


def in_order(rows, order, rank):
    """Rows by `order` [(column, descending)], then by anchor as `rank` has it."""
    rows = sorted(rows, key=lambda row: rank(row["anchor"]))
    for column, down in reversed(order):
        def key(row, c=column):
            return rank(row["anchor"]) if c == "anchor" else row[c]
        rows = sorted(rows, key=key, reverse=down)
    return rows


class Model:
    """`oracle`: a sandbox with the same data as the proxy's, without caps; `folding`: the proxy's anchor_case."""

    def __init__(self, oracle, tokens, folding=True, default_mode="subdomains", null_dates=False,
                 page=1000, collated=False):
        self.oracle, self.tokens, self.folding, self.default_mode = oracle, tokens, folding, default_mode
        self.null_dates, self.page, self.collated = null_dates, page, collated
        self.known_rows, self.known_stats, self.ratios = {}, {}, {}
        self.upper_seen = False  # in an anchor, by the proxy

    @property
    def today(self):
        return datetime.datetime.now(datetime.timezone.utc).date()

    def rows(self, target, mode, links=()):
        """All rows in v3's order of anchors, as v2 names the columns."""
        key = (target, mode, json.dumps(links))
        if key not in self.known_rows:
            found, last = [], None
            while True:
                filters = list(links) + ([] if last is None else [{"field": "anchor", "is": ["gt", last]}])
                where = None if not filters else filters[0] if len(filters) == 1 else {"and": filters}
                answer = self.oracle.anchors(
                    target, "anchor,links_to_target,refpages,refdomains,first_seen", mode=mode, protocol="both",
                    history="live", order_by="anchor:asc", limit=1000000, where=where)
                if answer.status != 200:
                    raise RuntimeError(f"{key}: {answer}")
                found += answer.rows
                if len(answer.rows) != 100:  # free targets are cut there
                    break
                last = answer.rows[-1]["anchor"]
            self.known_rows[key] = [{"anchor": row["anchor"], "backlinks": row["links_to_target"],
                                     "refpages": row["refpages"], "refdomains": row["refdomains"],
                                     "first_seen": row["first_seen"]} for row in found]
        return self.known_rows[key]

    def live(self, target, mode):
        key = (target, mode)
        if key not in self.known_stats:
            self.known_stats[key] = self.oracle.stats(target, self.today.isoformat(), mode=mode,
                                                      protocol="both").json["metrics"]["live"]
        return self.known_stats[key]

    def refpages(self, target, mode, complete, first, summed=True):
        """(values that stats.refpages may have, whether it is marked)."""
        rows = self.rows(target, mode)
        if len(rows) <= 1:
            return {rows[0]["refpages"] if rows else 0}, False
        rank = {row["anchor"]: place for place, row in enumerate(rows)}.__getitem__
        top = in_order(rows, [("backlinks", True)], rank)[:min(25, self.page)]
        ratios = self.ratios.setdefault((target, mode), set())
        # A first page by backlinks gives a ratio too; its length is the plan's cap, on free targets v3's 100 rows.
        for some in (top, first[:self.page], first[:100]):
            links = sum(row["backlinks"] for row in some)
            if links:
                ratios.add(Fraction(sum(row["refpages"] for row in some), links))
        total = {sum(row["refpages"] for row in rows)} if complete else set()
        if complete and summed:
            return total, True
        values = total
        for ratio in ratios:
            exact = self.live(target, mode) * ratio
            values |= {int(exact), int(exact + Fraction(1, 2)), -int(-exact // 1)}
        return values, True

    def select(self, text):
        if text is None or text == "*":
            return COLUMNS
        names = [name.strip(" ") for name in text.split(",")]
        if any(name not in COLUMNS for name in names):
            raise Refused("bad_select")
        return [name for name in COLUMNS if name in names]

    def order(self, text, marks):
        order = []
        for item in text.split(",") if text is not None else []:
            match = re.fullmatch(r" *([a-z_]+) *(?:: *(asc|desc) *)?", item)
            if not match or match[1] not in COLUMNS:
                raise Refused("bad_order_by")
            column = match[1]
            if column == "last_visited":
                marks.add("order_by.last_visited")
                column = "first_seen"
            order.append((column, match[2] == "desc"))
        return order

    def number(self, params, name, default, most):
        if name not in params:
            return default
        number = whole(params[name])
        if number is None or number > most:
            raise Refused("bad_" + name)
        return number

    def answer(self, query):
        """What must come for the bytes of a query (and of a form, behind an &)."""
        faults, params, output = [], {}, "json"
        try:
            params, faults, twice = parameters(query)
        except Refused as refused:
            return Expected(faults={str(refused)}, output="json")
        if params.get("token") not in self.tokens:
            faults = ["unknown_key"]
            params = {"output": params.get("output")}
        output = params.get("output") or "json"
        if output not in WRITE:
            output = "json"
        if faults != ["unknown_key"]:
            if params.get("from", "anchors") is not None and params.get("from") != "anchors":
                faults.append("unknown_table")
            checks = {
                "select": lambda: self.select(params.get("select")),
                "order_by": lambda: self.order(params.get("order_by"), set()),
                "limit": lambda: self.number(params, "limit", 1000, 5000000),
                "offset": lambda: self.number(params, "offset", 0, 2 ** 63 - 1),
                "where": lambda: Conditions("where", params.get("where"), self.today, self.folding),
                "having": lambda: Conditions("having", params.get("having"), self.today, self.folding),
                "target": lambda: target_of(params.get("target"), params.get("mode") or self.default_mode)}
            for name, check in checks.items():
                if params.get(name, "") is not None:
                    try:
                        check()
                    except Refused as refused:
                        faults.append(str(refused))
            if params.get("mode", "exact") is not None and params.get("mode", "exact") not in MODES:
                faults.append("bad_mode")
            if params.get("output", "json") is not None and params.get("output", "json") not in WRITE:
                faults.append("bad_output")
        if faults:
            return Expected(faults=set(faults), output=output)
        expected = self.rows_of(params, output)
        expected.marks |= twice
        return expected

    def rows_of(self, params, output):
        marks, maybe = set(), set()
        if "mode" not in params:
            marks.add("mode")
        target, mode, free = target_of(params["target"], params.get("mode", self.default_mode))
        select = self.select(params.get("select"))
        order = self.order(params.get("order_by"), marks)
        limit = self.number(params, "limit", 1000, 5000000)
        offset = self.number(params, "offset", 0, 2 ** 63 - 1)
        at_or = functools.lru_cache(None)(lambda operator, want: {row["anchor"] for row in self.rows(target, mode, [
            {"field": "anchor", "is": [{"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}[operator], want]}])})
        where, having = (Conditions(name, params.get(name), self.today, self.folding, self.collated and at_or)
                         for name in ("where", "having"))
        marks |= where.marks | having.marks
        every = self.rows(target, mode)
        rank_of = {row["anchor"]: place for place, row in enumerate(every)}
        passed = [row for row in self.rows(target, mode, where.links)
                  if all(test(row) for test in where.tests + having.tests)]
        stream, merged_rows, most = in_order(passed, order, rank_of.__getitem__), [], 0
        merged = self.folding and any(fold(row["anchor"]) != row["anchor"] for row in every)
        if merged:
            self.upper_seen = self.upper_seen or bool(limit)
            merged_rows = merge(passed)
            stream = in_order([row for row in merged_rows if row["spellings"] == 1 or
                               all(test(row) for test in where.merged + having.merged)], order, str.encode)
            most = len(merged_rows)  # before the end of the list was seen, as many may have passed
        any_merged = merged and len(merged_rows) < len(passed)
        given = stream[offset:offset + limit]
        filtered = bool(where.tests or where.links or having.tests)
        dropped = {"where.last_visited", "having.last_visited"} & marks
        complete = not filtered and offset == 0 and len(stream) < limit
        perhaps = not filtered and offset == 0 and (len(stream) == limit or (complete and bool(dropped)))
        ended = not filtered and len(stream) < offset + limit  # all rows went through the proxy's hands
        # Where v3 has upper case and the answer is cut, what is merged depends on the pages.
        sure = not merged or (offset == 0 and max(len(stream), most) < limit)
        if merged and not sure and not limit:
            sure = True
        ended_all = len(stream) <= offset + limit
        shown = in_order(given, order, str.encode)
        if self.folding and self.upper_seen and limit:
            (maybe if perhaps or (ended and offset) else set() if complete and not any_merged else marks).add("anchor.case")
        elif self.folding and self.upper_seen:
            maybe.add("anchor.case")
        if limit and not complete:
            if not perhaps and not ended_all and not merged and shown != given:
                marks.add("order_by.anchor")
            else:
                maybe.add("order_by.anchor")
        elif limit:
            maybe.add("order_by.anchor")  # pages may have left rows out, where v3 orders text in its own way
        if given and "last_visited" in select:
            marks.add("last_visited")
        top = in_order(every, order, rank_of.__getitem__)[:limit + offset] \
            if order[:1] == [("backlinks", True)] and not filtered and limit else []
        values, estimated = self.refpages(target, mode, complete, top,
                                          "refpages" in select)
        if perhaps or (ended and offset) or (complete and dropped):
            values = values | self.refpages(target, mode, True, [])[0]
        if estimated:
            marks.add("stats.refpages")
        body = {"anchors": [{name: self.cell(row, name) for name in select} for row in shown],
                "stats": {"backlinks": self.live(target, mode), "refpages": None}}
        return Expected(
            faults=set(), output=output, sure=sure, body=body, refpages=values, marks=marks, maybe=maybe,
            results={len(shown)} | (set() if sure else {limit}), limit=limit, free=free,
            may_be_cut=merged and len(passed) > offset + limit,
            others=1 + 5 * where.used + 5 * having.used, counts=where.counts + having.counts,
            spellings=group(passed, fold if self.folding else str))

    def cell(self, row, name):
        if name == "last_visited":
            return None if self.null_dates else row["first_seen"]
        return row[name]


def differences(expected, answer):
    """What is wrong with an answer of the proxy, as a list of sentences; empty when nothing is."""
    wrong = []

    def same(what, want, got):
        if want != got:
            wrong.append(f"{what}: {got!r}, not {want!r}")

    headers = answer.headers
    same("content-length", len(answer.bytes), int(headers.get("content-length", -1)))
    if not re.fullmatch(r"\S+", headers.get("x-anchorage-id", "")):
        wrong.append("no id")
    same("content-type", TYPES[expected.output], headers.get("content-type"))
    if expected.faults:
        if answer.fault not in expected.faults:
            wrong.append(f"fault {answer.fault!r}, not one of {sorted(expected.faults)}")
            return wrong
        if answer.fault != "bad_request":
            same("status", 200, answer.status)
        same("rows", "0", headers.get("x-anchorage-rows"))
        same("X-Status and results", ("error", "0"), (headers.get("x-status"), headers.get("x-results-count")))
        forms = {"json": rb'\{"error":"[^\x00-\x1f]+"\}', "php": rb'a:1:\{s:5:"error";s:[0-9]+:".+";\}',
                 "xml": rb'<\?xml version="1\.0" encoding="UTF-8"\?>\s*<AhrefsApiResponse><error>[^<>]+</error>'
                        rb'</AhrefsApiResponse>'}
        if not re.fullmatch(forms[expected.output], answer.bytes, re.DOTALL):
            wrong.append(f"no {expected.output} error: {answer.bytes!r}")
        return wrong
    same("status", 200, answer.status)
    same("X-Status", None, headers.get("x-status"))
    same("fault", None, answer.fault)
    if wrong:
        wrong.append(repr(answer.bytes[:300]))
        return wrong
    results = int(headers.get("x-results-count", -1))
    # Refills end with what was set aside for them, and then the answer says so.
    cut = expected.may_be_cut and "rows" in answer.marks
    if not (0 <= results < expected.limit if cut else results in expected.results):
        wrong.append(f"x-results-count: {results}, not one of {sorted(expected.results)}")
    same("rows", str(0 if expected.free else expected.others + results), headers.get("x-anchorage-rows"))
    missing, more = expected.marks - answer.marks, answer.marks - expected.marks - expected.maybe
    if cut:
        more -= {"rows", "anchor.case", "order_by.anchor"}
        missing -= set() if results else {"last_visited"}  # which is marked where there are rows
    if missing or more:
        wrong.append(f"marks: missing {sorted(missing)}, too many {sorted(more)}")
    if cut or not expected.sure:  # what is left to say: so many rows, all of the target
        if expected.output == "json":
            rows = answer.json["anchors"]
            same("rows in the body", results, len(rows))
            if rows and expected.body["anchors"]:
                same("columns", list(expected.body["anchors"][0]), list(rows[0]))
            wrong += strange_rows(rows, expected)
        return wrong
    bodies = []
    for value in sorted(expected.refpages):
        expected.body["stats"]["refpages"] = value
        bodies.append(WRITE[expected.output](expected.body))
    if answer.bytes not in bodies:
        best = max(bodies, key=lambda body: common(body, answer.bytes))
        place = common(best, answer.bytes)
        wrong.append(f"body of {len(answer.bytes)} bytes, not {len(best)}; from byte {place}: "
                     f"{answer.bytes[max(0, place - 60):place + 100]!r}, not {best[max(0, place - 60):place + 100]!r}")
    return wrong


def strange_rows(rows, expected):
    """What cannot be in an answer of merged rows, wherever its list was cut."""
    names = [row["anchor"] for row in rows if "anchor" in row]
    if len(set(names)) < len(names):
        yield f"anchors that come twice: {sorted(name for name in names if names.count(name) > 1)}"
    for row in rows:
        yield from (f"{row} does not meet its condition on {column}" for column, test in expected.counts
                    if column in row and not test(row))
        if "anchor" not in row:
            continue
        spellings = expected.spellings.get(row["anchor"])
        if not spellings:
            yield f"no such anchor passes: {row}"
            continue
        for column in set(NUMBERS) & set(row):
            numbers = [one[column] for one in spellings]
            if not min(numbers) <= row[column] <= sum(numbers):
                yield f"{row} has no {column} of {numbers}, nor a sum of them"
        if row.get("first_seen", spellings[0]["first_seen"]) not in {one["first_seen"] for one in spellings}:
            yield f"{row} has another date than its spellings"


def common(one, other):
    return next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def spell(text, dice, style):
    """A value for the wire: raw where HTTP allows it, percent, + for blanks, as `style` says."""
    out = b""
    for letter in text:
        raw = letter.encode()
        if letter == " ":
            out += b"+" if style != "percent" else b"%20"
        elif letter.isascii() and letter.isalnum():
            out += raw
        elif style == "raw" and letter not in "&#+%\0\x7f" and letter > " ":
            out += raw
        elif style == "mixed" and letter not in "&#+%\0\x7f" and letter > " " and dice.random() < 0.5:
            out += raw
        else:
            out += b"".join(b"%%%02X" % byte if dice.random() < 0.9 else b"%%%02x" % byte for byte in raw)
    return out
