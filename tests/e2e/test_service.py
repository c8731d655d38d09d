# SPDX-License-Identifier: MIT
"""The daemon under a supervisor that does what systemd does: it is told of every step, keeps the listening sockets, and
restarts at any time. No client may notice."""
import http.client
import os
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from anchorage import PATIENCE, Anchorage, read_answer
from gate import Gate
from sandbox import Sandbox

# The bar is a hundred; SERVICE_RESTARTS=100 runs them all.
RESTARTS = int(os.environ.get("SERVICE_RESTARTS", "25"))


class Supervisor:
    """The socket that a daemon of Type=notify speaks to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(PATIENCE)
        self.path = path

    def hear(self, key):
        """The next message with `key`, as a dict."""
        while True:
            message = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
            if key in message:
                return message

    def close(self):
        self.socket.close()


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


class Service(unittest.TestCase):
    def proxy(self, upstream=None, **options):
        """A proxy that is not started yet."""
        url = upstream.url if upstream else self.enterContext(Sandbox(today=None)).url
        proxy = Anchorage(url, **options)
        self.addCleanup(proxy.close)
        return proxy

    def listener(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.bind(address)
        listener.listen(128)
        return listener

    def test_notify(self):
        proxy = self.proxy()
        supervisor = Supervisor(os.path.join(proxy.path, "notify"))
        self.addCleanup(supervisor.close)
        proxy.supervise(NOTIFY_SOCKET=supervisor.path).start()
        ready = supervisor.hear("READY")
        self.assertEqual((ready["READY"], ready["STATUS"]), ("1", "serving"))
        self.assertEqual(proxy.get(limit=1).status, 200)
        before = time.monotonic_ns() // 1000
        proxy.reload(team_seo={"rows_per_month": 5})
        reloading = supervisor.hear("RELOADING")
        self.assertEqual(reloading["RELOADING"], "1")
        self.assertTrue(before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000)
        self.assertEqual(supervisor.hear("READY")["STATUS"], "serving")
        proxy.reload(team_seo={"rows_per_month": "five"})
        self.assertIn("refused", supervisor.hear("READY")["STATUS"])
        proxy.terminate()
        stopping = supervisor.hear("STOPPING")
        self.assertEqual((stopping["STOPPING"], stopping["EXTEND_TIMEOUT_USEC"]), ("1", "100000000"), stopping)
        proxy.finish()

    def test_watchdog(self):
        """A sign of life at half of the time; not when another process is watched."""
        proxy = self.proxy()
        name = "\0anchorage-" + os.path.basename(proxy.path)
        supervisor = Supervisor(name)
        self.addCleanup(supervisor.close)
        proxy.supervise(NOTIFY_SOCKET="@" + name[1:], WATCHDOG_USEC="200000").start()
        for _ in range(3):
            self.assertEqual(supervisor.hear("WATCHDOG"), {"WATCHDOG": "1"})
        proxy.stop()
        supervisor.hear("STOPPING")
        proxy.supervise(NOTIFY_SOCKET="@" + name[1:], WATCHDOG_USEC="1000", WATCHDOG_PID="1").start()
        proxy.get(limit=1)
        proxy.stop()
        self.assertIn("READY", supervisor.hear("STATUS"))
        self.assertIn(b"STOPPING=1", supervisor.socket.recv(4096), "and nothing in between")

    def test_a_supervisor_that_cannot_be_told(self):
        proxy = self.proxy().supervise(NOTIFY_SOCKET="relative")
        with self.assertRaisesRegex(RuntimeError, "NOTIFY_SOCKET is relative"):
            proxy.start()
        proxy.supervise(NOTIFY_SOCKET="/nobody/is/there").start()
        self.assertEqual(proxy.get(limit=1).status, 200)

    def test_sockets(self):
        """By name, in place of the addresses in the configuration."""
        proxy = self.proxy(proxy={"listen": "unix:/not/there", "admin": "unix:/not/there/either"})
        path = os.path.join(proxy.path, "http.sock")
        first, admin = self.listener(), self.listener()
        second = self.listener(socket.AF_UNIX, path)
        proxy.supervise({"admin": [admin], "http": [first, second]}).start()
        self.assertEqual(proxy.address, first.getsockname())
        self.assertEqual(proxy.addresses[1], "unix:" + path)
        self.assertEqual(proxy.get(limit=1).status, 200)
        asked = http.client.HTTPConnection(*admin.getsockname(), timeout=PATIENCE)
        asked.request("GET", "/readyz")
        self.assertEqual(asked.getresponse().status, 200)
        asked.close()
        proxy.stop()
        self.assertTrue(os.path.exists(path), "the supervisor's")

    def test_sockets_for_tls(self):
        """The certificate is the configuration's, the socket the supervisor's; both kinds stay apart."""
        proxy = self.proxy(proxy={"tls_certificate": "tls.pem", "tls_private_key": "tls.key"})
        certificate = os.path.join(proxy.path, "tls.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=x", "-addext", "subjectAltName=DNS:x.example", "-keyout",
                        os.path.join(proxy.path, "tls.key"), "-out", certificate], check=True, capture_output=True)
        plain, secure = self.listener(), self.listener()
        proxy.supervise({"tls": [secure], "http": [plain]}).start()
        self.assertEqual(proxy.get(limit=1).status, 200)
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection(secure.getsockname(), PATIENCE) as connection, \
                context.wrap_socket(connection, server_hostname="x.example") as tls, tls.makefile("rwb") as stream:
            stream.write(request(proxy.params({"limit": 2})))
            stream.flush()
            self.assertEqual(len(read_answer(stream).anchors), 2)

    def test_sockets_that_are_not_ours(self):
        proxy = self.proxy()
        for name, says in ("anchorage.socket", "must be\\s+http, tls or admin"), ("tls", "for TLS: there is no certificate"):
            with self.assertRaisesRegex(RuntimeError, says):
                proxy.supervise({name: [self.listener()]}).start()
        proxy.supervise(LISTEN_FDS="1", LISTEN_PID="1").start()
        self.assertEqual(proxy.get(limit=1).status, 200, "meant for another process")

    def test_no_client_notices_a_restart(self):
        """New connections all the time, old ones that are reused, and ones that rest; a request in flight each time."""
        listener = self.listener()
        proxy = self.proxy(teams={"seo": {}}).supervise({"http": [listener]})
        over, counts, wrong = threading.Event(), [0] * 4, []

        def call(index, stream):
            stream.write(request(proxy.params({"limit": 1 + counts[index] % 3, "target": f"t{index}.example"})))
            stream.flush()
            answer = read_answer(stream)
            if answer is None or answer.status != 200 or answer.fault:
                raise AssertionError(answer)
            counts[index] += 1
            return answer.headers.get("connection") != "close"

        def client(index, reuses, rests):
            try:
                while not over.is_set():
                    with socket.create_connection(listener.getsockname(), PATIENCE) as connection, \
                            connection.makefile("rwb") as stream:
                        while call(index, stream) and reuses and not over.is_set():
                            # As clients do: a connection that was closed while it rested is not used again.
                            if rests and select.select([connection], [], [], 0.05)[0]:
                                break
            except (OSError, AssertionError) as error:
                wrong.append((index, error))

        proxy.start()
        threads = [threading.Thread(target=client, args=(index, index > 0, index == 3)) for index in range(len(counts))]
        for thread in threads:
            thread.start()
        for _ in range(RESTARTS):
            before = list(counts)
            while not wrong and any(now <= then for now, then in zip(counts, before)):
                over.wait(0.01)
            proxy.stop()
            proxy.start()
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(wrong, [])
        usage = proxy.usage()["seo"]
        self.assertEqual((usage["calls"], usage["faults"], usage["units_unknown"], usage["rows_held"]),
                         (sum(counts), 0, 0, 0))

    def test_draining(self):
        """What is on its way is served, half of a request too; pipelined ones behind the answer are not; then the end."""
        with Gate(self.enterContext(Sandbox(today=None))) as gate:
            proxy = self.proxy(gate).start()
            gate.shut()
            with proxy.connect() as busy, proxy.connect() as half, proxy.connect() as fresh:
                busy.sendall(request(proxy.params({"limit": 1})) + request(proxy.params({"limit": 2})))
                gate.wait(1)
                data = request(proxy.params({"limit": 3}))
                half.sendall(data[:40])
                fresh.sendall(b"\r\n")
                proxy.terminate()
                proxy.says("draining: no new connections; 3 are open")
                fresh.sendall(request(proxy.params({"limit": 4})))
                half.sendall(data[40:])
                gate.open()
                for connection, limit in (busy, 1), (half, 3), (fresh, 4):
                    with connection.makefile("rb") as stream:
                        answer = read_answer(stream)
                        self.assertEqual((answer.status, len(answer.anchors)), (200, limit), answer)
                        self.assertEqual(answer.headers["connection"], "close")
                        self.assertEqual(stream.read(), b"")
                proxy.finish()
        self.assertEqual(proxy.usage()["seo"]["calls"], 3)

    def test_too_late_while_draining(self):
        """In the second half of drain_timeout nothing new is begun."""
        proxy = self.proxy(proxy={"drain_timeout": "2s"}).start()
        begun = [self.enterContext(proxy.connect()) for _ in range(12)]
        data = request(proxy.params({"limit": 1}))
        for connection in begun:
            connection.sendall(data[:40])
        proxy.get(token="x")
        proxy.terminate()
        faults = []
        for connection in begun:
            with connection.makefile("rb") as stream:
                connection.sendall(data[40:])
                answer = read_answer(stream)
                faults.append(answer.fault)
                if answer.fault:
                    self.assertEqual((answer.status, answer.fault), (503, "draining"))
                    break
                threading.Event().wait(0.12)
        self.assertEqual(faults[0], None)
        self.assertEqual(faults[-1], "draining")
        proxy.finish()

    def test_the_second_signal_ends_at_once(self):
        with Gate(self.enterContext(Sandbox(today=None))) as gate:
            proxy = self.proxy(gate).start()
            gate.shut()
            with proxy.connect() as busy:
                busy.sendall(request(proxy.params({})))
                gate.wait(1)
                proxy.terminate()
                proxy.says("draining")
                proxy.process.send_signal(signal.SIGHUP)
                proxy.says("reload: not while draining")
                proxy.terminate()
                proxy.finish()
        self.assertEqual(proxy.usage()["seo"]["rows_held"], 0)


if __name__ == "__main__":
    unittest.main()
