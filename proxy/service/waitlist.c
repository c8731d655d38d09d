/* SPDX-License-Identifier: MIT
 * Calls that wait for room which other calls hold. */
#include "proxy/service/waitlist.h"

#include <event2/event.h>

#include "base/clock.h"

enum { PAUSE_MS = 20 };

void waitlist_add(struct waitlist *w, struct waiter *waiter)
{
    link_before(&w->waiters, &waiter->link);
    w->n++;
}

void waitlist_remove(struct waitlist *w, struct waiter *waiter)
{
    link_out(&waiter->link);
    w->n--;
}

/* Each that waits by now gets one look. */
static void try_all(struct waitlist *w)
{
    int64_t now_ms = clock_monotonic_ms();
    for (int64_t n = w->n; n && w->n; n--) {
        struct waiter *waiter = LINKED(w->waiters.next, struct waiter, link);
        waitlist_remove(w, waiter);
        if (waiter->is_worth_it(waiter->context, now_ms))
            waiter->again(waiter->context);
        else
            waitlist_add(w, waiter);
    }
}

void waitlist_retry(struct waitlist *w)
{
    static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
    w->is_due = w->n;
    if (!w->is_due || event_pending(w->pause, EV_TIMEOUT, NULL))
        return;
    w->is_due = false;
    if (event_add(w->pause, &pause) == 0)
        try_all(w);
}

static void on_pause_over(evutil_socket_t fd, short what, void *context)
{
    struct waitlist *w = context;
    (void)fd;
    (void)what;
    if (w->is_due)
        waitlist_retry(w);
}

bool waitlist_begin(struct waitlist *w, struct event_base *base)
{
    *w = (struct waitlist){ .pause = event_new(base, -1, 0, on_pause_over, w) };
    link_init(&w->waiters);
    return w->pause;
}

void waitlist_end(struct waitlist *w)
{
    if (w->pause)
        event_free(w->pause);
}
