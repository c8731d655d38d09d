/* SPDX-License-Identifier: MIT
 *
 * The tape: what a process did to the files of one directory, in order. Written by tape.c inside that process, read by
 * powercut.c.
 */
#ifndef ANCHORAGE_TESTS_CRASH_TAPE_H
#define ANCHORAGE_TESTS_CRASH_TAPE_H

#include <stdint.h>

enum tape_kind {
    TAPE_OPEN = 1, /* data: the name in the directory, empty for itself; at: 1 when the file was made */
    TAPE_WRITE,    /* at: where; data: what */
    TAPE_TRUNCATE, /* at: the length from now on */
    TAPE_SYNC,
    TAPE_UNLINK, /* data: the name */
    TAPE_RENAME  /* data: both names, a NUL between them */
};

struct tape_record {
    int32_t kind, fd;
    int64_t at;
    uint64_t n; /* bytes of data behind the record */
};

#endif
