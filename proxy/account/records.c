/* SPDX-License-Identifier: MIT
 * The desk for target records: which targets share a POST, when it goes, and what each pays. */
#include "proxy/account/records.h"

#include <stdlib.h>

enum { BUCKETS = 1024, LONGEST = 5 /* times gather_ms */, ID_SIZE = 32, PLAN_MOST = 400 /* targets in one turn */ };

/* One target of one record, for as many seats as want it. */
struct record_ask {
    struct link same_hash;
    struct link line;  /* in its pot's or its POST's asks */
    struct link seats; /* the first one pays */
    struct pot *pot;
    struct records_post *post; /* NULL: it waits in the pot */
    struct record_key key;     /* the texts stand behind the struct */
    struct slice name;         /* v3's text without the scheme */
    uint32_t need;
    int64_t arrived_ms;
    int64_t share;       /* of a closed POST's price */
    bool has_left_payer; /* the one that pays has left, and owes its share as a guess */
    bool is_over;        /* it is in no list any more, its seats are being told */
    char payer[ID_SIZE]; /* of a closed POST: id of the call that pays */
    size_t payer_bytes;
};

struct pot {
    struct link link;
    struct link asks;  /* that wait, in the order they came */
    struct link posts; /* in the line for the rate, without targets yet */
    size_t n, n_posts;
    int64_t last_ms; /* when the latest came */
    bool is_free;
    char country[4];
};

struct records_post {
    struct link link; /* in its pot's posts, or in records.closed */
    struct pot *pot;
    void *handle;
    enum {
        IN_LINE, /* open: the pot's targets may go with it; or, after a refusal, with those it has */
        HOLDING, /* closed; seats write their holds */
        SENT,
    } state;
    bool is_again;  /* its targets were refused together */
    bool is_doomed; /* to be cancelled in the next round: all its targets have gone */
    struct link asks;
    size_t n;
    uint32_t fields; /* that are selected, once it is closed */
    int64_t price;
    int n_unheld;
};

struct records {
    struct records_way way;
    int64_t gather_ms;
    struct link pots;
    struct link closed; /* POSTs with targets */
    size_t n_waiting;
    int64_t wakes_ms;             /* INT64_MAX: never */
    struct link buckets[BUCKETS]; /* asks, by host */
};

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
    for (int i = 0; i < BUCKETS; i++)
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

static struct record_ask *ask_at(struct link *line)
{
    return LINKED(line, struct record_ask, line);
}

static struct record_seat *seat_at(struct link *link)
{
    return LINKED(link, struct record_seat, link);
}

static struct record_ask *first_ask(const struct link *asks)
{
    return link_is_alone(asks) ? NULL : ask_at(asks->next);
}

static struct record_seat *first_seat(const struct record_ask *a)
{
    return link_is_alone(&a->seats) ? NULL : seat_at(a->seats.next);
}

/* ---- asks ---- */

static struct link *bucket_of(struct records *r, struct slice host)
{
    return &r->buckets[slice_hash(host) % BUCKETS];
}

static struct slice put_text(char **to, struct slice s)
{
    struct slice copy = slice_of(*to, s.n);
    if (s.n)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return copy;
}

static struct record_ask *ask_new(struct records *r, struct pot *pot, const struct record_key *key, int64_t now_ms)
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
static void take_out(struct records *r, struct record_ask *a)
{
    leave_line(r, a);
    link_out(&a->same_hash);
    a->is_over = true;
}

static void ask_free(struct records *r, struct record_ask *a)
{
    take_out(r, a);
    free(a);
}

/* What its POST will bring is not decided yet. */
static bool is_open(const struct record_ask *a)
{
    return !a->post || a->post->state == IN_LINE;
}

static bool is_the_same(const struct record_ask *a, const struct record_key *key)
{
    return a->key.mode == key->mode && a->key.is_free == key->is_free && slice_eq(a->key.country, key->country) &&
           slice_eq(a->name, record_target_name(key->v3));
}

/* An ask that will bring what is needed. A rating is the host's, whatever else the ask is of. */
static struct record_ask *find_ask(struct records *r, const struct record_key *key, uint32_t need, bool is_fresh)
{
    struct link *bucket = bucket_of(r, key->host);
    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        struct record_ask *a = LINKED(l, struct record_ask, same_hash);
        bool fits = slice_eq(a->key.host, key->host) && a->key.is_free == key->is_free &&
                    (!(need & ~(uint32_t)RECORD_OF_HOST) || is_the_same(a, key));
        if (fits && (is_open(a) || (!is_fresh && !(need & ~a->post->fields))))
            return a;
    }
    return NULL;
}

static void add_up_need(struct record_ask *a)
{
    a->need = 0;
    for (struct link *l = a->seats.next; l != &a->seats; l = l->next)
        a->need |= seat_at(l)->need;
}

static void take_seat(struct record_ask *a, struct record_seat *seat, uint32_t need)
{
    seat->ask = a;
    seat->need = need;
    seat->n_unheld = 0;
    link_init(&seat->link);
    link_before(&a->seats, &seat->link);
    if (is_open(a))
        a->need |= need;
}

/* ---- pots ---- */

static struct pot *pot_of(struct records *r, const struct record_key *key)
{
    for (struct link *l = r->pots.next; l != &r->pots; l = l->next) {
        struct pot *pot = LINKED(l, struct pot, link);
        if (pot->is_free == key->is_free && slice_eq(slice_str(pot->country), key->country))
            return pot;
    }
    struct pot *pot = key->country.n < sizeof pot->country ? calloc(1, sizeof *pot) : NULL;
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

static struct records_post *post_new(struct records *r, struct pot *pot, struct record_ask *first)
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

static void post_free(struct records_post *post)
{
    link_out(&post->link);
    free(post);
}

/* A POST that waits in the line is not needed any more. */
static void drop_post(struct records *r, struct pot *pot)
{
    struct records_post *post = LINKED(pot->posts.before, struct records_post, link);
    void *handle = post->handle;
    pot->n_posts--;
    post_free(post);
    r->way.cancel(r->way.context, handle);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When what waits in a pot that is not empty is to go. */
static int64_t due_ms(const struct records *r, const struct pot *pot)
{
    return least(pot->last_ms + r->gather_ms, ask_at(pot->asks.next)->arrived_ms + LONGEST * r->gather_ms);
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

static void plan_pot(const struct pot *pot, struct plan_of_pot *p)
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
static size_t posts_wanted(const struct records *r, const struct pot *pot, int64_t now_ms)
{
    struct plan_of_pot plan;
    bool is_due = pot->n && due_ms(r, pot) <= now_ms;
    if (!pot->n || (!is_due && pot->n < RECORD_MAX_TARGETS))
        return 0;
    plan_pot(pot, &plan);
    return is_due ? plan.n_posts : plan.n_full;
}

static void tell_all(struct record_ask *a, const struct record_news *news, int64_t units, int64_t predicted);

static void fail_pot(struct records *r, struct pot *pot, const struct failing *failing)
{
    struct record_news news = { .failing = *failing };
    struct link asks;
    link_init(&asks);
    for (struct record_ask *a; (a = first_ask(&pot->asks));) { /* what joins meanwhile is not theirs */
        take_out(r, a);
        link_before(&asks, &a->line);
    }
    for (struct record_ask *a; (a = first_ask(&asks));) {
        link_out(&a->line);
        tell_all(a, &news, 0, 0);
    }
}

static const struct failing no_memory = { .refusal = { FAULT_TOO_BUSY, SLICE("memory is out; try again later") },
                                          .retry_after_ms = 1000 };

/* Bring the POSTs in the line to the number that the pot needs. */
static void fill_line(struct records *r, struct pot *pot, int64_t now_ms)
{
    size_t wanted = posts_wanted(r, pot, now_ms);
    while (pot->n_posts < wanted) {
        struct records_post *post = post_new(r, pot, first_ask(&pot->asks));
        if (!post) {
            if (!pot->n_posts)
                fail_pot(r, pot, &no_memory);
            return;
        }
        link_before(&pot->posts, &post->link);
        pot->n_posts++;
    }
    while (pot->n_posts > wanted)
        drop_post(r, pot);
}

/* ---- time ---- */

static void wake_by(struct records *r, int64_t at_ms)
{
    if (at_ms >= r->wakes_ms)
        return;
    r->wakes_ms = at_ms;
    r->way.wake_at(r->way.context, at_ms);
}

/* Something has changed in a pot. */
static void look_at(struct records *r, struct pot *pot, int64_t now_ms)
{
    fill_line(r, pot, now_ms);
    if (pot->n && due_ms(r, pot) > now_ms)
        wake_by(r, due_ms(r, pot));
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
        post_free(post);
        r->way.cancel(r->way.context, handle);
    }
}

static bool is_used(const struct records *r, const struct pot *pot)
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
        struct pot *pot = LINKED(l, struct pot, link);
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
    struct record_ask *a = find_ask(r, key, need, seat->is_fresh);
    struct pot *pot = a ? a->pot : pot_of(r, key);
    if (!a && pot)
        a = ask_new(r, pot, key, now_ms);
    if (!a)
        return false;
    take_seat(a, seat, need);
    if (!is_open(a)) {
        hold_share(a, seat);
        return true;
    }
    for (struct link *l = pot->posts.next; l != &pot->posts; l = l->next)
        r->way.hurry(r->way.context, LINKED(l, struct records_post, link)->handle, seat->team);
    if (a->post)
        r->way.hurry(r->way.context, a->post->handle, seat->team);
    /* At the earliest when all that came in this round of the loop has joined. */
    if (pot->n)
        wake_by(r, pot->n < RECORD_MAX_TARGETS && due_ms(r, pot) > now_ms ? due_ms(r, pot) : now_ms);
    return true;
}

bool records_is_closed(const struct record_seat *seat)
{
    return seat->ask && !is_open(seat->ask);
}

static void close_if_held(struct records *r, struct records_post *post);

/* No seat is left in it, and its POST has not gone. */
static void take_back(struct records *r, struct record_ask *a, int64_t now_ms)
{
    struct records_post *post = a->post;
    struct pot *pot = a->pot;
    ask_free(r, a);
    if (!post) {
        fill_line(r, pot, now_ms);
    } else if (!post->n) {
        post->is_doomed = true;
        wake_by(r, now_ms);
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
        add_up_need(a);
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

static void end_post(struct records *r, struct records_post *post, const struct failing *failing);

static void close_if_held(struct records *r, struct records_post *post)
{
    if (post->n_unheld || post->state != HOLDING || !post->n)
        return;
    struct buffer body = { 0 };
    write_body(post, &body);
    post->state = SENT;
    if (body.failed || !r->way.send(r->way.context, post->handle, buffer_slice(&body))) {
        end_post(r, post, &no_memory);
        post->is_doomed = true;
        wake_by(r, INT64_MIN);
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
        take_out(r, a);
        tell_all(a, &news, 0, 0);
        if (!post->n) {
            post->is_doomed = true;
            wake_by(r, now_ms);
        }
    }
    close_if_held(r, post);
}

/* Move the targets of one POST of the plan out of the pot. */
static void fill_post(struct records *r, struct records_post *post, const struct plan_of_pot *plan, size_t which)
{
    struct pot *pot = post->pot;
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
    struct pot *pot = post->pot;
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

/* The ask was taken out, and is freed. */
static void tell_all(struct record_ask *a, const struct record_news *news, int64_t units, int64_t predicted)
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
        take_out(r, a);
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
        tell_all(a, &news, shares[i], may_have_cost ? a->share : 0);
    }
}

/* It ended before it was sent. */
static void end_post(struct records *r, struct records_post *post, const struct failing *failing)
{
    tell_post(r, post, NULL, failing, 0, false);
}

/* One target is the reason why the POST was refused. */
static void refuse_one(struct records *r, struct record_ask *a, const struct failing *failing)
{
    struct record_news news = { .failing = *failing };
    news.failing.refusal.fault = FAULT_BAD_TARGET;
    take_out(r, a);
    tell_all(a, &news, 0, 0);
}

/* Let `n` targets of a refused POST go again by themselves. */
static void go_again(struct records *r, struct records_post *refused, size_t n)
{
    struct record_ask *first = first_ask(&refused->asks);
    struct records_post *post = first ? post_new(r, refused->pot, first) : NULL;
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
        end_post(r, &lost, &no_memory);
    }
}

/* Those whose last call has left are not asked for again. */
static void drop_left(struct records *r, struct records_post *post)
{
    for (struct link *l = post->asks.next, *next; l != &post->asks; l = next) {
        struct record_ask *a = ask_at(l);
        next = l->next;
        if (link_is_alone(&a->seats)) {
            ask_free(r, a);
            continue;
        }
        a->has_left_payer = false; /* what the one that left was booked with is a guess that was too high */
        add_up_need(a);
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
static bool is_for_target(const struct records_post *post, const struct records_answer *answer)
{
    struct record_target targets[RECORD_MAX_TARGETS];
    size_t n = 0;
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
    const char *why = records ? record_read(answer->body, post->fields, post->n, records) : "memory is out";
    char text[160];
    if (why) {
        struct buffer b = { .p = text, .room = sizeof text, .max_bytes = sizeof text };
        buffer_printf(&b, "API v3's answer is not what it promises: %s", why);
        failing.refusal.why = buffer_slice(&b);
        if (!records)
            failing = no_memory;
    }
    tell_post(r, post, why ? NULL : records, why ? &failing : NULL, answer->units, answer->may_have_cost);
    free(records);
}

void records_answered(struct records *r, struct records_post *post, const struct records_answer *answer, int64_t now_ms)
{
    struct pot *pot = post->pot;
    bool had_turn = post->state != IN_LINE || post->is_again;
    link_out(&post->link);
    if (!had_turn)
        pot->n_posts--;
    link_before(&r->closed, &post->link); /* the pot stays for as long */
    if (!had_turn)
        fail_pot(r, pot, &answer->failing);
    else if (!answer->failing.refusal.fault)
        take_answer(r, post, answer);
    else if (is_for_target(post, answer))
        refused(r, post, &answer->failing);
    else
        tell_post(r, post, NULL, &answer->failing, answer->units, answer->may_have_cost);
    post_free(post);
    look_at(r, pot, now_ms);
    wake_by(r, now_ms); /* pots that are done with go */
}

void records_free(struct records *r)
{
    if (!r)
        return;
    for (int i = 0; i < BUCKETS; i++)
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
        struct pot *pot = LINKED(p, struct pot, link);
        next = p->next;
        for (struct link *l = pot->posts.next, *after; l != &pot->posts; l = after) {
            after = l->next;
            free(LINKED(l, struct records_post, link));
        }
        free(pot);
    }
    free(r);
}
