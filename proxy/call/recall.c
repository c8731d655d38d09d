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

struct recall {
    enum {
        FRESH,    /* nothing was looked at */
        LOOKING,  /* the wait for memory may have ended */
        READING,  /* remembered rows, in portions */
        AWAITING, /* another call's page */
    } state;
    struct slice list;  /* what the rows are: the path of the v3 list without a number of rows */
    int64_t awaited_at; /* rows of the list that were remembered when it last waited for more, and 1 */
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
    if (!is_remembered(x) || x->pages.whole || translation_has_enough(x->translation) ||
        r->awaited_at == x->pages.rows + 1 ||
        !flight_join(x->asked.account->flights, &x->seats, FLIGHT_PAGES, x->pages.list))
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
    translation_replayed(x->translation, x->pages.whole);
    pages_touch(&x->pages, x->asked.account->cache);
    x->is_new_list = true;
    x->recall->state = FRESH;
    return ONWARD;
}

static enum onward read_remembered(struct exchange *x)
{
    struct cache *c = x->asked.account->cache;
    struct slice rows, payer;
    size_t bytes = 0;
    x->recall->state = READING;
    while (is_remembered(x) && !translation_has_enough(x->translation) &&
           pages_next(&x->pages, c, clock_monotonic_ms(), &rows, &payer)) {
        if (!translation_replay(x->translation, rows)) {
            struct refusal r = translation_refusal(x->translation);
            return exchange_refuse(x, r.fault, r.why);
        }
        outcome_replayed(x, payer);
        bytes += rows.n;
        if (bytes > REPLAY_BYTES)
            return exchange_sleep(x, 0); /* a long list is not to stop the others: on in the next turn of the loop */
    }
    return join_page(x) ? await_page(x) : ask_for_rest(x);
}

static enum onward begin_list(struct exchange *x)
{
    size_t max = x->service->memory.max, most = MAX_ROW_BYTES < max / 2 ? MAX_ROW_BYTES : max / 2;
    struct account *a = x->asked.account;
    x->translation = translation_new(&x->asked.plan, a->seen, most, x->memory);
    if (!x->translation)
        return exchange_refuse_memory(x);
    translation_set_budget(x->translation, exchange_budget(x));
    bool is_kept = exchange_config(x)->answer_ttl_ms && x->asked.plan.ask_list;
    x->pages = (struct pages){ .list = is_kept ? x->recall->list : slice_of(NULL, 0), .anew = exchange_is_fresh(x) };
    x->recall->awaited_at = 0;
    most = cache_max_bytes(a->cache) / PAGES_LIST_PART;
    if (is_kept)
        translation_keep_rows(x->translation, most < PAGE_BYTES ? most : PAGE_BYTES);
    return read_remembered(x);
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
    struct slice question = r->list.p ? question_of(x) : slice_of(NULL, 0);
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
        return WAIT; /* the alarm rings */
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
    return exchange_refuse(x, FAULT_UPSTREAM_LATE,
                           S("the request that this call had joined did not end within call_timeout"));
}

enum onward recall_gone(struct exchange *x)
{
    if (x->recall->state == LOOKING)
        return hold_gone(x);
    if (x->recall->state == READING)
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
