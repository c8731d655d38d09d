# SPDX-License-Identifier: MIT
"""The client side as its options say: how long a kept connection is kept, and who may connect to a socket file."""
# quick
import os
import socket
import stat
import time
import unittest

from anchorage import Anchorage, PATIENCE, TOKEN, read_answer
from sandbox import Sandbox

GET = f"GET /?from=subscription_info&token={TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Idle(unittest.TestCase):
    def kept(self, address, asks):
        connection = socket.create_connection(address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.sendall(asks)
        with connection.makefile("rb") as stream:
            answer = read_answer(stream)
        self.assertEqual((answer.status, answer.headers.get("connection")), (200, None), answer)
        return connection

    def test_idle_timeout(self):
        """It counts from the start on and by a reload, for connections that are idle already, too; on both sides."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"admin": "127.0.0.1:0", "idle_timeout": "300ms"}) as proxy:
            admin = [line.split()[3] for line in proxy.lines if line.startswith("anchorage: admin on ")][0]
            sides = [(proxy.address, GET), (("127.0.0.1", int(admin.rpartition(":")[2])), HEALTH)]
            began = time.monotonic()
            for connection in [self.kept(*side) for side in sides]:
                self.assertEqual(connection.recv(1), b"")
            self.assertGreater(time.monotonic() - began, 0.25)
            self.assertIn("[proxy] idle_timeout", proxy.reload(proxy={"idle_timeout": "1h"}))
            kept = [self.kept(*side) for side in sides]
            self.assertIn("[proxy] idle_timeout", proxy.reload(proxy={"idle_timeout": "50ms"}))
            for connection in kept:
                self.assertEqual(connection.recv(1), b"")

    def test_bad_values(self):
        with Sandbox(today=None) as sandbox:
            for option, value, why in (("idle_timeout", "75", "has no unit"), ("idle_timeout", "0s", "out of range"),
                                       ("listen_mode", "rw", "is not a mode"), ("listen_mode", "0888", "is not a mode"),
                                       ("listen_mode", "2777", "is not a mode"), ("listen_mode", "", "is empty"),
                                       ("listen_mode", "0444", "lets nobody connect")):
                proxy = Anchorage(sandbox, proxy={option: value})
                try:
                    done = proxy.run("check", check=1)
                    self.assertRegex(done.stderr, rf"anchorage\.conf:5: {option}: .*{why}.*; ")
                finally:
                    proxy.close()


class Mode(unittest.TestCase):
    def modes(self, umask, **options):
        """Of the socket files of listen, listen_tls' sibling in listen, and admin."""
        with Sandbox(today=None) as sandbox:
            proxy = Anchorage(sandbox)
            paths = [os.path.join(proxy.path, name) for name in ("one", "two", "admin")]
            proxy.sections["proxy"] |= {"listen": f"127.0.0.1:0 unix:{paths[0]} unix:{paths[1]}",
                                        "admin": f"unix:{paths[2]}", **options}
            proxy.write_config()
            proxy.wrapper = ["sh", "-c", f'umask {umask}; exec "$@"', "sh"]
            with proxy:
                for path, asks in zip(paths, (GET, GET, HEALTH)):
                    with socket.socket(socket.AF_UNIX) as connection:
                        connection.settimeout(PATIENCE)
                        connection.connect(path)
                        connection.sendall(asks)
                        with connection.makefile("rb") as stream:
                            self.assertEqual(read_answer(stream).status, 200)
                return [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in paths]

    def test_modes(self):
        self.assertEqual(self.modes("077"), ["0o666", "0o666", "0o700"])
        self.assertEqual(self.modes("000", listen_mode="0660"), ["0o660", "0o660", "0o777"])
        self.assertEqual(self.modes("027", listen_mode="622"), ["0o622", "0o622", "0o750"])


if __name__ == "__main__":
    unittest.main()
