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

struct pulse {
    struct event *timer;
    int64_t due_us;
    struct histogram late;
};

/* False when memory is out. The base goes after pulse_stop, which may be called either way. */
[[nodiscard]] bool pulse_start(struct pulse *p, struct event_base *base);
void pulse_stop(struct pulse *p);

#endif
