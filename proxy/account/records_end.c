/* SPDX-License-Identifier: MIT
 * The end of a POST for target records: who is told what, who pays what, and who goes again. */
#include <stdlib.h>

#include "proxy/account/records_inside.h"

/* So many 404s in a row, and none of the POSTs between them answered, are not about a target: a half of a hundred leads
 * to one that is unknown in eight. */
enum { MOST_NOT_FOUND = 10 };

/* What each pays of the units that were taken; -1: nobody knows, and its share of our price stands in. One that has
 * left owes what it was booked with. */
static void split(const struct records_post *post, int64_t units, int64_t *shares)
{
    int64_t weights[RECORD_MAX_TARGETS], parts[RECORD_MAX_TARGETS];
    size_t n = 0, n_here = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next) {
        const struct record_ask *a = ask_at(l);
        if (a->has_left_payer)
            units = units > a->share ? units - a->share : units < 0 ? units : 0;
        else
            weights[n_here++] = record_units(a->need);
    }
    record_split(units < 0 ? 0 : units, weights, n_here, parts);
    n_here = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next, n++)
        shares[n] = ask_at(l)->has_left_payer ? 0 : units < 0 ? (n_here++, -1) : parts[n_here++];
}

/* All its targets have come to their end: with their records, or with a fault. */
static void tell_post(struct records *r, struct records_post *post, const struct record *records,
                      const struct failing *failing, int64_t units, bool may_have_cost)
{
    int64_t shares[RECORD_MAX_TARGETS];
    struct link asks;
    size_t i = 0;
    split(post, may_have_cost ? units : 0, shares);
    link_init(&asks);
    for (struct record_ask *a; (a = first_ask(&post->asks));) {
        record_ask_take_out(r, a);
        link_before(&asks, &a->line);
    }
    /* Remembered first, so that whatever a call does next finds them. */
    for (struct link *l = asks.next; records && l != &asks; l = l->next)
        r->way.keep(r->way.context, &ask_at(l)->key, &records[i++], slice_of(ask_at(l)->payer, ask_at(l)->payer_bytes));
    i = 0;
    for (struct record_ask *a; (a = first_ask(&asks)); i++) {
        struct record_news news = { .record = records ? &records[i] : NULL };
        if (failing)
            news.failing = *failing;
        link_out(&a->line);
        record_ask_tell(a, &news, shares[i], may_have_cost ? a->share : 0);
    }
}

/* It ended before it was sent. */
void records_end_unsent(struct records *r, struct records_post *post, const struct failing *failing)
{
    tell_post(r, post, NULL, failing, 0, false);
}

/* One target is the reason why the POST was refused. */
static void refuse_one(struct records *r, struct record_ask *a, const struct failing *failing)
{
    struct record_news news = { .failing = *failing };
    news.failing.refusal.fault = FAULT_BAD_TARGET;
    record_ask_take_out(r, a);
    record_ask_tell(a, &news, 0, 0);
}

/* Let `n` targets of a refused POST go again by themselves. */
static void go_again(struct records *r, struct records_post *refused, size_t n)
{
    struct record_ask *first = first_ask(&refused->asks);
    struct records_post *post = first ? records_post_new(r, refused->pot, first) : NULL;
    struct records_post lost = { .pot = refused->pot };
    if (!first)
        return;
    link_init(&lost.asks);
    struct records_post *to = post ? post : &lost;
    for (struct record_ask *a; n-- && (a = first_ask(&refused->asks)); to->n++) {
        refused->n--;
        link_out(&a->line);
        link_before(&to->asks, &a->line);
        a->post = to;
    }
    if (post) {
        post->is_again = true;
        link_before(&r->closed, &post->link);
    } else {
        records_end_unsent(r, &lost, &records_no_memory);
    }
}

/* Those whose last call has left are not asked for again. */
static void drop_left(struct records *r, struct records_post *post)
{
    for (struct link *l = post->asks.next, *next; l != &post->asks; l = next) {
        struct record_ask *a = ask_at(l);
        next = l->next;
        if (link_is_alone(&a->seats)) {
            record_ask_free(r, a);
            continue;
        }
        a->has_left_payer = false; /* what the one that left was booked with is a guess that was too high */
        record_ask_add_up(a);
    }
}

static void refused(struct records *r, struct records_post *post, const struct failing *failing)
{
    struct record_target targets[RECORD_MAX_TARGETS];
    struct record_ask *asks[RECORD_MAX_TARGETS];
    size_t n = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next, n++) {
        asks[n] = ask_at(l);
        targets[n] = (struct record_target){ asks[n]->key.v3, asks[n]->key.mode };
    }
    int named = n == 1 ? 0 : record_named(failing->refusal.why, targets, n);
    if (named >= 0) {
        refuse_one(r, asks[named], failing);
        drop_left(r, post);
        go_again(r, post, post->n);
        return;
    }
    drop_left(r, post);
    go_again(r, post, (post->n + 1) / 2);
    go_again(r, post, post->n);
}

/* v3 refused the POST for one of its targets: its words say so, or name one. */
static bool is_for_target(struct records *r, const struct records_post *post, const struct records_answer *answer)
{
    struct record_target targets[RECORD_MAX_TARGETS];
    size_t n = 0;
    bool is_not_found = answer->status == 404 && answer->failing.refusal.fault == FAULT_BAD_TARGET;
    r->n_not_found = is_not_found ? r->n_not_found + 1 : 0;
    if (is_not_found)
        return r->n_not_found <= MOST_NOT_FOUND;
    if (answer->may_have_cost || answer->status != 400)
        return false;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next)
        targets[n++] = (struct record_target){ ask_at(l)->key.v3, ask_at(l)->key.mode };
    return answer->failing.refusal.fault == FAULT_BAD_TARGET ||
           record_named(answer->failing.refusal.why, targets, n) >= 0;
}

static void take_answer(struct records *r, struct records_post *post, const struct records_answer *answer)
{
    struct record *records = calloc(post->n, sizeof *records);
    struct failing failing = { .refusal = { FAULT_UPSTREAM_ODD, S("") } };
    r->n_not_found = 0;
    const char *why = records ? record_read(answer->body, post->fields, post->n, records) : "memory is out";
    char text[160];
    if (why) {
        struct buffer b = { .p = text, .room = sizeof text, .max_bytes = sizeof text };
        buffer_printf(&b, "API v3's answer is not what it promises: %s", why);
        failing.refusal.why = buffer_slice(&b);
        if (!records)
            failing = records_no_memory;
    }
    tell_post(r, post, why ? NULL : records, why ? &failing : NULL, answer->units, answer->may_have_cost);
    free(records);
}

/* A 404 that is about no target is about the path. */
static const struct failing *failing_of(const struct records_answer *answer, struct failing *odd)
{
    *odd = answer->failing;
    odd->refusal.fault = FAULT_UPSTREAM_ODD;
    return answer->status == 404 ? odd : &answer->failing;
}

void records_end_post(struct records *r, struct records_post *post, const struct records_answer *answer)
{
    struct failing odd;
    if (!answer->failing.refusal.fault)
        take_answer(r, post, answer);
    else if (is_for_target(r, post, answer))
        refused(r, post, &answer->failing);
    else
        tell_post(r, post, NULL, failing_of(answer, &odd), answer->units, answer->may_have_cost);
}
