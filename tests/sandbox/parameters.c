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
        if (!is_known(name, known) && call->options->unknown_parameters == UNKNOWN_PARAMETERS_REFUSE)
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

/* A column that rows have; -1 after an error. */
static int read_column(struct call *call, struct slice name)
{
    int column = column_find(name);
    if (column >= 0 && column_selectable((enum column)column))
        return column;
    (void)bad_request(call, "column '%s' not found", name);
    return -1;
}

bool parameters_select(struct call *call, enum column selected[N_COLUMNS], size_t *n)
{
    struct slice text = query_get(call->query, "select");
    uint64_t seen = 0;
    *n = 0;
    if (!text.p)
        return missing(call, "select");
    while (text.p) {
        int found = read_column(call, slice_split(text, ',', &text));
        if (found < 0)
            return false;
        enum column column = (enum column)found;
        if (!(seen & column_bit(column)))
            selected[(*n)++] = column;
        seen |= column_bit(column);
    }
    return true;
}

static void default_order(const struct options *options, struct order *order)
{
    if (options->default_order == DEFAULT_ORDER_SCATTERED)
        return;
    bool by_links = options->default_order == DEFAULT_ORDER_LINKS;
    order->terms[0].column = by_links ? COLUMN_links_to_target : COLUMN_anchor;
    order->terms[0].descending = by_links;
    order->n = 1;
}

bool parameters_order(struct call *call, struct order *order)
{
    struct slice text = query_get(call->query, "order_by");
    uint64_t seen = 0;
    *order = (struct order){ 0 };
    if (!text.p) {
        default_order(call->options, order);
        return true;
    }
    while (text.p) {
        struct slice direction, term = slice_split(text, ',', &text);
        struct slice name = slice_split(term, ':', &direction);
        int found = read_column(call, name);
        if (found < 0)
            return false;
        enum column column = (enum column)found;
        bool asc = slice_eq(direction, S("asc")), desc = slice_eq(direction, S("desc"));
        if (direction.p && !asc && !desc)
            return bad_request(call, "bad order direction %s", direction);
        if (seen & column_bit(column))
            continue;
        seen |= column_bit(column);
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
    *filter = filter_read(call->memory, call->options, text, &why);
    return *filter || answer_error(call, 400, why);
}
