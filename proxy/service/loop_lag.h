/* SPDX-License-Identifier: MIT
 *
 * Whether the loop keeps up: a timer that repeats, and how late it rings. What is late is what a call that comes in
 * just then has to wait.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_LOOP_LAG_H
#define ANCHORAGE_PROXY_SERVICE_LOOP_LAG_H

#include <stdbool.h>

#include "base/histogram.h"

struct event;
struct event_base;

struct loop_lag {
    struct event *timer;
    int64_t due_us;
    struct histogram late;
};

/* False when memory is out. The base goes after loop_lag_stop, which may be called either way. */
[[nodiscard]] bool loop_lag_start(struct loop_lag *l, struct event_base *base);
void loop_lag_stop(struct loop_lag *l);

#endif
