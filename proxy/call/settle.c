/* SPDX-License-Identifier: MIT
 * The step settle: the one place that charges. */
#include "proxy/call/settle.h"

#include "base/clock.h"
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"

static void on_settled(void *context, enum ledger_outcome outcome)
{
    struct exchange *x = context;
    hold_ended(x);
    x->n_under_way--;
    if (outcome != LEDGER_DONE)
        outcome_charge_nothing(x);
    if (outcome != LEDGER_DONE && !x->refusal.fault)
        exchange_refuse(x, FAULT_LEDGER_DOWN,
                        S("the ledger cannot write, so the answer is not given; try again in a moment"));
    waitlist_retry(&x->service->waitlist);
    exchange_wake(x);
}

static void charge(struct exchange *x, const struct ledger_call *call, const struct spending *s)
{
    const struct outcome *o = &x->outcome;
    bool refused = x->refusal.fault;
    int64_t spent = s->known + s->unknown;
    struct ledger_settlement entry = {
        .rows = { o->charge.rows },
        .units = s->any_unknown ? -1 : s->known,
        .units_predicted = s->any_unknown ? spent : s->predicted, /* it counts where units are null */
        .units_alone = outcome_units_alone(x, spent),
        .results = o->charge.results,
        .via = fetch_has_asked(x) || refused ? "upstream"
               : o->shared                   ? "shared"
                                             : "cache",
        .paid_by = fetch_has_asked(x) ? S("") : o->payer,
        .approximate = refused ? S("") : o->approximate,
        .fault = fault_word(x->refusal.fault),
        .duration_ms = (clock_monotonic_us() - x->clocks.began_us) / 1000,
    };
    if (!refused && entry.units_alone > spent)
        x->service->counters.units_saved += (uint64_t)(entry.units_alone - spent);
    ledger_settle(x->service->ledger, call, &entry, on_settled, x);
}

/* The call as it came without its token, in `b` or the call's memory; empty when it is too long to be kept. *bytes: how
 * long it is. */
static struct slice text_of(const struct exchange *x, struct buffer *b, int64_t *bytes)
{
    const struct http_request *r = http_call_request(x->http);
    bool has_form = r->method == HTTP_POST && params_are_form(r->content_type);
    params_write_text(r->query, b);
    if (has_form)
        params_write_text(r->body, b);
    *bytes = (int64_t)(b->failed ? r->query.n + (has_form ? r->body.n : 0) : b->n);
    struct slice text = b->failed ? S("") : params_without_token(&x->asked.params, buffer_slice(b), x->memory);
    return text.n <= LEDGER_CALL_BYTES ? text : S("");
}

/* What the call is like, whatever it asks about: "refused bad_where anchors mode,where". */
static void write_refused_shape(const struct exchange *x, struct buffer *b)
{
    const struct table *table = x->asked.call.table;
    buffer_str(b, LEDGER_REFUSED_WORD);
    buffer_append(b, fault_word(x->refusal.fault));
    buffer_put(b, ' ');
    buffer_append(b, table ? table->from : S("?"));
    params_write_names(&x->asked.params, b);
}

/* Of a stranger's call nothing is kept but that there was one. */
static void count_refusal(struct exchange *x)
{
    char text_room[LEDGER_CALL_BYTES], shape_room[256];
    struct buffer text = { .p = text_room, .room = sizeof text_room, .max_bytes = sizeof text_room };
    struct buffer shape = { .p = shape_room, .room = sizeof shape_room, .max_bytes = sizeof shape_room };
    struct ledger_refusal call = { .team = x->asked.team_name,
                                   .key = x->asked.key,
                                   .table = x->asked.call.table ? x->asked.call.table->from : S(""),
                                   .fault = fault_word(x->refusal.fault) };
    if (x->ticket.queue) {
        write_refused_shape(x, &shape);
        call.shape = buffer_slice(&shape);
        call.text = text_of(x, &text, &call.text_bytes);
    }
    ledger_saw_refusal(x->service->ledger, &call);
}

static enum onward end_hold(struct exchange *x)
{
    struct ledger *ledger = x->service->ledger;
    struct ledger_call call = exchange_ledger_call(x);
    char room[LEDGER_CALL_BYTES];
    struct buffer text = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    call.text = text_of(x, &text, &call.text_bytes);
    struct slice fault = fault_word(x->refusal.fault);
    struct spending s = fetch_spending(x);
    x->n_under_way++;
    if (!x->refusal.fault || x->outcome.charge.rows || (s.any && !s.any_unknown))
        charge(x, &call, &s);
    else if (s.any)
        ledger_unknown(ledger, &call, (struct units){ s.known + s.unknown }, fault, on_settled, x);
    else
        ledger_release(ledger, &call, fault, on_settled, x);
    return WAIT;
}

enum onward settle_enter(struct exchange *x)
{
    if (x->n_under_way)
        return WAIT;
    if (!x->refusal.fault && !outcome_say_marks(x))
        exchange_refuse_call_memory(x);
    outcome_charge(x, hold_rows(x));
    flight_leave_all(&x->seats);
    outcome_blame(x, FLIGHT_CALL, x->refusal, x->retry_after_ms);
    flight_give_up(&x->seats);
    bool makes_room = hold_give_back(x);
    if (hold_is_open(x) || (hold_is_waived(x) && !x->refusal.fault))
        return end_hold(x); /* calls that wait for room try when that is over: then there are rows as well */
    if (makes_room)
        waitlist_retry(&x->service->waitlist);
    if (x->refusal.fault)
        count_refusal(x);
    return ONWARD; /* it never reached the books */
}
