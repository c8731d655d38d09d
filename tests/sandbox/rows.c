/* SPDX-License-Identifier: MIT
 * The endpoints that list rows. */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sandbox/parameters.h"

enum { DEFAULT_LIMIT = 1000, FREE_LIMIT = 100 };

/* What is asked, once all of it has been understood. */
struct question {
    struct aim aim;
    enum rows kind;
    struct scope scope;
    struct selection selection;
    struct order order;
    struct sieve sieve;
    uint64_t limit, per_row;
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t price_of_row(const struct call *call, const struct question *q, const struct filter *filter)
{
    struct report_set set = filter ? filter->columns : (struct report_set){ 0 };
    for (size_t i = 0; query_get(call->query, "order_by").p && i < q->order.n; i++)
        report_add(call->report, &set, q->order.terms[i].column);
    for (size_t i = 0; i < q->selection.n; i++)
        report_add(call->report, &set, q->selection.columns[i]);
    return report_units(call->report, &set);
}

static uint64_t cap_of_rows(const struct call *call, const struct question *q)
{
    uint64_t cap = smaller(q->limit, call->options->row_cap);
    if (q->aim.target.is_free)
        cap = smaller(cap, FREE_LIMIT);
    return call->report->row_cap ? smaller(cap, call->report->row_cap) : cap;
}

/* The names of parameters that the report has. */
static void list_known(const struct report *report, const char *known[12])
{
    static const char *const common[] = {
        "target", "select", "mode", "protocol", "where", "order_by", "limit", "output"
    };
    size_t n = 0;
    for (; n < sizeof common / sizeof common[0]; n++)
        known[n] = common[n];
    if (report->has_history)
        known[n++] = "history";
    if (report->has_aggregation)
        known[n++] = "aggregation";
    if (report->has_timeout)
        known[n++] = "timeout";
    known[n] = NULL;
}

static bool read_question(struct call *call, struct question *q)
{
    const struct report *report = call->report;
    const struct filter *filter;
    const char *known[12];
    struct slice why;
    uint64_t timeout_s = 0;
    list_known(report, known);
    q->kind = report->rows;
    q->limit = DEFAULT_LIMIT;
    q->scope = (struct scope){ .as_of = day_end(options_today(call->options)), .only_broken = report->is_broken };
    if (!parameters_check(call, known) || (report->has_aggregation && !parameters_aggregation(call, &q->kind)) ||
        !parameters_select(call, q->kind, &q->selection) || !parameters_where(call, &filter) ||
        !parameters_order(call, &q->order) || !parameters_number(call, "limit", &q->limit) ||
        (report->has_timeout && !parameters_number(call, "timeout", &timeout_s)) ||
        (report->has_history && !parameters_history(call, &q->scope)) || !parameters_aim(call, &q->aim))
        return false;
    if (!sieve_make(filter, call->options, q->kind, &q->sieve, &why))
        return answer_error(call, 400, why);
    q->per_row = price_of_row(call, q, filter);
    q->limit = cap_of_rows(call, q);
    q->scope.protocol = q->aim.protocol;
    scope_aim(&q->scope, q->aim.world, &q->aim.target, q->aim.mode);
    call->answer->timeout_ms = timeout_s * 1000;
    return true;
}

static void write_list(struct call *call, enum type type, const struct value *v)
{
    struct buffer *b = &call->answer->body;
    buffer_put(b, '[');
    for (size_t i = 0; i < v->list.n; i++) {
        buffer_str(b, i ? "," : "");
        if (type == TYPE_LIST)
            answer_string(call, v->list.items[i]);
        else
            buffer_append(b, v->list.items[i]);
    }
    buffer_put(b, ']');
}

static void write_value(struct call *call, enum column column, const struct value *v)
{
    struct buffer *b = &call->answer->body;
    char moment[21];
    if (v->is_null) {
        buffer_str(b, "null");
        return;
    }
    switch (columns[column].type) {
    case TYPE_TEXT:
        answer_string(call, v->text);
        return;
    case TYPE_WHOLE:
        buffer_i64(b, v->whole);
        return;
    case TYPE_REAL:
        buffer_printf(b, "%.1f", v->real);
        return;
    case TYPE_TRUTH:
        buffer_str(b, v->truth ? "true" : "false");
        return;
    case TYPE_MOMENT:
        timestamp_format(v->whole, moment);
        buffer_put(b, '"');
        buffer_append(b, slice_of(moment, 20));
        buffer_put(b, '"');
        return;
    case TYPE_LIST:
    case TYPE_WHOLES:
        write_list(call, columns[column].type, v);
        return;
    }
}

static void write_row(struct call *call, const struct question *q, const struct grouping *grouping,
                      const struct row *row, bool is_first)
{
    struct buffer *b = &call->answer->body;
    struct scratch scratch;
    buffer_str(b, is_first ? "{" : ",{");
    for (size_t i = 0; i < q->selection.n; i++) {
        const struct report_column *column = q->selection.columns[i];
        struct value v = row_value(q->aim.world, grouping, row, column->column, &scratch);
        buffer_str(b, i ? ",\"" : "\"");
        buffer_append(b, column->name);
        buffer_str(b, "\":");
        write_value(call, column->column, &v);
    }
    buffer_put(b, '}');
}

static uint64_t write_rows(struct call *call, const struct question *q, const struct grouping *grouping,
                           const struct row *const *sorted)
{
    uint64_t written = 0;
    for (size_t i = 0; i < grouping->n_rows && written < q->limit; i++)
        if (row_passes(q->aim.world, grouping, call->options, &q->sieve, sorted[i]))
            write_row(call, q, grouping, sorted[i], written++ == 0);
    return written;
}

/* Rows that nobody else will ask for: of links that passed a filter, and pages. */
static bool write_made(struct call *call, const struct question *q, uint64_t *written)
{
    struct grouping grouping;
    if (q->kind == ROWS_PAGES ? !grouping_make_pages(q->aim.world, &q->aim.target, q->aim.mode, &q->scope, &grouping)
                              : !grouping_make(q->aim.world, q->kind, &q->scope, call->options, &q->sieve, &grouping))
        return false;
    const struct row **sorted = rows_sorted(q->aim.world, call->options, &grouping, &q->order);
    if (sorted)
        *written = write_rows(call, q, &grouping, sorted);
    grouping_clear(&grouping);
    bool made = sorted;
    free(sorted);
    return made;
}

static bool write_kept(struct call *call, const struct question *q, uint64_t *written)
{
    const struct grouping *grouping = store_grouping(call->store, q->aim.world, q->kind, &q->scope);
    const struct row *const *sorted = grouping ? store_sorted(call->store, grouping, &q->order) : NULL;
    if (sorted)
        *written = write_rows(call, q, grouping, sorted);
    return sorted;
}

void answer_rows(struct call *call)
{
    struct question *q = arena_zalloc(call->memory, sizeof *q);
    struct answer *a = call->answer;
    uint64_t written = 0;
    if (!q || !read_question(call, q))
        return;
    bool times_out = a->timeout_ms && call->delay_ms > a->timeout_ms;
    if (times_out && call->options->on_timeout == ON_TIMEOUT_ERROR) {
        (void)answer_error(call, 500, S("timeout"));
        return;
    }
    if (times_out)
        q->limit = 0;
    bool is_hit = account_hit(call->account, call->key, call->request, call->now_ms);
    if (!is_hit && !q->aim.target.is_free && !answer_affords(call, q->limit * q->per_row))
        return;
    buffer_str(&a->body, "{\"");
    buffer_append(&a->body, call->report->key);
    buffer_str(&a->body, "\":[");
    bool is_made = q->sieve.n_links || q->kind == ROWS_PAGES;
    if (!(is_made ? write_made(call, q, &written) : write_kept(call, q, &written))) {
        (void)answer_error(call, 500, S("Internal Error"));
        return;
    }
    buffer_str(&a->body, "]}");
    answer_cost(call, written, q->per_row, q->aim.target.is_free, is_hit);
}
