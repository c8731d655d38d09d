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
            for name, text in (("anchorage.service", re.sub("/[^ ]*/anchorage (serve|check --reload)$", "/bin/true", self.service, flags=re.M)),
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
        # The file is looked at before it is taken. A minimal Debian has no /bin/kill.
        self.assertRegex(self.service, r"\nExecReload=/\S+/bin/anchorage check --reload\nExecReload=/bin/sh -c 'kill -HUP \$MAINPID'\n")
        self.assertNotIn("DynamicUser", self.service)

    def test_it_is_never_given_up(self):
        """But for a configuration that is refused. Pauses that grow need systemd 254; Debian 12 has 252."""
        head, _, rest = self.service.partition("\n[Service]\n")
        service = rest.partition("\n[Install]\n")[0]
        self.assertIn("\nStartLimitIntervalSec=0\n", head)
        for line in ("Restart=on-failure", "RestartSec=1s", "RestartPreventExitStatus=78"):
            self.assertIn(f"\n{line}\n", service)
        self.assertNotRegex(self.service, "RestartSteps|RestartMaxDelaySec|StartLimitBurst")


if __name__ == "__main__":
    unittest.main()
