/* SPDX-License-Identifier: MIT
 *
 * The desk of a v3 key as calls meet it: records.h on the key's way to v3, its cache and the loop's clock.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_RECORD_DESK_H
#define ANCHORAGE_PROXY_ACCOUNT_RECORD_DESK_H

#include "proxy/account/records.h"
#include "proxy/reuse/cache.h"
#include "proxy/upstream/upstream.h"

struct event_base;
struct record_desk;

/* What the settings of a call say; those of the latest count. */
struct record_manner {
    int64_t gather_ms, ttl_ms; /* ttl_ms 0: nothing is remembered */
    int64_t timeout_ms;        /* of a whole call: a POST waits for its turn no longer */
    int64_t whole_units;       /* of a month, of all; less than 0: no limit */
};

struct record_desk_options {
    struct upstream *upstream;
    struct cache *cache;
    /* What a POST took by its headers, where our table says `price`; -1: not known, or not to be believed. */
    int64_t (*taken)(void *context, const struct upstream_result *result, int64_t price, bool is_free,
                     int64_t whole_units);
    void *context;
};

/* NULL when memory is out. It must be freed before the upstream and the cache. */
struct record_desk *record_desk_new(struct event_base *base, const struct record_desk_options *options);
/* Nothing is told any more. NULL is allowed. */
void record_desk_free(struct record_desk *d);

/* What is remembered of a record, when that is all of `need`: more fields may be known. */
bool record_desk_recall(struct record_desk *d, const struct record_key *key, uint32_t need, struct record *ret,
                        char payer[CACHE_PAYER_SIZE]);

/* See records.h. */
[[nodiscard]] bool record_desk_join(struct record_desk *d, struct record_seat *seat, const struct record_key *key,
                                    uint32_t need, const struct record_manner *manner);
void record_desk_coming(struct record_desk *d, bool comes);
int64_t record_desk_leave(struct record_desk *d, struct record_seat *seat);
void record_desk_held(struct record_desk *d, struct record_seat *seat, bool done);

/* POSTs that have gone out, of all time. */
uint64_t record_desk_sent(const struct record_desk *d);

#endif
