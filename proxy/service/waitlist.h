/* SPDX-License-Identifier: MIT
 *
 * Calls that wait for room which other calls hold: in a limit, or in memory. Every call that ends is a reason to try
 * again, but not more often than every 20 ms: each try costs. The teams take turns: the one that had room last is tried
 * last, or many calls of one, each of which takes all there is, would keep the others waiting.
 *
 *     waitlist_add -> [waiter.again] -> waitlist_add …, or waitlist_remove before that
 *
 * Knows no call: a call brings a waiter.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_WAITLIST_H
#define ANCHORAGE_PROXY_SERVICE_WAITLIST_H

#include <stdint.h>

#include "base/list.h"

struct event;
struct event_base;

/* Where the calls of one team wait, first come, first served; inside whatever stands for a team. */
struct waitlist_lane {
    struct link waiters;
    int64_t n, n_untried; /* n_untried: in the look that is under way */
    struct link link;
};

/* A place in the list, inside whatever brings it. */
struct waiter {
    bool (*is_worth_it)(const void *context, int64_t now_ms); /* a try could succeed; now_ms is monotonic */
    void (*again)(void *context);                             /* it is out of the list: try, and add it again or not */
    void *context;
    struct waitlist_lane *lane; /* of its team */
    struct link link;
};

struct waitlist {
    struct link lanes;   /* the one whose turn it is comes first; none is empty */
    int64_t n;           /* waiters */
    struct event *pause; /* pending: they have had a try a moment ago */
    bool is_due;         /* and are to have another one after it */
};

/* False when memory is out; waitlist_end may be called either way. */
[[nodiscard]] bool waitlist_begin(struct waitlist *w, struct event_base *base);
void waitlist_end(struct waitlist *w);

void waitlist_lane_init(struct waitlist_lane *lane);

/* Whether anything waits in another lane. */
bool waitlist_has_others(const struct waitlist *w, const struct waitlist_lane *lane);

void waitlist_add(struct waitlist *w, struct waiter *waiter);
void waitlist_remove(struct waitlist *w, struct waiter *waiter);

/* Room may have come free. Calls waiter.again of those that are worth it, now or after the pause. May be called from
 * inside of one: a call that is refused at once makes room. */
void waitlist_retry(struct waitlist *w);

#endif
