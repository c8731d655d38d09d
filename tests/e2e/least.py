# SPDX-License-Identifier: MIT
"""The least that v2 calls can cost in v3, by v3's price list, and typical clients to try it with."""
import re

PRICES = {"anchor": 1, "backlinks": 1, "refpages": 1, "refdomains": 5, "first_seen": 1}
SAME = {"last_visited": "first_seen"}  # what stands in for it
FLOOR = 50  # units of the smallest request
RATIO_ROWS = 25


def columns(call):
    """Those of v3 that the call needs; the anchor orders equal rows."""
    names = ["anchor"]
    names += call["select"].split(",") if call.get("select") else list(PRICES)
    names += [word.partition(":")[0] for word in call.get("order_by", "").split(",") if word]
    for clause in ("where", "having"):
        names += re.findall(r"[a-z_]+(?=[<>=:,])", call.get(clause, ""))
    return {SAME.get(name, name) for name in names}


def price(names, rows):
    return max(FLOOR, rows * sum(PRICES[name] for name in names))


class Model:
    """Adds up what calls cost when nothing is asked twice. Who knows only the calls so far cannot do with less: rows are
    asked for when a call wants them, and a row of a list (target, filter, order, columns) is paid once."""

    def __init__(self, proxy, remembers=True):
        self.remembers = remembers
        self.calls = self.units = self.requests = self.naive_units = self.naive_requests = 0
        self.totals, self.ratios, self.lists = set(), set(), {}
        self.proxy = proxy

    def ask(self, units):
        self.units += units
        self.requests += 1

    def take(self, call, answer):
        """Add a call that was answered; what it adds to the least."""
        before = self.units
        limit, offset = int(call.get("limit", 1000)), int(call.get("offset", 0))
        rows = int(answer.headers["x-results-count"])
        site = (call["target"], call.get("mode", "subdomains"))
        self.calls += 1
        self.naive_requests += 2
        self.naive_units += FLOOR + price(set(PRICES), offset + rows if limit else 0)
        if limit:
            self.take_list(call, site, limit, offset, rows)
        if site not in self.totals:
            self.ask(FLOOR)
        if site not in self.ratios and not self.gives_ratio(call, limit, offset):
            self.ask(FLOOR)
        if self.remembers:
            self.totals.add(site)
        self.ratios.add(site)
        return self.units - before

    def gives_ratio(self, call, limit, offset):
        """The list itself shows it."""
        return (limit >= RATIO_ROWS and not offset and call.get("order_by", "").startswith("backlinks:desc") and
                "where" not in call and "having" not in call and {"backlinks", "refpages"} <= columns(call))

    def take_list(self, call, site, limit, offset, rows):
        key = (site, call.get("where"), call.get("having"), call.get("order_by"), frozenset(columns(call)))
        known, whole = self.lists.get(key, (0, False))
        through = offset + rows if rows or not offset else known
        if (offset + limit > known and not whole) or not self.remembers:
            self.ask(price(columns(call), max(0, through - (known if self.remembers else 0))))
        if self.remembers:
            self.lists[key] = (max(known, through), whole or (rows < limit and through >= known))


def one_by_one(calls):
    return [[call] for call in calls]


WIDGETS = [{"target": target, "mode": mode, "order_by": order, "limit": limit}
           for target in ("small.example", "lower.example", "site-a.example", "site-b.example", "site-c.example")
           for mode in ("domain", "subdomains")
           for order, limit in (("backlinks:desc", 5), ("backlinks:desc", 10), ("refdomains:desc", 10),
                                ("first_seen:desc", 10), ("backlinks:desc", 0))]
FILTERS = ["backlinks>%d" % n for n in range(1, 11)] + ["refdomains>%d" % n for n in range(1, 11)] + \
          ["substring(anchor,\"%s\")" % word for word in ("a", "e", "seo", "buy", "link")]

# Lists of calls that are sent at the same time.
CLIENTS = {
    "dashboard, 50 widgets, 6 x": [WIDGETS] * 6,
    "20 people, the same report": [[{"target": "lower.example", "order_by": "backlinks:desc"}] * 20],
    "pager, 40 x 50 rows": one_by_one([{"target": "big.example", "order_by": "backlinks:desc", "having": "refpages>1",
                                        "limit": 50, "offset": 50 * n} for n in range(40)]),
    "pager, few columns": one_by_one([{"target": "big.example", "select": "anchor,backlinks", "limit": 100,
                                       "offset": 100 * n, "order_by": "backlinks:desc"} for n in range(20)]),
    "crawler, 25 filters x 2 sites": [[{"target": target, "having": having, "limit": 100} for having in FILTERS]
                                      for target in ("lower.example", "small.example")],
}
