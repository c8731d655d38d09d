# SPDX-License-Identifier: MIT
"""How long one large answer holds up the others: a client asks small things all the time while another one is given ROWS
rows, and the slowest small answer is what the loop was stalled (and what the machine had else to do).

    BUILD_DIR=build-release python3 tests/bench/stall.py [ROWS [CASE]]

CASE: sorted (v3's order is ours), shuffled (it is not: all is sorted again), upper (anchors are folded and merged).
"""
import multiprocessing
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import TOKEN, Anchorage, read_answer  # noqa: E402 (the path comes first)


def body(rows, case):
    names = [f"anchor number {n:08d} of many" for n in range(rows)]
    if case == "shuffled":
        random.Random(1).shuffle(names)
    if case == "upper":
        names = [name.replace("anchor", "Anchor") if n % 2 else name for n, name in enumerate(names)]
    row = '{"anchor":"%s","links_to_target":%d,"refpages":%d,"refdomains":%d,"first_seen":"2020-01-02T03:04:05Z"}'
    return ('{"anchors":[' + ",".join(row % (name, rows - n, 7, 3) for n, name in enumerate(names)) + "]}").encode()


def serve(listener, head, answer):
    """v3 with one answer."""
    while True:
        connection, _ = listener.accept()
        while True:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                got = connection.recv(65536)
                if not got:
                    break
                request += got
            if not request:
                break
            connection.sendall(head)
            connection.sendall(answer)


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
    for case in sys.argv[2:] or ["sorted", "shuffled", "upper"]:
        answer = body(rows, case)
        head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n"
                f"x-api-rows: {rows}\r\nx-api-units-cost-total-actual: {rows * 9}\r\n\r\n").encode()
        listener = socket.create_server(("127.0.0.1", 0))
        server = multiprocessing.Process(target=serve, args=(listener, head, answer), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
        with Anchorage(url, upstream={"units_per_call": 0}, fidelity={"stats": "zero"}) as proxy:
            stop, times = threading.Event(), []
            prober = threading.Thread(target=probe, args=(proxy, stop, times))
            prober.start()
            time.sleep(0.5)
            quiet = max(times)[0]
            del times[:]
            began = time.perf_counter()
            with proxy.connect() as connection:
                connection.sendall(f"GET {proxy.params({'limit': rows})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                size = len(connection.recv(65536))
                first = time.perf_counter() - began
                while size < len(answer):
                    got = len(connection.recv(1 << 20))
                    if not got:
                        break
                    size += got
                    if got < 65536 and size > len(answer) * 0.9:
                        connection.settimeout(0.2)
                        try:
                            while len(got_more := connection.recv(1 << 20)):
                                size += len(got_more)
                        except TimeoutError:
                            break
            stop.set()
            prober.join()
            with open(f"/proc/{proxy.process.pid}/status", encoding="ascii") as status:
                peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
            worst = sorted(times, reverse=True)[:4]
            print(f"{case:9} {rows} rows, {len(answer) >> 20} MiB from v3, {size >> 20} MiB to the client: first byte "
                  f"after {first:.2f} s, RSS at most {int(peak) >> 10} MiB; slowest small answers "
                  + ", ".join(f"{seconds * 1000:.1f} ms at {at - began:.2f} s" for seconds, at in worst)
                  + f" (quiet: {quiet * 1000:.1f} ms)")
        server.terminate()


if __name__ == "__main__":
    main()
