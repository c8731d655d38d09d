/* SPDX-License-Identifier: MIT
 *
 * An account is all that belongs to one v3 key: the way to v3 with its rate and breaker, what is remembered, what v3's
 * answers have shown, what v3 says of the key. No account shares any of it with another. The first account is the main
 * one, of [upstream] api_key_file; the others belong to teams with a key of their own. Files that hold the same key
 * make one account, since v3 counts by key.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_ACCOUNT_H
#define ANCHORAGE_PROXY_ACCOUNT_ACCOUNT_H

#include "config/config.h"
#include "mapping/subscription.h"
#include "proxy/reuse/cache.h"
#include "proxy/reuse/flight.h"
#include "proxy/upstream/upstream.h"

struct record_desk;

enum { ACCOUNT_LABEL_SIZE = 80 };

struct account {
    char label[ACCOUNT_LABEL_SIZE]; /* "main", or the first team that has the key */
    struct upstream *upstream;
    struct cache *cache;
    struct flights *flights;
    struct record_desk *desk;

    /* The answers have shown this. */
    struct translation_seen seen;
    int64_t learnt_page_rows; /* 0: nothing was learnt */
    bool charges_free;        /* v3 took units for a target that it calls free: all of them count as others */
    int64_t odd_prices;       /* how many prices were not believed */
    int64_t odd_units;        /* the latest of them */
    int64_t shouted_ms;       /* when the last one was told, monotonic; 0: none was */

    /* V3 says this of the key; units are as of the last look. */
    struct subscription subscription;
    int64_t looked_ms; /* when it said so, monotonic; 0: never */
    struct drift drift;
    int64_t units_booked; /* units that our calls have settled since the start */

    /* It is called when v3 refused a request for want of units. NULL: the key is not watched. */
    void (*on_out_of_units)(void *context);
    void *out_of_units_context;
};

struct accounts {
    struct account *list; /* an account never moves while it is open */
    size_t n;
    struct key_file *files; /* which account each file led to */
    size_t n_files;
};

/* Read the keys of `config` and make the ways to v3. All caches together hold `cache_bytes` at most. False with a line
 * in `why`; accounts_close may be called either way. */
[[nodiscard]] bool accounts_open(struct accounts *a, struct event_base *base, const struct config *config,
                                 size_t cache_bytes, struct buffer *why);
void accounts_close(struct accounts *a);

/* The account that a team's calls are made with. NULL when the team names a key file that was not read
 * when the accounts were opened. */
struct account *accounts_of_team(const struct accounts *a, const struct config_team *team);

/* Write a line for each key file that cannot be read: "FILE:LINE: why". True when all can be read. */
bool accounts_check(const struct config *config, struct buffer *out);

/* How many rows v3 gives in one answer, by the plan and by what answers have shown; 0: not known, or no cap. */
int64_t account_page_rows(const struct account *a);

/* Whether v3 may have taken `units` for a request that costs `price` at most by our table, under a limit of `whole` for
 * all (CONFIG_UNLIMITED, CONFIG_UNSET: none). What is not believed is counted. */
[[nodiscard]] bool account_believes(struct account *a, int64_t units, int64_t price, int64_t whole);

/* Whether what v3 does wrong with prices should be told now: once a minute. */
[[nodiscard]] bool account_shouts(struct account *a);

/* What v3 calls the plan is shown and written down: not when it tells of the key. */
void account_clean(const struct account *a, struct subscription *s);

/* Take what v3 has told of the key. What was learnt under another plan is forgotten. */
void account_take(struct account *a, const struct subscription *s);

#endif
