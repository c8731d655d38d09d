/* SPDX-License-Identifier: MIT
 *
 * How long a limit lasts: the pace of the last hours, carried on until the month ends. Pure.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_FORECAST_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_FORECAST_H

#include <stdbool.h>

#include "proxy/ledger/entries/month.h"

enum {
    FORECAST_HOURS = 168,      /* that the pace is taken from, the running one among them */
    FORECAST_LEAST_HOURS = 24, /* of entries in the month, below which nothing is said */
};

/* What was spent of a limit, and what is held of it by open calls. */
struct spent {
    int64_t used, held;
    int64_t limit;    /* or LEDGER_NO_LIMIT */
    int64_t recent;   /* used in the last FORECAST_HOURS of the month */
    int64_t first_ms; /* of the month's first entry; INT64_MAX: there is none */
};

struct forecast {
    bool is_known;
    int64_t per_day;
    bool ends; /* the limit is used up on `end`, before the month ends; without a limit never */
    struct day end;
    int64_t permille_at_end; /* of the limit, that is used when the month ends; below 0: no limit, or one of 0 */
};

/* The beginning of the hours that `recent` is taken from. */
int64_t forecast_since_hour(int64_t now_ms);

struct forecast forecast_of(const struct spent *s, struct period month, int64_t now_ms);

/* limit - used - held, at least 0. */
int64_t spent_left(const struct spent *s);

#endif
