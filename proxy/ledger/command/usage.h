/* SPDX-License-Identifier: MIT
 *
 * The sums that the command usage shows, and their three forms.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_USAGE_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_USAGE_H

#include "proxy/ledger/command/command.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/entries/names.h"

enum usage_by { BY_TEAM, BY_KEY, BY_CLIENT, BY_DAY, BY_HOUR, BY_TABLE, BY_TARGET, N_BY };

extern const char *const usage_by_words[N_BY];

struct usage_item {
    struct slice name; /* in the names of the report */
    struct sums sums;
    int64_t rows_held;
    int64_t rows_limit, rows_left; /* LEDGER_NO_LIMIT: null */
    int64_t bill;                  /* cents, with a bill */
};

struct usage_report {
    enum usage_by by;
    struct period period;
    bool has_bill;
    struct usage_item *items; /* by the numbers of names until they are sorted */
    size_t n, room;
    struct names names;
    size_t name_bytes;
    struct usage_item others; /* of clients or targets that are not shown by name */
    bool is_cut;              /* sums of names that are shown may stand in `others` */
    bool is_closed;           /* what has no name yet is one of the others */
    bool failed;              /* memory ran out */
};

/* Clients and targets that are shown by name: the dearest, by units, then rows, then calls. */
enum { USAGE_SHOWN = 1000 };

/* Add up the entries of the period; of clients and targets in memory and time that do not grow with their number. False
 * when the books cannot be read; `why` gets one line. */
[[nodiscard]] bool usage_collect(struct usage_report *report, struct command *c, struct buffer *why);
void usage_clear(struct usage_report *report);

/* By name, the others last; those with nothing in them are dropped, but for configured teams. */
void usage_sort(struct usage_report *report, const struct limits *limits);

void usage_text(struct buffer *b, const struct usage_report *report);
void usage_json(struct buffer *b, const struct usage_report *report);
void usage_csv(struct buffer *b, const struct usage_report *report);

#endif
