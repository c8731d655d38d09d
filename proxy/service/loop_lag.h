/* SPDX-License-Identifier: MIT
 *
 * The lag of the loop is how late a timer rings that repeats. A call that comes in at that moment has to wait as long.
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

/* False when memory is out. Free the base after loop_lag_stop, which may be called either way. */
[[nodiscard]] bool loop_lag_start(struct loop_lag *l, struct event_base *base);
void loop_lag_stop(struct loop_lag *l);

#endif
