# SPDX-License-Identifier: MIT
"""The checks. Each takes a Tree and yields lines "FILE:LINE: what is wrong; what to do"."""
import json
import re
import shutil
import subprocess
import tempfile

import rooms
import shape
import tree

RULES = shape.RULES
MAX_FUNCTION = 120
MAX_FILE = 900


def includes(repository):
    """Our own headers: who may know whom."""
    known = set()
    for name, number, header, quoted in _includes(repository):
        if not quoted:
            continue
        where = f"{name}:{number}: includes \"{header}\""
        room = rooms.of(name)
        if not repository.exists(header):
            if room != "tests":
                yield f"{where}, which is no file; write the path from the top of the repository"
            continue
        other = rooms.of(header)
        known.add((room, other))
        if other not in rooms.MAY_KNOW[room]:
            allowed = ", ".join(sorted(rooms.MAY_KNOW[room]))
            yield (f"{where}, but {room} may know only: {allowed}; hand the thing in from above, "
                   f"or move what both need into base")
    for room in rooms.NO_MORE_THAN_USED:
        for other in sorted(rooms.MAY_KNOW[room] - {room}):
            if (room, other) not in known:
                yield f"{RULES}: MAY_KNOW lets {room} know {other}, which it does not use; take it out"


def third_party(repository):
    """Headers of others: each in its one place, and never in a header of ours."""
    users = {}
    for name, number, header, quoted in _includes(repository):
        if quoted or header in rooms.SYSTEM or header.startswith(rooms.SYSTEM_FOLDERS):
            continue
        where = f"{name}:{number}: includes <{header}>"
        rule = next((r for r in rooms.THIRD_PARTY if header.startswith(r.prefix)), None)
        if rule is None:
            yield f"{where}, which no rule knows; say in tests/lint/rooms.py who may use it, and in README.md why"
            continue
        if rooms.of(name) == "tests":
            continue
        if not name.startswith(rule.places):
            yield f"{where}, which is allowed only in {', '.join(rule.places) or 'tests'}; go through that room's header"
        elif name.endswith(".h"):
            yield f"{where} in a header of ours; declare the type incomplete there and include it in the .c"
        elif rule.one_file and users.setdefault(rule.prefix, name) != name:
            yield f"{where}, and so does {users[rule.prefix]}; one file hides it from all others"


def _includes(repository):
    for name in repository.ending(".c", ".h", ".def"):
        for number, line in repository.lines(name):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if match:
                yield name, number, match[2], match[1] == '"'


def format(repository):
    """clang-format, for every C file."""
    if not shutil.which("clang-format"):
        raise tree.Skip("clang-format is not installed")
    sources = repository.ending(".c", ".h")
    if not sources:
        return
    done = subprocess.run(["clang-format", "--style=file", "--dry-run", *sources], cwd=repository.root,
                          capture_output=True, text=True, check=False)
    seen = set()
    for match in re.finditer(r"^(\S+?):(\d+):\d+: (?:warning|error): ", done.stderr, re.M):
        if match[1] not in seen:
            seen.add(match[1])
            yield f"{match[1]}:{match[2]}: is not formatted; run ./dev format"
    if done.returncode and not seen:
        yield f".clang-format:1: clang-format failed: {done.stderr.strip()}"


def whitespace(repository):
    """No tabs, no blanks at line ends, LF, one newline at the end."""
    for name in repository.written():
        text = repository.bytes(name)
        if not text:
            continue
        for number, line in enumerate(text.split(b"\n"), 1):
            if b"\t" in line:
                yield f"{name}:{number}: has a tab; use spaces"
            if line.endswith(b"\r"):
                yield f"{name}:{number}: ends in CR LF; use LF"
            elif line != line.rstrip():
                yield f"{name}:{number}: has blanks at its end; remove them"
        if not text.endswith(b"\n") or text.endswith(b"\n\n"):
            yield f"{name}:{text.count(bytes([10])) + 1}: must end in exactly one newline"


def licence(repository):
    """The SPDX line: first in C files, first or second in scripts."""
    for name in sorted(set(repository.ending(".c", ".h", ".def", ".py") + repository.scripts())):
        head = repository.text(name).split("\n")[:2]
        if name.endswith((".c", ".h", ".def")):
            good = head[0].startswith("/* SPDX-License-Identifier: MIT")
        else:
            good = any(line == "# SPDX-License-Identifier: MIT" for line in head)
        if not good and repository.bytes(name).strip():
            yield f"{name}:1: has no 'SPDX-License-Identifier: MIT' at its top; write it there"


# The brackets keep this file from naming what it forbids.
FORBIDDEN = (
    (r"/w[o]rk/(main|shared)|/w[o]rk\b|\bshar[e]d/(reference|design|interface|style)", "a path of one machine"),
    (r"/r[o]ot/|/h[o]me/[a-z]", "a path of one machine"),
    (r"(?<![\w&%:#\"'(/.])#\d{1,4}\b(?![;0-9a-fA-F])|\b[Ii]ssue #?\d+", "the number of an issue; say what the matter is"),
    (r"\b(A[I]|LL[M]s?|GP[T]|Cl[a]ude|Anthr[o]pic|Copil[o]t|Ch[a]tGPT)\b", "who or what wrote it"),
    (r"\b([Ss]ub-?|[Cc]oding |[Tt]he |[Aa]n |[Bb]y |[Oo]ther |[Oo]ur )[Aa]g[e]nts?\b", "who or what wrote it"),
    (r"\b[Hh]elper (sess[i]on|proc[e]ss)", "who or what wrote it"),
    (r"\b[Ss]ess[i]ons?\b", "a stretch of work"),
    (r"\b(cr[a]tes\.io|pyp[i]\.org|pyth[o]nhosted\.org|npmj[s]\.(com|org)|r[u]bygems\.org|proxy\.g[o]lang\.org)",
     "the host of a package registry"),
)
# Words of the trade that look alike.
INNOCENT = re.compile(r"[Uu]ser[-_ ]?[Aa]gents?|(TLS|SSL|tls|ssl|OpenSSL)[-_ ]?[Ss]ess[i]ons?|[Ss]ess[i]on (tick[e]t|resumpt|id)s?"
                      r"|connection\.sess[i]on|sess[i]on=known|/shar[e]d/")


def words(repository):
    """What a reader elsewhere could not understand, or must not depend on."""
    for name in repository.written():
        for number, line in repository.lines(name):
            kept = INNOCENT.sub("", line)
            for pattern, what in FORBIDDEN:
                match = re.search(pattern, kept)
                if match:
                    yield f"{name}:{number}: {match[0]!r} names {what}; leave it out"


def links(repository):
    """Links in Markdown to files: they exist. Anchors of headings: they exist, too."""
    for name in repository.ending(".md"):
        folder = (repository.root / name).parent
        fenced = False
        for number, line in repository.lines(name):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, heading = target.partition("#")
                file = folder / path if path else repository.root / name
                if not file.exists():
                    yield f"{name}:{number}: links to {target}, which is not there; correct or remove it"
                elif heading and file.suffix == ".md" and heading not in _headings(file.read_text("utf-8")):
                    yield f"{name}:{number}: links to {target}, but no heading there is called so"


def _headings(text):
    found = set()
    for title in re.findall(r"^#+ +(.*?)\s*$", text, re.M):
        found.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return found


def options(repository):
    """Every option stands in the example configuration, and no other does."""
    table, example = "config/options.def", "config/anchorage.conf"
    if not repository.exists(table) or not repository.exists(example):
        raise tree.Skip(f"{table} and {example} are not both there")
    known = {}
    for number, line in repository.lines(table):
        match = re.match(r"\s*OPTION\w*\(\s*\"?([a-z_]+)\"?\s*,\s*\"?([a-z_]+)\"?", line)
        if match:
            known.setdefault((match[1].lower(), match[2]), number)
    if not known:
        yield f"{table}:1: no line is understood as OPTION(section, name, …); mend the pattern in tests/lint/checks.py"
    shown = _example_options(repository, example)
    for (section, option), number in known.items():
        if (section, option) not in shown:
            yield f"{table}:{number}: [{section}] {option} is not in {example}; show it there with its default and a comment"
    for (section, option), number in shown.items():
        if (section, option) not in known and section in {s for s, _ in known}:
            yield f"{example}:{number}: [{section}] {option} is not in {table}; remove it"


def _example_options(repository, example):
    section, shown = "", {}
    for number, line in repository.lines(example):
        heading = re.match(r";?\s*\[([a-z_]+)( [^\]]*)?\]\s*$", line)
        if heading:
            section = heading[1]
            continue
        match = re.match(r";?\s*([a-z_]+) *=", line)
        if match:
            shown.setdefault((section, match[1]), number)
    return shown


def metrics(repository):
    """Every metric stands in docs/admin.md as in the table, and what documents, dashboard and alerts name is a metric."""
    table, page = "proxy/admin/counters.def", "docs/admin.md"
    if not repository.exists(table) or not repository.exists(page):
        raise tree.Skip(f"{table} and {page} are not both there")
    rows, kinds = {}, {}
    for number, line in repository.lines(table):
        match = re.match(r'METRIC\(\w+, "(\w+)", (\w+), "(\w*)", "(.*)"\)$', line)
        if match:
            label = f"`{match[3]}`" if match[3] else ""
            rows[f"| `{match[1]}` | {match[2].lower()} | {label} | {match[4]} |"] = number
            kinds[match[1]] = match[2]
        elif line.startswith("METRIC("):
            yield f"{table}:{number}: is not one line METRIC(NAME, \"name\", KIND, \"label\", \"help\")"
    shown = [line for _, line in repository.lines(page) if re.match(r"\| `(anchorage|process)_", line)]
    for row, number in rows.items():
        if row not in shown:
            yield f"{table}:{number}: {page} lacks the line: {row}"
    for number, line in repository.lines(page):
        if line in shown and line not in rows:
            yield f"{page}:{number}: is no row of {table}; remove or correct it"
    names = set(kinds) | {name + end for name, kind in kinds.items() if kind == "HISTOGRAM"
                          for end in ("_bucket", "_sum", "_count")}
    for name in repository.ending("docs/alerts.yml", "docs/grafana-dashboard.json", ".md"):
        for number, line in repository.lines(name):
            for word in re.findall(r"\b(?:anchorage|process)_[a-z0-9_]+", line):
                if word not in names:
                    yield f"{name}:{number}: {word} is no metric of {table}"


def alerts(repository):
    """promtool takes the rules; the dashboard is JSON whose queries promtool takes as well."""
    rules, dashboard = "docs/alerts.yml", "docs/grafana-dashboard.json"
    if not repository.exists(rules) or not repository.exists(dashboard):
        raise tree.Skip(f"{rules} and {dashboard} are not both there")
    try:
        panels = json.loads(repository.text(dashboard))["panels"]
    except (ValueError, KeyError) as error:
        yield f"{dashboard}:1: is no dashboard: {error}"
        return
    if not shutil.which("promtool"):
        raise tree.Skip("promtool is not installed")
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    queries = [re.sub(r"\$\w+", ".*", query.replace("$__rate_interval", "5m")) for query in queries]
    records = {"groups": [{"name": "queries", "rules": [{"record": f"q:{number}", "expr": query}
                                                        for number, query in enumerate(queries)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(json.dumps(records))
        file.flush()
        for name, path in (rules, repository.root / rules), (dashboard, file.name):
            done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"{name}:1: promtool: {' '.join((done.stdout + done.stderr).split())}"


def shell(repository):
    """shellcheck, for every shell script."""
    if not shutil.which("shellcheck"):
        raise tree.Skip("shellcheck is not installed")
    scripts = repository.scripts()
    if not scripts:
        return
    done = subprocess.run(["shellcheck", "--format=gcc", *scripts], cwd=repository.root, capture_output=True, text=True,
                          check=False)
    for line in (done.stdout + done.stderr).splitlines():
        yield f"{line}; mend it, or say above the line why it is right"


CPPCHECK = "2.10"  # Debian 12's: others find other things
SUPPRESSIONS = "tests/lint/cppcheck.txt"


def cppcheck(repository):
    """cppcheck over the programs."""
    if not shutil.which("cppcheck"):
        raise tree.Skip("cppcheck is not installed")
    version = subprocess.run(["cppcheck", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    if version != CPPCHECK:
        raise tree.Skip(f"this cppcheck is {version}, not {CPPCHECK}")
    sources = [name for name in repository.ending(".c")
               if name.startswith(("base/", "mapping/", "config/", "proxy/", "tests/sandbox/"))]
    if not sources:
        return
    options = [f"--suppressions-list={SUPPRESSIONS}"] * repository.exists(SUPPRESSIONS)
    done = subprocess.run(
        ["cppcheck", "--quiet", "--enable=warning,portability,performance", "--std=c11", "-D_GNU_SOURCE", "-I.", "-j2",
         "--template={file}:{line}: {message} [{id}]", *options, *sources],
        cwd=repository.root, capture_output=True, text=True, check=False)
    for line in done.stderr.splitlines():
        if re.match(r"\S+:[0-9]+: .* \[\w+\]$", line):
            yield f"{line}; mend it, or write into {SUPPRESSIONS} why it is none"


def length(repository):
    """Functions and files that grew too long. Says what the longest are, also when all is well."""
    functions = []
    for name in repository.ending(".c", ".h"):
        functions += [(size, name, number) for number, size in _functions(repository, name)]
    for size, name, number in sorted(functions, reverse=True)[:5]:
        print(f"{size:4} lines: {name}:{number}")
    for size, name, number in functions:
        if size > MAX_FUNCTION:
            yield f"{name}:{number}: a function of {size} lines, {MAX_FUNCTION} are the most; split it by what it knows"
    for name in repository.ending(".c", ".h", ".py", ".sh") + ["dev"] * repository.exists("dev"):
        size = repository.text(name).count("\n")
        if size > MAX_FILE:
            yield f"{name}:{size}: the file has {size} lines, {MAX_FILE} are the most; split it by what it knows"


def _functions(repository, name):
    """(line of the opening brace, lines between the braces): in our format both braces stand in the first column."""
    start = None
    for number, line in repository.lines(name):
        if line == "{":
            start = number
        elif start and line.startswith("}"):
            yield start, number - start - 1
            start = None


CHECKS = {f.__name__: f for f in
          (includes, third_party, format, whitespace, licence, words, links, options, metrics, alerts, shell, cppcheck,
           length)} | shape.CHECKS
