# SPDX-License-Identifier: MIT
"""The files that packages are made from, as far as that shows without building them: ./dev package --check does the rest."""
import re
import unittest

from place import SOURCE

DEBIAN = SOURCE / "systemd/debian"


def read(name):
    return (DEBIAN / name).read_text(encoding="utf-8")


class Package(unittest.TestCase):
    def test_version(self):
        version = re.search(r"project\(anchorage VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertTrue(read("changelog").startswith(f"anchorage ({version}-"), "a new version begins with a new entry")

    def test_build_dependencies(self):
        """All libraries that ./dev installs to build, and no other."""
        dev = (SOURCE / "dev").read_text(encoding="utf-8")
        ours = {word for word in re.search(r'packages_build="([^"]*)"', dev)[1].split()
                if word.startswith("lib") or word == "zlib1g-dev"} - {"libc6-dev"}
        theirs = set(re.findall(r"^\s+(lib[\w.+-]+|zlib1g-dev),?$", read("control"), re.M))
        self.assertEqual(theirs, ours)

    def test_two_packages(self):
        self.assertEqual(re.findall("^Package: (.*)$", read("control"), re.M), ["anchorage", "anchorage-sandbox"])
        self.assertIn("config/anchorage.conf etc/anchorage\n", read("anchorage.install"))
        self.assertNotIn("anchorage.conf", read("anchorage-sandbox.install"))

    def test_rules_and_dashboard_can_be_used_where_they_lie(self):
        files = ("alerts.yml", "grafana-dashboard.json")
        kept = set(re.findall(r"-X(\S+)", re.search(r"^override_dh_compress: ;(.*)$", read("rules"), re.M)[1]))
        self.assertEqual(kept, set(files))
        named = set()
        for paper in (SOURCE / "docs").glob("*.md"):
            named |= set(re.findall(r"/usr/\S*/(?:alerts\.yml|grafana-dashboard\.json)", paper.read_text(encoding="utf-8")))
        self.assertEqual(named, {"/usr/share/doc/anchorage/docs/alerts.yml"})

    def test_state_goes_with_a_purge_only(self):
        script = read("anchorage.postrm")
        self.assertEqual(len(re.findall(r"\brm\b", script)), 2)
        guarded = re.search(r'if \[ "\$1" = purge \]; then\n(.*?)\nfi\n', script, re.S)[1]
        self.assertEqual(len(re.findall(r"\brm\b", guarded)), 2)
        self.assertIn("#DEBHELPER#", script)
        for name in ("preinst", "postinst", "prerm"):
            self.assertFalse((DEBIAN / f"anchorage.{name}").exists(), "what debhelper writes is enough")


if __name__ == "__main__":
    unittest.main()
