# SPDX-License-Identifier: MIT
"""Files that are not what they should be: configurations, key files, what was learnt of v3, imports. A word each, never an
end by a signal."""
import os
import random
import subprocess
import unittest

from anchorage import BINARY, PATIENCE, SANITIZER, TOKEN, Anchorage
from sandbox import Sandbox


class Files(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = Anchorage(self.sandbox, proxy={"listen": "", "admin": ""})
        self.addCleanup(self.proxy.folder.cleanup)

    def run_it(self, *words, config=None, text=b""):
        """What it says; it must have ended by itself, and with a word when something is wrong."""
        done = subprocess.run([BINARY, *words, "--config", config or self.proxy.config], input=text, capture_output=True,
                              timeout=PATIENCE, cwd=self.proxy.path, check=False)
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        self.assertIn(done.returncode, (0, 1, 2, 78), said[-3000:])
        self.assertIsNone(SANITIZER.search(said), said[-3000:])
        if done.returncode:
            self.assertTrue(done.stderr)
        return done.returncode, said

    def test_a_path_as_long_as_the_system_takes(self):
        """The path of the configuration comes before every path in it."""
        for length in (2000, 2048, 2060, 3000, 4060, 4077, 4090, 4095, 5000):
            with self.subTest(length=length):
                path = "./" * ((length - len("anchorage.conf")) // 2) + "anchorage.conf"
                status, said = self.run_it("check", config=path)
                self.assertEqual(status, 0 if length <= 2048 else 1, said)

    def test_configurations(self):
        with open(self.proxy.config, "rb") as file:
            good = file.read()
        dice = random.Random(3)
        teams = b"".join(b"[team t%d]\n" % n for n in range(60000))
        for content in (b"", b"\0", b"[", b"[team " + b"x" * 70000, good + teams, good + b"; " + b"x" * (1 << 20),
                        b"[proxy]\nlisten =" + b" 127.0.0.1:0" * 5000, b"[upstream]\nurl = https://" + b"a" * 60000,
                        b"[team a]\naddresses =" + b" 10.0.0.0/8" * 5000, dice.randbytes(100000),
                        b"\xef\xbb\xbf" + good, good.replace(b"\n", b"\r\n"), b"[proxy]\nstate_directory = " + b"/x" * 2040):
            path = os.path.join(self.proxy.path, "odd.conf")
            with open(path, "wb") as file:
                file.write(content)
            with self.subTest(content=content[:40]):
                self.run_it("check", config=path)
        for _ in range(60):
            content = bytearray(good)
            for _ in range(dice.randrange(1, 5)):
                content[dice.randrange(len(content))] = dice.randrange(256)
            with open(path, "wb") as file:
                file.write(content)
            self.run_it("check", config=path)
        self.assertEqual(self.run_it("check", config=self.proxy.path)[0], 1)
        self.assertEqual(self.run_it("check", config="/dev/zero")[0], 1)
        self.assertEqual(self.run_it("check", config="/nowhere/it.conf")[0], 1)

    def test_key_files(self):
        path = os.path.join(self.proxy.path, "v3.key")
        for content in (b"", b"\n", b"a b", b"\0", b"x" * 4096, b"x" * 100000, b"\xff\xfe", b"\xef\xbb\xbfkey", b"k\x9bey"):
            with open(path, "wb") as file:
                file.write(content)
            with self.subTest(content=content[:20]):
                self.assertEqual(self.run_it("check")[0], 1)
        os.remove(path)
        os.mkdir(path)
        self.assertEqual(self.run_it("check")[0], 1)

    def test_what_was_learnt(self):
        self.proxy.sections["proxy"]["listen"] = "127.0.0.1:0"
        self.proxy.write_config()
        for content in (b"[main]\npage_rows = 9223372036854775807\nexpires = 9999-12-31T23:59:59Z\nplan = " + b"p" * 5000,
                        b"[main]\npage_rows = 1\nexpires = 0000-01-01T00:00:00Z\nplan = \x1b[31m\xc2\x9b\xff\n",
                        b"[" * 100000, b"\0" * 5000, b"[main]\npage_rows = -5\nexpires = x\n", b"x" * (2 << 20)):
            with self.subTest(content=content[:40]):
                with open(os.path.join(self.proxy.path, "state", "learnt"), "wb") as file:
                    file.write(content)
                with self.proxy:
                    self.assertIsNone(self.proxy.get(limit=3, from_="anchors").fault)
                    self.proxy.get(from_="subscription_info")
                    self.proxy.run("doctor")
                self.proxy = Anchorage(self.sandbox)
                self.addCleanup(self.proxy.folder.cleanup)

    def test_imports(self):
        field = b"x" * (8 << 20)
        for text, status in {b"seo,name," + field: 1, b"seo," + field + b"," + TOKEN.encode(): 1, field + b",name,token0": 1,
                             b'"' + field: 1, b"," * (1 << 20): 1, b"\n" * (1 << 20): 0, b"\0" * 100000: 1,
                             b"seo,n,\xff\xfe" + TOKEN.encode(): 1, b"x" * (33 << 20): 1,
                             b"a,b,c\n" * 100000: 1}.items():
            with self.subTest(text=text[:20], size=len(text)):
                got, said = self.run_it("key", "import", "-", text=text)
                self.assertEqual(got, status, said[-2000:])
                self.assertLess(len(said), 8000)


if __name__ == "__main__":
    unittest.main()
