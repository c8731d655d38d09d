# SPDX-License-Identifier: MIT
"""The files that the checks look at: what git tracks or would track; without git, all but build folders."""
import pathlib
import shutil
import subprocess

# Bytes kept as they are, on purpose: inputs and expected answers.
DATA = ("tests/golden/cases/", "tests/golden/data/", "tests/fuzz/corpus/", "tests/unit/config/bad/")


class Skip(Exception):
    """The check cannot be made here; the text says why."""


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(self._list())

    def _list(self):
        if (self.root / ".git").exists() and shutil.which("git"):
            done = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
                cwd=self.root, capture_output=True, check=False)
            if done.returncode == 0:
                names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
                return [n for n in names if n and (self.root / n).is_file()]
        names = []
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not name.startswith((".git/", "build/", "build-", "run/")) and "__pycache__" not in name:
                names.append(name)
        return names

    def exists(self, name):
        return (self.root / name).exists()

    def bytes(self, name):
        return (self.root / name).read_bytes()

    def text(self, name):
        return self.bytes(name).decode("utf-8", "replace")

    def lines(self, name):
        """(number, line) pairs, numbers from 1."""
        return enumerate(self.text(name).split("\n"), 1)

    def ending(self, *ends):
        return [n for n in self.files if n.endswith(ends) and not n.startswith(DATA)]

    def scripts(self):
        """Shell scripts: by name, or by their first line."""
        found = []
        for name in self.files:
            if name.startswith(DATA):
                continue
            if name.endswith(".sh") or ("." not in pathlib.Path(name).name and self._is_script(name)):
                found.append(name)
        return found

    def _is_script(self, name):
        first = self.bytes(name)[:64].split(b"\n")[0]
        return first.startswith(b"#!") and first.rstrip().endswith((b"/sh", b"/bash", b"env bash", b"env sh"))

    def written(self):
        """Everything that people write and read: no data, nothing with NUL bytes."""
        return [n for n in self.files if not n.startswith(DATA) and b"\0" not in self.bytes(n)[:8000]]
