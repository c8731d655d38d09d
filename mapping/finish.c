/* SPDX-License-Identifier: MIT
 * The end of a call: its stats, what is marked, its price, and the bytes. */
#include "mapping/answer_view.h"
#include "mapping/part.h"
#include "mapping/translation_inside.h"

static struct answer_view view_of(const struct translation *t)
{
    struct answer_view v = { .rows = t->rows,
                             .fields = t->plan->fields,
                             .rows_came = t->came_in_all,
                             .has_every_row = t->whole_list && t->plan->n_filters == 0 };
    for (size_t k = 0; k < t->plan->call->table->n_parts; k++)
        v.parts[k] = known_part(t, k);
    return v;
}

static void make_stats(struct translation *t, struct marks *marks)
{
    const struct table *table = t->plan->call->table;
    struct answer_view v = view_of(t);
    for (size_t i = 0; i < table->n_stats; i++) {
        const struct table_stat *stat = &table->stats[i];
        const struct part_values *values = stat->from == FROM_PART ? v.parts[stat->part] : NULL;
        bool marked = mark_is_due(stat->shown);
        if (stat->make) {
            struct stat_value value = stat->make(&v);
            t->stats.of[i].whole = value.whole;
            marked = value.marked;
        } else if (values) {
            t->stats.of[i] = part_sum(table->parts[stat->part].report, stat->fields, values);
        }
        if (marked)
            marks->stats |= bit((int)i);
        enum null_rule rule = stat->shown == FIDELITY_MISSING ? NULL_MISSING : stat->null_when;
        if (marked && rule && t->plan->options.nulls & bit((int)rule))
            t->stats.nulls |= bit((int)i);
    }
}

/* The number that bounds the rows of the target's list, when it is there. */
static const struct part_values *bounding(const struct translation *t)
{
    enum plan_ask ask = plan_bound_ask(t->plan);
    return ask != ASK_COUNT && t->asks[ask].state == ANSWERED ? &t->asks[ask].values : NULL;
}

/* Where v3 orders texts in its own way it may compare them in another, and then pages leave rows out. Nothing is
 * missing when all rows make the number that bounds them. */
static bool rows_may_be_missing(const struct translation *t)
{
    const struct table_bound *b = &t->plan->call->table->bound;
    const struct part_values *values = t->plan->n_filters == 0 ? bounding(t) : NULL;
    bool can_tell = values && (!b->is_sum || t->plan->fields & bit(b->sum_field));
    int64_t rows = !can_tell ? 0 : b->is_sum ? rows_sum(t->rows, b->sum_field) : rows_count(t->rows);
    return t->page_rows && t->came_in_all > t->page_rows && !(can_tell && rows == values->of[b->field].whole);
}

/* A list without a row, of a target that has some. */
static bool contradicts_bound(const struct translation *t)
{
    const struct part_values *values = t->plan->ask_list && t->plan->n_filters == 0 ? bounding(t) : NULL;
    return values && values->of[t->plan->call->table->bound.field].whole > 0 && rows_count(t->rows) == 0;
}

static enum translation_cut cut_of(const struct translation *t)
{
    bool is_shorter = t->share.limit < t->plan->call->limit && (!t->whole_list || rows_count(t->rows) > needed_rows(t));
    return t->ending.full ? CUT_FULL : t->ending.paid_out ? CUT_PAID_OUT : is_shorter ? CUT_SHORTER : CUT_NOT;
}

/* The column that shows the first field of the key; its number in the table. */
static size_t key_column(const struct table *table)
{
    size_t i = 0;
    while (i + 1 < table->n_columns && column_field(&table->columns[i]) != table->key.fields[0])
        i++;
    return i;
}

/* What the shown values of columns are not. */
static void mark_columns(const struct translation *t, struct marks *marks)
{
    const struct table *table = t->plan->call->table;
    uint64_t broken = t->rows ? rows_broken_fields(t->rows, t->results) : 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *c = &table->columns[i];
        int field = column_field(c);
        if (!t->results || !((t->plan->call->select | table->always_marked) & bit((int)i)))
            continue;
        if (mark_is_due(c->shown))
            marks->shown |= bit((int)i);
        if (field >= 0 && broken & bit(field))
            marks->broken |= bit((int)i);
    }
}

/* v3's order was not v2's. */
static void mark_order(const struct translation *t, bool every_row, struct marks *marks)
{
    const struct call *call = t->plan->call;
    bool disorder = t->seen_before.disorder || rows_resorted(t->rows);
    uint64_t moved = every_row ? 0 : rows_moved_by(t->rows);
    if (t->ending.stuck || (disorder && (!every_row || rows_may_be_missing(t))))
        marks->order_by |= bit((int)key_column(call->table));
    for (size_t i = 0; i < call->n_orders; i++) {
        int field = column_field(&call->table->columns[call->orders[i].column]);
        if (field >= 0 && moved & bit(field))
            marks->order_by |= bit(call->orders[i].column);
    }
}

static void make_marks(struct translation *t, struct marks *marks)
{
    const struct table *table = t->plan->call->table;
    bool every_row = t->whole_list && t->plan->call->offset == 0 && rows_count(t->rows) <= needed_rows(t) && !cut_of(t);
    mark_columns(t, marks);
    if (t->plan->ask_list)
        mark_order(t, every_row, marks);
    if (t->ending.cut_short || cut_of(t) || contradicts_bound(t) || (table->rows_are_near && t->results))
        marks_add(marks, MARK_ROWS);
    if (table->tlds_of && !(every_row && t->plan->n_filters == 0))
        marks_add(marks, MARK_TLDS);
    bool case_seen = t->seen_before.upper_case || rows_case_seen(t->rows);
    /* Of the complete list nothing is missing; but a page or domain with two spellings was counted twice. */
    bool is_complete = every_row && t->plan->n_filters == 0 && t->came_in_all == rows_count(t->rows);
    if (t->plan->ask_list && t->plan->options.fold && table_folds(table) && case_seen && !is_complete)
        marks->spellings |= bit((int)key_column(table));
}

static bool finish_list(struct translation *t, struct translation_result *r)
{
    const struct call *call = t->plan->call;
    int64_t count = rows_count(t->rows), first = call->offset < count ? call->offset : count;
    t->results = count - first < t->share.limit ? count - first : t->share.limit;
    if (!rows_finish(t->rows, first, t->results))
        return translation_fail(t, FAULT_TOO_BUSY, "the answer needs more memory than one call may have");
    if (!t->plan->options.stats_zero)
        make_stats(t, &r->marks);
    make_marks(t, &r->marks);
    r->cut = cut_of(t);
    r->seen = (struct translation_seen){ rows_case_seen(t->rows), rows_disordered(t->rows) };
    return true;
}

/* A number of v3's that is null is shown as 0, and marked. */
static void finish_object(struct translation *t, struct translation_result *r)
{
    const struct table *table = t->plan->call->table;
    t->results = 1;
    mark_columns(t, &r->marks);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *c = &table->columns[i];
        const struct part_values *values = c->from == FROM_PART ? known_part(t, (size_t)c->part) : NULL;
        if (values && values->nulls & c->fields && t->plan->call->select & bit((int)i))
            r->marks.shown |= bit((int)i);
    }
}

static void count_parts(const struct translation *t, struct translation_result *r)
{
    for (size_t k = 0; k < t->plan->call->table->n_parts; k++) {
        const struct asked *a = &t->asks[ASK_PARTS + k];
        enum plan_ask ask = (enum plan_ask)(ASK_PARTS + k);
        if (t->plan->parts[k].is_asked && !a->by_itself)
            r->given |= 1u << ask;
        struct slice bytes = S("");
        if (t->plan->parts[k].is_in_list && a->values.rows >= a->part->rows)
            bytes = arena_dup(t->memory, translation_part(t, ask));
        if (bytes.n)
            r->learnt[r->n_learnt++] = (struct learnt_part){ ask, bytes };
    }
}

bool translation_finish(struct translation *t, struct translation_result *ret)
{
    const struct call *call = t->plan->call;
    struct translation_result r = { .marks = t->plan->marks };
    if (!t->rows)
        finish_object(t, &r);
    else if (!finish_list(t, &r))
        return false;
    r.results = t->results;
    r.rows = t->plan->free_of_rows ? 0 : table_price(call->table, t->results, call->where.n > 0, call->having.n > 0);
    r.whole_list = t->whole_list;
    r.rows_came = t->came_in_all;
    r.rows_replayed = t->replayed;
    r.learnt_page_rows = t->learnt_page_rows;
    count_parts(t, &r);
    *ret = r;
    return true;
}

static void write_object(const struct translation *t, struct buffer *out)
{
    const struct table *table = t->plan->call->table;
    union cell cells[TABLE_MAX_COLUMNS] = { 0 };
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *c = &table->columns[i];
        const struct part_values *values = c->from == FROM_PART ? known_part(t, (size_t)c->part) : NULL;
        if (values)
            cells[i] = part_sum(table->parts[c->part].report, c->fields, values);
        if (c->type == VALUE_TEXT)
            cells[i].text = S("");
    }
    render_object(t->plan, cells, out);
}

void translation_write(const struct translation *t, struct buffer *out)
{
    if (t->rows)
        render_answer(t->plan, t->rows, t->results, &t->stats, out);
    else
        write_object(t, out);
}
