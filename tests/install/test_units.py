# SPDX-License-Identifier: MIT
"""The units of systemd: systemd itself takes them without a word, and finds the service hardened."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from place import BUILD, SOURCE, need

ANALYZE = need("systemd-analyze")
MOST_EXPOSURE = 1.5


class Units(unittest.TestCase):
    def setUp(self):
        self.service = (BUILD / "anchorage.service").read_text(encoding="utf-8")

    def test_verify(self):
        """With programs that are there."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("anchorage.service", re.sub("^ExecStart=.*$", "ExecStart=/bin/true", self.service, flags=re.M)),
                               ("anchorage.socket", (SOURCE / "systemd/anchorage.socket").read_text(encoding="utf-8"))):
                (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
            done = subprocess.run([ANALYZE, "verify", "--man=no", f"{folder}/anchorage.service", f"{folder}/anchorage.socket"],
                                  capture_output=True, text=True, check=False)
            ours = [line for line in (done.stdout + done.stderr).splitlines() if "anchorage" in line]
            self.assertEqual(ours, [])

    def test_exposure(self):
        done = subprocess.run([ANALYZE, "security", "--offline=true", "--no-pager", BUILD / "anchorage.service"],
                              capture_output=True, text=True, check=False)
        match = re.search(r"Overall exposure level for anchorage.service: ([0-9.]+)", done.stdout)
        if not match:
            self.skipTest("this systemd-analyze cannot look at a file: " + done.stderr.strip())
        self.assertLessEqual(float(match[1]), MOST_EXPOSURE, done.stdout)

    def test_what_the_program_relies_on(self):
        for line in ("Type=notify", "User=anchorage", "LoadCredential=v3.key:/etc/anchorage/v3.key", "StateDirectory=anchorage",
                     "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_BIND_SERVICE"):
            self.assertIn(f"\n{line}\n", self.service)
        self.assertRegex(self.service, r"\nExecStart=/\S+/bin/anchorage serve\n")
        self.assertNotIn("DynamicUser", self.service)


if __name__ == "__main__":
    unittest.main()
