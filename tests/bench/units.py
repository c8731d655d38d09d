# SPDX-License-Identifier: MIT
"""What typical clients cost: units and requests of v3 for a v2 call, beside the naive translation (one request for the list,
with all columns and from its first row, for v3 knows no offset; one for the totals) and the least that is possible.

    BUILD_DIR=build-release python3 tests/bench/units.py

No client costs more units than a twentieth over the least, nor a fifth more requests. What is owed in rows stands beside,
for clients that could waste units as well (wasters.py); their bars are the table BARS.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import least  # noqa: E402 (the path comes first)
from anchorage import Anchorage  # noqa: E402
from bars import Bars  # noqa: E402
from sandbox import Sandbox  # noqa: E402
from wasters import WASTERS  # noqa: E402

# Of the wasters: a figure (wasters.py), at most or at least so much, and whether what it takes is built: a bar that is not
# judged yet is shown only. The third number is that of a short slice.
BARS = [
    ("238 default calls, 900 rows left", "units", "at most", 10300, 10300, True),
    ("238 default calls, 900 rows left", "rows", "at least", 900, 900, True),
    ("238 default calls, 900 rows left", "lists", "at most", 6, 6, True),
    ("20 x limit=100000, long lists", "unpaid", "at most", 0, 0, True),
    ("20 x limit=100000, long lists", "rows_a_call", "at least", 11000, 11000, True),
    ("20 clients that leave", "unpaid", "at most", 0, 0, True),
    ("20 clients that leave", "rows_a_call", "at least", 2500, 2500, True),
    ("3000 spellings, limit=2", "lists", "at most", 6, 6, True),
    ("3000 spellings, limit=2", "units", "at most", 200, 200, True),
    ("limit=1, offset=11000", "units", "at most", 22250, 22250, True),
    ("limit=1, offset=11000", "rows", "at least", 2, 2, True),
]


def most_first(call):
    """Of calls that are sent together that is the least: a list asked for once costs no more than in two parts."""
    return -(int(call.get("limit", 1000)) + int(call.get("offset", 0)))


def measure(client):
    """One client with a proxy of its own: its numbers."""
    with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, Anchorage(sandbox) as proxy:
        model, rows = least.Model(proxy), 0
        for calls in client:
            for call, answer in sorted(zip(calls, proxy.many(calls)), key=lambda both: most_first(both[0])):
                if answer.status != 200:
                    raise SystemExit(f"{call}: {answer}")
                model.take(call, answer)
                rows += answer.rows_charged
        return {"calls": model.calls, "units": sandbox.state()["spent"], "rows": rows, "requests": len(sandbox.log()),
                "naive_units": model.naive_units, "naive_requests": model.naive_requests, "least_units": model.units,
                "least_requests": model.requests}


def show(name, n):
    over = n["units"] / n["least_units"]
    print(f"{name:32} {n['calls']:8}   {n['units']:8} {n['naive_units']:9} {n['least_units']:8}   {n['rows']:9}   "
          f"{n['requests']:8} {n['naive_requests']:7} {n['least_requests']:6}   {over:.2f}", flush=True)
    return over


def judge(bars, wasters):
    for name, figure, way, bar, in_slice, is_built in BARS:
        what, number = f"{name}: {figure}", wasters[name][figure]
        if is_built:
            (bars.at_most if way == "at most" else bars.at_least)(what, number, bar, in_slice)
        else:
            print(f"  bar: {what} {way} {bar:g}: not judged yet, {number:g}", flush=True)


def main():
    bars, most_units, most_requests = Bars(), 0, 0
    print(f"{'client':32} {'v2 calls':>8}   {'units':>8} {'naive':>9} {'least':>8}   {'rows owed':>9}   {'requests':>8} "
          f"{'naive':>7} {'least':>6}   units / least")
    for name, client in least.CLIENTS.items():
        n = measure(client)
        most_units = max(most_units, show(name, n))
        most_requests = max(most_requests, n["requests"] / n["least_requests"])
    wasters = {}
    for name, play in WASTERS.items():
        wasters[name] = play()
        show(name, wasters[name])
    bars.at_most("units over the least", most_units, 1.05)
    bars.at_most("requests over the least", most_requests, 1.2)
    judge(bars, wasters)
    return bars.status()


if __name__ == "__main__":
    sys.exit(main())
