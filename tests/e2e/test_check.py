# SPDX-License-Identifier: MIT
"""`check` means that `serve` would: what it tries, what it warns of, and what it says will run."""
# quick
import os
import pathlib
import re
import unittest

from anchorage import TOKEN, Anchorage

NOWHERE = "http://127.0.0.1:1/v3"
KEY = "qX7" + "zR4kW9" * 8


class Check(unittest.TestCase):
    def make(self, **options):
        proxy = Anchorage(NOWHERE, **options)
        self.addCleanup(proxy.close)
        return proxy

    def wrong(self, proxy, pattern):
        """The one line that is said."""
        done = proxy.run("check", check=1)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertNotIn(":0: ", done.stderr)
        self.assertRegex(done.stderr, pattern)

    def fine(self, proxy):
        done = proxy.run("check", check=0)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80 + len(proxy.path), done.stdout)
        return " ".join(done.stdout.split()), done.stderr

    def test_what_will_run(self):
        proxy = self.make(proxy={"admin": "127.0.0.1:0"}, upstream={"units_per_month": 2000000, "requests_per_minute": 60},
                          teams={"seo": {"units_per_month": 5}, "sales": {"units_per_month": 5, "rows_per_month": 5}})
        said, warnings = self.fine(proxy)
        self.assertRegex(said, re.escape(
            f"{proxy.config}: fine: v2 on 127.0.0.1:0, admin on 127.0.0.1:0 (open to this machine), v3 at {NOWHERE} with 60 "
            f"requests a minute, 2,000,000 units a month, 2 teams (2 with limits), books in {proxy.path}/state (none yet, ") +
            r"[0-9.]+ GB free\)$")
        self.assertEqual(warnings, "")
        self.assertEqual(os.listdir(os.path.join(proxy.path, "state")), [])
        proxy.keys = [("seo", TOKEN)]
        proxy.start()
        self.assertIn("(1 key, ", self.fine(proxy)[0])

    def test_the_state_directory(self):
        proxy = self.make()
        state = os.path.join(proxy.path, "state")
        os.rmdir(state)
        self.fine(proxy)
        self.assertFalse(os.path.exists(state))
        pathlib.Path(state).write_text("", encoding="ascii")
        self.wrong(proxy, r":\d+: cannot write in the state directory .*: Not a directory")
        proxy = self.make(proxy={"state_directory": "a/b/c"})
        self.wrong(proxy, r":\d+: cannot make the state directory .*: No such file")

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a folder away")
    def test_the_folder_of_the_daemons_user(self):
        proxy = self.make()
        state = os.path.join(proxy.path, "state")
        os.chown(state, 65534, 65534)
        self.fine(proxy)
        os.chmod(state, 0o500)
        self.wrong(proxy, "its owner may not write there")

    def test_no_listener_and_no_team(self):
        said, warnings = self.fine(self.make(proxy={"listen": ""}))
        self.assertIn("v2 on no address", said)
        self.assertRegex(warnings, r":\d+: warning: there is no address to serve on")
        said, warnings = self.fine(self.make(teams={}))
        self.assertIn("fine, 1 warning: ", said)
        self.assertRegex(warnings, "warning: there is no team")

    def test_what_is_warned_of(self):
        proxy = self.make(upstream={"units_per_month": 100}, teams={"seo": {"units_per_month": 5000}, "b": {"units_per_month": 1}})
        os.chmod(os.path.join(proxy.path, "v3.key"), 0o644)
        said, warnings = self.fine(proxy)
        self.assertIn("fine, 2 warnings: ", said)
        self.assertRegex(warnings, r":\d+: warning: .*v3.key can be read by every user; chmod o-r")
        self.assertRegex(warnings, r":\d+: warning: \[team seo\] units_per_month = 5000 is above the whole's 100")

    def test_a_fault_is_told_once_and_a_default_is_named(self):
        proxy = self.make(teams={"seo": {"api_key_file": "none"}, "sales": {"api_key_file": "none"}})
        self.wrong(proxy, r"\[team seo\] cannot read the API v3 key: .*none: ")
        proxy = self.make()
        del proxy.sections["upstream"]["api_key_file"]
        proxy.write_config()
        os.remove(os.path.join(proxy.path, "v3.key"))
        self.wrong(proxy, r"anchorage\.conf: api_key_file, which is not set: cannot read the API v3 key")
        self.assertNotIn(":0", proxy.run("serve", check=78).stderr)

    def test_no_key_is_told(self):
        """One that was pasted in place of a path, or of any value."""
        for options in ({"upstream": {"api_key_file": KEY}}, {"teams": {"seo": {"api_key_file": KEY}}},
                        {"proxy": {"admin": "127.0.0.1:0", "admin_token_file": KEY}}, {"upstream": {"units_per_month": KEY}},
                        {"upstream": {"url": KEY}}, {"proxy": {"listen": KEY}}, {"proxy": {"unknown_keys": KEY}},
                        {"proxy": {KEY: "x"}}, {"upstream": {"timeout": KEY}}, {"teams": {"seo": {"addresses": KEY}}},
                        {"proxy": {"tls_certificate": KEY, "tls_private_key": KEY, "listen_tls": "127.0.0.1:0"}},
                        {"proxy": {"default_mode": KEY}}, {"upstream": {"proxy": KEY}}):
            with self.subTest(**options):
                proxy = self.make(**options)
                for command, status in (("check", 1), ("serve", 78)):
                    done = proxy.run(command, check=status)
                    self.assertNotIn(KEY[:8], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
