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

struct row_list {
    struct rows_options o;
    size_t stride;
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
    /* The last row that came whole. Paging goes on behind it. */
    bool is_of_this_page, last_was_merged;
    struct row *merged;   /* a copy of it, where it was merged */
    uint32_t n_with_last; /* rows when it had come; 0: there was none */
    bool any_broken;
    /* The fields that are in each row, without the key: numbers, texts and dates, and of these the ones that are texts.
     */
    struct {
        uint8_t wholes[TABLE_MAX_FIELDS], texts[TABLE_MAX_FIELDS], words[TABLE_MAX_FIELDS];
        uint8_t n_wholes, n_texts, n_words;
    } fields;
    struct slice last_raw[TABLE_MAX_FIELDS]; /* the last row's dates as they came, where a fraction was cut */
    struct index by_key[PARTS];              /* folded keys; of all rows once `case_seen` */
    struct index raw[PARTS];  /* unfolded keys; of all rows once `paged`, and of rows merged before that */
    struct slice **spellings; /* unfolded keys of merged rows, in blocks; their numbers in `raw` have MERGED set */
    uint32_t n_spellings;
    uint32_t n_by_key, n_raw; /* rows, from the first, that are in them */
    bool in_parts;            /* by_key and raw use all their parts */
    struct row **sorted;
    uint32_t first; /* of those that rows_at shows */
};

struct row_list *rows_new(const struct rows_options *options)
{
    struct row_list *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->o = *options;
    r->stride = sizeof(struct row) + options->table->n_fields * sizeof(union cell);
    r->o.fold = options->fold && table_folds(options->table);
    r->merged = calloc(1, r->stride);
    if (!r->merged) {
        free(r);
        return NULL;
    }
    for (size_t i = 0; i < options->table->n_fields; i++) {
        if (!(options->fields & 1u << i) || (int)i == options->table->key_field)
            continue;
        if (options->table->fields[i].type == VALUE_WHOLE)
            r->fields.wholes[r->fields.n_wholes++] = (uint8_t)i;
        else
            r->fields.texts[r->fields.n_texts++] = (uint8_t)i;
        if (options->table->fields[i].type == VALUE_TEXT)
            r->fields.words[r->fields.n_words++] = (uint8_t)i;
    }
    return r;
}

void rows_free(struct row_list *r)
{
    if (!r)
        return;
    for (struct pool_block *b = r->pool.block, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    for (size_t i = 0; i < r->n_blocks; i++)
        free(r->blocks[i]);
    free(r->blocks);
    for (int i = 0; i < PARTS; i++) {
        free(r->by_key[i].at);
        free(r->raw[i].at);
    }
    for (size_t i = 0; i * BLOCK_ROWS < r->n_spellings; i++)
        free(r->spellings[i]);
    free(r->spellings);
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
    if (r->pool.block && r->pool.left >= n)
        return r->pool.at;
    size_t usual = r->pool.block ? POOL_BYTES : FIRST_POOL_BYTES, size = n > usual ? n : usual;
    struct pool_block *b = charge(r, size) ? malloc(sizeof *b + size) : NULL;
    if (!b)
        return NULL;
    b->next = r->pool.block;
    r->pool.block = b;
    r->pool.at = b->bytes;
    r->pool.left = size;
    return r->pool.at;
}

static struct slice pool_take(struct row_list *r, size_t n)
{
    struct slice s = slice_of(r->pool.at, n);
    r->pool.at += n;
    r->pool.text_bytes += n;
    r->pool.left -= n;
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
    if (r->n == MAX_ROWS || !(r->room < BLOCK_ROWS ? grow_first(r) : add_block(r)))
        return NULL;
    return row_at(r, r->n);
}

/* ---- keys ---- */

static struct slice key_of(const struct row_list *r, const struct row *row)
{
    return row->cells[r->o.table->key_field].text;
}

static uint32_t hash_of(struct slice key)
{
    uint32_t h = (uint32_t)slice_hash(key);
    return h ? h : 1;
}

static uint32_t hash_of_row(const struct row_list *r, struct row *row)
{
    if (!row->hash)
        row->hash = hash_of(key_of(r, row));
    return row->hash;
}

static bool is_folded(const struct row_list *r, const struct row *row)
{
    return key_of(r, row).p != row->raw_key.p;
}

/* A short list has one part. */
static size_t part_of(const struct row_list *r, uint32_t h)
{
    return r->in_parts ? h >> (32 - PART_BITS) : 0;
}

static size_t first_room(const struct row_list *r)
{
    return r->in_parts ? 128 : 1024;
}

/* How many a part takes before it grows. They fill evenly: with the same bound they would all grow at once. */
static size_t bound_of(const struct row_list *r, size_t part, size_t room)
{
    size_t most = room / 4 * 3;
    return most - (r->in_parts ? most / 2 * part / PARTS : 0);
}

/* An unfolded key by its number. */
static struct slice raw_key(const struct row_list *r, uint32_t number)
{
    uint32_t i = number & (MERGED - 1);
    return number & MERGED ? r->spellings[i / BLOCK_ROWS][i % BLOCK_ROWS] : row_at(r, number)->raw_key;
}

static void index_put(struct index *part, struct numbered key)
{
    size_t i = key.hash & (part->room - 1);
    while (part->at[i].number != NO_ROW)
        i = (i + 1) & (part->room - 1);
    part->at[i] = key;
    part->n++;
}

/* Room for one more. */
static bool index_grow(struct row_list *r, struct index *part, size_t number)
{
    if (part->n < bound_of(r, number, part->room))
        return true;
    struct index grown = { .room = part->room ? part->room * 2 : first_room(r) };
    size_t size = grown.room * sizeof *grown.at;
    grown.at = charge(r, size) ? malloc(size) : NULL;
    if (!grown.at)
        return false;
    memset(grown.at, 0xFF, size);
    for (size_t i = 0; i < part->room; i++)
        if (part->at[i].number != NO_ROW)
            index_put(&grown, part->at[i]);
    free(part->at);
    *part = grown;
    return true;
}

static bool index_add(struct row_list *r, struct index *parts, struct numbered key)
{
    size_t i = part_of(r, key.hash);
    if (!index_grow(r, &parts[i], i))
        return false;
    index_put(&parts[i], key);
    return true;
}

/* A row with the key of this one, which is not in the index itself. */
static struct row *find_row(const struct row_list *r, struct row *like)
{
    struct slice key = key_of(r, like);
    uint32_t h = hash_of_row(r, like);
    const struct index *part = &r->by_key[part_of(r, h)];
    size_t last = part->room - 1;
    for (size_t i = h & last; part->room && part->at[i].number != NO_ROW; i = (i + 1) & last)
        if (part->at[i].hash == h && slice_eq(key_of(r, row_at(r, part->at[i].number)), key))
            return row_at(r, part->at[i].number);
    return NULL;
}

static bool has_come(const struct row_list *r, struct slice key, uint32_t h)
{
    const struct index *part = &r->raw[part_of(r, h)];
    size_t last = part->room - 1;
    for (size_t i = h & last; part->room && part->at[i].number != NO_ROW; i = (i + 1) & last)
        if (part->at[i].hash == h && slice_eq(raw_key(r, part->at[i].number), key))
            return true;
    return false;
}

/* Put the rows up to number `n` into the index. A broken key is like no other. */
static bool index_up_to(struct row_list *r, uint32_t n)
{
    for (; r->n_by_key < n; r->n_by_key++) {
        struct row *row = row_at(r, r->n_by_key);
        if (!(row->plain & ROW_BROKEN) &&
            !index_add(r, r->by_key, (struct numbered){ hash_of_row(r, row), r->n_by_key }))
            return false;
    }
    return true;
}

static bool raw_up_to(struct row_list *r, uint32_t n)
{
    for (; r->n_raw < n; r->n_raw++) {
        struct row *row = row_at(r, r->n_raw);
        if (row->plain & ROW_BROKEN)
            continue;
        uint32_t h = is_folded(r, row) ? hash_of(row->raw_key) : hash_of_row(r, row);
        if (!index_add(r, r->raw, (struct numbered){ h, r->n_raw }))
            return false;
    }
    return true;
}

/* The key of a row that was merged; `h`: its hash. */
static bool add_spelling(struct row_list *r, struct slice key, uint32_t h)
{
    uint32_t n = r->n_spellings, block = n / BLOCK_ROWS;
    if (n == MAX_ROWS)
        return false;
    if (n % BLOCK_ROWS == 0) {
        if ((block & (block - 1)) == 0) { /* room for a power of two of blocks */
            struct slice **more = realloc(r->spellings, (block ? block * 2 : 1) * sizeof(struct slice *));
            if (!more)
                return false;
            r->spellings = more;
        }
        size_t size = BLOCK_ROWS * sizeof(struct slice);
        r->spellings[block] = charge(r, size) ? malloc(size) : NULL;
        if (!r->spellings[block])
            return false;
    }
    r->spellings[block][n % BLOCK_ROWS] = key;
    r->n_spellings++;
    return index_add(r, r->raw, (struct numbered){ h, n | MERGED });
}

/* The list gets long: from one part to many. */
static bool split(struct row_list *r)
{
    struct index raw = r->raw[0];
    uint32_t n = r->n_by_key;
    bool ok = true;
    free(r->by_key[0].at);
    r->by_key[0] = (struct index){ 0 };
    r->raw[0] = (struct index){ 0 };
    r->in_parts = true;
    for (size_t i = 0; i < raw.room && ok; i++)
        ok = raw.at[i].number == NO_ROW || index_add(r, r->raw, raw.at[i]);
    free(raw.at);
    r->n_by_key = 0;
    return ok && index_up_to(r, n);
}

/* In rows, or in bytes of its texts. */
static bool is_long(const struct row_list *r)
{
    return r->n > LONG_LIST || r->pool.text_bytes > LONG_TEXTS;
}

/* A few more rows into both, where they may be wanted of many rows at once. */
static bool catch_up(struct row_list *r)
{
    if (r->n == LONG_LIST && !r->in_parts && !split(r))
        return false;
    uint32_t keys = r->case_seen || r->n < r->n_by_key + CATCH_UP ? r->n : r->n_by_key + CATCH_UP;
    uint32_t raw = r->n < r->n_raw + CATCH_UP ? r->n : r->n_raw + CATCH_UP;
    if (r->o.fold && (r->case_seen || is_long(r)) && !index_up_to(r, keys))
        return false;
    return (!r->paged && !is_long(r)) || raw_up_to(r, r->paged ? r->n : raw);
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
    uint32_t plain = (uint32_t)values[key].plain << key;
    if (!copy_key(r, row, &values[key]))
        return false;
    for (int k = 0; k < r->fields.n_wholes; k++)
        row->cells[r->fields.wholes[k]].whole = values[r->fields.wholes[k]].whole;
    for (int k = 0; k < r->fields.n_texts; k++) {
        int i = r->fields.texts[k];
        plain |= (uint32_t)values[i].plain << i;
        if (!copy_text(r, row, (size_t)i, &values[i]))
            return false;
    }
    row->plain = plain;
    return true;
}

static const struct row *last_of(const struct row_list *r)
{
    return r->last_was_merged ? r->merged : row_at(r, r->n_with_last - 1);
}

static void note_order(struct row_list *r, const struct row *row)
{
    if (!r->n_with_last)
        return;
    if (!r->disordered && compare(r, last_of(r), row, true) > 0)
        r->disordered = true;
    if (r->case_seen && !r->resorted && compare(r, last_of(r), row, false) > 0)
        r->resorted = true;
}

static int64_t sum(int64_t a, int64_t b)
{
    int64_t c;
    if (!__builtin_add_overflow(a, b, &c))
        return c;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static void merge(const struct row_list *r, struct row *into, const struct row *from)
{
    for (size_t i = 0; i < r->o.table->n_fields; i++) {
        union cell *a = &into->cells[i];
        const union cell *b = &from->cells[i];
        if (!(r->o.fields & 1u << i) || (int)i == r->o.table->key_field)
            continue;
        if (r->o.table->fields[i].type == VALUE_WHOLE) {
            a->whole = sum(a->whole, b->whole);
        } else if (slice_cmp(b->text, a->text) < 0) {
            a->text = b->text;
        }
    }
}

int64_t rows_begin_page(struct row_list *r)
{
    uint32_t dropped = r->n - r->n_with_last;
    r->n -= dropped;
    r->n_by_key = r->n_by_key < r->n ? r->n_by_key : r->n;
    r->n_raw = r->n_raw < r->n ? r->n_raw : r->n;
    r->paged = true;
    r->is_of_this_page = false;
    return raw_up_to(r, r->n) ? (int64_t)dropped : -1;
}

static bool is_broken(const struct row_list *r, const struct scan_value *values)
{
    bool broken = values[r->o.table->key_field].broken;
    for (int k = 0; k < r->fields.n_words; k++)
        broken |= values[r->fields.words[k]].broken;
    return broken;
}

/* Whether a merged row is one of the answer, at present: what comes later may change it again. */
static void look_again(struct row_list *r, struct row *row)
{
    bool was_out = row->plain & ROW_OUT, out = false;
    for (size_t i = 0; i < r->o.n_checks && !out; i++) {
        const struct filter_check *c = &r->o.checks[i];
        const union cell *cell = &row->cells[c->field];
        if (!(r->o.fields & 1u << c->field))
            out = true;
        else if (r->o.table->fields[c->field].type == VALUE_WHOLE)
            out = !filter_check_whole(c, cell->whole);
        else
            out = !filter_check_text(c, cell->text);
    }
    if (out == was_out)
        return;
    row->plain ^= ROW_OUT;
    out ? r->n_out++ : r->n_out--;
}

/* The row has come; `same` has its key. `h`: the hash of the unfolded one, 0: not yet made. */
static enum rows_added add_merged(struct row_list *r, struct row *same, struct row *row, uint32_t h)
{
    memcpy(r->merged, row, r->stride);
    merge(r, same, row);
    look_again(r, same);
    if (!h) {
        h = is_folded(r, row) ? hash_of(row->raw_key) : row->hash;
        if (has_come(r, row->raw_key, h))
            return ROWS_MERGED;
    }
    return add_spelling(r, row->raw_key, h) ? ROWS_MERGED : ROWS_FULL;
}

/* A row that came whole, and is not yet among the others: the one that it is merged into, or NULL. */
static struct row *take_place(struct row_list *r, struct row *row)
{
    note_order(r, row);
    r->is_of_this_page = true;
    struct row *same = r->case_seen ? find_row(r, row) : NULL;
    r->last_was_merged = same;
    r->n_with_last = r->n + !same;
    return same;
}

/* What a broken text was before is not known: its row is like no other, and where it belongs among them is not known.
 */
static void take_no_place(struct row_list *r, struct row *row, const struct slice *last_raw)
{
    row->plain |= ROW_BROKEN;
    r->any_broken = true;
    memcpy(r->last_raw, last_raw, sizeof r->last_raw);
}

enum rows_added rows_add(struct row_list *r, const struct scan_value *values)
{
    struct row *row = next_row(r), *same = NULL;
    struct slice key = values[r->o.table->key_field].text, last_raw[TABLE_MAX_FIELDS];
    bool broken = is_broken(r, values);
    uint32_t h = 0;
    if (broken) {
        memcpy(last_raw, r->last_raw, sizeof last_raw);
    } else if (r->paged) {
        h = hash_of(key);
        if (has_come(r, key, h))
            return ROWS_SEEN_BEFORE;
    }
    if (!row || !copy_row(r, row, values))
        return ROWS_FULL;
    row->hash = is_folded(r, row) ? 0 : h;
    if (broken)
        take_no_place(r, row, last_raw);
    else
        same = take_place(r, row);
    if (same)
        return add_merged(r, same, row, h);
    if (h && !index_add(r, r->raw, (struct numbered){ h, r->n_raw++ }))
        return ROWS_FULL;
    r->n++;
    if (!catch_up(r))
        return ROWS_FULL;
    return broken ? ROWS_BROKEN : ROWS_NEW;
}

/* ---- reading ---- */

int64_t rows_count(const struct row_list *r)
{
    return r->n - r->n_out;
}

size_t rows_text_bytes(const struct row_list *r)
{
    return r->pool.text_bytes;
}

int64_t rows_sum(const struct row_list *r, int field)
{
    int64_t all = 0;
    for (uint32_t i = 0; i < r->n; i++)
        all = sum(all, row_at(r, i)->cells[field].whole);
    return all;
}

bool rows_case_seen(const struct row_list *r)
{
    return r->case_seen;
}

bool rows_show_broken(const struct row_list *r, int64_t n)
{
    for (int64_t i = 0; r->any_broken && i < n; i++)
        if (rows_at(r, i)->plain & ROW_BROKEN)
            return true;
    return false;
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
    const struct row *last = r->n_with_last ? last_of(r) : NULL;
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
    return last;
}

bool rows_can_page(const struct row_list *r)
{
    return r->is_of_this_page;
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
    if (!charge(r, size)) { /* little beside the rows, which were paid for */
        budget_add(r->o.budget, size);
        r->bytes += size;
    }
    r->sorted = malloc(size);
    if (!r->sorted)
        return false;
    int64_t skip = r->n_out ? first : 0;
    for (uint32_t i = r->n_out ? 0 : r->first, k = 0; k < n; i++) {
        struct row *row = row_at(r, i);
        if (!(row->plain & ROW_OUT) && skip-- <= 0)
            r->sorted[k++] = row;
    }
    if (!sort_nearly(r, (size_t)n))
        qsort_r(r->sorted, (size_t)n, sizeof(struct row *), compare_sorted, r);
    return true;
}

const struct row *rows_at(const struct row_list *r, int64_t i)
{
    return r->sorted ? r->sorted[i] : row_at(r, r->first + (uint32_t)i);
}
