# SPDX-License-Identifier: MIT
"""Where things are, and how to leave when a tool is missing."""
import os
import pathlib
import shutil
import sys

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", SOURCE / "build")).resolve()
CMAKE = os.environ.get("CMAKE", "cmake")


def need(tool):
    """Its path; else the test is skipped."""
    path = shutil.which(tool)
    if not path:
        print(f"skipped: {tool} is not installed")
        sys.exit(77)
    return path
