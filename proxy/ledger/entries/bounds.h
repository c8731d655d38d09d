/* SPDX-License-Identifier: MIT
 *
 * What numbers in the books can be. A file that somebody has changed may hold any number; it is read as the nearest one
 * that can be, so that nothing that reckons with it overflows, and the sums of the entries tell that it was changed.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_BOUNDS_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* Amounts and their sums, up and down. */
#define BOUNDS_AMOUNT ((int64_t)1 << 60)

/* Times, from 1970 until before the year 9999. */
#define BOUNDS_HOURS ((int64_t)253370764800 / 3600)
#define BOUNDS_MS (BOUNDS_HOURS * 3600000)

static inline int64_t bounds_between(int64_t v, int64_t least, int64_t most)
{
    return v < least ? least : v > most ? most : v;
}

static inline int64_t bounds_amount(int64_t v)
{
    return bounds_between(v, -BOUNDS_AMOUNT, BOUNDS_AMOUNT);
}

static inline int64_t bounds_ms(int64_t v)
{
    return bounds_between(v, 0, BOUNDS_MS - 1);
}

static inline int64_t bounds_hour(int64_t v)
{
    return bounds_between(v, 0, BOUNDS_HOURS - 1);
}

/* Whether it can be a place in the ledger, with places behind it. */
static inline bool bounds_seq(int64_t v)
{
    return v >= 0 && v <= BOUNDS_AMOUNT;
}

/* The sum of two amounts, which is an amount. */
static inline int64_t bounds_sum(int64_t a, int64_t b)
{
    return bounds_amount(bounds_amount(a) + bounds_amount(b));
}

#endif
