/* SPDX-License-Identifier: MIT
 * The desk for target records: which targets share a POST, when it goes, and what each pays. */
#include "proxy/account/records.h"

#include <stdlib.h>

#include "proxy/account/records_inside.h"

/* Times gather_ms that the first of a pot waits; and while others are on their way here. Targets that are looked at in
 * one turn. */
enum { LONGEST = 5, LONGEST_AWAITED = 25, PLAN_MOST = 400 };

struct records *records_new(const struct records_way *way, int64_t gather_ms)
{
    struct records *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->way = *way;
    r->gather_ms = gather_ms;
    r->wakes_ms = INT64_MAX;
    link_init(&r->pots);
    link_init(&r->closed);
    for (int i = 0; i < RECORDS_BUCKETS; i++)
        link_init(&r->buckets[i]);
    return r;
}

void records_set_gather(struct records *r, int64_t gather_ms)
{
    r->gather_ms = gather_ms;
}

size_t records_waiting(const struct records *r)
{
    return r->n_waiting;
}

int64_t records_price(const struct records_post *post)
{
    return post->price;
}

/* A POST that waits in the line is not needed any more. */
static void drop_post(struct records *r, struct record_pot *pot)
{
    struct records_post *post = LINKED(pot->posts.before, struct records_post, link);
    void *handle = post->handle;
    pot->n_posts--;
    records_post_free(post);
    r->way.cancel(r->way.context, handle);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When what waits in a pot that is not empty is to go. Others are likely to join while their holds are being written,
 * or while they wait for a POST of this pot that is under way: they come back with the next target. */
static int64_t due_ms(const struct records *r, const struct record_pot *pot)
{
    int64_t first_ms = ask_at(pot->asks.next)->arrived_ms, latest = first_ms + LONGEST * r->gather_ms;
    if (r->n_coming)
        return first_ms + LONGEST_AWAITED * r->gather_ms;
    return pot->n_under_way ? latest : least(pot->last_ms + r->gather_ms, latest);
}

/* ---- which targets go together ---- */

/* The targets that wait, in order, and the POSTs they would make. */
struct plan_of_pot {
    size_t n, n_posts, n_full;
    struct record_ask *asks[PLAN_MOST];
    uint32_t needs[PLAN_MOST];
    size_t post_of[PLAN_MOST];
    struct record_post posts[PLAN_MOST];
};

static void plan_pot(const struct record_pot *pot, struct plan_of_pot *p)
{
    p->n = 0;
    for (struct link *l = pot->asks.next; l != &pot->asks && p->n < PLAN_MOST; l = l->next) {
        p->asks[p->n] = ask_at(l);
        p->needs[p->n++] = ask_at(l)->need;
    }
    p->n_posts = record_group(p->needs, p->n, p->post_of, p->posts);
    p->n_full = 0;
    for (size_t i = 0; i < p->n_posts; i++)
        p->n_full += p->posts[i].n == RECORD_MAX_TARGETS;
}

/* How many POSTs the pot should have in the line. */
static size_t posts_wanted(const struct records *r, const struct record_pot *pot, int64_t now_ms)
{
    struct plan_of_pot plan;
    bool is_due = pot->n && due_ms(r, pot) <= now_ms;
    if (!pot->n || (!is_due && pot->n < RECORD_MAX_TARGETS))
        return 0;
    plan_pot(pot, &plan);
    return is_due ? plan.n_posts : plan.n_full;
}

static void fail_pot(struct records *r, struct record_pot *pot, const struct failing *failing)
{
    struct record_news news = { .failing = *failing };
    struct link asks;
    link_init(&asks);
    for (struct record_ask *a; (a = first_ask(&pot->asks));) { /* what joins meanwhile is not theirs */
        record_ask_take_out(r, a);
        link_before(&asks, &a->line);
    }
    for (struct record_ask *a; (a = first_ask(&asks));) {
        link_out(&a->line);
        record_ask_tell(a, &news, 0, 0);
    }
}

/* Bring the POSTs in the line to the number that the pot needs. */
static void fill_line(struct records *r, struct record_pot *pot, int64_t now_ms)
{
    size_t wanted = posts_wanted(r, pot, now_ms);
    while (pot->n_posts < wanted) {
        struct records_post *post = records_post_new(r, pot, first_ask(&pot->asks));
        if (!post) {
            if (!pot->n_posts)
                fail_pot(r, pot, &records_no_memory);
            return;
        }
        link_before(&pot->posts, &post->link);
        pot->n_posts++;
    }
    while (pot->n_posts > wanted)
        drop_post(r, pot);
}

/* ---- time ---- */

/* Something has changed in a pot. */
static void look_at(struct records *r, struct record_pot *pot, int64_t now_ms)
{
    fill_line(r, pot, now_ms);
    if (pot->n && due_ms(r, pot) > now_ms)
        records_wake_by(r, due_ms(r, pot));
}

/* Cancel what has no target left, from where it may be done. */
static void cancel_doomed(struct records *r)
{
    for (struct link *l = r->closed.next, *next; l != &r->closed; l = next) {
        struct records_post *post = LINKED(l, struct records_post, link);
        next = l->next;
        if (!post->is_doomed)
            continue;
        void *handle = post->handle;
        records_post_free(post);
        r->way.cancel(r->way.context, handle);
    }
}

static bool is_used(const struct records *r, const struct record_pot *pot)
{
    if (pot->n || pot->n_posts)
        return true;
    for (struct link *l = r->closed.next; l != &r->closed; l = l->next)
        if (LINKED(l, struct records_post, link)->pot == pot)
            return true;
    return false;
}

void records_clock(struct records *r, int64_t now_ms)
{
    r->wakes_ms = INT64_MAX;
    cancel_doomed(r);
    for (struct link *l = r->pots.next, *next; l != &r->pots; l = next) {
        struct record_pot *pot = LINKED(l, struct record_pot, link);
        look_at(r, pot, now_ms);
        next = l->next;
        if (!is_used(r, pot)) {
            link_out(&pot->link);
            free(pot);
        }
    }
}

/* ---- seats ---- */

static bool is_payer(const struct record_ask *a, const struct record_seat *seat)
{
    return !a->has_left_payer && first_seat(a) == seat;
}

/* Have a seat of a closed POST hold what it will owe. One that is sent does not wait for it. */
static void hold_share(struct record_ask *a, struct record_seat *seat)
{
    size_t n = seat->id.n < sizeof a->payer ? seat->id.n : sizeof a->payer;
    bool pays = is_payer(a, seat);
    if (pays) {
        memcpy(a->payer, seat->id.p, n);
        a->payer_bytes = n;
    }
    if (a->post->state == HOLDING) {
        a->post->n_unheld++;
        seat->n_unheld++;
    }
    seat->hold(seat->context, pays ? a->share : 0);
}

bool records_join(struct records *r, struct record_seat *seat, const struct record_key *key, uint32_t need,
                  int64_t now_ms)
{
    struct record_ask *a = record_ask_find(r, key, need, seat->is_fresh);
    struct record_pot *pot = a ? a->pot : record_pot_of(r, key);
    if (!a && pot)
        a = record_ask_new(r, pot, key, now_ms);
    if (!a)
        return false;
    record_ask_seat(a, seat, need);
    if (!record_ask_is_open(a)) {
        hold_share(a, seat);
        return true;
    }
    for (struct link *l = pot->posts.next; l != &pot->posts; l = l->next)
        r->way.hurry(r->way.context, LINKED(l, struct records_post, link)->handle, seat->team);
    if (a->post)
        r->way.hurry(r->way.context, a->post->handle, seat->team);
    /* At the earliest when all that came in this round of the loop has joined. */
    if (pot->n)
        records_wake_by(r, pot->n < RECORD_MAX_TARGETS && due_ms(r, pot) > now_ms ? due_ms(r, pot) : now_ms);
    return true;
}

void records_coming(struct records *r, bool comes, int64_t now_ms)
{
    r->n_coming += comes ? 1 : -1;
    if (!r->n_coming && r->n_waiting)
        records_wake_by(r, now_ms);
}

bool records_is_closed(const struct record_seat *seat)
{
    return seat->ask && !record_ask_is_open(seat->ask);
}

static void close_if_held(struct records *r, struct records_post *post);

/* No seat is left in it, and its POST has not gone. */
static void take_back(struct records *r, struct record_ask *a, int64_t now_ms)
{
    struct records_post *post = a->post;
    struct record_pot *pot = a->pot;
    record_ask_free(r, a);
    if (!post) {
        fill_line(r, pot, now_ms);
    } else if (!post->n) {
        post->is_doomed = true;
        records_wake_by(r, now_ms);
    } else if (post->state == HOLDING) {
        close_if_held(r, post);
    }
}

int64_t records_leave(struct records *r, struct record_seat *seat, int64_t now_ms)
{
    struct record_ask *a = seat->ask;
    if (!a)
        return 0;
    bool pays = is_payer(a, seat);
    struct records_post *post = a->post;
    seat->ask = NULL;
    link_out(&seat->link);
    if (a->is_over)
        return 0;
    if (post && post->state == SENT) {
        if (!pays)
            return 0;
        a->has_left_payer = true;
        return a->share;
    }
    if (post)
        post->n_unheld -= seat->n_unheld;
    if (link_is_alone(&a->seats)) {
        take_back(r, a, now_ms);
    } else if (!post || post->state == IN_LINE) {
        record_ask_add_up(a);
    } else {
        if (pays)
            hold_share(a, first_seat(a));
        close_if_held(r, post);
    }
    return 0;
}

/* ---- closing ---- */

static void write_body(const struct records_post *post, struct buffer *body)
{
    struct record_target targets[RECORD_MAX_TARGETS];
    size_t n = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next)
        targets[n++] = (struct record_target){ ask_at(l)->key.v3, ask_at(l)->key.mode };
    record_body(body, post->fields, slice_str(post->pot->country), targets, n);
}

static void close_if_held(struct records *r, struct records_post *post)
{
    if (post->n_unheld || post->state != HOLDING || !post->n)
        return;
    struct buffer body = { 0 };
    write_body(post, &body);
    post->state = SENT;
    if (body.failed || !r->way.send(r->way.context, post->handle, buffer_slice(&body))) {
        records_end_unsent(r, post, &records_no_memory);
        post->is_doomed = true;
        records_wake_by(r, INT64_MIN);
    }
    buffer_clear(&body);
}

void records_held(struct records *r, struct record_seat *seat, bool done, int64_t now_ms)
{
    struct record_ask *a = seat->ask;
    if (!a || a->is_over || !seat->n_unheld)
        return;
    struct records_post *post = a->post;
    seat->n_unheld--;
    post->n_unheld--;
    if (!done) {
        /* A target whose hold is not on the disk is not asked for. */
        static const struct failing down = { .refusal = { FAULT_LEDGER_DOWN,
                                                          SLICE("the ledger cannot write; nothing was charged, try "
                                                                "again in a moment") } };
        struct record_news news = { .failing = down };
        for (struct link *l = a->seats.next; l != &a->seats; l = l->next)
            post->n_unheld -= seat_at(l)->n_unheld;
        record_ask_take_out(r, a);
        record_ask_tell(a, &news, 0, 0);
        if (!post->n) {
            post->is_doomed = true;
            records_wake_by(r, now_ms);
        }
    }
    close_if_held(r, post);
}

/* Move the targets of one POST of the plan out of the pot. */
static void fill_post(struct records *r, struct records_post *post, const struct plan_of_pot *plan, size_t which)
{
    struct record_pot *pot = post->pot;
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->post_of[i] != which)
            continue;
        struct record_ask *a = plan->asks[i];
        link_out(&a->line);
        link_before(&post->asks, &a->line);
        a->post = post;
        post->n++;
        pot->n--;
        r->n_waiting--;
    }
}

/* Decide what is asked for and what each pays, and have every seat hold it. */
static void close_post(struct records *r, struct records_post *post)
{
    int64_t weights[RECORD_MAX_TARGETS], shares[RECORD_MAX_TARGETS];
    uint32_t need = 0;
    size_t n = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next) {
        need |= ask_at(l)->need;
        weights[n++] = record_units(ask_at(l)->need);
    }
    post->fields = record_selected(need, n);
    post->price = post->pot->is_free ? 0 : record_price(post->fields, n);
    record_split(post->price, weights, n, shares);
    n = 0;
    for (struct link *l = post->asks.next; l != &post->asks; l = l->next)
        ask_at(l)->share = shares[n++];
    post->state = HOLDING;
    post->pot->n_under_way++;
    post->n_unheld = 1; /* until all are asked */
    for (struct link *l = post->asks.next, *next; l != &post->asks; l = next) {
        struct record_ask *a = ask_at(l);
        next = l->next;
        for (struct link *s = a->seats.next, *after; s != &a->seats; s = after) {
            after = s->next;
            hold_share(a, seat_at(s));
        }
    }
    post->n_unheld--;
    close_if_held(r, post);
}

void records_turn(struct records *r, struct records_post *post, int64_t now_ms)
{
    struct record_pot *pot = post->pot;
    if (post->is_again) {
        if (post->n)
            close_post(r, post);
        return;
    }
    struct plan_of_pot plan;
    size_t which = 0;
    plan_pot(pot, &plan);
    which = plan.post_of[0]; /* of the one that has waited longest, but full ones first */
    for (size_t i = plan.n_posts; plan.n_full && i-- > 0;)
        if (plan.posts[i].n == RECORD_MAX_TARGETS)
            which = i;
    link_out(&post->link);
    pot->n_posts--;
    link_before(&r->closed, &post->link);
    fill_post(r, post, &plan, which);
    close_post(r, post);
    look_at(r, pot, now_ms);
}

/* ---- the end ---- */

void records_answered(struct records *r, struct records_post *post, const struct records_answer *answer, int64_t now_ms)
{
    struct record_pot *pot = post->pot;
    bool had_turn = post->state != IN_LINE || post->is_again;
    link_out(&post->link);
    if (!had_turn)
        pot->n_posts--;
    link_before(&r->closed, &post->link); /* the pot stays for as long */
    if (had_turn)
        records_end_post(r, post, answer);
    else
        fail_pot(r, pot, &answer->failing);
    records_post_free(post);
    look_at(r, pot, now_ms);
    records_wake_by(r, now_ms); /* pots that are done with go */
}

void records_free(struct records *r)
{
    if (!r)
        return;
    for (int i = 0; i < RECORDS_BUCKETS; i++)
        for (struct link *l = r->buckets[i].next, *next; l != &r->buckets[i]; l = next) {
            struct record_ask *a = LINKED(l, struct record_ask, same_hash);
            next = l->next;
            for (struct record_seat *seat; (seat = first_seat(a));) {
                link_out(&seat->link);
                seat->ask = NULL;
            }
            free(a);
        }
    for (struct link *l = r->closed.next, *next; l != &r->closed; l = next) {
        next = l->next;
        free(LINKED(l, struct records_post, link));
    }
    for (struct link *p = r->pots.next, *next; p != &r->pots; p = next) {
        struct record_pot *pot = LINKED(p, struct record_pot, link);
        next = p->next;
        for (struct link *l = pot->posts.next, *after; l != &pot->posts; l = after) {
            after = l->next;
            free(LINKED(l, struct records_post, link));
        }
        free(pot);
    }
    free(r);
}
