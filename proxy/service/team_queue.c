/* SPDX-License-Identifier: MIT */
#include "proxy/service/team_queue.h"

#include <event2/event.h>

#include "base/round.h"
#include "proxy/call/exchange.h"

enum {
    PACE_US = 1000,     /* between two that begin while the machine is behind: nobody is shut out by others' answers */
    MADE_UP_US = 5000,  /* of times when nobody began */
    BEGINNING_US = 500, /* in one go, for those who waited */
};

void line_add(struct line *l, struct exchange *x)
{
    x->next_waiting = NULL;
    x->previous_waiting = l->last;
    *(l->last ? &l->last->next_waiting : &l->first) = x;
    l->last = x;
    l->n++;
}

void line_remove(struct line *l, struct exchange *x)
{
    *(x->previous_waiting ? &x->previous_waiting->next_waiting : &l->first) = x->next_waiting;
    *(x->next_waiting ? &x->next_waiting->previous_waiting : &l->last) = x->previous_waiting;
    l->n--;
}

/* ---- the gate ---- */

static void enter_gate(struct gate *g, struct turns *t)
{
    if (t->is_in_gate || !t->waiting.n || t->running >= t->team->concurrency)
        return;
    t->is_in_gate = true;
    t->after = NULL;
    *(g->last ? &g->last->after : &g->first) = t;
    g->last = t;
}

static struct turns *leave_gate(struct gate *g)
{
    struct turns *t = g->first;
    g->first = t->after;
    if (!g->first)
        g->last = NULL;
    t->is_in_gate = false;
    return t;
}

/* What is ready was more than a round of the loop may do. */
static bool is_behind(const struct service *s)
{
    bool behind = ledger_is_behind(s->ledger);
    for (size_t i = 0; !behind && i < s->accounts.n; i++)
        behind = upstream_is_behind(s->accounts.list[i].upstream);
    return behind;
}

/* While it is behind, by the clock: the loop's timers may come late, and then make up for it. */
static bool may_begin(struct service *s)
{
    if (!is_behind(s))
        return true;
    int64_t now_us = clock_monotonic_us(), due_us = s->gate.begun_us + PACE_US;
    if (due_us > now_us)
        return false;
    s->gate.begun_us = due_us > now_us - MADE_UP_US ? due_us : now_us - MADE_UP_US;
    return true;
}

static bool rest(struct gate *g)
{
    static const struct timeval another_day = { .tv_sec = 86400 };
    g->is_due = false;
    return event_add(g->due, &another_day) == 0;
}

static void look_again(struct gate *g, int64_t after_us)
{
    const struct timeval after = { .tv_usec = after_us };
    if (!g->first || (after_us && g->is_due))
        return;
    g->is_due = event_add(g->due, &after) == 0;
    if (!g->is_due)
        event_active(g->due, EV_TIMEOUT, 0);
}

static void take(struct exchange *x)
{
    x->has_turn = true;
    x->turns->running++;
}

/* A call that ends at once gives its turn back from inside of this: the loop goes on with it, whoever called. */
static void open_gate(struct service *s)
{
    struct gate *g = &s->gate;
    struct round share = { 0 };
    if (g->is_open)
        return;
    g->is_open = true;
    bool in_time = true;
    while (g->first && (in_time = g->is_open_to_all || !round_is_over(&share, BEGINNING_US))) {
        struct turns *t = g->first;
        struct exchange *x = t->running < t->team->concurrency ? t->waiting.first : NULL;
        if (x && !g->is_open_to_all && !may_begin(s))
            break;
        leave_gate(g);
        if (!x)
            continue;
        line_remove(&t->waiting, x);
        x->waits_for_turn = false;
        take(x);
        enter_gate(g, t);
        turn_came(x);
    }
    g->is_open = false;
    look_again(g, in_time ? PACE_US : 0);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *s = context;
    s->gate.is_open_to_all = !rest(&s->gate); /* there may be no other time to look at them */
    open_gate(s);
    s->gate.is_open_to_all = false;
}

/* ---- turns ---- */

bool turn_take(struct exchange *x)
{
    struct service *s = x->service;
    struct turns *t = x->turns;
    if (!t->waiting.n && t->running < t->team->concurrency && !s->gate.first && may_begin(s)) {
        take(x);
        return true;
    }
    line_add(&t->waiting, x);
    x->waits_for_turn = true;
    turns_look(s, t);
    return false;
}

void turn_leave(struct exchange *x)
{
    struct turns *t = x->turns;
    if (x->waits_for_turn)
        line_remove(&t->waiting, x);
    x->waits_for_turn = false;
    if (!x->has_turn)
        return;
    x->has_turn = false;
    t->running--;
    enter_gate(&x->service->gate, t);
    open_gate(x->service);
}

void turns_look(struct service *s, struct turns *t)
{
    enter_gate(&s->gate, t);
    look_again(&s->gate, PACE_US);
}

void turns_forget(struct service *s, struct turns *t)
{
    struct gate *g = &s->gate;
    struct turns *before = NULL;
    if (!t->is_in_gate)
        return;
    for (struct turns *each = g->first; each != t; each = each->after)
        before = each;
    *(before ? &before->after : &g->first) = t->after;
    if (g->last == t)
        g->last = before;
    t->is_in_gate = false;
}

bool turns_begin(struct service *s)
{
    s->gate.due = event_new(s->base, -1, 0, on_due, s);
    return s->gate.due && rest(&s->gate);
}

void turns_end(struct service *s)
{
    if (s->gate.due)
        event_free(s->gate.due);
}
