/* SPDX-License-Identifier: MIT
 * The numbers of /metrics come from here. */
#include "proxy/daemon/admin_metrics.h"
#include "proxy/account/record_desk.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/text.h"

static void gather_counters(const struct counters *c, struct metrics *m)
{
    static const struct slice rooms[ROOMS_TIMED] = {
        [ROOM_READ] = SLICE("read"),   [ROOM_PLAN] = SLICE("plan"),     [ROOM_ADMIT] = SLICE("admit"),
        [ROOM_FETCH] = SLICE("fetch"), [ROOM_RENDER] = SLICE("render"), [ROOM_SETTLE] = SLICE("settle"),
    };
    metric_add(m, METRIC_CALLS, (int64_t)c->calls);
    for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
        metric_add_labelled(m, METRIC_ANSWERS, f ? fault_word(f) : S("none"), (int64_t)c->faults[f]);
    metric_add_histogram(m, METRIC_CALL_DURATION, &c->calls_took);
    for (int i = 0; i < ROOMS_TIMED; i++)
        metric_add_seconds_labelled(m, METRIC_ROOM_SECONDS, rooms[i], (int64_t)c->room_us[i]);
    metric_add(m, METRIC_APPROXIMATE, (int64_t)c->approximate);
    metric_add_labelled(m, METRIC_SOURCES, S("hit"), (int64_t)c->hits);
    metric_add_labelled(m, METRIC_SOURCES, S("shared"), (int64_t)c->shared);
    metric_add_labelled(m, METRIC_SOURCES, S("miss"), (int64_t)c->misses);
    metric_add(m, METRIC_ROWS, (int64_t)c->rows);
    metric_add(m, METRIC_UNITS, (int64_t)c->units);
    metric_add(m, METRIC_UNITS_PREDICTED, (int64_t)c->units_predicted);
    metric_add(m, METRIC_UNITS_SAVED, (int64_t)c->units_saved);
}

static void gather_calls(const struct service *s, struct metrics *m)
{
    int64_t all = s->counters.running, for_turn = 0, for_room = s->waitlist.n;
    for (const struct team_queue *t = s->all_queues; t; t = t->next)
        for_turn += t->n_waiting;
    metric_add(m, METRIC_CALLS_RUNNING, all - for_turn - for_room);
    metric_add_labelled(m, METRIC_CALLS_WAITING, S("turn"), for_turn);
    metric_add_labelled(m, METRIC_CALLS_WAITING, S("room"), for_room);
}

/* ---- API v3: counters are of all keys together, gauges have a sample for each key ---- */

struct key_numbers {
    int64_t waiting, in_flight, breaker, out_of_units, tokens, slow, paused_us;
    int64_t entries, bytes, max_bytes;
};

static struct key_numbers numbers_of(const struct upstream_stats *u, struct cache_stats c)
{
    return (struct key_numbers){
        .waiting = (int64_t)u->waiting,
        .in_flight = (int64_t)u->in_flight,
        .breaker = u->breaker_is_shut,
        .out_of_units = u->units_are_out,
        .tokens = u->rate_tokens,
        .slow = u->slow,
        .paused_us = u->paused_ms * 1000,
        .entries = (int64_t)c.entries,
        .bytes = (int64_t)c.bytes,
        .max_bytes = (int64_t)c.max_bytes,
    };
}

static void add_key(struct upstream_stats *sum, const struct upstream_stats *one)
{
    sum->retries += one->retries;
    for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
        sum->ended[f] += one->ended[f];
    histogram_merge(&sum->attempts, &one->attempts);
    histogram_merge(&sum->waits, &one->waits);
}

static void gather_keys(const struct slice *names, const struct key_numbers *keys, size_t n, struct metrics *m)
{
    static const struct {
        enum metric metric;
        size_t at;
        bool is_time;
    } of_key[] = {
        { METRIC_V3_WAITING, offsetof(struct key_numbers, waiting), false },
        { METRIC_V3_IN_FLIGHT, offsetof(struct key_numbers, in_flight), false },
        { METRIC_V3_BREAKER, offsetof(struct key_numbers, breaker), false },
        { METRIC_V3_OUT_OF_UNITS, offsetof(struct key_numbers, out_of_units), false },
        { METRIC_V3_RATE_TOKENS, offsetof(struct key_numbers, tokens), false },
        { METRIC_V3_RATE_SLOW, offsetof(struct key_numbers, slow), false },
        { METRIC_V3_RATE_PAUSED, offsetof(struct key_numbers, paused_us), true },
        { METRIC_CACHE_ENTRIES, offsetof(struct key_numbers, entries), false },
        { METRIC_CACHE_BYTES, offsetof(struct key_numbers, bytes), false },
        { METRIC_CACHE_MAX_BYTES, offsetof(struct key_numbers, max_bytes), false },
    };
    for (size_t k = 0; k < sizeof of_key / sizeof of_key[0]; k++) {
        for (size_t i = 0; i < n; i++) {
            int64_t value;
            memcpy(&value, (const char *)&keys[i] + of_key[k].at, sizeof value);
            (of_key[k].is_time ? metric_add_seconds_labelled : metric_add_labelled)(m, of_key[k].metric, names[i],
                                                                                    value);
        }
    }
}

static void gather_upstream(const struct service *s, struct metrics *m)
{
    size_t n = s->accounts.n;
    uint64_t posts = 0;
    struct key_numbers *keys = calloc(n, sizeof *keys);
    struct slice *names = calloc(n, sizeof *names);
    struct upstream_stats sum = { .attempts.scale = &histogram_waits, .waits.scale = &histogram_waits };
    for (size_t i = 0; keys && names && i < n; i++) {
        const struct account *a = &s->accounts.list[i];
        struct upstream_stats one;
        upstream_stats(a->upstream, &one);
        posts += record_desk_sent(a->desk);
        names[i] = slice_str(a->label);
        keys[i] = numbers_of(&one, cache_stats(a->cache));
        add_key(&sum, &one);
    }
    metric_add(m, METRIC_V3_REQUESTS, (int64_t)(s->counters.v3_requests + posts));
    metric_add(m, METRIC_V3_RETRIES, (int64_t)sum.retries);
    for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
        if (sum.ended[f] || f == FAULT_NONE || slice_starts(fault_word(f), S("upstream_")))
            metric_add_labelled(m, METRIC_V3_RESULTS, f ? fault_word(f) : S("none"), (int64_t)sum.ended[f]);
    metric_add_histogram(m, METRIC_V3_DURATION, &sum.attempts);
    metric_add_histogram(m, METRIC_V3_WAIT, &sum.waits);
    if (keys && names)
        gather_keys(names, keys, n, m);
    free(keys);
    free(names);
}

/* ---- what v3 says of each key ---- */

/* A number that is not shown. */
static const int64_t not_known = INT64_MIN;

struct account_numbers {
    int64_t days, left, used, counted, booked, drift, age, odd_prices, charges_free;
};

static struct account_numbers account_numbers_of(const struct account *a)
{
    const struct subscription *s = &a->subscription;
    const struct drift *d = &a->drift;
    int64_t left = subscription_units_left(s);
    return (struct account_numbers){
        .days = s->expires_s < 0 ? not_known : subscription_days_left(s, clock_wall_ms() / 1000),
        .left = left < 0 ? not_known : left,
        .used = s->key_used < 0 ? not_known : s->key_used,
        .counted = d->has_base ? d->counted : not_known,
        .booked = d->has_base ? d->booked : not_known,
        .drift = d->has_base ? drift_difference(d) : not_known,
        .age = a->looked_ms ? (clock_monotonic_ms() - a->looked_ms) / 1000 : not_known,
        .odd_prices = a->odd_prices,
        .charges_free = a->charges_free,
    };
}

static void gather_accounts(const struct service *s, struct metrics *m)
{
    static const struct {
        enum metric metric;
        size_t at;
    } of_account[] = {
        { METRIC_V3_KEY_DAYS, offsetof(struct account_numbers, days) },
        { METRIC_V3_UNITS_LEFT, offsetof(struct account_numbers, left) },
        { METRIC_V3_UNITS_USED, offsetof(struct account_numbers, used) },
        { METRIC_V3_UNITS_COUNTED, offsetof(struct account_numbers, counted) },
        { METRIC_V3_UNITS_BOOKED, offsetof(struct account_numbers, booked) },
        { METRIC_V3_UNITS_DRIFT, offsetof(struct account_numbers, drift) },
        { METRIC_V3_LOOK_AGE, offsetof(struct account_numbers, age) },
        { METRIC_V3_ODD_PRICES, offsetof(struct account_numbers, odd_prices) },
        { METRIC_V3_CHARGES_FREE, offsetof(struct account_numbers, charges_free) },
    };
    for (size_t k = 0; k < sizeof of_account / sizeof of_account[0]; k++) {
        for (size_t i = 0; i < s->accounts.n; i++) {
            struct account_numbers numbers = account_numbers_of(&s->accounts.list[i]);
            int64_t value;
            memcpy(&value, (const char *)&numbers + of_account[k].at, sizeof value);
            if (value != not_known)
                metric_add_labelled(m, of_account[k].metric, slice_str(s->accounts.list[i].label), value);
        }
    }
}

/* ---- the books and the loop ---- */

static void gather_machine(const struct service *s, struct metrics *m)
{
    struct ledger_stats l;
    int64_t now_us = clock_monotonic_us();
    ledger_stats(s->ledger, &l);
    metric_add_histogram(m, METRIC_COMMIT, &l.commits);
    metric_add_seconds(m, METRIC_COMMIT_LONGEST, histogram_longest_us(&l.commits, now_us));
    metric_add(m, METRIC_COMMIT_FAILURES, (int64_t)l.failures);
    metric_add(m, METRIC_LEDGER_ENTRIES, (int64_t)l.entries);
    metric_add(m, METRIC_LEDGER_WAITING, (int64_t)l.waiting);
    metric_add_histogram(m, METRIC_LOOP_LATE, &s->loop_lag.late);
    metric_add_seconds(m, METRIC_LOOP_LATE_LONGEST, histogram_longest_us(&s->loop_lag.late, now_us));
    metric_add(m, METRIC_LOG_LOST, (int64_t)s->log.lost);
}

/* The numbers of a team, asked for once. */
struct team_numbers {
    struct ledger_left left;
    struct ledger_totals all;
    int64_t running;
};

static void gather_teams(const struct service *s, struct metrics *m)
{
    static const struct {
        enum metric metric;
        size_t at;
    } of_team[] = {
        { METRIC_TEAM_CALLS_TOTAL, offsetof(struct team_numbers, all.calls) },
        { METRIC_TEAM_FAULTS_TOTAL, offsetof(struct team_numbers, all.faults) },
        { METRIC_TEAM_ROWS_TOTAL, offsetof(struct team_numbers, all.rows) },
        { METRIC_TEAM_UNITS_TOTAL, offsetof(struct team_numbers, all.units) },
        { METRIC_TEAM_ROWS, offsetof(struct team_numbers, left.rows_used) },
        { METRIC_TEAM_ROWS_LIMIT, offsetof(struct team_numbers, left.rows_limit) },
        { METRIC_TEAM_ROWS_LEFT, offsetof(struct team_numbers, left.rows_left) },
        { METRIC_TEAM_UNITS, offsetof(struct team_numbers, left.units_used) },
        { METRIC_TEAM_UNITS_LIMIT, offsetof(struct team_numbers, left.units_limit) },
        { METRIC_TEAM_UNITS_LEFT, offsetof(struct team_numbers, left.units_left) },
        { METRIC_TEAM_RUNNING, offsetof(struct team_numbers, running) },
    };
    size_t n = s->config->n_teams;
    struct team_numbers *numbers = n ? calloc(n, sizeof *numbers) : NULL;
    if (!numbers)
        return;
    for (size_t i = 0; i < n; i++) {
        struct slice team = slice_str(s->config->teams[i].name);
        numbers[i].left = ledger_left(s->ledger, team);
        numbers[i].all = ledger_totals(s->ledger, team);
        numbers[i].running = s->queues[i]->running;
    }
    for (size_t k = 0; k < sizeof of_team / sizeof of_team[0]; k++) {
        for (size_t i = 0; i < n; i++) {
            int64_t value;
            memcpy(&value, (const char *)&numbers[i] + of_team[k].at, sizeof value);
            if (value != LEDGER_NO_LIMIT)
                metric_add_labelled(m, of_team[k].metric, slice_str(s->config->teams[i].name), value);
        }
    }
    free(numbers);
}

void admin_metrics_gather(const struct service *s, struct metrics *m)
{
    int64_t units_left = ledger_left(s->ledger, S("")).whole_units_left;
    gather_counters(&s->counters, m);
    gather_calls(s, m);
    gather_upstream(s, m);
    gather_accounts(s, m);
    gather_machine(s, m);
    if (units_left != LEDGER_NO_LIMIT)
        metric_add(m, METRIC_UNITS_LEFT, units_left);
    gather_teams(s, m);
}

/* ---- the page ---- */

static void put_known(struct buffer *b, const char *before, int64_t n)
{
    buffer_str(b, before);
    if (n == not_known)
        buffer_str(b, "null");
    else
        buffer_i64(b, n);
}

static void put_moment(struct buffer *b, const char *before, int64_t ms)
{
    char text[25];
    timestamp_format_ms(ms, text);
    buffer_printf(b, "%s\"%s\"", before, text);
}

static void write_key(const struct service *s, const struct account *a, struct buffer *b)
{
    struct account_numbers n = account_numbers_of(a);
    struct upstream_stats u;
    upstream_stats(a->upstream, &u);
    buffer_str(b, "{\"key\":\"");
    buffer_json_any(b, slice_str(a->label));
    buffer_str(b, a->subscription.plan[0] ? "\",\"plan\":\"" : "\",\"plan\":null");
    if (a->subscription.plan[0]) {
        buffer_json_any(b, slice_str(a->subscription.plan));
        buffer_put(b, '"');
    }
    if (a->subscription.expires_s < 0)
        buffer_str(b, ",\"ends\":null");
    else
        put_moment(b, ",\"ends\":", a->subscription.expires_s * 1000);
    put_known(b, ",\"days_left\":", n.days);
    put_known(b, ",\"units_left\":", n.left);
    if (a->looked_ms)
        put_moment(b, ",\"looked\":", clock_wall_ms() - (clock_monotonic_ms() - a->looked_ms));
    else
        buffer_str(b, ",\"looked\":null");
    put_known(b, ",\"drift\":", n.drift);
    /* Nothing counts the requests of the last minute: the rate knows tokens alone. */
    buffer_printf(b,
                  ",\"requests_last_minute\":null,\"requests_per_minute\":%lld,\"waiting\":%zu,\"breaker_open\":%s,"
                  "\"out_of_units\":%s,\"rate_divisor\":%lld}",
                  (long long)s->config->requests_per_minute, u.waiting, u.breaker_is_shut ? "true" : "false",
                  u.units_are_out ? "true" : "false", (long long)u.slow);
}

void admin_health_write(const struct service *s, struct buffer *b)
{
    struct ledger_stats l;
    int64_t waiting = 0;
    ledger_stats(s->ledger, &l);
    for (size_t i = 0; i < s->config->n_teams; i++)
        waiting += s->queues[i]->n_waiting;
    buffer_printf(b,
                  "\"calls_running\":%lld,\"calls_waiting\":%lld,\"ledger_commit_ms_longest\":%lld,\"doctor\":null,"
                  "\"keys\":[",
                  (long long)s->counters.running, (long long)waiting,
                  (long long)(histogram_longest_us(&l.commits, clock_monotonic_us()) / 1000));
    for (size_t i = 0; i < s->accounts.n; i++) {
        if (i)
            buffer_put(b, ',');
        write_key(s, &s->accounts.list[i], b);
    }
    buffer_put(b, ']');
}
