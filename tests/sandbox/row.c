/* SPDX-License-Identifier: MIT
 * The values of rows, and rows in an order. */
#include <stdlib.h>

#include "tests/sandbox/dice.h"
#include "tests/sandbox/group.h"
#include "tests/sandbox/letters.h"

enum { MAX_SORT_BYTES = 256 << 20 };

/* What links tell only together; false for what one link tells. */
static bool counted_value(const struct row *row, enum column column, struct value *v)
{
    switch ((int)column) {
    case COLUMN_links_to_target:
    case COLUMN_link_group_count:
        v->whole = row->links_to_target;
        return true;
    case COLUMN_dofollow_links:
        v->whole = row->dofollow_links;
        return true;
    case COLUMN_new_links:
        v->whole = row->new_links;
        return true;
    case COLUMN_lost_links:
        v->whole = row->lost_links;
        return true;
    case COLUMN_refdomains:
        v->whole = row->refdomains;
        return true;
    case COLUMN_refpages:
        v->whole = row->refpages;
        return true;
    case COLUMN_first_seen:
        v->whole = row->first_seen;
        return true;
    case COLUMN_last_seen:
        v->is_null = !row->is_lost;
        v->whole = row->last_seen;
        return true;
    case COLUMN_top_domain_rating:
        v->real = row->top_domain_rating;
        return true;
    case COLUMN_is_spam:
        v->truth = row->is_spam;
        return true;
    }
    return false;
}

struct value row_value(const struct world *world, const struct grouping *grouping, const struct row *row,
                       enum column column, struct scratch *scratch)
{
    struct value v = { 0 };
    if (grouping->kind == ROWS_PAGES)
        return page_value(world, &row->page, grouping->scope.as_of, column, scratch);
    if (counted_value(row, column, &v))
        return v;
    return attribute_value(world, row->shown, grouping->scope.as_of, column, scratch);
}

/* What a row is compared by. */
struct sort_key {
    bool is_null;
    union {
        struct slice text; /* lists, too: their items behind each other */
        int64_t whole;
        double real;
    };
};

struct sort_entry {
    const struct row *row;
    uint64_t tie;
    struct sort_key keys[];
};

struct sorting {
    const struct world *world;
    const struct options *options;
    const struct order *order;
    struct arena *memory;
};

/* The anchor of the shown link, which the world has ordered already. */
static int compare_anchors(const struct world *world, size_t a, size_t b)
{
    int c = world->keys ? slice_cmp(world->keys[a], world->keys[b]) : 0;
    return c ? c : slice_cmp(world->anchors[a], world->anchors[b]);
}

/* Nulls are the greatest, so that they come first when descending. */
static int compare_keys(const struct sorting *s, enum column column, const struct sort_key *a, const struct sort_key *b)
{
    if (a->is_null || b->is_null)
        return a->is_null - b->is_null;
    if (column == COLUMN_anchor)
        return compare_anchors(s->world, (size_t)a->whole, (size_t)b->whole);
    switch (columns[column].type) {
    case TYPE_TEXT:
        return letters_compare(s->options->collation, a->text, b->text);
    case TYPE_LIST:
    case TYPE_WHOLES:
        return slice_cmp(a->text, b->text);
    case TYPE_REAL:
        return (a->real > b->real) - (a->real < b->real);
    case TYPE_WHOLE:
    case TYPE_TRUTH:
    case TYPE_MOMENT:
        break;
    }
    return (a->whole > b->whole) - (a->whole < b->whole);
}

static int compare_entries(const void *a, const void *b, void *ctx)
{
    const struct sorting *s = ctx;
    const struct sort_entry *x = *(const struct sort_entry *const *)a, *y = *(const struct sort_entry *const *)b;
    for (size_t i = 0; i < s->order->n; i++) {
        int c = compare_keys(s, s->order->terms[i].column->column, &x->keys[i], &y->keys[i]);
        if (c)
            return s->order->terms[i].descending ? -c : c;
    }
    return (x->tie > y->tie) - (x->tie < y->tie);
}

static struct slice join_items(struct arena *memory, const struct value *v)
{
    struct buffer b = buffer_with_cap(0);
    for (size_t i = 0; i < v->list.n; i++) {
        buffer_append(&b, v->list.items[i]);
        buffer_put(&b, '\0');
    }
    struct slice joined = arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return joined;
}

static struct sort_key key_of(const struct sorting *s, const struct grouping *grouping, const struct row *row,
                              enum column column)
{
    struct scratch scratch;
    struct value v = row_value(s->world, grouping, row, column, &scratch);
    struct sort_key key = { .is_null = v.is_null };
    if (v.is_null)
        return key;
    if (column == COLUMN_anchor) {
        key.whole = row->shown->anchor;
        return key;
    }
    switch (columns[column].type) {
    case TYPE_TEXT:
        key.text = v.text.p >= scratch.bytes && v.text.p < scratch.bytes + sizeof scratch.bytes
                       ? arena_dup(s->memory, v.text)
                       : v.text;
        break;
    case TYPE_LIST:
    case TYPE_WHOLES:
        key.text = join_items(s->memory, &v);
        break;
    case TYPE_REAL:
        key.real = v.real;
        break;
    case TYPE_TRUTH:
        key.whole = v.truth;
        break;
    case TYPE_WHOLE:
    case TYPE_MOMENT:
        key.whole = v.whole;
        break;
    }
    return key;
}

static uint64_t tie_of(const struct grouping *grouping, const struct row *row)
{
    if (grouping->kind == ROWS_PAGES)
        return dice_mix((uint64_t)row->page.number << 9 | (uint64_t)row->page.host << 1 | row->page.https);
    if (grouping->kind == ROWS_ANCHORS)
        return dice_mix(row->shown->anchor);
    if (grouping->kind == ROWS_DOMAINS || grouping->kind == ROWS_LINKED)
        return dice_mix(row->shown->domain);
    return row->shown->dice;
}

static struct sort_entry **make_entries(const struct sorting *s, const struct grouping *grouping)
{
    struct sort_entry **entries = arena_array(s->memory, struct sort_entry *, grouping->n_rows + 1);
    for (size_t i = 0; entries && i < grouping->n_rows; i++) {
        const struct row *row = &grouping->rows[i];
        entries[i] = arena_alloc(s->memory, sizeof *entries[i] + s->order->n * sizeof entries[i]->keys[0]);
        if (!entries[i])
            return NULL;
        entries[i]->row = row;
        entries[i]->tie = tie_of(grouping, row);
        for (size_t k = 0; k < s->order->n; k++)
            entries[i]->keys[k] = key_of(s, grouping, row, s->order->terms[k].column->column);
    }
    return arena_failed(s->memory) ? NULL : entries;
}

const struct row **rows_sorted(const struct world *world, const struct options *options,
                               const struct grouping *grouping, const struct order *order)
{
    struct sorting s = { world, options, order, arena_new(MAX_SORT_BYTES) };
    struct sort_entry **entries = s.memory ? make_entries(&s, grouping) : NULL;
    const struct row **rows = entries ? calloc(grouping->n_rows + 1, sizeof *rows) : NULL;
    if (rows)
        qsort_r(entries, grouping->n_rows, sizeof *entries, compare_entries, &s);
    for (size_t i = 0; rows && i < grouping->n_rows; i++)
        rows[i] = entries[i]->row;
    arena_free(s.memory);
    return rows;
}
