/* SPDX-License-Identifier: MIT
 * A timer watches the loop. */
#include "proxy/service/loop_lag.h"

#include <event2/event.h>

#include "base/clock.h"

enum { EVERY_US = 50000, ROUNDED_US = 1000 /* epoll waits for whole milliseconds */ };

static void set(struct loop_lag *l, int64_t now_us)
{
    const struct timeval every = { .tv_usec = EVERY_US };
    l->due_us = now_us + EVERY_US + ROUNDED_US;
    event_add(l->timer, &every);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
    struct loop_lag *l = context;
    (void)fd;
    (void)what;
    int64_t now_us = clock_monotonic_us();
    histogram_add(&l->late, now_us - l->due_us, now_us);
    set(l, now_us);
}

bool loop_lag_start(struct loop_lag *l, struct event_base *base)
{
    l->late.scale = &histogram_moments;
    l->timer = event_new(base, -1, 0, on_time, l);
    if (l->timer)
        set(l, clock_monotonic_us());
    return l->timer;
}

void loop_lag_stop(struct loop_lag *l)
{
    if (l->timer)
        event_free(l->timer);
    l->timer = NULL;
}
