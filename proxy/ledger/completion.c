/* SPDX-License-Identifier: MIT */
#include "proxy/ledger/completion.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/round.h"

enum {
    LANES = 64,
    TELLING_US = 500 /* of a round of the loop: a call that is told writes an answer, or asks v3 */
};

struct lane {
    struct completion *first, *last;
    struct lane *next; /* whose turn is after this one's */
};

struct completions {
    struct lane lanes[LANES];  /* what is of no team, then the teams by number; of very many some share one */
    struct lane *first, *last; /* of those that have some */
    size_t n;
    bool is_behind;
    struct event *due;
};

static void wait_for_turn(struct completions *t, struct lane *lane)
{
    lane->next = NULL;
    *(t->last ? &t->last->next : &t->first) = lane;
    t->last = lane;
}

static struct completion *take_one(struct completions *t)
{
    struct lane *lane = t->first;
    if (!lane)
        return NULL;
    struct completion *completion = lane->first;
    t->first = lane->next;
    if (!t->first)
        t->last = NULL;
    lane->first = completion->next;
    if (lane->first)
        wait_for_turn(t, lane);
    else
        lane->last = NULL;
    t->n--;
    return completion;
}

static void tell(struct completion *completion)
{
    ledger_done *done = completion->done;
    void *context = completion->context;
    enum ledger_outcome outcome = completion->outcome;
    free(completion);
    done(context, outcome);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    static const struct timeval next_round = { 0 };
    struct completions *t = context;
    struct round share = { 0 };
    (void)fd;
    (void)what;
    for (struct completion *completion; !round_is_over(&share, TELLING_US) && (completion = take_one(t));)
        tell(completion);
    t->is_behind = t->n;
    if (t->n && event_add(t->due, &next_round) != 0)
        event_active(t->due, EV_TIMEOUT, 0); /* without memory in this round, rather than never */
}

void completions_add(struct completions *t, struct completion *completion)
{
    struct lane *lane = &t->lanes[completion->team < 0 ? 0 : 1 + completion->team % (LANES - 1)];
    completion->next = NULL;
    if (!lane->first)
        wait_for_turn(t, lane);
    *(lane->last ? &lane->last->next : &lane->first) = completion;
    lane->last = completion;
    if (!t->n++)
        event_active(t->due, EV_TIMEOUT, 0);
}

void completions_tell_all(struct completions *t)
{
    for (struct completion *completion; (completion = take_one(t));)
        tell(completion);
}

size_t completions_waiting(const struct completions *t)
{
    return t->n;
}

bool completions_are_behind(const struct completions *t)
{
    return t->is_behind;
}

struct completions *completions_new(struct event_base *base)
{
    struct completions *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->due = event_new(base, -1, 0, on_due, t);
    if (t->due)
        return t;
    free(t);
    return NULL;
}

void completions_free(struct completions *t)
{
    if (!t)
        return;
    for (struct completion *completion; (completion = take_one(t));)
        free(completion);
    event_free(t->due);
    free(t);
}
