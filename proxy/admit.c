/* SPDX-License-Identifier: MIT
 * The room admit: a turn of the team, the ceiling of a call's price, and last of all the durable hold. */
#include <assert.h>
#include <event2/event.h>

#include "proxy/exchange.h"

static void on_late(evutil_socket_t fd, short what, void *context)
{
    struct exchange *x = context;
    (void)fd;
    (void)what;
    bool for_turn = x->waits_for_turn, for_memory = x->wanted > 0;
    int64_t before = 0;
    for (const struct exchange *w = x->turns->first; w && for_turn; w = w->next_waiting)
        before++;
    x->retry_after_ms = service_wait_ms(x->service, before ? before : 1, for_turn ? x->turns->team->concurrency : 1);
    admit_leave(x);
    exchange_refuse(x, FAULT_TOO_BUSY,
                    for_turn     ? S("the team already has as many calls under way as its concurrency allows")
                    : for_memory ? S("the calls under way may need all the memory that calls may have")
                                 : S("the team's other calls under way hold what is left of its limit"));
    exchange_enter(x, ROOM_SETTLE);
    exchange_run(x);
}

/* Wait no longer than queue_timeout. False when memory is out. */
static bool start_timer(struct exchange *x)
{
    int64_t ms = x->config->queue_timeout_ms;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    if (!x->timer)
        x->timer = event_new(x->service->base, -1, 0, on_late, x);
    return x->timer && event_add(x->timer, &tv) == 0;
}

static void stop_timer(struct exchange *x)
{
    if (x->timer)
        event_del(x->timer);
}

/* ---- turns ---- */

static enum step wait_for_turn(struct exchange *x)
{
    struct turns *t = x->turns;
    if (!start_timer(x))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    x->next_waiting = NULL;
    *(t->last ? &t->last->next_waiting : &t->first) = x;
    t->last = x;
    x->waits_for_turn = true;
    return WAIT;
}

static void unlink_waiting(struct exchange **first, struct exchange **last, struct exchange *x)
{
    struct exchange *before = NULL, *at = *first;
    while (at != x) {
        before = at;
        at = at->next_waiting;
    }
    *(before ? &before->next_waiting : first) = x->next_waiting;
    if (last && *last == x)
        *last = before;
}

void admit_wake(struct turns *t)
{
    while (t->first && t->running < t->team->concurrency) {
        struct exchange *next = t->first;
        unlink_waiting(&t->first, &t->last, next);
        stop_timer(next);
        next->waits_for_turn = false;
        next->has_turn = true;
        t->running++;
        exchange_run(next);
    }
}

void admit_leave(struct exchange *x)
{
    struct turns *t = x->turns;
    stop_timer(x);
    if (x->waits_for_turn)
        unlink_waiting(&t->first, &t->last, x);
    if (x->waits_for_room)
        unlink_waiting(&x->service->waiting_for_room, NULL, x);
    x->waits_for_turn = x->waits_for_room = false;
    if (!x->has_turn)
        return;
    x->has_turn = false;
    t->running--;
    admit_wake(t);
}

/* ---- the hold ---- */

enum step admit_wait(struct exchange *x)
{
    struct service *s = x->service;
    if (x->client_gone)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
    if (!start_timer(x))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    if (!x->any_sent)
        share_end(x, false); /* who joined need not wait for this call's room */
    x->waits_for_hold = x->waits_for_room = true;
    x->next_waiting = s->waiting_for_room;
    s->waiting_for_room = x;
    return WAIT;
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct exchange *x = context;
    struct service *s = x->service;
    enum step step = ONWARD;
    x->waits_for_hold = false;
    switch (outcome) {
    case LEDGER_DONE:
        x->has_hold = true;
        x->held_rows += x->round_rows;
        break;
    case LEDGER_OUT_OF_ROWS:
        x->retry_after_ms = ledger_month_ends_in_ms(s->ledger);
        step = exchange_refuse(x, FAULT_OUT_OF_ROWS,
                               S("the team's rows_per_month leaves no room for this call: ask for fewer rows, or wait "
                                 "for the next month"));
        break;
    case LEDGER_OUT_OF_UNITS:
        x->retry_after_ms = ledger_billing_month_ends_in_ms(s->ledger);
        step = exchange_refuse(x, FAULT_OUT_OF_UNITS,
                               S("units_per_month leaves no room for this call: ask for fewer rows or columns, or wait "
                                 "for the next month"));
        break;
    case LEDGER_WAIT:
        step = admit_wait(x);
        if (step == WAIT)
            return;
        break;
    case LEDGER_DOWN:
        step = exchange_refuse(x, FAULT_LEDGER_DOWN,
                               S("the ledger cannot write; nothing was charged, try again in a moment"));
        break;
    }
    if (step == ONWARD && x->client_gone && !x->any_sent)
        exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before anything was sent to API v3"));
    exchange_enter(x, x->refusal.fault ? ROOM_SETTLE : ROOM_FETCH);
    exchange_run(x);
}

enum step admit_hold(struct exchange *x)
{
    struct ledger_call call = exchange_ledger_call(x);
    if (!call.shape.p)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
    x->waits_for_hold = true;
    ledger_hold(x->service->ledger, &call, (struct rows){ x->round_rows }, (struct units){ x->round_units }, on_held,
                x);
    return WAIT;
}

/* What it was going to ask may be known by now. */
static enum step hold_again(struct exchange *x)
{
    if (x->has_hold || x->any_sent || x->cached)
        return admit_hold(x);
    share_leave_all(x);
    translation_free(x->translation);
    x->translation = NULL;
    x->asked_rows = 0;
    return recall(x);
}

void admit_retry_waiting(struct service *s)
{
    struct exchange *list = s->waiting_for_room;
    s->waiting_for_room = NULL;
    while (list) {
        struct exchange *x = list;
        list = x->next_waiting;
        if (x->wanted && s->promised + x->wanted > s->memory.max / 2) {
            x->next_waiting = s->waiting_for_room;
            s->waiting_for_room = x;
            continue;
        }
        stop_timer(x);
        x->waits_for_hold = x->waits_for_room = false;
        if (hold_again(x) == REFUSE) {
            exchange_enter(x, ROOM_SETTLE);
            exchange_run(x);
        }
    }
}

enum step room_admit(struct exchange *x)
{
    struct turns *t = x->turns;
    if (!x->has_turn) {
        if (t->running >= t->team->concurrency)
            return wait_for_turn(x);
        x->has_turn = true;
        t->running++;
    }
    if (!ledger_serves(x->service->ledger))
        return exchange_refuse(x, FAULT_LEDGER_DOWN,
                               S("the ledger cannot write; nothing was charged, try again in a moment"));
    return recall(x);
}
