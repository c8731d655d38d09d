# SPDX-License-Identifier: MIT
"""Nobody shuts the admin side: half requests, silent connections and answers that are not read, from one address or
from many, leave /healthz and /metrics to everybody, also to those addresses themselves."""
import os
import resource
import socket
import threading
import time
import unittest

from anchorage import Anchorage, PATIENCE, read_answer
from sandbox import Sandbox

ASKS = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


class Shares(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        cls.sandbox = Sandbox(today=None).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = Anchorage(cls.sandbox)
        cls.addClassCleanup(cls.proxy.close)
        cls.path = os.path.join(cls.proxy.path, "admin")
        cls.proxy.sections["proxy"]["admin"] = f"127.0.0.1:0 unix:{cls.path}"
        cls.proxy.write_config()
        cls.proxy.start()
        admin = [line.split()[3] for line in cls.proxy.lines if line.startswith("anchorage: admin on 127")][0]
        cls.address = ("127.0.0.1", int(admin.rpartition(":")[2]))

    def setUp(self):
        self.open = []

    def tearDown(self):
        for connection in self.open:
            connection.close()

    def connect(self, source, receives=None):
        """From 127.0.0.SOURCE, or over the unix socket when that is None."""
        connection = socket.socket(socket.AF_INET if source else socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        if receives:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        if source:
            connection.bind((f"127.0.0.{source}", 0))
        connection.connect(self.address if source else self.path)
        return connection

    def hold(self, source, says, receives=None):
        connection = self.connect(source, receives)
        self.open.append(connection)
        try:
            connection.sendall(says)
        except OSError:
            pass  # its place is somebody else's by now
        return connection

    def check_open(self, sources, times=5):
        for _ in range(times):
            for source in sources:
                for path in (b"/healthz", b"/metrics"):
                    with self.subTest(source=source, path=path), self.connect(source) as connection, \
                            connection.makefile("rb") as stream:
                        connection.sendall(ASKS % path)
                        answer = read_answer(stream)
                        self.assertIsNotNone(answer, "closed without an answer")
                        self.assertEqual(answer.status, 200, answer)

    def test_half_requests_of_one_address(self):
        for says in (HALF, b"", b"\r\n", b"GET", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"):
            for _ in range(140):
                self.hold(5, says)
            self.check_open((5, 1, 6))

    def test_half_requests_of_many_addresses(self):
        for source in range(10, 60):
            for _ in range(20):
                self.hold(source, HALF)
        self.check_open((10, 59, 1, 2), times=10)

    def test_half_requests_over_the_unix_socket(self):
        for _ in range(150):
            self.hold(None, HALF)
        self.check_open((1, 2, None))

    def test_answers_that_nobody_reads(self):
        for source in range(10, 20):
            for _ in range(20):
                self.hold(source, ASKS % b"/metrics" * 200, receives=4096)
        self.check_open((10, 19, 1, 2))

    def test_half_requests_that_are_sent_again_and_again(self):
        """Whose half request has lost its place begins another at once, from many addresses."""
        ends = threading.Event()

        def again(source):
            mine = []
            while not ends.is_set():
                try:
                    mine.append(self.connect(source))
                    mine[-1].sendall(HALF)
                except OSError:
                    pass
                if len(mine) > 20:
                    mine.pop(0).close()
            for connection in mine:
                connection.close()

        threads = [threading.Thread(target=again, args=(source,)) for source in range(20, 26)]
        for thread in threads:
            thread.start()
        try:
            self.check_open((1, 2), times=20)
        finally:
            ends.set()
            for thread in threads:
                thread.join()

    def test_questions_of_usage(self):
        """They have a line of their own; those that are too many are told so."""
        ends = threading.Event()
        statuses = set()

        def ask():
            while not ends.is_set():
                with self.connect(7) as connection, connection.makefile("rb") as stream:
                    connection.sendall(ASKS % b"/usage?by=day&since=2000-01-01")
                    statuses.add(read_answer(stream).status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            self.check_open((7, 1), times=20)
        finally:
            ends.set()
            for thread in threads:
                thread.join()
        self.assertLessEqual(statuses, {200, 503})

    def test_a_head_has_five_seconds(self):
        began = time.monotonic()
        slow = [self.hold(3, HALF), self.hold(4, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")]
        for connection in slow:
            with connection.makefile("rb") as stream:
                self.assertEqual(read_answer(stream).status, 408)
        self.assertGreater(time.monotonic() - began, 4.5)
        self.assertLess(time.monotonic() - began, 9)

    def test_options(self):
        for target, method in ((b"*", b"OPTIONS"), (b"/healthz", b"OPTIONS"), (b"/healthz", b"PUT"),
                               (b"/healthz", b"POST")):
            with self.connect(1) as connection, connection.makefile("rb") as stream:
                connection.sendall(method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = read_answer(stream)
                self.assertEqual((answer.status, answer.headers.get("allow")),
                                 (204, "GET, HEAD, OPTIONS") if method == b"OPTIONS" else (405, "GET, HEAD"), answer)


if __name__ == "__main__":
    unittest.main()
