# SPDX-License-Identifier: MIT
"""Clients that could burn units with nothing to show for it, without malice: what they cost, and what is owed for it.

Each function plays one with a proxy of its own and gives its numbers: v2 calls, units and requests of v3, v2 rows owed;
the same of the naive translation (one request for the list with all columns, from its first row on; one for the totals);
and the least that an answer of the rows owed can cost. `unpaid`: units of entries that owe no row; `lists`: the most
requests of a list that one call made; `rows_a_call`: the fewest rows that a call with units owes."""
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import Anchorage  # noqa: E402 (the path comes first)
from bars import IS_SLICE  # noqa: E402
from sandbox import Sandbox  # noqa: E402
from spellings import Spellings, many  # noqa: E402

ROW, FLOOR = 9, 50  # units: of a row with all columns, of a small request
TOTALS = 2 * FLOOR  # a target's totals, and the ratio for its pages
MONTH = 2000000     # units of all teams
LONG, LONG_ROWS = "big.example", 20000
KEEP = {"anchor_case": "keep"}  # where merging is not the matter


def orders():
    """Many that all differ, so that no call is answered from what another one left."""
    for columns in itertools.permutations(("backlinks", "refpages", "refdomains", "first_seen")):
        for ways in itertools.product(("asc", "desc"), repeat=4):
            yield ",".join(f"{column}:{way}" for column, way in zip(columns, ways))


def list_requests(sandbox, since):
    """Of the log from number `since` on, without those for the ratio."""
    return sum("/anchors" in one["path"] and "anchor" in one["query"]["select"].split(",")
               for one in sandbox.log()[since:])


def booked(proxy, calls, **more):
    """What the books say of `calls` calls."""
    ends = [one for one in proxy.ledger() if one["kind"] in ("settle", "release", "unknown")]
    with_units = [one for one in ends if one["units"]]
    return {"calls": calls, "units": sum(one["units"] or 0 for one in ends), "rows": sum(one["rows"] for one in ends),
            "unpaid": sum(one["units"] for one in with_units if not one["rows"]),
            "rows_a_call": min((one["rows"] for one in with_units), default=0), **more}


def last_rows():
    """Default calls of a team that has 900 rows left: the first is cut to them, the others have none."""
    calls = 12 if IS_SLICE else 238
    with Sandbox(today=None, units="unlimited") as sandbox, Anchorage(
            sandbox, upstream={"units_per_month": MONTH}, teams={"seo": {"rows_per_month": 900}}) as proxy:
        lists = 0
        for order in itertools.islice(orders(), calls):
            before = len(sandbox.log())
            proxy.get(target=LONG, order_by=order)
            lists = max(lists, list_requests(sandbox, before))
        return booked(proxy, calls, requests=len(sandbox.log()), lists=lists, naive_units=calls * (1000 * ROW + FLOOR),
                      naive_requests=calls * 2, least_units=899 * ROW + TOTALS, least_requests=3)


def long_lists():
    """20 calls of limit=100000 on lists that are longer than one call may pay for."""
    calls = 4 if IS_SLICE else 20
    with Sandbox(today=None, units="unlimited") as sandbox, Anchorage(
            sandbox, upstream={"units_per_month": MONTH}, fidelity=KEEP) as proxy:
        for order in itertools.islice(orders(), calls):
            proxy.get(target=LONG, order_by=order, limit=100000)
        n = booked(proxy, calls, requests=len(sandbox.log()), lists=0, naive_units=calls * (LONG_ROWS * ROW + FLOOR),
                   naive_requests=calls * 2, least_requests=calls + 2)
        return {**n, "least_units": max(0, n["rows"] - calls) * ROW + TOTALS}


def leaving():
    """20 clients that leave when five pages of their list have come, and the sixth is under way."""
    calls, pages, cap = 4 if IS_SLICE else 20, 5, 500
    with Sandbox(today=None, units="unlimited", row_cap=cap) as sandbox, Anchorage(
            sandbox, upstream={"units_per_month": MONTH, "max_rows_per_request": cap}, fidelity=KEEP) as proxy:
        proxy.get(target=LONG, limit=0)  # the totals are known from now on
        known = proxy.ledger()[-1]["seq"]
        for order in itertools.islice(orders(), calls):
            sandbox.script({"match": "anchors", "query": {"limit": str(cap)}, "skip": pages, "delay_ms": 100})
            before, ends = sandbox.state()["seen"], len(proxy.ledger())
            with proxy.connect() as client:
                client.sendall(f"GET {proxy.params({'target': LONG, 'order_by': order, 'limit': 5000})} HTTP/1.1\r\n"
                               "Host: v2\r\n\r\n".encode())
                sandbox.wait(requests=before + pages + 1)
            while not any(one["kind"] in ("settle", "release", "unknown") for one in proxy.ledger()[ends:]):
                pass  # each look at the books takes a while
        ends = [one for one in proxy.ledger() if one["kind"] in ("settle", "release", "unknown") and one["seq"] > known]
        units = sum(one["units"] or 0 for one in ends)
        return {"calls": calls, "units": units, "rows": sum(one["rows"] for one in ends), "requests": len(sandbox.log()),
                "unpaid": sum(one["units"] for one in ends if not one["rows"]), "lists": pages + 1,
                "rows_a_call": min(one["rows"] for one in ends), "naive_units": calls * (5000 * ROW + FLOOR),
                "naive_requests": calls * 2, "least_units": calls * (pages + 1) * cap * ROW,
                "least_requests": calls * (pages + 1)}


def spellings():
    """limit=2 on an anchor that v3 has in 3000 spellings: they are one row of v2."""
    count = 300 if IS_SLICE else 3000
    with Spellings(many("abcdefghijkl", count)) as v3, Anchorage(v3.url, upstream={"units_per_month": MONTH}) as proxy:
        proxy.get(limit=2)
        return booked(proxy, 1, requests=len(v3.requests), lists=len(v3.lists), naive_units=2 * FLOOR, naive_requests=2,
                      least_units=FLOOR + TOTALS, least_requests=3)


def deep():
    """One row behind 11 000 that are skipped."""
    call = {"target": LONG, "order_by": "backlinks:desc", "limit": 1, "offset": 11000}
    with Sandbox(today=None, units="unlimited") as sandbox, Anchorage(
            sandbox, upstream={"units_per_month": MONTH}, fidelity=KEEP) as proxy:
        proxy.get(**call)
        return booked(proxy, 1, requests=len(sandbox.log()), lists=list_requests(sandbox, 0),
                      naive_units=11001 * ROW + FLOOR, naive_requests=2, least_units=11000 * 2 + FLOOR + TOTALS,
                      least_requests=4)


WASTERS = {"238 default calls, 900 rows left": last_rows, "20 x limit=100000, long lists": long_lists,
           "20 clients that leave": leaving, "3000 spellings, limit=2": spellings, "limit=1, offset=11000": deep}
