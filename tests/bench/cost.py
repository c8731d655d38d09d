# SPDX-License-Identifier: MIT
"""Instructions per byte of the worst inputs of each kind, counted by valgrind's callgrind: the same on every run, whatever
else the machine does. Of each kind there are two sizes. The cost of a byte must stay below a bar, and the larger one must not
cost more per byte than the smaller one, or else it is not linear.

    BUILD_DIR=build-release python3 tests/bench/cost.py [WORD]

Ends with 77 (skipped) when there is no valgrind.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

COST = os.path.abspath(os.path.join(os.environ.get("BUILD_DIR", "build"), "tests", "bench", "cost"))
SKIPPED = 77
GROWTH = 1.15  # of a byte's cost, when there are twice as many: putting short rows in order costs n log n
# Instructions a byte at most, by the longest beginning of the name that stands here.
BARS = {
    "where: ": 130, "having: ": 130, "filter: ": 1100, "filter: letters": 500, "select: ": 180, "order_by: ": 70,
    "limit: ": 70, "output: ": 130, "mode: ": 180, "from: ": 180, "parameters": 90, "target: ": 30, "explain: ": 150,
    "head: ": 60, "text: ": 160, "v3: ": 130,
}


def bar_of(name):
    return BARS[max((start for start in BARS if name.startswith(start)), key=len)]


def count(words):
    """(name, bytes, instructions) of each piece of work, in order."""
    with tempfile.TemporaryDirectory(prefix="anchorage-cost-") as folder:
        file = os.path.join(folder, "part")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=measured_work", "--dump-after=measured_work",
             f"--callgrind-out-file={file}", COST, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{COST} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        for number, line in enumerate(done.stdout.splitlines(), 1):
            size, name = line.split(" ", 1)
            with open(f"{file}.{number}", encoding="utf-8") as part:
                yield name, int(size), int(re.search(r"^summary: (\d+)", part.read(), re.M)[1])


def main():
    if not shutil.which("valgrind"):
        print("skipped: there is no valgrind here to count instructions with")
        return SKIPPED
    parts, wrong = list(count(sys.argv[1:])), []
    for (name, small, of_small), (other, large, of_large) in zip(parts[::2], parts[1::2]):
        assert name == other and large > small
        each, growth, bar = of_large / large, of_large / large / (of_small / small), bar_of(name)
        good = each <= bar and growth <= GROWTH
        print(f"{each:7.1f} instructions a byte (at most {bar}), x {growth:.2f} at twice the size  {name}"
              + ("" if good else "  <-- TOO MUCH"), flush=True)
        if not good:
            wrong.append(name)
    return f"too dear: {', '.join(wrong)}" if wrong or not parts else 0


if __name__ == "__main__":
    sys.exit(main())
