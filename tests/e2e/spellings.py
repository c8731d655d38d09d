# SPDX-License-Identifier: MIT
"""An API v3 that has just the anchors that a test wants, keeps their case, and takes units by v3's price list.

    with Spellings([("SEO", 5), ("seo", 7)]) as v3, Anchorage(v3.url) as proxy:
        proxy.get(limit=2)
        print(v3.spent, v3.lists)
"""
import itertools
import json
import operator
import os
import sys
import urllib.parse

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "hostile"))
from fake_v3 import FakeV3, answer  # noqa: E402 (the path comes first)

COLUMNS = {"anchor": 1, "links_to_target": 1, "refpages": 1, "refdomains": 5, "first_seen": 1}  # units a row
FLOOR = 50
COMPARE = {"eq": operator.eq, "neq": operator.ne, "lt": operator.lt, "lte": operator.le, "gt": operator.gt,
           "gte": operator.ge}


def many(word, count):
    """So many spellings of a word: each letter large or small."""
    letters = ((letter.upper(), letter.lower()) for letter in word)
    return ["".join(spelling) for spelling in itertools.islice(itertools.product(*letters), count)]


def comparable(value):
    return value.encode() if isinstance(value, str) else value


def passes(row, where):
    if not where:
        return True
    if "and" in where:
        return all(passes(row, one) for one in where["and"])
    if "or" in where:
        return any(passes(row, one) for one in where["or"])
    word, value = where["is"]
    return COMPARE[word](comparable(row[where["field"]]), comparable(value))


class Spellings(FakeV3):
    """`anchors`: texts, or (text, count); the count is that of all columns. `on_list` is called before each list is
    answered, in the connection's thread."""

    def __init__(self, anchors, on_list=None):
        super().__init__(self.reply)
        pairs = [(one, 1) if isinstance(one, str) else one for one in anchors]
        self.rows = [{"anchor": text, "links_to_target": count, "refpages": count, "refdomains": count,
                      "first_seen": "2020-01-01T00:00:00Z"} for text, count in pairs]
        self.on_list = on_list
        self.spent = 0
        self.lists = []  # what was asked of the list itself: limit, rows given, units

    def reply(self, connection, request):
        parts = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path.endswith("/backlinks-stats"):
            live = sum(row["links_to_target"] for row in self.rows)
            self.send(connection, {"metrics": {"live": live, "all_time": live}}, 1, FLOOR)
            return
        order = [one.split(":") for one in query["order_by"].split(",")]
        where = json.loads(query["where"]) if "where" in query else None
        rows = [row for row in self.rows if passes(row, where)]
        for column, way in reversed(order):
            rows.sort(key=lambda row, c=column: comparable(row[c]), reverse=way == "desc")
        rows = rows[:int(query["limit"])]
        names = query["select"].split(",")
        columns = set(names) | {column for column, _ in order} | {name for name in COLUMNS if f'"{name}"' in
                                                                 query.get("where", "")}
        units = max(FLOOR, len(rows) * sum(COLUMNS[name] for name in columns))
        if "anchor" in names:  # not the ratio of the greatest
            self.lists.append((int(query["limit"]), len(rows), units))
            if self.on_list:
                self.on_list()
        self.send(connection, {"anchors": [{name: row[name] for name in names} for row in rows]}, len(rows), units)

    def send(self, connection, body, rows, units):
        with self.lock:
            self.spent += units
        connection.send(answer(body, headers=(f"x-api-rows: {rows}", "x-api-cache: no_cache",
                                              f"x-api-units-cost-total-actual: {units}")))
