# SPDX-License-Identifier: MIT
"""More calls than the machine serves. Old programs, which open a connection for each call: good answers a second at three
times the pace that is the most, and how soon those are told who are turned away. Kept connections in growing number. And
what a team's calls wait beside a team that floods.

    BUILD_DIR=build-release BENCH_ROUNDS=5 python3 tests/bench/overload.py

The proxy has a core of its own, where there are two: what clients and v3 take is not its own. With the caps as by default
9 in 10 of the good answers are left, 99 % of those who are turned away know within 5 ms, and a team's slowest hundredth
waits at most 1.5 times as long beside a flood: in the mean or the median of the rounds.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import BUILD_DIR, OTHER_TOKEN, TOKEN, Anchorage  # noqa: E402 (the path comes first)
from bars import ROUNDS, Bars  # noqa: E402
from canned import Canned, names  # noqa: E402
from sandbox import Sandbox  # noqa: E402

ROWS, TIMES = 1000, 3
FLOOD = os.path.join(os.path.abspath(BUILD_DIR), "tests", "bench", "flood")
ONE_ADDRESS = {"proxy": {"max_connections_per_address": 10000}}  # as if the clients had many
TEAMS = ONE_ADDRESS | {"teams": {"seo": {"concurrency": 100000}, "ads": {}}, "keys": [("seo", TOKEN), ("ads", OTHER_TOKEN)]}
CORES = sorted(os.sched_getaffinity(0))


class OnItsOwn(Anchorage):
    """A proxy that has the last core."""

    def __init__(self, *sandbox, **sections):
        super().__init__(*sandbox, **sections)
        self.wrapper = ["taskset", "-c", str(CORES[-1])]


def flood(proxy, pace, seconds, **call):
    """What flood.c says; # in the call is a number that grows."""
    target = proxy.params(call).replace("%23", "#")
    return subprocess.Popen([FLOOD, str(proxy.address[1]), target, str(pace), str(seconds)], stdout=subprocess.PIPE,
                            text=True)


def result(process):
    return json.loads(process.communicate()[0])


def most(proxy, call, seconds=1):
    return result(flood(proxy, -64, seconds, **call))["good"]["each_second"]


def one_call_a_connection(caps, storms, seconds, left_at_least, told_within_ms, bars, **sections):
    """Each call asks another question, so none is saved by what was asked before. The wider the caps, the longer until as
    many are in line as there will be, and the more wait when it ends, for nothing: then `seconds` are to be many. Else many
    short storms: the machine is not equally fast all the time."""
    call = {"limit": ROWS, "target": "site#.example"}
    with Canned(names(ROWS)) as url, OnItsOwn(url, upstream={"answer_ttl": "0", "units_per_call": 0},
                                              fidelity={"stats": "zero"}, **sections) as proxy:
        proxy.get(limit=ROWS)
        print(f"{ROWS} rows, a connection for each call, {caps}:")
        peaks, left, told_ms, refused, broken = [most(proxy, call)], [], [], 0, 0
        for _ in range(ROUNDS * storms):
            r = result(flood(proxy, int(peaks[-1] * TIMES), seconds, **call))
            peaks.append(most(proxy, call))
            left.append(r["good"]["each_second"])
            told_ms.append(r["refused"]["p99_ms"])
            refused += r["refused"]["each_second"]
            broken += r["broken"]["each_second"]
            peak = (peaks[-2] + peaks[-1]) / 2
            print(f"  64 clients: {peak:.0f} good answers a second; at {TIMES} x as many calls {left[-1]:.0f}, "
                  f"{r['refused']['each_second']:.0f} refused a second, half within {r['refused']['p50_ms']:.1f} ms, 99 % within "
                  f"{r['refused']['p99_ms']:.1f} ms, all within {r['refused']['most_ms']:.1f} ms; "
                  f"{r['broken']['each_second']:.1f} broken a second", flush=True)
        bars.at_least("share of good answers that is left", sum(left) / len(left) / (sum(peaks) / len(peaks)), left_at_least,
                      in_slice=0.4)
        bars.at_least("refused a second", refused / len(left), 1, in_slice=0)
        bars.at_most("share of the refused who hear nothing", broken / max(1, refused + broken), 0.01, in_slice=0.1)
        bars.at_most("milliseconds until 99 % of the refused know", median(told_ms), told_within_ms, in_slice=20 * told_within_ms)


def wrk(proxy, clients, seconds):
    """Good answers a second, and the wait that 99 % stay within."""
    url = f"http://{proxy.address[0]}:{proxy.address[1]}" + proxy.params({})
    text = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", url], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", text)
    took = float(re.search(r"requests in ([0-9.]+)s", text)[1])
    return (float(re.search(r"Requests/sec: +([0-9.]+)", text)[1]) - (int(bad[1]) / took if bad else 0),
            re.search(r"99% +(\S+)", text)[1])


def kept_connections():
    if not shutil.which("wrk"):
        print("kept connections: not measured, wrk is not installed (apt-get install wrk)")
        return
    with Sandbox(today=None, units="unlimited") as sandbox, OnItsOwn(sandbox, **TEAMS) as proxy:
        proxy.get()
        results = {}
        print("2 rows, remembered, on kept connections:")
        for clients in (16, 64, 200, 600, 1500):
            results[clients], p99 = wrk(proxy, clients, 4)
            print(f"  {clients:5} clients: {results[clients]:6.0f} good answers a second, 99 % within {p99}", flush=True)
        print(f"  with the most clients {results[1500] / max(results.values()):.0%} of the most")


def beside_a_flood(concurrency, at_most, bars):
    """By turns, too. Measured from another process than that which reads the daemon's log."""
    one = {"target": "one.example", "token": OTHER_TOKEN, "limit": 3}
    teams = TEAMS | {"teams": {"seo": {"concurrency": concurrency} if concurrency else {}, "ads": {}}}
    print(f"a team beside a flood of 64 clients, {concurrency or 'by default 32'} of whose calls may go on at once:")
    with Sandbox(today=None, units="unlimited", latency="5ms") as sandbox, \
            OnItsOwn(sandbox, upstream={"answer_ttl": "0"}, fidelity={"stats": "zero"}, **teams) as proxy:
        ratios = []
        for _ in range(ROUNDS * 2):
            alone = result(flood(proxy, -1, 3, **one))["good"]
            flooding = flood(proxy, -64, 4)
            time.sleep(0.5)
            beside = result(flood(proxy, -1, 3, **one))["good"]
            flooding.communicate()
            ratios.append(beside["p99_ms"] / alone["p99_ms"])
            print(f"  99 % of a team's calls within {alone['p99_ms']:.1f} ms alone (half within {alone['p50_ms']:.1f}), "
                  f"{beside['p99_ms']:.1f} ms beside the flood ({beside['p50_ms']:.1f}): {ratios[-1]:.2f} x", flush=True)
        bars.at_most("p99 beside a flood over p99 alone", median(ratios), at_most, in_slice=6)


def main():
    bars = Bars()
    os.sched_setaffinity(0, CORES[:-1] or CORES)
    one_call_a_connection("caps as by default", 4, 1.5, 0.9, 5, bars)
    one_call_a_connection("10000 connections", 1, 10, 0.8, 5, bars, **ONE_ADDRESS)
    one_call_a_connection("10000 connections and 100000 calls at once", 1, 10, 0.7, 20, bars, **TEAMS)
    kept_connections()
    beside_a_flood(None, 1.5, bars)
    beside_a_flood(100000, 2, bars)
    return bars.status()


if __name__ == "__main__":
    sys.exit(main())
