/* SPDX-License-Identifier: MIT
 * /v3/site-explorer/anchors. */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sandbox/parameters.h"

enum { DEFAULT_LIMIT = 1000, FREE_LIMIT = 100 };

/* What is asked, once all of it has been understood. */
struct question {
    struct aim aim;
    struct scope scope;
    enum column selected[N_COLUMNS];
    size_t n_selected;
    struct order order;
    struct sieve sieve;
    uint64_t limit, per_row;
};

static uint64_t columns_of_order(const struct call *call, const struct order *order)
{
    uint64_t set = 0;
    for (size_t i = 0; query_get(call->query, "order_by").p && i < order->n; i++)
        set |= column_bit(order->terms[i].column);
    return set;
}

static bool read_question(struct call *call, struct question *q)
{
    static const char *const known[] = { "target",   "select", "mode",    "protocol", "history", "where",
                                         "order_by", "limit",  "timeout", "output",   NULL };
    const struct filter *filter;
    struct slice why;
    uint64_t timeout_s = 0;
    q->limit = DEFAULT_LIMIT;
    q->scope = (struct scope){ .as_of = day_end(options_today(call->options)) };
    if (!parameters_check(call, known) || !parameters_select(call, q->selected, &q->n_selected) ||
        !parameters_where(call, &filter) || !parameters_order(call, &q->order) ||
        !parameters_number(call, "limit", &q->limit) || !parameters_number(call, "timeout", &timeout_s) ||
        !parameters_history(call, &q->scope) || !parameters_aim(call, &q->aim))
        return false;
    if (!sieve_make(filter, call->options, &q->sieve, &why))
        return answer_error(call, 400, why);
    uint64_t set = columns_of_order(call, &q->order) | (filter ? filter->columns : 0);
    for (size_t i = 0; i < q->n_selected; i++)
        set |= column_bit(q->selected[i]);
    q->per_row = column_units(set);
    if (q->limit > call->options->row_cap)
        q->limit = call->options->row_cap;
    if (q->aim.target.is_free && q->limit > FREE_LIMIT)
        q->limit = FREE_LIMIT;
    q->scope.protocol = q->aim.protocol;
    scope_aim(&q->scope, q->aim.world, &q->aim.target, q->aim.mode);
    call->answer->timeout_ms = timeout_s * 1000;
    return true;
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
        return; /* no row has lists */
    }
}

static void write_row(struct call *call, const struct question *q, const struct row *row, bool is_first)
{
    struct buffer *b = &call->answer->body;
    buffer_str(b, is_first ? "{" : ",{");
    for (size_t i = 0; i < q->n_selected; i++) {
        enum column column = q->selected[i];
        struct value v = row_value(q->aim.world, row, column);
        buffer_str(b, i ? ",\"" : "\"");
        buffer_append(b, columns[column].name);
        buffer_str(b, "\":");
        write_value(call, column, &v);
    }
    buffer_put(b, '}');
}

static uint64_t write_rows(struct call *call, const struct question *q, const struct row *const *sorted, size_t n)
{
    uint64_t written = 0;
    for (size_t i = 0; i < n && written < q->limit; i++)
        if (row_passes(q->aim.world, &q->scope, call->options, &q->sieve, sorted[i]))
            write_row(call, q, sorted[i], written++ == 0);
    return written;
}

/* Rows of links that passed a filter: grouped for this answer only. */
static bool write_filtered(struct call *call, const struct question *q, uint64_t *written)
{
    struct grouping grouping;
    if (!grouping_make(q->aim.world, &q->scope, call->options, &q->sieve, &grouping))
        return false;
    const struct row **sorted = rows_sorted(q->aim.world, &grouping, &q->order);
    if (sorted)
        *written = write_rows(call, q, sorted, grouping.n_rows);
    grouping_clear(&grouping);
    bool made = sorted;
    free(sorted);
    return made;
}

static bool write_all(struct call *call, const struct question *q, uint64_t *written)
{
    const struct grouping *grouping = store_grouping(call->store, q->aim.world, &q->scope);
    const struct row *const *sorted = grouping ? store_sorted(call->store, grouping, &q->order) : NULL;
    if (sorted)
        *written = write_rows(call, q, sorted, grouping->n_rows);
    return sorted;
}

void answer_anchors(struct call *call)
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
    buffer_str(&a->body, "{\"anchors\":[");
    if (!(q->sieve.n_links ? write_filtered(call, q, &written) : write_all(call, q, &written))) {
        (void)answer_error(call, 500, S("Internal Error"));
        return;
    }
    buffer_str(&a->body, "]}");
    answer_cost(call, written, q->per_row, q->aim.target.is_free, is_hit);
}
