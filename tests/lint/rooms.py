# SPDX-License-Identifier: MIT
"""The rooms of the house, and who may know whom. Change it here, with a reason, and nowhere else."""
from collections import namedtuple

# A file is in the first room whose folder its path begins with; the main files are what stands in proxy/ itself.
FOLDERS = (
    ("base/", "base"),
    ("mapping/", "mapping"),
    ("config/", "config"),
    ("proxy/http/", "http"),
    ("proxy/upstream/", "upstream"),
    ("proxy/ledger/", "ledger"),
    ("proxy/admin/", "admin"),
    ("proxy/", "main"),
    ("tests/sandbox/", "sandbox"),
    ("tests/", "tests"),
)

MAY_KNOW = {
    "base": {"base"},
    "mapping": {"base", "mapping"},
    "config": {"base", "config"},
    "http": {"base", "mapping", "config", "http"},
    "upstream": {"base", "mapping", "config", "upstream"},
    "ledger": {"base", "mapping", "config", "ledger"},
    "admin": {"base", "mapping", "config", "admin"},
    "main": {"base", "mapping", "config", "http", "upstream", "ledger", "admin", "main"},
    # The sandbox stands for v3: if it knew the mapping, both could be wrong alike.
    "sandbox": {"base", "sandbox"},
}
MAY_KNOW["tests"] = {room for _, room in FOLDERS}

# one_file: a single .c hides the library from the rest of its room.
ThirdParty = namedtuple("ThirdParty", "prefix places one_file", defaults=(False,))
THIRD_PARTY = (
    ThirdParty("event2/bufferevent", ("proxy/http/", "tests/sandbox/")),
    ThirdParty("event2/listener", ("proxy/http/", "proxy/ledger/", "tests/sandbox/")),
    ThirdParty("event2/", ("proxy/", "tests/sandbox/")),
    ThirdParty("curl/", ("proxy/upstream/",)),
    ThirdParty("sqlite3.h", ("proxy/ledger/",), one_file=True),
    ThirdParty("libpq-fe.h", ("proxy/ledger/",), one_file=True),
    # upstream reads v3's error bodies with it.
    ThirdParty("json-c/", ("mapping/", "proxy/upstream/", "proxy/admin/", "tests/sandbox/")),
    # Digests and random tokens in the ledger, TLS in front.
    ThirdParty("openssl/", ("proxy/http/", "proxy/ledger/", "tests/sandbox/")),
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


def of(name):
    return next((room for folder, room in FOLDERS if name.startswith(folder)), "tests")
