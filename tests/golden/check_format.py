#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verify that every golden case is well-formed: markers in order, call lines and requests that parse, JSON
that is JSON where it is meant to be, and prices that add up. Usage: check_format.py [FILE…]"""
import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
FAULTS = set(re.findall(r"^FAULT\(\w+,\s*(\w+),", (HERE / "../../mapping/fault.def").read_text(), re.M))
OPTIONS = {
    "last_visited": {"first_seen", "null"}, "stats": {"ask", "zero"}, "stats_refpages": {"estimate", "null"},
    "anchor_case": {"fold", "keep"}, "approximate": {"allow", "refuse"}, "error_status": {"v2", "http"},
    "default_mode": {"exact", "domain", "subdomains", "prefix", "require"},
    "free_targets": None, "units_per_call": None, "max_rows_per_request": None,
}
COLUMNS = {"anchor", "links_to_target", "refpages", "refdomains", "first_seen"}
V2_COLUMNS = ["anchor", "backlinks", "refpages", "refdomains", "first_seen", "last_visited"]
MARKS = re.compile(r"(last_visited|stats|stats\.refpages|anchor\.case|anchor\.text|rows|mode|"
                   r"twice\.(from|mode|select|order_by|limit|offset|output)|(where|having|order_by)\."
                   r"(anchor|backlinks|refpages|refdomain|refdomains|first_seen|last_visited))$")
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


def is_filter(x):
    """Whether x is a v3 filter."""
    if not isinstance(x, dict):
        return False
    for word in ("and", "or"):
        if set(x) == {word}:
            return isinstance(x[word], list) and len(x[word]) > 1 and all(is_filter(y) for y in x[word])
    if set(x) == {"not"}:
        return is_filter(x["not"])
    return (set(x) == {"field", "is"} and x["field"] in COLUMNS | {"root_domain_name"}
            and isinstance(x["is"], list) and len(x["is"]) == 2 and x["is"][0] in OPERATORS)


def parse_request(line):
    path, mark, query = line.partition("?")
    need(mark and path in ("anchors", "backlinks-stats"), "bad path in request")
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
    need(set(values) - {"where"} == fixed | {"history", "limit", "select", "order_by"}, "parameters of anchors")
    need(values["history"] == "live" and re.fullmatch(r"[1-9]\d*", values["limit"]), "history or limit")
    select = values["select"].split(",")
    need(len(set(select)) == len(select) and set(select) <= COLUMNS, "select")
    order = [tuple(x.split(":")) for x in values["order_by"].split(",")]
    need(all(len(x) == 2 and x[0] in COLUMNS and x[1] in ("asc", "desc") for x in order), "order_by")
    need({x[0] for x in order} <= set(select) and len({x[0] for x in order}) == len(order), "order not selected")
    if "where" in values:
        need(is_filter(strict_json(values["where"])), "where is no filter")
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
    if output == "json":
        value = strict_json(text)
        results = len(value["anchors"]) if "anchors" in value else None
        for row in value.get("anchors", []):
            need(row and list(row) == [c for c in V2_COLUMNS if c in row], "columns not in table order")
            need(set(row) == set(value["anchors"][0]), "rows with different columns")
        if call.get("from") == "anchors":
            need(list(value) == ["anchors", "stats"] and list(value["stats"]) == ["backlinks", "refpages"], "shape")
        need(json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text, "not compact JSON")
    elif output == "xml":
        need(text.startswith('<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse><'), "no XML")
        xml.etree.ElementTree.fromstring(body)
        results = text.count("<anchor><") + text.count("<anchor></anchor></anchor>") if "<anchors>" in text else None
        results = None if "<anchor></anchor>" in text else results
    else:
        need(parse_php(body, 0)[1] == len(body), "no PHP")
        value = parse_php(body, 0)[0]
        results = len(value["anchors"]) if "anchors" in value else None
    if results is not None and "results" in words:
        need(int(words["results"]) == results, f"results={words['results']}, the body has {results}")
    if call.get("from") == "anchors":
        price = 1 + int(words["results"]) + 5 * ("where" in call) + 5 * ("having" in call)
        free = is_under(host_of(call["target"]), case["config"].get("free_targets", "ahrefs.com").split())
        need(int(words["rows"]) == (0 if free else price), f"rows={words['rows']}, the price is {0 if free else price}")
    else:
        need(words["rows"] == "0", "subscription_info costs nothing")
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
    if path == "backlinks-stats":
        need(isinstance(value["metrics"]["live"], int), "live is no number")
        return
    for row in value["anchors"]:
        need(set(row) == set(values["select"].split(",")), "a row of the reply has other columns than selected")
    need(len(value["anchors"]) <= int(values["limit"]), "more rows than asked for")
    need(words.get("rows", str(len(value["anchors"]))) == str(len(value["anchors"])), "rows= is not the body's")


def parse_php(b, at):
    """One value of PHP's serialize(); returns it and the index behind it."""
    if b[at:at + 2] == b"N;":
        return None, at + 2
    if b[at:at + 2] == b"i:":
        end = b.index(b";", at)
        return int(b[at + 2:end]), end + 1
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
