# SPDX-License-Identifier: MIT
"""What the documents show as an address to listen on is one: `anchorage check` takes it."""
# quick
import glob
import os
import re
import unittest

from anchorage import Anchorage
from sandbox import Sandbox

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# An address by itself: not inside a URL, a path or a longer word.
ADDRESS = re.compile(r"(?<![\w/:.@\[\]%-])"
                     r"(unix:[\w/.-]+|(?:\[[0-9a-fA-F:]+\]|\*|localhost|[0-9a-z]+(?:\.[0-9a-z]+)+):[0-9]{1,5})"
                     r"(?![\w:]|\.\w)")
# What this machine may lack, and says nothing about the form.
OF_THE_MACHINE = r"Permission denied|Cannot assign requested address|Address already in use|Address family not supported"


class Documents(unittest.TestCase):
    def test_addresses(self):
        shown = {}
        for path in [os.path.join(ROOT, name) for name in ("README.md", "config/anchorage.conf")] + \
                sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
            with open(path, encoding="utf-8") as file:
                for address in ADDRESS.findall(file.read()):
                    shown.setdefault(address, os.path.relpath(path, ROOT))
        self.assertLessEqual({"127.0.0.1:8080", "[::1]:8080", "*:8080", "unix:/run/x.sock"}, set(shown))
        with Sandbox(today=None) as sandbox:
            for address, path in shown.items():
                proxy = Anchorage(sandbox)
                try:
                    proxy.sections["proxy"]["listen"] = address.replace("unix:/run/", f"unix:{proxy.path}/")
                    proxy.write_config()
                    done = proxy.run("check")
                    if done.returncode:
                        self.assertRegex(done.stderr, OF_THE_MACHINE, f"{path} shows {address}")
                finally:
                    proxy.close()


if __name__ == "__main__":
    unittest.main()
