/* SPDX-License-Identifier: MIT */
#include "proxy/ledger/completion.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/round.h"

enum {
    LANES = 64,
    TELLING_US = 500 /* of a round of the loop: who is told writes an answer, or asks v3 */
};

struct lane {
    struct told *first, *last;
    struct lane *next; /* whose turn is after this one's */
};

struct teller {
    struct lane lanes[LANES];  /* what is of no team, then the teams by number; of very many some share one */
    struct lane *first, *last; /* of those that have some */
    size_t n;
    bool is_behind;
    struct event *due;
};

static void wait_for_turn(struct teller *t, struct lane *lane)
{
    lane->next = NULL;
    *(t->last ? &t->last->next : &t->first) = lane;
    t->last = lane;
}

static struct told *take_one(struct teller *t)
{
    struct lane *lane = t->first;
    if (!lane)
        return NULL;
    struct told *told = lane->first;
    t->first = lane->next;
    if (!t->first)
        t->last = NULL;
    lane->first = told->next;
    if (lane->first)
        wait_for_turn(t, lane);
    else
        lane->last = NULL;
    t->n--;
    return told;
}

static void tell(struct told *told)
{
    ledger_done *done = told->done;
    void *context = told->context;
    enum ledger_outcome outcome = told->outcome;
    free(told);
    done(context, outcome);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    static const struct timeval next_round = { 0 };
    struct teller *t = context;
    struct round share = { 0 };
    (void)fd;
    (void)what;
    for (struct told *told; !round_is_over(&share, TELLING_US) && (told = take_one(t));)
        tell(told);
    t->is_behind = t->n;
    if (t->n && event_add(t->due, &next_round) != 0)
        event_active(t->due, EV_TIMEOUT, 0); /* without memory in this round, rather than never */
}

void teller_add(struct teller *t, struct told *told)
{
    struct lane *lane = &t->lanes[told->team < 0 ? 0 : 1 + told->team % (LANES - 1)];
    told->next = NULL;
    if (!lane->first)
        wait_for_turn(t, lane);
    *(lane->last ? &lane->last->next : &lane->first) = told;
    lane->last = told;
    if (!t->n++)
        event_active(t->due, EV_TIMEOUT, 0);
}

void teller_tell_all(struct teller *t)
{
    for (struct told *told; (told = take_one(t));)
        tell(told);
}

size_t teller_waiting(const struct teller *t)
{
    return t->n;
}

bool teller_is_behind(const struct teller *t)
{
    return t->is_behind;
}

struct teller *teller_new(struct event_base *base)
{
    struct teller *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->due = event_new(base, -1, 0, on_due, t);
    if (t->due)
        return t;
    free(t);
    return NULL;
}

void teller_free(struct teller *t)
{
    if (!t)
        return;
    for (struct told *told; (told = take_one(t));)
        free(told);
    event_free(t->due);
    free(t);
}
