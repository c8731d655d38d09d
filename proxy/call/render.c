/* SPDX-License-Identifier: MIT
 * The step render: the answer's bytes, and what this call has learnt for the next ones. */
#include "proxy/call/render.h"

#include <assert.h>

#include "base/clock.h"
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"
#include "proxy/call/round.h"

struct render {
    int64_t held_rows;
    struct refusal refusal; /* what the worker has found wrong */
    bool made;
};

static void keep_learnt(struct exchange *x)
{
    struct account *a = x->asked.account;
    const struct translation_result *r = &x->outcome.result;
    a->seen.upper_case |= r->seen.upper_case;
    a->seen.disorder |= r->seen.disorder;
    if (r->learnt_page_rows && (!a->learnt_page_rows || r->learnt_page_rows < a->learnt_page_rows))
        a->learnt_page_rows = r->learnt_page_rows;
    for (int i = 0; i < r->n_learnt; i++)
        exchange_keep_part(x, r->learnt[i].ask, r->learnt[i].bytes);
}

/* Runs on the worker thread when the answer is large. */
static void make_answer(void *context)
{
    struct exchange *x = context;
    x->render->refusal = outcome_from_rows(x, x->render->held_rows);
    x->render->made = true;
}

/* Of a large answer, for the calls that have joined. No other call looks at the flight's copy yet. */
static void copy_answer(void *context)
{
    struct exchange *x = context;
    flight_copy_answer(&x->seats, buffer_slice(&x->outcome.body));
}

/* Have done on the worker what will take about so many bytes. */
static enum onward on_worker(struct exchange *x, void (*run)(void *exchange), size_t bytes)
{
    if (x->has_sent)
        budget_add(exchange_budget(x), bytes); /* it was paid for */
    else if (!budget_take(exchange_budget(x), bytes))
        return exchange_refuse_spent(x);
    x->counted += bytes; /* until what it really has is known */
    return exchange_on_worker(x, run);
}

static enum onward finish(struct exchange *x)
{
    struct refusal refusal = x->render->refusal;
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    assert(x->outcome.result.rows <= x->render->held_rows); /* round holds for all that an answer can have */
    if (x->outcome.result.cut)
        outcome_say_why(x, round_why_cut(x, x->outcome.result.cut));
    if (x->outcome.body.n > WORKER_BYTES && flight_wants_copy(&x->seats))
        return on_worker(x, copy_answer, x->outcome.body.n);
    keep_learnt(x);
    if (x->outcome.body.failed || !outcome_mark(x))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the answer needs more memory than one call may have"));
    outcome_keep(x, fetch_units(x), fetch_has_asked(x));
    return ONWARD;
}

static enum onward render_list(struct exchange *x)
{
    if (!x->render)
        x->render = exchange_part(x, struct render);
    if (!x->render)
        return exchange_refuse_call_memory(x);
    if (x->render->made)
        return finish(x);
    x->render->held_rows = hold_rows(x);
    size_t most = translation_answer_bytes(x->translation);
    if (most > WORKER_BYTES)
        return on_worker(x, make_answer, most);
    make_answer(x);
    return finish(x);
}

enum onward render_enter(struct exchange *x)
{
    if (x->is_at_work)
        return WAIT;
    if (x->outcome.cached)
        return ONWARD;
    if (!table_is_of_books(x->asked.call.table))
        return render_list(x);
    outcome_from_books(x);
    if (x->outcome.body.failed)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the answer needs more memory than one call may have"));
    return ONWARD;
}
