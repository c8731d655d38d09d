# SPDX-License-Identifier: MIT
"""Requests of old programs, odd but harmless, are answered; where others could see another end of such a request, the
connection is closed behind the answer, and nothing else that was sent on it runs. The books, v3's log and the log are
the witnesses."""
import json
import os
import socket
import ssl
import subprocess
import unittest

from anchorage import Anchorage, OneProxy, OTHER_TOKEN, PATIENCE, TOKEN, read_answer
from sandbox import Sandbox

QUERY = b"from=anchors&target=one.example&mode=domain&token=" + TOKEN.encode()
SMUGGLED = b"GET /?from=anchors&target=smuggled.example&mode=domain&token=" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n"

# Answered, and nothing behind it is read.
ANSWERED_AND_CLOSED = {
    "bare LFs": b"GET /?" + QUERY + b" HTTP/1.1\nHost: x\nUser-Agent: PHP\n\n",
    "bare LFs in HTTP/1.0": b"GET /?" + QUERY + b" HTTP/1.0\nConnection: keep-alive\n\n",
    "CRLF, then bare LFs": b"GET /?" + QUERY + b" HTTP/1.1\r\nHost: x\n\n",
    "bare LF, then CRLFs": b"GET /?" + QUERY + b" HTTP/1.1\nHost: x\r\n\r\n",
    "a bare LF at the end": b"GET /?" + QUERY + b" HTTP/1.1\r\nHost: x\r\n\n",
    "a bare LF first": b"\nGET /?" + QUERY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare LFs, POST without a body": b"POST /?" + QUERY + b" HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
    "bare LFs and Expect": b"GET /?" + QUERY + b" HTTP/1.1\nHost: x\nExpect: 100-continue\n\n",
    "a blank in the query": b"GET /?where=backlinks > 0&" + QUERY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank before the version": b"GET /?" + QUERY + b"  HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank, absolute-form": b"GET http://y:80?where=backlinks > 0&" + QUERY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank and bare LFs": b"GET //?where=backlinks > 0&" + QUERY + b" HTTP/1.1\nHost: x\n\n",
}


class Front(OneProxy):
    def smuggled(self):
        return [entry for entry in self.proxy.ledger() if entry["target"] == "smuggled.example"]

    def check_nothing_behind(self, connect, data, behind=SMUGGLED, pieces=None):
        with connect() as connection, connection.makefile("rb") as stream:
            everything = data + behind
            for at in range(0, len(everything), pieces or len(everything)):
                connection.sendall(everything[at:at + (pieces or len(everything))])
            answer = read_answer(stream)
            self.assertEqual((answer.status, answer.fault), (200, None), answer)
            self.assertEqual(answer.headers.get("connection"), "close", answer)
            self.assertEqual(len(answer.anchors), 1, answer)
            self.assertEqual(stream.read(), b"", "bytes behind the answer")
        self.assertEqual(self.smuggled(), [], "what was sent behind it ran")

    def test_answered_and_closed(self):
        for what, data in ANSWERED_AND_CLOSED.items():
            with self.subTest(what):
                self.check_nothing_behind(self.proxy.connect, data)

    def test_behind_a_good_one(self):
        """Pipelined: the one before stays open, the one behind is not read."""
        good = b"GET /?" + QUERY + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        for what, data in ANSWERED_AND_CLOSED.items():
            with self.subTest(what), self.proxy.connect() as connection, connection.makefile("rb") as stream:
                connection.sendall(good + data + SMUGGLED)
                first, second = read_answer(stream), read_answer(stream)
                self.assertEqual((first.status, second.status), (200, 200))
                self.assertNotIn("connection", first.headers)
                self.assertEqual(second.headers.get("connection"), "close")
                self.assertEqual(stream.read(), b"")
        self.assertEqual(self.smuggled(), [])

    def test_sent_later(self):
        """What comes only when the answer is here is not read either, while v3 lets the call wait and behind it."""
        for what, data in ANSWERED_AND_CLOSED.items():
            with self.subTest(what), self.proxy.connect() as connection, connection.makefile("rb") as stream:
                self.sandbox.script({"match": "anchors", "delay_ms": 50})
                connection.sendall(data.replace(b"one.example", b"later.example"))
                connection.sendall(SMUGGLED)
                self.assertEqual(read_answer(stream).status, 200)
                try:
                    connection.sendall(SMUGGLED)
                except OSError:
                    pass
                self.assertEqual(stream.read(), b"")
        self.assertEqual(self.smuggled(), [])

    def test_a_body_of_get_is_no_request(self):
        """It is read by its length and means nothing; the connection stays, for nothing is unclear."""
        for method in (b"GET", b"HEAD"):
            with self.proxy.connect() as connection, connection.makefile("rb") as stream:
                head = method + b" /?" + QUERY + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                connection.sendall(head % len(SMUGGLED) + b"\r\n" + SMUGGLED)
                self.assertEqual(read_answer(stream, method.decode()).status, 200)
                connection.sendall(head % len(SMUGGLED) + b"Expect: 100-continue\r\n\r\n")
                self.assertEqual(read_answer(stream, method.decode()).status, 100)
                connection.sendall(SMUGGLED)
                self.assertEqual(read_answer(stream, method.decode()).status, 200)
                connection.sendall(head % 65536 + b"\r\n" + b"a" * 65536)
                answer = read_answer(stream, method.decode())
                self.assertEqual((answer.status, answer.headers.get("connection")), (200, None))
        self.assertEqual(self.smuggled(), [])

    def test_paths(self):
        for path in ("//", "///", "////////"):
            self.assertEqual(self.proxy.get(raw=path + "?" + QUERY.decode()).rows_charged, 2)
        for path in ("/index.php", "//x", "/./", "/%2F", "/;", "//x/"):
            self.refused(self.proxy.get(raw=path + "?" + QUERY.decode()), "not_found")

    def test_a_name_in_no_encoding(self):
        """A User-Agent may be any bytes from 0x20 up; where it is shown it is text."""
        for agent in (b"\xe9\xff", b"\xc2\x9b2J", b"\xed\xa0\x80", "é".encode()):
            answer = self.proxy.raw(b"GET /?from=anchors&target=a.example&mode=domain&token=%s HTTP/1.1\r\nHost: x\r\n"
                                    b"User-Agent: a%sb\r\nCookie: \xff\r\n\r\n" % (OTHER_TOKEN.encode(), agent))
            self.refused(answer, "unknown_key")
            shown = self.proxy.run("key", "list", "--unknown", check=0).stdout
            self.assertRegex(shown, r" a\?[?2J]*b\n$")
            self.assertTrue(shown.isascii())
        for line in self.proxy.lines:
            if line.startswith("{"):
                json.loads(line)


class Elsewhere(unittest.TestCase):
    """The same through TLS, over a unix socket, and while draining."""

    check_nothing_behind = Front.check_nothing_behind
    smuggled = Front.smuggled

    def test_tls_and_unix(self):
        with Sandbox(today=None) as sandbox:
            self.proxy = Anchorage(sandbox)
            path = os.path.join(self.proxy.path, "s")
            pair = [os.path.join(self.proxy.path, name) for name in ("c.pem", "k.pem")]
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-subj", "/CN=localhost", "-days", "30", "-out", pair[0], "-keyout", pair[1]], check=True,
                           capture_output=True)
            self.proxy.sections["proxy"] |= {"listen": f"127.0.0.1:0 unix:{path}", "listen_tls": "127.0.0.1:0",
                                             "tls_certificate": pair[0], "tls_private_key": pair[1]}
            self.proxy.write_config()
            context = ssl.create_default_context(cafile=pair[0])
            context.check_hostname = False
            with self.proxy:
                host, _, port = self.proxy.tls_addresses[0].rpartition(":")

                def over_tls():
                    return context.wrap_socket(socket.create_connection((host, int(port)), timeout=PATIENCE),
                                               suppress_ragged_eofs=False)

                def over_unix():
                    connection = socket.socket(socket.AF_UNIX)
                    connection.settimeout(PATIENCE)
                    connection.connect(path)
                    return connection

                for what, data in ANSWERED_AND_CLOSED.items():
                    for connect in (over_tls, over_unix):
                        with self.subTest(what, connect=connect.__name__):
                            self.check_nothing_behind(connect, data)
                            self.check_nothing_behind(connect, data, pieces=16)

    def test_draining(self):
        """A half request that is completed while draining is the last one, with bare LFs too."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as self.proxy:
            data = ANSWERED_AND_CLOSED["bare LFs"]
            with self.proxy.connect() as connection, connection.makefile("rb") as stream:
                connection.sendall(data[:-1])
                self.proxy.get(target="one.example", mode="domain")  # by its answer the other half is there, too
                self.proxy.terminate()
                self.proxy.says("draining|stopp")
                connection.sendall(data[-1:] + SMUGGLED)
                answer = read_answer(stream)
                self.assertEqual((answer.status, answer.headers.get("connection")), (200, "close"), answer)
                self.assertEqual(stream.read(), b"")
            self.proxy.finish()
            self.assertEqual(self.smuggled(), [])


if __name__ == "__main__":
    unittest.main()
