/* SPDX-License-Identifier: MIT
 * Rows in compact memory: fixed-size records in blocks, texts in a pool. Looking for equal keys costs nothing until a
 * key was changed by folding, or a second page came: only then an index of the keys is kept. A long list is indexed
 * along the way, a few rows with each that comes, and in parts that grow one by one, so that no row takes long. */
#include "mapping/rows.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "mapping/fold.h"

/* The first block of rows and the first of texts are small ones: most answers are. */
enum { BLOCK_ROWS = 256, FIRST_ROWS = 8, POOL_BYTES = 32 * 1024, FIRST_POOL_BYTES = 1024, NO_ROW = 0xFFFFFFFFu };
enum { PART_BITS = 6, PARTS = 1 << PART_BITS, LONG_LIST = 4096, CATCH_UP = 4 };

struct pool_block {
    struct pool_block *next;
    char bytes[];
};

/* Chained hash of row numbers by a key; one part of it. */
struct index {
    uint32_t *buckets;
    uint32_t room, n;
};

/* A set of 64-bit hashes; one part of it. */
struct set {
    uint64_t *at;
    size_t room, n;
};

struct row_list {
    struct rows_options o;
    size_t stride;
    char **blocks;
    size_t n_blocks;
    uint32_t n, room; /* rows, and rows that the blocks have room for */
    size_t bytes;

    struct pool_block *pool;
    char *pool_at;
    size_t pool_left;
    size_t text_bytes;

    bool case_seen, disordered, resorted, paged;
    bool has_last;
    struct row *merged; /* a copy of the last row that came, where it was merged: paging goes on behind it */
    bool last_was_merged;
    uint8_t wholes[TABLE_MAX_FIELDS], texts[TABLE_MAX_FIELDS]; /* the fields that are in each row, without the key */
    uint8_t n_wholes, n_texts;
    struct slice last_raw[TABLE_MAX_FIELDS]; /* its dates as they came, where a fraction was cut */
    struct index by_key[PARTS];              /* folded keys; of all rows once `case_seen` */
    struct set raw[PARTS];    /* unfolded keys; of all rows once `paged`, and of rows merged before that */
    uint32_t n_by_key, n_raw; /* rows, from the first, that are in them */
    bool in_parts;            /* by_key and raw use all their parts */
    struct row **sorted;
    uint32_t first; /* of those that rows_at shows */
};

static bool key_is_any_case(const struct table *t)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].field == t->key_field && t->columns[i].any_case)
            return true;
    return false;
}

struct row_list *rows_new(const struct rows_options *options)
{
    struct row_list *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->o = *options;
    r->stride = sizeof(struct row) + options->table->n_fields * sizeof(union cell);
    r->o.fold = options->fold && key_is_any_case(options->table);
    r->merged = calloc(1, r->stride);
    if (!r->merged) {
        free(r);
        return NULL;
    }
    for (size_t i = 0; i < options->table->n_fields; i++) {
        if (!(options->fields & 1u << i) || (int)i == options->table->key_field)
            continue;
        if (options->table->fields[i].type == VALUE_WHOLE)
            r->wholes[r->n_wholes++] = (uint8_t)i;
        else
            r->texts[r->n_texts++] = (uint8_t)i;
    }
    return r;
}

void rows_free(struct row_list *r)
{
    if (!r)
        return;
    for (struct pool_block *b = r->pool, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    for (size_t i = 0; i < r->n_blocks; i++)
        free(r->blocks[i]);
    free(r->blocks);
    for (int i = 0; i < PARTS; i++) {
        free(r->by_key[i].buckets);
        free(r->raw[i].at);
    }
    free(r->sorted);
    free(r->merged);
    budget_give(r->o.budget, r->bytes);
    free(r);
}

void rows_set_budget(struct row_list *r, struct budget *budget)
{
    r->o.budget = budget;
}

static bool charge(struct row_list *r, size_t n)
{
    if (n > r->o.max_bytes - r->bytes || !budget_take(r->o.budget, n))
        return false;
    r->bytes += n;
    return true;
}

/* `n` bytes of the pool, to be taken with pool_take; NULL when there is no room. */
static char *pool_reserve(struct row_list *r, size_t n)
{
    if (r->pool && r->pool_left >= n)
        return r->pool_at;
    size_t usual = r->pool ? POOL_BYTES : FIRST_POOL_BYTES, size = n > usual ? n : usual;
    struct pool_block *b = charge(r, size) ? malloc(sizeof *b + size) : NULL;
    if (!b)
        return NULL;
    b->next = r->pool;
    r->pool = b;
    r->pool_at = b->bytes;
    r->pool_left = size;
    return r->pool_at;
}

static struct slice pool_take(struct row_list *r, size_t n)
{
    struct slice s = slice_of(r->pool_at, n);
    r->pool_at += n;
    r->text_bytes += n;
    r->pool_left -= n;
    return s;
}

static bool pool_copy(struct row_list *r, struct slice text, struct slice *ret)
{
    char *to = pool_reserve(r, text.n);
    if (!to)
        return false;
    bytes_copy(to, text.p, text.n);
    *ret = pool_take(r, text.n);
    return true;
}

static struct row *row_at(const struct row_list *r, uint32_t i)
{
    return (struct row *)(void *)(r->blocks[i / BLOCK_ROWS] + (i % BLOCK_ROWS) * r->stride);
}

static bool add_block(struct row_list *r)
{
    if (r->n_blocks && (r->n_blocks & (r->n_blocks - 1)) == 0) { /* room for a power of two of blocks */
        char **more = realloc(r->blocks, r->n_blocks * 2 * sizeof *more);
        if (!more)
            return false;
        r->blocks = more;
    }
    char *block = charge(r, BLOCK_ROWS * r->stride) ? malloc(BLOCK_ROWS * r->stride) : NULL;
    if (!block)
        return false;
    r->blocks[r->n_blocks++] = block;
    r->room += BLOCK_ROWS;
    return true;
}

/* The first block grows to its full size. Rows are known by their numbers while they come, so they may move. */
static bool grow_first(struct row_list *r)
{
    uint32_t room = r->room ? BLOCK_ROWS : FIRST_ROWS;
    if (!r->blocks && !(r->blocks = calloc(1, sizeof *r->blocks)))
        return false;
    char *block = charge(r, (room - r->room) * r->stride) ? realloc(r->blocks[0], room * r->stride) : NULL;
    if (!block)
        return false;
    r->blocks[0] = block;
    r->n_blocks = 1;
    r->room = room;
    return true;
}

static struct row *next_row(struct row_list *r)
{
    if (r->n < r->room)
        return row_at(r, r->n);
    if (r->n >= NO_ROW - BLOCK_ROWS || !(r->room < BLOCK_ROWS ? grow_first(r) : add_block(r)))
        return NULL;
    return row_at(r, r->n);
}

/* ---- keys ---- */

static struct slice key_of(const struct row_list *r, const struct row *row)
{
    return row->cells[r->o.table->key_field].text;
}

/* A short list has one part. */
static size_t part_of(const struct row_list *r, uint64_t h)
{
    return r->in_parts ? (size_t)(h >> (64 - PART_BITS)) : 0;
}

static uint32_t first_room(const struct row_list *r)
{
    return r->in_parts ? 128 : 1024;
}

/* How many a part takes before it grows. They fill evenly: with the same bound they would all grow at once. */
static size_t bound_of(const struct row_list *r, size_t part, size_t most)
{
    return most - (r->in_parts ? most / 2 * part / PARTS : 0);
}

static bool index_grow(struct row_list *r, struct index *part)
{
    uint32_t room = part->room ? part->room * 2 : first_room(r);
    uint32_t *b = charge(r, room * sizeof *b) ? malloc(room * sizeof *b) : NULL;
    if (!b)
        return false;
    memset(b, 0xFF, room * sizeof *b);
    for (uint32_t k = 0; k < part->room; k++) {
        for (uint32_t i = part->buckets[k], next; i != NO_ROW; i = next) {
            struct row *row = row_at(r, i);
            uint32_t *at = &b[slice_hash(key_of(r, row)) & (room - 1)];
            next = row->chain;
            row->chain = *at;
            *at = i;
        }
    }
    free(part->buckets);
    part->buckets = b;
    part->room = room;
    return true;
}

static struct row *index_find(const struct row_list *r, struct slice key)
{
    uint64_t h = slice_hash(key);
    const struct index *part = &r->by_key[part_of(r, h)];
    uint32_t i = part->room ? part->buckets[h & (part->room - 1)] : NO_ROW;
    while (i != NO_ROW && !slice_eq(key_of(r, row_at(r, i)), key))
        i = row_at(r, i)->chain;
    return i == NO_ROW ? NULL : row_at(r, i);
}

/* Put the rows up to number `n` into the index. */
static bool index_up_to(struct row_list *r, uint32_t n)
{
    for (; r->n_by_key < n; r->n_by_key++) {
        struct row *row = row_at(r, r->n_by_key);
        uint64_t h = slice_hash(key_of(r, row));
        size_t i = part_of(r, h);
        struct index *part = &r->by_key[i];
        if (part->n >= bound_of(r, i, part->room) && !index_grow(r, part))
            return false;
        uint32_t *at = &part->buckets[h & (part->room - 1)];
        row->chain = *at;
        *at = r->n_by_key;
        part->n++;
    }
    return true;
}

static bool set_grow(struct row_list *r, struct set *s)
{
    size_t room = s->room ? s->room * 2 : first_room(r);
    uint64_t *grown = charge(r, room * sizeof *grown) ? calloc(room, sizeof *grown) : NULL;
    if (!grown)
        return false;
    for (size_t i = 0; i < s->room; i++) {
        if (!s->at[i])
            continue;
        size_t at = s->at[i] & (room - 1);
        while (grown[at])
            at = (at + 1) & (room - 1);
        grown[at] = s->at[i];
    }
    free(s->at);
    s->at = grown;
    s->room = room;
    return true;
}

/* The hashes alone are kept: at the five million rows of the largest call two keys have the same one with a chance
 * below one in a million. */
static bool raw_insert(struct row_list *r, uint64_t h, bool *was_there)
{
    size_t i = part_of(r, h);
    struct set *s = &r->raw[i];
    h |= h == 0;
    if (s->n >= bound_of(r, i, s->room / 4 * 3) && !set_grow(r, s))
        return false;
    size_t at = h & (s->room - 1);
    while (s->at[at] && s->at[at] != h)
        at = (at + 1) & (s->room - 1);
    *was_there = s->at[at] == h;
    if (!*was_there) {
        s->at[at] = h;
        s->n++;
    }
    return true;
}

static bool raw_up_to(struct row_list *r, uint32_t n)
{
    bool was_there;
    for (; r->n_raw < n; r->n_raw++)
        if (!raw_insert(r, slice_hash(row_at(r, r->n_raw)->raw_key), &was_there))
            return false;
    return true;
}

/* The list gets long: from one part to many. */
static bool split(struct row_list *r)
{
    struct set raw = r->raw[0];
    uint32_t n = r->n_by_key;
    bool ok = true, was_there;
    free(r->by_key[0].buckets);
    r->by_key[0] = (struct index){ 0 };
    r->raw[0] = (struct set){ 0 };
    r->in_parts = true;
    for (size_t i = 0; i < raw.room && ok; i++)
        ok = !raw.at[i] || raw_insert(r, raw.at[i], &was_there);
    free(raw.at);
    r->n_by_key = 0;
    return ok && index_up_to(r, n);
}

/* A few more rows into both, where they may be wanted of many rows at once. */
static bool catch_up(struct row_list *r)
{
    if (r->n == LONG_LIST && !r->in_parts && !split(r))
        return false;
    uint32_t keys = r->case_seen || r->n < r->n_by_key + CATCH_UP ? r->n : r->n_by_key + CATCH_UP;
    uint32_t raw = r->paged || r->n < r->n_raw + CATCH_UP ? r->n : r->n_raw + CATCH_UP;
    if (r->o.fold && (r->case_seen || r->n > LONG_LIST) && !index_up_to(r, keys))
        return false;
    return (!r->paged && r->n <= LONG_LIST) || raw_up_to(r, raw);
}

/* ---- order ---- */

static int compare_cells(enum value_type type, const union cell *a, const union cell *b)
{
    if (type == VALUE_WHOLE)
        return (a->whole > b->whole) - (a->whole < b->whole);
    return slice_cmp(a->text, b->text);
}

/* By the whole order; the key by its unfolded form when `raw`. */
static int compare(const struct row_list *r, const struct row *a, const struct row *b, bool raw)
{
    for (size_t i = 0; i < r->o.n_order; i++) {
        int field = r->o.order[i].field;
        int c = raw && field == r->o.table->key_field
                    ? slice_cmp(a->raw_key, b->raw_key)
                    : compare_cells(r->o.table->fields[field].type, &a->cells[field], &b->cells[field]);
        if (c)
            return r->o.order[i].descending ? -c : c;
    }
    return 0;
}

/* ---- adding ---- */

static bool copy_key(struct row_list *r, struct row *row, const struct scan_value *v)
{
    int key = r->o.table->key_field;
    if (!pool_copy(r, v->text, &row->raw_key))
        return false;
    row->cells[key].text = row->raw_key;
    if (!r->o.fold || !fold_changes(v->text))
        return true;
    char *to = pool_reserve(r, fold_room(v->text.n));
    if (!to)
        return false;
    row->cells[key].text = pool_take(r, fold_write(row->raw_key, to));
    if (!r->case_seen) {
        r->case_seen = true;
        return index_up_to(r, r->n);
    }
    return true;
}

static bool copy_text(struct row_list *r, struct row *row, size_t field, const struct scan_value *v)
{
    r->last_raw[field] = slice_of(NULL, 0);
    if (r->o.table->fields[field].type == VALUE_DATE && v->raw.n && !pool_copy(r, v->raw, &r->last_raw[field]))
        return false;
    return pool_copy(r, v->text, &row->cells[field].text);
}

static bool copy_row(struct row_list *r, struct row *row, const struct scan_value *values)
{
    int key = r->o.table->key_field;
    if (!copy_key(r, row, &values[key]))
        return false;
    row->plain = (uint32_t)values[key].plain << key;
    for (int k = 0; k < r->n_wholes; k++)
        row->cells[r->wholes[k]].whole = values[r->wholes[k]].whole;
    for (int k = 0; k < r->n_texts; k++) {
        int i = r->texts[k];
        row->plain |= (uint32_t)values[i].plain << i;
        if (!copy_text(r, row, (size_t)i, &values[i]))
            return false;
    }
    return true;
}

/* The last row that came. */
static const struct row *last_of(const struct row_list *r)
{
    return r->last_was_merged ? r->merged : row_at(r, r->n - 1);
}

static void note_order(struct row_list *r, const struct row *row)
{
    if (!r->has_last)
        return;
    if (!r->disordered && compare(r, last_of(r), row, true) > 0)
        r->disordered = true;
    if (r->case_seen && !r->resorted && compare(r, last_of(r), row, false) > 0)
        r->resorted = true;
}

static void merge(const struct row_list *r, struct row *into, const struct row *from)
{
    for (size_t i = 0; i < r->o.table->n_fields; i++) {
        union cell *a = &into->cells[i];
        const union cell *b = &from->cells[i];
        if (!(r->o.fields & 1u << i) || (int)i == r->o.table->key_field)
            continue;
        if (r->o.table->fields[i].type == VALUE_WHOLE) {
            if (__builtin_add_overflow(a->whole, b->whole, &a->whole))
                a->whole = INT64_MAX;
        } else if (slice_cmp(b->text, a->text) < 0) {
            a->text = b->text;
        }
    }
}

bool rows_begin_page(struct row_list *r)
{
    r->paged = true;
    return raw_up_to(r, r->n);
}

enum rows_added rows_add(struct row_list *r, const struct scan_value *values)
{
    struct row *row = next_row(r);
    if (r->paged) {
        bool was_there;
        if (!raw_insert(r, slice_hash(values[r->o.table->key_field].text), &was_there))
            return ROWS_FULL;
        if (was_there)
            return ROWS_SEEN_BEFORE;
    }
    if (!row || !copy_row(r, row, values))
        return ROWS_FULL;
    note_order(r, row);
    r->has_last = true;
    struct row *same = r->case_seen ? index_find(r, key_of(r, row)) : NULL;
    r->last_was_merged = same;
    if (same) {
        bool was_there;
        memcpy(r->merged, row, r->stride);
        merge(r, same, row);
        return r->paged || raw_insert(r, slice_hash(row->raw_key), &was_there) ? ROWS_MERGED : ROWS_FULL;
    }
    r->n++;
    if (r->paged)
        r->n_raw = r->n; /* it is there already */
    return catch_up(r) ? ROWS_NEW : ROWS_FULL;
}

/* ---- reading ---- */

int64_t rows_count(const struct row_list *r)
{
    return r->n;
}

size_t rows_text_bytes(const struct row_list *r)
{
    return r->text_bytes;
}

int64_t rows_sum(const struct row_list *r, int field)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (__builtin_add_overflow(sum, row_at(r, i)->cells[field].whole, &sum))
            return INT64_MAX;
    return sum;
}

bool rows_case_seen(const struct row_list *r)
{
    return r->case_seen;
}

bool rows_disordered(const struct row_list *r)
{
    return r->disordered;
}

bool rows_resorted(const struct row_list *r)
{
    return r->disordered || r->resorted;
}

bool rows_last(const struct row_list *r, struct filter_value values[TABLE_MAX_FIELDS])
{
    const struct table *t = r->o.table;
    const struct row *last = r->has_last ? last_of(r) : NULL;
    for (size_t i = 0; i < t->n_fields && last; i++) {
        if (!(r->o.fields & 1u << i))
            continue;
        if (t->fields[i].type == VALUE_WHOLE)
            values[i].whole = last->cells[i].whole;
        else
            values[i].text = (int)i == t->key_field ? last->raw_key
                             : r->last_raw[i].n     ? r->last_raw[i]
                                                    : last->cells[i].text;
    }
    return r->has_last;
}

static int compare_sorted(const void *a, const void *b, void *rows)
{
    return compare(rows, *(struct row *const *)a, *(struct row *const *)b, false);
}

/* v3's rows are in our order but for some ties: put each where it belongs. False when it would be more work than
 * sorting. */
static bool sort_nearly(struct row_list *r, size_t n)
{
    size_t moves = 0, most = n * 4;
    for (size_t i = 1; i < n; i++) {
        struct row *row = r->sorted[i];
        size_t at = i;
        while (at && compare(r, r->sorted[at - 1], row, false) > 0) {
            r->sorted[at] = r->sorted[at - 1];
            at--;
            moves++;
        }
        r->sorted[at] = row;
        if (moves > most)
            return false;
    }
    return true;
}

bool rows_finish(struct row_list *r, int64_t first, int64_t n)
{
    r->first = (uint32_t)first;
    if (!r->disordered && !r->case_seen)
        return true;
    size_t size = (n ? (size_t)n : 1) * sizeof(struct row *);
    r->sorted = charge(r, size) ? malloc(size) : NULL;
    if (!r->sorted)
        return false;
    for (uint32_t i = 0; i < n; i++)
        r->sorted[i] = row_at(r, r->first + i);
    if (!sort_nearly(r, (size_t)n))
        qsort_r(r->sorted, (size_t)n, sizeof(struct row *), compare_sorted, r);
    return true;
}

const struct row *rows_at(const struct row_list *r, int64_t i)
{
    return r->sorted ? r->sorted[i] : row_at(r, r->first + (uint32_t)i);
}
