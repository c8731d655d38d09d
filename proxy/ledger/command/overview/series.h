/* SPDX-License-Identifier: MIT
 *
 * How units, rows and calls went over time, of the six lines with the most units and of all others together; and when
 * each line was used last.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_OVERVIEW_SERIES_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_OVERVIEW_SERIES_H

#include "proxy/ledger/command/usage.h"

enum step { STEP_HOUR, STEP_DAY, STEP_MONTH, N_STEPS };
extern const char *const step_words[N_STEPS];

enum { SERIES_NAMED = 6, SERIES = SERIES_NAMED + 1 /* others */ };

/* Of one step. */
struct point {
    int64_t units, rows, calls;
};

struct last {
    int64_t hour, seq; /* of the sums that have it */
    int64_t ms;
};

struct series {
    enum step step;
    int64_t *starts; /* the first hour of each step */
    size_t n;
    struct point *points[SERIES];
    struct last *lasts; /* by the items of the report */
    size_t n_lasts;
    int64_t last_ms; /* of all */
};

/* `step` is set. The report is sorted and cut. */
[[nodiscard]] bool series_collect(struct series *s, const struct usage_report *report, struct command *c,
                                  struct buffer *why);
void series_write(struct buffer *b, const struct series *s, const struct usage_report *report);
void series_clear(struct series *s);

#endif
