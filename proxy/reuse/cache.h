/* SPDX-License-Identifier: MIT
 *
 * What is worth remembering, in bounded memory: the totals of a target, whole answers, and pieces of lists. What was
 * used longest ago makes room. One cache belongs to one v3 key.
 */
#ifndef ANCHORAGE_PROXY_REUSE_CACHE_H
#define ANCHORAGE_PROXY_REUSE_CACHE_H

#include <stdint.h>

#include "mapping/translation.h"

struct cache;

/* Holds at most `max_bytes`. NULL when memory is out. */
struct cache *cache_new(size_t max_bytes);
void cache_free(struct cache *c);

/* What it holds at most. */
size_t cache_max_bytes(const struct cache *c);

/* Of a target in a mode. Times are monotonic; 0: nothing is known. */
struct cache_totals {
    int64_t totals_until_ms, ratio_until_ms;
    int64_t totals;
    struct ratio ratio;
};

/* A whole answer. */
struct cache_answer {
    int64_t until_ms;
    int64_t results, rows, units_alone;
    struct slice marks, payer, body; /* payer: id of the call that asked v3 */
};

/* Consecutive rows of a list (proxy/reuse/pages.h). */
struct cache_piece {
    int64_t until_ms;
    int64_t rows_before, rows;
    bool whole;                /* the list ends with it */
    struct slice payer, bytes; /* payer: id of the call that asked v3 */
};

/* NULL when nothing is known. Valid until the next cache_keep_…. */
const struct cache_totals *cache_find_totals(struct cache *c, struct slice target, enum mode mode);
/* The entry, made when there is none, to be filled in; NULL when memory is out. */
struct cache_totals *cache_keep_totals(struct cache *c, struct slice target, enum mode mode);

/* False when there is none that is still good at `now_ms`. What *ret points to is valid until the next cache_keep_…. */
bool cache_find_answer(struct cache *c, struct slice question, int64_t now_ms, struct cache_answer *ret);
/* Copies all. False when it is too big, when too many others would have to go for it at once, or memory is out: then
 * there is none. */
bool cache_keep_answer(struct cache *c, struct slice question, const struct cache_answer *answer);

/* The same for the n-th piece of a list. */
bool cache_find_piece(struct cache *c, struct slice list, int n, int64_t now_ms, struct cache_piece *ret);
bool cache_keep_piece(struct cache *c, struct slice list, int n, const struct cache_piece *piece);

struct cache_stats {
    size_t entries, bytes, max_bytes;
};
struct cache_stats cache_stats(const struct cache *c);

#endif
