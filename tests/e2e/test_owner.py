# SPDX-License-Identifier: MIT
"""Commands of root on books that belong to the daemon's user."""
import os
import subprocess
import unittest

from anchorage import BINARY, TOKEN, Anchorage


class Nothing(unittest.TestCase):
    def test_reading_makes_nothing(self):
        proxy = Anchorage("http://127.0.0.1:1/v3")
        self.addCleanup(proxy.close)
        state = os.path.join(proxy.path, "state")
        with open(os.path.join(proxy.path, "keys.csv"), "w", encoding="ascii") as file:
            file.write(f"seo,crawler,{TOKEN}\n")
        before = sorted(os.listdir(proxy.path))
        for there in (True, False):
            if not there:
                os.rmdir(state)
                before.remove("state")
            for words in (["usage"], ["usage", "--format", "json"], ["key", "list"], ["key", "list", "--unknown"],
                          ["ledger", "verify"], ["ledger", "export"], ["ledger", "backup", "b.db"],
                          ["key", "import", "--dry-run", "keys.csv"]):
                with self.subTest(words=words, there=there):
                    done = proxy.run(*words, check=1)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(done.stderr, f"anchorage {' '.join(words[:1 + (words[0] != 'usage')])}: there are no books in "
                                     f"{state} yet; the daemon makes them at its first start\n")
                    self.assertEqual(sorted(os.listdir(proxy.path)), before)
            if there:
                self.assertEqual(os.listdir(state), [])


@unittest.skipUnless(os.geteuid() == 0, "only root can give a folder away")
class Owner(unittest.TestCase):
    def test_root_leaves_nothing_of_its_own(self):
        proxy = Anchorage("http://127.0.0.1:1/v3")
        self.addCleanup(proxy.close)
        state = os.path.join(proxy.path, "state")
        os.chmod(proxy.path, 0o755)
        os.chown(state, 65534, 65534)
        proxy.run("key", "add", "--team", "seo", "--token", TOKEN, check=0)
        names = os.listdir(state)
        self.assertTrue(names)
        self.assertEqual({os.stat(os.path.join(state, name)).st_uid for name in names}, {65534})

    def test_books_of_another(self):
        proxy = Anchorage("http://127.0.0.1:1/v3")
        self.addCleanup(proxy.close)
        state = os.path.join(proxy.path, "state")
        proxy.run("key", "add", "--team", "seo", "--token", TOKEN, check=0)
        os.chown(state, 65534, 65534)
        for words in (["usage"], ["key", "add", "--team", "seo"], ["doctor"]):
            self.assertIn(f"chown -R 65534:65534 {state}", proxy.run(*words, check=1).stderr)
        subprocess.run(["chown", "-R", "65534:65534", proxy.path], check=True)
        proxy.run("usage", check=0)
        subprocess.run(["chown", "-R", "65533:65533", state], check=True)
        os.chmod(state, 0o777)
        done = subprocess.run([BINARY, "key", "add", "--team", "seo", "--config", proxy.config], capture_output=True, text=True,
                              check=False, user=65534, group=65534, extra_groups=[])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^anchorage key add: the books in .* are those of user .*; .*: sudo -u ")


if __name__ == "__main__":
    unittest.main()
