/* SPDX-License-Identifier: MIT
 * v2 answers: the same walk for every format. */
#include "mapping/render.h"

#include <stdlib.h>

#include "base/digits.h"
#include "mapping/format.h"

/* Room for a number or a date with what a format puts around it, and around a row; escapes may need more. */
enum { MAX_VALUE = 24, MAX_ITEM = 24 };

/* One shown column. What stands between two values is the same in every row, so it is written once. */
struct shown {
    struct slice before; /* behind the value before it, or at the beginning of the row */
    int field;
    enum value_type type;
    enum value_type from;       /* of the field */
    const struct field *words;  /* the field has v3's words, v2 had others */
    const union cell *constant; /* of all rows */
    bool null;
    bool is_quoted;
};

struct shown_columns {
    struct shown list[TABLE_MAX_COLUMNS];
    size_t n;
    struct slice behind; /* the last value */
    struct buffer texts;
};

static bool is_quoted_type(enum value_type type)
{
    return type == VALUE_TEXT || type == VALUE_DATE || type == VALUE_DAY || type == VALUE_LIST;
}

/* What stands where v3 knows nothing. */
static const union cell *empty_cell(enum value_type type)
{
    static const union cell text = { .text = { .p = "" } }, number = { .whole = 0 };
    return is_quoted_type(type) ? &text : &number;
}

static struct shown shown_of(const struct plan *plan, const struct column *c, const union cell *cell)
{
    const struct table *t = plan->call->table;
    struct shown shown = { .type = c->type, .from = c->type, .constant = cell };
    shown.null = plan->options.nulls & bit((int)c->null_when) && c->null_when;
    shown.null |= c->shown == FIDELITY_MISSING && plan->options.nulls & bit(NULL_MISSING);
    if (c->from == FROM_FIELD && !cell) {
        const struct field *f = &t->list->fields[c->field];
        shown.field = c->field;
        shown.from = f->type;
        shown.words = f->words ? f : NULL;
    } else if (c->from == FROM_TARGET) {
        shown.constant = &plan->host;
    } else if (c->from == FROM_PAGE) {
        shown.constant = &plan->page;
    } else if (!cell) {
        shown.constant = empty_cell(c->type);
    }
    shown.is_quoted = is_quoted_type(shown.type) && !shown.null;
    return shown;
}

/* The texts are written first and cut into slices when their place in memory is final. `cells`: of an object, by
 * column; else NULL. */
static void shown_make(struct shown_columns *s, const struct plan *plan, const struct format *f,
                       const union cell *cells)
{
    const struct table *t = plan->call->table;
    size_t ends[TABLE_MAX_COLUMNS] = { 0 };
    if (f->is_plain && !cells)
        f->item(&s->texts, t->row_element, 1, 0);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        if (!(plan->call->select & bit((int)i)))
            continue;
        struct shown *shown = &s->list[s->n];
        *shown = shown_of(plan, c, cells ? &cells[i] : NULL);
        f->member(&s->texts, c->v2, s->n == 0);
        if (shown->is_quoted)
            buffer_append(&s->texts, f->quote);
        ends[s->n++] = s->texts.n;
        if (shown->is_quoted)
            buffer_append(&s->texts, f->quote);
        f->member_end(&s->texts, c->v2);
    }
    if (f->is_plain && !cells)
        f->item_end(&s->texts, t->row_element);
    size_t at = 0;
    for (size_t i = 0; i < s->n && !s->texts.failed; i++) {
        s->list[i].before = slice_of(s->texts.p + at, ends[i] - at);
        at = ends[i];
    }
    s->behind = slice_of(s->texts.p + at, s->texts.n - at);
}

static const union cell *cell_of(const struct shown *c, const struct row *row)
{
    return c->constant ? c->constant : &row->cells[c->field];
}

static void write_cell(const struct format *f, enum value_type type, enum value_type from, const union cell *cell,
                       struct buffer *out)
{
    switch (type) {
    case VALUE_WHOLE:
    case VALUE_RATING:
        f->whole(out, cell->whole);
        break;
    case VALUE_NUMBER:
        f->number(out, from == VALUE_WHOLE ? (double)cell->whole : cell->number);
        break;
    case VALUE_BOOL:
        f->truth(out, cell->whole);
        break;
    case VALUE_TEXT:
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
}

static void write_value(const struct format *f, const struct shown *c, const struct row *row, struct buffer *out)
{
    enum { DAY_BYTES = sizeof "YYYY-MM-DD" - 1 };
    const union cell *cell = cell_of(c, row);
    if (c->null) {
        f->null(out);
    } else if (!c->is_quoted) {
        write_cell(f, c->type, c->from, cell, out);
    } else {
        struct slice text = c->words ? field_word(c->words, cell->text) : cell->text;
        if (c->type == VALUE_DAY && text.n > DAY_BYTES)
            text.n = DAY_BYTES;
        f->text(out, text, !c->constant && !c->words && row->plain & bit(c->field));
    }
}

static void write_row(const struct shown_columns *shown, const struct format *f, struct slice element, int64_t i,
                      const struct row *row, struct buffer *out)
{
    f->item(out, element, i, shown->n);
    for (size_t k = 0; k < shown->n; k++) {
        buffer_append(out, shown->list[k].before);
        write_value(f, &shown->list[k], row, out);
    }
    buffer_append(out, shown->behind);
    f->item_end(out, element);
}

/* A value that stands as it is. */
static bool is_plain_text(const struct shown *c, const struct row *row)
{
    return c->is_quoted && !c->constant && !c->words && c->type != VALUE_DAY && row->plain & bit(c->field);
}

/* Bytes that the values of a row may take. */
static size_t room_for(const struct shown_columns *shown, const struct row *row)
{
    enum { MOST_ESCAPED = 6 }; /* \u00xx */
    size_t n = shown->n * MAX_VALUE;
    for (size_t k = 0; k < shown->n; k++) {
        const struct shown *c = &shown->list[k];
        if (c->is_quoted)
            n += cell_of(c, row)->text.n * (is_plain_text(c, row) ? 1 : MOST_ESCAPED);
    }
    return n;
}

static char *put(char *to, struct slice s)
{
    bytes_copy(to, s.p, s.n);
    return to + s.n;
}

/* The same for a format that is plain, with one look at the room. `skip` bytes of what stands before are left out. */
static void write_plain_row(const struct shown_columns *shown, const struct format *f, size_t skip,
                            const struct row *row, struct buffer *out)
{
    char *to = buffer_reserve(out, shown->texts.n + room_for(shown, row));
    if (!to)
        return;
    for (size_t k = 0; k < shown->n; k++) {
        const struct shown *c = &shown->list[k];
        const union cell *cell = cell_of(c, row);
        to = put(to, slice_from(c->before, k ? 0 : skip));
        if (!c->null && (c->type == VALUE_WHOLE || c->type == VALUE_RATING) && cell->whole >= 0) {
            to += decimal_write(to, (uint64_t)cell->whole);
        } else if (is_plain_text(c, row)) {
            to = put(to, cell->text);
        } else {
            out->n = (size_t)(to - out->p);
            write_value(f, c, row, out);
            to = out->p + out->n;
        }
    }
    out->n = (size_t)(put(to, shown->behind) - out->p);
}

static void write_rows(const struct plan *plan, const struct format *f, const struct row_list *rows, int64_t n,
                       struct buffer *out)
{
    struct shown_columns shown = { 0 };
    shown_make(&shown, plan, f, NULL);
    if (shown.texts.failed)
        out->failed = true;
    if (n)
        buffer_reserve(out, (size_t)n * (shown.texts.n + shown.n * MAX_VALUE + MAX_ITEM) + rows_text_bytes(rows));
    for (int64_t i = 0; i < n && !out->failed; i++) {
        if (f->is_plain)
            write_plain_row(&shown, f, i ? 0 : 1, rows_at(rows, i), out);
        else
            write_row(&shown, f, plan->call->table->row_element, i, rows_at(rows, i), out);
    }
    buffer_clear(&shown.texts);
}

static void write_text(const struct format *f, struct slice text, struct buffer *out)
{
    buffer_append(out, f->quote);
    f->text(out, text, false);
    buffer_append(out, f->quote);
}

static void write_stats(const struct format *f, const struct table *t, const struct stats *stats, struct buffer *out)
{
    f->member(out, S("stats"), false);
    f->object(out, t->n_stats);
    for (size_t i = 0; i < t->n_stats; i++) {
        f->member(out, t->stats[i].v2, i == 0);
        if (stats->nulls & bit((int)i))
            f->null(out);
        else
            write_cell(f, t->stats[i].type, VALUE_NUMBER, &stats->of[i], out);
        f->member_end(out, t->stats[i].v2);
    }
    f->object_end(out);
    f->member_end(out, S("stats"));
}

/* A last label of hosts, and how many rows have it. */
struct ending {
    struct slice label;
    int64_t count;
};

static int by_label(const void *a, const void *b)
{
    return slice_cmp(((const struct ending *)a)->label, ((const struct ending *)b)->label);
}

static int by_count(const void *a, const void *b)
{
    const struct ending *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_label(a, b);
}

static struct slice last_label(struct slice host)
{
    size_t at = host.n;
    while (at && host.p[at - 1] != '.')
        at--;
    return slice_from(host, at);
}

/* The endings of the hosts in `field`, most first; to be freed, NULL when memory is out. */
static struct ending *count_endings(const struct row_list *rows, int64_t n, int field, size_t *distinct)
{
    struct ending *list = calloc((size_t)n + 1, sizeof *list);
    *distinct = 0;
    for (int64_t i = 0; list && i < n; i++)
        list[i] = (struct ending){ last_label(rows_at(rows, i)->cells[field].text), 1 };
    if (list)
        qsort(list, (size_t)n, sizeof *list, by_label);
    for (int64_t i = 0; list && i < n; i++) {
        if (*distinct && slice_eq(list[*distinct - 1].label, list[i].label))
            list[*distinct - 1].count++;
        else
            list[(*distinct)++] = list[i];
    }
    if (list)
        qsort(list, *distinct, sizeof *list, by_count);
    return list;
}

static void write_endings(const struct format *f, const struct row_list *rows, int64_t n, int field, struct buffer *out)
{
    size_t distinct;
    struct ending *list = count_endings(rows, n, field, &distinct);
    out->failed |= !list;
    f->member(out, S("tlds"), false);
    f->list(out, (int64_t)distinct);
    for (size_t i = 0; list && i < distinct; i++) {
        f->item(out, S("tld"), (int64_t)i, 2);
        f->member(out, S("tld"), true);
        write_text(f, list[i].label, out);
        f->member_end(out, S("tld"));
        f->member(out, S("count"), false);
        f->whole(out, list[i].count);
        f->member_end(out, S("count"));
        f->item_end(out, S("tld"));
    }
    f->list_end(out);
    f->member_end(out, S("tlds"));
    free(list);
}

void render_answer(const struct plan *plan, const struct row_list *rows, int64_t n, const struct stats *stats,
                   struct buffer *out)
{
    const struct format *f = &formats[plan->call->output];
    const struct table *t = plan->call->table;
    f->begin(out, 1 + (t->n_stats > 0) + (t->tlds_of > 0));
    f->member(out, t->rows, true);
    f->list(out, n);
    write_rows(plan, f, rows, n, out);
    f->list_end(out);
    f->member_end(out, t->rows);
    if (t->n_stats)
        write_stats(f, t, stats, out);
    if (t->tlds_of)
        write_endings(f, rows, n, t->tlds_of - 1, out);
    f->end(out);
}

/* An object's values, as one or as the only row of a list. */
static void write_object(const struct format *f, const struct table *t, const struct shown_columns *shown,
                         struct buffer *out)
{
    if (t->is_one_row) {
        f->list(out, 1);
        f->item(out, t->row_element, 0, shown->n);
    } else {
        f->object(out, shown->n);
    }
    for (size_t k = 0; k < shown->n; k++) {
        buffer_append(out, shown->list[k].before);
        write_value(f, &shown->list[k], NULL, out);
    }
    buffer_append(out, shown->behind);
    if (t->is_one_row) {
        f->item_end(out, t->row_element);
        f->list_end(out);
    } else {
        f->object_end(out);
    }
}

void render_object(const struct plan *plan, const union cell *cells, struct buffer *out)
{
    const struct format *f = &formats[plan->call->output];
    struct slice name = plan->call->table->rows;
    struct shown_columns shown = { 0 };
    shown_make(&shown, plan, f, cells);
    f->begin(out, 1);
    f->member(out, name, true);
    write_object(f, plan->call->table, &shown, out);
    f->member_end(out, name);
    f->end(out);
    out->failed |= shown.texts.failed;
    buffer_clear(&shown.texts);
}

void render_books(enum output output, const struct table *table, const struct books_view *books, struct buffer *out)
{
    union cell cells[TABLE_MAX_COLUMNS] = { 0 };
    struct call call = { .table = table, .output = output, .select = bit((int)table->n_columns) - 1 };
    struct plan plan = { .call = &call };
    table->books(books, cells);
    render_object(&plan, cells, out);
}

void render_error(enum output output, struct slice why, struct buffer *out)
{
    const struct format *f = &formats[output];
    f->begin(out, 1);
    f->member(out, S("error"), true);
    write_text(f, why, out);
    f->member_end(out, S("error"));
    f->end(out);
}

struct slice render_content_type(enum output output)
{
    return formats[output].content_type;
}
