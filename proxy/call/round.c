/* SPDX-License-Identifier: MIT
 * The step round: the next v3 requests, and the amounts to be held for them. */
#include "proxy/call/round.h"

#include "base/clock.h"
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"

struct rounds {
    int64_t asked_rows;   /* rows of the list asked for so far, or remembered */
    int64_t ready_rows;   /* rows of the answer that need not be asked for, not held yet */
    int64_t prepaid_rows; /* v2 rows held already, for requests yet to be sent */
    bool page_is_cut;     /* the page asks for no more than the team's limit leaves, and one row */
    struct slice part;    /* what totals and ratio are shared under */
};

/* ---- prices and headroom ---- */

static int64_t price_of(const struct exchange *x, int64_t results)
{
    const struct call *c = &x->asked.call;
    return table_price(c->table, results, c->where.n > 0, c->having.n > 0);
}

/* v2 rows of the request and its clauses, held with the first round. */
static int64_t fixed_rows(const struct exchange *x)
{
    return x->asked.plan.free_of_rows || hold_is_open(x) ? 0 : price_of(x, 0);
}

static int64_t price_of_results(const struct exchange *x, int64_t results)
{
    const struct table *t = x->asked.call.table;
    bool free = x->asked.plan.free_of_rows || results <= 0;
    return free ? 0 : table_price(t, results, false, false) - table_price(t, 0, false, false);
}

/* What the team's limit leaves for results, with `prepaid` rows of the call's own holds; INT64_MAX when there is no
 * limit. Other calls' holds do not count: they may yet turn out smaller. */
static int64_t room_for_results(const struct exchange *x, int64_t prepaid)
{
    struct ledger_left left = ledger_left(x->service->ledger, x->asked.team_name);
    if (left.rows_limit == LEDGER_NO_LIMIT || x->asked.plan.free_of_rows)
        return INT64_MAX;
    int64_t room = left.rows_limit - left.rows_used - (hold_rows(x) - prepaid) - fixed_rows(x);
    return room > 0 ? room : 0;
}

/* What an earlier hold of the call has for results that have not come: it waited for an answer in vain. */
static int64_t rows_prepaid(const struct exchange *x)
{
    return hold_is_open(x) && !x->asked.plan.free_of_rows ? hold_rows(x) - price_of(x, 0) : 0;
}

int64_t round_rows_of_all(const struct exchange *x)
{
    int64_t limit = x->asked.call.limit, room = room_for_results(x, rows_prepaid(x));
    return x->asked.plan.free_of_rows ? 0 : price_of(x, limit < room ? limit : room);
}

/* v2 rows of the answer if nothing more came. */
static int64_t rows_owed(const struct exchange *x)
{
    int64_t results = translation_rows(x->translation) - x->asked.call.offset;
    return price_of(x, results > 0 ? results : 0);
}

/* Rows of the list's next pages that `offset` skips. */
static int64_t rows_to_skip(const struct exchange *x)
{
    int64_t left = x->asked.call.offset - x->rounds->asked_rows;
    return left > 0 ? left : 0;
}

/* See plan_probe. */
static int64_t probing_page(const struct exchange *x)
{
    int64_t parts = (translation_needs(x->translation, V3_TOTALS) + translation_needs(x->translation, V3_RATIO)) *
                    (int64_t)V3_FLOOR_UNITS;
    int64_t ceiling = exchange_config(x)->units_per_call;
    int64_t rows = x->asked.call.offset + x->asked.call.limit;
    return x->rounds->asked_rows ? 0 : plan_probe(&x->asked.plan, rows, ceiling, ceiling - fetch_units(x) - parts);
}

/* ---- totals and ratio ---- */

static bool needs_parts(const struct exchange *x)
{
    return translation_needs(x->translation, V3_TOTALS) || translation_needs(x->translation, V3_RATIO);
}

/* What an earlier call has learnt of the target need not be asked again. */
static void recall_parts(struct exchange *x)
{
    const struct target *target = &x->asked.call.target;
    const struct cache_totals *known = cache_find_totals(x->asked.account->cache, target->v3, target->v3_mode);
    int64_t now_ms = clock_monotonic_ms();
    if (known && known->totals_until_ms > now_ms && exchange_config(x)->stats_ttl_ms)
        translation_know_totals(x->translation, known->totals);
    if (known && known->ratio_until_ms > now_ms)
        translation_know_ratio(x->translation, &known->ratio);
}

/* Take seats where another call is asking for the totals or the ratio of this target right now. */
static void join_parts(struct exchange *x)
{
    const struct target *target = &x->asked.call.target;
    struct slice *part = &x->rounds->part;
    if (!needs_parts(x))
        return;
    if (!part->p)
        *part = arena_printf(x->memory, "%d %.*s", (int)target->v3_mode, SLICE_ARGS(target->v3));
    for (enum v3_kind kind = V3_TOTALS; kind < V3_KINDS && part->p; kind++)
        if (translation_needs(x->translation, kind) &&
            flight_join(x->asked.account->flights, &x->seats, (enum flight_kind)kind, *part))
            translation_await(x->translation, kind);
}

void round_told(struct exchange *x, enum flight_kind kind, const struct flight_news *news)
{
    if (news->end == FLIGHT_GIVEN_UP) {
        translation_ask_after_all(x->translation, (enum v3_kind)kind);
        return;
    }
    if (kind == FLIGHT_TOTALS)
        translation_know_totals(x->translation, news->totals);
    else
        translation_know_ratio(x->translation, &news->ratio);
    outcome_shared_part(x, news->payer);
}

/* ---- collecting ---- */

/* Take the next request of the list. Near the limit its page shrinks to what is left and one row more: a small answer
 * is still given, and one that does not fit is known by that row. */
static void take_list(struct exchange *x, const struct v3_request *r, int64_t cap, int64_t room)
{
    struct flights *flights = x->asked.account->flights;
    int64_t limit = x->asked.call.limit, results = r->rows - rows_to_skip(x);
    int64_t most = results < room ? results : room;
    x->rounds->page_is_cut = r->rows == cap;
    x->rounds->asked_rows += r->rows;
    x->next_hold.rows += price_of_results(x, most < limit ? most : limit);
    if (x->pages.list.p && !exchange_is_fresh(x) &&
        !x->seats.starts[FLIGHT_PAGES]) /* other calls that want this page wait for it */
        flight_start(flights, &x->seats, FLIGHT_PAGES, x->pages.list);
}

static void take_requests(struct exchange *x, int64_t cap, int64_t room)
{
    struct requests *q = &x->requests;
    for (q->n = 0; q->n < V3_KINDS && translation_next(x->translation, &q->list[q->n]);) {
        const struct v3_request *r = &q->list[q->n++];
        x->next_hold.units += r->units;
        if (r->kind == V3_LIST)
            take_list(x, r, cap, room);
        else if (x->rounds->part.p)
            flight_start(x->asked.account->flights, &x->seats, (enum flight_kind)r->kind, x->rounds->part);
    }
}

static void use_prepaid(struct exchange *x)
{
    int64_t *prepaid = &x->rounds->prepaid_rows;
    int64_t used = x->next_hold.rows < *prepaid ? x->next_hold.rows : *prepaid;
    x->next_hold.rows -= used;
    *prepaid -= used;
}

static enum onward too_dear(struct exchange *x, int64_t units)
{
    struct slice why = arena_printf(
        x->memory,
        "this call could cost %lld API v3 units, more than units_per_call = %lld: ask for fewer rows or columns",
        (long long)units, (long long)exchange_config(x)->units_per_call);
    return exchange_refuse(x, FAULT_TOO_DEAR, why);
}

static enum onward collect(struct exchange *x)
{
    struct rounds *r = x->rounds;
    int64_t room = room_for_results(x, r->prepaid_rows), cap = 0;
    room = room > r->ready_rows ? room - r->ready_rows : 0;
    x->next_hold = (struct amounts){ .rows = fixed_rows(x) + price_of_results(x, r->ready_rows) };
    r->ready_rows = 0;
    if (room < x->asked.call.limit)
        cap = rows_to_skip(x) + room + 1;
    if (needs_parts(x) && !exchange_is_fresh(x))
        recall_parts(x);
    join_parts(x);
    int64_t probe = probing_page(x);
    translation_cap_page(x->translation, probe && (!cap || probe < cap) ? probe : cap);
    take_requests(x, cap, room);
    use_prepaid(x);
    struct refusal refusal = translation_refusal(x->translation);
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    int64_t ceiling = exchange_config(x)->units_per_call, spent = fetch_units(x);
    if (x->requests.n && ceiling && x->next_hold.units > ceiling - spent)
        return too_dear(x, spent + x->next_hold.units);
    return x->refusal.fault ? REFUSE : ONWARD;
}

/* ---- the step ---- */

/* recall has found the beginning of a list. */
static void begin_list(struct exchange *x)
{
    const struct call *c = &x->asked.call;
    int64_t rows = translation_rows(x->translation), results = rows - c->offset;
    x->is_new_list = false;
    *x->rounds = (struct rounds){ .asked_rows = rows,
                                  .ready_rows = results < 0          ? 0
                                                : results < c->limit ? results
                                                                     : c->limit,
                                  .prepaid_rows = rows_prepaid(x),
                                  .part = x->rounds->part };
}

static enum onward may_go_on(struct exchange *x)
{
    if (x->rounds->page_is_cut && rows_owed(x) > hold_rows(x))
        return hold_out_of_rows(x);
    if (x->client_gone && !flight_is_awaited(&x->seats))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before all pages were asked for"));
    return ONWARD;
}

enum onward round_enter(struct exchange *x)
{
    if (!x->rounds)
        x->rounds = exchange_part(x, struct rounds);
    if (!x->rounds)
        return exchange_refuse_call_memory(x);
    if (x->is_new_list)
        begin_list(x);
    else if (may_go_on(x) == REFUSE)
        return REFUSE;
    return collect(x);
}
