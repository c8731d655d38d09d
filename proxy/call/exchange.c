/* SPDX-License-Identifier: MIT
 * The driver: leads a call through the rows of a table that it gets by pointer. It never names a step. */
#include "proxy/call/exchange.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/service/teams.h"

/* ---- memory ---- */

bool exchange_count(struct exchange *x)
{
    struct budget *b = exchange_budget(x);
    if (x->is_at_work)
        return true;
    size_t n = sizeof *x + arena_used(x->memory) + x->outcome.body.room +
               (x->translation ? translation_bytes(x->translation) : 0);
    if (n > x->counted)
        budget_add(b, n - x->counted);
    else
        budget_give(b, x->counted - n);
    x->counted = n;
    return !budget_is_spent(b);
}

struct exchange *exchange_new(struct service *s, struct http_call *http)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct arena *memory = arena_new(CALL_MEMORY);
    if (!x || !memory) {
        arena_free(memory);
        free(x);
        return NULL;
    }
    x->service = s;
    x->settings = settings_hold(s->settings);
    x->memory = memory;
    x->http = http;
    x->clocks.began_us = x->clocks.entered_us = clock_monotonic_us();
    x->clocks.deadline_ms = x->clocks.began_us / 1000 + exchange_config(x)->call_timeout_ms;
    ledger_new_id(x->id);
    link_before(&s->running, &x->link);
    s->counters.running++;
    return x;
}

void exchange_free(struct exchange *x)
{
    assert(!x->ticket.has_turn && !x->n_under_way && !x->seats.n_awaited && !x->seats.given);
    if (x->driving.alarm)
        event_free(x->driving.alarm);
    translation_free(x->translation);
    buffer_clear(&x->outcome.body);
    budget_give(exchange_budget(x), x->counted);
    if (x->ticket.queue)
        teams_call_ends(x->service, x->ticket.queue);
    arena_free(x->memory);
    settings_put(x->settings);
    free(x);
}

/* ---- refusals ---- */

enum onward exchange_refuse(struct exchange *x, enum fault fault, struct slice why)
{
    if (!x->refusal.fault) {
        x->refusal = (struct refusal){ fault, why };
        x->driving.refused_in = x->driving.step;
    }
    return REFUSE;
}

enum onward exchange_refuse_memory(struct exchange *x)
{
    return exchange_refuse(x, FAULT_TOO_BUSY, S("memory is out; try again later"));
}

enum onward exchange_refuse_call_memory(struct exchange *x)
{
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
}

enum onward exchange_refuse_spent(struct exchange *x)
{
    return exchange_refuse(x, FAULT_TOO_BUSY,
                           budget_is_over_share(exchange_budget(x))
                               ? S("the team's calls under way hold its share of the memory that calls may have")
                               : S("the calls under way hold all the memory that calls may have"));
}

/* ---- from step to step ---- */

static const struct step *step_of(const struct exchange *x)
{
    return &x->driving.steps[x->driving.step];
}

bool exchange_asks_record(const struct exchange *x, enum plan_ask ask)
{
    const struct table *t = x->asked.call.table;
    return ask >= ASK_PARTS && (size_t)(ask - ASK_PARTS) < t->n_parts &&
           t->parts[ask - ASK_PARTS].report->shape == REPORT_RECORD;
}

struct record_key exchange_record_key(const struct exchange *x)
{
    const struct target *target = &x->asked.call.target;
    return (struct record_key){ .host = target->host,
                                .v3 = target->v3,
                                .mode = target->v3_mode,
                                .country = x->asked.plan.country,
                                .is_free = plan_is_free(&x->asked.plan) };
}

void exchange_keep_part(struct exchange *x, enum plan_ask ask, struct slice bytes)
{
    const struct part *part = plan_part_of(&x->asked.plan, ask);
    int64_t kept_ms = part->kept_ms ? part->kept_ms : exchange_config(x)->stats_ttl_ms;
    if (kept_ms)
        cache_keep_part(x->asked.account->cache, part, &x->asked.call.target, clock_monotonic_ms() + kept_ms, bytes);
}

struct slice exchange_step_name(const struct exchange *x, int step)
{
    return step > 0 ? slice_str(x->driving.steps[step].name) : S("");
}

/* The time since the last room was entered is that one's. */
static void enter_room(struct exchange *x, enum room from, enum room to)
{
    if (from == to)
        return;
    int64_t now_us = clock_monotonic_us();
    x->clocks.room_us[from] += now_us - x->clocks.entered_us;
    x->clocks.entered_us = now_us;
}

/* False: the call is over. */
static bool move(struct exchange *x, enum onward how)
{
    const struct step *from = step_of(x);
    int next = from->to[how];
    assert(next); /* the table says where each way leads */
    assert(!x->n_under_way && !x->is_at_work);
    assert(!x->ticket.waits);
    if (x->driving.alarm)
        event_del(x->driving.alarm);
    x->driving.is_woken = false;
    x->driving.step = next;
    if (next == STEP_END)
        return false;
    enter_room(x, from->room, step_of(x)->room);
    return true;
}

static void finish(struct exchange *x)
{
    link_out(&x->link);
    link_before(&x->service->finished, &x->link);
    x->service->counters.running--;
    service_wake_bottom(x->service);
}

static void go_on(struct exchange *x, enum onward how)
{
    struct driving *d = &x->driving;
    for (;; how = step_of(x)->enter(x)) {
        if (how != WAIT) {
            if (move(x, how))
                continue;
            finish(x);
            return;
        }
        if (!d->is_woken)
            break;
        d->is_woken = false;
    }
    d->is_running = false;
    (void)exchange_count(x);
}

static void run(struct exchange *x, enum onward (*function)(struct exchange *x))
{
    assert(x->driving.step != STEP_END && !x->driving.is_running);
    x->driving.is_running = true;
    go_on(x, function(x));
}

void exchange_start(struct exchange *x, const struct step *steps, int step)
{
    x->driving.steps = steps;
    x->driving.step = step;
    run(x, step_of(x)->enter);
}

void exchange_wake(struct exchange *x)
{
    if (x->driving.is_running)
        x->driving.is_woken = true;
    else
        run(x, step_of(x)->enter);
}

void exchange_on_gone(void *context)
{
    struct exchange *x = context;
    x->client_gone = true;
    if (!x->driving.is_running && step_of(x)->gone)
        run(x, step_of(x)->gone);
}

static void on_alarm(evutil_socket_t fd, short what, void *context)
{
    struct exchange *x = context;
    (void)fd;
    (void)what;
    assert(step_of(x)->late); /* only a step that minds it sets the alarm */
    run(x, step_of(x)->late);
}

enum onward exchange_sleep(struct exchange *x, int64_t until_ms)
{
    int64_t now_ms = clock_monotonic_ms(), ms = until_ms > now_ms ? until_ms - now_ms : 0;
    const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    struct event **alarm = &x->driving.alarm;
    if (!*alarm)
        *alarm = event_new(x->service->base, -1, 0, on_alarm, x);
    return *alarm && event_add(*alarm, &tv) == 0 ? WAIT : exchange_refuse_memory(x);
}

static void on_worked(void *context)
{
    struct exchange *x = context;
    x->is_at_work = false;
    (void)exchange_count(x);
    exchange_wake(x);
}

enum onward exchange_on_worker(struct exchange *x, void (*work)(void *exchange))
{
    x->is_at_work = true;
    x->driving.work = (struct worker_item){ .run = work, .done = on_worked, .context = x };
    worker_start(x->service->worker, &x->driving.work);
    return WAIT;
}

/* ---- the books ---- */

struct ledger_call exchange_ledger_call(const struct exchange *x)
{
    const struct asked *a = &x->asked;
    return (struct ledger_call){
        .id = slice_of(x->id, LEDGER_ID_SIZE - 1),
        .team = a->team_name,
        .key = a->key,
        .client = a->client,
        .table = a->call.table->from,
        .target = a->shown_target,
        .shape = a->shape,
        .where = a->call.where.n > 0,
        .having = a->call.having.n > 0,
        .free_of_rows = a->plan.free_of_rows,
    };
}
