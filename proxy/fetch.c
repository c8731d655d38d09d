/* SPDX-License-Identifier: MIT
 * The room fetch: rounds of v3 requests, side by side, their bytes into the translation as they come, and what they
 * cost. */
#include "proxy/exchange.h"

#include "base/clock.h"

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
    int64_t room = left.rows_limit - left.rows_used - x->held_rows - fixed_rows(x);
    return room > 0 ? room : 0;
}

/* Rows of the list's next pages that `offset` skips. */
static int64_t rows_to_skip(const struct exchange *x)
{
    int64_t left = x->call.offset - x->asked_rows;
    return left > 0 ? left : 0;
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
    if (most > 0 && !x->plan.free_of_rows)
        x->round_rows += table_price(x->call.table, most, false, false) - table_price(x->call.table, 0, false, false);
}

int fetch_collect(struct exchange *x)
{
    int64_t ceiling = x->config->units_per_call;
    x->n_fetches = 0;
    x->round_units = 0;
    x->round_rows = fixed_rows(x);
    int64_t room = room_for_results(x), cap = 0;
    if (room < x->call.limit)
        cap = rows_to_skip(x) + room + 1;
    translation_cap_page(x->translation, cap);
    while (x->n_fetches < V3_KINDS && translation_next(x->translation, &x->fetches[x->n_fetches].request)) {
        struct fetch *f = &x->fetches[x->n_fetches++];
        f->exchange = x;
        f->sent = false;
        x->round_units += f->request.units;
        if (f->request.kind == V3_LIST)
            collect_list(x, &f->request, cap, room);
    }
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
    f->sent = f->exchange->any_sent = true;
    f->exchange->service->counters.v3_requests++;
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct fetch *f = context;
    return translation_feed(f->exchange->translation, f->request.kind, bytes);
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

static void on_done(void *context, const struct upstream_result *r)
{
    struct fetch *f = context;
    struct exchange *x = f->exchange;
    f->get = NULL;
    x->n_under_way--;
    add_spending(x, f, r);
    struct refusal own = translation_refusal(x->translation);
    if (own.fault) {
        exchange_refuse(x, own.fault, own.why);
    } else if (r->fault) {
        x->retry_after_ms = r->retry_after_ms;
        exchange_refuse(x, r->fault, arena_dup(x->memory, r->why));
    } else if (!translation_end(x->translation, f->request.kind, r->rows)) {
        own = translation_refusal(x->translation);
        exchange_refuse(x, own.fault, own.why);
    }
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
    f->get = upstream_start(x->service->upstream, f->request.path, x->team_name, max, x->deadline_ms, &callbacks, f);
    if (!f->get)
        return false;
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

enum step room_fetch(struct exchange *x)
{
    if (x->refusal.fault)
        return REFUSE;
    if (x->cached)
        return ONWARD;
    if (x->n_fetches == 0 && !translation_is_whole(x->translation)) {
        if (x->page_is_cut && rows_owed(x) > x->held_rows)
            return fetch_out_of_rows(x);
        /* Another page: the same ceiling and a hold of its own. */
        if (!fetch_collect(x))
            return REFUSE;
        return admit_hold(x);
    }
    if (x->n_fetches == 0)
        return ONWARD;
    int n = x->n_fetches;
    x->asked_upstream = true;
    for (int i = 0; i < n; i++) {
        if (!start(x, &x->fetches[i])) {
            fetch_cancel(x);
            return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
        }
    }
    x->n_fetches = 0; /* when they have all ended, the room is entered again */
    return WAIT;
}
