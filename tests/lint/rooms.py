# SPDX-License-Identifier: MIT
"""The rooms of the house, and who may know whom. Change it here, with a reason, and nowhere else."""
from collections import namedtuple

# A file is in the first room whose folder its path begins with.
FOLDERS = (
    ("base/", "base"),
    ("mapping/", "mapping"),
    ("config/", "config"),
    ("proxy/http/parse/", "http/parse"),
    ("proxy/http/", "http"),
    ("proxy/upstream/", "upstream"),
    ("proxy/ledger/entries/", "ledger/entries"),
    ("proxy/ledger/store/", "ledger/store"),
    ("proxy/ledger/command/", "ledger/command"),
    ("proxy/ledger/", "ledger"),
    ("proxy/admin/", "admin"),
    ("proxy/reuse/", "reuse"),
    ("proxy/account/", "account"),
    ("proxy/doctor/", "doctor"),
    ("proxy/service/", "service"),
    ("proxy/call/", "call"),
    ("proxy/daemon/", "daemon"),
    ("proxy/command/", "command"),
    ("tests/sandbox/", "sandbox"),
    ("tests/", "tests"),
)

# base <- config, mapping <- http, upstream, ledger, admin <- reuse <- account <- doctor, service <- call <- daemon
# <- command. What is within a folder of a room is that room's own matter.
SIDES = {"base", "mapping", "config", "http", "upstream", "ledger", "admin"}
MAY_KNOW = {
    "base": {"base"},
    "mapping": {"base", "mapping"},
    "config": {"base", "config"},
    # What these four may know is what they use.
    "http/parse": {"base", "http/parse"},
    "http": {"base", "http/parse", "http"},
    "upstream": {"base", "mapping", "upstream"},
    "ledger/entries": {"base", "ledger/entries"},
    "ledger/store": {"base", "ledger/entries", "ledger/store"},
    "ledger/command": {"base", "ledger/entries", "ledger/store", "ledger/command"},
    "ledger": {"base", "ledger/entries", "ledger/store", "ledger/command", "ledger"},
    "admin": {"base", "config", "admin"},
    # What was answered, and what is being asked, has nothing to do with clients, keys or the books.
    "reuse": {"base", "mapping", "reuse"},
    "account": SIDES | {"reuse", "account"},
    "doctor": SIDES | {"reuse", "account", "doctor"},
    "service": SIDES | {"reuse", "account", "service"},
    "call": SIDES | {"reuse", "account", "doctor", "service", "call"},
    "daemon": SIDES | {"reuse", "account", "doctor", "service", "call", "daemon"},
    "command": SIDES | {"reuse", "account", "doctor", "service", "call", "daemon", "command"},
    # The sandbox stands for v3: if it knew the mapping, both could be wrong alike.
    "sandbox": {"base", "sandbox"},
}
MAY_KNOW["tests"] = {room for _, room in FOLDERS}

# What these rooms may know is no more than they use.
NO_MORE_THAN_USED = ("http/parse", "http", "upstream", "ledger/entries", "ledger/store", "ledger/command", "ledger", "admin",
                     "reuse")

# one_file: a single .c hides the library from the rest of its room.
ThirdParty = namedtuple("ThirdParty", "prefix places one_file", defaults=(False,))
THIRD_PARTY = (
    ThirdParty("event2/bufferevent", ("proxy/http/", "tests/sandbox/")),
    ThirdParty("event2/listener", ("proxy/http/", "tests/sandbox/")),
    ThirdParty("event2/", ("proxy/", "tests/sandbox/")),
    ThirdParty("curl/", ("proxy/upstream/",)),
    # The entries, and what stands beside them.
    ThirdParty("sqlite3.h", ("proxy/ledger/store/sqlite",)),
    ThirdParty("libpq-fe.h", ("proxy/ledger/store/",), one_file=True),
    # upstream reads v3's error bodies with it.
    ThirdParty("json-c/", ("mapping/", "proxy/upstream/", "proxy/admin/", "tests/sandbox/")),
    # Digests in the ledger, TLS in front, the signature of the admin side's cookie.
    ThirdParty("openssl/", ("proxy/http/", "proxy/ledger/entries/", "proxy/admin/sign_in", "tests/sandbox/")),
    ThirdParty("utf8proc.h", ("mapping/", "tests/sandbox/")),
    # v3's filters know regular expressions; only their stand-in has to run them.
    ThirdParty("pcre2.h", ("tests/sandbox/",)),
    ThirdParty("zlib.h", ("tests/sandbox/",)),
    ThirdParty("cmocka.h", ()),
    ThirdParty("sanitizer/", ()),
)

# C and POSIX, and what Linux has of its own.
SYSTEM = {
    "assert.h", "ctype.h", "dirent.h", "dlfcn.h", "emmintrin.h", "endian.h", "err.h", "errno.h", "fcntl.h",
    "fnmatch.h", "ftw.h",
    "getopt.h", "glob.h", "grp.h", "ifaddrs.h", "inttypes.h", "libgen.h", "limits.h", "locale.h", "malloc.h", "math.h",
    "netdb.h", "poll.h", "pthread.h", "pwd.h", "regex.h", "sched.h", "semaphore.h", "setjmp.h", "signal.h", "spawn.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
    "stdnoreturn.h", "string.h", "strings.h", "syslog.h", "termios.h", "threads.h", "time.h", "unistd.h", "wchar.h",
}
SYSTEM_FOLDERS = ("arpa/", "linux/", "net/", "netinet/", "sys/")


# ---- the shape of the house: see shape.py ----

# Files (NAME.c with NAME.h) that may lead back to each other. Take a name out once it is free.
CIRCLES = (
    ("a connection needs its server, and the server its connections",
     "proxy/http/answer proxy/http/call proxy/http/connection proxy/http/handshake proxy/http/listen proxy/http/server "
     "proxy/http/shed"),
    ("the reader calls the readers of lines, which know it by its types alone",
     "proxy/http/parse/reader proxy/http/parse/grammar proxy/http/parse/field proxy/http/parse/request_line"),
    ("the fast way through a row and the slow one hand it to each other", "mapping/scan mapping/scan_row"),
)

# .c files in one folder. A folder of rows has a file for each table and may grow.
MAX_FILES = 12
FOLDERS_OF_ROWS = ("mapping/table",)
MORE_FILES = {"mapping": 26}

# Names of v2 and v3 stand in the rows of the tables, and in the target record: a literal of one in another file of the
# mapping is an exception that no row says. These are words of something else as well.
ROWS_OF_NAMES = ("mapping/table/", "mapping/record.")
NAMES_BESIDES = {
    "domain": "a mode", "domains": "what programs send for a mode", "country": "a parameter of v3's",
    "subscription": "a member of v3's limits-and-usage", "error": "the member of a refusal",
}
# Parts of an answer are bytes by a name to all but the mapping. The doctor's questions are about v3's numbers themselves.
PART_WORDS = r"\b(totals|ratio|is_info|V3_(?:LIST|TOTALS|RATIO|KINDS|FLOOR\w*))\b"
PART_WORDS_IN = ("mapping/", "proxy/")
PART_WORDS_KNOWN = ("mapping/table/", "proxy/doctor/", "proxy/ledger/")

# Members of one struct. The parts of a call have owners of their own: the rest is what every step may see.
MAX_MEMBERS = 32
MAX_MEMBERS_OF = {"exchange": 30}
# An option is a member.
MORE_MEMBERS = {"config": 50}

# Parts that a struct holds by value: looked for in the files whose names begin with `places`, written in `owners` only.
Part = namedtuple("Part", "field places owners")
CALL_AND_ABOVE = ("proxy/reuse/", "proxy/account/", "proxy/doctor/", "proxy/service/", "proxy/call/", "proxy/daemon/")
WRITERS = (
    Part("asked", CALL_AND_ABOVE, ("proxy/call/read.c",)),
    Part("ticket", CALL_AND_ABOVE, ("proxy/service/team_queue.c",)),
    Part("seats", CALL_AND_ABOVE, ("proxy/reuse/flight.c",)),
    Part("next_hold", CALL_AND_ABOVE, ("proxy/call/recall.c", "proxy/call/round.c", "proxy/call/hold.c")),
    Part("outcome", ("proxy/call/", "proxy/daemon/"), ("proxy/call/outcome.c",)),
)

# The steps of a call, a file each in this folder. Only the table of steps (way.c) knows them all.
STEP_FOLDER = "proxy/call/"
STEPS = ("read", "turn", "recall", "round", "hold", "fetch", "render", "settle", "answer")
# The few things one step may read of another, which is on a floor below it.
STEP_FLOORS = (("read", "turn", "hold"), ("fetch",), ("round", "settle", "answer"), ("recall", "render"))
STEP_READS = (
    # What the answer of a whole call may cost; memory is set aside before the list is begun.
    ("recall", "round"),
    ("recall", "hold"),
    # Why the list ended where it did.
    ("render", "round"),
    # What was spent, and what is held.
    ("round", "fetch"),
    ("round", "hold"),
    ("fetch", "hold"),
    ("render", "fetch"),
    ("render", "hold"),
    ("settle", "fetch"),
    ("settle", "hold"),
    ("answer", "fetch"),
)


def of(name):
    return next((room for folder, room in FOLDERS if name.startswith(folder)), "tests")
