#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verify that every golden case is well-formed: markers in order, call lines and requests that parse, JSON
that is JSON where it is meant to be, and prices that add up. Usage: check_format.py [FILE…]"""
import fractions
import json
import math
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
FAULTS = set(re.findall(r"^FAULT\(\w+,\s*(\w+),", (HERE / "../../mapping/fault.def").read_text(), re.M))
OPTIONS = {
    "last_visited": {"first_seen", "null"}, "stats": {"ask", "zero"}, "stats_refpages": {"estimate", "null"},
    "missing": {"empty", "null"}, "anchor_case": {"fold", "keep"}, "approximate": {"allow", "refuse"}, "error_status": {"v2", "http"},
    "default_mode": {"exact", "domain", "subdomains", "prefix", "require"},
    "free_targets": None, "units_per_call": None, "max_rows_per_request": None,
}
LINKS = set(("url_from url_to name_source name_target root_name_source anchor alt title snippet_left snippet_right link_type "
             "http_code redirect_code encoding languages page_size links_internal links_external url_rating_source "
             "domain_rating_source ahrefs_rank_source ip_source first_seen first_seen_link last_visited last_seen "
             "is_nofollow is_ugc is_sponsored link_group_count http_code_target last_visited_target").split())
# Of v3's lists: columns, what only where has, parameters of their own.
REPORTS = {
    "anchors": ({"anchor", "links_to_target", "refpages", "refdomains", "first_seen"}, {"root_domain_name"},
                {"history": "live"}),
    "refdomains": (set("domain links_to_target dofollow_links first_seen last_seen domain_rating ip_source traffic_domain "
                       "dofollow_linked_domains dofollow_refdomains".split()),
                   {"url_to", "is_dofollow", "is_nofollow", "link_type", "anchor"}, {"history": "live"}),
    "all-backlinks": (LINKS - {"http_code_target", "last_visited_target"}, set(),
                      {"history": "live", "aggregation": ("all", "1_per_domain")}),
    "broken-backlinks": (LINKS, set(), {"aggregation": "all"}),
    "linkeddomains": ({"domain", "links_from_target", "domain_rating"}, set(), {}),
    "crawled-pages": ({"url", "http_code", "title", "url_rating", "first_seen", "last_crawled"}, set(), {}),
}
RECORD = set("domain_rating ahrefs_rank backlinks backlinks_dofollow backlinks_nofollow backlinks_redirect "
             "backlinks_internal refips refips_subnets linked_domains outgoing_links org_keywords org_keywords_1_3 "
             "org_keywords_4_10 url_rating refdomains refdomains_dofollow refdomains_nofollow org_traffic org_cost "
             "index".split())
# Of v2's: the key of the rows (or of the object), what follows them, rows a request, a result, a clause.
TABLES = {
    "anchors": ("anchors", ["stats"], 1, "1", 5), "subscription_info": ("info", [], 0, "0", 0),
    "domain_rating": ("domain", [], 1, "0", 0), "metrics": ("metrics", [], 1, "0", 0),
    "metrics_extended": ("metrics", [], 1, "1", 0), "positions_metrics": ("metrics", [], 1, "1", 5),
    "refdomains": ("refdomains", ["stats"], 1, "1", 5),
    "refdomains_by_type": ("refdomains", ["stats", "tlds"], 10, "1", 10), "refips": ("refips", [], 1, "1", 5),
    "linked_domains": ("domains", [], 1, "1", 5), "backlinks": ("refpages", [], 1, "0.2", 5),
    "backlinks_one_per_domain": ("refpages", [], 10, "2", 5), "broken_backlinks": ("refpages", [], 1, "5", 5),
    "backlinks_new_lost": ("refpages", [], 1, "0.2", 5), "refdomains_new_lost": ("refdomains", [], 1, "1", 5),
    "anchors_refdomains": ("refdomains", [], 1, "1", 5), "ahrefs_rank": ("pages", [], 1, "1", 5),
    "pages": ("pages", ["stats"], 1, "0.2", 5), "pages_extended": ("pages", ["stats"], 1, "1", 5),
}
V2_COLUMNS = ["anchor", "backlinks", "refpages", "refdomains", "first_seen", "last_visited"]
MARKS = re.compile(r"(stats|stats\.[a-z_]+|anchor\.case|[a-z_]+\.text|rows|tlds|mode|"
                   r"twice\.(from|mode|select|order_by|limit|offset|output)|((where|having|order_by)\.)?[a-z_0-9]+)$")
OPERATORS = {"eq", "neq", "gt", "gte", "lt", "lte", "substring", "isubstring", "phrase_match", "iphrase_match",
             "prefix", "suffix", "regex"}
V3_FREE = ("ahrefs.com", "yep.com", "firehose.com")
MARKER = re.compile(r"(###|#|>|<|=|!|~) ")
DIRECTIVES = ("today", "config", "usage", "call", "type", "body")


class Bad(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Bad(why)


def strict_json(text):
    def pairs(items):
        need(len({k for k, _ in items}) == len(items), "duplicate key")
        return dict(items)
    return json.loads(text, object_pairs_hook=pairs)


def is_condition(x):
    return x == "is_null" or (isinstance(x, list) and len(x) == 2 and x[0] in OPERATORS)


def is_filter(x, columns):
    """Whether x is a v3 filter."""
    if not isinstance(x, dict):
        return False
    for word in ("and", "or"):
        if set(x) == {word}:
            return isinstance(x[word], list) and len(x[word]) > 1 and all(is_filter(y, columns) for y in x[word])
    if set(x) == {"not"}:
        return is_filter(x["not"], columns)
    if set(x) == {"field", "list_is"}:
        return x["field"] == "languages" and is_condition(x["list_is"].get("any"))
    return set(x) == {"field", "is"} and x["field"] in columns and is_condition(x["is"])


def parse_post(line):
    path, _, body = line.partition(" ")
    need(path == "batch-analysis/batch-analysis", "bad path in request")
    body = strict_json(body)
    need({"select", "targets"} <= set(body) <= {"select", "targets", "country"}, "parts of the body")
    need(len(set(body["select"])) == len(body["select"]) and set(body["select"]) <= RECORD, "select")
    for target in body["targets"]:
        need(set(target) == {"url", "mode", "protocol"} and target["protocol"] == "both", "a target")
    return path, {**body, "target": body["targets"][0]["url"], "mode": body["targets"][0]["mode"]}


def parse_request(line):
    if line.startswith("POST "):
        return parse_post(line[len("POST "):])
    path, mark, query = line.partition("?")
    need(mark and path in {*REPORTS, "backlinks-stats"}, "bad path in request")
    values = {}
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        need(equals and name not in values, f"bad pair {pair!r}")
        need(not re.search(r"%(?![0-9A-F]{2})", value), f"bare % in {name}")
        values[name] = urllib.parse.unquote(value, errors="strict")
    fixed = {"target", "mode", "protocol", "output"}
    need(values.get("protocol") == "both" and values.get("output") == "json", "protocol and output are fixed")
    need(values.get("mode") in OPTIONS["default_mode"] - {"require"}, "bad mode")
    if path == "backlinks-stats":
        need(set(values) == fixed | {"date"}, "parameters of backlinks-stats")
        return path, values
    columns, only_where, more = REPORTS[path]
    need(set(values) - {"where"} == fixed | set(more) | {"limit", "select", "order_by"}, "parameters of " + path)
    need(all(values[name] == value or values[name] in value for name, value in more.items()), "a fixed parameter")
    need(re.fullmatch(r"[1-9]\d*", values["limit"]), "limit")
    select = values["select"].split(",")
    need(len(set(select)) == len(select) and set(select) <= columns, "select")
    order = [tuple(x.split(":")) for x in values["order_by"].split(",")]
    need(all(len(x) == 2 and x[0] in columns and x[1] in ("asc", "desc") for x in order), "order_by")
    need({x[0] for x in order} <= set(select) and len({x[0] for x in order}) == len(order), "order not selected")
    need(path != "crawled-pages" or (len(order) == 1 and int(values["limit"]) <= 100), "crawled-pages")
    if "where" in values:
        need(is_filter(strict_json(values["where"]), columns | only_where), "where is no filter")
    return path, values


def host_of(target):
    target = re.sub(r"^[a-z]+://", "", target.strip().strip("\ufeff\u200b").strip().lower())
    return re.split(r"[/?#:]", target, 1)[0]


def is_under(host, names):
    return any(host == n or host.endswith("." + n) for n in names)


def parse_call(case):
    """Return the v2 parameters of the call (undecodable ones as they are), first one of a name wins."""
    m = re.fullmatch(r"(GET|POST) (/[^? ]*)?(\?[^ ]*)?", case["call"])
    need(m, "bad call line")
    text = (m[3] or "")[1:]
    if case.get("type", "").lower().startswith("application/x-www-form-urlencoded"):
        text += "&" + case.get("body", "")
    need(m[1] == "POST" or ("type" not in case and "body" not in case), "GET with a body")
    values = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        value = urllib.parse.unquote_plus(value, errors="replace")
        if value != "":
            values.setdefault(urllib.parse.unquote_plus(name), value)
    return values


def words_of(line, allowed):
    words = dict(w.partition("=")[::2] for w in line.split())
    need(set(words) <= allowed, f"unknown words {set(words) - allowed}")
    return words


def body_of(lines, words=None):
    lines = list(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    if words and words.get("encoding") == "hex":
        return bytes.fromhex("".join(lines))
    return "\n".join(lines).encode()


def check_answer(case, line, body):
    words = words_of(line[len("200 "):], {"rows", "results", "units", "approximate"})
    need(line.startswith("200 ") and {"rows", "units", "approximate"} <= set(words), "incomplete answer line")
    marks = [] if words["approximate"] == "-" else words["approximate"].split(",")
    need(len(set(marks)) == len(marks) and all(MARKS.match(m) for m in marks), f"marks {marks}")
    call = parse_call(case)
    output = call.get("output", "json")
    text = body.decode()
    key, more, request, result, clause = TABLES[call["from"]]
    if output == "json":
        value = strict_json(text)
        need(list(value) == [key] + more, "shape")
        need(json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text, "not compact JSON")
    elif output == "xml":
        need(text.startswith('<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse><'), "no XML")
        tree = xml.etree.ElementTree.fromstring(body)
        need([one.tag for one in tree] == [key] + more, "shape")
        value = {key: list(tree[0]) if more or key.endswith("s") and key != "metrics" else dict.fromkeys("x")}
    else:
        value, end = parse_php(body, 0)
        need(end == len(body) and list(value) == [key] + more, "no PHP")
        value[key] = list(value[key].values()) if 0 in value[key] or not value[key] else value[key]
    is_list = isinstance(value[key], list)
    if output == "json" and is_list:
        for row in value[key]:
            need(row and list(row) == list(value[key][0]), "rows with different columns")
            need(call["from"] != "anchors" or list(row) == [c for c in V2_COLUMNS if c in row], "columns not in table order")
    results = len(value[key]) if is_list else int(words.get("results", 0))
    need(int(words.get("results", results)) == results, f"results={words.get('results')}, the body has {results}")
    price = math.ceil(request + fractions.Fraction(result) * results) + clause * ("where" in call) + clause * ("having" in call)
    if call["from"] != "subscription_info":
        free = is_under(host_of(call["target"]), case["config"].get("free_targets", "ahrefs.com").split())
        price = 0 if free else price
    need(int(words["rows"]) == price, f"rows={words['rows']}, the price is {price}")
    total = 0
    for request, reply, status, reply_body in case["exchanges"]:
        need(status.startswith("200"), "an answer in spite of a failed request")
        check_reply(request, reply, reply_body)
        on_free = is_under(host_of(request[1]["target"]), V3_FREE)
        units = reply.get("units")
        if units is None or (units == "0" and reply.get("cache") != "hit" and not on_free):
            total = None
        elif total is not None:
            total += int(units)
    need(words["units"] == ("unknown" if total is None else str(total)), f"units={words['units']}, replies say {total}")


def check_reply(request, words, body):
    """The reply to a request of a call that is answered: what v3 would give for it."""
    path, values = request
    value = strict_json(body.decode(errors="replace"))
    [rows] = value.values()
    if path == "backlinks-stats":
        need(isinstance(value["metrics"]["live"], int), "live is no number")
        return
    select = values["select"].split(",") if isinstance(values["select"], str) else values["select"]
    for row in rows:
        need(set(row) == set(select), "a row of the reply has other columns than selected")
    need(len(rows) <= int(values.get("limit", 100)), "more rows than asked for")
    need(words.get("rows", str(len(rows))) == str(len(rows)), "rows= is not the body's")


def parse_php(b, at):
    """One value of PHP's serialize(); returns it and the index behind it."""
    if b[at:at + 2] == b"N;":
        return None, at + 2
    if b[at:at + 2] in (b"i:", b"b:", b"d:"):
        end = b.index(b";", at)
        return float(b[at + 2:end]) if b[at:at + 1] == b"d" else int(b[at + 2:end]), end + 1
    need(b[at:at + 2] in (b"s:", b"a:"), "PHP type")
    colon = b.index(b":", at + 2)
    size = int(b[at + 2:colon])
    if b[at:at + 1] == b"s":
        end = colon + 2 + size
        need(b[colon + 1:colon + 2] == b'"' and b[end:end + 2] == b'";', "PHP string")
        return b[colon + 2:end].decode(), end + 2
    out, at = {}, colon + 2
    for _ in range(size):
        key, at = parse_php(b, at)
        out[key], at = parse_php(b, at)
    need(b[at:at + 1] == b"}", "PHP array")
    return out, at + 1


def check_refusal(case, line):
    m = re.fullmatch(r"(\w+) (\d{3})((?: (?:at=[1-9]\d*|contains=\S+))*)", line)
    need(m and m[1] in FAULTS, "bad refusal line")
    if " at=" in m[3]:
        at = int(re.search(r" at=(\d+)", m[3])[1])
        name = {"bad_where": "where", "bad_having": "having"}.get(m[1])
        need(name and at <= len(parse_call(case)[name]) + 1, "at= outside of the clause")


def parts_of(lines):
    """Split the lines of a case at its markers: (marker, rest, body lines)."""
    parts = []
    for line in lines:
        m = MARKER.match(line)
        if m and m[1] != "#":
            parts.append((m[1], line[m.end():], []))
        elif m:
            continue
        elif parts:
            parts[-1][2].append(line)
        else:
            need(not line.strip(), f"line before a marker: {line!r}")
    return parts


def check_case(lines):
    case, head = {"config": {}, "exchanges": []}, []
    while lines and (not MARKER.match(lines[0]) or lines[0].startswith("# ")):
        head.append(lines.pop(0))
    for line in head:
        word, _, rest = line.partition(" ")
        if word == "#" or not line:
            continue
        need(word in DIRECTIVES, f"unknown directive {word!r}")
        need(line == line.rstrip(), "white space at the end")
        if word == "config":
            name, _, value = rest.partition("=")
            need(name in OPTIONS and (OPTIONS[name] is None or value in OPTIONS[name]), f"config {rest}")
            case["config"][name] = value
        else:
            need(word not in case, f"{word} twice")
            case[word] = rest
    need(re.fullmatch(r"\d{4}-\d\d-\d\d", case.get("today", "")) and "call" in case, "today and call are needed")
    need("usage" not in case or re.fullmatch(r"rows=\d+ limit=(\d+|-) subscription=.+", case["usage"]), "usage")
    parts, ended = parts_of(lines), False
    while parts:
        marker, rest, body = parts.pop(0)
        if marker == ">":
            need(not ended and parts and parts[0][0] == "<", "a request needs its reply")
            request, (_, reply, reply_body) = parse_request(rest), parts.pop(0)
            words = {}
            if reply.startswith("200"):
                words = words_of(reply[3:], {"rows", "units", "cache", "encoding"})
            else:
                need(re.match(r"[1-5]\d\d( |$)", reply) and not "".join(reply_body).strip(), "bad reply line")
            case["exchanges"].append((request, words, reply, body_of(reply_body, words)))
        elif marker == "=":
            need(not ended, "two endings")
            check_answer(case, rest, body_of(body))
            ended = True
        elif marker == "!":
            need(not ended and not "".join(body).strip(), "a refusal has no body; see ~")
            check_refusal(case, rest)
            ended = True
        else:
            need(marker == "~" and ended and "…" in rest, f"misplaced {marker}")
    need(ended, "a case ends with = or !")
    sent = [e[0] for e in case["exchanges"]]
    need(all(sent.count(r) == 1 for r in sent), "the same request twice")


def main(arguments):
    paths = [pathlib.Path(a) for a in arguments] or sorted((HERE / "cases").glob("*.case"))
    names, failed = {}, 0
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        blocks = re.split(r"^### ", text, flags=re.M)
        if blocks[0].strip():
            print(f"{path}: text before the first case")
            failed += 1
        for block in blocks[1:]:
            title, *lines = block.split("\n")
            name = title.partition(": ")[0]
            try:
                need(re.fullmatch(r"[a-z0-9+-]+", name) and ": " in title, "bad title")
                need(name not in names, f"name also in {names.get(name)}")
                names[name] = path.name
                need("\t" not in block and "\r" not in block, "tab or CR")
                check_case(lines)
            except (Bad, ValueError, KeyError, IndexError, TypeError, AttributeError,
                    xml.etree.ElementTree.ParseError) as e:
                failed += 1
                print(f"{path.name}: {name}: {type(e).__name__ if not isinstance(e, Bad) else 'wrong'}: {e}")
    print(f"{len(names)} cases in {len(paths)} files, {failed} wrong")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
