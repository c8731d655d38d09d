# SPDX-License-Identifier: MIT
"""How long one large answer holds up the others: a client asks small things all the time while another one is given ROWS
rows, and the slowest small answer is what the loop was stalled (and what the machine had else to do).

    BUILD_DIR=build-release python3 tests/bench/stall.py [ROWS [CASE]]

CASE: sorted (v3's order is ours), shuffled (it is not: all is sorted again), upper (anchors are folded and merged).
"""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import TOKEN, Anchorage, read_answer  # noqa: E402 (the path comes first)
from bars import Bars  # noqa: E402
from canned import Canned, body, names  # noqa: E402


def anchors(rows, case):
    every = names(rows)
    if case == "shuffled":
        random.Random(1).shuffle(every)
    if case == "upper":
        every = [name.replace("anchor", "Anchor") if n % 2 else name for n, name in enumerate(every)]
    return every


def probe(proxy, stop, slowest):
    """Small questions, one after the other."""
    call = f"GET /?from=subscription_info&token={TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with proxy.connect() as connection, connection.makefile("rb") as stream:
        while not stop.is_set():
            began = time.perf_counter()
            connection.sendall(call)
            read_answer(stream)
            slowest.append((time.perf_counter() - began, began))
            time.sleep(0.0005)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 250000
    bars, slowest_ms = Bars(), 0
    for case in sys.argv[2:] or ["sorted", "shuffled", "upper"]:
        every = anchors(rows, case)
        size_of_all = len(body(every))
        with Canned(every) as url, Anchorage(url, upstream={"units_per_call": 0}, fidelity={"stats": "zero"}) as proxy:
            stop, times = threading.Event(), []
            prober = threading.Thread(target=probe, args=(proxy, stop, times))
            prober.start()
            time.sleep(0.5)
            quiet = max(times)[0]
            del times[:]
            began = time.perf_counter()
            with proxy.connect() as connection:
                request = f"GET {proxy.params({'limit': rows})} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                size = len(connection.recv(65536))
                first = time.perf_counter() - began
                while got := len(connection.recv(1 << 20)):
                    size += got
            stop.set()
            prober.join()
            with open(f"/proc/{proxy.process.pid}/status", encoding="ascii") as status:
                peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
            worst = sorted(times, reverse=True)[:4]
            slowest_ms = max(slowest_ms, worst[0][0] * 1000)
            print(f"{case:9} {rows} rows, {size_of_all >> 20} MiB from v3, {size >> 20} MiB to the client: first byte "
                  f"after {first:.2f} s, RSS at most {int(peak) >> 10} MiB; slowest small answers "
                  + ", ".join(f"{seconds * 1000:.1f} ms at {at - began:.2f} s" for seconds, at in worst)
                  + f" (quiet: {quiet * 1000:.1f} ms)")
    bars.at_most("milliseconds of the slowest small answer", slowest_ms, 10, in_slice=100)
    return bars.status()


if __name__ == "__main__":
    sys.exit(main())
