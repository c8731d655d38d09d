# SPDX-License-Identifier: MIT
"""HTTP that should not be: each is refused with its status and an end of the connection, and nothing runs but what
was whole and in order. The ledger and v3's log are the witnesses."""
import os
import socket
import time
import unittest

from anchorage import OneProxy, TOKEN, read_answer

CALL = f"/?from=anchors&target=small.example&mode=domain&limit=2&token={TOKEN}".encode()
GET = b"GET " + CALL + b" HTTP/1.1\r\nHost: x\r\n\r\n"
MARK = b"GET /?from=anchors&target=one.example&mode=domain&token=" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n"


POST = b"POST " + CALL + b" HTTP/1.1\r\n"


def get(line=b"", headers=b"Host: x\r\n", end=b"\r\n", body=b""):
    return (line or b"GET " + CALL + b" HTTP/1.1\r\n") + headers + end + body


REFUSED = [
    # (what, bytes, status)
    ("bare LF behind the request line, and a body", get(b"POST " + CALL + b" HTTP/1.1\n",
                                                        b"Host: x\r\nContent-Length: 1\r\n", body=b"a"), 400),
    ("bare LF behind a header, and a body", get(POST, b"Host: x\nContent-Length: 1\r\n", body=b"a"), 400),
    ("bare LF at the end, and a body", get(POST, b"Host: x\r\nContent-Length: 1\r\n", end=b"\n", body=b"a"), 400),
    ("bare LF and a body on GET", get(headers=b"Host: x\nContent-Length: 1\n", end=b"\n", body=b"a"), 400),
    ("bare LF and Transfer-Encoding", get(POST, b"Host: x\nTransfer-Encoding: chunked\n", end=b"\n",
                                          body=b"0\n\n"), 400),
    ("bare CR in a header", get(headers=b"Host: x\r\nA: b\rc\r\n"), 400),
    ("NUL in a header", get(headers=b"Host: x\r\nA: b\0\r\n"), 400),
    ("NUL in the target", get(b"GET " + CALL + b"\0 HTTP/1.1\r\n"), 400),
    ("tab in the request line", get(b"GET\t" + CALL + b" HTTP/1.1\r\n"), 400),
    ("two spaces", get(b"GET  " + CALL + b" HTTP/1.1\r\n"), 400),
    ("space in the path", get(b"GET /a b" + CALL[1:] + b" HTTP/1.1\r\n"), 400),
    ("space in the query, and a body", get(b"POST " + CALL + b"&x=a b HTTP/1.1\r\n",
                                           b"Host: x\r\nContent-Length: 1\r\n", body=b"a"), 400),
    ("tab in the query", get(b"GET " + CALL + b"&x=a\tb HTTP/1.1\r\n"), 400),
    ("# in the target", get(b"GET " + CALL + b"#a HTTP/1.1\r\n"), 400),
    ("bytes beyond ASCII in the path", get(b"GET /\xc3\xa4" + CALL[1:] + b" HTTP/1.1\r\n"), 400),
    ("bytes beyond ASCII in a header's name", get(headers=b"Host: x\r\n\xc3\xa4: a\r\n"), 400),
    ("DEL in a header", get(headers=b"Host: x\r\nA: \x7f\r\n"), 400),
    ("no version", b"GET " + CALL + b"\r\n\r\n", 400),
    ("HTTP/0.9 in disguise", get(b"GET " + CALL + b" HTTP/0.9\r\n"), 505),
    ("HTTP/2.0", get(b"GET " + CALL + b" HTTP/2.0\r\n"), 505),
    ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/1.2", get(b"GET " + CALL + b" HTTP/1.2\r\n"), 505),
    ("http/1.1 in small letters", get(b"GET " + CALL + b" http/1.1\r\n"), 400),
    ("unknown method", get(b"BREW " + CALL + b" HTTP/1.1\r\n"), 501),
    ("small letters", get(b"get " + CALL + b" HTTP/1.1\r\n"), 501),
    ("PUT", get(b"PUT " + CALL + b" HTTP/1.1\r\n"), 405),
    ("DELETE", get(b"DELETE " + CALL + b" HTTP/1.1\r\n"), 405),
    ("CONNECT", get(b"CONNECT x:80 HTTP/1.1\r\n"), 405),
    ("no Host", get(headers=b""), 400),
    ("two Hosts", get(headers=b"Host: x\r\nHost: x\r\n"), 400),
    ("empty Host", get(headers=b"Host:\r\n"), 400),
    ("odd Host", get(headers=b"Host: x/y\r\n"), 400),
    ("user in Host", get(headers=b"Host: a@x\r\n"), 400),
    ("two Hosts in 1.0", get(b"GET " + CALL + b" HTTP/1.0\r\n", b"Host: x\r\nHost: y\r\n"), 400),
    ("a port in Host that is no number", get(headers=b"Host: a:b\r\n"), 400),
    ("absolute-form without Host", get(b"GET http://x" + CALL + b" HTTP/1.1\r\n", b""), 400),
    ("absolute-form and a bad Host", get(b"GET http://x" + CALL + b" HTTP/1.1\r\n", b"Host: a:b\r\n"), 400),
    ("absolute-form with a port that is no number", get(b"GET http://x:y" + CALL + b" HTTP/1.1\r\n"), 400),
    ("absolute-form with a user", get(b"GET http://a@x" + CALL + b" HTTP/1.1\r\n"), 400),
    ("folded header", get(headers=b"Host: x\r\nA: b\r\n c\r\n"), 400),
    ("folded first header", get(headers=b" Host: x\r\n"), 400),
    ("space before the colon", get(headers=b"Host : x\r\n"), 400),
    ("no colon", get(headers=b"Host: x\r\nnothing\r\n"), 400),
    ("no name", get(headers=b"Host: x\r\n: y\r\n"), 400),
    ("Transfer-Encoding", get(POST, b"Host: x\r\nTransfer-Encoding: chunked\r\n",
                              body=b"0\r\n\r\n"), 501),
    ("Transfer-Encoding and Content-Length", get(
        POST, b"Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        body=b"0\r\n\r\n"), 501),
    ("Transfer-Encoding identity", get(headers=b"Host: x\r\nTransfer-Encoding: identity\r\n"), 501),
    ("Transfer-Encoding in 1.0", get(b"POST " + CALL + b" HTTP/1.0\r\n", b"transfer-encoding: x\r\n"), 501),
    ("Content-Length twice", get(POST,
                                 b"Host: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n", body=b"a"), 400),
    ("a list of Content-Lengths", get(POST, b"Host: x\r\nContent-Length: 1, 1\r\n",
                                      body=b"a"), 400),
    ("Content-Length +1", get(POST, b"Host: x\r\nContent-Length: +1\r\n", body=b"a"), 400),
    ("Content-Length -1", get(POST, b"Host: x\r\nContent-Length: -1\r\n"), 400),
    ("Content-Length 0x1", get(POST, b"Host: x\r\nContent-Length: 0x1\r\n", body=b"a"), 400),
    ("empty Content-Length", get(POST, b"Host: x\r\nContent-Length:\r\n"), 400),
    ("11 digits", get(POST, b"Host: x\r\nContent-Length: 00000000001\r\n", body=b"a"), 400),
    ("a large body on GET", get(headers=b"Host: x\r\nContent-Length: 65537\r\n"), 413),
    ("a body on OPTIONS", get(b"OPTIONS * HTTP/1.1\r\n", b"Host: x\r\nContent-Length: 3\r\n", body=b"abc"), 400),
    ("a large body", get(POST, b"Host: x\r\nContent-Length: 65537\r\n"), 413),
    ("a huge body", get(POST, b"Host: x\r\nContent-Length: 9999999999\r\n"), 413),
    ("a long line", get(b"GET " + CALL + b"&x=" + b"a" * 8192 + b" HTTP/1.1\r\n"), 414),
    ("a line without end", b"GET /?" + b"a" * 9000, 414),
    ("65 headers", get(headers=b"Host: x\r\n" + b"A: b\r\n" * 64), 431),
    ("long headers", get(headers=b"Host: x\r\nA: " + b"b" * 16384 + b"\r\n"), 431),
    ("Expect", get(POST, b"Host: x\r\nContent-Length: 1\r\nExpect: tea\r\n", body=b"a"), 417),
    ("two empty lines", b"\r\n\r\n" + GET, 400),
    ("TLS to plain", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40, 400),
]


class Hostile(OneProxy):
    def calls(self):
        """How many v3 requests there were, and entries in the books."""
        return len(self.sandbox.log()), len(self.proxy.ledger())

    def test_refused(self):
        self.proxy.get(target="small.example", mode="domain", limit=2)  # what would run is a cheap hit
        for what, data, status in REFUSED:
            for behind in (b"", MARK):
                with self.subTest(what, behind=behind), self.proxy.connect() as connection:
                    before = self.calls()
                    connection.sendall(data + behind)
                    with connection.makefile("rb") as stream:
                        answer = read_answer(stream, "HEAD" if data.startswith(b"HEAD") else "GET")
                        self.assertEqual(answer.status, status, answer)
                        self.assertEqual(answer.headers.get("connection"), "close", answer)
                        self.assertNotIn("transfer-encoding", answer.headers)
                        if status == 405:
                            self.assertIn("GET", answer.headers.get("allow", ""))
                        self.assertEqual(answer.headers.get("x-anchorage-rows", "0"), "0")
                        self.assertEqual(stream.read(), b"", "bytes behind a refusal")
                    self.assertEqual(self.calls(), before, "something ran")

    def test_every_split_is_the_same(self):
        """A byte at a time, a refusal and a good one."""
        for data, status in ((GET.replace(b"Host: x", b"Host : x"), 400), (GET, 200)):
            with self.proxy.connect() as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in data:
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        break
                with connection.makefile("rb") as stream:
                    self.assertEqual(read_answer(stream).status, status)

    def test_a_bad_one_behind_good_ones(self):
        before = len(self.proxy.ledger())
        with self.proxy.connect() as connection:
            connection.sendall(GET + MARK + b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + GET)
            with connection.makefile("rb") as stream:
                answers = [read_answer(stream) for _ in range(3)]
                self.assertEqual([answer.status for answer in answers], [200, 200, 400])
                self.assertEqual(len(answers[0].anchors), 2)
                self.assertEqual(len(answers[1].anchors), 1)
                self.assertEqual(stream.read(), b"")
        settles = [entry for entry in self.proxy.ledger()[before:] if entry["kind"] == "settle"]
        self.assertEqual([entry["rows"] for entry in settles], [3, 2])
        self.assertEqual([entry["id"] for entry in settles], [answer.id for answer in answers[:2]])

    def test_forms_that_are_fine(self):
        token = TOKEN.encode()
        form = b"from=anchors&target=one.example&mode=domain"
        for what, data, method in [
                ("without a slash", b"GET ?" + form + b"&token=" + token + b" HTTP/1.1\r\nHost: x\r\n\r\n", "GET"),
                ("absolute-form", b"GET http://x/?" + form + b"&token=" + token + b" HTTP/1.1\r\nHost: X\r\n\r\n",
                 "GET"),
                ("absolute-form with another host and port than Host",
                 b"GET http://y.example.:81/?" + form + b"&token=" + token + b" HTTP/1.1\r\nHost: X\r\n\r\n", "GET"),
                ("a path of slashes", b"GET ///?" + form + b"&token=" + token + b" HTTP/1.1\r\nHost: X\r\n\r\n", "GET"),
                ("a body on GET", MARK[:-2] + b"Content-Type: application/x-www-form-urlencoded\r\n"
                 b"Content-Length: 12\r\n\r\nfrom=nothing", "GET"),
                ("bytes beyond ASCII in a header", MARK[:-2] + b"X: \xe9\r\nUser-Agent: \xff\xc3\xa4\r\n\r\n", "GET"),
                ("one empty line before", b"\r\n" + MARK, "GET"),
                ("HTTP/1.0 without Host", b"GET /?" + form + b"&token=" + token + b" HTTP/1.0\r\n\r\n", "GET"),
                ("HEAD", b"HEAD /?" + form + b"&token=" + token + b" HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD"),
                ("64 headers", MARK[:-2] + b"A: b\r\n" * 63 + b"\r\n", "GET"),
                ("text/plain over 1.0", b"POST /?" + form + b"&token=" + token + b" HTTP/1.0\r\nContent-Type: "
                 b"text/plain\r\nContent-Length: 11\r\n\r\nline1\nline2", "POST"),
                ("a form", b"POST /?token=" + token + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Type: "
                 b"application/x-www-form-urlencoded; charset=UTF-8\r\n\r\n" % len(form) + form, "POST")]:
            with self.subTest(what):
                answer, is_head = self.proxy.raw(data, method=method), method == "HEAD"
                self.assertEqual((answer.status, answer.rows_charged, answer.fault), (200, 0 if is_head else 2, None), answer)
                self.assertEqual(int(answer.headers.get("content-length", 0)) > 100, not is_head)

    def test_expect(self):
        form = b"target=one.example"
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(b"POST /?from=anchors&mode=domain&token=" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-Continue\r\n"
                               b"Content-Length: %d\r\n\r\n" % len(form))
            self.assertEqual(read_answer(stream).status, 100)
            connection.sendall(form)
            self.assertEqual(read_answer(stream).rows_charged, 2)

    def test_options(self):
        before = self.calls()
        for target in (b"*", CALL):
            answer = self.proxy.raw(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual((answer.status, "content-length" in answer.headers), (204, False))
            self.assertIn("POST", answer.headers["allow"])
        self.assertEqual(self.calls(), before)

    def test_keep_alive(self):
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            for _ in range(3):
                connection.sendall(GET.replace(b"1.1\r\nHost: x", b"1.0\r\nConnection: Keep-Alive"))
                answer = read_answer(stream)
                self.assertEqual((answer.status, answer.headers.get("connection")), (200, "keep-alive"))
            connection.sendall(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
            self.assertEqual(read_answer(stream).headers.get("connection"), "close")
            self.assertEqual(stream.read(), b"")

    def test_a_client_that_leaves_early(self):
        """Its call goes on and is booked once."""
        self.sandbox.script({"match": "anchors", "delay_ms": 300})
        before = len(self.proxy.ledger())
        with self.proxy.connect() as connection:
            connection.sendall(GET.replace(b"small.example", b"early.example"))
            self.sandbox.wait(requests=1)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            new = self.proxy.ledger()[before:]
            if any(entry["kind"] in ("settle", "release", "unknown") for entry in new):
                break
        ends = [entry for entry in new if entry["kind"] != "hold"]
        self.assertEqual(len(ends), 1, new)
        self.assertEqual((ends[0]["kind"], ends[0]["rows"]), ("settle", 1 + ends[0]["results"]), ends)

    def test_many_requests_in_one_go(self):
        self.proxy.raw(GET)
        with self.proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.settimeout(2)
            connection.sendall(GET * 300)
            self.assertEqual({read_answer(stream).status for _ in range(300)}, {200})

    @unittest.skipUnless(os.environ.get("HOSTILE_SLOW"), "takes 10 s")
    def test_a_slow_drip(self):
        """Deadlines are absolute: a byte now and then does not put the header's 10 s off."""
        with self.proxy.connect() as connection:
            connection.settimeout(0.9)
            start = time.monotonic()
            connection.sendall(b"GET /?x")
            answer = b""
            while time.monotonic() - start < 13 and not answer:
                try:
                    answer = connection.recv(1000)
                except TimeoutError:
                    connection.sendall(b"a")
            self.assertRegex(answer, b"^HTTP/1.1 408 ")
            self.assertLess(abs(time.monotonic() - start - 10), 1.5)


if __name__ == "__main__":
    unittest.main()
