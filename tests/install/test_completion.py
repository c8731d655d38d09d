# SPDX-License-Identifier: MIT
"""The completion of bash, asked as bash asks it."""
import subprocess
import unittest

from place import BUILD, need

BASH = need("bash")


def complete(*words):
    """What is offered for the last word."""
    script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anchorage; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run([BASH, "--norc", "-c", script, BUILD / "anchorage.bash", "anchorage", *words],
                          capture_output=True, text=True, check=True, cwd="/")
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout.split()


class Completion(unittest.TestCase):
    def test_commands(self):
        out = subprocess.run([BUILD / "anchorage", "--help"], capture_output=True, text=True, check=True).stdout
        listed = {line.split()[0] for line in out.splitlines() if line.startswith("  ")}
        self.assertEqual(set(complete("")), listed | {"--help"})
        self.assertEqual(complete("se"), ["serve"])
        self.assertLessEqual({"add", "import", "list", "rotate"}, set(complete("key", "")))
        self.assertEqual(complete("ledger", "b"), ["backup"])

    def test_options_and_their_words(self):
        self.assertLessEqual({"--team", "--name", "--config"}, set(complete("key", "add", "--")))
        self.assertEqual(complete("--config", "x", "usage", "--by", "t"), ["team", "table", "target"])
        self.assertEqual(complete("ledger", "export", "--format", ""), ["jsonl", "csv"])
        self.assertLessEqual({"--units", "--quiet"}, set(complete("ledger", "correct", "--")))
        self.assertEqual(complete("usage", "--bill", ""), [])
        self.assertEqual(complete("version", "--c"), [])

    def test_files(self):
        self.assertIn("/etc", complete("check", "--config", "/et"))
        self.assertIn("/etc", complete("ledger", "backup", "/et"))
        self.assertEqual(complete("key", "disable", "/et"), [])


if __name__ == "__main__":
    unittest.main()
