/* SPDX-License-Identifier: MIT
 * v2 answers: the same walk for every format. */
#include "mapping/render.h"

#include "base/digits.h"
#include "mapping/format.h"

/* Room for a number or a date with what a format puts around it, and around a row; escapes may need more. */
enum { MAX_VALUE = 24, MAX_ITEM = 24 };

/* One shown column. What stands between two values is the same in every row, so it is written once. */
struct shown {
    struct slice before; /* behind the value before it, or at the beginning of the row */
    int field;
    enum value_type type;
    bool null;
};

struct shown_columns {
    struct shown list[TABLE_MAX_COLUMNS];
    size_t n;
    struct slice behind; /* the last value */
    struct buffer texts;
};

static bool is_quoted(const struct shown *c)
{
    return c->type != VALUE_WHOLE && !c->null;
}

/* The texts are written first and cut into slices when their place in memory is final. */
static void shown_make(struct shown_columns *s, const struct plan *plan, const struct format *f)
{
    const struct table *t = plan->call->table;
    size_t ends[TABLE_MAX_COLUMNS] = { 0 };
    if (f->is_plain)
        f->item(&s->texts, t->row_element, 1, 0);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        if (!(plan->call->select & 1u << i))
            continue;
        struct shown *shown = &s->list[s->n];
        shown->field = c->field;
        shown->type = c->type;
        shown->null = c->shown == FIDELITY_NEAR && plan->options.last_visited_null;
        f->member(&s->texts, c->v2, s->n == 0);
        if (is_quoted(shown))
            buffer_append(&s->texts, f->quote);
        ends[s->n++] = s->texts.n;
        if (is_quoted(shown))
            buffer_append(&s->texts, f->quote);
        f->member_end(&s->texts, c->v2);
    }
    if (f->is_plain)
        f->item_end(&s->texts, t->row_element);
    size_t at = 0;
    for (size_t i = 0; i < s->n && !s->texts.failed; i++) {
        s->list[i].before = slice_of(s->texts.p + at, ends[i] - at);
        at = ends[i];
    }
    s->behind = slice_of(s->texts.p + at, s->texts.n - at);
}

static void write_value(const struct format *f, const struct shown *c, const struct row *row, struct buffer *out)
{
    const union cell *cell = &row->cells[c->field];
    if (c->null)
        f->null(out);
    else if (c->type == VALUE_WHOLE)
        f->whole(out, cell->whole);
    else
        f->text(out, cell->text, row->plain & 1u << c->field);
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

/* Bytes that the values of a row may take. */
static size_t room_for(const struct shown_columns *shown, const struct row *row)
{
    enum { MOST_ESCAPED = 6 }; /* \u00xx */
    size_t n = shown->n * MAX_VALUE;
    for (size_t k = 0; k < shown->n; k++) {
        const struct shown *c = &shown->list[k];
        if (is_quoted(c))
            n += row->cells[c->field].text.n * (row->plain & 1u << c->field ? 1 : MOST_ESCAPED);
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
        const union cell *cell = &row->cells[c->field];
        to = put(to, slice_from(c->before, k ? 0 : skip));
        if (!c->null && c->type == VALUE_WHOLE && cell->whole >= 0) {
            to += decimal_write(to, (uint64_t)cell->whole);
        } else if (is_quoted(c) && row->plain & 1u << c->field) {
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
    shown_make(&shown, plan, f);
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

static void write_whole(const struct format *f, struct slice name, bool first, int64_t value, struct buffer *out)
{
    f->member(out, name, first);
    f->whole(out, value);
    f->member_end(out, name);
}

static void write_text(const struct format *f, struct slice text, struct buffer *out)
{
    buffer_append(out, f->quote);
    f->text(out, text, false);
    buffer_append(out, f->quote);
}

static void write_stats(const struct format *f, const struct stats *stats, struct buffer *out)
{
    f->object(out, 2);
    write_whole(f, S("backlinks"), true, stats->backlinks, out);
    if (!stats->refpages_null) {
        write_whole(f, S("refpages"), false, stats->refpages, out);
    } else {
        f->member(out, S("refpages"), false);
        f->null(out);
        f->member_end(out, S("refpages"));
    }
    f->object_end(out);
}

void render_answer(const struct plan *plan, const struct row_list *rows, int64_t n, const struct stats *stats,
                   struct buffer *out)
{
    const struct format *f = &formats[plan->call->output];
    struct slice key = plan->call->table->rows;
    f->begin(out, 2);
    f->member(out, key, true);
    f->list(out, n);
    write_rows(plan, f, rows, n, out);
    f->list_end(out);
    f->member_end(out, key);
    f->member(out, S("stats"), false);
    write_stats(f, stats, out);
    f->member_end(out, S("stats"));
    f->end(out);
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

/* Old programs read both numbers into 32 bits. */
static int64_t in_32_bits(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : n;
}

void render_info(enum output output, int64_t rows_used, int64_t rows_limit, struct slice subscription,
                 struct buffer *out)
{
    enum { NO_LIMIT = 2000000000 };
    int64_t limit = rows_limit < 0 ? NO_LIMIT : rows_limit;
    const struct format *f = &formats[output];
    f->begin(out, 1);
    f->member(out, S("info"), true);
    f->object(out, 3);
    write_whole(f, S("rows_left"), true, in_32_bits(limit - rows_used), out);
    write_whole(f, S("rows_limit"), false, in_32_bits(limit), out);
    f->member(out, S("subscription"), false);
    write_text(f, subscription, out);
    f->member_end(out, S("subscription"));
    f->object_end(out);
    f->member_end(out, S("info"));
    f->end(out);
}

struct slice render_content_type(enum output output)
{
    return formats[output].content_type;
}
