/* SPDX-License-Identifier: MIT
 * Walks a list group by group. */
#include "mapping/walk.h"

#include <stdlib.h>

#include "mapping/packed_rows.h"

enum { COLUMN, KEY }; /* of the order */

/* Where the next request begins. */
enum place {
    AT_FRONT,     /* of the list */
    BEHIND_VALUE, /* all rows up to `value` have been given */
    IN_GROUP,     /* of `value`, none of which has been given */
    BEHIND_A_ROW, /* of the group: those up to `key` have been given */
};

struct walk {
    const struct plan *plan;
    struct arena *memory;
    enum place place;
    union cell last[REPORT_MAX_FIELDS]; /* value and key, by field */
    struct buffer packed;               /* the rows of an answer */
    int64_t left_aside, in_group;       /* rows of the group: seen at first, and given */
};

bool walk_is_needed(const struct plan *plan)
{
    const struct report *list = plan->call->table->list;
    return list && list->sorts_by_one && plan->n_order > 1;
}

struct walk *walk_new(const struct plan *plan, struct arena *memory)
{
    struct walk *w = calloc(1, sizeof *w);
    if (w)
        *w = (struct walk){ .plan = plan, .memory = memory };
    return w;
}

void walk_free(struct walk *w)
{
    if (w)
        buffer_clear(&w->packed);
    free(w);
}

static int field_at(const struct walk *w, int place)
{
    return w->plan->order[place].field;
}

static bool keep_text(struct walk *w, int field, struct slice text)
{
    w->last[field].text = arena_dup(w->memory, text);
    return w->last[field].text.p;
}

static bool is_text(const struct walk *w, int field)
{
    enum value_type type = w->plan->call->table->list->fields[field].type;
    return type == VALUE_TEXT || type == VALUE_DATE;
}

/* Remember the value of a row; false when memory is out. */
static bool keep(struct walk *w, int field, const struct scan_value *v)
{
    if (is_text(w, field))
        return keep_text(w, field, v->raw.n ? v->raw : v->text);
    w->last[field] = (union cell){ .whole = v->whole, .number = v->number };
    return true;
}

void walk_begin_behind(struct walk *w, const union cell *last)
{
    for (int i = COLUMN; i <= KEY; i++)
        w->last[field_at(w, i)] = last[field_at(w, i)];
    w->place = BEHIND_A_ROW;
}

static bool is_in_group(const struct walk *w)
{
    return w->place >= IN_GROUP;
}

int64_t walk_rows(const struct walk *w, int64_t wanted)
{
    return is_in_group(w) ? wanted : wanted + 1;
}

struct slice walk_path(struct walk *w, int64_t rows)
{
    const struct table *table = w->plan->call->table;
    const struct field_order *order = w->plan->order;
    struct slice parts[2] = { S(""), S("") }, where = S("");
    if (w->place == BEHIND_VALUE)
        where = filter_after(table, order, 1, w->last, false, w->memory);
    if (is_in_group(w))
        where = parts[COLUMN] = filter_equal(table, order[COLUMN].field, w->last, w->memory);
    if (w->place == BEHIND_A_ROW) {
        parts[KEY] = filter_after(table, &order[KEY], 1, w->last, false, w->memory);
        where = parts[COLUMN].p && parts[KEY].p ? filter_joined("and", parts, 2, w->memory) : slice_of(NULL, 0);
    }
    return where.p ? plan_step_path(w->plan, is_in_group(w) ? KEY : COLUMN, where, rows, w->memory) : where;
}

void walk_put(struct walk *w, const struct scan_value *values)
{
    packed_rows_put(&w->packed, w->plan->call->table->list, w->plan->fields, values);
}

struct row_values {
    struct scan_value of[REPORT_MAX_FIELDS];
};

static int compare_values(const struct walk *w, int field, const struct scan_value *a, const struct scan_value *b)
{
    if (is_text(w, field))
        return slice_cmp(a->text, b->text);
    enum value_type type = w->plan->call->table->list->fields[field].type;
    if (type == VALUE_RATING || type == VALUE_NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    return (a->whole > b->whole) - (a->whole < b->whole);
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct walk *w = context;
    const struct row_values *x = a, *y = b;
    for (int i = COLUMN; i <= KEY; i++) {
        int field = field_at(w, i), c = compare_values(w, field, &x->of[field], &y->of[field]);
        if (c)
            return w->plan->order[i].descending ? -c : c;
    }
    return 0;
}

/* All rows of the answer, to be freed; NULL when memory is out. */
static struct row_values *unpack(const struct walk *w, size_t *n)
{
    struct slice rest = buffer_slice(&w->packed), counting = rest;
    for (*n = 0; counting.n; ++*n)
        counting = packed_rows_skip(counting, 1);
    struct row_values *rows = w->packed.failed ? NULL : calloc(*n + 1, sizeof *rows);
    for (size_t i = 0; rows && i < *n; i++)
        (void)packed_rows_take(&rest, w->plan->call->table->list, w->plan->fields, rows[i].of);
    return rows;
}

/* The end of a request by the column: what has the last value is left aside when more may be behind. */
static enum walk_end end_of_front(struct walk *w, const struct row_values *rows, size_t *n, bool is_full)
{
    int field = field_at(w, COLUMN);
    if (!is_full)
        return WALK_IS_OVER;
    const struct scan_value *last = &rows[*n - 1].of[field];
    size_t all = *n;
    while (*n && !compare_values(w, field, &rows[*n - 1].of[field], last))
        --*n;
    w->left_aside = (int64_t)(all - *n);
    w->in_group = 0;
    w->place = IN_GROUP;
    return keep(w, field, last) ? WALK_GOES_ON : WALK_NO_MEMORY;
}

/* The end of a request by the key. */
static enum walk_end end_of_group(struct walk *w, const struct row_values *rows, size_t n, bool is_full)
{
    int key = field_at(w, KEY);
    w->in_group += (int64_t)n;
    if (!is_full) {
        bool are_there = w->in_group >= w->left_aside;
        w->place = BEHIND_VALUE;
        return are_there ? WALK_GOES_ON : WALK_IS_STUCK;
    }
    w->place = BEHIND_A_ROW;
    return keep(w, key, &rows[n - 1].of[key]) ? WALK_GOES_ON : WALK_NO_MEMORY;
}

/* Whether the rows are those that were asked for: behind what was given, and in the group. */
static bool are_right(const struct walk *w, const struct row_values *rows, size_t n)
{
    const struct field_order *order = w->plan->order;
    struct scan_value last[2] = { 0 };
    for (int i = COLUMN; i <= KEY; i++)
        last[i] = (struct scan_value){ .text = is_text(w, order[i].field) ? w->last[order[i].field].text : S(""),
                                       .whole = is_text(w, order[i].field) ? 0 : w->last[order[i].field].whole,
                                       .number = is_text(w, order[i].field) ? 0 : w->last[order[i].field].number };
    for (size_t i = 0; i < n && w->place != AT_FRONT; i++) {
        int column = compare_values(w, order[COLUMN].field, &rows[i].of[order[COLUMN].field], &last[COLUMN]);
        int key = compare_values(w, order[KEY].field, &rows[i].of[order[KEY].field], &last[KEY]);
        if (w->place == BEHIND_VALUE ? (order[COLUMN].descending ? column >= 0 : column <= 0) : column != 0)
            return false;
        if (w->place == BEHIND_A_ROW && (order[KEY].descending ? key >= 0 : key <= 0))
            return false;
    }
    return true;
}

enum walk_end walk_end(struct walk *w, bool is_full, bool (*on_row)(void *context, const struct scan_value *values),
                       void *context)
{
    size_t n;
    struct row_values *rows = unpack(w, &n);
    if (!rows)
        return WALK_NO_MEMORY;
    qsort_r(rows, n, sizeof *rows, compare_rows, w);
    enum walk_end end = WALK_IS_STUCK;
    if (!are_right(w, rows, n))
        n = 0;
    else if (is_in_group(w))
        end = end_of_group(w, rows, n, is_full && n);
    else
        end = end_of_front(w, rows, &n, is_full && n);
    for (size_t i = 0; i < n && end != WALK_NO_MEMORY; i++)
        if (!on_row(context, rows[i].of))
            break;
    free(rows);
    w->packed.n = 0;
    return end;
}
