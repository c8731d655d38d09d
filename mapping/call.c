/* SPDX-License-Identifier: MIT
 * From parameters to a call. */
#include "mapping/call.h"

#include "base/buffer.h"

static const struct slice outputs[OUTPUT_COUNT] = {
    [OUTPUT_JSON] = SLICE("json"),
    [OUTPUT_XML] = SLICE("xml"),
    [OUTPUT_PHP] = SLICE("php"),
};

static const struct refusal fine = { 0 };

struct slice output_name(enum output o)
{
    return outputs[o];
}

static struct refusal no_memory(void)
{
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

static struct refusal refuse(enum fault fault, struct slice why)
{
    return why.p ? (struct refusal){ fault, why } : no_memory();
}

/* A parameter whose bytes could not be read. */
static struct refusal undecodable(enum param p, struct arena *memory)
{
    return refuse(param_fault(p),
                  arena_printf(memory,
                               "%.*s is not percent-encoded UTF-8: write a %% that is meant as %%25, and no NUL",
                               SLICE_ARGS(param_name(p))));
}

/* Two different values of what a list cannot do without: v2 took one of them, and nobody knows which. */
static struct refusal given_twice(enum param p)
{
    switch ((int)p) {
    case PARAM_WHERE:
        return (struct refusal){ FAULT_BAD_WHERE,
                                 S("where is given twice: give it once, its conditions joined by a comma") };
    case PARAM_HAVING:
        return (struct refusal){ FAULT_BAD_HAVING,
                                 S("having is given twice: give it once, its conditions joined by a comma") };
    case PARAM_TARGET:
        return (struct refusal){ FAULT_BAD_TARGET,
                                 S("target is given twice: a call is for one target; make one call for each") };
    }
    return fine;
}

static struct refusal read_output(const struct params *params, struct arena *memory, struct call *c)
{
    struct slice value = params->value[PARAM_OUTPUT];
    if (params->bad[PARAM_OUTPUT])
        return undecodable(PARAM_OUTPUT, memory);
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        if (!value.n || slice_eq(value, outputs[i])) {
            c->output = (enum output)i;
            return fine;
        }
    }
    return refuse(FAULT_BAD_OUTPUT,
                  arena_printf(memory, "output \"%.*s\" is none of json, xml, php", SLICE_ARGS(value)));
}

/* The names of the tables that are served. */
static struct slice table_names(struct arena *memory)
{
    struct slice names = S("");
    for (size_t i = 0; table_at(i) && names.p; i++)
        if (table_is_served(table_at(i)))
            names = arena_printf(memory, "%.*s%s%.*s", SLICE_ARGS(names), names.n ? ", " : "",
                                 SLICE_ARGS(table_at(i)->from));
    return names;
}

static struct refusal unknown_table(struct slice from, bool bad, struct arena *memory)
{
    struct slice names = table_names(memory), hint = table_hint(from);
    if (!from.n)
        return refuse(FAULT_UNKNOWN_TABLE,
                      arena_printf(memory, "from is %s: name the table, one of %.*s",
                                   bad ? "not percent-encoded UTF-8" : "missing", SLICE_ARGS(names)));
    struct slice like = hint.n ? S("") : table_like(from);
    return refuse(FAULT_UNKNOWN_TABLE,
                  arena_printf(memory, "API v2 had no table \"%.*s\"%s%.*s%s served: %.*s", SLICE_ARGS(from),
                               hint.n   ? "; "
                               : like.n ? "; did you mean "
                                        : "",
                               SLICE_ARGS(hint.n ? hint : like), like.n ? "?" : ";", SLICE_ARGS(names)));
}

static struct refusal read_table(const struct params *params, struct arena *memory, struct call *c)
{
    struct slice from = params->value[PARAM_FROM];
    c->table = params->bad[PARAM_FROM] ? NULL : table_find(from);
    if (!c->table)
        return unknown_table(from, params->bad[PARAM_FROM], memory);
    if (c->table->kind == TABLE_REFUSED)
        return refuse(FAULT_NOT_EXACT, arena_printf(memory, "from: table '%.*s' cannot be told from API v3: %.*s",
                                                    SLICE_ARGS(from), SLICE_ARGS(c->table->advice)));
    if (c->table->kind == TABLE_UNBUILT)
        return refuse(FAULT_NOT_EXACT, arena_printf(memory, "from: table '%.*s' is not served yet; there are %.*s",
                                                    SLICE_ARGS(from), SLICE_ARGS(table_names(memory))));
    return fine;
}

static struct refusal read_mode(const struct params *params, const struct call_options *options, struct arena *memory,
                                struct call *c)
{
    struct slice value = params->value[PARAM_MODE];
    c->mode_missing = !value.n;
    c->mode = value.n ? mode_find(value) : options->default_mode;
    if (c->mode != MODE_COUNT)
        return fine;
    if (!value.n)
        return refuse(FAULT_BAD_MODE, S("mode is missing: one of exact, domain, subdomains, prefix"));
    const char *hint = slice_eq(value, S("domains")) ? "; did you mean domain or subdomains?" : "";
    return refuse(FAULT_BAD_MODE, arena_printf(memory, "mode \"%.*s\" is none of exact, domain, subdomains, prefix%s",
                                               SLICE_ARGS(value), hint));
}

/* The names of the columns that have a fidelity in `clause`, for messages. */
static struct slice column_names(const struct table *t, bool for_order, struct arena *memory)
{
    struct slice all = S("");
    for (size_t i = 0; i < t->n_columns && all.p; i++) {
        enum fidelity f = for_order ? t->columns[i].order_by : t->columns[i].shown;
        if (f != FIDELITY_NONE && !(for_order && f == FIDELITY_MISSING))
            all = arena_printf(memory, "%.*s%s%.*s", SLICE_ARGS(all), all.n ? ", " : "", SLICE_ARGS(t->columns[i].v2));
    }
    return all;
}

static uint64_t all_shown(const struct table *t)
{
    uint64_t set = 0;
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].shown != FIDELITY_NONE && !t->columns[i].only_named)
            set |= bit((int)i);
    return set;
}

static struct refusal read_select(const struct params *params, struct arena *memory, struct call *c)
{
    struct slice rest = params->value[PARAM_SELECT];
    if (!rest.n || slice_eq(slice_trim(rest), S("*"))) {
        c->select = all_shown(c->table);
        return fine;
    }
    do {
        struct slice name = slice_trim(slice_split(rest, ',', &rest));
        if (slice_eq(name, S("*"))) {
            c->select |= all_shown(c->table);
            continue;
        }
        int i = table_column(c->table, name);
        c->spot = name;
        if (i < 0 || c->table->columns[i].shown == FIDELITY_NONE)
            return refuse(FAULT_BAD_SELECT,
                          arena_printf(memory, "select: %s \"%.*s\"; there are %.*s",
                                       i < 0 ? "there is no column" : "v2 never returns the column", SLICE_ARGS(name),
                                       SLICE_ARGS(column_names(c->table, false, memory))));
        c->named |= bit(i);
    } while (rest.p);
    c->select |= c->named;
    return fine;
}

static struct refusal bad_order(struct call *c, struct slice item, struct arena *memory)
{
    c->spot = item;
    return refuse(FAULT_BAD_ORDER_BY,
                  arena_printf(memory,
                               "order_by: \"%.*s\" is no column with :asc, :desc or nothing behind it; there are %.*s",
                               SLICE_ARGS(item), SLICE_ARGS(column_names(c->table, true, memory))));
}

static struct refusal read_order(const struct params *params, struct arena *memory, struct call *c)
{
    struct slice rest = params->value[PARAM_ORDER_BY];
    uint64_t seen = 0;
    while (rest.p && rest.n) {
        struct slice item = slice_trim(slice_split(rest, ',', &rest)), direction;
        struct slice name = slice_trim(slice_split(item, ':', &direction));
        direction = slice_trim(direction);
        int i = table_column(c->table, name);
        bool descending = slice_eq(direction, S("desc"));
        if (i < 0 || c->table->columns[i].order_by == FIDELITY_NONE ||
            (direction.p && !descending && !slice_eq(direction, S("asc"))))
            return bad_order(c, item, memory);
        if (c->table->columns[i].order_by == FIDELITY_MISSING)
            return refuse(FAULT_NOT_EXACT,
                          arena_printf(memory, "order_by: API v3 cannot sort by \"%.*s\"; there are %.*s",
                                       SLICE_ARGS(name), SLICE_ARGS(column_names(c->table, true, memory))));
        if (!(seen & bit(i))) /* a second time it can decide nothing any more */
            c->orders[c->n_orders++] = (struct order){ i, descending };
        seen |= bit(i);
        if (rest.p && !rest.n)
            return bad_order(c, rest, memory);
    }
    return fine;
}

static struct refusal read_count(const struct params *params, enum param p, int64_t max, struct arena *memory,
                                 struct call *c, int64_t *ret)
{
    struct slice value = slice_trim(params->value[p]);
    int64_t n;
    if (!value.n)
        return fine;
    c->spot = value;
    if (!literal_whole(value, &n) || n < 0 || n > max)
        return refuse(param_fault(p), arena_printf(memory, "%.*s \"%.*s\" is no whole number from 0 to %lld",
                                                   SLICE_ARGS(param_name(p)), SLICE_ARGS(value), (long long)max));
    *ret = n;
    return fine;
}

static struct refusal check_readable(const struct params *params, const enum param *known, size_t n,
                                     struct arena *memory)
{
    struct refusal r = fine;
    for (size_t i = 0; i < n && !r.fault; i++) {
        if (params->bad[known[i]])
            r = undecodable(known[i], memory);
        else if (params->twice & 1u << known[i])
            r = given_twice(known[i]);
    }
    return r;
}

/* What a list has and an object has not: programs send it out of habit. */
static struct refusal read_order_and_counts(const struct params *params, struct arena *memory, struct call *c)
{
    struct refusal r = read_order(params, memory, c);
    if (!r.fault)
        r = read_count(params, PARAM_LIMIT, CALL_MAX_LIMIT, memory, c, &c->limit);
    if (!r.fault)
        r = read_count(params, PARAM_OFFSET, INT32_MAX, memory, c, &c->offset);
    return r;
}

/* The parameters of a list or of an object, in the order in which a person would look at them. */
static struct refusal read_question(const struct params *params, const struct call_options *options,
                                    struct arena *memory, struct call *c)
{
    static const enum param known[] = { PARAM_TARGET, PARAM_MODE,     PARAM_SELECT, PARAM_WHERE,
                                        PARAM_HAVING, PARAM_ORDER_BY, PARAM_LIMIT,  PARAM_OFFSET };
    enum { OF_OBJECT = 5, OF_LIST = sizeof known / sizeof known[0] };
    bool is_object = c->table->kind == TABLE_OBJECT;
    if (is_object)
        c->limit = 1; /* it is one result, whatever is sent */
    struct refusal r = check_readable(params, known, is_object ? OF_OBJECT : OF_LIST, memory);
    if (!r.fault)
        r = read_mode(params, options, memory, c);
    if (!r.fault) {
        r = target_parse(params->value[PARAM_TARGET], c->mode, memory, &c->target);
        c->spot = c->target.spot;
    }
    if (!r.fault)
        r = read_select(params, memory, c);
    if (!r.fault && params->value[PARAM_WHERE].n) {
        r = conditions_parse(c->table, CLAUSE_WHERE, params->value[PARAM_WHERE], memory, &c->where);
        c->spot = c->where.spot;
    }
    if (!r.fault && params->value[PARAM_HAVING].n) {
        r = conditions_parse(c->table, CLAUSE_HAVING, params->value[PARAM_HAVING], memory, &c->having);
        c->spot = c->having.spot;
    }
    if (r.fault || is_object)
        return r;
    r = read_order_and_counts(params, memory, c);
    bool is_one_page = c->mode == MODE_EXACT && !c->where.n && !c->having.n && c->limit && !c->offset;
    if (c->table->of_one_page && is_one_page)
        c->table = c->table->of_one_page;
    return r;
}

struct refusal call_parse(const struct params *params, const struct call_options *options, struct arena *memory,
                          struct call *ret)
{
    *ret = (struct call){ .limit = CALL_DEFAULT_LIMIT };
    struct refusal output = read_output(params, memory, ret);
    struct refusal r = read_table(params, memory, ret);
    if (r.fault)
        return r;
    if (output.fault)
        return output;
    return table_is_of_books(ret->table) ? fine : read_question(params, options, memory, ret);
}

static void shape_conditions(struct buffer *b, const struct call *c, const struct conditions *list)
{
    for (size_t i = 0; i < list->n; i++) {
        buffer_put(b, ' ');
        buffer_append(b, clause_name(list->list[i].clause));
        buffer_put(b, ':');
        buffer_append(b, c->table->columns[list->list[i].column].v2);
        buffer_append(b, operator_name(list->list[i].op));
        buffer_put(b, '?');
    }
}

static void shape_list(struct buffer *b, const struct call *c)
{
    buffer_put(b, ' ');
    buffer_append(b, mode_name(c->mode));
    buffer_str(b, " select:");
    for (size_t i = 0; i < c->table->n_columns; i++) {
        if (c->select & bit((int)i)) {
            buffer_append(b, c->table->columns[i].v2);
            buffer_put(b, '+');
        }
    }
    for (size_t i = 0; i < c->n_orders; i++) {
        buffer_str(b, i ? "+" : " order_by:");
        buffer_append(b, c->table->columns[c->orders[i].column].v2);
        buffer_str(b, c->orders[i].descending ? ":desc" : ":asc");
    }
    if (c->offset)
        buffer_str(b, " offset");
}

struct slice call_shape(const struct call *c, struct arena *memory)
{
    enum { MAX_SHAPE = 8192 };
    char room[MAX_SHAPE];
    struct buffer b = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    buffer_append(&b, c->table->from);
    if (!table_is_of_books(c->table))
        shape_list(&b, c);
    buffer_put(&b, ' ');
    buffer_append(&b, outputs[c->output]);
    shape_conditions(&b, c, &c->where);
    shape_conditions(&b, c, &c->having);
    return arena_dup(memory, buffer_slice(&b));
}
