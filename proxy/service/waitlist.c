/* SPDX-License-Identifier: MIT
 * Calls that wait for room which other calls hold. */
#include "proxy/service/waitlist.h"

#include <event2/event.h>

#include "base/clock.h"

enum { PAUSE_MS = 20 };

void waitlist_lane_init(struct waitlist_lane *lane)
{
    *lane = (struct waitlist_lane){ 0 };
    link_init(&lane->waiters);
    link_init(&lane->link);
}

bool waitlist_has_others(const struct waitlist *w, const struct waitlist_lane *lane)
{
    return !link_is_alone(&w->lanes) && (w->lanes.next != &lane->link || w->lanes.before != &lane->link);
}

void waitlist_add(struct waitlist *w, struct waiter *waiter)
{
    struct waitlist_lane *lane = waiter->lane;
    link_before(&lane->waiters, &waiter->link);
    lane->n++;
    w->n++;
    if (link_is_alone(&lane->link))
        link_before(&w->lanes, &lane->link);
}

/* The lane keeps its place. */
static void take_out(struct waitlist *w, struct waiter *waiter)
{
    link_out(&waiter->link);
    waiter->lane->n--;
    w->n--;
}

void waitlist_remove(struct waitlist *w, struct waiter *waiter)
{
    take_out(w, waiter);
    if (!waiter->lane->n)
        link_out(&waiter->lane->link);
}

/* The first that had no look yet. */
static struct waiter *next_untried(struct waitlist *w)
{
    for (struct link *l = w->lanes.next; l != &w->lanes; l = l->next) {
        struct waitlist_lane *lane = LINKED(l, struct waitlist_lane, link);
        if (!lane->n_untried || !lane->n)
            continue;
        lane->n_untried--;
        return LINKED(lane->waiters.next, struct waiter, link);
    }
    return NULL;
}

/* When it does not wait again at once it had room, and it is the other teams' turn. */
static void try_one(struct waitlist *w, struct waiter *waiter)
{
    struct waitlist_lane *lane = waiter->lane;
    take_out(w, waiter);
    waiter->again(waiter->context);
    bool waits_again = !link_is_alone(&waiter->link);
    if (waits_again && lane->n)
        return;
    link_out(&lane->link);
    if (lane->n)
        link_before(&w->lanes, &lane->link);
}

/* Each that waits by now gets one look. */
static void try_all(struct waitlist *w)
{
    int64_t now_ms = clock_monotonic_ms();
    struct waiter *waiter;
    for (struct link *l = w->lanes.next; l != &w->lanes; l = l->next) {
        struct waitlist_lane *lane = LINKED(l, struct waitlist_lane, link);
        lane->n_untried = lane->n;
    }
    while ((waiter = next_untried(w))) {
        if (waiter->is_worth_it(waiter->context, now_ms)) {
            try_one(w, waiter);
        } else {
            link_out(&waiter->link);
            link_before(&waiter->lane->waiters, &waiter->link);
        }
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
    link_init(&w->lanes);
    return w->pause;
}

void waitlist_end(struct waitlist *w)
{
    if (w->pause)
        event_free(w->pause);
}
