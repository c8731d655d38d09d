/* SPDX-License-Identifier: MIT
 *
 * Text into lines of `[section]` and `name = value`. Knows the form only, no option:
 *
 *     line  = blank [ "[" words "]" / name blank "=" blank value ] blank [ ";" anything ]
 *
 * A `;` begins a comment at the start of a line, at the start of a value and behind a blank; elsewhere it
 * belongs to the value. Lines end in LF or CRLF; a byte order mark in front of the first is skipped. Blank lines
 * and comments are passed over, but counted.
 */
#ifndef ANCHORAGE_CONFIG_LINE_H
#define ANCHORAGE_CONFIG_LINE_H

#include "base/slice.h"

/* More than that in one line is refused. */
enum { CONFIG_LINE_MAX_BYTES = 64 * 1024 };

enum config_line_kind { CONFIG_LINE_SECTION, CONFIG_LINE_SETTING, CONFIG_LINE_FAULT };

struct config_line {
    enum config_line_kind kind;
    int number;         /* from 1 */
    struct slice name;  /* of the section or the setting: not empty, valid UTF-8, no control bytes but tabs */
    struct slice value; /* of the setting: the same, trimmed, may be empty */
    const char *why;    /* of the fault: what is wrong; what would be right. A constant. */
};

/* Where the reading stands. Zero it but for `rest`. */
struct config_lines {
    struct slice rest;
    int number; /* of the line read last */
};

/* The next line that says something; false at the end. The slices borrow from the text. */
[[nodiscard]] bool config_line_next(struct config_lines *lines, struct config_line *line);

#endif
