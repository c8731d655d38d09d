/* SPDX-License-Identifier: MIT
 * The step round: the next v3 requests, and the amounts to be held for them. */
#include "proxy/call/round.h"

#include "base/clock.h"
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"

/* A limit, and how many results of the call it pays for. */
struct bound {
    const char *name;
    enum fault fault;
    int64_t left, results; /* results -1: not even for what the call takes without any */
    enum limit_kind kind;  /* of a monthly limit */
};

enum { BOUND_ROWS, BOUND_TEAM, BOUND_WHOLE, BOUND_CALL, BOUNDS };

struct rounds {
    enum {
        BEGUN,   /* nothing is set aside */
        PROVING, /* the totals are asked for, to know whether the list fits */
        DECIDED,
    } state;
    int64_t results;    /* of the answer at most: limit, or what the limits pay for */
    int64_t units;      /* that the call may take in all */
    bool one_more;      /* and a row behind them is asked for */
    struct bound bound; /* the limit that pays for fewer results than the call asks for */
    struct slice part;  /* what totals and ratio are shared under */
};

/* ---- prices ---- */

static int64_t price_of(const struct exchange *x, int64_t results)
{
    const struct call *c = &x->asked.call;
    return x->asked.plan.free_of_rows ? 0 : table_price(c->table, results, c->where.n > 0, c->having.n > 0);
}

/* What totals and ratio may still cost. */
static int64_t parts_units(const struct exchange *x)
{
    int n = translation_lacks(x->translation, V3_TOTALS) + translation_lacks(x->translation, V3_RATIO);
    return plan_is_free(&x->asked.plan) ? 0 : n * (int64_t)V3_FLOOR_UNITS;
}

/* Of the list as far as `results` of the answer. */
static int64_t list_units(const struct exchange *x, int64_t results)
{
    const struct translation *t = x->translation;
    int64_t rows = x->asked.call.offset + results - translation_rows(t);
    return translation_knows_list(t) ? 0 : plan_list_units(&x->asked.plan, rows);
}

/* ---- how much of the list ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t results_of_rows(const struct exchange *x, int64_t rows)
{
    int64_t one =
        table_price(x->asked.call.table, 1000, false, false) - table_price(x->asked.call.table, 0, false, false);
    if (rows == LEDGER_NO_LIMIT || x->asked.plan.free_of_rows)
        return INT64_MAX;
    if (rows < price_of(x, 0))
        return -1;
    if (one <= 0)
        return INT64_MAX;
    int64_t n = (rows - price_of(x, 0)) / one * 1000 + (rows - price_of(x, 0)) % one * 1000 / one;
    while (price_of(x, n + 1) <= rows) /* rounding */
        n++;
    return n;
}

static int64_t results_of_units(const struct exchange *x, int64_t units)
{
    const struct translation *t = x->translation;
    if (units == LEDGER_NO_LIMIT)
        return INT64_MAX;
    units -= fetch_units(x) + parts_units(x);
    if (units < 0)
        return -1;
    int64_t rows = translation_knows_list(t) ? INT64_MAX : plan_rows_paid_by(&x->asked.plan, units);
    if (rows == INT64_MAX)
        return INT64_MAX;
    int64_t results = rows + translation_rows(t) - x->asked.call.offset;
    return results > 0 ? results : 0;
}

static void measure(const struct exchange *x, struct bound bounds[BOUNDS])
{
    struct ledger_room room = ledger_room(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name);
    int64_t ceiling = exchange_config(x)->units_per_call;
    bounds[BOUND_ROWS] =
        (struct bound){ "the team's rows_per_month leaves", FAULT_OUT_OF_ROWS, room.rows, 0, LIMIT_ROWS };
    bounds[BOUND_TEAM] =
        (struct bound){ "the team's units_per_month leaves", FAULT_OUT_OF_UNITS, room.team_units, 0, LIMIT_TEAM_UNITS };
    bounds[BOUND_WHOLE] =
        (struct bound){ "units_per_month leaves", FAULT_OUT_OF_UNITS, room.whole_units, 0, LIMIT_WHOLE_UNITS };
    bounds[BOUND_CALL] =
        (struct bound){ "units_per_call is", FAULT_TOO_DEAR, ceiling ? ceiling : LEDGER_NO_LIMIT, 0, 0 };
    for (int i = 0; i < BOUNDS; i++)
        bounds[i].results = i == BOUND_ROWS ? results_of_rows(x, bounds[i].left) : results_of_units(x, bounds[i].left);
}

int64_t round_rows_most(const struct exchange *x)
{
    return ledger_room(x->service->ledger, slice_of(x->id, LEDGER_ID_SIZE - 1), x->asked.team_name).rows;
}

int64_t round_rows_of_all(const struct exchange *x)
{
    int64_t results = results_of_rows(x, round_rows_most(x));
    return price_of(x, least(x->asked.call.limit, results < 0 ? 0 : results));
}

static const char *unit_of(const struct bound *b)
{
    return b->fault == FAULT_OUT_OF_ROWS ? "rows" : "API v3 units";
}

struct slice round_why_cut(const struct exchange *x, enum translation_cut cut)
{
    const struct rounds *r = x->rounds;
    switch (cut) {
    case CUT_SHORTER:
        return arena_printf(x->memory, "%s %lld %s, which pay for %lld of the %lld rows that were asked for",
                            r->bound.name, (long long)r->bound.left, unit_of(&r->bound), (long long)r->results,
                            (long long)x->asked.call.limit);
    case CUT_PAID_OUT:
        if (x->asked.plan.free_of_units)
            return S("API v3 took units for a target that it calls free, and none were set aside for more pages");
        return arena_printf(
            x->memory, "rows were merged or came twice, and the %lld API v3 units that this call may take were used up",
            (long long)r->units);
    case CUT_FULL:
        return arena_printf(x->memory, "the rows that came take all the memory that is left for a call");
    case CUT_NOT:
        break;
    }
    return S("");
}

/* Nothing was asked for yet but, perhaps, the totals. */
static enum onward refuse(struct exchange *x, const struct bound *b)
{
    const struct call *c = &x->asked.call;
    bool may_be_cut = exchange_config(x)->too_long == TOO_LONG_CUT;
    bool is_rows = b->fault == FAULT_OUT_OF_ROWS;
    int64_t results = !c->limit ? 0 : may_be_cut ? 1 : c->limit;
    int64_t needs = is_rows ? price_of(x, results) : fetch_units(x) + parts_units(x) + list_units(x, results);
    if (b->fault == FAULT_TOO_DEAR) {
        struct refusal r = plan_too_dear(&x->asked.plan, needs, b->left, x->memory);
        struct slice cost = fetch_units(x) ? arena_printf(x->memory, "%.*s; it has cost %lld by now", SLICE_ARGS(r.why),
                                                          (long long)fetch_units(x))
                                           : r.why;
        return exchange_refuse(x, r.fault, cost.p ? cost : r.why);
    }
    int64_t most = is_rows ? price_of(x, c->limit) : fetch_units(x) + parts_units(x) + list_units(x, c->limit);
    return hold_refuse(
        x,
        &(struct shortage){
            .kind = b->kind, .left = b->left, .least = may_be_cut ? needs : 0, .most = most, .spent = fetch_units(x) });
}

/* Set aside what `results` of the answer take, and what goes on for rows that merge. */
static enum onward set_aside(struct exchange *x, int64_t results, bool one_more)
{
    struct rounds *r = x->rounds;
    int64_t ceiling = exchange_config(x)->units_per_call, list = list_units(x, results + one_more);
    r->units = fetch_units(x) + parts_units(x) + list;
    struct units allowance = { plan_allowance(&x->asked.plan, list) };
    if (ceiling)
        allowance.n = least(allowance.n, ceiling - r->units);
    enum onward how = hold_whole(x, price_of(x, results), r->units, &allowance);
    r->units += allowance.n;
    return how;
}

/* The list has no more rows than results are paid for: there are never more of them than links. */
static bool is_proven(const struct exchange *x)
{
    const struct target *target = &x->asked.call.target;
    const struct cache_totals *known = cache_find_totals(x->asked.account->cache, target->v3, target->v3_mode);
    int64_t totals = INT64_MAX;
    if (x->asked.plan.ask_totals && !translation_lacks(x->translation, V3_TOTALS))
        totals = translation_totals(x->translation);
    else if (known && known->totals_until_ms > clock_monotonic_ms() && !exchange_is_fresh(x))
        totals = known->totals;
    return totals <= x->asked.call.offset + x->rounds->results;
}

/* Rows that are remembered show that there are more. */
static bool is_disproven(const struct exchange *x)
{
    return translation_rows(x->translation) - x->asked.call.offset > x->rounds->results;
}

/* The whole call is checked before its first request. ONWARD; AGAIN: when other calls' holds have ended; REFUSE. */
static enum onward decide(struct exchange *x)
{
    struct rounds *r = x->rounds;
    const struct translation *t = x->translation;
    const struct call *c = &x->asked.call;
    struct bound bounds[BOUNDS], *tightest = bounds;
    int64_t known = translation_rows(t) - c->offset;
    int64_t wanted = !translation_knows_list(t) ? c->limit : known < 0 ? 0 : least(known, c->limit);
    measure(x, bounds);
    for (int i = 1; i < BOUNDS; i++)
        if (bounds[i].results < tightest->results)
            tightest = &bounds[i];
    if (tightest->results < 0 || (!tightest->results && wanted))
        return refuse(x, tightest);
    r->bound = *tightest;
    r->results = least(wanted, tightest->results);
    bool is_cut = r->results < wanted, one_more = is_cut;
    for (int i = BOUND_TEAM; i < BOUNDS; i++)
        one_more = one_more && bounds[i].results > r->results;
    enum onward how = set_aside(x, r->results, one_more);
    if (how != ONWARD)
        return how;
    r->one_more = one_more;
    r->state = DECIDED;
    if (!is_cut)
        return ONWARD;
    if (exchange_config(x)->too_long == TOO_LONG_REFUSE && !is_proven(x)) {
        if (is_disproven(x) || !translation_lacks(t, V3_TOTALS))
            return refuse(x, tightest);
        r->state = PROVING; /* nothing of the list is known to be enough until that has ended */
        return ONWARD;
    }
    translation_cut(x->translation, r->results, one_more);
    return ONWARD;
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

/* Take seats where another call is asking for the totals or the ratio of this target right now. Nothing is set aside
 * on v3's free targets: all is asked in the first round there, before it may turn out that they are not free. */
static void join_parts(struct exchange *x)
{
    const struct target *target = &x->asked.call.target;
    struct slice *part = &x->rounds->part;
    if (!needs_parts(x) || plan_is_free(&x->asked.plan))
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

/* Rows are held as far as the round can bring results. */
static int64_t rows_to_hold(const struct exchange *x, int64_t list_rows)
{
    int64_t results = translation_rows(x->translation) + list_rows - x->asked.call.offset;
    int64_t rows = price_of(x, results < 0 ? 0 : least(results, x->rounds->results));
    return rows > hold_rows(x) ? rows - hold_rows(x) : 0;
}

/* Units beyond those that are held already: what earlier rounds were held for and did not take serves this one. So no
 * more is ever held than is set aside. */
static int64_t units_to_hold(const struct exchange *x, int64_t units)
{
    int64_t held = hold_units(x), over = held - least(held, fetch_units(x));
    return units > over ? units - over : 0;
}

static void start_flight(struct exchange *x, enum v3_kind kind)
{
    struct flights *flights = x->asked.account->flights;
    if (kind != V3_LIST && x->rounds->part.p)
        flight_start(flights, &x->seats, (enum flight_kind)kind, x->rounds->part);
    if (kind == V3_LIST && x->pages.list.p && !exchange_is_fresh(x) &&
        !x->seats.starts[FLIGHT_PAGES]) /* other calls that want this page wait for it */
        flight_start(flights, &x->seats, FLIGHT_PAGES, x->pages.list);
}

static void take_requests(struct exchange *x)
{
    struct requests *q = &x->requests;
    int64_t list_rows = 0, units = 0;
    q->n = 0;
    for (enum v3_kind kind = 0; kind < V3_KINDS; kind++) {
        struct v3_request *r = &q->list[q->n];
        if ((x->rounds->state == PROVING && kind != V3_TOTALS) || !translation_next_of(x->translation, kind, r))
            continue;
        q->n++;
        units += r->units;
        list_rows += kind == V3_LIST ? r->rows : 0;
        start_flight(x, kind);
    }
    x->next_hold.units = units_to_hold(x, units);
    x->next_hold.rows = x->rounds->state == PROVING ? price_of(x, 0) : rows_to_hold(x, list_rows);
}

static enum onward collect(struct exchange *x)
{
    x->next_hold = (struct amounts){ 0 };
    x->requests.n = 0;
    if (needs_parts(x) && !exchange_is_fresh(x))
        recall_parts(x);
    enum onward how = x->rounds->state == BEGUN ? decide(x) : ONWARD;
    if (how == AGAIN)
        return ONWARD; /* hold waits for them */
    if (how != ONWARD)
        return how;
    join_parts(x);
    translation_pay(x->translation, x->rounds->units - fetch_units(x) - parts_units(x));
    take_requests(x);
    struct refusal refusal = translation_refusal(x->translation);
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    return x->refusal.fault ? REFUSE : ONWARD;
}

/* ---- the step ---- */

static enum onward may_go_on(struct exchange *x)
{
    struct rounds *r = x->rounds;
    if (x->client_gone && !flight_is_awaited(&x->seats))
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before all pages were asked for"));
    if (r->state != PROVING || translation_lacks(x->translation, V3_TOTALS))
        return ONWARD;
    if (!is_proven(x))
        return refuse(x, &r->bound);
    r->state = DECIDED;
    translation_cut(x->translation, r->results, r->one_more);
    return ONWARD;
}

enum onward round_enter(struct exchange *x)
{
    if (!x->rounds)
        x->rounds = exchange_part(x, struct rounds);
    if (!x->rounds)
        return exchange_refuse_call_memory(x);
    if (x->is_new_list)
        *x->rounds = (struct rounds){ .part = x->rounds->part };
    else if (may_go_on(x) == REFUSE)
        return REFUSE;
    x->is_new_list = false;
    return collect(x);
}
