# SPDX-License-Identifier: MIT
"""Commands of root on books that belong to the daemon's user."""
import os
import unittest

from anchorage import TOKEN, Anchorage


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


if __name__ == "__main__":
    unittest.main()
