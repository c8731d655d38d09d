/* SPDX-License-Identifier: MIT
 * What a call ends with. */
#include "proxy/call/outcome.h"

#include "base/clock.h"

enum { MAX_ANSWER_BYTES = 512 * 1024 * 1024 };

void outcome_begin(struct exchange *x, struct slice question)
{
    x->outcome.question = question;
    x->outcome.shared = false;
    x->outcome.payer = S("");
}

bool outcome_from_cache(struct exchange *x, int64_t most)
{
    struct outcome *o = &x->outcome;
    struct cache_answer a;
    if (!exchange_config(x)->answer_ttl_ms || exchange_is_fresh(x) ||
        !cache_find_answer(x->asked.account->cache, o->question, clock_monotonic_ms(), &a))
        return false;
    if (most != LEDGER_NO_LIMIT && a.rows > most)
        return false; /* as many of its rows as the limit leaves come from its pages */
    o->marks = arena_dup(x->memory, a.marks);
    o->payer = arena_dup(x->memory, a.payer);
    buffer_append(&o->body, a.body);
    if (o->body.failed || !o->marks.p || !o->payer.p) {
        buffer_clear(&o->body);
        return false;
    }
    o->result.results = a.results;
    o->result.rows = a.rows;
    o->alone_units = a.units_alone;
    o->cached = true;
    return true;
}

void outcome_copy_given(struct exchange *x)
{
    x->outcome.body = buffer_with_cap(0);
    buffer_append(&x->outcome.body, flight_given(&x->seats)->answer.body);
}

bool outcome_from_flight(struct exchange *x)
{
    struct outcome *o = &x->outcome;
    const struct flight_news *news = flight_given(&x->seats);
    const struct flight_answer *a = &news->answer;
    o->marks = arena_dup(x->memory, a->marks);
    o->payer = arena_dup(x->memory, news->payer);
    if (o->body.failed || !o->marks.p || !o->payer.p)
        return false;
    o->result.results = a->results;
    o->result.rows = a->rows;
    o->alone_units = a->units_alone;
    o->shared = o->cached = true;
    return true;
}

struct refusal outcome_from_rows(struct exchange *x, int64_t held_rows)
{
    struct outcome *o = &x->outcome;
    struct refusal refusal = { FAULT_NONE, S("") };
    o->body.max_bytes = MAX_ANSWER_BYTES;
    if (!translation_finish(x->translation, &o->result))
        refusal = translation_refusal(x->translation);
    else if (o->result.rows <= held_rows)
        translation_write(x->translation, &o->body);
    translation_free(x->translation); /* its memory serves the next call while this one waits for the disk */
    x->translation = NULL;
    return refusal;
}

void outcome_from_books(struct exchange *x)
{
    struct ledger_left left = ledger_left(x->service->ledger, x->asked.team_name);
    x->outcome.body.max_bytes = MAX_ANSWER_BYTES;
    struct books_view books = { left.rows_used, left.rows_limit, slice_str(x->asked.team->subscription) };
    render_books(x->asked.call.output, x->asked.call.table, &books, &x->outcome.body);
}

bool outcome_mark(struct exchange *x)
{
    struct buffer marks = { 0 };
    marks_write(&x->outcome.result.marks, x->asked.call.table, &marks);
    x->outcome.marks = marks.failed ? slice_of(NULL, 0) : arena_dup(x->memory, buffer_slice(&marks));
    buffer_clear(&marks);
    return x->outcome.marks.p;
}

bool outcome_say_marks(struct exchange *x)
{
    const struct asked *a = &x->asked;
    struct outcome *o = &x->outcome;
    struct buffer marks = { 0 };
    o->approximate = o->marks;
    if (!a->params.twice && !exchange_is_head(x))
        return true;
    if (exchange_is_head(x) && !table_is_of_books(a->call.table))
        marks_write(&a->plan.marks, a->call.table, &marks); /* what is known of it so far */
    buffer_append(&marks, o->marks);
    params_write_twice(&a->params, !table_is_of_books(a->call.table), &marks);
    o->approximate = marks.failed ? slice_of(NULL, 0) : arena_dup(x->memory, buffer_slice(&marks));
    buffer_clear(&marks);
    return o->approximate.p;
}

void outcome_refuse(struct exchange *x, struct slice why)
{
    buffer_clear(&x->outcome.body);
    x->outcome.body = buffer_with_cap(0);
    render_error(x->asked.call.output, why, &x->outcome.body);
}

void outcome_replayed(struct exchange *x, struct slice payer)
{
    if (!x->outcome.payer.n)
        x->outcome.payer = arena_dup(x->memory, payer);
}

void outcome_shared_part(struct exchange *x, struct slice payer)
{
    x->outcome.shared = true;
    x->outcome.payer = arena_dup(x->memory, payer);
}

void outcome_shared_page(struct exchange *x)
{
    x->outcome.shared = true;
}

void outcome_paid_share(struct exchange *x, int64_t units)
{
    x->outcome.share_units += units;
}

/* The rows of a call that nobody waited for were paid for all the same: they are owed, or leaving would burn units of
 * all for nothing. */
static struct charge charge_for_leaving(const struct exchange *x, int64_t held_rows)
{
    const struct call *c = &x->asked.call;
    int64_t results = x->client_gone && x->translation ? translation_own_results(x->translation) : 0;
    if (!results)
        return (struct charge){ 0 };
    int64_t rows = table_price(c->table, results, c->where.n > 0, c->having.n > 0);
    if (x->asked.plan.free_of_rows)
        rows = 0;
    return (struct charge){ results, rows < held_rows ? rows : held_rows };
}

void outcome_charge(struct exchange *x, int64_t held_rows)
{
    struct outcome *o = &x->outcome;
    o->charge =
        x->refusal.fault ? charge_for_leaving(x, held_rows) : (struct charge){ o->result.results, o->result.rows };
}

void outcome_charge_nothing(struct exchange *x)
{
    x->outcome.charge = (struct charge){ 0 };
}

void outcome_say_why(struct exchange *x, struct slice why)
{
    x->outcome.why = why;
}

int64_t outcome_units_alone(const struct exchange *x, int64_t spent)
{
    const struct plan *p = &x->asked.plan;
    const struct translation_result *r = &x->outcome.result;
    if (x->outcome.cached)
        return x->outcome.alone_units;
    if (x->refusal.fault || plan_is_free(p))
        return spent;
    int64_t came = r->rows_came, replayed = r->rows_replayed, units = spent;
    if (replayed)
        units += plan_units(p, came) - (came > replayed ? plan_units(p, came - replayed) : 0);
    for (enum plan_ask ask = ASK_PARTS; ask < ASK_COUNT; ask++)
        units += r->given & 1u << ask ? plan_part_units(p, ask) : 0; /* remembered, or shared with other calls */
    return units - x->outcome.share_units;
}

void outcome_keep(struct exchange *x, int64_t spent, bool asked_upstream)
{
    const struct outcome *o = &x->outcome;
    int64_t ttl_ms = exchange_config(x)->answer_ttl_ms;
    struct flight_answer given = { .results = o->result.results,
                                   .rows = o->result.rows,
                                   .units_alone = outcome_units_alone(x, spent),
                                   .body = buffer_slice(&o->body),
                                   .marks = o->marks };
    if (o->result.cut)
        return;
    flight_give_answer(&x->seats, &given);
    bool is_all = !marks_has(&o->result.marks, MARK_ROWS); /* its pages are remembered; the next call tries to ask on */
    if (!ttl_ms || !asked_upstream || !is_all)
        return;
    struct cache_answer a = { .until_ms = clock_monotonic_ms() + ttl_ms,
                              .results = given.results,
                              .rows = given.rows,
                              .units_alone = given.units_alone,
                              .marks = given.marks,
                              .payer = slice_of(x->id, LEDGER_ID_SIZE - 1),
                              .body = given.body };
    if (o->result.rows_replayed && x->pages.until_ms < a.until_ms)
        a.until_ms = x->pages.until_ms; /* the answer is as old as its oldest rows */
    cache_keep_answer(x->asked.account->cache, o->question, &a);
}

void outcome_blame(struct exchange *x, enum flight_kind kind, struct refusal refusal, int64_t retry_after_ms)
{
    enum fault f = refusal.fault;
    bool is_v3s = f == FAULT_UPSTREAM_LATE
                      ? clock_monotonic_ms() < x->clocks.deadline_ms
                      : f == FAULT_UPSTREAM_DOWN || f == FAULT_UPSTREAM_DENIED || f == FAULT_UPSTREAM_ODD ||
                            f == FAULT_UPSTREAM_OUT_OF_UNITS || f == FAULT_BAD_TARGET;
    if (!is_v3s)
        return;
    refusal.why = params_without_token(&x->asked.params, refusal.why, x->memory); /* other calls read it */
    flight_blame(&x->seats, kind, refusal, retry_after_ms);
}
