/* SPDX-License-Identifier: MIT
 * Questions under way: a hash of them, and who waits for each. Who is to be told is told in later turns of the loop, a
 * few at a time: nothing happens inside the starter's own steps, and a hundred copies of a large answer do not stop the
 * loop. */
#include "proxy/reuse/flight.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/round.h"
#include "proxy/call/exchange.h"

enum { BUCKETS = 1024, TELLING_US = 1000 /* in one turn: who is told may copy, read or write many rows at once */ };

struct shares {
    struct flight *buckets[BUCKETS];
    struct flight *over, *last_over; /* with seats that are to be told */
    struct event *tell;
};

static void put(struct flight *f)
{
    if (--f->holders)
        return;
    buffer_clear(&f->body);
    buffer_clear(&f->marks);
    buffer_clear(&f->why);
    free(f);
}

void share_put(struct flight *f)
{
    put(f);
}

static uint64_t hash_of(enum share_kind kind, struct slice key)
{
    return slice_hash(key) + (uint64_t)kind;
}

static void take_seat(struct flight *f, struct seat *seat, struct exchange *x)
{
    *seat = (struct seat){ .flight = f, .exchange = x, .previous = f->last };
    *(f->last ? &f->last->next : &f->first) = seat;
    f->last = seat;
    f->holders++;
    x->n_awaited++;
}

static void leave_seat(struct seat *seat)
{
    struct flight *f = seat->flight;
    *(seat->previous ? &seat->previous->next : &f->first) = seat->next;
    *(seat->next ? &seat->next->previous : &f->last) = seat->previous;
    seat->exchange->n_awaited--;
    *seat = (struct seat){ 0 };
    put(f);
}

bool share_join(struct shares *s, struct exchange *x, enum share_kind kind, struct slice key)
{
    uint64_t hash = hash_of(kind, key);
    for (struct flight *f = s->buckets[hash % BUCKETS]; f; f = f->chain) {
        if (f->hash != hash || f->kind != kind || !slice_eq(slice_of(f->key, f->n_key), key))
            continue;
        take_seat(f, &x->seats[kind], x);
        return true;
    }
    return false;
}

void share_start(struct shares *s, struct exchange *x, enum share_kind kind, struct slice key)
{
    struct flight *f = calloc(1, sizeof *f + key.n);
    if (!f)
        return;
    f->shares = s;
    f->hash = hash_of(kind, key);
    f->kind = kind;
    f->starter = x;
    f->holders = 1;
    f->n_key = key.n;
    memcpy(f->key, key.p, key.n);
    memcpy(f->payer, x->id, sizeof f->payer);
    f->chain = s->buckets[f->hash % BUCKETS];
    s->buckets[f->hash % BUCKETS] = f;
    assert(!x->starts[kind]);
    x->starts[kind] = f;
}

/* ---- the end ---- */

static void wake(struct shares *s)
{
    static const struct timeval next_turn = { 0 };
    event_add(s->tell, &next_turn);
}

/* Nobody finds it any more; who has a seat is told. */
static void close_flight(struct flight *f, enum flight_end end)
{
    struct shares *s = f->shares;
    struct flight **at = &s->buckets[f->hash % BUCKETS];
    while (*at != f)
        at = &(*at)->chain;
    *at = f->chain;
    f->starter->starts[f->kind] = NULL;
    f->starter = NULL;
    f->end = end;
    if (f->first) {
        f->holders++;
        *(s->last_over ? &s->last_over->next_over : &s->over) = f;
        s->last_over = f;
        wake(s);
    }
    put(f);
}

void share_give_totals(struct exchange *x, int64_t totals)
{
    struct flight *f = x->starts[SHARE_TOTALS];
    if (!f)
        return;
    f->totals = totals;
    close_flight(f, FLIGHT_ANSWERED);
}

void share_give_ratio(struct exchange *x, struct ratio ratio)
{
    struct flight *f = x->starts[SHARE_RATIO];
    if (!f)
        return;
    f->ratio = ratio;
    close_flight(f, FLIGHT_ANSWERED);
}

void share_give_page(struct exchange *x)
{
    if (x->starts[SHARE_PAGES])
        close_flight(x->starts[SHARE_PAGES], FLIGHT_ANSWERED);
}

void share_give_answer(struct exchange *x, int64_t units_alone)
{
    struct flight *f = x->starts[SHARE_CALL];
    if (!f)
        return;
    f->results = x->result.results;
    f->rows = x->result.rows;
    f->units_alone = units_alone;
    if (f->first) {
        buffer_append(&f->body, buffer_slice(&x->body));
        buffer_append(&f->marks, x->marks);
    }
    if (f->body.failed || f->marks.failed) {
        f->failing.refusal = (struct refusal){ FAULT_TOO_BUSY, S("memory is out; try again later") };
        close_flight(f, FLIGHT_FAILED);
        return;
    }
    close_flight(f, FLIGHT_ANSWERED);
}

static void end_flight(struct flight *f, const struct failing *failing)
{
    bool for_all = failing->refusal.fault;
    if (for_all) {
        buffer_append(&f->why, failing->refusal.why);
        f->failing = *failing;
        f->failing.refusal.why = f->why.failed ? S("") : buffer_slice(&f->why);
    }
    close_flight(f, for_all ? FLIGHT_FAILED : FLIGHT_GIVEN_UP);
}

void share_end(struct exchange *x)
{
    for (int kind = 0; kind < SHARE_KINDS; kind++)
        if (x->starts[kind])
            end_flight(x->starts[kind], &x->v3_failed[kind]);
}

bool share_is_awaited(const struct exchange *x)
{
    for (int kind = 0; kind < SHARE_KINDS; kind++)
        if (x->starts[kind] && x->starts[kind]->first)
            return true;
    return false;
}

void share_leave(struct exchange *x, enum share_kind kind)
{
    if (x->seats[kind].flight)
        leave_seat(&x->seats[kind]);
}

void share_leave_all(struct exchange *x)
{
    for (int kind = 0; kind < SHARE_KINDS; kind++)
        share_leave(x, (enum share_kind)kind);
    if (x->given)
        put(x->given);
    x->given = NULL;
}

/* ---- telling ---- */

static void tell_first(struct flight *f)
{
    struct exchange *x = f->first->exchange;
    enum share_kind kind = f->kind;
    f->holders++;
    leave_seat(f->first);
    fetch_told(x, kind, f);
    put(f);
}

static void on_tell(evutil_socket_t fd, short what, void *context)
{
    struct shares *s = context;
    struct round share = { 0 };
    (void)fd;
    (void)what;
    while (s->over && !round_is_over(&share, TELLING_US)) {
        struct flight *f = s->over;
        if (f->first)
            tell_first(f);
        if (!f->first) {
            s->over = f->next_over;
            if (!s->over)
                s->last_over = NULL;
            put(f);
        }
    }
    if (s->over)
        wake(s);
}

struct shares *shares_new(struct event_base *base)
{
    struct shares *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->tell = event_new(base, -1, 0, on_tell, s);
    if (s->tell)
        return s;
    free(s);
    return NULL;
}

void shares_free(struct shares *s)
{
    if (!s)
        return;
    while (s->over) {
        struct flight *f = s->over;
        s->over = f->next_over;
        put(f);
    }
    event_free(s->tell);
    free(s);
}
