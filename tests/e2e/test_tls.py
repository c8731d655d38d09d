# SPDX-License-Identifier: MIT
"""TLS in front of the real program: what clients get, what they are refused, and crowds of them."""
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import unittest
import warnings

from anchorage import Anchorage, OneProxy, read_answer
from sandbox import Sandbox
from test_clients import ROWS, request

FOLDER = tempfile.TemporaryDirectory(prefix="anchorage-tls-")


def path(name):
    return os.path.join(FOLDER.name, name)


def make(name, *names, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    """NAME.pem, its own authority, for the names; NAME.key."""
    words = ["-addext", "subjectAltName=" + ",".join(names)] if names else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", f"/CN={name}.test", *words,
                    "-keyout", path(name + ".key"), "-out", path(name + ".pem")], check=True, capture_output=True)


def setUpModule():
    make("first", "DNS:first.example", "IP:127.0.0.1")
    make("second", "DNS:second.example", "DNS:*.wild.example", key=("rsa:2048",))


def tearDownModule():
    FOLDER.cleanup()


def options(**more):
    return {"listen_tls": "127.0.0.1:0", "tls_certificate": f"{path('first.pem')} {path('second.pem')}",
            "tls_private_key": f"{path('first.key')} {path('second.key')}", **more}


def trusting(*names, **attributes):
    """A client's context that trusts only these certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in names or ("first", "second"):
        context.load_verify_locations(path(name + ".pem"))
    for attribute, value in attributes.items():
        setattr(context, attribute, value)
    return context


class Tls:
    """Clients of self.proxy over TLS."""

    def plain(self):
        host, _, port = self.proxy.tls_addresses[0].rpartition(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def connect(self, context=None, name="first.example"):
        return (context or trusting()).wrap_socket(self.plain(), server_hostname=name, suppress_ragged_eofs=False)

    def ask(self, connection, **params):
        connection.sendall(request(self.proxy.params(params)))
        with connection.makefile("rb") as stream:
            return read_answer(stream)


class Clients(Tls, OneProxy):
    @classmethod
    def setUpClass(cls):
        cls.proxy_options = {"proxy": options()}
        super().setUpClass()

    def test_a_call(self):
        with self.connect() as connection:
            answer = self.ask(connection, limit=2)
            self.charged(answer, 3)
            self.assertEqual(connection.version(), "TLSv1.3")

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.connect(trusting(minimum_version=version, maximum_version=version)) as connection:
                self.assertEqual(self.ask(connection, limit=0).status, 200)
        for version in ("TLSv1", "TLSv1_1"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                old = trusting(minimum_version=ssl.TLSVersion[version], maximum_version=ssl.TLSVersion[version])
            old.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError) as raised:
                self.connect(old)
            self.assertEqual(raised.exception.reason, "TLSV1_ALERT_PROTOCOL_VERSION")

    def test_ciphers_without_forward_secrecy_are_refused(self):
        for ciphers in ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "DHE-RSA-AES128-SHA"):
            old = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
            old.set_ciphers(ciphers)
            with self.assertRaises(ssl.SSLError, msg=ciphers):
                self.connect(old, "second.example")
        good = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
        good.set_ciphers("DHE-RSA-AES256-GCM-SHA384")
        with self.connect(good, "second.example") as connection:
            self.assertEqual(self.ask(connection, limit=0).status, 200)

    def test_names(self):
        for name, certificate in (("first.example", "first"), ("second.example", "second"),
                                  ("any.wild.example", "second"), ("127.0.0.1", "first")):
            with self.connect(trusting(certificate), name) as connection:
                self.assertEqual(self.ask(connection, limit=0).status, 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect(name="other.example")

    def test_protocols(self):
        for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.0"], "http/1.0"), (None, None)):
            context = trusting()
            if offered:
                context.set_alpn_protocols(offered)
            with self.connect(context) as connection:
                self.assertEqual(connection.selected_alpn_protocol(), chosen)
                self.assertEqual(self.ask(connection, limit=0).status, 200)
        context = trusting()
        context.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError) as raised:
            self.connect(context)
        self.assertIn("no application protocol", str(raised.exception))

    def test_tickets_are_honoured(self):
        with self.connect() as connection:
            self.ask(connection, limit=0)
            known = connection.session
            context = connection.context
        with context.wrap_socket(self.plain(), server_hostname="first.example", session=known) as connection:
            self.assertEqual(self.ask(connection, limit=0).status, 200)
            self.assertTrue(connection.session_reused)

    def test_plain_http_on_this_port(self):
        with self.plain() as connection, connection.makefile("rb") as stream:
            connection.sendall(request(self.proxy.params({})))
            answer = read_answer(stream)
            self.assertEqual((answer.status, answer.fault, answer.rows_charged), (400, "bad_request", 0))
            self.assertEqual((answer.headers["x-status"], answer.headers["x-results-count"]), ("error", "0"))
            self.assertRegex(answer.id, "^[0-9A-Za-z]{26}$")
            self.assertEqual(stream.read(), b"")
        self.assertEqual(self.sandbox.log(), [])

    def test_pipelining(self):
        with self.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(b"".join(request(self.proxy.params({"limit": limit})) for limit in range(1, 9)))
            self.assertEqual([len(read_answer(stream).anchors) for _ in range(8)], [min(n, 2 + n) for n in range(1, 9)])

    def test_goodbye(self):
        with self.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request(self.proxy.params({"limit": 1}), headers="Connection: close\r\n"))
            self.assertEqual(read_answer(stream).status, 200)
            self.assertEqual(stream.read(), b"", "an end without a goodbye would raise an error here")

    def test_leaving_is_noticed_at_once(self):
        """While v3 works on the call; unit tests measure how soon."""
        def reset(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        for how in (lambda connection: connection.close(), reset):
            self.sandbox.reset()
            self.sandbox.script({**ROWS, "delay_ms": 300})
            before = len(self.proxy.lines)
            connection = self.connect()
            connection.sendall(request(self.proxy.params({"target": f"leave{before}.example"})))
            self.sandbox.wait(requests=1)
            how(connection)
            deadline = time.monotonic() + 20
            while not any('"client_gone":true' in line for line in self.proxy.lines[before:]):
                self.assertLess(time.monotonic(), deadline, "never noticed")
                time.sleep(0.01)

    def test_a_big_answer_to_a_slow_reader(self):
        with self.connect(trusting(maximum_version=ssl.TLSVersion.TLSv1_2)) as connection:
            connection.sendall(request(self.proxy.params({"target": "lower.example"})))
            data = b""
            while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + length(data):
                piece = connection.recv(997)
                self.assertTrue(piece)
                data += piece
        self.assertEqual(len(data), data.index(b"\r\n\r\n") + 4 + length(data))

    def test_a_slow_hello_keeps_nobody_waiting(self):
        stalled = [self.plain() for _ in range(50)]
        for connection in stalled:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        with self.connect() as connection:
            self.assertEqual(self.ask(connection, limit=1).status, 200)
        for connection in stalled:
            connection.close()


def length(data):
    head = data[:data.index(b"\r\n\r\n")].lower()
    return int(head.split(b"content-length:")[1].split()[0])


class Crowds(Tls, unittest.TestCase):
    def test_idle_ones_make_room_and_calls_are_refused_in_time(self):
        """100 at once: at most 80 that are idle stay; behind 95 that are busy a call is told to come again, while the
        admin side answers."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy=options(max_connections=100, admin="127.0.0.1:0"),
                                                       teams={"seo": {"concurrency": 2}}) as self.proxy:
            busy = []
            sandbox.script({**ROWS, "delay_ms": 3000, "times": 2})
            for n in range(96):
                if n == 90:
                    sandbox.wait(requests=2)  # before there are too many: the others wait for the team's turn
                busy.append(self.proxy.connect())
                busy[-1].sendall(request(self.proxy.params({"target": f"busy{n}.example"})))
            deadline = time.monotonic() + 20
            while True:
                answer = self.proxy.get(limit=1)
                if answer.fault == "too_busy":
                    break
                self.assertLess(time.monotonic(), deadline, answer)
            self.assertEqual(answer.status, 503)
            self.assertGreater(int(answer.headers["retry-after"]), 0)
            self.assertEqual(answer.headers["connection"], "close")
            self.assertEqual(answer.rows_charged, 0)
            admin = [line.split()[3] for line in self.proxy.lines if line.startswith("anchorage: admin on ")][0]
            host, _, port = admin.rpartition(":")
            with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as stream:
                connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {admin}\r\n\r\n".encode())
                self.assertEqual(read_answer(stream).status, 200)
            for connection in busy:
                connection.close()
            deadline = time.monotonic() + 20
            while self.proxy.get(limit=1).fault == "too_busy":
                self.assertLess(time.monotonic(), deadline)

    def test_descriptors_run_out_and_come_back(self):
        """A daemon that may have few: it says so at start, does not burn the processor while they are out, and serves
        again when the crowd has gone."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with Sandbox(today=None) as sandbox:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))  # only the soft one: the daemon raises it
            try:
                with Anchorage(sandbox) as raised:
                    with open(f"/proc/{raised.process.pid}/limits", encoding="ascii") as file:
                        line = next(line for line in file if line.startswith("Max open files"))
                    self.assertEqual(line.split()[3], line.split()[4])
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            self.proxy = Anchorage(sandbox, proxy=options())
            try:
                self.proxy.start()
                self.run_out(resource.RLIMIT_NOFILE)
            finally:
                self.proxy.close()

    def run_out(self, files):
        pid = self.proxy.process.pid
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, files, (used + 6, resource.prlimit(pid, files)[1]))
        crowd = [self.plain() for _ in range(30)]
        deadline = time.monotonic() + 20
        while not any("Too many open files" in line for line in self.proxy.lines):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        before, since = cpu(pid), time.monotonic()
        time.sleep(1)
        self.assertLess((cpu(pid) - before) / (time.monotonic() - since), 0.05)
        self.assertLessEqual(sum("Too many open files" in line for line in self.proxy.lines), 4)
        for connection in crowd:
            connection.close()
        with self.connect() as connection:
            self.assertEqual(self.ask(connection, limit=0, token="x").fault, "unknown_key")


class Reload(Tls, unittest.TestCase):
    def swap(self, source):
        for end in (".pem", ".key"):
            with open(path(source + end), "rb") as file, open(path("live" + end), "wb") as out:
                out.write(file.read())
        os.chmod(path("live.key"), 0o600)

    def reload(self, words):
        before = len(self.proxy.lines)
        self.proxy.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while not any(words in line for line in self.proxy.lines[before:]):
            self.assertLess(time.monotonic(), deadline, self.proxy.lines[before:])
            time.sleep(0.01)

    def test_certificates_are_swapped_under_open_connections(self):
        """A renewed file under the same name, then one that is wrong: whoever is there goes on in every case."""
        self.swap("first")
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={
                "listen_tls": "127.0.0.1:0", "tls_certificate": path("live.pem"),
                "tls_private_key": path("live.key")}) as self.proxy:
            with self.connect(trusting("first")) as old:
                self.assertEqual(self.ask(old, limit=1).status, 200)
                self.swap("second")
                self.reload("reload: ")
                self.assertEqual(self.ask(old, limit=1).status, 200)
                with self.connect(trusting("second"), "second.example") as new:
                    self.assertEqual(self.ask(new, limit=1).status, 200)
                with open(path("live.key"), "wb") as file:
                    file.write(b"torn")
                self.reload("live.key: there is no private key in it")
                with self.connect(trusting("second"), "second.example") as new:
                    self.assertEqual(self.ask(new, limit=1).status, 200)
                self.assertEqual(self.ask(old, limit=1).status, 200)


    def test_a_warning_refuses_nothing_and_a_refusal_changes_nothing(self):
        """A reload with a word about the files is taken; one that is refused for another reason leaves the certificates
        as they were."""
        self.swap("first")
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={
                "listen_tls": "127.0.0.1:0", "tls_certificate": path("live.pem"),
                "tls_private_key": path("live.key")}) as self.proxy:
            os.chmod(path("live.key"), 0o644)
            since = len(self.proxy.lines)
            self.assertIn("is taken: [team new] comes", self.proxy.reload(team_new={}))
            self.proxy.says("reload: .*warning: .*every user of this machine can read this private key", since)
            self.swap("second")
            with open(os.path.join(self.proxy.path, "other.key"), "w", encoding="ascii") as file:
                file.write("another-key\n")
            self.assertIn("is not taken", self.proxy.reload(team_other={"api_key_file": "other.key"}))
            with self.connect(trusting("first")) as connection:
                self.assertEqual(self.ask(connection, limit=1).status, 200)


def cpu(pid):
    """Seconds of processor that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Files(unittest.TestCase):
    """check says what is wrong, where; the daemon does not start with it."""

    def said(self, expect, **proxy):
        with Sandbox(today=None) as sandbox:
            server = Anchorage(sandbox, proxy=options(**proxy))
            try:
                done = server.run("check")
                return self.assertEqual(done.returncode, expect, done.stderr) or done.stderr
            finally:
                server.close()

    def test_good(self):
        self.assertEqual(self.said(0), "")

    def test_expired_is_a_warning(self):
        make("expired", "DNS:e.example")
        subprocess.run(["openssl", "x509", "-in", path("expired.pem"), "-signkey", path("expired.key"), "-days", "-1",
                        "-out", path("expired.pem")], check=True, capture_output=True)
        text = self.said(0, tls_certificate=path("expired.pem"), tls_private_key=path("expired.key"))
        self.assertRegex(text, r"anchorage\.conf:\d+: warning: .*expired\.pem: the certificate has expired")

    def test_wrong(self):
        with open(path("words.pem"), "w", encoding="ascii") as file:
            file.write("no certificate\n")
        os.chmod(path("words.pem"), 0o600)
        for certificate, key, option, words in (
                ("missing.pem", "first.key", "tls_certificate", "missing.pem: cannot read the certificate: No such file"),
                ("first.pem", "missing.key", "tls_private_key", "missing.key: cannot read the private key: No such file"),
                ("words.pem", "first.key", "tls_certificate", "words.pem: there is no certificate in it"),
                ("first.pem", "words.pem", "tls_private_key", "words.pem: there is no private key in it"),
                ("first.pem", "second.key", "tls_private_key", "second.key: the private key is not that of the")):
            text = self.said(1, tls_certificate=path(certificate), tls_private_key=path(key))
            line = 1 + list({"listen": 0, "admin": 0, "state_directory": 0, **options()}).index(option) + 1
            self.assertIn(f"anchorage.conf:{line}: {path('')}{words}", text)
            self.assertEqual(text.count("\n"), 1, text)


if __name__ == "__main__":
    unittest.main()
