/* SPDX-License-Identifier: MIT
 * An own request is held in the books, sent, collected and settled. */
#include "proxy/account/own_request.h"

#include "base/clock.h"

enum { MAX_WHY = 2048, MAX_PRICE = 5000 /* units: more than the dearest of them would cost were it not free */ };

static struct ledger_call call_of(const struct own_request *r)
{
    return (struct ledger_call){ .id = slice_of(r->id, LEDGER_ID_SIZE - 1),
                                 .team = S(OWN_TEAM),
                                 .table = r->purpose,
                                 .target = r->target,
                                 .shape = r->purpose,
                                 .free_of_rows = true };
}

static void finish(struct own_request *r, bool ledger_down)
{
    struct own_answer answer = { .result = &r->result, .body = buffer_slice(&r->body), .ledger_down = ledger_down };
    r->is_busy = r->is_held = false;
    r->done(r->context, &answer);
}

static void on_settled(void *context, enum ledger_outcome outcome)
{
    finish(context, outcome != LEDGER_DONE);
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct own_request *r = context;
    buffer_append(&r->body, bytes);
    return !r->body.failed;
}

static void on_done(void *context, const struct upstream_result *result)
{
    struct own_request *r = context;
    r->get = NULL;
    r->result = *result;
    r->why.n = 0;
    buffer_append(&r->why, result->why);
    r->result.why = buffer_slice(&r->why);
    struct ledger_call call = call_of(r);
    bool is_odd = result->units > 0 && !account_believes(r->account, result->units, MAX_PRICE, CONFIG_UNLIMITED);
    int64_t units = is_odd ? REPORT_LEAST_UNITS : result->units > 0 ? result->units : 0;
    bool is_priced = result->fault == FAULT_NONE || result->units > 0;
    struct ledger_settlement s = { .units = is_odd ? -1 : units,
                                   .units_predicted = is_odd ? units : 0,
                                   .units_alone = units,
                                   .via = "upstream",
                                   .fault = fault_word(result->fault),
                                   .duration_ms = clock_monotonic_ms() - r->began_ms };
    if (units > 0)
        r->account->units_booked += units;
    if (!r->is_held && !units)
        finish(r, false);
    else if (is_priced)
        ledger_settle(r->ledger, &call, &s, on_settled, r);
    else if (result->may_have_cost)
        ledger_unknown(r->ledger, &call, (struct units){ 0 }, s.fault, on_settled, r);
    else
        ledger_release(r->ledger, &call, s.fault, on_settled, r);
}

static bool send(struct own_request *r)
{
    static const struct upstream_callbacks callbacks = { NULL, on_bytes, on_done, NULL };
    r->get = upstream_start(r->account->upstream, buffer_slice(&r->path), S(OWN_TEAM), r->body.max_bytes,
                            clock_monotonic_ms() + r->within_ms, &callbacks, r);
    if (r->get)
        upstream_is_free(r->get);
    return r->get;
}

static void on_released(void *context, enum ledger_outcome outcome)
{
    (void)outcome;
    finish(context, false);
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct own_request *r = context;
    if (outcome != LEDGER_DONE) {
        finish(r, true);
        return;
    }
    r->is_held = true;
    if (send(r))
        return;
    struct ledger_call call = call_of(r);
    ledger_release(r->ledger, &call, fault_word(FAULT_TOO_BUSY), on_released, r);
}

bool own_request_start(struct own_request *r, struct account *account, struct ledger *ledger,
                       const struct own_question *q, own_request_done *done, void *context)
{
    own_request_clear(r);
    *r = (struct own_request){ .account = account,
                               .ledger = ledger,
                               .is_busy = true,
                               .purpose = q->purpose,
                               .target = q->target,
                               .body = buffer_with_cap(q->max_bytes),
                               .why = buffer_with_cap(MAX_WHY),
                               .within_ms = q->within_ms,
                               .began_ms = clock_monotonic_ms(),
                               .done = done,
                               .context = context };
    /* This is told when the request cannot even start. */
    r->result = (struct upstream_result){
        .fault = FAULT_TOO_BUSY, .why = S("memory is out"), .units = -1, .units_nominal = -1, .rows = -1
    };
    ledger_new_id(r->id);
    buffer_append(&r->path, q->path);
    if (r->path.failed) {
        r->is_busy = false;
        return false;
    }
    if (q->hold) {
        struct ledger_call call = call_of(r);
        ledger_hold(ledger, &call, (struct rows){ 0 }, (struct units){ 0 }, on_held, r);
        return true;
    }
    r->is_busy = send(r);
    return r->is_busy;
}

void own_request_clear(struct own_request *r)
{
    if (r->get)
        (void)upstream_cancel(r->get);
    buffer_clear(&r->path);
    buffer_clear(&r->body);
    buffer_clear(&r->why);
    r->get = NULL;
    r->is_busy = false;
}
