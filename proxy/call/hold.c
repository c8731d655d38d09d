/* SPDX-License-Identifier: MIT
 * The step hold: the durable hold of a round, and waiting for room. */
#include "proxy/call/hold.h"

#include <assert.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/share.h"
#include "base/text.h"

enum { ANEW_MS = 1000 /* after that a call in the wait list may need less than it did */ };

struct hold {
    enum {
        IDLE,    /* nothing is asked of the ledger, nothing is waited for */
        WRITING, /* the ledger writes */
        WRITTEN, /* and has said how that ended */
        IN_LINE, /* in the wait list */
        TRYING,  /* out of it: there may be room now */
    } state;
    bool is_open, is_waived;
    bool has_whole; /* rows and units of the whole call are set aside */
    bool lines_up;  /* behind calls of other teams, though it might have room */
    enum ledger_outcome answer;
    int64_t rows, units; /* on the books */
    struct waiter waiter;
    int64_t tried_ms;       /* when it went into the wait list */
    int64_t waits_until_ms; /* all tries together; 0: it has not waited */
    size_t wanted;          /* memory that it waits for; 0: it waits for room in a limit */
    size_t set_aside;
};

static struct hold *hold_of(struct exchange *x)
{
    if (!x->hold)
        x->hold = exchange_part(x, struct hold);
    return x->hold;
}

bool hold_is_open(const struct exchange *x)
{
    return x->hold && x->hold->is_open;
}

bool hold_is_waived(const struct exchange *x)
{
    return x->hold && x->hold->is_waived;
}

bool hold_is_waiting(const struct exchange *x)
{
    return x->hold && x->hold->state == IN_LINE;
}

int64_t hold_rows(const struct exchange *x)
{
    return x->hold ? x->hold->rows : 0;
}

int64_t hold_units(const struct exchange *x)
{
    return x->hold ? x->hold->units : 0;
}

void hold_ended(struct exchange *x)
{
    x->hold->is_open = x->hold->is_waived = false;
}

/* ---- whose calls stand in the way ---- */

static enum ledger_way way(const struct exchange *x)
{
    struct slice id = slice_of(x->id, LEDGER_ID_SIZE - 1);
    struct rows rows = { x->asked.plan.free_of_rows ? 0 : x->next_hold.rows };
    struct units units = { x->next_hold.units };
    return x->next_hold.waits ? ledger_way_aside(x->service->ledger, id, x->asked.team_name, rows, units)
                              : ledger_way(x->service->ledger, id, x->asked.team_name, rows, units);
}

static struct slice limit_in_the_way(const struct exchange *x)
{
    switch (way(x)) {
    case LEDGER_WAY_OWN_LIMIT:
        return S("the team's other calls under way hold what is left of its limit");
    case LEDGER_WAY_OWN_SHARE:
        return S("the team's other calls under way hold its share of the units that are left: half of what other teams "
                 "leave");
    case LEDGER_WAY_OTHERS:
        return S("other teams' calls under way hold the units that are left");
    case LEDGER_WAY_FREE:
        break;
    }
    return S("other calls under way held what is left of a limit until just now");
}

static void promise(struct exchange *x, size_t n)
{
    x->service->promised += n;
    x->ticket.queue->promised += n;
}

static void take_back_promise(struct exchange *x, size_t n)
{
    x->service->promised -= n;
    x->ticket.queue->promised -= n;
}

/* One team of several may have promised its share of the half that calls can be promised. */
static bool may_promise(const struct service *s, const struct team_queue *t, size_t more)
{
    size_t most = s->memory.max / 2;
    if (s->memory.is_shared)
        return share_fits((int64_t)most, (int64_t)(s->promised - t->promised), (int64_t)t->promised, (int64_t)more);
    return s->promised + more <= most;
}

static struct slice memory_in_the_way(const struct exchange *x)
{
    const struct service *s = x->service;
    const struct team_queue *t = x->ticket.queue;
    if (!s->memory.is_shared)
        return S("the calls under way may need all the memory that calls may have");
    if (s->promised - t->promised + x->hold->wanted > s->memory.max / 2)
        return S("other teams' calls under way may need all the memory that calls may have");
    return S("the team's other calls under way may need its share of the memory that calls may have");
}

/* ---- waiting for room ---- */

/* A try is not in vain: there is what the call waits for, or, now and then, it may need less by now than it did. */
static bool is_worth_it(const void *context, int64_t now_ms)
{
    const struct exchange *x = context;
    const struct hold *h = x->hold;
    if (x->seats.given || x->refusal.fault)
        return true;
    if (h->wanted)
        return may_promise(x->service, x->ticket.queue, h->wanted);
    return now_ms - h->tried_ms >= ANEW_MS || way(x) == LEDGER_WAY_FREE;
}

static void try_again(void *context)
{
    struct exchange *x = context;
    x->hold->state = TRYING;
    exchange_wake(x);
}

static enum onward wait_for_room(struct exchange *x)
{
    struct hold *h = x->hold;
    int64_t now_ms = clock_monotonic_ms();
    if (x->client_gone)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
    if (!h->waits_until_ms) {
        int64_t until_ms = now_ms + exchange_config(x)->queue_timeout_ms;
        h->waits_until_ms = until_ms < x->clocks.deadline_ms ? until_ms : x->clocks.deadline_ms;
    }
    if (exchange_sleep(x, h->waits_until_ms) == REFUSE)
        return REFUSE;
    flight_give_up(&x->seats); /* calls that have joined need not wait for this one's room */
    h->state = IN_LINE;
    h->tried_ms = now_ms;
    h->waiter.is_worth_it = is_worth_it;
    h->waiter.again = try_again;
    h->waiter.context = x;
    h->waiter.lane = &x->ticket.queue->lane;
    waitlist_add(&x->service->waitlist, &h->waiter);
    if (h->lines_up)
        waitlist_retry(&x->service->waitlist);
    h->lines_up = false;
    return WAIT;
}

static void stop_waiting(struct exchange *x)
{
    x->hold->waits_until_ms = 0;
}

/* The turn is another call's from now on: this one only has to be ended. */
static void leave_line(struct exchange *x)
{
    waitlist_remove(&x->service->waitlist, &x->hold->waiter);
    x->hold->state = IDLE;
    stop_waiting(x);
    team_queue_leave(&x->service->pacer, &x->ticket);
}

enum onward hold_late(struct exchange *x)
{
    if (x->hold->state != IN_LINE) /* the books say how the try ends */
        return WAIT;
    struct slice why = x->hold->wanted ? memory_in_the_way(x) : limit_in_the_way(x);
    x->retry_after_ms = service_wait_ms(x->service, 1, 1);
    leave_line(x);
    return exchange_refuse(x, FAULT_TOO_BUSY, why);
}

enum onward hold_gone(struct exchange *x)
{
    if (x->hold->state != IN_LINE)
        return WAIT;
    leave_line(x);
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
}

/* ---- memory ---- */

/* What the call may need, so that those under way do not run out together when they have been paid for. A limit says
 * little about a list: a part of all is enough for any. */
static size_t memory_of_rows(const struct exchange *x)
{
    enum { ROW_BYTES = 384 /* of a row in memory, packed to be remembered, and in the answer */, PARTS = 16 };
    const struct call *c = &x->asked.call;
    size_t rows = (size_t)c->limit + (size_t)c->offset, part = x->service->memory.max / PARTS;
    return rows < part / ROW_BYTES ? rows * ROW_BYTES : part;
}

enum onward hold_set_aside(struct exchange *x)
{
    struct service *s = x->service;
    struct hold *h = hold_of(x);
    if (!h)
        return exchange_refuse_call_memory(x);
    h->state = IDLE;
    if (h->set_aside)
        return ONWARD;
    h->wanted = memory_of_rows(x);
    if (!may_promise(s, x->ticket.queue, h->wanted))
        return wait_for_room(x);
    h->set_aside = h->wanted;
    h->wanted = 0;
    promise(x, h->set_aside);
    return ONWARD;
}

void hold_try_ended(struct exchange *x)
{
    x->hold->state = IDLE;
    x->hold->wanted = 0;
}

bool hold_give_back(struct exchange *x)
{
    struct hold *h = x->hold;
    if (!h || (!h->set_aside && !h->has_whole))
        return false;
    take_back_promise(x, h->set_aside);
    h->set_aside = 0;
    if (h->has_whole && !h->is_open)
        ledger_put_back(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1));
    h->has_whole = false;
    return true;
}

/* ---- the hold ---- */

/* The round asks for the target's record: others wait a moment for this call. */
static bool is_coming(const struct exchange *x)
{
    for (int i = 0; i < x->requests.n; i++)
        if (exchange_asks_record(x, x->requests.list[i].ask))
            return true;
    return false;
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct exchange *x = context;
    bool comes = is_coming(x);
    x->hold->answer = outcome;
    x->hold->state = WRITTEN;
    x->n_under_way--;
    exchange_wake(x); /* it takes its seat */
    if (comes)
        record_desk_coming(x->asked.account->desk, false);
}

static enum onward write_hold(struct exchange *x)
{
    struct ledger_call call = exchange_ledger_call(x);
    x->hold->state = WRITING;
    x->n_under_way++;
    if (is_coming(x))
        record_desk_coming(x->asked.account->desk, true);
    ledger_hold(x->service->ledger, &call, (struct rows){ x->next_hold.rows }, (struct units){ x->next_hold.units },
                on_held, x);
    return WAIT;
}

/* The client has left, and what could still be asked for is awaited by no other call that would have to pay again. */
static bool is_in_vain(const struct exchange *x)
{
    return x->client_gone && !(x->has_sent && flight_is_awaited(&x->seats));
}

static enum onward held(struct exchange *x)
{
    x->hold->is_open = true;
    x->hold->rows += x->next_hold.rows;
    x->hold->units += x->next_hold.units;
    if (!is_in_vain(x))
        return x->refusal.fault ? REFUSE : ONWARD;
    return exchange_refuse(x, FAULT_TOO_BUSY,
                           x->has_sent ? S("the client left before all pages were asked for")
                                       : S("the client left before anything was sent to API v3"));
}

/* What the limit is, and whose it is. */
static int64_t write_limit(const struct exchange *x, enum limit_kind kind, struct buffer *b)
{
    struct ledger_left left = ledger_left(x->service->ledger, x->asked.team_name);
    if (kind == LIMIT_WHOLE_UNITS)
        buffer_str(b, "all teams together have ");
    else
        buffer_printf(b, "team %.*s has ", SLICE_ARGS(x->asked.team_name));
    return kind == LIMIT_ROWS         ? left.rows_limit
           : kind == LIMIT_TEAM_UNITS ? left.units_limit
                                      : exchange_config(x)->units_per_month;
}

/* "this call needs at least 2 and may need 1,001" */
static void write_need(const struct shortage *s, struct buffer *b)
{
    bool is_exact = s->least == s->most;
    buffer_str(b, " (UTC); this call ");
    if (s->least > 0) {
        buffer_str(b, is_exact ? "needs " : "needs at least ");
        buffer_grouped(b, s->least);
    }
    if (!is_exact) {
        buffer_str(b, s->least > 0 ? " and may need " : "may need ");
        buffer_grouped(b, s->most);
    }
}

static void write_shortage(const struct exchange *x, const struct shortage *s, int64_t ends_in_ms, struct buffer *b)
{
    static const char *const names[] = { "rows_per_month", "its units_per_month", "units_per_month of all" };
    char until[DAY_WORDS];
    bool is_rows = s->kind == LIMIT_ROWS;
    day_words(day_of_ms(clock_wall_ms() + ends_in_ms), until);
    int64_t limit = write_limit(x, s->kind, b);
    buffer_grouped(b, s->left > 0 ? s->left : 0);
    buffer_str(b, " of ");
    buffer_grouped(b, limit);
    buffer_printf(b, " %s left until %s", is_rows ? "rows" : "API v3 units", until);
    write_need(s, b);
    buffer_printf(b, ": ask for fewer rows%s, or have %s raised", is_rows ? "" : " or columns", names[s->kind]);
    if (s->spent > 0) {
        buffer_str(b, "; it has cost ");
        buffer_grouped(b, s->spent);
        buffer_str(b, " API v3 units by now");
    }
}

enum onward hold_refuse(struct exchange *x, const struct shortage *s)
{
    struct ledger *l = x->service->ledger;
    struct buffer b = { 0 };
    bool is_rows = s->kind == LIMIT_ROWS;
    x->retry_after_ms = is_rows ? ledger_month_ends_in_ms(l) : ledger_billing_month_ends_in_ms(l);
    write_shortage(x, s, x->retry_after_ms, &b);
    struct slice why = b.failed ? slice_of(NULL, 0) : arena_dup(x->memory, buffer_slice(&b));
    buffer_clear(&b);
    if (!why.p)
        return exchange_refuse_call_memory(x);
    return exchange_refuse(x, is_rows ? FAULT_OUT_OF_ROWS : FAULT_OUT_OF_UNITS, why);
}

/* For a call that holds `held` already and needs `more`. */
static enum onward out_of_rows(struct exchange *x, int64_t held, int64_t more)
{
    struct ledger_room room = ledger_room(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name);
    return hold_refuse(x, &(struct shortage){ LIMIT_ROWS, room.rows, held + more, held + more, 0 });
}

static enum onward out_of_units(struct exchange *x, int64_t held, int64_t more)
{
    struct ledger_room room = ledger_room(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name);
    bool is_teams = room.team_units != LEDGER_NO_LIMIT &&
                    (room.whole_units == LEDGER_NO_LIMIT || room.team_units <= room.whole_units);
    return hold_refuse(x, &(struct shortage){ is_teams ? LIMIT_TEAM_UNITS : LIMIT_WHOLE_UNITS,
                                              is_teams ? room.team_units : room.whole_units, held + more, held + more,
                                              0 });
}

/* Only before anything was paid for: what is asked for later was set aside (call/round.c), and always fits. */
static enum onward does_not_fit(struct exchange *x, enum ledger_outcome outcome)
{
    assert(!x->has_sent);
    return outcome == LEDGER_WAIT          ? wait_for_room(x)
           : outcome == LEDGER_OUT_OF_ROWS ? out_of_rows(x, hold_rows(x), x->next_hold.rows)
                                           : out_of_units(x, hold_units(x), x->next_hold.units);
}

static enum onward is_down(struct exchange *x)
{
    return exchange_refuse(x, FAULT_LEDGER_DOWN,
                           S("the ledger cannot write; nothing was charged, try again in a moment"));
}

static enum onward take_answer(struct exchange *x)
{
    enum onward how = REFUSE;
    x->hold->state = IDLE;
    switch (x->hold->answer) {
    case LEDGER_DONE:
        how = held(x);
        break;
    case LEDGER_OUT_OF_ROWS:
    case LEDGER_OUT_OF_UNITS:
    case LEDGER_WAIT:
        how = does_not_fit(x, x->hold->answer);
        break;
    case LEDGER_DOWN:
        how = is_down(x);
        break;
    }
    if (how != WAIT)
        stop_waiting(x);
    return how;
}

/* It would take more than its team's share while calls of other teams wait: they are tried first. */
static bool must_line_up(const struct exchange *x, int64_t units)
{
    struct ledger_room room = ledger_room(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name);
    return !x->hold->waits_until_ms && waitlist_has_others(&x->service->waitlist, &x->ticket.queue->lane) &&
           room.whole_units_now != LEDGER_NO_LIMIT && units > room.whole_units_now;
}

enum onward hold_whole(struct exchange *x, int64_t rows, int64_t units, struct units *allowance)
{
    struct hold *h = hold_of(x);
    if (!h)
        return exchange_refuse_call_memory(x);
    h->lines_up = must_line_up(x, units);
    enum ledger_outcome outcome =
        h->lines_up ? LEDGER_WAIT
                    : ledger_set_aside(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name,
                                       (struct rows){ rows }, (struct units){ units }, allowance);
    h->has_whole |= outcome == LEDGER_DONE;
    switch (outcome) {
    case LEDGER_DONE:
        return ONWARD;
    case LEDGER_OUT_OF_ROWS:
        return out_of_rows(x, 0, rows);
    case LEDGER_OUT_OF_UNITS:
        return out_of_units(x, 0, units);
    case LEDGER_WAIT:
        x->next_hold = (struct amounts){ rows, units, true };
        return AGAIN;
    case LEDGER_DOWN:
        break;
    }
    return is_down(x);
}

bool hold_change(struct exchange *x, int64_t from, int64_t to, ledger_done *done)
{
    struct ledger_call call = exchange_ledger_call(x);
    if (from == to)
        return false;
    x->n_under_way++;
    x->hold->units += to - from;
    if (to > from)
        ledger_hold(x->service->ledger, &call, (struct rows){ 0 }, (struct units){ to - from }, done, x);
    else
        ledger_lower(x->service->ledger, &call, (struct units){ from - to }, done, x);
    return true;
}

/* What the call was going to ask may be known by now. */
static enum onward hold_again(struct exchange *x)
{
    struct hold *h = x->hold;
    h->state = IDLE;
    if (x->refusal.fault)
        return REFUSE;
    if (x->seats.given) { /* how many rows it owes is known, and nothing has to be asked */
        int64_t rows = flight_given(&x->seats)->answer.rows;
        x->next_hold = (struct amounts){ .rows = rows > h->rows ? rows - h->rows : 0 };
        return write_hold(x);
    }
    if (x->next_hold.waits)
        return ANEW;
    return h->is_open || x->outcome.cached ? write_hold(x) : ANEW;
}

static enum onward try_anew(struct exchange *x)
{
    enum onward how = hold_again(x);
    if (how == REFUSE)
        stop_waiting(x);
    return how;
}

/* In the wait list, and what another call has brought may have made the wait needless. */
static enum onward look_up(struct exchange *x)
{
    if (x->seats.given || x->refusal.fault)
        waitlist_retry(&x->service->waitlist);
    return WAIT;
}

/* An answer without rows that is there already and is free: a hold would say nothing. */
static bool is_for_nothing(const struct exchange *x)
{
    bool has_none = x->outcome.cached ? !x->outcome.result.results : !x->asked.plan.ask_list;
    return has_none && !x->hold->is_open && !x->next_hold.rows && !x->next_hold.units && !x->requests.n &&
           !x->seats.n_awaited;
}

enum onward hold_enter(struct exchange *x)
{
    const struct hold *h = hold_of(x);
    if (!h)
        return exchange_refuse_call_memory(x);
    switch (h->state) {
    case IDLE:
        x->hold->is_waived = is_for_nothing(x);
        if (h->is_waived)
            return ONWARD;
        if (x->next_hold.waits)
            return wait_for_room(x);
        return h->is_open && !x->next_hold.rows && !x->requests.n ? ONWARD : write_hold(x);
    case WRITING:
        return WAIT;
    case WRITTEN:
        return take_answer(x);
    case IN_LINE:
        return look_up(x);
    case TRYING:
        return try_anew(x);
    }
    assert(false);
    return REFUSE;
}
