/* SPDX-License-Identifier: MIT
 * Our own requests to v3: held, sent, collected, settled. */
#include "proxy/account/own_request.h"

#include "base/clock.h"

enum { MAX_WHY = 2048 };

static struct ledger_call call_of(const struct ask *a)
{
    return (struct ledger_call){ .id = slice_of(a->id, LEDGER_ID_SIZE - 1),
                                 .team = S(OWN_TEAM),
                                 .table = a->purpose,
                                 .target = a->target,
                                 .shape = a->purpose,
                                 .free_of_rows = true };
}

static void finish(struct ask *a, bool ledger_down)
{
    struct ask_answer answer = { .result = &a->result, .body = buffer_slice(&a->body), .ledger_down = ledger_down };
    a->is_busy = a->is_held = false;
    a->done(a->context, &answer);
}

static void on_settled(void *context, enum ledger_outcome outcome)
{
    finish(context, outcome != LEDGER_DONE);
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct ask *a = context;
    buffer_append(&a->body, bytes);
    return !a->body.failed;
}

static void on_done(void *context, const struct upstream_result *result)
{
    struct ask *a = context;
    a->get = NULL;
    a->result = *result;
    a->why.n = 0;
    buffer_append(&a->why, result->why);
    a->result.why = buffer_slice(&a->why);
    struct ledger_call call = call_of(a);
    int64_t units = result->units > 0 ? result->units : 0;
    bool is_priced = result->fault == FAULT_NONE || result->units > 0;
    struct ledger_settlement s = { .units = units,
                                   .units_predicted = 0,
                                   .units_alone = units,
                                   .via = "upstream",
                                   .fault = fault_word(result->fault),
                                   .duration_ms = clock_monotonic_ms() - a->began_ms };
    if (units > 0)
        a->account->units_booked += units;
    if (!a->is_held && !units)
        finish(a, false);
    else if (is_priced)
        ledger_settle(a->ledger, &call, &s, on_settled, a);
    else if (result->may_have_cost)
        ledger_unknown(a->ledger, &call, (struct units){ 0 }, s.fault, on_settled, a);
    else
        ledger_release(a->ledger, &call, s.fault, on_settled, a);
}

static bool send(struct ask *a)
{
    static const struct upstream_callbacks callbacks = { NULL, on_bytes, on_done };
    a->get = upstream_start(a->account->upstream, buffer_slice(&a->path), S(OWN_TEAM), a->body.max_bytes,
                            clock_monotonic_ms() + a->within_ms, &callbacks, a);
    if (a->get)
        upstream_is_free(a->get);
    return a->get;
}

static void on_released(void *context, enum ledger_outcome outcome)
{
    (void)outcome;
    finish(context, false);
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct ask *a = context;
    if (outcome != LEDGER_DONE) {
        finish(a, true);
        return;
    }
    a->is_held = true;
    if (send(a))
        return;
    struct ledger_call call = call_of(a);
    ledger_release(a->ledger, &call, fault_word(FAULT_TOO_BUSY), on_released, a);
}

bool ask_start(struct ask *a, struct account *account, struct ledger *ledger, const struct ask_question *q,
               ask_done *done, void *context)
{
    ask_clear(a);
    *a = (struct ask){ .account = account,
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
    /* What is told when it cannot even start. */
    a->result = (struct upstream_result){
        .fault = FAULT_TOO_BUSY, .why = S("memory is out"), .units = -1, .units_nominal = -1, .rows = -1
    };
    ledger_new_id(a->id);
    buffer_append(&a->path, q->path);
    if (a->path.failed) {
        a->is_busy = false;
        return false;
    }
    if (q->hold) {
        struct ledger_call call = call_of(a);
        ledger_hold(ledger, &call, (struct rows){ 0 }, (struct units){ 0 }, on_held, a);
        return true;
    }
    a->is_busy = send(a);
    return a->is_busy;
}

void ask_clear(struct ask *a)
{
    if (a->get)
        (void)upstream_cancel(a->get);
    buffer_clear(&a->path);
    buffer_clear(&a->body);
    buffer_clear(&a->why);
    a->get = NULL;
    a->is_busy = false;
}
