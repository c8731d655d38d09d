# SPDX-License-Identifier: MIT
"""More clients than the machine serves: good answers a second as they grow in number, the share of the peak that is left
with the most of them, and what a team's calls wait beside a team that floods. Needs wrk.

    BUILD_DIR=build-release python3 tests/bench/overload.py
"""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import OTHER_TOKEN, TOKEN, Anchorage  # noqa: E402 (the path comes first)
from sandbox import Sandbox  # noqa: E402

TEAMS = {"teams": {"seo": {"concurrency": 100000}, "ads": {}}, "keys": [("seo", TOKEN), ("ads", OTHER_TOKEN)],
         "proxy": {"max_connections_per_address": 10000}}


def load(proxy, clients, seconds):
    url = f"http://{proxy.address[0]}:{proxy.address[1]}" + proxy.params({})
    return subprocess.Popen(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", url], stdout=subprocess.PIPE,
                            text=True)


def goodput(process):
    text = process.communicate()[0]
    bad = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", text)
    seconds = float(re.search(r"requests in ([0-9.]+)s", text)[1])
    return (float(re.search(r"Requests/sec: +([0-9.]+)", text)[1]) - (int(bad[1]) / seconds if bad else 0),
            re.search(r"99% +(\S+)", text)[1])


def waits(proxy, count=300):
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer = proxy.get(target="one.example", token=OTHER_TOKEN, limit=3)
        times.append(time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"refused: {answer}")
    return sorted(times)[count * 99 // 100] * 1000


def main():
    if not shutil.which("wrk"):
        print("overload: wrk is not installed, so nothing is measured (apt-get install wrk)")
        return
    with Sandbox(today=None, units="unlimited") as sandbox, Anchorage(sandbox, **TEAMS) as proxy:
        proxy.get()
        results = {}
        for clients in (16, 64, 200, 600, 1500):
            results[clients], p99 = goodput(load(proxy, clients, 4))
            print(f"{clients:5} clients: {results[clients]:8.0f} good answers a second, 99 % within {p99}", flush=True)
        print(f"with the most clients {results[1500] / max(results.values()):.0%} of the peak")
    with Sandbox(today=None, units="unlimited", latency="5ms") as sandbox, \
            Anchorage(sandbox, upstream={"answer_ttl": "0"}, fidelity={"stats": "zero"}, **TEAMS) as proxy:
        alone = waits(proxy)
        flood = load(proxy, 64, 20)
        time.sleep(0.5)
        beside = waits(proxy)
        flood.terminate()
        flood.communicate()
        print(f"99 % of a team's calls: {alone:.1f} ms alone, {beside:.1f} ms beside a flood of 64 clients: "
              f"{beside / alone:.2f} x")


if __name__ == "__main__":
    main()
