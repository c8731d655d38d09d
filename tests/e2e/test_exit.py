# SPDX-License-Identifier: MIT
"""How `serve` ends when it cannot start, what it says to the journal of systemd, and `check` beside a running daemon: what
the unit relies on."""
# quick
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

from anchorage import BINARY, PATIENCE, Anchorage
from sandbox import Sandbox

REFUSED = 78
NOWHERE = "http://127.0.0.1:1/v3"
# The journal is whatever standard error is, when the variable names it.
TO_JOURNAL = ["sh", "-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"', "sh"]


class Exit(unittest.TestCase):
    def make(self, *words, **options):
        proxy = Anchorage(*(words or [NOWHERE]), **options)
        self.addCleanup(proxy.close)
        return proxy

    def test_a_configuration_that_is_refused(self):
        def write(name, text):
            return lambda proxy: pathlib.Path(proxy.path, name).write_text(text, encoding="ascii")

        for what, options, change, says in [
                ("a name", {"proxy": {"lisetn": "127.0.0.1:0"}}, None, r":\d+: unknown name"),
                ("a value", {"proxy": {"call_timeout": "soon"}}, None, "is not a duration"),
                ("a rule", {"proxy": {"unknown_keys": "meter"}}, None, "needs a limit"),
                ("no file", {}, lambda proxy: os.remove(proxy.config), "cannot be read"),
                ("no key", {}, lambda proxy: os.remove(os.path.join(proxy.path, "v3.key")), "cannot read the API v3 key"),
                ("an odd key", {}, write("v3.key", "two words\n"), "this is no API v3 key"),
                ("a team's key", {"teams": {"seo": {"api_key_file": "seo.key"}}}, None, "cannot read the API v3 key"),
                ("a token", {"proxy": {"admin": "127.0.0.1:0", "admin_token_file": "t"}}, write("t", "short"), "guessed"),
                ("a certificate", {"proxy": {"listen_tls": "127.0.0.1:0", "tls_certificate": "c", "tls_private_key": "k"}},
                 None, "tls_certificate|c: ")]:
            with self.subTest(what):
                proxy = self.make(**options)
                if change:
                    change(proxy)
                self.assertRegex(proxy.run("check", check=1).stderr, says)
                self.assertRegex(proxy.run("serve", check=REFUSED).stderr, says)

    def test_what_may_pass_by_itself(self):
        """An address that is taken or not there, books that are another's or broken: starting again may help."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            proxy = self.make(proxy={"listen": f"127.0.0.1:{taken.getsockname()[1]}"})
            self.assertIn(os.strerror(98), proxy.run("serve", check=1).stderr)
            os.remove(os.path.join(proxy.path, "v3.key"))
            proxy.run("serve", check=REFUSED)  # it would not start anyway
        self.assertIn(os.strerror(99), self.make(proxy={"listen": "192.0.2.1:8080"}).run("serve", check=1).stderr)
        self.assertIn("listen", self.make(proxy={"listen": "unix:none/x.sock"}).run("serve", check=1).stderr)
        proxy = self.make(proxy={"admin": ""})
        with open(os.path.join(proxy.path, "state", "ledger.db"), "wb") as file:
            file.write(b"x" * 10000)
        self.assertIn("ledger.db", proxy.run("serve", check=1).stderr)
        shutil.rmtree(os.path.join(proxy.path, "state"))
        with proxy:
            self.assertIn("in use by another", proxy.run("serve", check=1).stderr)

    def test_the_command_line(self):
        self.make().run("serve", "now", check=2)
        help_text = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(help_text, r"(?s)Exit status: 0 .* 1 .* 2 .*78")

    def spoil(self, proxy):
        with open(proxy.config, "a", encoding="utf-8") as file:
            file.write("[nothing]\n")

    def test_levels_for_the_journal(self):
        proxy = self.make(proxy={"max_connections": 1000000})
        journal = {**os.environ, "JOURNAL_STREAM": "1:2"}
        for wrapper, has_levels in (([], False), (TO_JOURNAL, True), (["env", "JOURNAL_STREAM=1:2"], False),
                                    (["env", "JOURNAL_STREAM=x"], False)):
            with self.subTest(wrapper=wrapper):
                proxy.write_config()
                process = subprocess.Popen([*wrapper, BINARY, "serve", "--config", proxy.config], stderr=subprocess.PIPE,
                                           text=True, cwd=proxy.path, env=journal)
                self.addCleanup(process.kill)
                lines = []
                for line in process.stderr:
                    lines.append(line)
                    if "anchorage: ready" in line:
                        host, port = re.search(r"listening on (\S+):(\d+)", "".join(lines)).groups()
                        proxy.address = (host, int(port))
                        proxy.get(token="nobody")
                        self.spoil(proxy)
                        process.send_signal(signal.SIGHUP)
                    if "unknown section" in line:
                        process.send_signal(signal.SIGTERM)
                process.stderr.close()
                self.assertEqual(process.wait(PATIENCE), 0)
                text = "".join(lines)
                if not has_levels:
                    self.assertNotRegex(text, "(?m)^<")
                    continue
                for line in lines:
                    self.assertRegex(line, r'^<[346]>(anchorage: |\{")')
                self.assertRegex(text, r'(?m)^<6>\{"time"')
                self.assertRegex(text, "(?m)^<6>anchorage: ready")
                self.assertRegex(text, "(?m)^<4>anchorage: warning: max_connections")
                self.assertRegex(text, "(?m)^<3>anchorage: reload: .* is not taken")
                self.assertRegex(text, "(?m)^<3>anchorage: reload: .*unknown section")

    def test_errors_of_a_start_for_the_journal(self):
        proxy = self.make(proxy={"lisetn": "x", "amdin": "y"})
        for command in ("serve", "check"):
            done = subprocess.run([*TO_JOURNAL, BINARY, command, "--config", proxy.config], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(len(done.stderr.splitlines()), 2)
            for line in done.stderr.splitlines():
                self.assertRegex(line, "^<3>/.*unknown name")

    def test_check_beside_a_running_daemon(self):
        """It says whether a reload would be taken, takes nothing away from the daemon, and says what is wrong."""
        with Sandbox(today=None) as sandbox:
            proxy = Anchorage(sandbox, proxy={"listen": "127.0.0.1:0", "admin": "127.0.0.1:0"})
            self.addCleanup(proxy.close)
            with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
                ports = [one.getsockname()[1], two.getsockname()[1]]
            proxy.sections["proxy"] |= {"listen": f"127.0.0.1:{ports[0]} unix:{proxy.path}/x.sock",
                                        "admin": f"127.0.0.1:{ports[1]}"}
            proxy.write_config()
            proxy.start()
            for _ in range(3):
                self.assertIn("fine", proxy.run("check", check=0).stdout)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(os.path.join(proxy.path, "x.sock"))
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                self.assertIn(b"unknown_key", client.recv(65536))
            self.spoil(proxy)
            for words in (["check"], ["check", "--reload"]):
                self.assertRegex(proxy.run(*words, check=1).stderr, r"anchorage.conf:\d+: unknown section")
            proxy.write_config()
            # What ExecReload runs has no credentials.
            os.remove(os.path.join(proxy.path, "v3.key"))
            proxy.run("check", check=1)
            self.assertIn("fine", proxy.run("check", "--reload", check=0).stdout)
            proxy.sections["proxy"] |= {"tls_certificate": "c.pem", "tls_private_key": "k.pem"}
            proxy.write_config()
            self.assertRegex(proxy.run("check", "--reload", check=1).stderr, r":\d+: .*c\.pem")
            proxy.run("check", "--reload", "now", check=2)
            self.assertIsNone(proxy.get(limit=1).fault)
            self.assertIn("seo", proxy.usage())


if __name__ == "__main__":
    unittest.main()
