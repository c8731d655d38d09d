# SPDX-License-Identifier: MIT
"""The completion of bash, asked as bash asks it."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from place import BUILD, need

BASH = need("bash")


def complete(*words, program="anchorage"):
    """What is offered for the last word."""
    script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anchorage; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run([BASH, "--norc", "-c", script, BUILD / "anchorage.bash", program, *words],
                          capture_output=True, text=True, check=True, cwd="/")
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout.split()


class Completion(unittest.TestCase):
    def test_commands(self):
        out = subprocess.run([BUILD / "anchorage", "--help"], capture_output=True, text=True, check=True).stdout
        listed = set(re.findall(r"^  ([a-z]+)  ", out, re.M))
        self.assertEqual(set(complete("")), listed | {"--help"})
        self.assertEqual(complete("se"), ["serve"])
        self.assertLessEqual({"add", "import", "list", "rotate"}, set(complete("key", "")))
        self.assertEqual(complete("ledger", "b"), ["backup"])

    def test_options_and_their_words(self):
        self.assertLessEqual({"--team", "--name", "--config"}, set(complete("key", "add", "--")))
        self.assertEqual(complete("--config", "x", "usage", "--by", "t"), ["team", "table", "target"])
        self.assertEqual(complete("ledger", "export", "--format", ""), ["jsonl", "json", "csv", "text"])
        self.assertLessEqual({"--units", "--quiet"}, set(complete("ledger", "correct", "--")))
        self.assertEqual(complete("usage", "--bill", ""), [])
        self.assertEqual(complete("version", "--c"), ["--config"])

    def test_teams_and_keys_of_the_configuration_that_is_named(self):
        with tempfile.TemporaryDirectory(prefix="anchorage-completion-") as folder:
            config = pathlib.Path(folder, "my.conf")
            config.write_text(f"[proxy]\nstate_directory = {folder}/state\n[upstream]\nurl = http://127.0.0.1:1/v3\n"
                              "[team seo]\n[team sales]\n", encoding="ascii")
            os.mkdir(f"{folder}/state")
            program = str(BUILD / "anchorage")
            key = subprocess.run([program, "key", "add", "--team", "seo", "-c", config, "--quiet", "--token", "0123456789abcdef"],
                                 capture_output=True, text=True, check=True).stdout.strip()
            for option in ("--config", "-c"):
                with self.subTest(option):
                    self.assertEqual(complete("key", option, str(config), "add", "--team", "s"), ["seo", "sales"])
                    self.assertEqual(complete(option, str(config), "key", "disable", key[0], program=program), [key])
                    self.assertEqual(complete("key", option, str(config), "assign", key, "sa", program=program), ["sales"])
                    self.assertIn(key, complete(option, str(config), "key", "assign", "", program=program))

    def test_files(self):
        self.assertIn("/etc", complete("check", "--config", "/et"))
        self.assertIn("/etc", complete("ledger", "backup", "/et"))
        self.assertEqual(complete("key", "disable", "/et"), [])


if __name__ == "__main__":
    unittest.main()
