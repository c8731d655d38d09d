/* SPDX-License-Identifier: MIT
 * The step round: the next v3 requests, and the amounts to be held for them. */
#include "proxy/call/round.h"

#include "base/clock.h"
#include "mapping/part.h"
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
        PROVING, /* what bounds the list is asked for, to know whether it fits */
        DECIDED,
    } state;
    int64_t results;                     /* of the answer at most: limit, or what the limits pay for */
    int64_t units;                       /* that the call may take in all */
    bool one_more;                       /* and a row behind them is asked for */
    struct bound bound;                  /* the limit that pays for fewer results than the call asks for */
    struct slice parts[TABLE_MAX_PARTS]; /* what each is shared under */
};

/* ---- prices ---- */

static int64_t price_of(const struct exchange *x, int64_t results)
{
    const struct call *c = &x->asked.call;
    return x->asked.plan.free_of_rows ? 0 : table_price(c->table, results, c->where.n > 0, c->having.n > 0);
}

/* What the parts may still cost. */
static int64_t parts_units(const struct exchange *x)
{
    int64_t units = 0;
    for (enum plan_ask ask = ASK_PARTS; ask < ASK_COUNT; ask++)
        units += translation_lacks(x->translation, ask) ? plan_part_units(&x->asked.plan, ask) : 0;
    return units;
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

/* What explain says of the call: what is remembered is no reason to take more than that for what is not. */
static int64_t units_most(const struct exchange *x)
{
    int64_t ceiling = exchange_config(x)->units_per_call;
    return ceiling ? plan_max_units(&x->asked.plan, ceiling) : LEDGER_NO_LIMIT;
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
    bounds[BOUND_ROWS].results = results_of_rows(x, bounds[BOUND_ROWS].left);
    for (int i = BOUND_TEAM; i < BOUND_CALL; i++)
        bounds[i].results = results_of_units(x, bounds[i].left);
    bounds[BOUND_CALL].results = results_of_units(x, units_most(x));
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

/* Nothing was asked for yet but, perhaps, what bounds the list. */
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
    int64_t most = units_most(x), list = list_units(x, results + one_more);
    r->units = fetch_units(x) + parts_units(x) + list;
    struct units allowance = { plan_allowance(&x->asked.plan, list) };
    if (most != LEDGER_NO_LIMIT)
        allowance.n = least(allowance.n, most - r->units);
    enum onward how = hold_whole(x, price_of(x, results), r->units, &allowance);
    r->units += allowance.n;
    return how;
}

/* Of the target record, which has a desk of its own. */
static bool find_record(const struct exchange *x, enum plan_ask ask, struct slice *ret, char payer[CACHE_PAYER_SIZE])
{
    struct record_key key = exchange_record_key(x);
    struct record record;
    struct part_values *part = exchange_part(x, struct part_values);
    if (!part || !exchange_config(x)->stats_ttl_ms ||
        !record_desk_recall(x->asked.account->desk, &key, (uint32_t)x->asked.plan.parts[ask - ASK_PARTS].fields,
                            &record, payer))
        return false;
    record_values(&record, part);
    *ret = slice_of((const char *)part, part_bytes(&report_record));
    return true;
}

/* A part that is one number, which the target's record has as well. */
static bool find_in_record(const struct exchange *x, const struct part *part, struct slice *ret)
{
    struct record_key key = exchange_record_key(x);
    struct record record;
    char payer[CACHE_PAYER_SIZE];
    int field = part->in_record - 1;
    if (!exchange_config(x)->stats_ttl_ms ||
        !record_desk_recall(x->asked.account->desk, &key, 1u << field, &record, payer))
        return false;
    struct part_values *values = exchange_part(x, struct part_values);
    if (!values)
        return false;
    values->rows = 1;
    values->known = part->fields;
    values->of[__builtin_ctzll(part->fields)].whole = record.value[field];
    *ret = slice_of((const char *)values, part_bytes(part->report));
    return true;
}

/* A part that an earlier call has brought and that is still good. */
static bool find_part(const struct exchange *x, enum plan_ask ask, struct slice *ret, char payer[CACHE_PAYER_SIZE])
{
    payer[0] = '\0';
    const struct part *part = plan_part_of(&x->asked.plan, ask);
    if (exchange_asks_record(x, ask))
        return find_record(x, ask, ret, payer);
    if (part->in_record && find_in_record(x, part, ret))
        return true;
    return (part->kept_ms || exchange_config(x)->stats_ttl_ms) &&
           cache_find_part(x->asked.account->cache, part, &x->asked.call.target, clock_monotonic_ms(), ret);
}

/* What bounds the list is not there yet. */
static bool lacks_bound(const struct exchange *x)
{
    enum plan_ask bound = plan_bound_ask(&x->asked.plan);
    return bound != ASK_COUNT && translation_lacks(x->translation, bound);
}

/* The list has no more rows than results are paid for. */
static bool is_proven(const struct exchange *x)
{
    enum plan_ask bound = plan_bound_ask(&x->asked.plan);
    struct slice known;
    char payer[CACHE_PAYER_SIZE];
    int64_t most = translation_most_rows(x->translation);
    if (most == INT64_MAX && bound != ASK_COUNT && !exchange_is_fresh(x) && find_part(x, bound, &known, payer))
        most = plan_bound(&x->asked.plan, known);
    return most <= x->asked.call.offset + x->rounds->results;
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
        if (is_disproven(x) || !lacks_bound(x))
            return refuse(x, tightest);
        r->state = PROVING; /* nothing of the list is known to be enough until that has ended */
        return ONWARD;
    }
    translation_cut(x->translation, r->results, one_more);
    return ONWARD;
}

/* ---- parts ---- */

/* What an earlier call has learnt of the target need not be asked again. */
static void recall_parts(struct exchange *x)
{
    struct slice known;
    char payer[CACHE_PAYER_SIZE];
    for (enum plan_ask ask = ASK_PARTS; ask < ASK_COUNT; ask++) {
        if (!translation_needs(x->translation, ask) || !find_part(x, ask, &known, payer))
            continue;
        translation_know_part(x->translation, ask, known);
        if (payer[0])
            outcome_replayed(x, slice_str(payer));
    }
}

static struct slice *shared_as(struct exchange *x, enum plan_ask ask)
{
    const struct target *target = &x->asked.call.target;
    struct slice *key = &x->rounds->parts[ask - ASK_PARTS];
    if (!key->p)
        *key = arena_printf(x->memory, "%.*s %d %.*s", SLICE_ARGS(plan_part_of(&x->asked.plan, ask)->name),
                            (int)target->v3_mode, SLICE_ARGS(target->v3));
    return key;
}

/* Take seats where another call is asking for the same part of this target right now. Nothing is set aside on v3's free
 * targets: all is asked in the first round there, before it may turn out that they are not free. */
static void join_parts(struct exchange *x)
{
    if (plan_is_free(&x->asked.plan))
        return;
    for (enum plan_ask ask = ASK_PARTS; ask < ASK_COUNT; ask++)
        if (translation_needs(x->translation, ask) && !exchange_asks_record(x, ask) && shared_as(x, ask)->p &&
            flight_join(x->asked.account->flights, &x->seats, (enum flight_kind)ask, *shared_as(x, ask)))
            translation_await(x->translation, ask);
}

void round_told(struct exchange *x, enum flight_kind kind, const struct flight_news *news)
{
    if (news->end == FLIGHT_GIVEN_UP) {
        translation_ask_after_all(x->translation, (enum plan_ask)kind);
        return;
    }
    translation_know_part(x->translation, (enum plan_ask)kind, news->part);
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

static void start_flight(struct exchange *x, enum plan_ask ask)
{
    struct flights *flights = x->asked.account->flights;
    if (ask != ASK_LIST && shared_as(x, ask)->p)
        flight_start(flights, &x->seats, (enum flight_kind)ask, *shared_as(x, ask));
    if (ask == ASK_LIST && x->pages.list.p && !exchange_is_fresh(x) &&
        !x->seats.starts[FLIGHT_PAGES]) /* other calls that want this page wait for it */
        flight_start(flights, &x->seats, FLIGHT_PAGES, x->pages.list);
}

/* The desk asks for the record, together with those of other calls. */
static bool next_record(struct exchange *x, enum plan_ask ask, struct v3_request *r)
{
    if (!translation_needs(x->translation, ask))
        return false;
    translation_await(x->translation, ask);
    *r = (struct v3_request){ .ask = ask, .units = plan_part_units(&x->asked.plan, ask) };
    return true;
}

static void take_requests(struct exchange *x)
{
    struct requests *q = &x->requests;
    int64_t list_rows = 0, units = 0;
    q->n = 0;
    for (enum plan_ask ask = 0; ask < ASK_COUNT; ask++) {
        struct v3_request *r = &q->list[q->n];
        bool is_due = x->rounds->state != PROVING || ask == plan_bound_ask(&x->asked.plan);
        if (!is_due ||
            !(exchange_asks_record(x, ask) ? next_record(x, ask, r) : translation_next_of(x->translation, ask, r)))
            continue;
        q->n++;
        units += r->units;
        if (exchange_asks_record(x, ask))
            continue;
        list_rows += ask == ASK_LIST ? r->rows : 0;
        start_flight(x, ask);
    }
    x->next_hold.units = units_to_hold(x, units);
    x->next_hold.rows = x->rounds->state == PROVING ? price_of(x, 0) : rows_to_hold(x, list_rows);
}

static enum onward collect(struct exchange *x)
{
    x->next_hold = (struct amounts){ 0 };
    x->requests.n = 0;
    if (!exchange_is_fresh(x))
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
    if (r->state != PROVING || lacks_bound(x))
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
        *x->rounds = (struct rounds){ 0 };
    else if (may_go_on(x) == REFUSE)
        return REFUSE;
    x->is_new_list = false;
    return collect(x);
}
