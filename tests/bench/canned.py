# SPDX-License-Identifier: MIT
"""v3 with one answer to every question, in a process of its own that does next to nothing else."""
import multiprocessing
import selectors
import socket

ROW = '{"anchor":"%s","links_to_target":%d,"refpages":%d,"refdomains":%d,"first_seen":"2020-01-02T03:04:05Z"}'


def names(rows):
    return [f"anchor number {n:08d} of many" for n in range(rows)]


def body(anchors):
    rows = len(anchors)
    return ('{"anchors":[' + ",".join(ROW % (name, rows - n, 7, 3) for n, name in enumerate(anchors)) + "]}").encode()


def answer(anchors):
    """The whole answer with its head."""
    text, rows = body(anchors), len(anchors)
    return (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            f"x-api-rows: {rows}\r\nx-api-units-cost-total-actual: {max(50, rows * 9)}\r\n\r\n").encode() + text


def talk(connection, whole):
    """One portion of what a proxy says; False when it has left, which may be in the middle of an answer."""
    try:
        got = connection.recv(65536)
        if got.endswith(b"\r\n\r\n"):
            connection.settimeout(10)
            connection.sendall(whole)
            connection.settimeout(None)
        return bool(got)
    except OSError:
        return False


def serve(listener, whole):
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                elif not talk(key.fileobj, whole):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


class Canned:
    """With it as a context manager: its url."""

    def __init__(self, anchors):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.server = multiprocessing.Process(target=serve, args=(self.listener, answer(anchors)), daemon=True)

    def __enter__(self):
        self.server.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v3"

    def __exit__(self, *_):
        self.server.terminate()
        self.server.join()
        self.listener.close()
