/* SPDX-License-Identifier: MIT
 *
 * The two months: rows are counted by the calendar (UTC), units from the billing day. Pure.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_MONTH_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_MONTH_H

#include "base/day.h"

/* Days from `since` until before `until`. */
struct period {
    struct day since, until;
};

/* The month that begins on `first_day` (1 to 28) of a calendar month and has `d` in it. */
struct period month_of_day(struct day d, int first_day);

static inline bool period_has(struct period p, struct day d)
{
    return d.n >= p.since.n && d.n < p.until.n;
}

static inline int64_t day_start_ms(struct day d)
{
    return (int64_t)d.n * 86400000;
}

#endif
