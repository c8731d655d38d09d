# SPDX-License-Identifier: MIT
"""What can be read off our C without a compiler, because of the way it is formatted: a function that others can call is
defined from the first column on, its braces stand alone in the first column, and headers declare what they promise."""
import re

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
# From the first column: the type, the name, its parameters, no semicolon; the brace is on the next line.
DEFINITION = re.compile(r"^(?!static\b|typedef\b|#)[A-Za-z_\[][^;{}=()\n]*?\b(\w+)\(([^;{}]*)\)\n\{", re.M)
STATIC = re.compile(r"^static\b[^;{}=()]*?\b(\w+)\(", re.M)
DECLARATION = re.compile(r"^(?!static\b|typedef\b|#)[A-Za-z_\[][^;{}=()]*?\b(\w+)\([^;{}]*\)[^;{}]*;", re.M)
CALL = re.compile(r"\b(\w+)\s*\(")
STRUCT = re.compile(r"^( *)struct (\w+) \{", re.M)


def plain(text):
    """The same, lines and all, without comments and with empty texts."""
    text = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    return TEXT.sub('""', text)


def line_at(text, position):
    return text.count("\n", 0, position) + 1


def definitions(code):
    """Functions that other files can call."""
    return {match[1] for match in DEFINITION.finditer(code)}


def declarations(code):
    """Functions that a header promises."""
    return {match[1] for match in DECLARATION.finditer(code)}


def calls(code):
    """{function: line of its first call}, without those that the file keeps to itself."""
    own = {match[1] for match in STATIC.finditer(code)}
    found = {}
    for match in CALL.finditer(code):
        if match[1] not in own:
            found.setdefault(match[1], line_at(code, match.start()))
    return found


def structs(code):
    """(name, line, members) of each struct that is defined here."""
    for match in STRUCT.finditer(code):
        yield match[2], line_at(code, match.start()), _members(code, match.end())


def _members(code, start):
    """How many members stand between here and the brace that closes. A nested struct is one when it has a name; the
    members of one without a name are members of the outer."""
    count = commas = inner = brackets = 0
    words = ""
    at = start
    while at < len(code) and code[at] != "}":
        c = code[at]
        if c == "{":
            inner = _members(code, at + 1)
            at = _end(code, at)
            words = ""
        elif c in "([":
            brackets += 1
        elif c in ")]":
            brackets -= 1
        elif c == "," and not brackets:
            commas += 1
        elif c == ";":
            count += 1 + commas if words.strip() else inner
            words, commas, inner = "", 0, 0
        else:
            words += c
        at += 1
    return count


def _end(code, at):
    """Where the brace that opens here is closed."""
    depth = 0
    while at < len(code):
        depth += (code[at] == "{") - (code[at] == "}")
        if not depth:
            return at
        at += 1
    return at


class Link:
    """An arrow of one file to another: where it stands and what it is."""

    def __init__(self, where, what):
        self.where, self.what = where, what

    def __str__(self):
        return f"{self.where}: {self.what}"


def graph(repository, is_ours):
    """{file: {other file: Link}}. A file is NAME.c with NAME.h. One knows another when it includes its header, unless
    its .c defines what that header declares (a folder's header is kept by several files), or when its .c calls a
    function that the other's .c defines. Calls through pointers are none: that is what they are for."""
    names = [name for name in repository.ending(".c", ".h") if is_ours(name)]
    code = {name: plain(repository.text(name)) for name in names}
    defined = {name: definitions(code[name]) for name in names if name.endswith(".c")}
    home = {}
    for name, functions in defined.items():
        for function in functions:
            home.setdefault(function, set()).add(name)
    promised = {name: declarations(code[name]) for name in names if name.endswith(".h")}
    links = {name[:-2]: {} for name in names}

    def link(name, other, line, what):
        if other[:-2] != name[:-2]:
            links[name[:-2]].setdefault(other[:-2], Link(f"{name}:{line}", what))

    for name in names:
        # Comments are gone, texts are not: the header is one.
        text = repository.text(name)
        for match in INCLUDE.finditer(text):
            header = match[1]
            if header in promised and not promised[header] & defined.get(name, set()):
                link(name, header, line_at(text, match.start(1)), f"includes {header}")
    for name in defined:
        for function, line in calls(code[name]).items():
            for other in sorted(home.get(function, ())):
                link(name, other, line, f"calls {function} of {other}")
    return links


def knots(links):
    """Sets of files of which each leads to each other: strongly connected, more than one."""
    index, low, stack, found = {}, {}, [], []

    def visit(start):
        work = [(start, iter(sorted(links.get(start, ()))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(links.get(other, ())))))
                    break
                if other in stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = set()
                    while node not in knot:
                        knot.add(stack.pop())
                    if len(knot) > 1:
                        found.append(knot)

    for node in sorted(links):
        if node not in index:
            visit(node)
    return found


def circle(links, knot):
    """One way round inside a knot, as short as there is one: [file, …], from the last an arrow leads to the first."""
    best = None
    for start in sorted(knot):
        before, queue = {start: None}, [start]
        for node in queue:
            for other in sorted(set(links[node]) & knot):
                if other == start:
                    way = [node]
                    while before[way[-1]] is not None:
                        way.append(before[way[-1]])
                    if best is None or len(way) < len(best):
                        best = way[::-1]
                elif other not in before:
                    before[other] = node
                    queue.append(other)
    return best
