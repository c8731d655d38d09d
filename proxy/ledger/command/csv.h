/* SPDX-License-Identifier: MIT
 *
 * Reading CSV as spreadsheets write it: a byte order mark, CRLF, quotes with quotes and line ends in them.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_CSV_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_CSV_H

#include "base/buffer.h"

enum { CSV_FIELDS = 8 };

struct csv {
    struct slice rest;
    int next_line;
    int line;                        /* that the record begins on */
    struct slice fields[CSV_FIELDS]; /* in `text`, until the next record */
    int n;                           /* may be more than CSV_FIELDS; those are not kept */
    const char *wrong;               /* NULL, or what is wrong with the record */
    int wrong_field;                 /* and in which field, from 1 */
    struct buffer text;
};

void csv_start(struct csv *c, struct slice input);
void csv_end(struct csv *c);

/* False at the end of the input. Empty lines are skipped. */
bool csv_next(struct csv *c);

#endif
