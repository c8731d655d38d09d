/* SPDX-License-Identifier: MIT
 * Before v3 is asked: what is remembered, and what another call is asking right now. Both cost no units. */
#include "base/clock.h"
#include "proxy/exchange.h"

/* What the rows of one call may hold. */
enum { MAX_ROW_BYTES = 256 * 1024 * 1024 };

/* All that an answer depends on: what v3 is asked, what is shown of it and how, what is marked and charged. */
static struct slice question_of(struct exchange *x)
{
    const struct call *c = &x->call;
    const struct marks *m = &x->plan.marks;
    struct slice path = plan_list_path(&x->plan, S(""), c->limit, x->memory);
    if (!path.p)
        return path;
    return arena_printf(x->memory, "%d%d%d %x %lld %x %x %x %x %d%d %.*s", (int)c->output, x->account->seen.upper_case,
                        x->account->seen.disorder, c->select, (long long)c->offset, m->plain, m->where, m->having,
                        m->order_by, c->where.n > 0, c->having.n > 0, SLICE_ARGS(path));
}

/* The same question was answered not long ago. */
static bool use_answer(struct exchange *x)
{
    struct cache_answer a;
    if (!x->service->config->answer_ttl_ms ||
        !cache_find_answer(x->account->cache, x->question, clock_monotonic_ms(), &a))
        return false;
    x->marks = arena_dup(x->memory, a.marks);
    x->payer = arena_dup(x->memory, a.payer);
    buffer_append(&x->body, a.body);
    if (x->body.failed || !x->marks.p || !x->payer.p) {
        buffer_clear(&x->body);
        return false;
    }
    x->result.results = a.results;
    x->result.rows = a.rows;
    x->alone_units = a.units_alone;
    x->cached = true;
    return true;
}

/* What an earlier call has learnt of the target need not be asked again. */
static void use_totals(struct exchange *x)
{
    const struct cache_totals *known = cache_find_totals(x->account->cache, x->call.target.v3, x->call.target.v3_mode);
    int64_t now = clock_monotonic_ms();
    if (known && known->totals_until_ms > now)
        translation_know_totals(x->translation, known->totals);
    if (known && known->ratio_until_ms > now)
        translation_know_ratio(x->translation, &known->ratio);
}

static enum step ask(struct exchange *x)
{
    x->translation = translation_new(&x->plan, x->account->seen, MAX_ROW_BYTES, x->memory);
    if (!x->translation)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    use_totals(x);
    fetch_collect(x);
    return x->refusal.fault ? REFUSE : admit_hold(x);
}

enum step recall(struct exchange *x)
{
    struct shares *shares = x->account->shares;
    int64_t rows;
    x->question = question_of(x);
    if (!x->question.p)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
    if (x->has_hold) /* it waited for an answer that did not come; what it holds of rows serves its own requests */
        x->prepaid_rows = x->held_rows - table_price(x->call.table, 0, x->call.where.n > 0, x->call.having.n > 0);
    if (use_answer(x)) {
        rows = x->result.rows;
    } else if (share_join(shares, x, V3_LIST, x->question)) {
        rows = fetch_rows_of_all(x);
    } else {
        share_start(shares, x, V3_LIST, x->question);
        return ask(x);
    }
    x->round_units = 0;
    x->round_rows = rows > x->held_rows ? rows - x->held_rows : 0;
    return x->has_hold && !x->round_rows ? ONWARD : admit_hold(x);
}
