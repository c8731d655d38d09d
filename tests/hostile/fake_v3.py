# SPDX-License-Identifier: MIT
"""A stand-in for API v3 that speaks raw bytes, for attacks that the sandbox is too well-behaved for.

    def play(connection, request):          # called for each request, in the connection's thread
        connection.send(answer(rows("a")))  # what it returns matters only when it is CLOSE or RESET

    with FakeV3(play) as v3, Anchorage(v3.url) as proxy: ...
"""
import json
import socket
import ssl
import struct
import threading

CLOSE, RESET = "close", "reset"


def answer(body, status="200 OK", headers=()):
    """The bytes of a whole answer; `body` is text, bytes or something for JSON."""
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def rows(*anchors, **columns):
    """A list of these anchors, with columns that are the same for all."""
    shown = {"links_to_target": 1, "refpages": 1, "refdomains": 1, "first_seen": "2020-01-01T00:00:00Z", **columns}
    return {"anchors": [{"anchor": anchor, **shown} for anchor in anchors]}


class Request:
    def __init__(self, head, number):
        self.head, self.number = head, number  # bytes; from 0, of all that came
        self.line = head.split(b"\r\n")[0].decode()
        self.path = self.line.split(" ")[1]


class Connection:
    def __init__(self, plain, number):
        self.socket, self.number, self.how, self.thread = plain, number, CLOSE, None
        self.ended = threading.Event()  # the other end has closed it, or we have

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def close(self, how=CLOSE):
        """From any thread; it has happened when it returns."""
        self.how = how
        try:
            self.socket.shutdown(socket.SHUT_RD if how == RESET else socket.SHUT_RDWR)
        except OSError:
            pass
        if threading.current_thread() is not self.thread:
            self.ended.wait()

    def finish(self):
        """By its own thread: nobody reads from it now, so that closing closes it."""
        try:
            if self.how == RESET:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        except OSError:
            pass
        self.ended.set()


class FakeV3:
    """`on_accept` is called with a new connection before anything is read; `tls`: (certificate, key)."""

    def __init__(self, play, on_accept=None, tls=None):
        self.play, self.on_accept, self.tls = play, on_accept, None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.lock = threading.Lock()
        self.connections, self.requests = [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v3"

    def _serve(self, connection):
        try:
            if self.tls:
                connection.socket = self.tls.wrap_socket(connection.socket, server_side=True)
            if self.on_accept:
                self.on_accept(connection)
            data = b""
            while True:
                more = connection.socket.recv(65536)
                if not more:
                    break
                data += more
                while b"\r\n\r\n" in data:
                    head, data = data.split(b"\r\n\r\n", 1)
                    with self.lock:
                        request = Request(head, len(self.requests))
                        self.requests.append(request)
                    how = self.play(connection, request)
                    if how in (CLOSE, RESET):
                        connection.close(how)
                        return
        except OSError:
            pass
        finally:
            connection.finish()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(plain, len(self.connections))
                self.connections.append(connection)
            connection.thread = threading.Thread(target=self._serve, args=(connection,))
            connection.thread.start()

    def __enter__(self):
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join()
        for connection in self.connections:
            connection.close()
            connection.thread.join()
