/* SPDX-License-Identifier: MIT
 * Reads parameters; the error texts are API v3's where they are known. */
#include "tests/sandbox/parameters.h"

#include "base/text.h"

static bool bad_request(struct call *call, const char *format, struct slice what)
{
    struct buffer text = buffer_with_cap(0);
    const char *at = strstr(format, "%s");
    buffer_append(&text, slice_of(format, (size_t)(at - format)));
    buffer_append(&text, what);
    buffer_str(&text, at + 2);
    (void)answer_error(call, 400, buffer_slice(&text));
    buffer_clear(&text);
    return false;
}

static bool is_known(struct slice name, const char *const *known)
{
    while (*known && !slice_eq(name, slice_str(*known)))
        known++;
    return *known;
}

bool parameters_check(struct call *call, const char *const *known)
{
    const struct query *q = call->query;
    for (size_t i = 0; i < q->n; i++) {
        struct slice name = q->items[i].name;
        if (slice_eq(name, S("offset")))
            return bad_request(call, "The '%s' parameter is not supported.", name);
        if (!is_known(name, known) &&
            (slice_eq(name, S("history")) || call->options->unknown_parameters == UNKNOWN_PARAMETERS_REFUSE))
            return bad_request(call, "unknown parameter '%s'", name);
        for (size_t k = 0; k < i; k++)
            if (slice_eq(name, q->items[k].name) && is_known(name, known))
                return bad_request(call, "parameter '%s' given twice", name);
    }
    struct slice output = query_get(q, "output");
    if (is_known(output, (const char *const[]){ "csv", "xml", "php", NULL }))
        return bad_request(call, "output '%s' is not supported by the sandbox", output);
    return !output.p || slice_eq(output, S("json")) || bad_request(call, "bad value %s for type enum", output);
}

/* The index of the parameter's value in `words`; 0 when it is not given; -1 after an error. */
static int read_word(struct call *call, const char *name, const char *const *words)
{
    struct slice value = query_get(call->query, name);
    for (int i = 0; words[i]; i++)
        if (!value.p || slice_eq(value, slice_str(words[i])))
            return i;
    return bad_request(call, "bad value %s for type enum", value) - 1;
}

static bool missing(struct call *call, const char *name)
{
    return bad_request(call, "missing parameter '%s'", slice_str(name));
}

bool parameters_aim(struct call *call, struct aim *aim)
{
    struct slice why, text = query_get(call->query, "target");
    int mode = read_word(call, "mode", (const char *const[]){ "subdomains", "domain", "prefix", "exact", NULL });
    int protocol = mode < 0 ? -1 : read_word(call, "protocol", (const char *const[]){ "both", "http", "https", NULL });
    if (protocol < 0)
        return false;
    if (!text.p)
        return missing(call, "target");
    aim->mode = (enum mode)mode;
    aim->protocol = (enum protocol)protocol;
    if (!target_read(call->memory, call->options, text, aim->mode, &aim->target, &why))
        return answer_error(call, 400, why);
    aim->world = store_world(call->store, aim->target.root);
    if (!aim->world)
        return answer_error(call, 500, S("Internal Error"));
    return aim->world->is_known || answer_error(call, 404, S("target not found"));
}

int64_t day_end(struct day day)
{
    return ((int64_t)day.n + 1) * 86400 - 1;
}

bool parameters_history(struct call *call, struct scope *scope)
{
    struct slice text = query_get(call->query, "history");
    struct day day;
    scope->lost_too = !slice_eq(text, S("live"));
    scope->since = INT64_MIN;
    if (!text.p || slice_eq(text, S("all_time")) || !scope->lost_too)
        return true;
    if (!slice_starts(text, S("since:")) || !day_parse(slice_from(text, 6), &day))
        return bad_request(call, "bad value %s for type history", text);
    if (day.n > options_today(call->options).n)
        return bad_request(call, "bad date %s: it is in the future", slice_from(text, 6));
    scope->since = (int64_t)day.n * 86400;
    return true;
}

bool parameters_number(struct call *call, const char *name, uint64_t *value)
{
    struct slice text = query_get(call->query, name);
    int64_t number;
    if (!text.p)
        return true;
    if (!parse_i64(text, &number) || number < 0 || number > UINT32_MAX)
        return bad_request(call, "bad value %s for type integer", text);
    *value = (uint64_t)number;
    return true;
}

bool parameters_date(struct call *call, struct day *day)
{
    struct slice text = query_get(call->query, "date");
    if (!text.p)
        return missing(call, "date");
    if (!day_parse(text, day))
        return bad_request(call, "bad value %s for type date", text);
    if (day->n > options_today(call->options).n)
        return bad_request(call, "bad date %s: it is in the future", text);
    return true;
}

bool parameters_aggregation(struct call *call, enum rows *kind)
{
    static const enum rows kinds[] = { ROWS_SIMILAR, ROWS_ONE_PER_DOMAIN, ROWS_LINKS };
    int word = read_word(call, "aggregation", (const char *const[]){ "similar_links", "1_per_domain", "all", NULL });
    if (word >= 0)
        *kind = kinds[word];
    return word >= 0;
}

static const struct report_column *read_column(struct call *call, struct slice name, enum use use)
{
    const struct report_column *column = report_find(call->report, name, use);
    if (!column)
        (void)bad_request(call, "column '%s' not found", name);
    return column;
}

bool parameters_select(struct call *call, enum rows kind, struct selection *selection)
{
    struct slice text = query_get(call->query, "select");
    struct report_set seen = { 0 };
    selection->n = 0;
    if (!text.p)
        return missing(call, "select");
    while (text.p) {
        const struct report_column *column = read_column(call, slice_split(text, ',', &text), USE_SELECT);
        if (!column)
            return false;
        if (column->column == COLUMN_link_group_count && kind == ROWS_LINKS)
            return bad_request(call, "column '%s' not found", column->name);
        if (!report_in(call->report, &seen, column))
            selection->columns[selection->n++] = column;
        report_add(call->report, &seen, column);
    }
    return true;
}

void parameters_default_order(const struct call *call, struct order *order)
{
    if (call->options->default_order == DEFAULT_ORDER_SCATTERED)
        return;
    bool by_links = call->options->default_order == DEFAULT_ORDER_LINKS;
    order->terms[0].column = report_column_of(call->report, by_links ? call->report->most : call->report->name);
    order->terms[0].descending = by_links;
    order->n = 1;
}

/* The part before the direction, which stays in *direction; p NULL when there is none. */
static struct slice split_direction(const struct report *report, struct slice term, struct slice *direction)
{
    size_t at = term.n;
    if (!report->sorts_by_one)
        return slice_split(term, ':', direction);
    while (at && term.p[at - 1] != ':')
        at--;
    *direction = at ? slice_from(term, at) : (struct slice){ 0 };
    return at ? slice_of(term.p, at - 1) : term;
}

bool parameters_order(struct call *call, struct order *order)
{
    struct slice text = query_get(call->query, "order_by"), term = text;
    struct report_set seen = { 0 };
    *order = (struct order){ 0 };
    if (!text.p) {
        parameters_default_order(call, order);
        return true;
    }
    while (text.p) {
        struct slice direction;
        term = call->report->sorts_by_one ? text : slice_split(text, ',', &text);
        if (call->report->sorts_by_one)
            text = (struct slice){ 0 };
        struct slice name = split_direction(call->report, term, &direction);
        const struct report_column *column = read_column(call, name, USE_ORDER);
        if (!column)
            return false;
        bool asc = slice_eq(direction, S("asc")), desc = slice_eq(direction, S("desc"));
        if (direction.p && !asc && !desc)
            return bad_request(call, "bad order direction %s", direction);
        if (report_in(call->report, &seen, column))
            continue;
        report_add(call->report, &seen, column);
        order->terms[order->n].column = column;
        order->terms[order->n++].descending =
            direction.p ? desc : call->options->default_direction == DEFAULT_DIRECTION_DESC;
    }
    return true;
}

bool parameters_where(struct call *call, const struct filter **filter)
{
    struct slice why, text = query_get(call->query, "where");
    *filter = NULL;
    if (!text.p)
        return true;
    *filter = filter_read(call->memory, call->options, call->report, text, &why);
    return *filter || answer_error(call, 400, why);
}
