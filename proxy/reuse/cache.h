/* SPDX-License-Identifier: MIT
 *
 * What is worth remembering, in bounded memory: parts of answers, whole answers, and pieces of lists. What was
 * used longest ago makes room. One cache belongs to one v3 key.
 */
#ifndef ANCHORAGE_PROXY_REUSE_CACHE_H
#define ANCHORAGE_PROXY_REUSE_CACHE_H

#include <stdint.h>

#include "mapping/record.h"
#include "mapping/table.h"
#include "mapping/target.h"

struct cache;

/* Holds at most `max_bytes`. NULL when memory is out. */
struct cache *cache_new(size_t max_bytes);
void cache_free(struct cache *c);

/* What it holds at most. */
size_t cache_max_bytes(const struct cache *c);

/* A whole answer. Times are monotonic. */
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

/* The part of this name of a target in a mode, as translation_part hands it out. *ret is valid until the next
 * cache_keep_…. */
bool cache_find_part(struct cache *c, const struct part *part, const struct target *target, int64_t now_ms,
                     struct slice *ret);
bool cache_keep_part(struct cache *c, const struct part *part, const struct target *target, int64_t until_ms,
                     struct slice bytes);

/* False when there is none that is still good at `now_ms`. What *ret points to is valid until the next cache_keep_…. */
bool cache_find_answer(struct cache *c, struct slice question, int64_t now_ms, struct cache_answer *ret);
/* Copies all. False when it is too big, when too many others would have to go for it at once, or memory is out: then
 * there is none. */
bool cache_keep_answer(struct cache *c, struct slice question, const struct cache_answer *answer);

/* The same for the n-th piece of a list. */
bool cache_find_piece(struct cache *c, struct slice list, int n, int64_t now_ms, struct cache_piece *ret);
bool cache_keep_piece(struct cache *c, struct slice list, int n, const struct cache_piece *piece);

/* A target record, field by field; a field is good until its own time. payer: id of the call that paid for the latest,
 * NUL behind it. */
enum { CACHE_PAYER_SIZE = 32 };
struct cache_record {
    int64_t until_ms[RECORD_FIELDS];
    struct record record;
    char payer[CACHE_PAYER_SIZE];
};

/* NULL when there is none, or when memory is out; `n` tells records of one text apart. */
struct cache_record *cache_find_record(struct cache *c, struct slice text, int n);
struct cache_record *cache_keep_record(struct cache *c, struct slice text, int n);

struct cache_stats {
    size_t entries, bytes, max_bytes;
};
struct cache_stats cache_stats(const struct cache *c);

#endif
