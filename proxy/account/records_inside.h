/* SPDX-License-Identifier: MIT
 * The inside of the desk for target records: what waits where. For the records files of this room. */
#ifndef ANCHORAGE_PROXY_ACCOUNT_RECORDS_INSIDE_H
#define ANCHORAGE_PROXY_ACCOUNT_RECORDS_INSIDE_H

#include "proxy/account/record_seat.h"

enum { RECORDS_BUCKETS = 1024, RECORDS_ID_SIZE = 32 };

/* One target of one record, for as many seats as want it. */
struct record_ask {
    struct link same_hash;
    struct link line;  /* in its pot's or its POST's asks */
    struct link seats; /* the first one pays */
    struct record_pot *pot;
    struct records_post *post; /* NULL: it waits in the pot */
    struct record_key key;     /* the texts stand behind the struct */
    struct slice name;         /* v3's text without the scheme */
    uint32_t need;
    int64_t arrived_ms;
    int64_t share;               /* of a closed POST's price */
    bool has_left_payer;         /* the one that pays has left, and owes its share as a guess */
    bool is_over;                /* it is in no list any more, its seats are being told */
    char payer[RECORDS_ID_SIZE]; /* of a closed POST: id of the call that pays */
    size_t payer_bytes;
};

struct record_pot {
    struct link link;
    struct link asks;  /* that wait, in the order they came */
    struct link posts; /* in the line for the rate, without targets yet */
    size_t n, n_posts;
    int n_under_way; /* POSTs that are closed and have not ended */
    int64_t last_ms; /* when the latest came */
    bool is_free;
    char country[4];
};

struct records_post {
    struct link link; /* in its pot's posts, or in records.closed */
    struct record_pot *pot;
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
    int n_coming;                         /* calls that will take a seat in a moment */
    int n_not_found;                      /* 404s in a row */
    int64_t wakes_ms;                     /* INT64_MAX: never */
    struct link buckets[RECORDS_BUCKETS]; /* asks, by host */
};

static inline struct record_ask *ask_at(struct link *line)
{
    return LINKED(line, struct record_ask, line);
}

static inline struct record_seat *seat_at(struct link *link)
{
    return LINKED(link, struct record_seat, link);
}

static inline struct record_ask *first_ask(const struct link *asks)
{
    return link_is_alone(asks) ? NULL : ask_at(asks->next);
}

static inline struct record_seat *first_seat(const struct record_ask *a)
{
    return link_is_alone(&a->seats) ? NULL : seat_at(a->seats.next);
}

extern const struct failing records_no_memory;

/* ---- asks ---- */

/* A new one that waits in the pot; NULL when memory is out. */
struct record_ask *record_ask_new(struct records *r, struct record_pot *pot, const struct record_key *key,
                                  int64_t now_ms);

/* One that will bring what is needed. A rating is the host's, whatever else the ask is of. */
struct record_ask *record_ask_find(struct records *r, const struct record_key *key, uint32_t need, bool is_fresh);

/* What its POST will bring is not decided yet. */
bool record_ask_is_open(const struct record_ask *a);

void record_ask_seat(struct record_ask *a, struct record_seat *seat, uint32_t need);

/* Some of its seats have left. */
void record_ask_add_up(struct record_ask *a);

/* It comes to its end: no other call finds it. Then record_ask_tell, which frees it, or record_ask_free alone. */
void record_ask_take_out(struct records *r, struct record_ask *a);
void record_ask_tell(struct record_ask *a, const struct record_news *news, int64_t units, int64_t predicted);
void record_ask_free(struct records *r, struct record_ask *a);

/* ---- pots and POSTs ---- */

/* Made if need be; NULL when memory is out. */
struct record_pot *record_pot_of(struct records *r, const struct record_key *key);

/* It waits for its turn, with no targets yet. NULL when memory is out. */
struct records_post *records_post_new(struct records *r, struct record_pot *pot, struct record_ask *first);
void records_post_free(struct records_post *post);

void records_wake_by(struct records *r, int64_t at_ms);

/* ---- the end of a POST (records_end.c) ---- */

/* It ended before it was sent. */
void records_end_unsent(struct records *r, struct records_post *post, const struct failing *failing);

/* Tell its targets what came of it, or let them go again. */
void records_end_post(struct records *r, struct records_post *post, const struct records_answer *answer);

#endif
