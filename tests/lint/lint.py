# SPDX-License-Identifier: MIT
"""Run one check over the repository: lint.py CHECK [ROOT]. Exit 0: clean, 1: FILE:LINE and what to do, 2: wrong use,
77: the tool that the check needs is not installed."""
import pathlib
import sys

import checks
import tree


def main(argv):
    if len(argv) not in (2, 3) or argv[1] not in checks.CHECKS:
        print("usage: lint.py", "|".join(checks.CHECKS), "[ROOT]", file=sys.stderr)
        return 2
    here = pathlib.Path(__file__).resolve().parents[2]
    repository = tree.Tree(pathlib.Path(argv[2]) if len(argv) == 3 else here)
    try:
        troubles = list(checks.CHECKS[argv[1]](repository))
    except tree.Skip as skip:
        print("skipped:", skip)
        return 77
    for trouble in troubles:
        print(trouble)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
