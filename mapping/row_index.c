/* SPDX-License-Identifier: MIT
 * Rows by their keys. Looking for equal ones costs nothing until a key was changed by folding, or a second page came:
 * only then an index is kept. A long list is indexed along the way, a few rows with each that comes, and in parts that
 * grow one by one, so that no row takes long. */
#include <stdlib.h>

#include "mapping/rows_inside.h"

/* A key of several fields: its parts behind the first. `cells` or `values` has them. */
static uint32_t hash_more(const struct row_list *r, uint32_t h, const union cell *cells,
                          const struct scan_value *values)
{
    for (int i = 1; i < r->o.table->key.n; i++) {
        int field = r->o.table->key.fields[i];
        h = h * 31 + (uint32_t)slice_hash(cells ? cells[field].text : values[field].text);
    }
    return h ? h : 1;
}

uint32_t keys_hash_of_row(const struct row_list *r, struct row *row)
{
    if (!row->hash)
        row->hash = hash_more(r, keys_hash(key_of(r, row)), row->cells, NULL);
    return row->hash;
}

uint32_t keys_hash_of_values(const struct row_list *r, const struct scan_value *values)
{
    return hash_more(r, keys_hash(values[r->key].text), NULL, values);
}

/* A short list has one part. */
static size_t part_of(const struct row_list *r, uint32_t h)
{
    return r->keys.in_parts ? h >> (32 - PART_BITS) : 0;
}

static size_t first_room(const struct row_list *r)
{
    return r->keys.in_parts ? 128 : 1024;
}

/* How many a part takes before it grows. They fill evenly: with the same bound they would all grow at once. */
static size_t bound_of(const struct row_list *r, size_t part, size_t room)
{
    size_t most = room / 4 * 3;
    return most - (r->keys.in_parts ? most / 2 * part / PARTS : 0);
}

/* An unfolded key by its number. */
static struct slice raw_key(const struct row_list *r, uint32_t number)
{
    uint32_t i = number & (MERGED - 1);
    return number & MERGED ? r->keys.spellings[i / BLOCK_ROWS][i % BLOCK_ROWS] : row_at(r, number)->raw_key;
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
struct row *keys_find(const struct row_list *r, struct row *like)
{
    struct slice key = key_of(r, like);
    uint32_t h = keys_hash_of_row(r, like);
    const struct index *part = &r->keys.by_key[part_of(r, h)];
    size_t last = part->room - 1;
    for (size_t i = h & last; part->room && part->at[i].number != NO_ROW; i = (i + 1) & last)
        if (part->at[i].hash == h && slice_eq(key_of(r, row_at(r, part->at[i].number)), key))
            return row_at(r, part->at[i].number);
    return NULL;
}

/* Whether the key that came under this number is that of `values`: all of its fields, but the first, which is the same
 * already. */
static bool has_more(const struct row_list *r, uint32_t number, const struct scan_value *values)
{
    bool same = true;
    for (int i = 1; i < r->o.table->key.n && same; i++) {
        int field = r->o.table->key.fields[i];
        same = slice_eq(row_at(r, number)->cells[field].text, values[field].text);
    }
    return same;
}

/* `values` may be NULL where the key has one field. */
bool keys_have_come(const struct row_list *r, struct slice key, const struct scan_value *values, uint32_t h)
{
    const struct index *part = &r->keys.raw[part_of(r, h)];
    size_t last = part->room - 1;
    for (size_t i = h & last; part->room && part->at[i].number != NO_ROW; i = (i + 1) & last)
        if (part->at[i].hash == h && slice_eq(raw_key(r, part->at[i].number), key) &&
            (!values || has_more(r, part->at[i].number, values)))
            return true;
    return false;
}

/* Put the rows up to number `n` into the index. A broken key is like no other. */
bool keys_index_up_to(struct row_list *r, uint32_t n)
{
    for (; r->keys.n_by_key < n; r->keys.n_by_key++) {
        struct row *row = row_at(r, r->keys.n_by_key);
        if (!(row->flags & ROW_BROKEN) &&
            !index_add(r, r->keys.by_key, (struct numbered){ keys_hash_of_row(r, row), r->keys.n_by_key }))
            return false;
    }
    return true;
}

bool keys_raw_up_to(struct row_list *r, uint32_t n)
{
    for (; r->keys.n_raw < n; r->keys.n_raw++) {
        struct row *row = row_at(r, r->keys.n_raw);
        if (row->flags & ROW_BROKEN)
            continue;
        uint32_t h = is_folded(r, row) ? keys_hash(row->raw_key) : keys_hash_of_row(r, row);
        if (!index_add(r, r->keys.raw, (struct numbered){ h, r->keys.n_raw }))
            return false;
    }
    return true;
}

/* The key of a row that was merged; `h`: its hash. */
bool keys_add_spelling(struct row_list *r, struct slice key, uint32_t h)
{
    uint32_t n = r->keys.n_spellings, block = n / BLOCK_ROWS;
    if (n == MAX_ROWS)
        return false;
    if (n % BLOCK_ROWS == 0) {
        if ((block & (block - 1)) == 0) { /* room for a power of two of blocks */
            struct slice **more = realloc(r->keys.spellings, (block ? block * 2 : 1) * sizeof(struct slice *));
            if (!more)
                return false;
            r->keys.spellings = more;
        }
        size_t size = BLOCK_ROWS * sizeof(struct slice);
        r->keys.spellings[block] = charge(r, size) ? malloc(size) : NULL;
        if (!r->keys.spellings[block])
            return false;
    }
    r->keys.spellings[block][n % BLOCK_ROWS] = key;
    r->keys.n_spellings++;
    return index_add(r, r->keys.raw, (struct numbered){ h, n | MERGED });
}

/* The list gets long: from one part to many. */
static bool split(struct row_list *r)
{
    struct index raw = r->keys.raw[0];
    uint32_t n = r->keys.n_by_key;
    bool ok = true;
    free(r->keys.by_key[0].at);
    r->keys.by_key[0] = (struct index){ 0 };
    r->keys.raw[0] = (struct index){ 0 };
    r->keys.in_parts = true;
    for (size_t i = 0; i < raw.room && ok; i++)
        ok = raw.at[i].number == NO_ROW || index_add(r, r->keys.raw, raw.at[i]);
    free(raw.at);
    r->keys.n_by_key = 0;
    return ok && keys_index_up_to(r, n);
}

/* In rows, or in bytes of its texts. */
static bool is_long(const struct row_list *r)
{
    return r->n > LONG_LIST || r->pool.text_bytes > LONG_TEXTS;
}

/* A few more rows into both, where they may be wanted of many rows at once. */
bool keys_add_raw(struct row_list *r, uint32_t h)
{
    return index_add(r, r->keys.raw, (struct numbered){ h, r->keys.n_raw++ });
}

bool keys_catch_up(struct row_list *r)
{
    if (r->o.table->key.repeats)
        return true;
    if (r->n == LONG_LIST && !r->keys.in_parts && !split(r))
        return false;
    uint32_t keys = r->case_seen || r->n < r->keys.n_by_key + CATCH_UP ? r->n : r->keys.n_by_key + CATCH_UP;
    uint32_t raw = r->n < r->keys.n_raw + CATCH_UP ? r->n : r->keys.n_raw + CATCH_UP;
    if (r->o.fold && (r->case_seen || is_long(r)) && !keys_index_up_to(r, keys))
        return false;
    return (!r->paged && !is_long(r)) || keys_raw_up_to(r, r->paged ? r->n : raw);
}
