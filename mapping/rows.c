/* SPDX-License-Identifier: MIT
 * Rows in compact memory: fixed-size records in blocks, texts in a pool. Keys are looked for in row_index.c. */
#include "mapping/rows.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "mapping/fold.h"
#include "mapping/rows_inside.h"

static void sort_fields(struct row_list *r, const struct rows_options *options)
{
    for (size_t i = 0; i < options->table->list->n_fields; i++) {
        enum value_type type = r->f[i].type;
        if (!(options->fields & bit((int)i)) || (int)i == r->key)
            continue;
        if (type == VALUE_WHOLE || type == VALUE_BOOL)
            r->fields.wholes[r->fields.n_wholes++] = (uint8_t)i;
        else if (type == VALUE_RATING || type == VALUE_NUMBER)
            r->fields.numbers[r->fields.n_numbers++] = (uint8_t)i;
        else
            r->fields.texts[r->fields.n_texts++] = (uint8_t)i;
        if (type == VALUE_TEXT || type == VALUE_LIST)
            r->fields.words[r->fields.n_words++] = (uint8_t)i;
    }
}

static enum comparing comparing_of(const struct row_list *r, int field)
{
    switch (r->f[field].type) {
    case VALUE_WHOLE:
    case VALUE_BOOL:
        return BY_WHOLE;
    case VALUE_RATING:
        return BY_ROUNDED;
    case VALUE_NUMBER:
        return BY_NUMBER;
    case VALUE_TEXT:
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
    return r->f[field].words ? BY_WORDS : field == r->key ? BY_FOLDED : BY_TEXT;
}

struct row_list *rows_new(const struct rows_options *options)
{
    struct row_list *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->o = *options;
    r->f = options->table->list->fields;
    r->key = options->table->key.fields[0];
    r->stride = sizeof(struct row) + options->table->list->n_fields * sizeof(union cell);
    r->o.fold = options->fold && table_folds(options->table);
    r->merged = calloc(1, r->stride);
    if (!r->merged) {
        free(r);
        return NULL;
    }
    sort_fields(r, options);
    for (size_t i = 0; i < options->n_order; i++) {
        r->comparing[i] = comparing_of(r, options->order[i].field);
        r->is_rounded |= r->comparing[i] >= BY_ROUNDED;
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
        free(r->keys.by_key[i].at);
        free(r->keys.raw[i].at);
    }
    for (size_t i = 0; i * BLOCK_ROWS < r->keys.n_spellings; i++)
        free(r->keys.spellings[i]);
    free(r->keys.spellings);
    free(r->sorted);
    free(r->merged);
    budget_give(r->o.budget, r->bytes);
    free(r);
}

void rows_set_budget(struct row_list *r, struct budget *budget)
{
    r->o.budget = budget;
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

/* ---- order ---- */

static int compare_wholes(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* By one field of the order: as v2 had it, or as it came when `raw`. */
static int compare_by(const struct row_list *r, size_t order, const struct row *a, const struct row *b, bool raw)
{
    int field = r->o.order[order].field;
    const union cell *x = &a->cells[field], *y = &b->cells[field];
    switch (r->comparing[order]) {
    case BY_WHOLE:
        return compare_wholes(x->whole, y->whole);
    case BY_FOLDED:
        return raw ? slice_cmp(a->raw_key, b->raw_key) : slice_cmp(x->text, y->text);
    case BY_NUMBER:
        return compare_numbers(x->number, y->number);
    case BY_ROUNDED:
        return raw ? compare_numbers(x->number, y->number) : compare_wholes(x->whole, y->whole);
    case BY_WORDS:
        return raw ? slice_cmp(x->text, y->text)
                   : slice_cmp(field_word(&r->f[field], x->text), field_word(&r->f[field], y->text));
    case BY_TEXT:
        break;
    }
    return slice_cmp(x->text, y->text);
}

/* By the whole order. */
static int compare(const struct row_list *r, const struct row *a, const struct row *b, bool raw)
{
    for (size_t i = 0; i < r->o.n_order; i++) {
        int c = compare_by(r, i, a, b, raw);
        if (c)
            return r->o.order[i].descending ? -c : c;
    }
    return 0;
}

/* ---- adding ---- */

static bool copy_key(struct row_list *r, struct row *row, const struct scan_value *v)
{
    if (!pool_copy(r, v->text, &row->raw_key))
        return false;
    row->cells[r->key].text = row->raw_key;
    if (!r->o.fold || !fold_changes(v->text))
        return true;
    char *to = pool_reserve(r, fold_room(v->text.n));
    if (!to)
        return false;
    row->cells[r->key].text = pool_take(r, fold_write(row->raw_key, to));
    if (!r->case_seen) {
        r->case_seen = true;
        return keys_index_up_to(r, r->n);
    }
    return true;
}

static bool copy_text(struct row_list *r, struct row *row, size_t field, const struct scan_value *v)
{
    r->last_raw[field] = slice_of(NULL, 0);
    if (r->f[field].type == VALUE_DATE && v->raw.n && !pool_copy(r, v->raw, &r->last_raw[field]))
        return false;
    return pool_copy(r, v->text, &row->cells[field].text);
}

static bool copy_row(struct row_list *r, struct row *row, const struct scan_value *values)
{
    uint64_t plain = (uint64_t)values[r->key].plain << r->key;
    if (!copy_key(r, row, &values[r->key]))
        return false;
    for (int k = 0; k < r->fields.n_wholes; k++)
        row->cells[r->fields.wholes[k]].whole = values[r->fields.wholes[k]].whole;
    for (int k = 0; k < r->fields.n_numbers; k++) {
        int i = r->fields.numbers[k];
        row->cells[i].whole = values[i].whole;
        row->cells[i].number = values[i].number;
    }
    for (int k = 0; k < r->fields.n_texts; k++) {
        int i = r->fields.texts[k];
        plain |= (uint64_t)values[i].plain << i;
        if (!copy_text(r, row, (size_t)i, &values[i]))
            return false;
    }
    row->plain = plain;
    row->flags = 0;
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
    for (int k = 0; k < r->fields.n_wholes; k++) {
        union cell *a = &into->cells[r->fields.wholes[k]];
        a->whole = sum(a->whole, from->cells[r->fields.wholes[k]].whole);
    }
    for (int k = 0; k < r->fields.n_texts; k++) {
        union cell *a = &into->cells[r->fields.texts[k]];
        const union cell *b = &from->cells[r->fields.texts[k]];
        if (slice_cmp(b->text, a->text) < 0)
            a->text = b->text;
    }
}

/* Whether the key of a row is that of the last one which came whole. */
static bool is_like_last(const struct row_list *r, const struct row *row)
{
    const struct row *last = last_of(r);
    bool same = true;
    for (int i = 0; i < r->o.table->key.n && same; i++) {
        int field = r->o.table->key.fields[i];
        same = slice_eq(row->cells[field].text, last->cells[field].text);
    }
    return same;
}

int64_t rows_come_again(const struct row_list *r)
{
    if (!r->o.table->key.repeats || !r->n_with_last)
        return 1;
    int64_t n = 0;
    for (uint32_t i = r->n_with_last; i-- > 0 && is_like_last(r, row_at(r, i));)
        n++;
    return n;
}

int64_t rows_begin_page(struct row_list *r)
{
    uint32_t dropped = r->n - r->n_with_last;
    r->n -= dropped;
    r->keys.n_by_key = r->keys.n_by_key < r->n ? r->keys.n_by_key : r->n;
    r->keys.n_raw = r->keys.n_raw < r->n ? r->keys.n_raw : r->n;
    r->paged = true;
    r->is_of_this_page = false;
    if (r->o.table->key.repeats) {
        r->to_skip = rows_come_again(r);
        return (int64_t)dropped;
    }
    return keys_raw_up_to(r, r->n) ? (int64_t)dropped : -1;
}

static bool is_broken(const struct row_list *r, const struct scan_value *values)
{
    bool broken = values[r->key].broken;
    for (int k = 0; k < r->fields.n_words; k++)
        broken |= values[r->fields.words[k]].broken;
    return broken;
}

/* Whether a merged row is one of the answer, at present: what comes later may change it again. */
static void look_again(struct row_list *r, struct row *row)
{
    bool was_out = row->flags & ROW_OUT, out = false;
    for (size_t i = 0; i < r->o.n_checks && !out; i++) {
        const struct filter_check *c = &r->o.checks[i];
        const union cell *cell = &row->cells[c->field];
        if (!(r->o.fields & bit(c->field)))
            out = true;
        else if (r->f[c->field].type == VALUE_WHOLE)
            out = !filter_check_whole(c, cell->whole);
        else
            out = !filter_check_text(c, cell->text);
    }
    if (out == was_out)
        return;
    row->flags ^= ROW_OUT;
    out ? r->n_out++ : r->n_out--;
}

/* The row has come; `same` has its key. `h`: the hash of the unfolded one, 0: not yet made. */
static enum rows_added add_merged(struct row_list *r, struct row *same, struct row *row, uint32_t h)
{
    memcpy(r->merged, row, r->stride);
    merge(r, same, row);
    look_again(r, same);
    if (!h) {
        h = is_folded(r, row) ? keys_hash(row->raw_key) : row->hash;
        if (keys_have_come(r, row->raw_key, NULL, h))
            return ROWS_MERGED;
    }
    return keys_add_spelling(r, row->raw_key, h) ? ROWS_MERGED : ROWS_FULL;
}

/* A row that came whole, and is not yet among the others: the one that it is merged into, or NULL. */
static struct row *take_place(struct row_list *r, struct row *row)
{
    note_order(r, row);
    r->is_of_this_page = true;
    struct row *same = r->case_seen ? keys_find(r, row) : NULL;
    r->last_was_merged = same;
    r->n_with_last = r->n + !same;
    return same;
}

/* What a broken text was before is not known: its row is like no other, and where it belongs among them is not known.
 */
static void take_no_place(struct row_list *r, struct row *row, const struct slice *last_raw)
{
    row->flags |= ROW_BROKEN;
    r->any_broken = true;

    memcpy(r->last_raw, last_raw, sizeof r->last_raw);
}

/* Of keys that repeat: whether the page before has given it. Those come first. */
static bool is_given_again(struct row_list *r, const struct scan_value *values)
{
    const struct row *last = r->to_skip ? last_of(r) : NULL;
    for (int i = 0; i < r->o.table->key.n && last; i++) {
        int field = r->o.table->key.fields[i];
        if (!slice_eq(values[field].text, last->cells[field].text))
            last = NULL;
    }
    r->to_skip = last ? r->to_skip - 1 : 0;
    return last;
}

enum rows_added rows_add(struct row_list *r, const struct scan_value *values)
{
    struct row *row = next_row(r), *same = NULL;
    struct slice last_raw[REPORT_MAX_FIELDS];
    bool broken = is_broken(r, values);
    uint32_t h = 0;
    if (broken) {
        memcpy(last_raw, r->last_raw, sizeof last_raw);
    } else if (r->o.table->key.repeats) {
        if (is_given_again(r, values))
            return ROWS_SEEN_BEFORE;
    } else if (r->paged) {
        h = keys_hash_of_values(r, values);
        if (keys_have_come(r, values[r->key].text, values, h))
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
    if (h && !keys_add_raw(r, h))
        return ROWS_FULL;
    r->n++;
    if (!keys_catch_up(r))
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

/* Of a row that was broken somewhere: where what was no text became U+FFFD. */
static uint64_t broken_fields(const struct row_list *r, const struct row *row)
{
    static const char replacement[] = UTF8_REPLACEMENT;
    uint64_t fields = 0;
    for (int k = -1; k < r->fields.n_words; k++) {
        int i = k < 0 ? r->key : r->fields.words[k];
        struct slice text = row->cells[i].text;
        if (memmem(text.p, text.n, replacement, sizeof replacement - 1))
            fields |= bit(i);
    }
    return fields;
}

uint64_t rows_broken_fields(const struct row_list *r, int64_t n)
{
    uint64_t fields = 0;
    for (int64_t i = 0; r->any_broken && i < n; i++)
        if (rows_at(r, i)->flags & ROW_BROKEN)
            fields |= broken_fields(r, rows_at(r, i));
    return fields;
}

bool rows_disordered(const struct row_list *r)
{
    return r->disordered;
}

bool rows_resorted(const struct row_list *r)
{
    return r->disordered || r->resorted;
}

bool rows_last(const struct row_list *r, union cell values[REPORT_MAX_FIELDS])
{
    const struct row *last = r->n_with_last ? last_of(r) : NULL;
    for (size_t i = 0; i < r->o.table->list->n_fields && last; i++) {
        if (!(r->o.fields & bit((int)i)))
            continue;
        values[i] = last->cells[i];
        if ((int)i == r->key)
            values[i].text = last->raw_key;
        else if (r->last_raw[i].n)
            values[i].text = r->last_raw[i];
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

/* Rows that v3 has in its order and v2 had in another, by what it had rounded or in other words. Nothing merges here.
 */
static void find_moved(struct row_list *r, int64_t n)
{
    for (int64_t k = 1; k < n && r->is_rounded && !r->disordered; k++) {
        const struct row *a = row_at(r, r->first + (uint32_t)k - 1), *b = row_at(r, r->first + (uint32_t)k);
        size_t i = 0;
        if (compare(r, a, b, false) <= 0)
            continue;
        while (i + 1 < r->o.n_order && !compare_by(r, i, a, b, true))
            i++;
        r->moved_by |= bit(r->o.order[i].field);
    }
}

uint64_t rows_moved_by(const struct row_list *r)
{
    return r->moved_by;
}

bool rows_finish(struct row_list *r, int64_t first, int64_t n)
{
    r->first = (uint32_t)first;
    find_moved(r, n);
    if (!r->disordered && !r->case_seen && !r->moved_by)
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
        if (!(row->flags & ROW_OUT) && skip-- <= 0)
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
