/* SPDX-License-Identifier: MIT
 * The step hold: the durable hold of a round, and waiting for room. */
#include "proxy/call/hold.h"

#include <assert.h>

#include "base/clock.h"

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
    enum ledger_outcome answer;
    int64_t rows;
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

void hold_ended(struct exchange *x)
{
    x->hold->is_open = x->hold->is_waived = false;
}

/* ---- waiting for room ---- */

/* A try is not in vain: there is what the call waits for, or, now and then, it may need less by now than it did. */
static bool is_worth_it(const void *context, int64_t now_ms)
{
    const struct exchange *x = context;
    const struct hold *h = x->hold;
    const struct service *s = x->service;
    struct rows rows = { x->asked.plan.free_of_rows ? 0 : x->next_hold.rows };
    if (x->seats.given || x->refusal.fault)
        return true;
    if (h->wanted)
        return s->promised + h->wanted <= s->memory.max / 2;
    bool (*must_wait)(const struct ledger *, struct slice, struct slice, struct rows, struct units) =
        x->next_hold.waits ? ledger_must_wait_aside : ledger_must_wait;
    return now_ms - h->tried_ms >= ANEW_MS ||
           !must_wait(s->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name, rows,
                      (struct units){ x->next_hold.units });
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
    if (!x->has_sent)
        flight_give_up(&x->seats); /* calls that have joined need not wait for this one's room */
    h->state = IN_LINE;
    h->tried_ms = now_ms;
    h->waiter.is_worth_it = is_worth_it;
    h->waiter.again = try_again;
    h->waiter.context = x;
    waitlist_add(&x->service->waitlist, &h->waiter);
    return WAIT;
}

static void stop_waiting(struct exchange *x)
{
    x->hold->waits_until_ms = 0;
    waitlist_be_patient_no_more(&x->service->waitlist, &x->hold->waiter);
}

/* The turn is another call's from now on: this one only has to be ended. */
static void leave_line(struct exchange *x)
{
    waitlist_remove(&x->service->waitlist, &x->hold->waiter);
    x->hold->state = IDLE;
    stop_waiting(x);
    team_queue_leave(&x->service->pacer, &x->ticket);
}

/* A call that already spent units may wait for headroom until its deadline; one at a time, since two could deadlock on
 * each other's holds. Nor may one that others have joined: they hold rows, too, and can ask for themselves. */
static bool may_wait_on(struct exchange *x)
{
    struct hold *h = x->hold;
    if (h->state != IN_LINE || !x->has_sent || x->client_gone || flight_is_awaited(&x->seats) ||
        clock_monotonic_ms() >= x->clocks.deadline_ms || !waitlist_be_patient(&x->service->waitlist, &h->waiter))
        return false;
    h->waits_until_ms = x->clocks.deadline_ms;
    if (exchange_sleep(x, h->waits_until_ms) == REFUSE)
        return false;
    flight_give_up(&x->seats); /* no call is to join it now */
    return true;
}

enum onward hold_late(struct exchange *x)
{
    if (x->hold->state != IN_LINE || may_wait_on(x)) /* else the books say how the try ends */
        return WAIT;
    bool for_memory = x->hold->wanted > 0;
    x->retry_after_ms = service_wait_ms(x->service, 1, 1);
    leave_line(x);
    return exchange_refuse(x, FAULT_TOO_BUSY,
                           for_memory ? S("the calls under way may need all the memory that calls may have")
                                      : S("the team's other calls under way hold what is left of its limit"));
}

enum onward hold_gone(struct exchange *x)
{
    if (x->hold->state != IN_LINE || flight_is_awaited(&x->seats))
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
    if (s->promised + h->wanted > s->memory.max / 2)
        return wait_for_room(x);
    h->set_aside = h->wanted;
    h->wanted = 0;
    s->promised += h->set_aside;
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
    x->service->promised -= h->set_aside;
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
    if (!call.shape.p)
        return exchange_refuse_call_memory(x);
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
    if (!is_in_vain(x))
        return x->refusal.fault ? REFUSE : ONWARD;
    return exchange_refuse(x, FAULT_TOO_BUSY,
                           x->has_sent ? S("the client left before all pages were asked for")
                                       : S("the client left before anything was sent to API v3"));
}

static enum onward out_of_rows(struct exchange *x)
{
    x->retry_after_ms = ledger_month_ends_in_ms(x->service->ledger);
    return exchange_refuse(x, FAULT_OUT_OF_ROWS,
                           S("the team's rows_per_month leaves no room for this call: ask for fewer rows, or wait "
                             "for the next month"));
}

static enum onward out_of_units(struct exchange *x)
{
    x->retry_after_ms = ledger_billing_month_ends_in_ms(x->service->ledger);
    return exchange_refuse(x, FAULT_OUT_OF_UNITS,
                           S("units_per_month leaves no room for this call: ask for fewer rows or columns, or wait "
                             "for the next month"));
}

/* Earlier pages were held for and brought less, so that this one does not fit beside them: the list ends before it,
 * for our own limits never refuse what was paid for. False when it is not the list that does not fit. */
static bool leave_list_out(struct exchange *x)
{
    struct requests *q = &x->requests;
    int n = 0;
    bool has_list = false;
    for (int i = 0; i < q->n; i++) {
        has_list |= q->list[i].ask == ASK_LIST;
        x->next_hold.units -= q->list[i].ask == ASK_LIST ? q->list[i].units : 0;
        if (q->list[i].ask != ASK_LIST)
            q->list[n++] = q->list[i];
    }
    if (!has_list || !x->has_sent)
        return false;
    q->n = n;
    x->next_hold.rows = 0;
    translation_end_list(x->translation);
    return true;
}

static enum onward does_not_fit(struct exchange *x, enum ledger_outcome outcome)
{
    if (x->translation && leave_list_out(x))
        return x->requests.n ? write_hold(x) : ONWARD;
    return outcome == LEDGER_WAIT ? wait_for_room(x) : outcome == LEDGER_OUT_OF_ROWS ? out_of_rows(x) : out_of_units(x);
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

enum onward hold_whole(struct exchange *x, int64_t rows, int64_t units, struct units *allowance)
{
    struct hold *h = hold_of(x);
    if (!h)
        return exchange_refuse_call_memory(x);
    enum ledger_outcome outcome =
        ledger_set_aside(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name,
                         (struct rows){ rows }, (struct units){ units }, allowance);
    h->has_whole |= outcome == LEDGER_DONE;
    switch (outcome) {
    case LEDGER_DONE:
        return ONWARD;
    case LEDGER_OUT_OF_ROWS:
        return out_of_rows(x);
    case LEDGER_OUT_OF_UNITS:
        return out_of_units(x);
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
    if (!call.shape.p)
        call.shape = S(""); /* the entry has one already */
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
    return h->is_open || x->has_sent || x->outcome.cached ? write_hold(x) : ANEW;
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
