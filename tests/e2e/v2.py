# SPDX-License-Identifier: MIT
"""What v2 would have answered, worked out here from all that the sandbox knows about a target: the other opinion that
the end-to-end tests compare the proxy with. It knows nothing of how the proxy asks."""
import datetime
import xml.etree.ElementTree

V3_COLUMNS = "anchor,links_to_target,refpages,refdomains,first_seen"
COLUMNS = ["anchor", "backlinks", "refpages", "refdomains", "first_seen", "last_visited"]


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def fold(text):
    """Lower case code point by code point."""
    return "".join(letter.lower() for letter in text)


def v3_rows(sandbox, target, mode, where=None):
    """Every live row, in as many requests as the sandbox's cap on rows asks for."""
    rows, last = [], None
    while True:
        filters = [one for one in [where, last and {"field": "anchor", "is": ["gt", last]}] if one]
        answer = sandbox.anchors(target, V3_COLUMNS, mode=mode, history="live", protocol="both", order_by="anchor:asc",
                                 limit=5000, where={"and": filters} if filters else None)
        if answer.status != 200:
            raise AssertionError(answer)
        new = [row for row in answer.rows if not rows or row["anchor"] != rows[-1]["anchor"]]
        if not new:
            return rows
        rows += new
        last = rows[-1]["anchor"]


def merged(rows):
    """v2's rows: anchors in lower case, equal ones added up, first_seen the least."""
    found = {}
    for row in rows:
        anchor = fold(row["anchor"])
        if anchor in found:
            old = found[anchor]
            for name in ("backlinks", "refpages", "refdomains"):
                old[name] += row["links_to_target" if name == "backlinks" else name]
            old["first_seen"] = min(old["first_seen"], row["first_seen"])
        else:
            found[anchor] = kept(row, anchor)
    for row in found.values():
        row["last_visited"] = row["first_seen"]
    return list(found.values())


def kept(row, anchor=None):
    """v2's row of one v3 row, its anchor as it is."""
    return {"anchor": row["anchor"] if anchor is None else anchor, "backlinks": row["links_to_target"],
            "refpages": row["refpages"], "refdomains": row["refdomains"], "first_seen": row["first_seen"],
            "last_visited": row["first_seen"]}


def ordered(rows, order=()):
    """By the columns of `order` ("backlinks:desc", "refpages"), then by the anchor's bytes."""
    rows = sorted(rows, key=lambda row: row["anchor"].encode())
    for part in reversed([*order]):
        name, _, direction = part.partition(":")
        rows.sort(key=lambda row: row[name].encode() if isinstance(row[name], str) else row[name],
                  reverse=direction == "desc")
    return rows


def answer(rows, where=None, order=(), offset=0, limit=1000, select=None):
    """The rows of an answer, as v2 would have cut them out of all of them."""
    rows = ordered([row for row in rows if not where or where(row)], order)[offset:offset + limit]
    return [{name: row[name] for name in COLUMNS if not select or name in select} for row in rows]


def live(sandbox, target, mode):
    metrics = sandbox.stats(target, mode=mode, date=today()).json["metrics"]
    return metrics["live"] if metrics else 0


def from_xml(body):
    """The value of an XML answer: lists of elements become lists, all else a dict of texts."""
    root = xml.etree.ElementTree.fromstring(body)
    if root.tag != "AhrefsApiResponse":
        raise AssertionError(root.tag)
    value = {}
    for child in root:
        if child.tag == "anchors":
            if any(row.tag != "anchor" for row in child):
                raise AssertionError([row.tag for row in child])
            value["anchors"] = [{cell.tag: cell.text or "" for cell in row} for row in child]
        elif len(child):
            value[child.tag] = {cell.tag: cell.text or "" for cell in child}
        else:
            value[child.tag] = child.text or ""
    return value


def from_php(body):
    """unserialize(): arrays with keys 0, 1, … become lists; anything left over is an error."""
    value, end = _php(body, 0)
    if end != len(body):
        raise AssertionError(f"{body[end:][:40]!r} behind the value")
    return value


def _php(body, at):
    kind = body[at:at + 1]
    if kind == b"N":
        return None, _expect(body, at + 1, b";")
    end = body.index(b";" if kind in b"ib" else b":", at + 2)
    number = int(body[at + 2:end])
    if kind == b"i":
        return number, end + 1
    if kind == b"b":
        return bool(number), end + 1
    if kind == b"s":
        start = _expect(body, end, b':"')
        return body[start:start + number].decode(), _expect(body, start + number, b'";')
    if kind != b"a":
        raise AssertionError(f"{body[at:at + 40]!r} is no value of serialize()")
    at, pairs = _expect(body, end, b":{"), {}
    for _ in range(number):
        key, at = _php(body, at)
        pairs[key], at = _php(body, at)
    if len(pairs) != number:
        raise AssertionError("a key twice")
    return list(pairs.values()) if list(pairs) == list(range(number)) else pairs, _expect(body, at, b"}")


def _expect(body, at, what):
    if body[at:at + len(what)] != what:
        raise AssertionError(f"{body[at:at + 40]!r} where {what!r} should be")
    return at + len(what)
