# SPDX-License-Identifier: MIT
"""Tools that follow the paths through the code, each over every C file of the programs: analyse.py [TOOL...].

What they find is a failure unless it stands in findings.txt, with the reason why it is none; and so is a line there that
nothing finds any more. The findings are those of Debian 12's versions: others see other things.
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

# All that looks for mistakes, without those whose advice contradicts how we write: parameters in a natural order,
# assignment in a condition.
TIDY_CHECKS = ",".join((
    "-*", "bugprone-*", "clang-analyzer-*", "-bugprone-easily-swappable-parameters",
    "-bugprone-assignment-in-if-condition", "-bugprone-reserved-identifier", "-bugprone-macro-parentheses",
    "-bugprone-narrowing-conversions", "-bugprone-implicit-widening-of-multiplication-result",
    "-clang-analyzer-valist.Uninitialized", "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling"))


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
FINDING = re.compile(r"(?:\S*?/)??((?:base|mapping|config|proxy|tests/sandbox)/\S+?):(\d+):\d+: warning: (.*) \[([^\]]+)\]$")


def run(tool, source, options):
    """(tool, file, check, words): line, each once, however many files include the header it is in."""
    done = subprocess.run(TOOLS[tool](source, options), cwd=ROOT, capture_output=True, text=True, check=False)
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
    tools = tools or [tool for tool in TOOLS if shutil.which("clang" if tool == "scan-build" else tool)]
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
        print(f"{KNOWN.relative_to(ROOT)}:{expected[finding]}: nothing finds this any more; remove it")
    print(f"{', '.join(tools)}: {len(sources)} files, {len(found)} findings, {len(new)} of them new")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
