/* SPDX-License-Identifier: MIT
 * The plan: the least that v3 has to be asked for a v2 call. */
#include "mapping/plan.h"

#include "base/buffer.h"
#include "base/text.h"
#include "mapping/fold.h"

static const struct refusal fine = { 0 };

static struct refusal no_memory(void)
{
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

static bool shows_units_of(const struct plan *p, size_t column)
{
    const struct column *c = &p->call->table->columns[column];
    return p->call->select & 1u << column && c->field >= 0 &&
           !(c->shown == FIDELITY_NEAR && p->options.last_visited_null);
}

/* Every order ends with the key, in which rows are distinct: what stands behind it would decide nothing. */
static void make_order(struct plan *p)
{
    const struct table *t = p->call->table;
    uint32_t seen = 0;
    for (size_t i = 0; i < p->call->n_orders; i++) {
        const struct order *o = &p->call->orders[i];
        const struct column *c = &t->columns[o->column];
        if (c->order_by == FIDELITY_NEAR)
            p->marks.order_by |= 1u << o->column;
        if (seen & (1u << c->field | 1u << t->key_field))
            continue;
        p->order[p->n_order++] = (struct field_order){ c->field, o->descending };
        seen |= 1u << c->field;
    }
    if (!(seen & 1u << t->key_field))
        p->order[p->n_order++] = (struct field_order){ t->key_field, false };
}

static void make_fields(struct plan *p)
{
    const struct table *t = p->call->table;
    p->fields = 1u << t->key_field;
    for (size_t i = 0; i < t->n_columns; i++)
        if (shows_units_of(p, i))
            p->fields |= 1u << t->columns[i].field;
    for (size_t i = 0; i < p->n_order; i++)
        p->fields |= 1u << p->order[i].field;
}

/* A clause that cannot be sent is refused before anything is made of it: a text of 64 KiB may become megabytes. */
static struct refusal refuse_long_texts(const struct call *c, struct arena *memory)
{
    size_t where = conditions_least_url(&c->where), having = conditions_least_url(&c->having), n = where + having;
    enum clause clause = having > where ? CLAUSE_HAVING : CLAUSE_WHERE;
    if (n <= PLAN_MAX_URL)
        return fine;
    struct slice why = arena_printf(memory,
                                    "%.*s is too long for API v3: the URL of the request would have at least %zu "
                                    "bytes, %zu more than the %d that are sent; give fewer or shorter conditions",
                                    SLICE_ARGS(clause_name(clause)), n, n - PLAN_MAX_URL, PLAN_MAX_URL);
    return why.p ? (struct refusal){ clause_fault(clause), why } : no_memory();
}

static struct refusal make_filters(struct plan *p, const struct conditions *list, struct arena *memory)
{
    for (size_t i = 0; i < list->n; i++) {
        struct slice e;
        struct refusal r = filter_of_condition(p->call->table, &list->list[i], p->options.fold, p->options.today,
                                               memory, &p->marks, &e);
        if (r.fault)
            return r;
        if (e.n)
            p->filters[p->n_filters++] = e;
    }
    return fine;
}

/* Merged rows are looked at again, which takes the values: where there may be such rows, a column that only filters is
 * selected as well, at no price. Parts that are above a bound have a sum that is. */
static struct refusal make_checks(struct plan *p, struct arena *memory)
{
    const struct table *t = p->call->table;
    const struct conditions *clauses[] = { &p->call->where, &p->call->having };
    size_t n = p->call->where.n + p->call->having.n;
    if (!n || !p->options.fold || !table_folds(t))
        return fine;
    p->checks = arena_array(memory, struct filter_check, n);
    for (int k = 0; k < 2 && p->checks; k++) {
        for (size_t i = 0; i < clauses[k]->n; i++) {
            struct filter_check *check = &p->checks[p->n_checks];
            if (!filter_check_of(t, &clauses[k]->list[i], check))
                continue;
            bool is_whole = t->fields[check->field].type == VALUE_WHOLE;
            if (is_whole && (check->op == OP_GT || check->op == OP_GE) && !(p->fields & 1u << check->field))
                continue;
            check->text = is_whole ? S("") : fold_dup(check->text, memory);
            if (!check->text.p)
                return no_memory();
            p->fields |= p->options.upper_case ? 1u << check->field : 0;
            p->n_checks++;
        }
    }
    return p->checks ? fine : no_memory();
}

/* v3 counts each column once, wherever it appears: select, order, filter. */
static void make_price(struct plan *p)
{
    const struct table *t = p->call->table;
    const struct conditions *clauses[] = { &p->call->where, &p->call->having };
    uint32_t fields = p->fields, extra = 0;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < clauses[k]->n; i++) {
            const struct column *c = &t->columns[clauses[k]->list[i].column];
            if (clause_fidelity(clauses[k]->list[i].clause, c) == FIDELITY_LIVE_DAY)
                continue;
            if (c->filter_v3.n)
                extra |= 1u << clauses[k]->list[i].column;
            else
                fields |= 1u << c->field;
        }
    }
    for (size_t i = 0; i < t->n_fields; i++)
        p->units_per_row += fields & 1u << i ? t->fields[i].units : 0;
    for (size_t i = 0; i < t->n_columns; i++)
        p->units_per_row += extra & 1u << i ? t->columns[i].filter_units : 0;
}

static struct slice names_of(const struct plan *p, bool order, struct arena *memory)
{
    char room[512];
    struct buffer b = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    const struct table *t = p->call->table;
    for (size_t i = 0; i < t->n_fields && !order; i++) {
        if (!(p->fields & 1u << i))
            continue;
        if (b.n)
            buffer_put(&b, ',');
        buffer_append(&b, t->fields[i].v3);
    }
    for (size_t i = 0; i < p->n_order && order; i++) {
        if (i)
            buffer_put(&b, ',');
        buffer_append(&b, t->fields[p->order[i].field].v3);
        buffer_str(&b, p->order[i].descending ? ":desc" : ":asc");
    }
    return b.failed ? slice_of(NULL, 0) : arena_dup(memory, buffer_slice(&b));
}

/* What the totals need: v3 has no number of pages that link, so a ratio to the links stands in (docs/compatibility.md).
 */
static void make_stats(struct plan *p)
{
    const struct table *t = p->call->table;
    uint32_t both = 1u << t->backlinks_field | 1u << t->refpages_field;
    if (p->options.stats_zero) {
        marks_add(&p->marks, MARK_STATS);
        return;
    }
    p->ask_totals = true;
    if (p->options.refpages_null)
        return;
    p->ratio_from_list = p->n_filters == 0 && p->call->offset == 0 && p->call->limit >= PLAN_RATIO_ROWS &&
                         p->order[0].field == t->backlinks_field && p->order[0].descending &&
                         (p->fields & both) == both;
    p->ask_ratio = !p->ratio_from_list;
}

/* Bytes of `s` in a URL at most. */
static size_t most_in_url(struct slice s)
{
    return s.n * 3;
}

/* Nearly every call is far below the limit, and nothing has to be written to know it. */
static bool is_surely_short(const struct plan *p)
{
    enum { REST = 512 /* names of parameters, numbers, brackets */ };
    size_t n = p->options.url_bytes + REST + most_in_url(p->call->target.v3) + most_in_url(p->select) +
               most_in_url(p->order_by);
    for (size_t i = 0; i < p->n_filters; i++)
        n += most_in_url(p->filters[i]) + 3;
    return n <= PLAN_MAX_URL;
}

static size_t in_url(const struct slice *filters, size_t n)
{
    struct buffer b = { 0 };
    for (size_t i = 0; i < n; i++)
        percent_encode(&b, filters[i]);
    size_t bytes = b.n;
    buffer_clear(&b);
    return bytes;
}

/* Of all URLs of the call that are known before the first answer, that of its first page is the longest. */
static struct refusal check_url(struct plan *p, size_t n_where, struct arena *memory)
{
    if (is_surely_short(p))
        return fine;
    int64_t rows = p->call->offset + p->call->limit;
    struct slice path = p->ask_list ? plan_list_path(p, S(""), rows, memory) : plan_totals_path(p, memory);
    if (!path.p)
        return no_memory();
    if (!plan_is_too_long(p, path))
        return fine;
    size_t where = in_url(p->filters, n_where), having = in_url(p->filters + n_where, p->n_filters - n_where);
    bool has_clause = p->ask_list && p->n_filters;
    enum fault fault = !has_clause ? FAULT_BAD_TARGET : having > where ? FAULT_BAD_HAVING : FAULT_BAD_WHERE;
    size_t n = p->options.url_bytes + path.n;
    struct slice why = arena_printf(memory,
                                    "%s is too long for API v3: the URL of the request would have %zu bytes, %zu more "
                                    "than the %d that are sent; %s",
                                    !has_clause      ? "target"
                                    : having > where ? "having"
                                                     : "where",
                                    n, n - PLAN_MAX_URL, PLAN_MAX_URL,
                                    has_clause ? "give fewer or shorter conditions" : "give a shorter one");
    return why.p ? (struct refusal){ fault, why } : no_memory();
}

struct refusal plan_make(const struct call *call, const struct plan_options *options, struct arena *memory,
                         struct plan *ret)
{
    struct plan p = { .call = call, .options = *options };
    p.free_of_rows = host_is_under(call->target.host, options->free_targets);
    p.free_of_units = host_is_under(call->target.host, v3_free_targets);
    p.page_rows = options->page_rows;
    if (p.free_of_units && (!p.page_rows || p.page_rows > PLAN_FREE_PAGE_ROWS))
        p.page_rows = PLAN_FREE_PAGE_ROWS;
    if (call->mode_missing)
        marks_add(&p.marks, MARK_MODE);
    p.filters = arena_array(memory, struct slice, call->where.n + call->having.n + 1);
    if (!p.filters)
        return no_memory();
    make_order(&p);
    make_fields(&p);
    struct refusal r = refuse_long_texts(call, memory);
    if (!r.fault)
        r = make_filters(&p, &call->where, memory);
    size_t n_where = p.n_filters;
    if (!r.fault)
        r = make_filters(&p, &call->having, memory);
    if (!r.fault)
        r = make_checks(&p, memory);
    if (r.fault)
        return r;
    make_price(&p);
    if (options->refuse_approximate && !marks_none(&p.marks)) {
        char room[512];
        struct buffer words = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
        marks_write(&p.marks, call->table, &words);
        struct slice why =
            arena_printf(memory, "API v3 has no exact twin of %.*s, and the configuration says approximate = refuse",
                         SLICE_ARGS(buffer_slice(&words)));
        return why.p ? (struct refusal){ FAULT_NOT_EXACT, why } : no_memory();
    }
    p.ask_list = call->limit > 0;
    make_stats(&p);
    p.select = names_of(&p, false, memory);
    p.order_by = names_of(&p, true, memory);
    if (!p.select.p || !p.order_by.p)
        return no_memory();
    r = check_url(&p, n_where, memory);
    if (!r.fault)
        *ret = p;
    return r;
}

bool plan_is_free(const struct plan *p)
{
    return p->free_of_units && !(p->options.none_is_free && *p->options.none_is_free);
}

int64_t plan_price(const struct plan *p, int64_t rows)
{
    int64_t units = rows * p->units_per_row;
    return units < V3_FLOOR_UNITS ? V3_FLOOR_UNITS : units;
}

int64_t plan_units(const struct plan *p, int64_t rows)
{
    return plan_is_free(p) ? 0 : plan_price(p, rows);
}

int64_t plan_list_units(const struct plan *p, int64_t rows)
{
    if (rows <= 0)
        return 0;
    if (!p->page_rows)
        return plan_units(p, rows);
    return rows / p->page_rows * plan_units(p, p->page_rows) +
           (rows % p->page_rows ? plan_units(p, rows % p->page_rows) : 0);
}

/* Rows of one page. */
static int64_t page_paid_by(const struct plan *p, int64_t units)
{
    return units < V3_FLOOR_UNITS ? 0 : p->units_per_row ? units / p->units_per_row : INT64_MAX;
}

int64_t plan_rows_paid_by(const struct plan *p, int64_t units)
{
    if (plan_is_free(p))
        return INT64_MAX;
    if (!p->page_rows)
        return page_paid_by(p, units);
    int64_t page = plan_units(p, p->page_rows), whole = units > 0 ? units / page : 0;
    return whole * p->page_rows + page_paid_by(p, units - whole * page);
}

int64_t plan_floor_rows(const struct plan *p)
{
    return p->units_per_row && p->units_per_row < V3_FLOOR_UNITS ? V3_FLOOR_UNITS / p->units_per_row : 1;
}

int64_t plan_allowance(const struct plan *p, int64_t list_units)
{
    if (!p->options.fold || !table_folds(p->call->table) || list_units <= 0)
        return 0;
    return list_units / 4 < V3_FLOOR_UNITS ? V3_FLOOR_UNITS : list_units / 4;
}

struct refusal plan_too_dear(const struct plan *p, int64_t units, int64_t ceiling, struct arena *memory)
{
    const char *skips = p->call->offset ? ", or begin nearer to the list's front" : "";
    struct slice why = arena_printf(
        memory,
        "this call could cost %lld API v3 units, more than units_per_call = %lld: ask for fewer rows or columns%s",
        (long long)units, (long long)ceiling, skips);
    return why.p ? (struct refusal){ FAULT_TOO_DEAR, why } : no_memory();
}

int64_t plan_units_taken(const struct plan *p, int64_t units_header, bool cache_hit)
{
    if (units_header > 0 || (units_header == 0 && (cache_hit || p->free_of_units)))
        return units_header;
    return -1;
}

int64_t plan_max_rows(const struct plan *p)
{
    const struct call *c = p->call;
    return p->free_of_rows ? 0 : table_price(c->table, c->limit, c->where.n > 0, c->having.n > 0);
}

int64_t plan_parts_units(const struct plan *p)
{
    return plan_is_free(p) ? 0 : (p->ask_totals + p->ask_ratio) * (int64_t)V3_FLOOR_UNITS;
}

int64_t plan_max_units(const struct plan *p, int64_t ceiling)
{
    int64_t rows = p->ask_list ? p->call->offset + p->call->limit : 0, parts = plan_parts_units(p);
    int64_t paid = ceiling ? plan_rows_paid_by(p, ceiling - parts) : rows;
    int64_t list = plan_list_units(p, rows < paid ? rows : paid), all = parts + list + plan_allowance(p, list);
    return ceiling && all > ceiling ? ceiling : all;
}

static void parameter(struct buffer *b, const char *name, struct slice value)
{
    buffer_put(b, '&');
    buffer_str(b, name);
    buffer_put(b, '=');
    percent_encode(b, value);
}

/* The beginning that all requests share. */
static void begin_path(const struct plan *p, struct slice path, struct buffer *b)
{
    buffer_append(b, path);
    buffer_str(b, "?target=");
    percent_encode(b, p->call->target.v3);
    buffer_str(b, "&mode=");
    buffer_append(b, mode_name(p->call->target.v3_mode));
    buffer_str(b, "&protocol=both&output=json");
}

/* Take the text over into the arena. */
static struct slice end_path(struct buffer *b, struct arena *memory)
{
    struct slice text = b->failed ? slice_of(NULL, 0) : arena_dup(memory, buffer_slice(b));
    buffer_clear(b);
    return text;
}

static void list_parameters(struct buffer *b, struct slice select, struct slice order_by, struct slice where,
                            int64_t rows)
{
    buffer_str(b, "&history=live&limit=");
    buffer_i64(b, rows);
    parameter(b, "select", select);
    parameter(b, "order_by", order_by);
    if (where.n)
        parameter(b, "where", where);
}

struct slice plan_list_path(const struct plan *p, struct slice after, int64_t rows, struct arena *memory)
{
    struct buffer b = { 0 };
    if (after.n)
        p->filters[p->n_filters] = after;
    struct slice where = filter_and(p->filters, p->n_filters + (after.n ? 1 : 0), memory);
    if (!where.p)
        return where;
    begin_path(p, p->call->table->list_path, &b);
    list_parameters(&b, p->select, p->order_by, where, rows);
    return end_path(&b, memory);
}

struct slice plan_totals_path(const struct plan *p, struct arena *memory)
{
    struct buffer b = { 0 };
    char date[11];
    day_format(p->options.today, date);
    begin_path(p, p->call->table->totals_path, &b);
    buffer_str(&b, "&date=");
    buffer_str(&b, date);
    return end_path(&b, memory);
}

struct slice plan_ratio_path(const struct plan *p, struct arena *memory)
{
    struct buffer b = { 0 };
    const struct table *t = p->call->table;
    struct slice links = t->fields[t->backlinks_field].v3, pages = t->fields[t->refpages_field].v3;
    struct slice select = arena_printf(memory, "%.*s,%.*s", SLICE_ARGS(links), SLICE_ARGS(pages));
    struct slice order = arena_printf(memory, "%.*s:desc", SLICE_ARGS(links));
    if (!select.p || !order.p)
        return slice_of(NULL, 0);
    begin_path(p, t->list_path, &b);
    list_parameters(&b, select, order, S(""), PLAN_RATIO_ROWS);
    return end_path(&b, memory);
}

bool plan_is_too_long(const struct plan *p, struct slice path)
{
    return p->options.url_bytes + path.n > PLAN_MAX_URL;
}
