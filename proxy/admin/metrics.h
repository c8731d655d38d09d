/* SPDX-License-Identifier: MIT
 *
 * Numbers as Prometheus' text format. What there is stands in counters.def; whoever has the numbers hands them in
 * here, all of one metric together.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_METRICS_H
#define ANCHORAGE_PROXY_ADMIN_METRICS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/histogram.h"
#include "base/slice.h"

enum metric {
#define METRIC(NAME, name, KIND, label, help) METRIC_##NAME,
#include "proxy/admin/counters.def"
#undef METRIC
    METRIC_COUNT
};

/* A label's value is cut at a character's end beyond the first; a metric has no more samples than the second, the rest
 * is left out. */
enum { METRICS_MAX_LABEL_BYTES = 128, METRICS_MAX_SAMPLES = 2000 };

struct metrics {
    struct buffer *out;
    int last; /* the metric being written, or -1 */
    int n_samples;
    bool seen[METRIC_COUNT];
};

/* Write to `out`, which the caller clears. */
static inline struct metrics metrics_to(struct buffer *out)
{
    return (struct metrics){ .out = out, .last = -1 };
}

/* A sample. A metric that another one has followed cannot be added to any more (asserted). */
void metric_add(struct metrics *m, enum metric which, int64_t value);
/* The same in seconds, of microseconds. */
void metric_add_seconds(struct metrics *m, enum metric which, int64_t us);
void metric_add_seconds_labelled(struct metrics *m, enum metric which, struct slice label, int64_t us);
/* A metric of the kind HISTOGRAM, whole. */
void metric_add_histogram(struct metrics *m, enum metric which, const struct histogram *h);
/* The same with the value of the metric's label, any bytes. */
void metric_add_labelled(struct metrics *m, enum metric which, struct slice label, int64_t value);

#endif
