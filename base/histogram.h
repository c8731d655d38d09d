/* SPDX-License-Identifier: MIT
 *
 * How long things took: counts by length, the sum, and the longest of late. In microseconds.
 */
#ifndef ANCHORAGE_BASE_HISTOGRAM_H
#define ANCHORAGE_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* The bounds that counts are kept by, ascending. */
struct histogram_bound {
    int64_t us;
    const char *seconds; /* the same, as people write it */
};
struct histogram_scale {
    const struct histogram_bound *bounds;
    size_t n;
};

enum { HISTOGRAM_MAX_BOUNDS = 13 };

extern const struct histogram_scale histogram_moments; /* 0.5 ms to 1 s: what should never be noticed */
extern const struct histogram_scale histogram_waits;   /* 5 ms to 60 s: what somebody waits for */

struct histogram {
    const struct histogram_scale *scale;
    uint64_t counts[HISTOGRAM_MAX_BOUNDS + 1]; /* of each bound alone; the last: beyond all */
    uint64_t sum_us;
    int64_t longest_us, longest_before_us, turns_us; /* of this minute and the one before; when it ends */
};

/* `now_us` is any clock that does not go back. */
void histogram_add(struct histogram *h, int64_t us, int64_t now_us);

/* Add the counts and the sum of `more`, which has the same scale. */
void histogram_merge(struct histogram *h, const struct histogram *more);

/* The longest of the last one or two minutes. */
int64_t histogram_longest_us(const struct histogram *h, int64_t now_us);

#endif
