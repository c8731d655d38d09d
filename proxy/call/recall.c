/* SPDX-License-Identifier: MIT
 * The step recall: what is remembered, and what another call is asking right now. */
#include "proxy/call/recall.h"

#include <assert.h>

#include "base/clock.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"
#include "proxy/call/round.h"

/* What the rows of one call may hold. */
enum { MAX_ROW_BYTES = 256 * 1024 * 1024 };

/* Remembered rows that are read in one turn of the loop; and those of one v3 page that are remembered, as they are
 * copied in one turn. */
enum { REPLAY_BYTES = 512 * 1024, PAGE_BYTES = 8 * 1024 * 1024 };

/* A call that would skip rows waits so long for others that want them: the pages of a pager that does not wait come in
 * any order. */
enum { GATHER_MS = 50 };

struct recall {
    enum {
        FRESH,     /* nothing was looked at */
        LOOKING,   /* the wait for memory may have ended */
        READING,   /* remembered rows, in portions */
        AWAITING,  /* another call's page */
        GATHERING, /* other calls may want the rows that this one would skip */
        COPYING,   /* remembered rows into the list of those that are skipped, in portions */
    } state;
    struct slice list;           /* what the rows are: the path of the v3 list without a number of rows */
    struct slice skipped;        /* the same of plan->skip */
    bool is_skipped;             /* x->pages stands in that one */
    int64_t awaited_at;          /* rows of the list that were remembered when it last waited for more, and 1 */
    struct pages copied, copies; /* from one list into the other */
};

/* ---- the question ---- */

/* All that an answer depends on beside what v3 is asked: what is shown of it and how, what is marked and charged. */
struct manner {
    int64_t limit, offset;
    struct marks marks;
    const struct table *table;
    uint64_t select;
    unsigned settings;
    enum output output;
    bool upper_case, disorder, free_of_rows, where, having;
};

static struct slice question_of(struct exchange *x)
{
    const struct asked *a = &x->asked;
    const struct slice list = x->recall->list;
    struct manner manner;
    memset(&manner, 0, sizeof manner); /* between the fields, too */
    manner.limit = a->call.limit;
    manner.offset = a->call.offset;
    manner.marks = a->plan.marks;
    manner.table = a->call.table;
    manner.select = a->call.select;
    manner.settings = settings_answer_shape(x->settings);
    manner.output = a->call.output;
    manner.upper_case = a->account->seen.upper_case;
    manner.disorder = a->account->seen.disorder;
    manner.free_of_rows = a->plan.free_of_rows;
    manner.where = a->call.where.n > 0;
    manner.having = a->call.having.n > 0;
    char *key = arena_alloc(x->memory, list.n + sizeof manner + 1);
    if (!key)
        return slice_of(NULL, 0);
    memcpy(key, list.p, list.n);
    memcpy(key + list.n, &manner, sizeof manner);
    key[list.n + sizeof manner] = '!'; /* see shared_as */
    return slice_of(key, list.n + sizeof manner);
}

/* A call that wants nothing remembered shares with its like only, for others begin with what is remembered. Its answer
 * is remembered for all. */
static struct slice shared_as(const struct exchange *x, struct slice question)
{
    return slice_of(question.p, question.n + exchange_is_fresh(x));
}

/* ---- the rows of the list that were paid for already ---- */

/* The call begins with what is remembered. */
static bool is_remembered(const struct exchange *x)
{
    return x->pages.list.p && !exchange_is_fresh(x);
}

/* Calls for adjacent pages of one list (a pager that does not wait) share the rows: this one waits for the rows behind
 * those that are known when another call is asking for them. Not again when that brought nothing that could be
 * remembered. */
static bool join_page(struct exchange *x)
{
    struct recall *r = x->recall;
    struct flights *flights = x->asked.account->flights;
    bool skips = translation_skips(x->translation), wants_all = skips || !r->is_skipped;
    if (!is_remembered(x) || x->pages.whole || translation_has_enough(x->translation) ||
        r->awaited_at == x->pages.rows + 1)
        return false;
    if (!(wants_all && flight_join(flights, &x->seats, FLIGHT_PAGES, r->list)) &&
        !(skips && flight_join(flights, &x->seats, FLIGHT_PAGES, r->skipped)))
        return false;
    r->awaited_at = x->pages.rows + 1;
    return true;
}

static enum onward await_page(struct exchange *x)
{
    x->recall->state = AWAITING;
    flight_hurry(&x->seats, x->asked.team_name);
    return exchange_sleep(x, x->clocks.deadline_ms);
}

static enum onward ask_for_rest(struct exchange *x)
{
    struct cache *c = x->asked.account->cache;
    if (x->recall->is_skipped && is_remembered(x))
        pages_end(&x->pages, c, clock_monotonic_ms(), translation_rows_replayed(x->translation));
    translation_replayed(x->translation, x->pages.whole && !x->pages.known);
    pages_touch(&x->pages, c);
    x->is_new_list = true;
    x->recall->state = FRESH;
    return ONWARD;
}

/* ---- rows that offset skips ---- */

/* Calls that have joined meanwhile want so many of the rows that this one would skip that it is cheaper to ask for them
 * whole, once for all; and a call may take what that costs. */
static bool is_pager(const struct exchange *x)
{
    const struct plan *p = &x->asked.plan;
    int64_t offset = x->asked.call.offset, known = translation_rows(x->translation), rows = offset - known;
    int64_t ceiling = exchange_config(x)->units_per_call;
    if (ceiling && plan_parts_units(p) + plan_answer_units(p, false, known, x->asked.call.limit) > ceiling)
        return false;
    int64_t wanted = flight_rows_wanted(&x->seats, offset);
    return plan_list_units(p->skip, rows) + plan_list_units(p, wanted) >= plan_list_units(p, rows);
}

/* What comes now goes on behind the copies; or, where not all could be copied, it is no list's next row. */
static enum onward end_copy(struct exchange *x)
{
    struct recall *r = x->recall;
    if (r->copies.rows == x->pages.rows && r->copies.until_ms <= x->pages.until_ms)
        x->pages = r->copies;
    else
        x->pages.list = slice_of(NULL, 0);
    r->is_skipped = true;
    return ask_for_rest(x);
}

/* The next piece of the rows that are remembered whole goes into the list that is asked for in fewer columns. */
static enum onward copy_piece(struct exchange *x)
{
    struct recall *r = x->recall;
    struct cache *c = x->asked.account->cache;
    const struct plan *p = &x->asked.plan;
    int64_t now_ms = clock_monotonic_ms(), ttl_ms = x->pages.until_ms - now_ms, there = r->copies.rows;
    int64_t before = r->copied.rows;
    struct slice rows, payer;
    if (there >= x->pages.rows || r->copies.until_ms > x->pages.until_ms ||
        !pages_next(&r->copied, c, now_ms, &rows, &payer))
        return end_copy(x);
    if (r->copied.rows > there) {
        struct buffer copy = { 0 };
        rows = packed_rows_skip(rows, there > before ? there - before : 0);
        packed_rows_narrow(rows, p->call->table->list, p->fields, p->skip->fields, &copy);
        if (!copy.failed)
            pages_keep(&r->copies, c, now_ms, ttl_ms, buffer_slice(&copy), false, arena_dup(x->memory, payer),
                       (int64_t)(cache_max_bytes(c) / PAGES_LIST_PART));
        buffer_clear(&copy);
        if (r->copies.rows == there)
            return end_copy(x);
    }
    return exchange_sleep(x, 0);
}

static enum onward begin_copy(struct exchange *x)
{
    struct recall *r = x->recall;
    r->state = COPYING;
    r->copies = (struct pages){ .list = r->skipped, .anew = exchange_is_fresh(x) };
    r->copied = (struct pages){ .list = r->list };
    if (!r->copies.anew)
        pages_end(&r->copies, x->asked.account->cache, clock_monotonic_ms(), INT64_MAX);
    return copy_piece(x);
}

/* The wait for calls that would want the same rows is over. */
static enum onward skip(struct exchange *x)
{
    bool is_whole = x->pages.list.p && !x->recall->is_skipped;
    if (is_whole && !exchange_is_fresh(x) && is_pager(x)) {
        translation_skip_nothing(x->translation);
        return ask_for_rest(x);
    }
    flight_end(&x->seats, FLIGHT_PAGES); /* those that want rows in front ask for themselves */
    return is_whole ? begin_copy(x) : ask_for_rest(x);
}

static enum onward gather(struct exchange *x)
{
    if (!is_remembered(x) || x->recall->is_skipped)
        return skip(x);
    x->recall->state = GATHERING;
    flight_start(x->asked.account->flights, &x->seats, FLIGHT_PAGES, x->recall->list);
    return exchange_sleep(x, clock_monotonic_ms() + GATHER_MS);
}

/* ---- reading ---- */

static bool begin_rows(struct exchange *x, bool is_skipped)
{
    struct recall *r = x->recall;
    size_t max = x->service->memory.max, most = MAX_ROW_BYTES < max / 2 ? MAX_ROW_BYTES : max / 2;
    struct account *a = x->asked.account;
    translation_free(x->translation);
    x->translation = translation_new(&x->asked.plan, a->seen, most, x->memory);
    if (!x->translation)
        return false;
    translation_set_budget(x->translation, exchange_budget(x));
    bool is_kept = exchange_config(x)->answer_ttl_ms && x->asked.plan.ask_list;
    struct slice list = is_skipped ? r->skipped : r->list;
    x->pages = (struct pages){ .list = is_kept ? list : slice_of(NULL, 0), .anew = exchange_is_fresh(x) };
    r->is_skipped = is_skipped;
    r->awaited_at = 0;
    most = cache_max_bytes(a->cache) / PAGES_LIST_PART;
    if (is_kept)
        translation_keep_rows(x->translation, most < PAGE_BYTES ? most : PAGE_BYTES);
    return true;
}

static bool wants_more(const struct exchange *x)
{
    return x->recall->is_skipped ? translation_skips(x->translation) : !translation_has_enough(x->translation);
}

/* Rows that offset skips are remembered further than those of the whole list. */
static bool is_skipped_further(struct exchange *x)
{
    struct pages end = { .list = x->recall->skipped };
    if (!is_remembered(x) || x->recall->is_skipped || !translation_skips(x->translation))
        return false;
    pages_end(&end, x->asked.account->cache, clock_monotonic_ms(), INT64_MAX);
    return end.rows && end.rows >= x->pages.rows;
}

static enum onward read_remembered(struct exchange *x)
{
    struct cache *c = x->asked.account->cache;
    struct slice rows, payer;
    size_t bytes = 0;
    x->recall->state = READING;
    while (is_remembered(x) && wants_more(x)) {
        if (!pages_next(&x->pages, c, clock_monotonic_ms(), &rows, &payer)) {
            if (!is_skipped_further(x))
                break;
            if (!begin_rows(x, true))
                return exchange_refuse_memory(x);
            continue;
        }
        bool ok = x->recall->is_skipped ? translation_replay_skipped(x->translation, rows)
                                        : translation_replay(x->translation, rows);
        if (!ok) {
            struct refusal r = translation_refusal(x->translation);
            return exchange_refuse(x, r.fault, r.why);
        }
        outcome_replayed(x, payer);
        bytes += rows.n;
        if (bytes > REPLAY_BYTES)
            return exchange_sleep(x, 0); /* a long list is not to stop the others: on in the next turn of the loop */
    }
    if (join_page(x))
        return await_page(x);
    return translation_skips(x->translation) && !x->pages.whole ? gather(x) : ask_for_rest(x);
}

static enum onward begin_list(struct exchange *x)
{
    const struct call *c = &x->asked.call;
    flight_wants(&x->seats, c->offset, c->offset + c->limit);
    return begin_rows(x, false) ? read_remembered(x) : exchange_refuse_memory(x);
}

/* ---- the three ways ---- */

/* What is still to be held for an answer that costs `rows`. */
static enum onward skip_to_hold(struct exchange *x, int64_t rows)
{
    int64_t held = hold_rows(x);
    x->next_hold = (struct amounts){ .rows = rows > held ? rows - held : 0 };
    x->recall->state = FRESH;
    return SKIP;
}

/* What another call has begun while this one waited, or what has come, may serve it now. */
static void forget_last_look(struct exchange *x)
{
    flight_leave_all(&x->seats);
    translation_free(x->translation);
    x->translation = NULL;
    x->requests.n = 0;
}

static enum onward look(struct exchange *x)
{
    struct recall *r = x->recall;
    struct flights *flights = x->asked.account->flights;
    forget_last_look(x);
    r->state = LOOKING;
    if (!r->list.p)
        r->list = plan_question(&x->asked.plan, x->memory);
    const struct plan *skip = x->asked.plan.skip;
    if (skip && !r->skipped.p)
        r->skipped = plan_question(skip, x->memory);
    bool has_paths = r->list.p && (!skip || r->skipped.p);
    struct slice question = has_paths ? question_of(x) : slice_of(NULL, 0);
    outcome_begin(x, question);
    if (!question.p)
        return exchange_refuse_call_memory(x);
    if (outcome_from_cache(x, round_rows_most(x)))
        return skip_to_hold(x, x->outcome.result.rows);
    if (flight_join(flights, &x->seats, FLIGHT_CALL, shared_as(x, question)))
        return skip_to_hold(x, round_rows_of_all(x));
    flight_start(flights, &x->seats, FLIGHT_CALL, shared_as(x, question));
    enum onward room = hold_set_aside(x);
    return room == ONWARD ? begin_list(x) : room;
}

enum onward recall_enter(struct exchange *x)
{
    if (!x->recall)
        x->recall = exchange_part(x, struct recall);
    if (!x->recall)
        return exchange_refuse_call_memory(x);
    switch (x->recall->state) {
    case FRESH:
        return look(x);
    case LOOKING:
        if (hold_is_waiting(x))
            return WAIT;
        hold_try_ended(x);
        return look(x);
    case READING:
    case COPYING:
        return WAIT; /* the alarm rings */
    case GATHERING:
        return x->refusal.fault ? REFUSE : WAIT;
    case AWAITING:
        if (x->seats.n_awaited)
            return WAIT;
        return x->refusal.fault ? REFUSE : read_remembered(x);
    }
    assert(false);
    return REFUSE;
}

enum onward recall_late(struct exchange *x)
{
    if (x->recall->state == LOOKING)
        return hold_late(x);
    if (x->recall->state == READING)
        return read_remembered(x);
    if (x->recall->state == GATHERING)
        return skip(x);
    if (x->recall->state == COPYING)
        return copy_piece(x);
    return exchange_refuse(x, FAULT_UPSTREAM_LATE,
                           S("the request that this call had joined did not end within call_timeout"));
}

enum onward recall_gone(struct exchange *x)
{
    if (x->recall->state == LOOKING)
        return hold_gone(x);
    if (x->recall->state == READING || x->recall->state == COPYING)
        return WAIT;
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before anything was sent to API v3"));
}

void recall_told(struct exchange *x, enum flight_kind kind, const struct flight_news *news)
{
    if (kind != FLIGHT_PAGES)
        return; /* a whole answer stands in seats.given */
    if (news->end == FLIGHT_ANSWERED)
        outcome_shared_page(x);
    if (news->end == FLIGHT_GIVEN_UP)
        x->recall->awaited_at = 0; /* one of the calls that waited asks instead, the others wait for that one */
}
