# SPDX-License-Identifier: MIT
"""Tools that follow the paths through the code, each over every C file of the programs: analyse.py [TOOL...].

What they find is a failure unless it stands in findings.txt, with the reason why it is none. The findings are those of
Debian 12's versions, others see other things: with another version the tool is left out, and 77 returned when none is
left.
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = ("base", "mapping", "config", "proxy", "tests/sandbox")
KNOWN = ROOT / "tests/lint/findings.txt"
PACKAGES = ("libevent_core", "libcurl", "json-c", "libcrypto", "libssl", "sqlite3", "libutf8proc", "libpcre2-8", "zlib")

# All that looks for mistakes but the analyzer, which scan-build runs, and those whose advice contradicts how we write:
# parameters in a natural order, assignment in a condition, texts without a NUL, branches that are rows of a table,
# arrays of pointers, long long for printf.
TIDY_CHECKS = ",".join((
    "-*", "bugprone-*", "-bugprone-easily-swappable-parameters", "-bugprone-assignment-in-if-condition",
    "-bugprone-reserved-identifier", "-bugprone-macro-parentheses", "-bugprone-narrowing-conversions",
    "-bugprone-implicit-widening-of-multiplication-result", "-bugprone-not-null-terminated-result",
    "-bugprone-branch-clone", "-bugprone-sizeof-expression", "-bugprone-misplaced-widening-cast"))


def flags():
    found = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True).stdout
    return ["-std=gnu2x", "-D_GNU_SOURCE", '-DANCHORAGE_VERSION="0"', f"-I{ROOT}", *shlex.split(found)]


def tidy(source, options):
    return ["clang-tidy", "--quiet", f"--checks={TIDY_CHECKS}", source, "--", *options]


def scan(source, options):
    """What scan-build runs for each file."""
    return ["clang", "--analyze", "-Xclang", "-analyzer-output=text", "-Wno-everything", *options, source]


def gcc(source, options):
    return ["gcc", "-fanalyzer", *options, "-c", "-o",
            os.devnull, source]


TOOLS = {"clang-tidy": tidy, "scan-build": scan, "gcc": gcc}
PROGRAMS = {"clang-tidy": ("clang-tidy", "14."), "scan-build": ("clang", "14."), "gcc": ("gcc", "12.")}
FINDING = re.compile(r"(?:\S*?/)??((?:base|mapping|config|proxy|tests/sandbox)/\S+?):(\d+):\d+: warning: (.*) \[([^\]]+)\]$")


def is_here(tool):
    program, version = PROGRAMS[tool]
    if not shutil.which(program):
        return False
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return re.search(r"\b" + re.escape(version), said) is not None


def run(tool, source, options):
    """(tool, file, check, words): line, each once, however many files include the header it is in."""
    done = subprocess.run(TOOLS[tool](source, options), cwd=ROOT, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    found = {}
    for line in done.stdout.splitlines() + done.stderr.splitlines():
        line = line.replace(str(ROOT) + "/", "")
        if ": error: " in line:
            found[(tool, source, "error", line)] = "0"
        match = FINDING.match(line)
        if match:
            found[(tool, match[1], match[4], re.sub(r" \[CWE-\d+\]$", "", match[3]))] = match[2]
    return found


def known():
    """{finding: line of findings.txt}"""
    return {tuple(part.strip() for part in line.split("|")): number
            for number, line in enumerate(KNOWN.read_text(encoding="utf-8").splitlines(), 1)
            if line and not line.startswith("#")}


def main(tools):
    tools = [tool for tool in tools or TOOLS if is_here(tool)]
    if not tools:
        print("skipped: not the tools of Debian 12")
        return 77
    sources = sorted(str(path.relative_to(ROOT)) for place in PLACES for path in (ROOT / place).rglob("*.c"))
    options, found = flags(), {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(lambda job: run(*job, options), [(tool, source) for tool in tools for source in sources]):
            found.update(one)
    expected = known()
    new = sorted(set(found) - set(expected))
    gone = sorted(finding for finding in set(expected) - set(found) if finding[0] in tools)
    for finding in new:
        tool, file, check, words = finding
        print(f"{file}:{found[finding]}: {words} [{check}]; mend it, or write into {KNOWN.relative_to(ROOT)} why it is "
              f"none:\n{tool} | {file} | {check} | {words}")
    for finding in gone:
        print(f"note: {KNOWN.relative_to(ROOT)}:{expected[finding]}: nothing finds this any more; remove it")
    print(f"{', '.join(tools)}: {len(sources)} files, {len(found)} findings, {len(new)} of them new")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
