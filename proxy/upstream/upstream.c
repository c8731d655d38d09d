/* SPDX-License-Identifier: MIT
 * The face of the room: moves requests from stage to stage (get.h has the map), ends each one once.
 *
 * Everything happens in two places: a turn of the multi (things arrived, or were asked for) and the clock (a time
 * was reached). Both end in dispatch(). Callbacks to the outside are made from these two only. */
#include "proxy/upstream/upstream.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "proxy/upstream/get.h"
#include "proxy/upstream/leak.h"
#include "proxy/upstream/multi.h"

enum {
    DEFAULT_MAX_QUEUE = 10000,
    MAX_IN_FLIGHT = 1000,
    MAX_ATTEMPTS = 4,
    CONNECT_MS = 10000,
    REST_MS = 100,
    /* Retries: one for ten requests, saved up to a hundred; ten to begin with. */
    RETRY_TENTHS = 10,
    FIRST_TENTHS = 100,
    MOST_TENTHS = 1000,
    UNITS_SHUT_MS = 30000,
    LONG_TARGET_BYTES = 4096, /* what stands between us and v3 may take offence at more */
    WELL_MS = 30000,
};

static void note_time(struct upstream *u)
{
    u->now_us = clock_monotonic_us();
    u->now_ms = u->now_us / 1000;
}

static uint32_t next_random(struct upstream *u)
{
    uint32_t x = u->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return u->random = x;
}

/* Have the clock ring at `at_ms` or before. */
static void ring_by(struct upstream *u, int64_t at_ms)
{
    if (at_ms >= u->clock_ms) {
        return;
    }
    u->clock_ms = at_ms;
    int64_t wait_ms = at_ms > u->now_ms ? at_ms - u->now_ms : 0;
    struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
    if (evtimer_add(u->clock, &wait)) {
        event_active(u->clock, EV_TIMEOUT, 0); /* too early, rather than never */
    }
}

static void set_due(struct upstream_get *g, int64_t due_ms)
{
    struct upstream *u = g->upstream;
    g->due_ms = due_ms < g->deadline_ms ? due_ms : g->deadline_ms;
    if (g->due_ms < u->earliest_ms) {
        u->earliest_ms = g->due_ms;
        ring_by(u, u->earliest_ms);
    }
}

/* Take it out of whatever holds it. */
static void leave_stage(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    link_out(&g->line);
    queue_remove(&u->queue, &g->place);
    if (g->is_probe) {
        gate_unprobed(&u->breaker.gate);
    }
    if (g->is_units_probe) {
        gate_unprobed(&u->units);
    }
    g->is_probe = g->is_units_probe = false;
    if (g->wire) {
        u->in_flight--;
        wire_put(g->wire);
        g->wire = NULL;
    }
}

static void end(struct upstream_get *g, struct upstream_result *result)
{
    leave_stage(g);
    link_out(&g->all);
    result->total_ms = g->upstream->now_ms - g->started_ms;
    g->upstream->stats.ended[result->fault]++;
    g->callbacks.on_done(g->context, result);
    get_free(g);
}

/* End what never went out, or what waits to go out again: then its last answer counts. */
static void end_unsent(struct upstream_get *g, enum fault fault, const char *why, int64_t retry_after_ms)
{
    struct upstream_result result = { .fault = fault,
                                      .why = slice_str(why),
                                      .units = -1,
                                      .units_nominal = -1,
                                      .rows = -1,
                                      .retry_after_ms = retry_after_ms };
    if (g->attempts > 0) {
        result = g->last;
        result.why = slice_str(g->last_why);
        result.retry_after_ms = retry_after_ms > result.retry_after_ms ? retry_after_ms : result.retry_after_ms;
    }
    end(g, &result);
}

/* When one more request could go out, behind those that wait. */
static int64_t honest_wait_ms(const struct upstream *u)
{
    return rate_wait_us(&u->rate, (int64_t)u->queue.length + 1, u->now_us) / 1000 + 1;
}

static void end_too_busy(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    char why[160];
    size_t own = queue_length_of(&u->queue, g->team);
    if (u->rate.paused_until_us > u->now_us)
        snprintf(why, sizeof(why), "API v3 asked to wait %lld seconds more",
                 (long long)((u->rate.paused_until_us - u->now_us + 999999) / 1000000));
    else
        snprintf(why, sizeof(why), "%zu requests wait for the %lld a minute that API v3 takes, %zu of them the team's",
                 u->queue.length, (long long)u->requests_per_minute, own);
    end_unsent(g, FAULT_TOO_BUSY, why, honest_wait_ms(u));
}

/* A retry goes to the head of its lane: it has waited already. */
static void wait_in_queue(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    bool again = g->attempts > 0 || g->body.p, insists = again || g->is_begun;
    bool in_vain = u->rate.paused_until_us > u->now_us + u->queue_timeout_ms * 1000;
    if ((!insists && (in_vain || !queue_has_place(&u->queue, g->team, u->max_queue))) ||
        !queue_push(&u->queue, &g->place, g->team, again)) {
        end_too_busy(g);
        return;
    }
    g->stage = WAITING;
    set_due(g, g->is_begun ? g->deadline_ms : u->now_ms + u->queue_timeout_ms);
}

static bool rest(struct upstream_get *g, const struct attempt *a)
{
    struct upstream *u = g->upstream;
    int64_t pause = (REST_MS << g->attempts) + next_random(u) % REST_MS;
    if (a->result.status == 429 || a->result.retry_after_ms > pause) {
        pause = a->result.retry_after_ms;
    }
    if (!a->verdict.may_retry || !gate_lets(&u->breaker.gate, u->now_ms) || g->attempts >= MAX_ATTEMPTS ||
        u->retry_tenths < RETRY_TENTHS || u->now_ms + pause >= g->deadline_ms ||
        (a->result.status == 429 && pause > u->queue_timeout_ms)) {
        return false;
    }
    char *why = strndup(a->result.why.p, a->result.why.n);
    if (!why) {
        return false;
    }
    u->retry_tenths -= RETRY_TENTHS;
    u->stats.retries++;
    leave_stage(g);
    free(g->last_why);
    g->last_why = why;
    g->last = a->result;
    if (a->result.status == 429) {
        wait_in_queue(g); /* the rate pauses for all */
        return true;
    }
    g->stage = RESTING;
    link_before(&u->resting, &g->line);
    set_due(g, u->now_ms + pause);
    return true;
}

/* v3 answers the others: that it hung up on one long request is that request's own matter, and must not shut the gate
 * for all. Once it has failed a short one, or has not answered for a while, long ones tell of it like all others. */
static bool is_own_matter(const struct upstream_get *g, const struct attempt *a)
{
    const struct upstream *u = g->upstream;
    return a->was_cut_off && !g->is_probe && g->target_bytes > LONG_TARGET_BYTES && u->now_ms < u->well_until_ms;
}

/* For the gate that counts failures. */
static void learn_health(struct upstream_get *g, const struct attempt *a)
{
    struct upstream *u = g->upstream;
    bool tells = a->result.status != 0 ? a->result.status != 429 : a->verdict.is_down;
    if (!tells || is_own_matter(g, a)) {
        return;
    }
    u->well_until_ms = a->verdict.is_down ? 0 : u->now_ms + WELL_MS;
    breaker_note(&u->breaker, a->verdict.is_down, g->is_probe, u->now_ms);
    g->is_probe = false;
}

/* What an attempt tells about v3 as a whole. */
static void learn(struct upstream_get *g, struct attempt *a)
{
    struct upstream *u = g->upstream;
    struct upstream_result *r = &a->result;
    histogram_add(&u->stats.attempts, u->now_us - g->attempt_us, u->now_us);
    if (r->status == 429) {
        int64_t asked = g->wire->reply.retry_after_ms;
        r->retry_after_ms = rate_refused(&u->rate, asked, next_random(u), u->now_us);
    } else if (r->status != 0) {
        rate_answered(&u->rate);
    }
    if (r->fault == FAULT_UPSTREAM_OUT_OF_UNITS) {
        gate_shut(&u->units, u->now_ms);
        g->is_units_probe = false;
        r->retry_after_ms = gate_wait_ms(&u->units, u->now_ms);
        if (u->on_out_of_units) {
            u->on_out_of_units(u->context);
        }
    } else if (g->is_units_probe && r->fault == FAULT_NONE) {
        gate_open(&u->units);
        g->is_units_probe = false;
    }
    learn_health(g, a);
    if (r->fault == FAULT_UPSTREAM_DOWN && r->retry_after_ms == 0) {
        r->retry_after_ms = gate_wait_ms(&u->breaker.gate, u->now_ms);
    }
}

static void attempt_ended(struct upstream_get *g, struct attempt *a)
{
    learn(g, a);
    if (!rest(g, a)) {
        end(g, &a->result);
    }
}

/* Nobody waits for it any more. */
static void drop(struct upstream *u, struct wire *w)
{
    link_out(&w->link);
    wire_put(w);
    u->in_flight--;
}

static void drop_all(struct upstream *u)
{
    while (!link_is_alone(&u->dropping)) {
        struct wire *w = LINKED(u->dropping.next, struct wire, link);
        multi_remove(u->multi, w->easy);
        drop(u, w);
    }
}

static void finished(void *context, void *easy, int code)
{
    struct upstream *u = context;
    struct wire *w = wire_of(easy);
    struct upstream_get *g = w->owner;
    if (!g) {
        drop(u, w);
        return;
    }
    note_time(u);
    char room[REPLY_MAX_WHY];
    struct buffer why = { .p = room, .room = sizeof(room), .max_bytes = sizeof(room) };
    struct attempt a = get_attempt(g, code, &why);
    attempt_ended(g, &a);
}

/* Its bytes were refused outside of libcurl's own doing, which does not notice. */
static void refused(struct wire *w, int code)
{
    struct upstream_get *g = w->owner;
    struct upstream *u = g->upstream;
    char room[REPLY_MAX_WHY];
    struct buffer why = { .p = room, .room = sizeof(room), .max_bytes = sizeof(room) };
    note_time(u);
    struct attempt a = get_attempt(g, code, &why);
    multi_remove(u->multi, w->easy);
    attempt_ended(g, &a);
}

static bool take_bytes(void *owner, struct slice bytes)
{
    struct upstream_get *g = owner;
    return g->callbacks.on_bytes(g->context, bytes);
}

/* Send it now. */
static void fly(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    struct wire *w = wire_take(u->wires, g->target, g->body);
    if (!w || !multi_add(u->multi, w->easy)) {
        if (w) {
            wire_put(w);
        }
        end_unsent(g, FAULT_TOO_BUSY, "out of memory", 1000);
        return;
    }
    w->owner = g;
    w->on_bytes = take_bytes;
    w->max_bytes = g->max_bytes;
    g->wire = w;
    g->stage = FLYING;
    g->is_probe = gate_enter(&u->breaker.gate);
    g->is_units_probe = !g->is_free && gate_enter(&u->units);
    g->attempt_ms = u->now_ms;
    g->attempt_us = u->now_us;
    if (!g->attempts) {
        histogram_add(&u->stats.waits, u->now_us - g->started_us, u->now_us);
    }
    u->in_flight++;
    if (g->attempts++ == 0 && u->retry_tenths < MOST_TENTHS) {
        u->retry_tenths++;
    }
    set_due(g, u->now_ms + (u->timeout_ms < CONNECT_MS ? u->timeout_ms : CONNECT_MS));
    if (!g->was_sent && g->callbacks.on_sent) {
        g->was_sent = true;
        g->callbacks.on_sent(g->context);
    }
}

/* Whether a gate is shut; then it has ended. */
static bool is_shut_out(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    if (!g->is_free && !gate_lets(&u->units, u->now_ms)) {
        end_unsent(g, FAULT_UPSTREAM_OUT_OF_UNITS, "API v3 said that the units of this month are used up",
                   gate_wait_ms(&u->units, u->now_ms));
        return true;
    }
    if (!gate_lets(&u->breaker.gate, u->now_ms)) {
        end_unsent(g, FAULT_UPSTREAM_DOWN, "API v3 failed several times; it is asked again after a pause",
                   gate_wait_ms(&u->breaker.gate, u->now_ms));
        return true;
    }
    return false;
}

static void admit_fresh(struct upstream *u)
{
    while (!link_is_alone(&u->fresh)) {
        struct upstream_get *g = LINKED(u->fresh.next, struct upstream_get, line);
        link_out(&g->line);
        if (g->is_malformed) {
            end_unsent(g, FAULT_UPSTREAM_ODD, "the request for API v3 is not one, or longer than 16384 bytes", 0);
        } else {
            wait_in_queue(g);
        }
    }
}

/* It takes its token when it comes back with its body. */
static void ask_for_body(struct upstream_get *g)
{
    g->stage = BODILESS;
    set_due(g, g->deadline_ms);
    g->callbacks.on_turn(g->context);
}

static void dispatch(struct upstream *u)
{
    admit_fresh(u);
    struct queue_item *item;
    while ((item = queue_peek(&u->queue))) {
        struct upstream_get *g = LINKED(item, struct upstream_get, place);
        if (is_shut_out(g)) {
            continue;
        }
        if (u->in_flight >= MAX_IN_FLIGHT) {
            break;
        }
        bool has_all = !g->is_post || g->body.p;
        int64_t wait = has_all ? rate_take(&u->rate, u->now_us) : rate_wait_us(&u->rate, 1, u->now_us);
        if (wait > 0) {
            ring_by(u, u->now_ms + wait / 1000 + 1);
            break;
        }
        queue_pop(&u->queue);
        if (has_all) {
            fly(g);
        } else {
            ask_for_body(g);
        }
    }
}

static void turn(void *context)
{
    struct upstream *u = context;
    drop_all(u);
    note_time(u);
    dispatch(u);
}

static void rested(void *context)
{
    struct upstream *u = context;
    wires_go_on(u->wires, refused);
    note_time(u);
    dispatch(u);
}

/* The time of this request's stage is over. */
static void due(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    if (g->stage == FLYING) {
        int64_t whole = g->attempt_ms + u->timeout_ms;
        if (g->wire->sent && u->now_ms < whole && u->now_ms < g->deadline_ms) {
            set_due(g, whole);
            return;
        }
        int code;
        if (multi_take_ended(u->multi, g->wire->easy, &code)) {
            finished(u, g->wire->easy, code);
            return;
        }
        char room[REPLY_MAX_WHY];
        struct buffer why = { .p = room, .room = sizeof(room), .max_bytes = sizeof(room) };
        struct attempt a = get_attempt_late(g, &why);
        multi_remove(u->multi, g->wire->easy);
        attempt_ended(g, &a);
    } else if (g->stage == RESTING && u->now_ms < g->deadline_ms) {
        link_out(&g->line);
        wait_in_queue(g);
    } else {
        end_too_busy(g);
    }
}

/* A callback may cancel any request, also the next one in a list: so those that are due are put aside first. */
static void sweep(struct upstream *u)
{
    if (u->now_ms < u->earliest_ms) {
        return;
    }
    struct link late, *l;
    link_init(&late);
    u->earliest_ms = INT64_MAX;
    for (l = u->all.next; l != &u->all;) {
        struct upstream_get *g = LINKED(l, struct upstream_get, all);
        l = l->next;
        if (g->due_ms <= u->now_ms) {
            link_out(&g->all);
            link_before(&late, &g->all);
        } else if (g->due_ms < u->earliest_ms) {
            u->earliest_ms = g->due_ms;
        }
    }
    while (!link_is_alone(&late)) {
        struct upstream_get *g = LINKED(late.next, struct upstream_get, all);
        link_out(&g->all);
        link_before(&u->all, &g->all);
        due(g);
    }
}

static void clock_rang(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct upstream *u = context;
    u->clock_ms = INT64_MAX;
    note_time(u);
    sweep(u);
    dispatch(u);
    if (u->earliest_ms != INT64_MAX) {
        ring_by(u, u->earliest_ms);
    }
}

static char *copy(const char *s)
{
    size_t n = strlen(s);
    while (n && s[n - 1] == '/') {
        n--;
    }
    return strndup(s, n);
}

struct upstream *upstream_new(struct event_base *base, const struct upstream_options *options)
{
    static const struct multi_callbacks callbacks = { .on_finished = finished, .on_turn = turn, .on_rested = rested };
    struct upstream *u = calloc(1, sizeof(*u));
    if (!u) {
        return NULL;
    }
    link_init(&u->all);
    link_init(&u->fresh);
    link_init(&u->resting);
    link_init(&u->dropping);
    queue_init(&u->queue);
    u->stats.waits.scale = u->stats.attempts.scale = &histogram_waits;
    note_time(u);
    rate_init(&u->rate, options->requests_per_minute, u->now_us);
    breaker_init(&u->breaker);
    u->units = (struct gate){ .least_ms = UNITS_SHUT_MS, .most_ms = UNITS_SHUT_MS };
    u->on_out_of_units = options->on_out_of_units;
    u->context = options->context;
    u->timeout_ms = options->timeout_ms;
    u->queue_timeout_ms = options->queue_timeout_ms;
    u->requests_per_minute = options->requests_per_minute;
    u->max_queue = options->max_queue ? options->max_queue : DEFAULT_MAX_QUEUE;
    u->retry_tenths = FIRST_TENTHS;
    u->clock_ms = u->earliest_ms = INT64_MAX;
    if (getrandom(&u->random, sizeof(u->random), GRND_NONBLOCK) != sizeof(u->random) || u->random == 0) {
        u->random = 1;
    }
    u->url = copy(options->url);
    struct wires_options wires = {
        .url = u->url, .ca_file = options->ca_file, .proxy = options->proxy, .api_key = options->api_key
    };
    if (!u->url || !(u->clock = evtimer_new(base, clock_rang, u)) ||
        !(u->multi = multi_new(base, &callbacks, &u->forbidden, u)) || !(u->wires = wires_new(u->multi, &wires))) {
        upstream_free(u);
        return NULL;
    }
    return u;
}

void upstream_free(struct upstream *u)
{
    if (!u) {
        return;
    }
    while (!link_is_alone(&u->all)) {
        upstream_cancel(LINKED(u->all.next, struct upstream_get, all));
    }
    drop_all(u);
    wires_free(u->wires);
    multi_free(u->multi);
    if (u->clock) {
        event_free(u->clock);
    }
    forbidden_clear(&u->forbidden);
    free(u->url);
    free(u);
}

bool upstream_is_behind(const struct upstream *u)
{
    return multi_is_behind(u->multi);
}

void upstream_stats(const struct upstream *u, struct upstream_stats *ret)
{
    int64_t now_us = clock_monotonic_us(), paused_us = u->rate.paused_until_us - now_us;
    *ret = u->stats;
    ret->waiting = u->queue.length;
    ret->in_flight = u->in_flight;
    ret->breaker_is_shut = u->breaker.gate.shut;
    ret->units_are_out = u->units.shut;
    ret->rate_tokens = rate_tokens(&u->rate, now_us);
    ret->paused_ms = paused_us > 0 ? (paused_us + 999) / 1000 : 0;
    ret->slow = u->rate.slow;
}

/* What may stand in a request line, and nothing that could end it. */
static bool is_target(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~') {
            return false;
        }
    }
    return s.n && s.p[0] == '/';
}

struct upstream_get *upstream_start(struct upstream *u, struct slice path_and_query, struct slice team,
                                    size_t max_bytes, int64_t deadline_ms, const struct upstream_callbacks *callbacks,
                                    void *context)
{
    struct upstream_get *g = get_new(u, path_and_query, team);
    if (!g) {
        return NULL;
    }
    g->is_malformed = !is_target(path_and_query) || strlen(u->url) + path_and_query.n > UPSTREAM_MAX_URL;
    g->max_bytes = max_bytes;
    g->deadline_ms = g->due_ms = deadline_ms;
    g->started_us = clock_monotonic_us();
    g->started_ms = g->started_us / 1000;
    g->callbacks = *callbacks;
    g->context = context;
    link_before(&u->all, &g->all);
    link_before(&u->fresh, &g->line);
    multi_wake(u->multi);
    return g;
}

void upstream_share(struct upstream *u, bool is_shared)
{
    u->queue.is_shared = is_shared;
}

struct upstream_get *upstream_start_post(struct upstream *u, struct slice path, struct slice team, size_t max_bytes,
                                         int64_t deadline_ms, const struct upstream_callbacks *callbacks, void *context)
{
    struct upstream_get *g = upstream_start(u, path, team, max_bytes, deadline_ms, callbacks, context);
    if (g) {
        g->is_post = g->is_begun = true;
    }
    return g;
}

bool upstream_send(struct upstream_get *g, struct slice body)
{
    assert(g->stage == BODILESS && body.n);
    char *copy = malloc(body.n);
    if (!copy) {
        return false;
    }
    memcpy(copy, body.p, body.n);
    g->body = slice_of(copy, body.n);
    g->stage = FRESH;
    link_before(&g->upstream->fresh, &g->line);
    multi_wake(g->upstream->multi);
    return true;
}

void upstream_join(struct upstream_get *g, struct slice team)
{
    queue_share(&g->upstream->queue, &g->place, team);
}

bool upstream_cancel(struct upstream_get *g)
{
    struct upstream *u = g->upstream;
    bool may_have_cost = get_may_have_cost(g) || g->last.may_have_cost;
    struct wire *w = g->wire;
    if (w && multi_is_inside(u->multi)) {
        g->wire = NULL;
        w->owner = NULL;
        link_before(&u->dropping, &w->link);
        multi_wake(u->multi);
    } else if (w) {
        multi_remove(u->multi, w->easy);
    }
    leave_stage(g);
    link_out(&g->all);
    get_free(g);
    return may_have_cost;
}

void upstream_is_begun(struct upstream_get *g)
{
    g->is_begun = true;
    if (g->stage == WAITING) {
        g->due_ms = g->deadline_ms;
    }
}

int64_t upstream_wait_ms(const struct upstream *u)
{
    return rate_wait_us(&u->rate, (int64_t)u->queue.length + 1, clock_monotonic_us()) / 1000 + 1;
}

void upstream_is_free(struct upstream_get *g)
{
    g->is_free = true;
}

void upstream_tell_units(struct upstream *u, enum upstream_units units)
{
    note_time(u);
    switch (units) {
    case UNITS_LEFT:
        gate_open(&u->units);
        multi_wake(u->multi);
        break;
    case UNITS_NONE:
        gate_shut(&u->units, u->now_ms);
        break;
    }
}

bool upstream_is_out_of_units(const struct upstream *u)
{
    return u->units.shut;
}

bool upstream_leaks(const struct upstream *u, struct slice text)
{
    return text_leaks(text, wires_secret(u->wires));
}

bool upstream_forbid(struct upstream *u, const char *address)
{
    return forbidden_add(&u->forbidden, address);
}

bool upstream_leads_back(const struct upstream *u)
{
    return wires_leads_to(u->wires, &u->forbidden);
}
