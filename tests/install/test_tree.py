# SPDX-License-Identifier: MIT
"""What an installation puts where."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from place import BUILD, CMAKE

EXPECTED = """
bin/anchorage
bin/anchorage-sandbox
lib/systemd/system/anchorage.service
lib/systemd/system/anchorage.socket
lib/sysusers.d/anchorage.conf
lib/tmpfiles.d/anchorage.conf
share/bash-completion/completions/anchorage
share/doc/anchorage/README.md
share/doc/anchorage/CHANGELOG.md
share/doc/anchorage/LICENSE
share/doc/anchorage/config/anchorage.conf
share/doc/anchorage/docs/operations.md
share/doc/anchorage/docs/alerts.yml
share/doc/anchorage/docs/grafana-dashboard.json
share/man/man1/anchorage.1
share/man/man1/anchorage-sandbox.1
share/man/man5/anchorage.conf.5
""".split()


class Tree(unittest.TestCase):
    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([CMAKE, "--install", BUILD, "--prefix", "/opt/x"], check=True, capture_output=True,
                           env={**os.environ, "DESTDIR": folder})
            root = pathlib.Path(folder) / "opt/x"
            found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
            for name in EXPECTED:
                self.assertIn(name, found)
            more = {name for name in found - set(EXPECTED) if not name.startswith("share/doc/anchorage/docs/")}
            self.assertEqual(more, set(), "name it in EXPECTED, and in the package that it belongs to")
            self.assertEqual({path.name for path in pathlib.Path(folder).iterdir()}, {"opt"})


if __name__ == "__main__":
    unittest.main()
