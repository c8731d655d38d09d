/* SPDX-License-Identifier: MIT
 * The plan: the least that v3 has to be asked for a v2 call. */
#include "mapping/plan.h"

#include <assert.h>

#include "base/buffer.h"
#include "base/text.h"
#include "mapping/fold.h"

static const struct refusal fine = { 0 };

static struct refusal no_memory(void)
{
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

/* Take the text over into the arena; p is NULL when it failed. */
static struct slice end_text(struct buffer *b, struct arena *memory)
{
    struct slice text = b->failed ? slice_of(NULL, 0) : arena_dup(memory, buffer_slice(b));
    buffer_clear(b);
    return text;
}

static bool shows_null(const struct plan *p, const struct column *c)
{
    return c->null_when && p->options.nulls & bit((int)c->null_when);
}

/* Whether the answer shows a value of the column, which has to come from somewhere. */
static bool shows_value(const struct plan *p, size_t column)
{
    const struct column *c = &p->call->table->columns[column];
    return p->call->select & bit((int)column) && !shows_null(p, c);
}

/* Every order ends with the key: in most tables rows are distinct in it, and what stands behind it would decide
 * nothing. */
static void make_order(struct plan *p)
{
    const struct table *t = p->call->table;
    uint64_t seen = 0, key = 0;
    for (int i = 0; i < t->key.n; i++)
        key |= bit(t->key.fields[i]);
    for (size_t i = 0; i < p->call->n_orders; i++) {
        const struct order *o = &p->call->orders[i];
        const struct column *c = &t->columns[o->column];
        if (c->order_by == FIDELITY_NEAR)
            p->marks.order_by |= bit(o->column);
        if (column_field(c) < 0 || seen & bit(c->field) || (!t->key.repeats && (seen & key) == key))
            continue;
        p->order[p->n_order++] = (struct field_order){ c->field, o->descending };
        seen |= bit(c->field);
    }
    for (int i = 0; i < t->key.n; i++)
        if (!(seen & bit(t->key.fields[i])))
            p->order[p->n_order++] = (struct field_order){ t->key.fields[i], false };
}

static void make_fields(struct plan *p)
{
    const struct table *t = p->call->table;
    for (int i = 0; i < t->key.n; i++)
        p->fields |= bit(t->key.fields[i]);
    for (size_t i = 0; i < t->n_columns; i++)
        if (column_field(&t->columns[i]) >= 0 && shows_value(p, i))
            p->fields |= bit(t->columns[i].field);
    for (size_t i = 0; i < p->n_order; i++)
        p->fields |= bit(p->order[i].field);
    for (size_t i = 0; t->list && i < t->list->n_fields; i++)
        if (p->fields & bit((int)i) && t->list->fields[i].stand_in)
            p->fields |= bit(t->list->fields[i].stand_in - 1);
}

/* Whoever names a column reads it: what v3 does not know is not made up. */
static struct refusal refuse_missing(const struct plan *p, struct arena *memory)
{
    const struct table *t = p->call->table;
    struct slice names = S("");
    size_t missing = t->n_columns;
    for (size_t i = 0; i < t->n_columns && names.p; i++) {
        bool is_missing = t->columns[i].shown == FIDELITY_MISSING;
        if (is_missing && missing == t->n_columns && p->call->named & bit((int)i))
            missing = i;
        if (!is_missing && t->columns[i].shown != FIDELITY_NONE)
            names = arena_printf(memory, "%.*s%s%.*s", SLICE_ARGS(names), names.n ? ", " : "",
                                 SLICE_ARGS(t->columns[i].v2));
    }
    if (missing == t->n_columns || p->options.nulls & bit(NULL_MISSING))
        return fine;
    struct slice why = arena_printf(memory, "select: API v3 cannot tell \"%.*s\"; there are %.*s",
                                    SLICE_ARGS(t->columns[missing].v2), SLICE_ARGS(names));
    return why.p ? (struct refusal){ FAULT_NOT_EXACT, why } : no_memory();
}

/* Where v3 sorts by one column, rows that are alike in it can still be had by the key. */
static struct refusal refuse_second_order(const struct plan *p)
{
    const struct table *t = p->call->table;
    if (!t->list->sorts_by_one || p->n_order < 2 || (p->n_order == 2 && table_is_key(t, p->order[1].field)))
        return fine;
    return (struct refusal){ FAULT_NOT_EXACT,
                             S("order_by: API v3 orders this list by one column; a second one can only "
                               "be url") };
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

/* The target as the URL of a page: https where no scheme was given. */
static struct slice page_of(const struct target *target, struct arena *memory)
{
    struct slice text = target->v3, rest = text;
    size_t scheme = 0;
    while (scheme + 3 <= text.n && !slice_eq(slice_of(text.p + scheme, 3), S("://")))
        scheme++;
    bool has_scheme = scheme + 3 <= text.n && scheme < slice_find(text, '/');
    if (has_scheme)
        rest = slice_from(text, scheme + 3);
    return arena_printf(memory, "%s%.*s%s", has_scheme ? "" : "https://", SLICE_ARGS(text),
                        slice_find(rest, '/') == rest.n && slice_find(rest, '?') == rest.n ? "/" : "");
}

static struct refusal make_filters(struct plan *p, const struct conditions *list, struct arena *memory)
{
    struct filter_making m = { .table = p->call->table,
                               .fold = p->options.fold,
                               .today = p->options.today,
                               .memory = memory,
                               .marks = &p->marks,
                               .host = p->call->target.host,
                               .country = &p->country };
    for (size_t i = 0; i < list->n; i++) {
        struct slice e;
        struct refusal r = filter_of_condition(&m, &list->list[i], &e);
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
            bool is_whole = t->list->fields[check->field].type == VALUE_WHOLE;
            if (is_whole && (check->op == OP_GT || check->op == OP_GE) && !(p->fields & bit(check->field)))
                continue;
            check->text = is_whole ? S("") : fold_dup(check->text, memory);
            if (!check->text.p)
                return no_memory();
            p->fields |= p->options.upper_case ? bit(check->field) : 0;
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
    uint64_t fields = p->fields, extra = 0, hosts = 0;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < clauses[k]->n; i++) {
            const struct condition *condition = &clauses[k]->list[i];
            const struct column *c = &t->columns[condition->column];
            if (clause_fidelity(condition->clause, c) == FIDELITY_LIVE_DAY)
                continue;
            if (c->text == TEXT_URL && condition->op == OP_SUBDOMAIN)
                hosts |= bit(condition->column);
            else if (c->filter.v3.n)
                extra |= bit(condition->column);
            else if (column_field(c) >= 0)
                fields |= bit(c->field);
        }
    }
    for (size_t i = 0; t->list && i < t->list->n_fields; i++)
        p->units_per_row += fields & bit((int)i) ? t->list->fields[i].units : 0;
    for (size_t i = 0; i < t->n_columns; i++) {
        p->units_per_row += extra & bit((int)i) ? t->columns[i].filter.units : 0;
        p->units_per_row += hosts & bit((int)i) ? t->columns[i].host.units : 0;
    }
}

static struct slice names_of_fields(const struct report *report, uint64_t fields, struct arena *memory)
{
    struct buffer b = { 0 };
    for (size_t i = 0; i < report->n_fields; i++) {
        if (!(fields & bit((int)i)))
            continue;
        if (b.n)
            buffer_put(&b, ',');
        buffer_append(&b, report->fields[i].v3);
    }
    return end_text(&b, memory);
}

static struct slice names_of_order(const struct report *report, const struct field_order *order, size_t n,
                                   struct arena *memory)
{
    struct buffer b = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (i)
            buffer_put(&b, ',');
        buffer_append(&b, report->fields[order[i].field].v3);
        buffer_str(&b, order[i].descending ? ":desc" : ":asc");
    }
    return end_text(&b, memory);
}

/* Whether the first rows of the list are those that the part adds up. */
static bool is_in_list(const struct plan *p, const struct part *part, uint64_t fields)
{
    return part->rows && part->report == p->call->table->list && p->n_filters == 0 && p->call->offset == 0 &&
           p->call->limit >= part->rows && p->order[0].field == part->order.field &&
           p->order[0].descending == part->order.descending && (p->fields & fields) == fields;
}

/* The fields of part `k` that the answer shows. */
static uint64_t needed_of_part(const struct plan *p, int k)
{
    const struct table *t = p->call->table;
    uint64_t fields = t->parts[k].report->shape == REPORT_RECORD ? 0 : t->parts[k].fields;
    if (fields)
        return fields;
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].from == FROM_PART && t->columns[i].part == k && shows_value(p, i))
            fields |= t->columns[i].fields;
    for (size_t i = 0; i < t->n_stats; i++)
        if (t->stats[i].from == FROM_PART && t->stats[i].part == k)
            fields |= t->stats[i].fields;
    return fields;
}

/* What stands beside the list, or is all of the answer. */
static void make_parts(struct plan *p)
{
    const struct table *t = p->call->table;
    if (t->n_stats && p->options.stats_zero) {
        marks_add(&p->marks, MARK_STATS);
        return;
    }
    for (size_t k = 0; k < t->n_parts; k++) {
        struct plan_part *part = &p->parts[k];
        part->fields = needed_of_part(p, (int)k);
        if (!part->fields || (t->parts[k].unless && p->options.nulls & bit((int)t->parts[k].unless)))
            continue;
        part->is_in_list = is_in_list(p, &t->parts[k], part->fields);
        part->is_asked = !part->is_in_list;
    }
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

static struct slice longest_path(const struct plan *p, int64_t rows, struct arena *memory)
{
    if (p->ask_list)
        return plan_list_path(p, S(""), rows, memory);
    for (size_t k = 0; k < p->call->table->n_parts; k++)
        if (p->parts[k].is_asked)
            return plan_part_path(p, (enum plan_ask)(ASK_PARTS + k), memory);
    return S("");
}

/* Of all URLs of the call that are known before the first answer, that of its first page is the longest. */
static struct refusal check_url(struct plan *p, size_t n_where, struct arena *memory)
{
    if (is_surely_short(p))
        return fine;
    int64_t rows = p->call->offset + p->call->limit;
    struct slice path = longest_path(p, rows, memory);
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
    struct plan p = { .call = call, .options = *options, .host.text = call->target.host };
    bool is_list = call->table->kind == TABLE_LIST;
    p.free_of_rows = host_is_under(call->target.host, options->free_targets);
    p.free_of_units = host_is_under(call->target.host, v3_free_targets);
    p.page_rows = options->page_rows;
    if (p.free_of_units && (!p.page_rows || p.page_rows > PLAN_FREE_PAGE_ROWS))
        p.page_rows = PLAN_FREE_PAGE_ROWS;
    if (is_list && call->table->list->most_rows && (!p.page_rows || p.page_rows > call->table->list->most_rows))
        p.page_rows = call->table->list->most_rows;
    if (call->mode_missing && !call->table->mode_means_nothing)
        marks_add(&p.marks, MARK_MODE);
    p.filters = arena_array(memory, struct slice, call->where.n + call->having.n + 2);
    if (call->table->is_one_row)
        p.page.text = page_of(&call->target, memory);
    if (!p.filters || (call->table->is_one_row && !p.page.text.p))
        return no_memory();
    if (is_list)
        make_order(&p);
    if (is_list)
        make_fields(&p);
    struct refusal r = refuse_missing(&p, memory);
    if (!r.fault && is_list)
        r = refuse_second_order(&p);
    if (!r.fault)
        r = refuse_long_texts(call, memory);
    if (!r.fault)
        r = make_filters(&p, &call->where, memory);
    size_t n_where = p.n_filters;
    if (!r.fault)
        r = make_filters(&p, &call->having, memory);
    if (call->table->only.n)
        p.filters[p.n_filters++] = call->table->only;
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
    p.ask_list = is_list && call->limit > 0;
    make_parts(&p);
    if (is_list) {
        p.select = names_of_fields(call->table->list, p.fields, memory);
        p.order_by = names_of_order(call->table->list, p.order, p.n_order, memory);
        if (!p.select.p || !p.order_by.p)
            return no_memory();
    }
    r = check_url(&p, n_where, memory);
    if (!r.fault)
        *ret = p;
    return r;
}

struct marks plan_marks(const struct plan *p)
{
    const struct table *t = p->call->table;
    struct marks marks = p->marks;
    bool has_rows = t->kind == TABLE_OBJECT || p->ask_list;
    for (size_t i = 0; i < t->n_columns && has_rows; i++)
        if ((p->call->select | t->always_marked) & bit((int)i) && mark_is_due(t->columns[i].shown))
            marks.shown |= bit((int)i);
    if (t->rows_are_near && has_rows)
        marks_add(&marks, MARK_ROWS);
    if (t->tlds_of)
        marks_add(&marks, MARK_TLDS);
    for (size_t i = 0; i < t->n_stats && !p->options.stats_zero; i++)
        if (mark_is_due(t->stats[i].shown))
            marks.stats |= bit((int)i);
    return marks;
}

bool plan_is_free(const struct plan *p)
{
    return p->free_of_units && !(p->options.none_is_free && *p->options.none_is_free);
}

int64_t plan_price(const struct plan *p, int64_t rows)
{
    int64_t units = rows * p->units_per_row;
    return units < REPORT_LEAST_UNITS ? REPORT_LEAST_UNITS : units;
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
    return units < REPORT_LEAST_UNITS ? 0 : p->units_per_row ? units / p->units_per_row : INT64_MAX;
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
    return p->units_per_row && p->units_per_row < REPORT_LEAST_UNITS ? REPORT_LEAST_UNITS / p->units_per_row : 1;
}

int64_t plan_allowance(const struct plan *p, int64_t list_units)
{
    const struct table *t = p->call->table;
    if (t->list && t->list->sorts_by_one && p->n_order > 1 && list_units > 0)
        return list_units + REPORT_LEAST_UNITS; /* a group of each page is asked for twice, and one row more */
    bool merges = p->options.fold && table_folds(t);
    bool shares = t->key.repeats && p->page_rows && list_units > plan_units(p, p->page_rows);
    if ((!merges && !shares) || list_units <= 0)
        return 0;
    return list_units / 4 < REPORT_LEAST_UNITS ? REPORT_LEAST_UNITS : list_units / 4;
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

const struct part *plan_part_of(const struct plan *p, enum plan_ask ask)
{
    return &p->call->table->parts[ask - ASK_PARTS];
}

enum plan_ask plan_bound_ask(const struct plan *p)
{
    const struct table_bound *b = &p->call->table->bound;
    return b->is_known ? (enum plan_ask)(ASK_PARTS + b->part) : ASK_COUNT;
}

int64_t plan_bound(const struct plan *p, struct slice part)
{
    struct part_values values = { 0 };
    assert(part.n <= sizeof values);
    memcpy(&values, part.p, sizeof values);
    int field = p->call->table->bound.field;
    return values.known & bit(field) ? values.of[field].whole : INT64_MAX;
}

int64_t plan_part_price(const struct plan *p, enum plan_ask ask)
{
    const struct part *part = plan_part_of(p, ask);
    int64_t units = 0;
    for (size_t i = 0; i < part->report->n_fields && part->rows; i++)
        units +=
            p->parts[ask - ASK_PARTS].fields & bit((int)i) ? (int64_t)part->report->fields[i].units * part->rows : 0;
    return units < REPORT_LEAST_UNITS ? REPORT_LEAST_UNITS : units;
}

int64_t plan_part_units(const struct plan *p, enum plan_ask ask)
{
    return plan_is_free(p) ? 0 : plan_part_price(p, ask);
}

int64_t plan_parts_units(const struct plan *p)
{
    int64_t units = 0;
    for (size_t k = 0; k < p->call->table->n_parts; k++)
        units += p->parts[k].is_asked ? plan_part_units(p, (enum plan_ask)(ASK_PARTS + k)) : 0;
    return units;
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

static void own_parameters(const struct plan *p, const struct report *report, struct buffer *b)
{
    if (report->parameters.n)
        buffer_put(b, '&');
    buffer_append(b, report->parameters);
    if (report->dated) {
        char date[11];
        day_format(p->options.today, date);
        buffer_str(b, "&date=");
        buffer_str(b, date);
    }
}

static void list_parameters(struct buffer *b, struct slice select, struct slice order_by, struct slice where,
                            int64_t rows)
{
    buffer_str(b, "&limit=");
    buffer_i64(b, rows);
    parameter(b, "select", select);
    parameter(b, "order_by", order_by);
    if (where.n)
        parameter(b, "where", where);
}

static struct slice list_path(const struct plan *p, struct slice order_by, struct slice after, int64_t rows,
                              struct arena *memory)
{
    struct buffer b = { 0 };
    const struct report *list = p->call->table->list;
    if (after.n)
        p->filters[p->n_filters] = after;
    struct slice where = filter_and(p->filters, p->n_filters + (after.n ? 1 : 0), memory);
    if (!where.p)
        return where;
    begin_path(p, list->path, &b);
    own_parameters(p, list, &b);
    list_parameters(&b, p->select, order_by, where, rows);
    b.failed |= !order_by.p;
    return end_text(&b, memory);
}

struct slice plan_list_path(const struct plan *p, struct slice after, int64_t rows, struct arena *memory)
{
    return list_path(p, p->order_by, after, rows, memory);
}

struct slice plan_step_path(const struct plan *p, int place, struct slice after, int64_t rows, struct arena *memory)
{
    struct slice order_by = names_of_order(p->call->table->list, &p->order[place], 1, memory);
    return list_path(p, order_by, after, rows, memory);
}

struct slice plan_part_path(const struct plan *p, enum plan_ask ask, struct arena *memory)
{
    struct buffer b = { 0 };
    const struct part *part = plan_part_of(p, ask);
    begin_path(p, part->report->path, &b);
    own_parameters(p, part->report, &b);
    if (part->rows) {
        struct slice select = names_of_fields(part->report, p->parts[ask - ASK_PARTS].fields, memory);
        struct slice order = names_of_order(part->report, &part->order, 1, memory);
        b.failed |= !select.p || !order.p;
        list_parameters(&b, select, order, S(""), part->rows);
    }
    return end_text(&b, memory);
}

struct slice plan_question(const struct plan *p, struct arena *memory)
{
    const struct table *t = p->call->table;
    struct buffer b = { 0 };
    if (t->list)
        return plan_list_path(p, S(""), 0, memory);
    begin_path(p, t->from, &b);
    parameter(&b, "country", p->country);
    return end_text(&b, memory);
}

bool plan_is_too_long(const struct plan *p, struct slice path)
{
    return p->options.url_bytes + path.n > PLAN_MAX_URL;
}
