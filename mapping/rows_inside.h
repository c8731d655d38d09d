/* SPDX-License-Identifier: MIT
 * The inside of the row list, shared by rows.c and row_index.c. */
#ifndef ANCHORAGE_MAPPING_ROWS_INSIDE_H
#define ANCHORAGE_MAPPING_ROWS_INSIDE_H

#include "mapping/row.h"

/* The first block of rows and the first of texts are small ones: most answers are. */
enum { BLOCK_ROWS = 256, FIRST_ROWS = 8, POOL_BYTES = 32 * 1024, FIRST_POOL_BYTES = 1024, NO_ROW = 0xFFFFFFFFu };
enum { MERGED = 1 << 30, MAX_ROWS = MERGED - 1 };
enum { PART_BITS = 6, PARTS = 1 << PART_BITS, LONG_LIST = 4096, LONG_TEXTS = 256 * 1024, CATCH_UP = 4 };

struct pool_block {
    struct pool_block *next;
    char bytes[];
};

/* Numbers by keys: of rows by their folded keys, of all that came by their keys as they came. Two keys with one hash
 * are two. One part of it. */
struct index {
    struct numbered {
        uint32_t hash, number; /* NO_ROW: a free place */
    } * at;
    size_t room, n;
};

/* How two values of an order are compared: as v2 had them, and as v3 has them where that is something else. */
enum comparing { BY_TEXT, BY_WHOLE, BY_NUMBER, BY_FOLDED, BY_ROUNDED, BY_WORDS };

struct row_list {
    struct rows_options o;
    const struct field *f; /* of the table's list */
    int key;               /* the first field of the key */
    size_t stride;
    enum comparing comparing[REPORT_MAX_FIELDS]; /* by order */
    bool is_rounded;                             /* one of these is BY_ROUNDED or BY_WORDS */
    char **blocks;
    size_t n_blocks;
    uint32_t n, room; /* rows, and rows that the blocks have room for */
    size_t bytes;

    struct {
        struct pool_block *block;
        char *at;
        size_t left, text_bytes;
    } pool;

    uint32_t n_out; /* of these, merged ones that do not meet the checks */

    bool case_seen, disordered, resorted, paged;
    uint64_t moved_by;
    int64_t to_skip; /* of keys that repeat: rows at the front of this page that the one before has given */
    /* The last row that came whole. Paging goes on behind it. */
    bool is_of_this_page, last_was_merged;
    struct row *merged;   /* a copy of it, where it was merged */
    uint32_t n_with_last; /* rows when it had come; 0: there was none */
    bool any_broken;
    /* The fields that are in each row, without the key: numbers, texts and dates, and of these the ones that are texts.
     */
    struct {
        uint8_t wholes[REPORT_MAX_FIELDS], numbers[REPORT_MAX_FIELDS], texts[REPORT_MAX_FIELDS],
            words[REPORT_MAX_FIELDS];
        uint8_t n_wholes, n_numbers, n_texts, n_words;
    } fields;
    struct slice last_raw[REPORT_MAX_FIELDS]; /* the last row's dates as they came, where a fraction was cut */
    struct {
        struct index by_key[PARTS]; /* folded keys; of all rows once `case_seen` */
        struct index raw[PARTS];    /* unfolded keys; of all rows once `paged`, and of rows merged before that */
        struct slice **spellings; /* unfolded keys of merged rows, in blocks; their numbers in `raw` have MERGED set */
        uint32_t n_spellings;
        uint32_t n_by_key, n_raw; /* rows, from the first, that are in them */
        bool in_parts;            /* by_key and raw use all their parts */
    } keys;                       /* row_index.c's */
    struct row **sorted;
    uint32_t first; /* of those that rows_at shows */
};

/* Take `n` bytes of what the rows may hold. */
static inline bool charge(struct row_list *r, size_t n)
{
    if (n > r->o.max_bytes - r->bytes || !budget_take(r->o.budget, n))
        return false;
    r->bytes += n;
    return true;
}

static inline struct row *row_at(const struct row_list *r, uint32_t i)
{
    return (struct row *)(void *)(r->blocks[i / BLOCK_ROWS] + (i % BLOCK_ROWS) * r->stride);
}

static inline struct slice key_of(const struct row_list *r, const struct row *row)
{
    return row->cells[r->key].text;
}

static inline bool is_folded(const struct row_list *r, const struct row *row)
{
    return key_of(r, row).p != row->raw_key.p;
}

/* ---- row_index.c ---- */

static inline uint32_t keys_hash(struct slice key)
{
    uint32_t h = (uint32_t)slice_hash(key);
    return h ? h : 1;
}

uint32_t keys_hash_of_row(const struct row_list *r, struct row *row);
uint32_t keys_hash_of_values(const struct row_list *r, const struct scan_value *values);

/* A row with the key of this one, which is not in the index itself. */
struct row *keys_find(const struct row_list *r, struct row *like);

/* Whether a row with this unfolded key has come; `values` may be NULL where the key has one field. `h`: its hash. */
bool keys_have_come(const struct row_list *r, struct slice key, const struct scan_value *values, uint32_t h);

/* Put the rows up to number `n` into the index of folded keys, or of unfolded ones. False when memory is out. */
bool keys_index_up_to(struct row_list *r, uint32_t n);
bool keys_raw_up_to(struct row_list *r, uint32_t n);

/* The key of a row that was merged; `h`: its hash. */
bool keys_add_spelling(struct row_list *r, struct slice key, uint32_t h);

/* The next row is in the index of unfolded keys; `h`: the hash of its key. */
bool keys_add_raw(struct row_list *r, uint32_t h);

/* A few more rows into both, where they may be wanted of many rows at once. */
bool keys_catch_up(struct row_list *r);

#endif
