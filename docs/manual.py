# SPDX-License-Identifier: MIT
"""The manual pages and the completion of bash, made from what the programs say of themselves and from anchorage.conf,
which is made from the option table. The build runs it:

    manual.py VERSION PROGRAM SANDBOX CONFIGURATION FOLDER
"""
import pathlib
import re
import subprocess
import sys
import textwrap

DATE = "2026-12-01"  # of the last change to the sentences here


def say(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True,
                          encoding="utf-8").stdout


# ---- what the programs say ----

class Command:
    """`anchorage WORDS`: its synopsis, what it does, its options {name: (value, sentences)}, what else is said, examples."""

    def __init__(self, words, text):
        self.words = words
        about, rest = text.split("\n\nusage: anchorage ", 1)
        synopsis, rest = rest.split("\n\noptions:\n", 1)
        rest, examples = rest.split("\nexamples:\n", 1)
        options, _, more = rest.partition("\n\n")
        self.help = " ".join(about.split())
        self.synopsis = " ".join(synopsis.split()).replace(" [--config FILE]", "")
        self.options = {}
        for name, value, sentences in re.findall(r"^  (--[a-z-]+)((?: [^\n]+)?)\n((?:        .*(?:\n|$))+)", options, re.M):
            if name not in ("--config", "--help"):
                self.options[name] = (value.strip(), " ".join(sentences.split()))
        self.more = [" ".join(line.split()) for line in re.sub("\n    ", " ", more).splitlines() if line]
        self.examples = re.findall("^  (anchorage .*)$", examples, re.M)
        self.takes_file = bool(re.search(r"(?<!-file )(?<!--save )\bFILE\b", self.synopsis))
        self.takes_id = bool(re.search(r" ID\b", re.sub(r"\[[^]]*\]", "", self.synopsis)))

    def values(self, name):
        """The words that the option takes, when these are all."""
        words = self.options[name][0].split("|")
        return words if len(words) > 1 and all(word == word.lower() for word in words) else []


def commands(program):
    text = say(program)
    found = []
    for name in re.findall(r"^  ([a-z]+)  ", text, re.M):
        help_text = say(program, name)
        if " COMMAND " in help_text:
            found += [Command(f"{name} {one}", say(program, name, one)) for one in re.findall(r"^  ([a-z]+)  ", help_text, re.M)]
        else:
            found.append(Command(name, help_text))
    return found


def options(configuration):
    """(section, note, [(name, default, lines of help)]) in the order of the file."""
    sections, block = [], []
    for line in pathlib.Path(configuration).read_text(encoding="utf-8").splitlines() + [""]:
        if match := re.fullmatch(r";?\[(.*)\]", line):
            sections.append((match[1], []))
        elif (match := re.fullmatch(r";?([a-z_0-9]+) =(?: (.*))?", line)) and sections:
            sections[-1][1].append((match[1], match[2] or "", [text[2:] for text in block]))
        block = block + [line] if line.startswith("; ") else []
    return sections


# ---- troff ----

def plain(text):
    """Text as it is, also at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text.startswith((".", "'")) else text


def flow(text):
    """Running text: a sentence begins a line, as troff likes it."""
    sentences = " ".join(text.split()).replace(". ", ".\n").split("\n")
    return [plain(line) for sentence in sentences for line in textwrap.wrap(sentence, 70, break_on_hyphens=False)]


class Page:
    def __init__(self, name, section, version, about):
        self.lines = ['.\\" Made by docs/manual.py: change it there.',
                      f'.TH {name.upper()} {section} {DATE} "anchorage {version}" "anchorage"']
        self.head("NAME")
        self.lines.append(f"{plain(name)} \\- {plain(about)}")

    def head(self, text):
        self.lines.append(f".SH {text}")

    def text(self, *paragraphs):
        for paragraph in paragraphs:
            if not self.lines[-1].startswith((".SH", ".TP", ".IP")):
                self.lines.append(".PP")
            self.lines += flow(paragraph)

    def item(self, term, *sentences):
        self.lines += [".TP", f".B {plain(term)}"]
        for index, sentence in enumerate(sentences):
            if index:
                self.lines.append(".br")
            self.lines += flow(sentence)

    def inner(self, command):
        """What stands under a command."""
        self.lines.append(".RS")
        for name, (value, sentences) in command.options.items():
            self.item(f"{name} {value}".strip(), sentences)
        if command.more:
            self.lines.append(".PP")
        for index, line in enumerate(command.more):
            self.lines += ([".br"] if index else []) + flow(line)
        self.lines += [".PP", "For example:", ".PP", ".nf", *map(plain, command.examples), ".fi", ".RE"]

    def example(self, *lines):
        if not self.lines[-1].startswith(".SH"):
            self.lines.append(".PP")
        self.lines += [".RS 4", ".nf", *map(plain, lines), ".fi", ".RE"]

    def see(self, *names):
        self.head("SEE ALSO")
        self.lines.append(", ".join(f"\\fB{plain(name)}\\fR({section})" for name, section in names))

    def write(self, path):
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")


def main_page(version, all_commands):
    page = Page("anchorage", 1, version, "Ahrefs API v2 on top of API v3")
    page.head("SYNOPSIS")
    page.text("anchorage COMMAND [--config FILE] ...")
    page.head("DESCRIPTION")
    page.text("Programs written for Ahrefs API v2 stopped working when v2 was switched off. anchorage stands where v2 stood: "
              "it takes the old call, asks API v3, and answers in v2's shape. Every call is charged in v2 rows to the key "
              "and the team that made it; the v3 units that it cost are written down beside it.",
              "Commands on the books (key, usage, ledger) are asked of the running daemon through its control socket, and "
              "done by themselves when none runs; the words are the same.")
    page.head("COMMANDS")
    for command in all_commands:
        page.item(command.synopsis, command.help)
        page.inner(command)
    page.head("OPTIONS")
    page.text("These are taken by every command, and any option as --name=value too.")
    page.item("--config FILE, -c FILE", "The configuration, by default /etc/anchorage/anchorage.conf.")
    page.item("--help, -h", "Explain the command.")
    page.head("SIGNALS")
    page.item("SIGTERM, SIGINT", "Drain: take no new connections, finish and settle what is under way, end with 0. It takes "
              "drain_timeout at most; a second signal ends at once.")
    page.item("SIGHUP", "Read the configuration again. What is wrong with it is told in the log, and the old one stays; calls "
              "under way keep the one that they began with.")
    page.head("ENVIRONMENT")
    page.item("CREDENTIALS_DIRECTORY", "Where a key file without a folder in its name is looked for first: LoadCredential= of "
              "systemd.")
    page.item("JOURNAL_STREAM", "Where it names standard error, each line begins with its level, for the journal of systemd.")
    page.item("NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID", "A supervisor is told of start, reload and end, and that the loop "
              "lives: Type=notify and WatchdogSec= of systemd.")
    page.item("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Listening sockets that are handed in, by the names http, tls and "
              "admin, in place of the addresses of listen, listen_tls and admin.")
    page.text("Secrets are never taken from the environment; http_proxy and the like are ignored.")
    page.head("FILES")
    page.item("/etc/anchorage/anchorage.conf", "The configuration.")
    page.item("/etc/anchorage/v3.key", "The key for API v3.")
    page.item("/var/lib/anchorage", "The ledger, and control.sock.")
    page.head("EXIT STATUS")
    page.text("0: done. 1: the thing asked about is wrong. 2: the command line is wrong. 78, of serve alone: the configuration, or "
              "a key, token or certificate that it names, is refused, and starting again will not help; what may pass by itself, "
              "such as an address that is in use or books that another process holds, is 1.")
    page.head("EXAMPLES")
    page.text("A key for a team, and what a call becomes and may cost:")
    page.example("anchorage key add --team seo --name crawler",
                 "anchorage explain 'from=anchors&target=example.com&mode=domain&limit=100'")
    page.text("A changed configuration, tried before it is taken:")
    page.example("anchorage check && systemctl reload anchorage")
    page.see(("anchorage.conf", 5), ("anchorage-sandbox", 1), ("systemd.socket", 5))
    return page


def conf_page(version, sections):
    page = Page("anchorage.conf", 5, version, "configuration of anchorage")
    page.head("DESCRIPTION")
    page.text("Sections and settings, nothing else: [section], name = value. A ; begins a comment at the start of a line, at "
              "the start of a value and behind a blank. Unknown names, repeated ones and values out of range are refused "
              "with FILE:LINE and what would be right; anchorage check reads the file and says so.",
              "Durations are written 10ms, 60s, 5m, 1h or 7d; addresses to listen on 127.0.0.1:8080, [::1]:8080, *:8080 or "
              "unix:/run/x.sock; paths may be relative to the file; lists are separated by spaces. An empty value turns a "
              "thing off or means none.",
              "SIGHUP reads the file again. Options that need a restart say so; the others count at once, for the calls that "
              "begin from then on.")
    for section, rows in sections:
        team = section.startswith("team ")
        page.head(f'"[{"team NAME" if team else section}]"')
        if team:
            page.text("One section a team; its keys are in the ledger. A name is 1 to 64 letters, digits, '.', '_' and '-'.")
        for name, default, lines in rows:
            *helps, takes = lines
            page.item(f"{name} = {default or '(empty)'}", " ".join(helps), takes)
    page.head("EXAMPLE")
    page.example("[upstream]", "api_key_file = v3.key", "units_per_month = 2000000", "", "[team seo]", "rows_per_month = 500000")
    page.head("FILES")
    page.item("/etc/anchorage/anchorage.conf", "Every option with its default, commented out.")
    page.see(("anchorage", 1))
    return page


def sandbox_page(version, text):
    page = Page("anchorage-sandbox", 1, version, "a stand-in for Ahrefs API v3 on loopback")
    page.head("SYNOPSIS")
    page.text("anchorage-sandbox [OPTION VALUE]...")
    page.head("DESCRIPTION")
    usage, rest = text.split("\n\n", 1)
    page.text(usage.split("\n", 1)[1].replace("docs/sandbox.md", "docs/sandbox.md in /usr/share/doc/anchorage"))
    page.head("OPTIONS")
    for block in rest.split("\n\n"):
        lines = block.splitlines()
        if lines[0].startswith("Targets:"):
            page.head("TARGETS")
            page.text(" ".join(line for line in lines if not line.startswith("  ")))
            for line in lines:
                if match := re.fullmatch(r"  (.*?)(?:  +| are )(.*)", line):
                    page.item(match[1], match[2])
            continue
        for line in lines:
            if line.startswith("  --"):
                page.item(line.strip())
            elif line.startswith("        "):
                if page.lines[-2] != ".TP":
                    page.lines.append(".br")
                value, gap, meaning = line.strip().partition("  ")
                page.lines += [f"\\fI{plain(value)}\\fR: {plain(meaning.strip())}"] if gap else flow(value)
            else:
                page.text(line)
    page.see(("anchorage", 1))
    return page


# ---- bash ----

COMPLETION = """\
# Made by docs/manual.py: change it there.
_anchorage_teams()
{{
    sed -n 's/^[[:blank:]]*\\[team \\([A-Za-z0-9._-]*\\)\\].*/\\1/p' "$1" 2>/dev/null
}}
_anchorage_keys()
{{
    "${{COMP_WORDS[0]}}" key list --config "$1" 2>/dev/null | sed -n '2,$s/ .*//p'
}}
_anchorage()
{{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} context='' words='' files='' i
    local config=/etc/anchorage/anchorage.conf
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
        --config | -c) config=${{COMP_WORDS[++i]}} ;;
        -*) ;;
        *)
            case $context in
            '' | {groups}) context="${{context:+$context }}${{COMP_WORDS[i]}}" ;;
            esac
            ;;
        esac
    done
    case $context in
{contexts}
    esac
    case "$context $before" in
{values}
    *' --config' | *' -c' | *'-file' | *' --save') words='' files=yes ;;
    'key assign assign') ;;
    *' --team' | 'key assign '[a-z0-9]*) words=$(_anchorage_teams "$config") ;;
{free}
    esac
    case "$context $before" in
    {ids}) words="$words $(_anchorage_keys "$config")" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    if [[ -n $files ]]; then
        compopt -o default 2>/dev/null
        mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$word")
    fi
}}
complete -F _anchorage anchorage
"""


def completion(all_commands):
    groups = sorted({command.words.split()[0] for command in all_commands if " " in command.words})
    first = sorted({command.words.split()[0] for command in all_commands})
    contexts = [f"    '') words='{' '.join(first)} --help' ;;"]
    for group in groups:
        inner = [command.words.split()[1] for command in all_commands if command.words.startswith(group + " ")]
        contexts.append(f"    {group}) words='{' '.join(inner)} --help' ;;")
    values, free = [], []
    for command in all_commands:
        names = [*command.options, "--config", "--help"]
        more = " files=yes" if command.takes_file else ""
        contexts.append(f"    '{command.words}') words='{' '.join(names)}'{more} ;;")
        for name, (value, _) in command.options.items():
            if command.values(name):
                values.append(f"    '{command.words} {name}') words='{' '.join(command.values(name))}' files='' ;;")
            elif value and name not in ("--team", "--key") and value != "FILE":
                free.append(f"    '{command.words} {name}') words='' files='' ;;")
    ids = " | ".join([*(f"'{command.words} {command.words.split()[-1]}'" for command in all_commands if command.takes_id),
                      "*' --key'"])
    return COMPLETION.format(groups=" | ".join(groups), contexts="\n".join(contexts), values="\n".join(values),
                             free="\n".join(free), ids=ids)


def main(version, program, sandbox, configuration, folder):
    folder = pathlib.Path(folder)
    all_commands = commands(program)
    main_page(version, all_commands).write(folder / "anchorage.1")
    conf_page(version, options(configuration)).write(folder / "anchorage.conf.5")
    sandbox_page(version, say(sandbox)).write(folder / "anchorage-sandbox.1")
    (folder / "anchorage.bash").write_text(completion(all_commands), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
