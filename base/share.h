/* SPDX-License-Identifier: MIT
 *
 * What one of several may hold of a pot that they have in common: together at most half of what the others leave, so
 * that something is left for each however many come. With nothing held it may begin one piece that fits, however large;
 * else the last of the pot could not be used.
 */
#ifndef ANCHORAGE_BASE_SHARE_H
#define ANCHORAGE_BASE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* How much one that holds `own` of `pot` may hold more within its half, while the others hold `others`. */
static inline int64_t share_left(int64_t pot, int64_t others, int64_t own)
{
    int64_t half = (pot - others) / 2;
    return half > own ? half - own : 0;
}

/* Whether one that holds `own` of `pot` may hold `more`, while the others hold `others`; none is negative. */
static inline bool share_fits(int64_t pot, int64_t others, int64_t own, int64_t more)
{
    return own ? more <= share_left(pot, others, own) : more <= pot - others;
}

#endif
