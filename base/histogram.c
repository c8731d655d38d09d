/* SPDX-License-Identifier: MIT
 * Counting by length. */
#include "base/histogram.h"

#include <assert.h>

static const int64_t minute_us = 60 * 1000000;

static const struct histogram_bound moments[] = {
    { 500, "0.0005" },  { 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },
    { 25000, "0.025" }, { 50000, "0.05" }, { 100000, "0.1" },  { 250000, "0.25" }, { 1000000, "1" },
};
static const struct histogram_bound waits[] = {
    { 5000, "0.005" },  { 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },
    { 250000, "0.25" }, { 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },
    { 10000000, "10" }, { 30000000, "30" }, { 60000000, "60" },
};

_Static_assert(sizeof moments / sizeof moments[0] <= HISTOGRAM_MAX_BOUNDS, "room for the counts");
_Static_assert(sizeof waits / sizeof waits[0] <= HISTOGRAM_MAX_BOUNDS, "room for the counts");

const struct histogram_scale histogram_moments = { moments, sizeof moments / sizeof moments[0] };
const struct histogram_scale histogram_waits = { waits, sizeof waits / sizeof waits[0] };

void histogram_add(struct histogram *h, int64_t us, int64_t now_us)
{
    size_t i = 0;
    us = us > 0 ? us : 0;
    while (i < h->scale->n && us > h->scale->bounds[i].us)
        i++;
    h->counts[i]++;
    h->sum_us += (uint64_t)us;
    if (now_us >= h->turns_us) {
        h->longest_before_us = now_us < h->turns_us + minute_us ? h->longest_us : 0;
        h->longest_us = 0;
        h->turns_us = now_us + minute_us;
    }
    if (us > h->longest_us)
        h->longest_us = us;
}

void histogram_merge(struct histogram *h, const struct histogram *more)
{
    assert(h->scale == more->scale);
    for (size_t i = 0; i <= h->scale->n; i++)
        h->counts[i] += more->counts[i];
    h->sum_us += more->sum_us;
}

int64_t histogram_longest_us(const struct histogram *h, int64_t now_us)
{
    if (now_us >= h->turns_us + minute_us)
        return 0;
    if (now_us >= h->turns_us)
        return h->longest_us;
    return h->longest_us > h->longest_before_us ? h->longest_us : h->longest_before_us;
}
