/* SPDX-License-Identifier: MIT
 *
 * A share of one round of a loop. Work of one kind may go on until its share is used up; what is left waits for a later
 * round, so that however much of it there is, the loop comes around and looks at everything else.
 */
#ifndef ANCHORAGE_BASE_ROUND_H
#define ANCHORAGE_BASE_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct round {
    int64_t until_us; /* 0: nothing was done in this round yet */
};

/* To be asked before each piece: never true before the first one of a round. */
static inline bool round_is_over(struct round *r, int64_t most_us)
{
    int64_t now_us = clock_monotonic_us();
    if (!r->until_us)
        r->until_us = now_us + most_us;
    return now_us >= r->until_us;
}

/* The loop has come around. */
static inline void round_end(struct round *r)
{
    r->until_us = 0;
}

#endif
