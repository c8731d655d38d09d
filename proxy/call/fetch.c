/* SPDX-License-Identifier: MIT
 * The step fetch: rounds of v3 requests, their bytes into the translation as they come, and what they cost. */
#include "proxy/call/fetch.h"

#include "base/clock.h"
#include "mapping/part.h"
#include "proxy/call/hold.h"
#include "proxy/call/outcome.h"

enum { MEMORY_AGAIN_MS = 100 };

_Static_assert((int)PLAN_MAX_URL == (int)UPSTREAM_MAX_URL, "what is planned can be sent");

/* What one v3 answer may hold, and one row of it at most on average; a list is refused beyond. */
enum { MAX_SMALL_BODY = 64 * 1024, MAX_ROW_BODY = 4096, MAX_LIST_BODY = 512 * 1024 * 1024 };

/* One v3 request under way. */
struct get {
    struct exchange *exchange;
    struct v3_request request;
    struct upstream_get *get; /* NULL: not under way */
    bool sent;
};

/* The seat at the desk where target records are asked for. */
struct record_part {
    struct record_seat seat;
    struct record_key key;
    enum plan_ask ask;
    int64_t held;       /* units, for the record */
    int64_t odd_prices; /* of the account, and whether it charged for what is free, when it took the seat */
    bool charges_free;
    int64_t until_ms; /* how long it waits for the rate */
};

struct fetch {
    struct get gets[ASK_COUNT];
    struct record_part record;
    struct spending spending;
    bool has_asked;
    bool has_copy; /* of another call's answer */
};

struct spending fetch_spending(const struct exchange *x)
{
    return x->fetch ? x->fetch->spending : (struct spending){ 0 };
}

int64_t fetch_units(const struct exchange *x)
{
    return x->fetch ? x->fetch->spending.known + x->fetch->spending.unknown : 0;
}

bool fetch_has_asked(const struct exchange *x)
{
    return x->fetch && x->fetch->has_asked;
}

/* ---- what comes of a request ---- */

static void on_sent(void *context)
{
    struct get *g = context;
    struct exchange *x = g->exchange;
    bool is_first = !x->has_sent;
    g->sent = x->has_sent = true;
    x->service->counters.v3_requests++;
    for (int i = 0; is_first && i < ASK_COUNT; i++) {
        const struct get *other = &x->fetch->gets[i];
        if (other->get && !other->sent)
            upstream_is_begun(other->get);
    }
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct get *g = context;
    if (!exchange_count(g->exchange)) /* the list was paid for: it ends with the rows that are there */
        translation_end_rows(g->exchange->translation);
    return translation_feed(g->exchange->translation, g->request.ask, bytes);
}

/* What the request costs at most by our table, were nothing free. */
static int64_t full_price(const struct exchange *x, const struct v3_request *r)
{
    return r->ask == ASK_LIST ? plan_price(&x->asked.plan, r->rows) : plan_part_price(&x->asked.plan, r->ask);
}

static void complain_of_charge(const struct exchange *x, int64_t units)
{
    service_complain(x->service,
                     "v3 key %s: API v3 took %lld units for %.*s, which it calls free; from now on its free targets "
                     "count as others, until a restart, or until anchorage doctor finds them free",
                     x->asked.account->label, (long long)units, SLICE_ARGS(x->asked.call.target.host));
}

static void complain_of_price(const struct exchange *x, int64_t units, int64_t price)
{
    if (!account_shouts(x->asked.account))
        return;
    service_complain(
        x->service,
        "v3 key %s: API v3 says that a request took %lld units, which %lld pay for at most by our table: not "
        "believed, our own price is booked as a guess (call %s; anchorage ledger correct puts it right)",
        x->asked.account->label, (long long)units, (long long)price, x->id);
}

/* What one request took by its headers, or -1: not known, or not to be believed. Where units went for what v3 calls
 * free, nothing is free any more: what comes next is held as for others. */
static int64_t units_taken(struct exchange *x, const struct get *g, const struct upstream_result *r)
{
    struct account *a = x->asked.account;
    int64_t units = plan_units_taken(&x->asked.plan, r->units, r->cache_hit);
    bool is_odd =
        units > 0 && !account_believes(a, units, full_price(x, &g->request), exchange_config(x)->units_per_month);
    bool is_first = units > 0 && x->asked.plan.free_of_units && !a->charges_free;
    if (is_first) {
        a->charges_free = true;
        complain_of_charge(x, units);
    }
    if (is_odd)
        complain_of_price(x, units, full_price(x, &g->request));
    return is_odd ? -1 : units;
}

/* Add what one request took. Its price is known by the header; without one our own price stands in. */
static void add_spending(struct exchange *x, const struct get *g, const struct upstream_result *r)
{
    const struct plan *plan = &x->asked.plan;
    struct spending *s = &x->fetch->spending;
    int64_t predicted = g->request.units;
    int64_t taken = r->may_have_cost ? units_taken(x, g, r) : 0;
    if (g->request.ask == ASK_LIST && r->fault == FAULT_NONE)
        predicted = plan_units(plan, translation_page_rows(x->translation));
    else if (taken < 0 && plan->free_of_units && !plan_is_free(plan))
        predicted = full_price(x, &g->request); /* it was sent as a free one */
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

/* Remember the rows of the list's page that has ended. */
static void keep_rows(struct exchange *x)
{
    struct cache *c = x->asked.account->cache;
    struct buffer rows;
    bool whole;
    if (!translation_take_rows(x->translation, &rows, &whole))
        return;
    pages_keep(&x->pages, c, clock_monotonic_ms(), exchange_config(x)->answer_ttl_ms, buffer_slice(&rows), whole,
               slice_of(x->id, LEDGER_ID_SIZE - 1), (int64_t)(cache_max_bytes(c) / PAGES_LIST_PART));
    buffer_clear(&rows);
}

/* What has come serves others from now on, whatever becomes of this call. */
static void keep_part(struct exchange *x, enum plan_ask ask)
{
    if (ask == ASK_LIST) {
        keep_rows(x);
        flight_give_page(&x->seats);
        return;
    }
    struct slice part = translation_part(x->translation, ask);
    exchange_keep_part(x, ask, part);
    flight_give_part(&x->seats, (enum flight_kind)ask, part);
}

/* A request of the call has failed. Other calls that want the same are told of this one, not of what else befell the
 * call. */
static void fail(struct exchange *x, const struct get *g, const struct upstream_result *r, struct refusal before)
{
    bool is_list = g->request.ask == ASK_LIST;
    struct refusal own = translation_refusal(x->translation);
    struct refusal refusal = { FAULT_UPSTREAM_ODD, S("API v3's answer is not what it promises") };
    if (r->fault && !(is_list && own.fault))
        refusal = (struct refusal){ r->fault, arena_dup(x->memory, r->why) };
    else if (is_list || !before.fault)
        refusal = own;
    outcome_blame(x, is_list ? FLIGHT_PAGES : (enum flight_kind)g->request.ask, refusal, r->retry_after_ms);
    if (x->refusal.fault)
        return;
    x->retry_after_ms = r->fault ? r->retry_after_ms : 0;
    exchange_refuse(x, own.fault ? own.fault : refusal.fault, own.fault ? own.why : refusal.why);
}

static void on_done(void *context, const struct upstream_result *r)
{
    struct get *g = context;
    struct exchange *x = g->exchange;
    g->get = NULL;
    x->n_under_way--;
    add_spending(x, g, r);
    struct refusal before = translation_refusal(x->translation);
    if (!r->fault && translation_end(x->translation, g->request.ask, r->rows))
        keep_part(x, g->request.ask);
    else
        fail(x, g, r, before);
    if (!x->n_under_way) /* the others end by themselves, so that their price is known */
        exchange_wake(x);
}

/* ---- the target record ---- */

static void on_record_held(void *context, enum ledger_outcome outcome)
{
    struct exchange *x = context;
    struct record_seat *seat = &x->fetch->record.seat;
    x->n_under_way--;
    if (seat->ask)
        record_desk_held(x->asked.account->desk, seat, outcome == LEDGER_DONE);
    else if (!x->n_under_way) /* it was told before: only this was waited for */
        exchange_wake(x);
}

/* Its POST is about to leave: from now on it is finished whatever the client does. */
static void on_record_hold(void *context, int64_t units)
{
    struct exchange *x = context;
    struct record_part *r = &x->fetch->record;
    int64_t before = r->held;
    x->has_sent = true;
    r->held = units;
    if (!hold_change(x, before, units, on_record_held))
        record_desk_held(x->asked.account->desk, &r->seat, true);
}

static void spend_share(struct exchange *x, int64_t units, int64_t predicted)
{
    struct spending *s = &x->fetch->spending;
    s->predicted += predicted;
    s->known += units > 0 ? units : 0;
    s->any |= units > 0;
    if (units < 0 && predicted > 0) {
        s->unknown += predicted;
        s->any_unknown = s->any = true;
    }
    outcome_paid_share(x, units >= 0 ? units : predicted);
}

/* The account has looked at the price of the whole POST; one of its calls has to tell. */
static void look_at_price(const struct exchange *x, const struct record_news *news)
{
    const struct account *a = x->asked.account;
    const struct record_part *r = &x->fetch->record;
    if (a->charges_free && !r->charges_free && r->key.is_free)
        complain_of_charge(x, news->units);
    if (a->odd_prices > r->odd_prices && news->units < 0)
        complain_of_price(x, a->odd_units, news->predicted);
}

static void take_record(struct exchange *x, const struct record_news *news)
{
    struct part_values part;
    record_values(news->record, &part);
    if (!news->pays)
        outcome_shared_part(x, news->payer);
    translation_know_part(x->translation, x->fetch->record.ask,
                          slice_of((const char *)&part, part_bytes(&report_record)));
}

static void on_record_told(void *context, const struct record_news *news)
{
    struct exchange *x = context;
    const struct refusal *refusal = &news->failing.refusal;
    x->n_under_way--;
    if (news->pays) {
        x->fetch->has_asked = true;
        spend_share(x, news->units, news->predicted);
        look_at_price(x, news);
    }
    if (!refusal->fault) {
        take_record(x, news);
    } else if (!x->refusal.fault) {
        x->retry_after_ms = news->failing.retry_after_ms;
        exchange_refuse(x, refusal->fault, arena_dup(x->memory, refusal->why));
    }
    if (!x->n_under_way)
        exchange_wake(x);
}

static bool take_record_seat(struct exchange *x, const struct v3_request *request)
{
    const struct config *c = exchange_config(x);
    struct record_part *r = &x->fetch->record;
    int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + c->queue_timeout_ms;
    struct record_manner manner = { c->gather_ms, c->stats_ttl_ms, c->call_timeout_ms, c->units_per_month };
    *r = (struct record_part){ .key = exchange_record_key(x), .ask = request->ask, .held = request->units };
    r->odd_prices = x->asked.account->odd_prices;
    r->charges_free = x->asked.account->charges_free;
    r->until_ms = until_ms < x->clocks.deadline_ms ? until_ms : x->clocks.deadline_ms;
    r->seat = (struct record_seat){ .id = slice_of(x->id, LEDGER_ID_SIZE - 1),
                                    .team = x->asked.team_name,
                                    .is_fresh = exchange_is_fresh(x),
                                    .hold = on_record_hold,
                                    .told = on_record_told,
                                    .context = x };
    x->n_under_way++;
    uint32_t need = (uint32_t)x->asked.plan.parts[request->ask - ASK_PARTS].fields;
    if (record_desk_join(x->asked.account->desk, &r->seat, &r->key, need, &manner))
        return true;
    x->n_under_way--;
    return false;
}

/* What is owed for it is a guess then. */
static void leave_record_seat(struct exchange *x)
{
    if (!x->fetch->record.seat.ask)
        return;
    int64_t owed = record_desk_leave(x->asked.account->desk, &x->fetch->record.seat);
    if (owed)
        spend_share(x, -1, owed);
    x->fetch->has_asked |= owed > 0;
    x->n_under_way--;
}

/* Until its turn has come, or something else was sent for the call, it waits no longer than others do. */
static enum onward await_record(struct exchange *x)
{
    return exchange_sleep(x, x->has_sent ? x->clocks.deadline_ms : x->fetch->record.until_ms);
}

static enum onward record_is_late(struct exchange *x)
{
    bool is_over = clock_monotonic_ms() >= x->clocks.deadline_ms;
    if (!is_over && x->has_sent)
        return await_record(x);
    leave_record_seat(x);
    x->retry_after_ms = is_over ? 0 : upstream_wait_ms(x->asked.account->upstream);
    if (x->has_sent)
        exchange_refuse(x, FAULT_UPSTREAM_LATE, S("API v3 gave no answer for the target within call_timeout"));
    else
        exchange_refuse(x, FAULT_TOO_BUSY, S("other requests wait for those that API v3 takes in a minute"));
    return x->n_under_way ? WAIT : REFUSE;
}

/* ---- sending ---- */

static size_t most_bytes(const struct v3_request *r)
{
    if (!r->has_rows)
        return MAX_SMALL_BODY;
    int64_t rows = r->rows < MAX_LIST_BODY / MAX_ROW_BODY ? r->rows : MAX_LIST_BODY / MAX_ROW_BODY;
    return (size_t)MAX_SMALL_BODY * 16 + (size_t)rows * MAX_ROW_BODY;
}

static bool start(struct exchange *x, struct get *g, const struct v3_request *r)
{
    static const struct upstream_callbacks callbacks = { on_sent, on_bytes, on_done, NULL };
    *g = (struct get){ .exchange = x, .request = *r };
    g->get = upstream_start(x->asked.account->upstream, r->path, x->asked.team_name, most_bytes(r),
                            x->clocks.deadline_ms, &callbacks, g);
    if (!g->get)
        return false;
    if (plan_is_free(&x->asked.plan))
        upstream_is_free(g->get);
    if (x->has_sent)
        upstream_is_begun(g->get);
    x->n_under_way++;
    return true;
}

void fetch_cancel(struct exchange *x)
{
    if (x->fetch)
        leave_record_seat(x);
    for (int i = 0; x->fetch && i < ASK_COUNT; i++) {
        struct get *g = &x->fetch->gets[i];
        struct spending *s = &x->fetch->spending;
        if (!g->get)
            continue;
        if (upstream_cancel(g->get)) {
            s->predicted += g->request.units;
            s->unknown += g->request.units;
            s->any_unknown = s->any = true;
        }
        g->get = NULL;
        x->n_under_way--;
    }
}

static enum onward send_round(struct exchange *x)
{
    const struct requests *q = &x->requests;
    int n = q->n;
    x->requests.n = 0; /* when they have all ended, the step is entered again */
    for (int i = 0; i < n; i++) {
        bool is_record = exchange_asks_record(x, q->list[i].ask);
        x->fetch->has_asked |= !is_record;
        if (!(is_record ? take_record_seat(x, &q->list[i]) : start(x, &x->fetch->gets[i], &q->list[i]))) {
            fetch_cancel(x);
            return exchange_refuse_memory(x);
        }
    }
    if (!x->fetch->record.seat.ask || await_record(x) == WAIT)
        return WAIT;
    fetch_cancel(x);
    return REFUSE;
}

/* ---- what other calls ask ---- */

void fetch_hurry(struct exchange *x, enum flight_kind kind, struct slice team)
{
    enum plan_ask wanted = kind == FLIGHT_PAGES ? ASK_LIST : (enum plan_ask)kind;
    for (int i = 0; x->fetch && i < ASK_COUNT; i++) {
        const struct get *g = &x->fetch->gets[i];
        if (g->get && (kind == FLIGHT_CALL || g->request.ask == wanted))
            upstream_join(g->get, team);
    }
}

/* Each call that waits has its own deadline. */
static enum onward await(struct exchange *x)
{
    flight_hurry(&x->seats, x->asked.team_name);
    return exchange_sleep(x, x->clocks.deadline_ms);
}

static void copy_given(void *context)
{
    outcome_copy_given(context);
}

/* Another call's answer becomes this one's, as soon as there is memory for a copy. */
static enum onward take_given(struct exchange *x)
{
    const struct flight_answer *a = &flight_given(&x->seats)->answer;
    if (x->client_gone)
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before it had the answer"));
    if (a->rows > hold_rows(x))
        return ANEW; /* as many of its rows as the limit leaves come from its pages */
    if (x->fetch->has_copy)
        return outcome_from_flight(x) ? ONWARD : exchange_refuse_memory(x);
    if (!budget_take(exchange_budget(x), a->body.n)) {
        int64_t again_ms = clock_monotonic_ms() + MEMORY_AGAIN_MS;
        if (again_ms < x->clocks.deadline_ms)
            return exchange_sleep(x, again_ms);
        return exchange_refuse_spent(x);
    }
    x->counted += a->body.n;
    x->fetch->has_copy = true;
    if (a->body.n > WORKER_BYTES)
        return exchange_on_worker(x, copy_given);
    copy_given(x);
    return outcome_from_flight(x) ? ONWARD : exchange_refuse_memory(x);
}

/* ---- the step ---- */

enum onward fetch_enter(struct exchange *x)
{
    if (!x->fetch)
        x->fetch = exchange_part(x, struct fetch);
    if (!x->fetch)
        return exchange_refuse_call_memory(x);
    if (x->n_under_way || x->is_at_work)
        return WAIT;
    if (x->refusal.fault)
        return REFUSE;
    if (x->outcome.cached)
        return ONWARD;
    if (x->requests.n)
        return send_round(x);
    if (x->seats.n_awaited)
        return await(x);
    if (x->seats.given)
        return take_given(x);
    if (!x->translation)
        return ANEW;
    return translation_is_whole(x->translation) ? ONWARD : AGAIN;
}

enum onward fetch_late(struct exchange *x)
{
    if (x->fetch->record.seat.ask)
        return record_is_late(x);
    if (x->n_under_way)
        return WAIT;
    if (x->seats.given)
        return fetch_enter(x); /* there may be memory now */
    return exchange_refuse(x, FAULT_UPSTREAM_LATE,
                           S("the request that this call had joined did not end within call_timeout"));
}

enum onward fetch_gone(struct exchange *x)
{
    if (x->has_sent || !(x->n_under_way || x->seats.n_awaited))
        return WAIT;
    fetch_cancel(x);
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before anything was sent to API v3"));
}
