# SPDX-License-Identifier: MIT
"""What typical clients cost: units and requests of v3 for a v2 call, beside the naive translation (one request for the list,
with all columns and from its first row, for v3 knows no offset; one for the totals) and the least that is possible.

    BUILD_DIR=build-release python3 tests/bench/units.py

No client costs more units than a twentieth over the least, nor a fifth more requests.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import least  # noqa: E402 (the path comes first)
from anchorage import Anchorage  # noqa: E402
from bars import Bars  # noqa: E402
from sandbox import Sandbox  # noqa: E402


def most_first(call):
    """Of calls that are sent together that is the least: a list asked for once costs no more than in two parts."""
    return -(int(call.get("limit", 1000)) + int(call.get("offset", 0)))


def measure(client):
    """One client with a proxy of its own: its numbers."""
    with Sandbox(today=None, units="unlimited", anchor_case="fold") as sandbox, Anchorage(sandbox) as proxy:
        model = least.Model(proxy)
        for calls in client:
            for call, answer in sorted(zip(calls, proxy.many(calls)), key=lambda both: most_first(both[0])):
                if answer.status != 200:
                    raise SystemExit(f"{call}: {answer}")
                model.take(call, answer)
        return {"calls": model.calls, "units": sandbox.state()["spent"], "requests": len(sandbox.log()),
                "naive_units": model.naive_units, "naive_requests": model.naive_requests, "least_units": model.units,
                "least_requests": model.requests}


def main():
    bars, most_units, most_requests = Bars(), 0, 0
    print(f"{'client':28} {'v2 calls':>8}   {'units':>8} {'naive':>9} {'least':>8}   {'requests':>8} {'naive':>7} "
          f"{'least':>6}   units / least")
    for name, client in least.CLIENTS.items():
        n = measure(client)
        over = n["units"] / n["least_units"]
        most_units = max(most_units, over)
        most_requests = max(most_requests, n["requests"] / n["least_requests"])
        print(f"{name:28} {n['calls']:8}   {n['units']:8} {n['naive_units']:9} {n['least_units']:8}   "
              f"{n['requests']:8} {n['naive_requests']:7} {n['least_requests']:6}   {over:.2f}", flush=True)
    bars.at_most("units over the least", most_units, 1.05)
    bars.at_most("requests over the least", most_requests, 1.2)
    return bars.status()


if __name__ == "__main__":
    sys.exit(main())
