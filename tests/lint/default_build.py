# SPDX-License-Identifier: MIT
"""The sanitizers in the default build type: it configures, and what its optimizer once took for an error compiles. A whole
build takes minutes, so a few files stand for it; each of them inlines what the others do."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CMAKE = os.environ.get("CMAKE", "cmake")
OBJECTS = ["CMakeFiles/anchorage_mapping.dir/mapping/string.c.o", "CMakeFiles/anchorage_base.dir/base/text.c.o",
           "CMakeFiles/anchorage_ledger.dir/proxy/ledger/entries/entry.c.o"]


def main():
    for tool in (CMAKE, "ninja", "gcc"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            return 77
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([CMAKE, "-G", "Ninja", "-S", SOURCE, "-B", folder, "--log-level=WARNING", "-DCMAKE_C_COMPILER=gcc",
                        "-DANCHORAGE_SANITIZE=ON", "-DANCHORAGE_TESTS=OFF"], check=True)
        commands = subprocess.run(["ninja", "-C", folder, "-t", "commands", *OBJECTS], check=True, capture_output=True,
                                  text=True).stdout
        for flag in ("-O2", "-Werror", "-fsanitize=address,undefined"):
            if any(flag not in line.split() for line in commands.splitlines() if " -c " in line):
                print(f"the default build with sanitizers has no {flag}")
                return 1
        return subprocess.run(["ninja", "-C", folder, *OBJECTS], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
