/* SPDX-License-Identifier: MIT
 * The desk for target records on the loop: POSTs through the key's upstream, records in its cache. */
#include "proxy/account/record_desk.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* A POST, from its place in the line to its end. */
struct posting {
    struct link link;
    struct record_desk *desk;
    struct records_post *post;
    struct upstream_get *get;
    struct buffer body; /* of the answer */
    bool is_free;
};

struct record_desk {
    struct record_desk_options o;
    struct records *records;
    struct record_manner manner;
    struct event *clock;
    struct link postings;
    uint64_t sent;
};

static void posting_free(struct posting *p)
{
    link_out(&p->link);
    buffer_clear(&p->body);
    free(p);
}

/* ---- a POST ---- */

static void on_sent(void *context)
{
    struct posting *p = context;
    p->desk->sent++;
}

static bool on_bytes(void *context, struct slice bytes)
{
    struct posting *p = context;
    buffer_append(&p->body, bytes);
    return !p->body.failed;
}

static void on_done(void *context, const struct upstream_result *r)
{
    struct posting *p = context;
    struct record_desk *d = p->desk;
    int64_t price = records_price(p->post);
    struct records_answer answer = { .failing = { { r->fault, r->why }, r->retry_after_ms },
                                     .status = r->status,
                                     .may_have_cost = r->may_have_cost,
                                     .units = -1,
                                     .body = buffer_slice(&p->body) };
    if (r->may_have_cost)
        answer.units = d->o.taken(d->o.context, r, price, p->is_free, d->manner.whole_units);
    records_answered(d->records, p->post, &answer, clock_monotonic_ms());
    posting_free(p);
}

static void on_turn(void *context)
{
    struct posting *p = context;
    records_turn(p->desk->records, p->post, clock_monotonic_ms());
}

/* ---- the way ---- */

static void *way_start(void *context, struct records_post *post, struct slice team, bool is_free)
{
    static const struct upstream_callbacks callbacks = { on_sent, on_bytes, on_done, on_turn };
    struct record_desk *d = context;
    struct posting *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct posting){ .desk = d, .post = post, .is_free = is_free, .body = buffer_with_cap(RECORD_MAX_BYTES) };
    p->get = upstream_start_post(d->o.upstream, report_record.path, team, RECORD_MAX_BYTES,
                                 clock_monotonic_ms() + d->manner.timeout_ms, &callbacks, p);
    if (!p->get) {
        free(p);
        return NULL;
    }
    if (is_free)
        upstream_is_free(p->get);
    link_init(&p->link);
    link_before(&d->postings, &p->link);
    return p;
}

static void way_hurry(void *context, void *handle, struct slice team)
{
    (void)context;
    upstream_join(((struct posting *)handle)->get, team);
}

static bool way_send(void *context, void *handle, struct slice body)
{
    (void)context;
    return upstream_send(((struct posting *)handle)->get, body);
}

static void way_cancel(void *context, void *handle)
{
    (void)context;
    struct posting *p = handle;
    (void)upstream_cancel(p->get);
    posting_free(p);
}

static void way_wake_at(void *context, int64_t at_ms)
{
    const struct record_desk *d = context;
    int64_t now_ms = clock_monotonic_ms(), wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
    if (evtimer_add(d->clock, &wait))
        event_active(d->clock, EV_TIMEOUT, 0);
}

static void clock_rang(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct record_desk *d = context;
    records_clock(d->records, clock_monotonic_ms());
}

/* ---- what is remembered ---- */

/* Of a record; or, with RECORD_OF_HOST, of a host. */
static struct cache_record *kept(struct record_desk *d, const struct record_key *key, bool of_host, bool make)
{
    char room[2200];
    if (of_host)
        return make ? cache_keep_record(d->o.cache, key->host, MODE_COUNT)
                    : cache_find_record(d->o.cache, key->host, MODE_COUNT);
    struct slice name = record_target_name(key->v3);
    int n = snprintf(room, sizeof room, "%.*s %.*s", SLICE_ARGS(key->country), SLICE_ARGS(name));
    if (n < 0 || (size_t)n >= sizeof room)
        return NULL;
    struct slice text = slice_of(room, (size_t)n);
    return make ? cache_keep_record(d->o.cache, text, key->mode) : cache_find_record(d->o.cache, text, key->mode);
}

static void keep_in(struct cache_record *k, const struct record *record, uint32_t fields, struct slice payer,
                    int64_t until_ms)
{
    if (!k)
        return;
    struct record some = *record;
    some.known &= fields;
    some.nulls &= fields;
    record_merge(&k->record, &some);
    for (int f = 0; f < RECORD_FIELDS; f++)
        if (some.known & 1u << f)
            k->until_ms[f] = until_ms;
    snprintf(k->payer, sizeof k->payer, "%.*s", SLICE_ARGS(payer));
}

static void way_keep(void *context, const struct record_key *key, const struct record *record, struct slice payer)
{
    struct record_desk *d = context;
    int64_t until_ms = clock_monotonic_ms() + d->manner.ttl_ms;
    if (!d->manner.ttl_ms)
        return;
    keep_in(kept(d, key, false, true), record, RECORD_ALL, payer, until_ms);
    if (record->known & RECORD_OF_HOST)
        keep_in(kept(d, key, true, true), record, RECORD_OF_HOST, payer, until_ms);
}

static void take_fresh(const struct cache_record *k, int64_t now_ms, struct record *ret, char payer[CACHE_PAYER_SIZE])
{
    if (!k)
        return;
    struct record fresh = k->record;
    for (int f = 0; f < RECORD_FIELDS; f++)
        if (k->until_ms[f] <= now_ms)
            fresh.known &= ~(1u << f);
    fresh.nulls &= fresh.known;
    record_merge(ret, &fresh);
    if (fresh.known)
        memcpy(payer, k->payer, CACHE_PAYER_SIZE);
}

bool record_desk_recall(struct record_desk *d, const struct record_key *key, uint32_t need, struct record *ret,
                        char payer[CACHE_PAYER_SIZE])
{
    struct record known = { 0 };
    char who[CACHE_PAYER_SIZE] = "";
    int64_t now_ms = clock_monotonic_ms();
    take_fresh(kept(d, key, true, false), now_ms, &known, who);
    if ((known.known & need) != need)
        take_fresh(kept(d, key, false, false), now_ms, &known, who);
    if ((known.known & need) != need)
        return false;
    *ret = known;
    memcpy(payer, who, sizeof who);
    return true;
}

/* ---- seats ---- */

bool record_desk_join(struct record_desk *d, struct record_seat *seat, const struct record_key *key, uint32_t need,
                      const struct record_manner *manner)
{
    d->manner = *manner;
    records_set_gather(d->records, manner->gather_ms);
    return records_join(d->records, seat, key, need, clock_monotonic_ms());
}

void record_desk_coming(struct record_desk *d, bool comes)
{
    records_coming(d->records, comes, clock_monotonic_ms());
}

int64_t record_desk_leave(struct record_desk *d, struct record_seat *seat)
{
    return records_leave(d->records, seat, clock_monotonic_ms());
}

void record_desk_held(struct record_desk *d, struct record_seat *seat, bool done)
{
    records_held(d->records, seat, done, clock_monotonic_ms());
}

uint64_t record_desk_sent(const struct record_desk *d)
{
    return d->sent;
}

/* ---- the beginning and the end ---- */

struct record_desk *record_desk_new(struct event_base *base, const struct record_desk_options *options)
{
    struct record_desk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->o = *options;
    link_init(&d->postings);
    struct records_way way = { way_start, way_hurry, way_send, way_cancel, way_wake_at, way_keep, d };
    d->records = records_new(&way, 0);
    d->clock = evtimer_new(base, clock_rang, d);
    if (!d->records || !d->clock) {
        record_desk_free(d);
        return NULL;
    }
    return d;
}

void record_desk_free(struct record_desk *d)
{
    if (!d)
        return;
    records_free(d->records);
    while (!link_is_alone(&d->postings))
        way_cancel(d, LINKED(d->postings.next, struct posting, link));
    if (d->clock)
        event_free(d->clock);
    free(d);
}
