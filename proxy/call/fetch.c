/* SPDX-License-Identifier: MIT
 * The room fetch: rounds of v3 requests, side by side, their bytes into the translation as they come, and what they
 * cost. */
#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

enum { MEMORY_AGAIN_MS = 100 };

/* What one v3 answer may hold, and one row of it at most on average; a list is refused beyond. */
enum { MAX_SMALL_BODY = 64 * 1024, MAX_ROW_BODY = 4096, MAX_LIST_BODY = 512 * 1024 * 1024 };

/* v2 rows of the request and its clauses, held with the first round. */
static int64_t fixed_rows(const struct exchange *x)
{
    const struct call *c = &x->call;
    bool free = x->plan.free_of_rows || x->has_hold;
    return free ? 0 : table_price(c->table, 0, c->where.n > 0, c->having.n > 0);
}

/* What the team's limit leaves for results; INT64_MAX when there is no limit. Other calls' holds do not count: they may
 * yet turn out smaller. */
static int64_t room_for_results(const struct exchange *x)
{
    struct ledger_left left = ledger_left(x->service->ledger, x->team_name);
    if (left.rows_limit == LEDGER_NO_LIMIT || x->plan.free_of_rows)
        return INT64_MAX;
    int64_t room = left.rows_limit - left.rows_used - (x->held_rows - x->prepaid_rows) - fixed_rows(x);
    return room > 0 ? room : 0;
}

/* Rows of the list's next pages that `offset` skips. */
static int64_t rows_to_skip(const struct exchange *x)
{
    int64_t left = x->call.offset - x->asked_rows;
    return left > 0 ? left : 0;
}

static int64_t price_of_results(const struct exchange *x, int64_t results)
{
    const struct table *t = x->call.table;
    bool free = x->plan.free_of_rows || results <= 0;
    return free ? 0 : table_price(t, results, false, false) - table_price(t, 0, false, false);
}

/* See plan_probe. */
static int64_t probing_page(const struct exchange *x)
{
    int64_t parts = (translation_needs(x->translation, V3_TOTALS) + translation_needs(x->translation, V3_RATIO)) *
                    (int64_t)V3_FLOOR_UNITS;
    int64_t ceiling = x->config->units_per_call, spent = x->spending.known + x->spending.unknown;
    int64_t rows = x->call.offset + x->call.limit;
    return x->asked_rows ? 0 : plan_probe(&x->plan, rows, ceiling, ceiling - spent - parts);
}

/* Take the next list request. Near the limit its page shrinks to what is left and one row more: a small answer is still
 * given, and one that does not fit is known by that row. */
static void collect_list(struct exchange *x, const struct v3_request *r, int64_t cap, int64_t room)
{
    int64_t results = r->rows - rows_to_skip(x);
    int64_t most = results < room ? results : room;
    most = most < x->call.limit ? most : x->call.limit;
    x->page_is_cut = r->rows == cap;
    x->asked_rows += r->rows;
    x->round_rows += price_of_results(x, most);
}

int64_t fetch_rows_of_all(const struct exchange *x)
{
    const struct call *c = &x->call;
    int64_t room = room_for_results(x), most = c->limit < room ? c->limit : room;
    return x->plan.free_of_rows ? 0 : table_price(c->table, most, c->where.n > 0, c->having.n > 0);
}

/* Take seats where another call is asking for the totals or the ratio of this target right now. */
static void join_parts(struct exchange *x)
{
    if (!translation_needs(x->translation, V3_TOTALS) && !translation_needs(x->translation, V3_RATIO))
        return;
    x->part = x->part.p
                  ? x->part
                  : arena_printf(x->memory, "%d %.*s", (int)x->call.target.v3_mode, SLICE_ARGS(x->call.target.v3));
    for (enum v3_kind kind = V3_TOTALS; kind < V3_KINDS && x->part.p; kind++)
        if (translation_needs(x->translation, kind) &&
            share_join(x->account->shares, x, (enum share_kind)kind, x->part))
            translation_await(x->translation, kind);
}

int fetch_collect(struct exchange *x)
{
    int64_t ceiling = x->config->units_per_call;
    x->n_fetches = 0;
    x->round_units = 0;
    x->round_rows = fixed_rows(x) + price_of_results(x, x->ready_rows);
    int64_t room = room_for_results(x), cap = 0;
    room = room > x->ready_rows ? room - x->ready_rows : 0;
    x->ready_rows = 0;
    if (room < x->call.limit)
        cap = rows_to_skip(x) + room + 1;
    recall_totals(x);
    join_parts(x);
    int64_t probe = probing_page(x);
    translation_cap_page(x->translation, probe && (!cap || probe < cap) ? probe : cap);
    while (x->n_fetches < V3_KINDS && translation_next(x->translation, &x->fetches[x->n_fetches].request)) {
        struct fetch *f = &x->fetches[x->n_fetches++];
        f->exchange = x;
        f->sent = f->stopped = false;
        x->round_units += f->request.units;
        if (f->request.kind == V3_LIST) {
            collect_list(x, &f->request, cap, room);
            recall_lead(x);
        } else if (x->part.p) {
            share_start(x->account->shares, x, (enum share_kind)f->request.kind, x->part);
        }
    }
    int64_t prepaid = x->round_rows < x->prepaid_rows ? x->round_rows : x->prepaid_rows;
    x->round_rows -= prepaid;
    x->prepaid_rows -= prepaid;
    struct refusal refusal = translation_refusal(x->translation);
    if (refusal.fault) {
        exchange_refuse(x, refusal.fault, refusal.why);
        return 0;
    }
    int64_t spent = x->spending.known + x->spending.unknown;
    if (x->n_fetches && ceiling && x->round_units > ceiling - spent) {
        struct slice why = arena_printf(
            x->memory,
            "this call could cost %lld API v3 units, more than units_per_call = %lld: ask for fewer rows or columns",
            (long long)(spent + x->round_units), (long long)ceiling);
        exchange_refuse(x, FAULT_TOO_DEAR, why);
        return 0;
    }
    return x->n_fetches;
}

static void on_sent(void *context)
{
    struct fetch *f = context;
    struct exchange *x = f->exchange;
    bool is_first = !x->any_sent;
    f->sent = x->any_sent = true;
    x->service->counters.v3_requests++;
    for (int i = 0; is_first && i < V3_KINDS; i++)
        if (x->fetches[i].get && !x->fetches[i].sent)
            upstream_is_begun(x->fetches[i].get);
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct fetch *f = context;
    if (exchange_count(f->exchange))
        return translation_feed(f->exchange->translation, f->request.kind, bytes);
    exchange_refuse(f->exchange, FAULT_TOO_BUSY, S("the calls under way hold all the memory that calls may have"));
    f->stopped = true;
    return false;
}

/* Add what one request took. Its price is known by the header; without one our own price stands in. */
static void add_spending(struct exchange *x, const struct fetch *f, const struct upstream_result *r)
{
    struct spending *s = &x->spending;
    int64_t predicted = f->request.units;
    if (f->request.kind == V3_LIST && r->fault == FAULT_NONE)
        predicted = plan_units(&x->plan, translation_page_rows(x->translation));
    int64_t taken = r->may_have_cost ? plan_units_taken(&x->plan, r->units, r->cache_hit) : 0;
    if (r->may_have_cost)
        s->predicted += predicted;
    if (taken >= 0) {
        s->known += taken;
        s->any |= taken > 0;
        return;
    }
    s->unknown += predicted;
    s->any_unknown = s->any = true;
}

/* What has come serves others from now on, whatever becomes of this call. */
static void keep_part(struct exchange *x, enum v3_kind kind)
{
    if (kind == V3_LIST) {
        recall_keep_rows(x);
        share_give_page(x);
        return;
    }
    struct account *a = x->account;
    int64_t now = clock_monotonic_ms(), ttl = x->config->stats_ttl_ms;
    struct cache_totals *e = cache_keep_totals(a->cache, x->call.target.v3, x->call.target.v3_mode);
    if (kind == V3_TOTALS) {
        int64_t totals = translation_totals(x->translation);
        if (e && ttl)
            *e = (struct cache_totals){ now + ttl, e->ratio_until_ms, totals, e->ratio };
        share_give_totals(x, totals);
    } else {
        struct ratio ratio = translation_ratio(x->translation);
        if (e)
            *e = (struct cache_totals){ e->totals_until_ms, now + RATIO_KEPT_MS, e->totals, ratio };
        share_give_ratio(x, ratio);
    }
}

void fetch_blame(struct exchange *x, enum share_kind kind, struct refusal refusal, int64_t retry_after_ms)
{
    enum fault f = refusal.fault;
    bool is_v3s = f == FAULT_UPSTREAM_LATE ? clock_monotonic_ms() < x->deadline_ms
                                           : f == FAULT_UPSTREAM_DOWN || f == FAULT_UPSTREAM_DENIED ||
                                                 f == FAULT_UPSTREAM_ODD || f == FAULT_UPSTREAM_OUT_OF_UNITS;
    if (!is_v3s)
        return;
    refusal.why = params_without_token(&x->params, refusal.why, x->memory); /* others read it */
    x->v3_failed[kind] = (struct failing){ refusal, retry_after_ms };
}

/* A request of the call has failed. Others who want the same are told of this one, not of what else befell the call. */
static void fail(struct exchange *x, const struct fetch *f, const struct upstream_result *r, struct refusal before)
{
    bool is_list = f->request.kind == V3_LIST;
    struct refusal own = translation_refusal(x->translation);
    struct refusal refusal = { FAULT_UPSTREAM_ODD, S("API v3's answer is not what it promises") };
    if (r->fault && !(is_list && own.fault))
        refusal = (struct refusal){ r->fault, arena_dup(x->memory, r->why) };
    else if (is_list || !before.fault)
        refusal = own;
    if (!f->stopped)
        fetch_blame(x, is_list ? SHARE_PAGES : (enum share_kind)f->request.kind, refusal, r->retry_after_ms);
    if (x->refusal.fault)
        return;
    x->retry_after_ms = r->fault ? r->retry_after_ms : 0;
    exchange_refuse(x, own.fault ? own.fault : refusal.fault, own.fault ? own.why : refusal.why);
}

static void on_done(void *context, const struct upstream_result *r)
{
    struct fetch *f = context;
    struct exchange *x = f->exchange;
    f->get = NULL;
    x->n_under_way--;
    add_spending(x, f, r);
    struct refusal before = translation_refusal(x->translation);
    if (!r->fault && translation_end(x->translation, f->request.kind, r->rows))
        keep_part(x, f->request.kind);
    else
        fail(x, f, r, before);
    if (x->n_under_way)
        return; /* the others end by themselves, so that their price is known */
    exchange_run(x);
}

static bool start(struct exchange *x, struct fetch *f)
{
    static const struct upstream_callbacks callbacks = { on_sent, on_bytes, on_done };
    size_t max = MAX_SMALL_BODY;
    if (f->request.kind == V3_LIST) {
        int64_t rows = f->request.rows < MAX_LIST_BODY / MAX_ROW_BODY ? f->request.rows : MAX_LIST_BODY / MAX_ROW_BODY;
        max = (size_t)MAX_SMALL_BODY * 16 + (size_t)rows * MAX_ROW_BODY;
    } else if (f->request.kind == V3_RATIO) {
        max = (size_t)MAX_SMALL_BODY * 16;
    }
    f->get = upstream_start(x->account->upstream, f->request.path, x->team_name, max, x->deadline_ms, &callbacks, f);
    if (!f->get)
        return false;
    if (x->plan.free_of_units)
        upstream_is_free(f->get);
    if (x->any_sent)
        upstream_is_begun(f->get);
    x->n_under_way++;
    return true;
}

void fetch_cancel(struct exchange *x)
{
    for (int i = 0; i < V3_KINDS; i++) {
        struct fetch *f = &x->fetches[i];
        if (!f->get)
            continue;
        if (upstream_cancel(f->get)) {
            x->spending.predicted += f->request.units;
            x->spending.unknown += f->request.units;
            x->spending.any_unknown = x->spending.any = true;
        }
        f->get = NULL;
        x->n_under_way--;
    }
}

/* v2 rows of the answer if nothing more came. */
static int64_t rows_owed(const struct exchange *x)
{
    const struct call *c = &x->call;
    int64_t results = translation_rows(x->translation) - c->offset;
    return table_price(c->table, results > 0 ? results : 0, c->where.n > 0, c->having.n > 0);
}

enum step fetch_out_of_rows(struct exchange *x)
{
    x->retry_after_ms = ledger_month_ends_in_ms(x->service->ledger);
    return exchange_refuse(
        x, FAULT_OUT_OF_ROWS,
        S("the answer has more rows than the team's rows_per_month leaves: ask for fewer, or wait for "
          "the next month"));
}

/* ---- what other calls ask ---- */

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct exchange *x = context;
    (void)fd;
    (void)what;
    exchange_refuse(x, FAULT_UPSTREAM_LATE, S("the request that this call had joined did not end within call_timeout"));
    exchange_enter(x, ROOM_SETTLE);
    exchange_run(x);
}

/* A request that waits in the long line of another team is not to wait longer than one of its own would. */
static void hurry(const struct exchange *x)
{
    for (int kind = 0; kind < SHARE_KINDS; kind++) {
        struct flight *f = x->seats[kind].flight;
        enum v3_kind wanted = kind == SHARE_PAGES ? V3_LIST : (enum v3_kind)kind;
        for (int i = 0; i < V3_KINDS && f && f->starter; i++) {
            const struct fetch *other = &f->starter->fetches[i];
            if (other->get && (kind == SHARE_CALL || other->request.kind == wanted))
                upstream_join(other->get, x->team_name);
        }
    }
}

/* Each call that waits has its own deadline. */
enum step fetch_await(struct exchange *x)
{
    int64_t ms = x->deadline_ms - clock_monotonic_ms();
    hurry(x);
    ms = ms > 0 ? ms : 0;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    if (!x->deadline)
        x->deadline = event_new(x->service->base, -1, 0, on_deadline, x);
    if (x->deadline && event_add(x->deadline, &tv) == 0)
        return WAIT;
    return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
}

static void told_of_answer(struct exchange *x, struct flight *f)
{
    if (f->end != FLIGHT_ANSWERED)
        return;
    f->holders++;
    x->given = f;
}

static void told_of_part(struct exchange *x, enum share_kind kind, const struct flight *f)
{
    if (f->end == FLIGHT_GIVEN_UP) {
        translation_ask_after_all(x->translation, (enum v3_kind)kind);
        return;
    }
    if (kind == SHARE_TOTALS)
        translation_know_totals(x->translation, f->totals);
    else
        translation_know_ratio(x->translation, &f->ratio);
    x->shared = true;
    x->payer = arena_dup(x->memory, slice_of(f->payer, LEDGER_ID_SIZE - 1));
}

void fetch_told(struct exchange *x, enum share_kind kind, struct flight *f)
{
    if (f->end == FLIGHT_FAILED) {
        x->retry_after_ms = f->failing.retry_after_ms;
        exchange_refuse(x, f->failing.refusal.fault, arena_dup(x->memory, f->failing.refusal.why));
    } else if (kind == SHARE_CALL) {
        told_of_answer(x, f);
    } else if (kind != SHARE_PAGES) {
        told_of_part(x, kind, f);
    }
    if (kind == SHARE_PAGES) {
        x->shared |= f->end == FLIGHT_ANSWERED;
        if (f->end == FLIGHT_GIVEN_UP)
            x->awaited_at = 0; /* one of those who waited asks instead, the others wait for that one */
        recall_go_on(x);
        return;
    }
    if (x->waits_for_room && (x->given || x->refusal.fault))
        admit_retry_waiting(x->service);
    if (x->room != ROOM_FETCH || x->n_under_way || x->n_awaited || x->waits_for_hold)
        return; /* it looks when it gets there */
    exchange_run(x);
}

/* Another call's answer becomes this one's, as soon as there is memory for a copy. */
static enum step take_given(struct exchange *x)
{
    struct flight *f = x->given;
    if (x->client_gone)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before it had the answer"));
    if (!budget_take(&x->service->memory, f->body.n)) {
        if (clock_monotonic_ms() + MEMORY_AGAIN_MS < x->deadline_ms)
            return recall_pause(x, MEMORY_AGAIN_MS);
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the calls under way hold all the memory that calls may have"));
    }
    x->counted += f->body.n;
    x->body = buffer_with_cap(0);
    buffer_append(&x->body, buffer_slice(&f->body));
    x->marks = arena_dup(x->memory, buffer_slice(&f->marks));
    x->payer = arena_dup(x->memory, slice_of(f->payer, LEDGER_ID_SIZE - 1));
    if (x->body.failed || !x->marks.p || !x->payer.p)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
    if (f->rows > x->held_rows)
        return fetch_out_of_rows(x);
    x->result.results = f->results;
    x->result.rows = f->rows;
    x->alone_units = f->units_alone;
    x->shared = x->cached = true;
    return ONWARD;
}

/* ---- the room ---- */

static enum step send_round(struct exchange *x)
{
    int n = x->n_fetches;
    x->n_fetches = 0; /* when they have all ended, the room is entered again */
    x->asked_upstream = true;
    for (int i = 0; i < n; i++) {
        if (!start(x, &x->fetches[i])) {
            fetch_cancel(x);
            return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
        }
    }
    return WAIT;
}

static enum step next_page(struct exchange *x)
{
    if (x->page_is_cut && rows_owed(x) > x->held_rows)
        return fetch_out_of_rows(x);
    if (x->client_gone && !share_is_awaited(x))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before all pages were asked for"));
    fetch_collect(x); /* the same ceiling and a hold of its own */
    if (x->refusal.fault)
        return REFUSE;
    return x->n_fetches ? admit_hold(x) : ONWARD;
}

enum step room_fetch(struct exchange *x)
{
    assert(!x->n_under_way);
    if (x->deadline)
        event_del(x->deadline);
    if (x->refusal.fault)
        return REFUSE;
    if (x->cached)
        return ONWARD;
    if (x->n_fetches)
        return send_round(x);
    if (x->n_awaited)
        return fetch_await(x);
    if (x->given)
        return take_given(x);
    enum step step = ONWARD;
    if (!x->translation)
        step = recall(x); /* the call that asked has given up */
    else if (!translation_is_whole(x->translation))
        step = next_page(x);
    else
        return ONWARD;
    return step == ONWARD ? room_fetch(x) : step;
}
