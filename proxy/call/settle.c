/* SPDX-License-Identifier: MIT
 * The rooms render and settle: the answer's bytes, and the one place that charges. */
#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

/* What one answer may have; rows that are ordered and written without leaving the loop (a millisecond or two). */
enum { MAX_ANSWER_BYTES = 512 * 1024 * 1024, ROWS_AT_ONCE = 5000 };

/* What this call has learnt serves the next ones. */
static void keep_learnt(struct exchange *x)
{
    struct account *a = x->account;
    a->seen.upper_case |= x->result.seen.upper_case;
    a->seen.disorder |= x->result.seen.disorder;
    if (x->result.learnt_page_rows && (!a->learnt_page_rows || x->result.learnt_page_rows < a->learnt_page_rows))
        a->learnt_page_rows = x->result.learnt_page_rows;
    if (!x->plan.ratio_from_list || !x->result.has_ratio)
        return;
    struct cache_totals *e = cache_keep_totals(a->cache, x->call.target.v3, x->call.target.v3_mode);
    if (e) {
        e->ratio = x->result.ratio;
        e->ratio_until_ms = clock_monotonic_ms() + RATIO_KEPT_MS;
    }
}

/* What the call would have cost, had nothing been remembered. */
static int64_t units_alone(const struct exchange *x)
{
    const struct plan *p = &x->plan;
    int64_t units = x->spending.known + x->spending.unknown;
    if (x->cached)
        return x->alone_units;
    if (x->refusal.fault || p->free_of_units)
        return units;
    int64_t came = x->result.rows_came, replayed = x->result.rows_replayed;
    if (replayed)
        units += plan_units(p, came) - (came > replayed ? plan_units(p, came - replayed) : 0);
    int remembered = (p->ask_totals && !x->result.has_totals) + (p->ask_ratio && !x->result.has_ratio);
    return units + (int64_t)remembered * V3_FLOOR_UNITS;
}

static void keep_answer(struct exchange *x)
{
    struct cache_answer a = { .until_ms = clock_monotonic_ms() + x->config->answer_ttl_ms,
                              .results = x->result.results,
                              .rows = x->result.rows,
                              .units_alone = units_alone(x),
                              .marks = x->marks,
                              .payer = slice_of(x->id, LEDGER_ID_SIZE - 1),
                              .body = buffer_slice(&x->body) };
    if (x->result.rows_replayed && x->pages.until_ms < a.until_ms)
        a.until_ms = x->pages.until_ms; /* it is as old as its oldest rows */
    share_give_answer(x, a.units_alone);
    if (x->config->answer_ttl_ms && x->asked_upstream)
        cache_keep_answer(x->account->cache, x->question, &a);
}

static void render_subscription(struct exchange *x)
{
    struct ledger_left left = ledger_left(x->service->ledger, x->team_name);
    render_info(x->call.output, left.rows_used, left.rows_limit, slice_str(x->team->subscription), &x->body);
}

/* Order, cut, count and write the answer. Touches nothing but the exchange. */
static void make_answer(void *context)
{
    struct exchange *x = context;
    if (translation_finish(x->translation, &x->result)) {
        if (x->result.rows <= x->held_rows)
            translation_write(x->translation, &x->body);
    } else {
        x->refusal = translation_refusal(x->translation);
    }
    translation_free(x->translation); /* its memory serves the next call while this one waits for the disk */
    x->translation = NULL;
}

static void on_made(void *context)
{
    struct exchange *x = context;
    x->made = true;
    x->making = false;
    (void)exchange_count(x);
    exchange_run(x);
}

static bool write_marks(struct exchange *x)
{
    struct buffer marks = { 0 };
    marks_write(&x->result.marks, x->call.table, &marks);
    x->marks = marks.failed ? slice_of(NULL, 0) : arena_dup(x->memory, buffer_slice(&marks));
    buffer_clear(&marks);
    return x->marks.p;
}

static enum step render_list(struct exchange *x)
{
    if (!x->made && translation_rows(x->translation) > ROWS_AT_ONCE) {
        size_t most = translation_answer_bytes(x->translation);
        if (!budget_take(&x->service->memory, most))
            return exchange_refuse(x, FAULT_TOO_BUSY, S("the calls under way hold all the memory that calls may have"));
        x->counted += most; /* until what it really has is known */
        x->making = true;
        x->work = (struct aside_item){ .run = make_answer, .done = on_made, .context = x };
        aside_start(x->service->aside, &x->work);
        return WAIT;
    }
    if (!x->made)
        make_answer(x);
    if (x->refusal.fault)
        return REFUSE;
    keep_learnt(x);
    if (x->result.rows > x->held_rows)
        return fetch_out_of_rows(x);
    if (x->body.failed || !write_marks(x))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the answer needs more memory than one call may have"));
    keep_answer(x);
    return ONWARD;
}

enum step room_render(struct exchange *x)
{
    if (x->cached)
        return ONWARD;
    x->body.max_bytes = MAX_ANSWER_BYTES;
    if (!x->call.table->is_info)
        return render_list(x);
    render_subscription(x);
    if (x->body.failed)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the answer needs more memory than one call may have"));
    return ONWARD;
}

static void on_settled(void *context, enum ledger_outcome outcome)
{
    struct exchange *x = context;
    x->has_hold = false;
    if (outcome != LEDGER_DONE && !x->refusal.fault)
        exchange_refuse(x, FAULT_LEDGER_DOWN,
                        S("the ledger cannot write, so the answer is not given; try again in a moment"));
    admit_retry_waiting(x->service);
    exchange_enter(x, ROOM_ANSWER);
    exchange_run(x);
}

static void settle(struct exchange *x, const struct ledger_call *call)
{
    const struct spending *s = &x->spending;
    struct ledger_settlement entry = {
        .rows = { x->refusal.fault ? 0 : x->result.rows },
        .units = s->any_unknown ? -1 : s->known,
        .units_predicted = s->any_unknown ? s->known + s->unknown : s->predicted, /* it counts where units are null */
        .units_alone = units_alone(x),
        .results = x->refusal.fault ? 0 : x->result.results,
        .via = x->asked_upstream || x->refusal.fault ? "upstream"
               : x->shared                           ? "shared"
                                                     : "cache",
        .paid_by = x->asked_upstream ? S("") : x->payer,
        .approximate = x->refusal.fault ? S("") : x->approximate,
        .fault = fault_word(x->refusal.fault),
        .duration_ms = (clock_monotonic_us() - x->began_us) / 1000,
    };
    if (!x->refusal.fault && entry.units_alone > s->known + s->unknown)
        x->service->counters.units_saved += (uint64_t)(entry.units_alone - s->known - s->unknown);
    ledger_settle(x->service->ledger, call, &entry, on_settled, x);
}

/* What it may have been waiting for must not come while the disk is waited for: the call would end a second time. */
static void wait_no_more(struct exchange *x)
{
    struct event *armed[] = { x->timer, x->deadline, x->pause };
    for (size_t i = 0; i < sizeof armed / sizeof armed[0]; i++)
        if (armed[i])
            event_del(armed[i]);
}

/* The marks of the answer, and those of this call alone. */
static void say_marks(struct exchange *x)
{
    struct buffer marks = { 0 };
    x->approximate = x->marks;
    if (!x->params.twice && !exchange_is_head(x))
        return;
    if (exchange_is_head(x) && !x->call.table->is_info)
        marks_write(&x->plan.marks, x->call.table, &marks); /* what is known of it so far */
    buffer_append(&marks, x->marks);
    params_write_twice(&x->params, !x->call.table->is_info, &marks);
    x->approximate = marks.failed ? slice_of(NULL, 0) : arena_dup(x->memory, buffer_slice(&marks));
    buffer_clear(&marks);
    if (!x->approximate.p)
        exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
}

enum step room_settle(struct exchange *x)
{
    const struct spending *s = &x->spending;
    assert(!x->n_under_way);
    wait_no_more(x);
    if (!x->refusal.fault)
        say_marks(x);
    share_leave_all(x);
    fetch_blame(x, SHARE_CALL, x->refusal, x->retry_after_ms);
    share_end(x);
    bool makes_room = x->promised > 0;
    x->service->promised -= x->promised;
    x->promised = 0;
    if (!x->has_hold) {
        if (makes_room)
            admit_retry_waiting(x->service);
        return ONWARD; /* it never reached the books */
    }
    struct ledger_call call = exchange_ledger_call(x);
    struct slice fault = fault_word(x->refusal.fault);
    if (!x->refusal.fault || (s->any && !s->any_unknown))
        settle(x, &call);
    else if (s->any)
        ledger_unknown(x->service->ledger, &call, (struct units){ s->known + s->unknown }, fault, on_settled, x);
    else
        ledger_release(x->service->ledger, &call, fault, on_settled, x);
    return WAIT;
}
