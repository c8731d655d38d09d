/* SPDX-License-Identifier: MIT
 * Targets that are asked for, the pots they gather in and the POSTs that take them along. */
#include <stdlib.h>

#include "proxy/account/records_inside.h"

const struct failing records_no_memory = { .refusal = { FAULT_TOO_BUSY, SLICE("memory is out; try again later") },
                                           .retry_after_ms = 1000 };

static struct link *bucket_of(struct records *r, struct slice host)
{
    return &r->buckets[slice_hash(host) % RECORDS_BUCKETS];
}

static struct slice put_text(char **to, struct slice s)
{
    struct slice copy = slice_of(*to, s.n);
    if (s.n)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return copy;
}

struct record_ask *record_ask_new(struct records *r, struct record_pot *pot, const struct record_key *key,
                                  int64_t now_ms)
{
    struct record_ask *a = calloc(1, sizeof *a + key->host.n + key->v3.n + key->country.n);
    if (!a)
        return NULL;
    char *to = (char *)(a + 1);
    a->key = *key;
    a->key.host = put_text(&to, key->host);
    a->key.v3 = put_text(&to, key->v3);
    a->key.country = put_text(&to, key->country);
    a->name = record_target_name(a->key.v3);
    a->pot = pot;
    a->arrived_ms = pot->last_ms = now_ms;
    link_init(&a->seats);
    link_init(&a->same_hash);
    link_before(bucket_of(r, a->key.host), &a->same_hash);
    link_init(&a->line);
    link_before(&pot->asks, &a->line);
    pot->n++;
    r->n_waiting++;
    return a;
}

/* Out of the pot or the POST it is in. */
static void leave_line(struct records *r, struct record_ask *a)
{
    link_out(&a->line);
    if (a->post) {
        a->post->n--;
    } else {
        a->pot->n--;
        r->n_waiting--;
    }
}

/* It comes to its end: no other call finds it. */
void record_ask_take_out(struct records *r, struct record_ask *a)
{
    leave_line(r, a);
    link_out(&a->same_hash);
    a->is_over = true;
}

void record_ask_free(struct records *r, struct record_ask *a)
{
    record_ask_take_out(r, a);
    free(a);
}

/* What its POST will bring is not decided yet. */
bool record_ask_is_open(const struct record_ask *a)
{
    return !a->post || a->post->state == IN_LINE;
}

static bool is_the_same(const struct record_ask *a, const struct record_key *key)
{
    return a->key.mode == key->mode && a->key.is_free == key->is_free && slice_eq(a->key.country, key->country) &&
           slice_eq(a->name, record_target_name(key->v3));
}

/* An ask that will bring what is needed. A rating is the host's, whatever else the ask is of. */
struct record_ask *record_ask_find(struct records *r, const struct record_key *key, uint32_t need, bool is_fresh)
{
    struct link *bucket = bucket_of(r, key->host);
    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        struct record_ask *a = LINKED(l, struct record_ask, same_hash);
        bool fits = slice_eq(a->key.host, key->host) && a->key.is_free == key->is_free &&
                    (!(need & ~(uint32_t)RECORD_OF_HOST) || is_the_same(a, key));
        if (fits && (record_ask_is_open(a) || (!is_fresh && !(need & ~a->post->fields))))
            return a;
    }
    return NULL;
}

void record_ask_add_up(struct record_ask *a)
{
    a->need = 0;
    for (struct link *l = a->seats.next; l != &a->seats; l = l->next)
        a->need |= seat_at(l)->need;
}

void record_ask_seat(struct record_ask *a, struct record_seat *seat, uint32_t need)
{
    seat->ask = a;
    seat->need = need;
    seat->n_unheld = 0;
    link_init(&seat->link);
    link_before(&a->seats, &seat->link);
    if (record_ask_is_open(a))
        a->need |= need;
}

/* The ask was taken out, and is freed. */
void record_ask_tell(struct record_ask *a, const struct record_news *news, int64_t units, int64_t predicted)
{
    bool first = !a->has_left_payer;
    for (struct record_seat *seat; (seat = first_seat(a)); first = false) {
        struct record_news own = *news;
        own.pays = first;
        own.units = first ? units : 0;
        own.predicted = first ? predicted : 0;
        own.payer = slice_of(a->payer, a->payer_bytes);
        link_out(&seat->link);
        seat->ask = NULL;
        seat->told(seat->context, &own);
    }
    free(a);
}

struct record_pot *record_pot_of(struct records *r, const struct record_key *key)
{
    for (struct link *l = r->pots.next; l != &r->pots; l = l->next) {
        struct record_pot *pot = LINKED(l, struct record_pot, link);
        if (pot->is_free == key->is_free && slice_eq(slice_str(pot->country), key->country))
            return pot;
    }
    struct record_pot *pot = key->country.n < sizeof pot->country ? calloc(1, sizeof *pot) : NULL;
    if (!pot)
        return NULL;
    pot->is_free = key->is_free;
    if (key->country.n)
        memcpy(pot->country, key->country.p, key->country.n);
    link_init(&pot->asks);
    link_init(&pot->posts);
    link_init(&pot->link);
    link_before(&r->pots, &pot->link);
    return pot;
}

struct records_post *records_post_new(struct records *r, struct record_pot *pot, struct record_ask *first)
{
    struct records_post *post = calloc(1, sizeof *post);
    if (!post)
        return NULL;
    post->pot = pot;
    link_init(&post->asks);
    link_init(&post->link);
    post->handle = r->way.start(r->way.context, post, first_seat(first)->team, pot->is_free);
    if (!post->handle) {
        free(post);
        return NULL;
    }
    return post;
}

void records_post_free(struct records_post *post)
{
    if (post->state != IN_LINE)
        post->pot->n_under_way--;
    link_out(&post->link);
    free(post);
}

void records_wake_by(struct records *r, int64_t at_ms)
{
    if (at_ms >= r->wakes_ms)
        return;
    r->wakes_ms = at_ms;
    r->way.wake_at(r->way.context, at_ms);
}
