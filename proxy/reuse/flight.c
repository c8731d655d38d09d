/* SPDX-License-Identifier: MIT
 * Questions under way: a hash of them, and which calls wait for each. Those are told in later turns of the loop, a few
 * at a time: nothing happens inside the starter's own steps, and a hundred copies of a large answer do not stop the
 * loop. */
#include "proxy/reuse/flight.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/round.h"

enum { BUCKETS = 1024, TELLING_US = 1000 /* in one turn: a call that is told may copy, read or write many rows */ };

struct flight {
    struct flight *chain, *next_over;
    struct flights *flights;
    uint64_t hash;
    enum flight_kind kind;
    struct seats *starter; /* NULL: it is over */
    struct link seats;
    int holders; /* the starter, the seats, the list of what is over, and calls that still read the answer */
    struct flight_news news;
    struct buffer body, marks, why; /* what news points to */
    struct slice key;
    char bytes[]; /* key and payer */
};

struct flights {
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

static enum flight_kind common_kind(enum flight_kind kind)
{
    return kind == FLIGHT_CALL || kind == FLIGHT_PAGES ? kind : FLIGHT_PARTS;
}

static uint64_t hash_of(enum flight_kind kind, struct slice key)
{
    return slice_hash(key) + (uint64_t)common_kind(kind);
}

static void take_seat(struct flight *f, struct seats *seats, enum flight_kind kind)
{
    struct seat *seat = &seats->seat[kind];
    *seat = (struct seat){ .flight = f, .seats = seats };
    link_before(&f->seats, &seat->link);
    f->holders++;
    seats->n_awaited++;
}

static void leave_seat(struct seat *seat)
{
    struct flight *f = seat->flight;
    link_out(&seat->link);
    seat->seats->n_awaited--;
    *seat = (struct seat){ 0 };
    put(f);
}

void seats_init(struct seats *seats, struct slice id,
                void (*told)(void *context, enum flight_kind kind, const struct flight_news *news),
                void (*hurry)(void *context, enum flight_kind kind, struct slice team), void *context)
{
    *seats = (struct seats){ .id = id, .told = told, .hurry = hurry, .context = context };
}

bool flight_join(struct flights *s, struct seats *seats, enum flight_kind kind, struct slice key)
{
    uint64_t hash = hash_of(kind, key);
    for (struct flight *f = s->buckets[hash % BUCKETS]; f; f = f->chain) {
        if (f->hash != hash || common_kind(f->kind) != common_kind(kind) || !slice_eq(f->key, key))
            continue;
        take_seat(f, seats, kind);
        return true;
    }
    return false;
}

void flight_start(struct flights *s, struct seats *seats, enum flight_kind kind, struct slice key)
{
    struct flight *f = calloc(1, sizeof *f + key.n + seats->id.n);
    if (!f)
        return;
    memcpy(f->bytes, key.p, key.n);
    memcpy(f->bytes + key.n, seats->id.p, seats->id.n);
    f->key = slice_of(f->bytes, key.n);
    f->news.payer = slice_of(f->bytes + key.n, seats->id.n);
    f->flights = s;
    f->hash = hash_of(kind, key);
    f->kind = kind;
    f->starter = seats;
    f->holders = 1;
    link_init(&f->seats);
    f->chain = s->buckets[f->hash % BUCKETS];
    s->buckets[f->hash % BUCKETS] = f;
    assert(!seats->starts[kind]);
    seats->starts[kind] = f;
}

/* ---- the end ---- */

static void wake(struct flights *s)
{
    static const struct timeval next_turn = { 0 };
    event_add(s->tell, &next_turn);
}

/* No call finds it any more; those with a seat are told. */
static void close_flight(struct flight *f, enum flight_end end)
{
    struct flights *s = f->flights;
    struct flight **at = &s->buckets[f->hash % BUCKETS];
    while (*at != f)
        at = &(*at)->chain;
    *at = f->chain;
    f->starter->starts[f->kind] = NULL;
    f->starter = NULL;
    f->news.end = end;
    if (!link_is_alone(&f->seats)) {
        f->holders++;
        *(s->last_over ? &s->last_over->next_over : &s->over) = f;
        s->last_over = f;
        wake(s);
    }
    put(f);
}

void flight_give_part(struct seats *seats, enum flight_kind kind, struct slice part)
{
    struct flight *f = seats->starts[kind];
    if (!f)
        return;
    buffer_append(&f->body, part);
    f->news.part = buffer_slice(&f->body);
    close_flight(f, f->body.failed ? FLIGHT_GIVEN_UP : FLIGHT_ANSWERED);
}

void flight_give_page(struct seats *seats)
{
    if (seats->starts[FLIGHT_PAGES])
        close_flight(seats->starts[FLIGHT_PAGES], FLIGHT_ANSWERED);
}

bool flight_wants_copy(const struct seats *seats)
{
    const struct flight *f = seats->starts[FLIGHT_CALL];
    return f && !link_is_alone(&f->seats) && !f->body.n && !f->body.failed;
}

void flight_copy_answer(struct seats *seats, struct slice body)
{
    buffer_append(&seats->starts[FLIGHT_CALL]->body, body);
}

void flight_give_answer(struct seats *seats, const struct flight_answer *answer)
{
    struct flight *f = seats->starts[FLIGHT_CALL];
    if (!f)
        return;
    f->news.answer = *answer;
    if (!link_is_alone(&f->seats)) {
        if (flight_wants_copy(seats))
            flight_copy_answer(seats, answer->body);
        buffer_append(&f->marks, answer->marks);
    }
    f->news.answer.body = buffer_slice(&f->body);
    f->news.answer.marks = buffer_slice(&f->marks);
    bool is_whole = !f->body.failed && !f->marks.failed;
    if (!is_whole)
        f->news.failing.refusal = (struct refusal){ FAULT_TOO_BUSY, S("memory is out; try again later") };
    close_flight(f, is_whole ? FLIGHT_ANSWERED : FLIGHT_FAILED);
}

void flight_blame(struct seats *seats, enum flight_kind kind, struct refusal refusal, int64_t retry_after_ms)
{
    seats->v3_failed[kind] = (struct failing){ refusal, retry_after_ms };
}

static void end_flight(struct flight *f, const struct failing *failing)
{
    bool for_all = failing->refusal.fault;
    if (for_all) {
        buffer_append(&f->why, failing->refusal.why);
        f->news.failing = *failing;
        f->news.failing.refusal.why = f->why.failed ? S("") : buffer_slice(&f->why);
    }
    close_flight(f, for_all ? FLIGHT_FAILED : FLIGHT_GIVEN_UP);
}

void flight_give_up(struct seats *seats)
{
    for (int kind = 0; kind < FLIGHT_KINDS; kind++)
        if (seats->starts[kind])
            end_flight(seats->starts[kind], &seats->v3_failed[kind]);
}

bool flight_is_awaited(const struct seats *seats)
{
    for (int kind = 0; kind < FLIGHT_KINDS; kind++)
        if (seats->starts[kind] && !link_is_alone(&seats->starts[kind]->seats))
            return true;
    return false;
}

void flight_hurry(const struct seats *seats, struct slice team)
{
    for (int kind = 0; kind < FLIGHT_KINDS; kind++) {
        const struct flight *f = seats->seat[kind].flight;
        if (f && f->starter && f->starter->hurry)
            f->starter->hurry(f->starter->context, f->kind, team);
    }
}

void flight_leave_all(struct seats *seats)
{
    for (int kind = 0; kind < FLIGHT_KINDS; kind++)
        if (seats->seat[kind].flight)
            leave_seat(&seats->seat[kind]);
    if (seats->given)
        put(seats->given);
    seats->given = NULL;
}

const struct flight_news *flight_given(const struct seats *seats)
{
    return &seats->given->news;
}

/* ---- telling ---- */

static void tell_first(struct flight *f)
{
    struct seat *seat = LINKED(f->seats.next, struct seat, link);
    struct seats *seats = seat->seats;
    enum flight_kind kind = (enum flight_kind)(seat - seats->seat); /* its own, not the starter's */
    f->holders++;
    leave_seat(seat);
    if (f->kind == FLIGHT_CALL && f->news.end == FLIGHT_ANSWERED) {
        f->holders++;
        seats->given = f;
    }
    seats->told(seats->context, kind, &f->news);
    put(f);
}

static void on_tell(evutil_socket_t fd, short what, void *context)
{
    struct flights *s = context;
    struct round share = { 0 };
    (void)fd;
    (void)what;
    while (s->over && !round_is_over(&share, TELLING_US)) {
        struct flight *f = s->over;
        if (!link_is_alone(&f->seats))
            tell_first(f);
        if (link_is_alone(&f->seats)) {
            s->over = f->next_over;
            if (!s->over)
                s->last_over = NULL;
            put(f);
        }
    }
    if (s->over)
        wake(s);
}

struct flights *flights_new(struct event_base *base)
{
    struct flights *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->tell = event_new(base, -1, 0, on_tell, s);
    if (s->tell)
        return s;
    free(s);
    return NULL;
}

void flights_free(struct flights *s)
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
