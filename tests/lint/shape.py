# SPDX-License-Identifier: MIT
"""The checks of the house's shape: circles, the size of folders and structs, who writes what, what steps know of each
other. The rules stand in rooms.py; an exception that is not needed any more is a failure, so that the list only shrinks.
"""
import pathlib
import re

import rooms
import source

RULES = "tests/lint/rooms.py:1"
# Behind the name of a field: `.member` and `[i]`, then what writes.
WRITES = r"(?:\.\w+|\[[^\]\n]*\])*\s*(?:=(?!=)|(?:[-+*/|&^%]|<<|>>)=|\+\+|--)"


def is_program(name):
    return name.startswith(("base/", "config/", "mapping/", "proxy/"))


def circles(repository):
    """No file leads back to itself, by headers or by calls."""
    links = source.graph(repository, is_program)
    knots = source.knots(links)
    allowed = [(reason, set(files.split())) for reason, files in rooms.CIRCLES]
    for knot in knots:
        if any(knot <= files for _, files in allowed):
            continue
        way = source.circle(links, knot)
        steps = [links[name][way[(i + 1) % len(way)]] for i, name in enumerate(way)]
        others = sorted(knot - set(way))
        more = f"; with them in the circle: {', '.join(others)}" if others else ""
        yield (f"{steps[0].where}: {steps[0].what}, which leads back to it: "
               f"{'; '.join(str(step) for step in steps[1:])}{more}. Move what both need below both, or hand in a "
               f"function from above")
    knotted = set().union(*knots)
    for reason, files in allowed:
        free = sorted(files - knotted)
        if free:
            yield f"{RULES}: CIRCLES ({reason}) names what is in no circle any more: {', '.join(free)}; take it out"


def folders(repository):
    """So many .c files a folder, and no more."""
    count = {}
    for name in repository.ending(".c"):
        folder = str(pathlib.PurePosixPath(name).parent)
        if is_program(name) and folder not in rooms.FOLDERS_OF_ROWS:
            count[folder] = count.get(folder, 0) + 1
    for folder, n in sorted(count.items()):
        most = rooms.MORE_FILES.get(folder, rooms.MAX_FILES)
        if n > most:
            yield (f"{folder}:1: holds {n} .c files, {most} are the most; give those that belong together a folder of "
                   f"their own")
    for folder, n in rooms.MORE_FILES.items():
        now = count.get(folder, 0)
        if now < n:
            yield f"{RULES}: MORE_FILES lets {folder} have {n} .c files, and it has {now}; {_lower(now, rooms.MAX_FILES)}"


def members(repository):
    """So many members a struct, and no more."""
    largest = {}
    for name in repository.ending(".c", ".h"):
        if not is_program(name):
            continue
        for struct, line, n in source.structs(source.plain(repository.text(name))):
            largest[struct] = max(largest.get(struct, 0), n)
            most = rooms.MORE_MEMBERS.get(struct, _most_members(struct))
            if n > most:
                yield (f"{name}:{line}: struct {struct} has {n} members, {most} are the most; put those of one owner "
                       f"into a struct of their own, in the .c that writes them")
    for struct, n in rooms.MORE_MEMBERS.items():
        now = largest.get(struct, 0)
        if now < n:
            yield (f"{RULES}: MORE_MEMBERS lets struct {struct} have {n} members, and it has {now}; "
                   f"{_lower(now, _most_members(struct))}")


def _most_members(struct):
    return rooms.MAX_MEMBERS_OF.get(struct, rooms.MAX_MEMBERS)


def _lower(now, most):
    return "take the row out" if now <= most else f"write {now}"


def writers(repository):
    """Parts that a struct holds by value are written by their owners."""
    for part in rooms.WRITERS:
        pattern = re.compile(rf"->{part.field}\b{WRITES}|(?:\+\+|--)\w+->{part.field}\b")
        for name in repository.ending(".c", ".h"):
            if not name.startswith(part.places) or name in part.owners:
                continue
            code = source.plain(repository.text(name))
            for match in pattern.finditer(code):
                yield (f"{name}:{source.line_at(code, match.start())}: writes to {part.field}, which is "
                       f"{' and '.join(part.owners)}'s to write; call a function there")


def steps(repository):
    """Steps of a call know only the table of them; what one may read of another is listed, and goes one way."""
    links = source.graph(repository, is_program)
    files = {rooms.STEP_FOLDER + step: step for step in rooms.STEPS}
    allowed = set(rooms.STEP_READS) | set(rooms.STEPS_NOT_YET)
    used = set()
    for name, step in files.items():
        for other, link in links.get(name, {}).items():
            if other not in files:
                continue
            pair = (step, files[other])
            used.add(pair)
            if pair not in allowed:
                yield (f"{link.where}: {link.what}, and {step} is a step as {files[other]} is; return the next step "
                       f"instead, or list what is read in STEP_READS of tests/lint/rooms.py")
    for title, pairs in (("STEP_READS", rooms.STEP_READS), ("STEPS_NOT_YET", rooms.STEPS_NOT_YET)):
        for step, other in pairs:
            if (step, other) not in used:
                yield f"{RULES}: {title} lets {step} know {other}, which it does not need any more; take it out"
    floor = {step: number for number, floor in enumerate(rooms.STEP_FLOORS) for step in floor}
    for step, other in rooms.STEP_READS:
        if not floor.get(other, len(floor)) < floor.get(step, -1):
            yield (f"{RULES}: STEP_READS lets {step} read {other}, which is not on a floor below it; all of them point "
                   f"one way, see STEP_FLOORS")


def names(repository):
    """What is said of a column, a field or a table stands in its row, and nowhere else in the code."""
    known, code = set(), {}
    for name in repository.ending(".c", ".h", ".def"):
        if not name.startswith(rooms.PART_WORDS_IN):
            continue
        code[name] = source.COMMENT.sub(lambda match: "\n" * match[0].count("\n"), repository.text(name))
        if name.startswith(rooms.ROWS_OF_NAMES):
            known |= set(re.findall(r'\.(?:v2|v3|from|rows|row_element|key|path) = SLICE\("([^"]+)"\)', code[name]))
            known |= set(re.findall(r'\.(?:filter|host) = \{ SLICE\("([^"]+)"\)', code[name]))
            known |= set(re.findall(r'\b(?:NUMBER|UNKNOWN)\("([^"]+)"', code[name]))
    for name, text in sorted(code.items()):
        if name.startswith("mapping/") and not name.startswith(rooms.ROWS_OF_NAMES):
            for match in re.finditer(r'"((?:[^"\\\n]|\\.)*)"', text):
                if match[1] in known and match[1] not in rooms.NAMES_BESIDES:
                    yield (f"{name}:{source.line_at(text, match.start())}: names \"{match[1]}\", which is a table's or a "
                           f"report's; let a row of mapping/table say what is to be done")
        if not name.startswith(rooms.PART_WORDS_KNOWN):
            for match in re.finditer(rooms.PART_WORDS, source.plain(text)):
                yield (f"{name}:{source.line_at(text, match.start())}: knows {match[1]}, which is one table's; "
                       f"go by the ask and the row of the part")


CHECKS = {f.__name__: f for f in (circles, folders, members, names, writers, steps)}
