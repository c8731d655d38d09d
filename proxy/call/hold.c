/* SPDX-License-Identifier: MIT
 * The room admit: a turn of the team, the ceiling of a call's price, and last of all the durable hold. */
#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

enum { RETRY_PAUSE_MS = 20, ANEW_MS = 1000, BEHIND_MS = 2000 };

/* ---- turns ---- */

static bool arm(struct exchange *x)
{
    int64_t now = clock_monotonic_ms(), ms = x->waits_until_ms > now ? x->waits_until_ms - now : 0;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    return event_add(x->timer, &tv) == 0;
}

/* Who has paid for a part of the answer may wait for room until its deadline, but only one at a time: two might wait
 * for what the other one holds, and both would have paid in vain. Nor may one that others have joined: they hold rows,
 * too, and can ask for themselves. */
static bool may_wait_on(struct exchange *x)
{
    struct exchange **patient = &x->service->patient;
    if (!x->waits_for_room || !x->any_sent || x->client_gone || share_is_awaited(x) || *patient ||
        clock_monotonic_ms() >= x->deadline_ms)
        return false;
    x->waits_until_ms = x->deadline_ms;
    if (!arm(x))
        return false;
    share_end(x); /* nobody is to join it now */
    *patient = x;
    return true;
}

static void stop_waiting(struct exchange *x)
{
    x->waits_until_ms = 0;
    if (x->service->patient == x)
        x->service->patient = NULL;
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
    struct exchange *x = context;
    (void)fd;
    (void)what;
    if (may_wait_on(x))
        return;
    bool for_turn = x->waits_for_turn, for_memory = x->wanted > 0;
    int64_t before = for_turn ? (int64_t)x->turns->waiting.n : 1;
    bool is_behind = for_turn && x->turns->running < x->turns->team->concurrency;
    x->retry_after_ms = service_wait_ms(x->service, before, for_turn ? x->turns->team->concurrency : 1);
    admit_leave(x);
    exchange_refuse(x, FAULT_TOO_BUSY,
                    is_behind    ? S("more calls come than this machine keeps up with")
                    : for_turn   ? S("the team already has as many calls under way as its concurrency allows")
                    : for_memory ? S("the calls under way may need all the memory that calls may have")
                                 : S("the team's other calls under way hold what is left of its limit"));
    exchange_enter(x, ROOM_SETTLE);
    exchange_run(x);
}

/* Wait no longer than queue_timeout, all tries together, but see may_wait_on. False when memory is out. */
static bool start_timer(struct exchange *x, int64_t least_ms)
{
    int64_t wait_ms = x->config->queue_timeout_ms > least_ms ? x->config->queue_timeout_ms : least_ms;
    int64_t until = clock_monotonic_ms() + wait_ms;
    if (!x->waits_until_ms)
        x->waits_until_ms = until < x->deadline_ms ? until : x->deadline_ms;
    if (!x->timer)
        x->timer = event_new(x->service->base, -1, 0, on_late, x);
    return x->timer && arm(x);
}

static void stop_timer(struct exchange *x)
{
    if (x->timer)
        event_del(x->timer);
}

void turn_came(struct exchange *x)
{
    stop_timer(x);
    stop_waiting(x);
    exchange_run(x);
}

void admit_leave(struct exchange *x)
{
    stop_timer(x);
    if (x->waits_for_room)
        line_remove(&x->service->waiting_for_room, x);
    x->waits_for_room = false;
    stop_waiting(x);
    turn_leave(x);
}

/* ---- the hold ---- */

enum step admit_wait(struct exchange *x)
{
    struct service *s = x->service;
    if (x->client_gone)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
    if (!start_timer(x, 0))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    if (!x->any_sent)
        share_end(x); /* who joined need not wait for this call's room */
    x->waits_for_hold = x->waits_for_room = true;
    x->tries_ms = clock_monotonic_ms();
    line_add(&s->waiting_for_room, x);
    return WAIT;
}

/* The client has left, and what could still be asked for is awaited by no other call that would have to pay again. */
static bool is_for_nobody(const struct exchange *x)
{
    return x->client_gone && !(x->any_sent && share_is_awaited(x));
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
    stop_waiting(x);
    if (step == ONWARD && is_for_nobody(x))
        exchange_refuse(x, FAULT_TOO_BUSY,
                        x->any_sent ? S("the client left before all pages were asked for")
                                    : S("the client left before anything was sent to API v3"));
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
    if (x->given) { /* how many rows it owes is known, and nothing has to be asked */
        x->round_rows = x->given->rows > x->held_rows ? x->given->rows - x->held_rows : 0;
        x->round_units = 0;
        return admit_hold(x);
    }
    if (x->has_hold || x->any_sent || x->cached)
        return admit_hold(x);
    assert(!x->n_under_way);
    share_leave_all(x);
    translation_free(x->translation);
    x->translation = NULL;
    x->asked_rows = 0;
    return recall(x);
}

/* A try is not for nothing: there is what it waits for, or, now and then, it may need less by now than it did. */
static bool is_worth_a_try(const struct exchange *x, int64_t now_ms)
{
    const struct service *s = x->service;
    struct rows rows = { x->plan.free_of_rows ? 0 : x->round_rows };
    if (x->given || x->refusal.fault)
        return true;
    if (x->wanted)
        return s->promised + x->wanted <= s->memory.max / 2;
    return now_ms - x->tries_ms >= ANEW_MS || !ledger_must_wait(s->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1),
                                                                x->team_name, rows, (struct units){ x->round_units });
}

/* Each that waits by now. */
static void retry_all(struct service *s)
{
    struct line *line = &s->waiting_for_room;
    int64_t now_ms = clock_monotonic_ms();
    for (size_t n = line->n; n && line->n; n--) {
        struct exchange *x = line->first;
        line_remove(line, x);
        if (!is_worth_a_try(x, now_ms)) {
            line_add(line, x);
            continue;
        }
        stop_timer(x);
        x->waits_for_hold = x->waits_for_room = false;
        if (x->refusal.fault || hold_again(x) == REFUSE) {
            stop_waiting(x);
            exchange_enter(x, ROOM_SETTLE);
            exchange_run(x);
        }
    }
}

static void on_retry_pause_over(evutil_socket_t fd, short what, void *context)
{
    struct service *s = context;
    (void)fd;
    (void)what;
    if (s->retry_is_due)
        admit_retry_waiting(s);
}

bool admit_begin(struct service *s)
{
    s->retry_pause = event_new(s->base, -1, 0, on_retry_pause_over, s);
    return s->retry_pause;
}

/* Every call that ends is a reason for a try. Also from inside of one: who is refused at once makes room. */
void admit_retry_waiting(struct service *s)
{
    static const struct timeval pause = { .tv_usec = RETRY_PAUSE_MS * 1000 };
    s->retry_is_due = s->waiting_for_room.n;
    if (!s->retry_is_due || event_pending(s->retry_pause, EV_TIMEOUT, NULL))
        return;
    s->retry_is_due = false;
    if (event_add(s->retry_pause, &pause) == 0)
        retry_all(s);
}

enum step room_admit(struct exchange *x)
{
    if (!x->has_turn && !turn_take(x)) {
        bool is_behind = x->turns->running < x->turns->team->concurrency; /* a matter of milliseconds, or a second */
        return start_timer(x, is_behind ? BEHIND_MS : 0)
                   ? WAIT
                   : exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    }
    if (!ledger_serves(x->service->ledger))
        return exchange_refuse(x, FAULT_LEDGER_DOWN,
                               S("the ledger cannot write; nothing was charged, try again in a moment"));
    return recall(x);
}
