/* SPDX-License-Identifier: MIT
 * The timer that watches the loop. */
#include "proxy/service/loop_lag.h"

#include <event2/event.h>

#include "base/clock.h"

enum { EVERY_US = 50000, ROUNDED_US = 1000 /* epoll waits for whole milliseconds */ };

static void set(struct pulse *p, int64_t now_us)
{
    const struct timeval every = { .tv_usec = EVERY_US };
    p->due_us = now_us + EVERY_US + ROUNDED_US;
    event_add(p->timer, &every);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
    struct pulse *p = context;
    (void)fd;
    (void)what;
    int64_t now_us = clock_monotonic_us();
    histogram_add(&p->late, now_us - p->due_us, now_us);
    set(p, now_us);
}

bool pulse_start(struct pulse *p, struct event_base *base)
{
    p->late.scale = &histogram_moments;
    p->timer = event_new(base, -1, 0, on_time, p);
    if (p->timer)
        set(p, clock_monotonic_us());
    return p->timer;
}

void pulse_stop(struct pulse *p)
{
    if (p->timer)
        event_free(p->timer);
    p->timer = NULL;
}
