/* SPDX-License-Identifier: MIT
 * Before v3 is asked: what is remembered, and what another call is asking right now. Both cost no units. */
#include <event2/event.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

/* What the rows of one call may hold; what of a cache one list may take. */
enum { MAX_ROW_BYTES = 256 * 1024 * 1024, LIST_PART = 2 };

/* Remembered rows that are read in one turn of the loop; and those of one v3 page that are remembered, as they are
 * copied in one turn. */
enum { REPLAY_BYTES = 512 * 1024, PAGE_BYTES = 8 * 1024 * 1024 };

/* All that an answer depends on beside what v3 is asked: what is shown of it and how, what is marked and charged. */
struct manner {
    int64_t limit, offset;
    struct marks marks;
    uint32_t select;
    unsigned settings;
    enum output output;
    bool upper_case, disorder, free_of_rows, where, having;
};

static struct slice question_of(struct exchange *x)
{
    const struct call *c = &x->call;
    struct manner manner;
    memset(&manner, 0, sizeof manner); /* between the fields, too */
    manner.limit = c->limit;
    manner.offset = c->offset;
    manner.marks = x->plan.marks;
    manner.select = c->select;
    manner.settings = settings_answer_shape(x->settings);
    manner.output = c->output;
    manner.upper_case = x->account->seen.upper_case;
    manner.disorder = x->account->seen.disorder;
    manner.free_of_rows = x->plan.free_of_rows;
    manner.where = c->where.n > 0;
    manner.having = c->having.n > 0;
    char *key = arena_alloc(x->memory, x->list.n + sizeof manner + 1);
    if (!key)
        return slice_of(NULL, 0);
    memcpy(key, x->list.p, x->list.n);
    memcpy(key + x->list.n, &manner, sizeof manner);
    key[x->list.n + sizeof manner] = '!'; /* see shared_as */
    return slice_of(key, x->list.n + sizeof manner);
}

/* Who wants nothing that is remembered shares with its like only: others begin with what is. Its answer is remembered
 * for all. */
static struct slice shared_as(const struct exchange *x)
{
    return slice_of(x->question.p, x->question.n + exchange_is_fresh(x));
}

/* The same question was answered not long ago. */
static bool use_answer(struct exchange *x)
{
    struct cache_answer a;
    if (!x->config->answer_ttl_ms || exchange_is_fresh(x) ||
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
void recall_totals(struct exchange *x)
{
    if (exchange_is_fresh(x) ||
        (!translation_needs(x->translation, V3_TOTALS) && !translation_needs(x->translation, V3_RATIO)))
        return;
    const struct cache_totals *known = cache_find_totals(x->account->cache, x->call.target.v3, x->call.target.v3_mode);
    int64_t now = clock_monotonic_ms();
    if (known && known->totals_until_ms > now && x->config->stats_ttl_ms)
        translation_know_totals(x->translation, known->totals);
    if (known && known->ratio_until_ms > now)
        translation_know_ratio(x->translation, &known->ratio);
}

/* ---- the rows of the list that were paid for already ---- */

static bool remembers(const struct exchange *x)
{
    return x->config->answer_ttl_ms && x->plan.ask_list && x->pages.list.p;
}

/* Whether it begins with what is remembered, and lets others wait for its pages. */
static bool goes_along(const struct exchange *x)
{
    return remembers(x) && !exchange_is_fresh(x);
}

/* All that the rows of a list depend on, whichever of them a call asks for. */
static void begin_list(struct exchange *x)
{
    struct cache *c = x->account->cache;
    x->pages = (struct pages){ .list = x->list, .anew = exchange_is_fresh(x) };
    x->awaited_at = 0;
    size_t most = cache_max_bytes(c) / LIST_PART;
    if (remembers(x))
        translation_keep_trail(x->translation, most < PAGE_BYTES ? most : PAGE_BYTES);
}

static enum step replay(struct exchange *x);

void recall_go_on(struct exchange *x)
{
    if (x->deadline)
        event_del(x->deadline);
    enum step step = x->refusal.fault ? REFUSE : replay(x);
    if (step == WAIT)
        return;
    exchange_enter(x, step == REFUSE ? ROOM_SETTLE : ROOM_FETCH);
    exchange_run(x);
}

static void on_pause_over(evutil_socket_t fd, short what, void *context)
{
    struct exchange *x = context;
    (void)fd;
    (void)what;
    if (x->given)
        exchange_run(x);
    else
        recall_go_on(x);
}

/* Another call is asking for the rows behind those that are known: calls that want neighbouring windows at the same
 * time (a pager that does not wait) pay for each row once. Not again when that brought nothing that could be
 * remembered. */
static bool join_page(struct exchange *x)
{
    if (!goes_along(x) || x->pages.whole || translation_has_enough(x->translation) ||
        x->awaited_at == x->pages.rows + 1 || !share_join(x->account->shares, x, SHARE_PAGES, x->pages.list))
        return false;
    x->awaited_at = x->pages.rows + 1;
    return true;
}

void recall_lead(struct exchange *x)
{
    if (goes_along(x) && !x->starts[SHARE_PAGES])
        share_start(x->account->shares, x, SHARE_PAGES, x->pages.list);
}

enum step recall_pause(struct exchange *x, int ms)
{
    const struct timeval tv = { .tv_usec = ms * 1000 };
    if (!x->pause)
        x->pause = event_new(x->service->base, -1, 0, on_pause_over, x);
    if (x->pause && event_add(x->pause, &tv) == 0)
        return WAIT;
    return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
}

/* What is there is known: ask for the rest. */
static enum step ask(struct exchange *x)
{
    int64_t rows = translation_rows(x->translation), results = rows - x->call.offset;
    translation_replayed(x->translation, x->pages.whole);
    pages_touch(&x->pages, x->account->cache);
    x->asked_rows = rows;
    x->ready_rows = results < 0 ? 0 : results < x->call.limit ? results : x->call.limit;
    fetch_collect(x);
    if (x->refusal.fault)
        return REFUSE;
    return x->has_hold && !x->round_rows && !x->n_fetches ? ONWARD : admit_hold(x);
}

static enum step replay(struct exchange *x)
{
    struct cache *c = x->account->cache;
    struct slice rows, payer;
    size_t bytes = 0;
    while (goes_along(x) && !translation_has_enough(x->translation) &&
           pages_next(&x->pages, c, clock_monotonic_ms(), &rows, &payer)) {
        if (!translation_replay(x->translation, rows)) {
            struct refusal r = translation_refusal(x->translation);
            return exchange_refuse(x, r.fault, r.why);
        }
        if (!x->payer.n)
            x->payer = arena_dup(x->memory, payer);
        bytes += rows.n;
        if (bytes > REPLAY_BYTES)
            return recall_pause(x, 0); /* a long list is not to stop the others */
    }
    return join_page(x) ? fetch_await(x) : ask(x);
}

/* Set aside what the call may need, so that those under way do not run out together when they have been paid for. A
 * limit says little about a list: a part of all is enough for any. */
static bool set_aside(struct exchange *x)
{
    enum { ROW_BYTES = 384 /* of a row in memory, its trail and its text in the answer */, PARTS = 16 };
    struct service *s = x->service;
    size_t rows = (size_t)x->call.limit + (size_t)x->call.offset, part = s->memory.max / PARTS;
    size_t most = rows < part / ROW_BYTES ? rows * ROW_BYTES : part;
    if (x->promised)
        return true;
    x->wanted = most;
    if (s->promised + most > s->memory.max / 2)
        return false;
    x->wanted = 0;
    x->promised = most;
    s->promised += most;
    return true;
}

static enum step begin(struct exchange *x)
{
    struct budget *b = &x->service->memory;
    x->round_rows = 0;
    if (!set_aside(x))
        return admit_wait(x);
    size_t most = MAX_ROW_BYTES < b->max / 2 ? MAX_ROW_BYTES : b->max / 2;
    x->translation = translation_new(&x->plan, x->account->seen, most, x->memory);
    if (!x->translation)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    translation_set_budget(x->translation, b);
    begin_list(x);
    return replay(x);
}

void recall_keep_rows(struct exchange *x)
{
    struct cache *c = x->account->cache;
    struct buffer rows;
    bool whole;
    if (!translation_take_trail(x->translation, &rows, &whole))
        return;
    pages_keep(&x->pages, c, clock_monotonic_ms(), x->config->answer_ttl_ms, buffer_slice(&rows), whole,
               slice_of(x->id, LEDGER_ID_SIZE - 1), (int64_t)(cache_max_bytes(c) / LIST_PART));
    buffer_clear(&rows);
}

/* ---- the three ways ---- */

enum step recall(struct exchange *x)
{
    struct shares *shares = x->account->shares;
    int64_t rows;
    x->n_fetches = 0; /* an earlier try may have collected some, for a translation that is gone */
    x->shared = false;
    x->payer = S("");
    if (!x->list.p)
        x->list = plan_list_path(&x->plan, S(""), 0, x->memory);
    if (x->list.p)
        x->question = question_of(x);
    if (!x->question.p)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
    if (x->has_hold) /* it waited for an answer that did not come; what it holds of rows serves its own requests */
        x->prepaid_rows = x->plan.free_of_rows
                              ? 0
                              : x->held_rows - table_price(x->call.table, 0, x->call.where.n > 0, x->call.having.n > 0);
    if (use_answer(x)) {
        rows = x->result.rows;
    } else if (share_join(shares, x, SHARE_CALL, shared_as(x))) {
        rows = fetch_rows_of_all(x);
    } else {
        share_start(shares, x, SHARE_CALL, shared_as(x));
        return begin(x);
    }
    x->round_units = 0;
    x->round_rows = rows > x->held_rows ? rows - x->held_rows : 0;
    return x->has_hold && !x->round_rows ? ONWARD : admit_hold(x);
}
