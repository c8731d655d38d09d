/* SPDX-License-Identifier: MIT
 * Explaining a call: the rooms read and plan without a client, and what came of each part. What is said of columns and
 * marks stands in their rows (mapping/table, mark.def). */
#include "base/shown.h"
#include "base/text.h"
#include "mapping/explain/inside.h"

enum { MEMORY = 4 * 1024 * 1024 };

static void collect_requests(struct explained *e)
{
    struct translation *t = translation_new(&e->plan, (struct translation_seen){ 0 }, MEMORY, e->memory);
    if (t && e->rows_paid_for)
        translation_cut(t, e->rows_paid_for, false);
    while (t && e->n < ASK_COUNT && translation_next(t, &e->requests[e->n])) {
        enum plan_ask ask = e->requests[e->n].ask;
        e->purposes[e->n] = ask == ASK_LIST ? "the rows" : plan_part_of(&e->plan, ask)->purpose;
        e->n++;
    }
    translation_free(t);
}

/* ---- parts ---- */

/* As it can be shown, without the token. */
static struct slice shown(struct explained *e, struct slice text)
{
    struct slice bare = params_without_token(&e->params, text, e->memory);
    if (shown_is_plain(bare))
        return bare;
    struct buffer b = { 0 };
    shown_append(&b, bare);
    struct slice kept = arena_dup(e->memory, buffer_slice(&b));
    buffer_clear(&b);
    return kept.p ? kept : S("");
}

static struct piece *add_part(struct explained *e, enum how how, struct slice raw, struct slice v2, struct slice v3)
{
    static struct piece spare; /* nothing is read from it */
    if (!e->parts || e->n_parts == MAX_PARTS)
        return &spare;
    struct piece *p = &e->parts[e->n_parts++];
    *p = (struct piece){ .v2 = shown(e, v2), .v3 = shown(e, v3), .raw = raw, .how = how };
    return p;
}

/* Each name has one note, however many parts it is about. */
static void add_note(struct explained *e, struct piece *p, struct slice name, struct slice say, bool ignored)
{
    int i = 0;
    while (i < e->n_notes && !(slice_eq(e->notes[i].name, name) && e->notes[i].ignored == ignored))
        i++;
    if (!e->notes || i == MAX_NOTES || p->n_notes == TABLE_MAX_COLUMNS)
        return;
    if (i == e->n_notes) {
        e->notes[e->n_notes++] = (struct note){ shown(e, name), shown(e, say), ignored };
        e->n_near += !ignored;
    }
    p->how = ignored ? HOW_IGNORED : HOW_NEAR;
    p->notes[p->n_notes++] = i;
}

static void add_mark(struct explained *e, struct piece *p, enum mark mark)
{
    add_note(e, p, mark_word(mark), mark_says(mark), false);
}

static void add_column_mark(struct explained *e, struct piece *p, struct slice clause, int column, struct slice say)
{
    struct slice name =
        arena_printf(e->memory, "%.*s.%.*s", SLICE_ARGS(clause), SLICE_ARGS(e->call.table->columns[column].v2));
    if (name.p)
        add_note(e, p, name, say, false);
}

/* A pair of the query, decoded where it can be. */
struct pair {
    struct slice raw, raw_value, name, value;
    enum param param; /* PARAM_COUNT: v2 had none such */
};

struct slice explained_decoded(struct slice raw, struct arena *memory)
{
    struct buffer b = { 0 };
    if (slice_find(raw, '%') == raw.n && slice_find(raw, '+') == raw.n)
        return raw;
    bool ok = percent_decode(&b, raw, NULL) && !b.failed;
    struct slice text = ok ? arena_dup(memory, buffer_slice(&b)) : raw;
    buffer_clear(&b);
    return text.p ? text : raw;
}

static struct pair read_pair(struct slice raw, struct arena *memory)
{
    struct pair p = { .raw = raw };
    struct slice name = slice_split(raw, '=', &p.raw_value);
    p.name = explained_decoded(name, memory);
    p.value = explained_decoded(p.raw_value, memory);
    p.param = param_find(p.name);
    return p;
}

static struct slice name_and(struct explained *e, struct slice name, struct slice value)
{
    struct slice text = arena_printf(e->memory, "%.*s=%.*s", SLICE_ARGS(name), SLICE_ARGS(value));
    return text.p ? text : name;
}

/* How many raw bytes the first `n` decoded ones were. */
static size_t raw_length(struct slice raw, size_t n)
{
    size_t at = 0;
    while (n-- && at < raw.n)
        at += raw.p[at] == '%' ? 3 : 1;
    return at < raw.n ? at : raw.n;
}

static struct slice condition_v3(const struct call *call, const struct condition *c, struct arena *memory)
{
    const struct column *column = &call->table->columns[c->column];
    int number = column_field(column);
    struct slice field = column->filter.v3.n || number < 0 ? column->filter.v3 : call->table->list->fields[number].v3;
    struct slice op = operator_name(c->op);
    char day[21];
    switch (column->type) {
    case VALUE_TEXT:
        if (c->op >= OP_SUBSTRING)
            return arena_printf(memory, "where %.*s(%.*s, \"%.*s\")", SLICE_ARGS(op), SLICE_ARGS(field),
                                SLICE_ARGS(c->text));
        return arena_printf(memory, "where %.*s %.*s \"%.*s\"", SLICE_ARGS(field), SLICE_ARGS(op), SLICE_ARGS(c->text));
    case VALUE_BOOL:
        return arena_printf(memory, "where %.*s %.*s %s", SLICE_ARGS(field), SLICE_ARGS(op),
                            c->whole ? "true" : "false");
    case VALUE_WHOLE:
    case VALUE_RATING:
    case VALUE_NUMBER:
    case VALUE_LIST:
        break;
    case VALUE_DATE:
    case VALUE_DAY:
        if (c->date.is_moment)
            timestamp_format(c->date.moment_s, day);
        else
            day_format(c->date.day, day);
        return arena_printf(memory, "where %.*s %.*s %s", SLICE_ARGS(field), SLICE_ARGS(op), day);
    }
    return arena_printf(memory, "where %.*s %.*s %lld", SLICE_ARGS(field), SLICE_ARGS(op), (long long)c->whole);
}

/* What becomes of one condition: whether it is dropped, marked, refused. */
static struct refusal condition_fate(const struct explained *e, const struct condition *c, struct slice *expression,
                                     bool *marked)
{
    struct marks marks = { 0 };
    const struct plan_options *o = &e->options->plan;
    struct slice country = S("");
    struct filter_making m = { .table = e->call.table,
                               .fold = o->fold,
                               .today = o->today,
                               .memory = e->memory,
                               .marks = &marks,
                               .host = e->call.target.host,
                               .country = &country };
    struct refusal r = filter_of_condition(&m, c, expression);
    *marked = !marks_none(&marks);
    return r;
}

/* A part for each condition: the first stands behind the name, the others under it. */
static void clause_parts(struct explained *e, const struct pair *pair, const struct conditions *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct condition *c = &list->list[i];
        struct slice expression = S("");
        bool marked = false;
        (void)condition_fate(e, c, &expression, &marked);
        struct slice v3 = expression.n ? condition_v3(&e->call, c, e->memory) : S("");
        size_t at = (size_t)(c->source.p - e->params.value[pair->param].p);
        size_t begin = raw_length(pair->raw_value, at), end = raw_length(pair->raw_value, at + c->source.n);
        const char *from = i ? pair->raw_value.p + begin : pair->raw.p;
        struct slice raw = slice_of(from, (size_t)(pair->raw_value.p + end - from));
        struct piece *p = add_part(e, HOW_EXACT, raw, i ? c->source : name_and(e, pair->name, c->source), v3);
        if (marked)
            add_column_mark(e, p, clause_name(c->clause), c->column,
                            clause_says(c->clause, &e->call.table->columns[c->column]));
    }
}

static void order_part(struct explained *e, struct slice raw, struct slice v2)
{
    struct piece *p = add_part(e, HOW_EXACT, raw, v2, name_and(e, S("order_by"), e->plan.order_by));
    const struct table *t = e->call.table;
    for (size_t i = 0; i < t->n_columns; i++)
        if (e->plan.marks.order_by & bit((int)i))
            add_column_mark(e, p, S("order_by"), (int)i, t->columns[i].order_by_says);
}

/* The fields of v3 behind each other, as a sentence would have them. */
static struct slice fields_asked(const struct explained *e)
{
    struct slice text = arena_printf(e->memory, "%.*s", SLICE_ARGS(e->plan.select));
    for (char *p = text.p ? memchr(text.p, ',', text.n) : NULL; p; p = memchr(p, ',', text.n - (size_t)(p - text.p)))
        *p = ' ';
    return text.p ? text : S("");
}

/* Whether the answer has values of columns. */
static bool has_rows(const struct call *c)
{
    return c->table->kind == TABLE_OBJECT || c->limit;
}

static struct slice shown_says(enum fidelity shown, struct slice says)
{
    return shown == FIDELITY_MISSING ? S("API v3 does not know it: answered with nothing") : says;
}

static void select_part(struct explained *e, struct slice raw, struct slice v2)
{
    const struct table *t = e->call.table;
    struct slice v3 = raw.p ? name_and(e, S("select"), e->plan.select) : fields_asked(e);
    struct piece *p = add_part(e, HOW_EXACT, raw, v2, has_rows(&e->call) ? v3 : S(""));
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        if (!mark_is_due(c->shown) || !(e->call.select & bit((int)i)) || !has_rows(&e->call))
            continue;
        bool null = c->null_when && e->options->plan.nulls & bit((int)c->null_when);
        add_note(e, p, c->v2, null ? S("answered with null") : shown_says(c->shown, c->shown_says), false);
    }
}

/* The last name of a path. */
static struct slice report_name(struct slice path)
{
    size_t at = path.n;
    while (at && path.p[at - 1] != '/')
        at--;
    return slice_from(path, at);
}

/* What one part of the answer comes from. */
static struct slice part_v3(struct explained *e, size_t k)
{
    const struct part *part = &e->call.table->parts[k];
    if (e->plan.parts[k].is_in_list)
        return S("the rows of the list");
    if (!e->plan.parts[k].is_asked)
        return S("");
    if (part->rows)
        return arena_printf(e->memory, "the %d greatest %.*s", part->rows, SLICE_ARGS(part->report->key));
    return report_name(part->report->path);
}

static void stats_part(struct explained *e)
{
    const struct table *t = e->call.table;
    const struct plan_options *o = &e->plan.options;
    struct slice v3 = S("");
    for (size_t k = 0; k < t->n_parts; k++) {
        struct slice from = part_v3(e, k);
        if (from.n && v3.p)
            v3 = arena_printf(e->memory, "%.*s%s%.*s", SLICE_ARGS(v3), v3.n ? ", and " : "", SLICE_ARGS(from));
    }
    struct piece *p = add_part(e, HOW_EXACT, slice_of(NULL, 0), S("(stats)"), v3);
    if (o->stats_zero)
        add_mark(e, p, MARK_STATS);
    for (size_t i = 0; i < t->n_stats && !o->stats_zero; i++) {
        const struct table_stat *stat = &t->stats[i];
        bool null = stat->null_when && o->nulls & bit((int)stat->null_when);
        struct slice name = arena_printf(e->memory, "stats.%.*s", SLICE_ARGS(stat->v2));
        if (mark_is_due(stat->shown) && name.p)
            add_note(e, p, name, null ? S("answered with null") : shown_says(stat->shown, stat->says), false);
    }
}

static struct slice limit_v3(struct explained *e, bool offset)
{
    const struct call *c = &e->call;
    if (offset)
        return arena_printf(e->memory, "limit=%lld, the first %lld are left out", (long long)(c->offset + c->limit),
                            (long long)c->offset);
    return c->limit ? arena_printf(e->memory, "limit=%lld", (long long)(c->offset + c->limit)) : S("(no list)");
}

static void mode_part(struct explained *e, struct slice raw, struct slice v2)
{
    struct piece *p = add_part(e, HOW_EXACT, raw, v2, name_and(e, S("mode"), mode_name(e->call.target.v3_mode)));
    if (e->call.mode_missing)
        add_mark(e, p, MARK_MODE);
}

static const struct report *first_report(const struct table *t)
{
    return t->list ? t->list : t->parts[0].report;
}

/* A known parameter that counts, with a value, of a call that is planned. */
static void known_part(struct explained *e, const struct pair *pair)
{
    struct slice v2 = name_and(e, pair->name, pair->value);
    const struct call *c = &e->call;
    switch (pair->param) {
    case PARAM_FROM:
        add_part(e, HOW_EXACT, pair->raw, v2,
                 table_is_of_books(c->table) ? S("(our own books)")
                 : has_rows(c)               ? slice_from(first_report(c->table)->path, 1)
                                             : S("(no list)"));
        return;
    case PARAM_OUTPUT:
        add_part(e, HOW_EXACT, pair->raw, v2,
                 arena_printf(e->memory, "(answered as %.*s)", SLICE_ARGS(output_name(c->output))));
        return;
    case PARAM_TARGET:
        add_part(e, HOW_EXACT, pair->raw, v2, name_and(e, pair->name, c->target.v3));
        return;
    case PARAM_MODE:
        mode_part(e, pair->raw, v2);
        return;
    case PARAM_SELECT:
        select_part(e, pair->raw, v2);
        return;
    case PARAM_WHERE:
        clause_parts(e, pair, &c->where);
        return;
    case PARAM_HAVING:
        clause_parts(e, pair, &c->having);
        return;
    case PARAM_ORDER_BY:
        order_part(e, pair->raw, v2);
        return;
    case PARAM_LIMIT:
    case PARAM_OFFSET:
        add_part(e, HOW_EXACT, pair->raw, v2, limit_v3(e, pair->param == PARAM_OFFSET));
        return;
    case PARAM_TOKEN:
    case PARAM_COUNT:
        break;
    }
}

static bool is_looked_at(const struct explained *e, enum param p)
{
    bool is_of_list = p == PARAM_ORDER_BY || p == PARAM_LIMIT || p == PARAM_OFFSET;
    if (e->call.table && e->call.table->kind == TABLE_OBJECT && is_of_list)
        return false;
    return !e->call.table || !table_is_of_books(e->call.table) || p == PARAM_FROM || p == PARAM_OUTPUT;
}

/* `again`: of which parameters a further pair is shown, without and with a value. */
static void pair_part(struct explained *e, const struct pair *pair, uint32_t *seen, uint32_t again[2])
{
    uint32_t this_one = 1u << pair->param, *shown_again = &again[pair->raw_value.n > 0];
    bool counts = pair->raw_value.n && !(*seen & this_one),
         is_known = e->planned || (e->parsed && table_is_of_books(e->call.table));
    bool is_token = pair->param == PARAM_TOKEN, is_read = is_known && !is_token && is_looked_at(e, pair->param);
    if (!counts && *shown_again & this_one)
        return;
    *(counts ? seen : shown_again) |= this_one;
    if (counts && is_read) {
        known_part(e, pair);
        return;
    }
    struct slice v2 = name_and(e, pair->name, is_token ? S("[token]") : pair->value);
    struct piece *p = add_part(e, is_known ? HOW_EXACT : HOW_UNREAD, pair->raw, v2, S(""));
    struct slice twice = arena_printf(e->memory, "twice.%.*s", SLICE_ARGS(pair->name));
    if (!counts && pair->raw_value.n && is_read && e->params.twice & this_one && twice.p)
        add_note(e, p, twice, S("given twice with different values; the first one counts"), false);
}

/* What the call leaves open. */
static void default_parts(struct explained *e, uint32_t seen)
{
    struct slice nowhere = slice_of(NULL, 0);
    if (!(seen & 1u << PARAM_MODE))
        mode_part(e, nowhere, S("(no mode)"));
    if (!(seen & 1u << PARAM_SELECT))
        select_part(e, nowhere, S("(all columns)"));
    if (e->call.table->kind == TABLE_OBJECT)
        return;
    if (!(seen & 1u << PARAM_ORDER_BY) && e->call.limit)
        order_part(e, nowhere, S("(no order_by)"));
    if (!(seen & 1u << PARAM_LIMIT))
        add_part(e, HOW_EXACT, nowhere, S("(no limit)"), limit_v3(e, false));
    stats_part(e);
}

static void ignored_part(struct explained *e, const struct pair *pair)
{
    struct slice v2 = pair->raw_value.p ? name_and(e, pair->name, pair->value) : pair->name;
    struct slice like = param_like(pair->name);
    struct slice say = arena_printf(e->memory, "v2 had no such parameter and ignored it%s%.*s%s",
                                    like.n ? "; did you mean " : "", SLICE_ARGS(like), like.n ? "?" : "");
    add_note(e, add_part(e, HOW_IGNORED, pair->raw, v2, S("")), pair->name, say, true);
}

static bool is_told(const struct explained *e, struct slice name)
{
    for (int i = 0; i < e->params.n_ignored; i++)
        if (slice_eq(e->params.ignored[i], name))
            return true;
    return false;
}

/* Parts in the order of the call, then what it leaves open, then what is ignored (as many as an answer names). */
static void collect_parts(struct explained *e)
{
    uint32_t seen = 0, again[2] = { 0 };
    uint64_t n_ignored = 0;
    e->parts = arena_array(e->memory, struct piece, MAX_PARTS);
    e->notes = arena_array(e->memory, struct note, MAX_NOTES);
    for (int round = 0; round < 2; round++) {
        for (struct slice rest = e->query, raw; rest.n;) {
            raw = slice_split(rest, '&', &rest);
            struct slice name = slice_of(raw.p, slice_find(raw, '='));
            if (!name.n || n_ignored == PARAMS_MAX_IGNORED)
                continue;
            struct pair pair = read_pair(raw, e->memory);
            if (round == 0 && pair.param != PARAM_COUNT)
                pair_part(e, &pair, &seen, again);
            if (round == 1 && pair.param == PARAM_COUNT && is_told(e, pair.name)) {
                ignored_part(e, &pair);
                n_ignored++;
            }
        }
        if (round == 0 && e->planned)
            default_parts(e, seen);
    }
}

/* All that can be marked before the answer is known; what depends on it is said as such by the formats. */
static void collect_marks(struct explained *e)
{
    struct buffer b = { 0 };
    struct marks marks = plan_marks(&e->plan);
    marks_write(&marks, e->call.table, &b);
    params_write_twice(&e->params, true, &b);
    e->marks = arena_dup(e->memory, buffer_slice(&b));
    buffer_clear(&b);
}

static void collect_ignored(struct explained *e)
{
    struct buffer b = { 0 };
    params_write_ignored(&e->params, &b);
    e->ignored = arena_dup(e->memory, buffer_slice(&b));
    buffer_clear(&b);
}

/* ---- the price ---- */

static void add_line(struct sum *sum, struct slice what, int64_t milli)
{
    if (milli && sum->n < MAX_LINES)
        sum->lines[sum->n++] = (struct line){ what, milli };
}

static void price_rows(struct explained *e)
{
    const struct prices *p = &e->call.table->prices;
    int64_t results = e->rows_paid_for ? e->rows_paid_for : e->call.limit;
    e->rows = plan_max_rows(&e->plan);
    if (e->rows_paid_for && !e->plan.free_of_rows)
        e->rows = table_price(e->call.table, results, e->call.where.n > 0, e->call.having.n > 0);
    if (e->plan.free_of_rows)
        return;
    add_line(&e->rows_sum, S("call"), p->request_milli);
    add_line(&e->rows_sum, S("results"), p->result_milli * results);
    add_line(&e->rows_sum, S("where"), e->call.where.n ? p->where_milli : 0);
    add_line(&e->rows_sum, S("having"), e->call.having.n ? p->having_milli : 0);
}

/* What plan_max_units adds up: what is neither of the parts nor of the list is the allowance beyond it. */
static void price_units(struct explained *e)
{
    const struct plan *p = &e->plan;
    int64_t ceiling = e->options->units_per_call, parts = plan_parts_units(p);
    int64_t rows = p->ask_list ? e->call.offset + e->call.limit : 0;
    int64_t paid = ceiling ? plan_rows_paid_by(p, ceiling - parts) : rows;
    int64_t list = plan_list_units(p, rows < paid ? rows : paid);
    e->units = plan_max_units(p, ceiling);
    int64_t beyond = e->units - parts - list;
    add_line(&e->units_sum, S("list"), list * 1000);
    add_line(&e->units_sum, S("to fill up merged rows"), beyond > 0 ? beyond * 1000 : 0);
    for (size_t k = 0; k < e->call.table->n_parts; k++)
        if (p->parts[k].is_asked)
            add_line(&e->units_sum, e->call.table->parts[k].brings,
                     plan_part_units(p, (enum plan_ask)(ASK_PARTS + k)) * 1000);
}

/* ---- what was given ---- */

/* A request line, out of a log. */
static struct slice without_method(struct slice text)
{
    static const struct slice methods[] = { SLICE("GET "), SLICE("POST "), SLICE("HEAD ") };
    for (size_t i = 0; i < 3; i++) {
        if (!slice_starts(text, methods[i]))
            continue;
        text = slice_trim(slice_from(text, methods[i].n));
        const char *version = memmem(text.p, text.n, " HTTP/", 6);
        return version ? slice_of(text.p, (size_t)(version - text.p)) : text;
    }
    return text;
}

/* The query and the path of an address, of what stands behind a host, or of a query alone. */
static struct slice query_of(struct slice text, struct slice *path)
{
    size_t at = slice_find(text, '?'), host = 0;
    struct slice address = slice_of(text.p, at);
    const char *scheme = memmem(address.p, address.n, "://", 3);
    *path = S("");
    if (slice_find(address, '=') < address.n || (at == text.n && !scheme && address.n && address.p[0] != '/'))
        return text;
    if (scheme)
        host = (size_t)(scheme - address.p) + 3;
    *path = slice_from(address, host + slice_find(slice_from(address, host), '/'));
    return at < text.n ? slice_from(text, at + 1) : S("");
}

/* Without what a program keeps to itself. */
static struct slice without_fragment(struct slice text)
{
    size_t scheme = slice_find(text, ':'), end = slice_find(text, '#');
    bool is_url = scheme < slice_find(text, '=') && slice_starts(slice_from(text, scheme), S("://"));
    return is_url ? slice_of(text.p, end) : text;
}

/* False, and a refusal, when the parameters cannot be read. */
static bool read_given(struct explained *e)
{
    const char *why = "memory is out";
    bool is_curl = params_are_curl(e->text);
    if (!e->memory) {
        e->refusal = (struct refusal){ FAULT_TOO_BUSY, S("memory is out") };
        return false;
    }
    struct slice path, address = is_curl ? params_of_curl(e->text, e->memory, &why)
                                         : without_fragment(without_method(slice_trim(e->text)));
    e->query = query_of(address.p ? address : S(""), &path);
    if (is_curl && !address.p) {
        e->refusal = (struct refusal){ FAULT_BAD_REQUEST, slice_str(why) };
        e->query = S("");
    } else if (!params_add(&e->params, e->query, e->memory)) {
        e->refusal = (struct refusal){ FAULT_TOO_BUSY, S("memory is out") };
    } else if (e->params.two_tokens) { /* what is shown has one of them taken out, but not the other */
        e->refusal = (struct refusal){ FAULT_BAD_REQUEST, S("two different tokens were given: send one") };
    } else if (!params_path_is_root(path)) {
        e->refusal = (struct refusal){ FAULT_NOT_FOUND, params_other_path };
    }
    return !e->refusal.fault;
}

/* ---- the spot ---- */

size_t explained_characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* A part of a value, unless the token is taken out of it: then nothing in it stands where it stood. */
static void set_spot(struct explained *e, enum param param, struct slice value, struct slice part)
{
    struct slice bare = params_without_token(&e->params, value, e->memory);
    if (!value.n || bare.p != value.p || part.p < value.p || part.p + part.n > value.p + value.n)
        return;
    e->spot =
        (struct spot){ param_name(param), value, explained_characters(slice_of(value.p, (size_t)(part.p - value.p))),
                       explained_characters(part) };
}

/* The value of what could not be decoded, and the sign in it that is wrong. */
static void spot_undecodable(struct explained *e, enum param param)
{
    for (struct slice rest = e->query; rest.n;) {
        struct pair pair = read_pair(slice_split(rest, '&', &rest), e->memory);
        struct buffer b = { 0 };
        size_t at = pair.raw_value.n;
        if (pair.param != param || !pair.raw_value.n)
            continue;
        (void)percent_decode(&b, pair.raw_value, &at);
        buffer_clear(&b);
        if (utf8_valid_prefix(pair.raw_value) == pair.raw_value.n)
            set_spot(e, param, pair.raw_value,
                     at < pair.raw_value.n ? slice_of(pair.raw_value.p + at, 1) : pair.raw_value);
        return;
    }
}

/* The first condition that cannot be asked exactly. */
static void spot_inexact(struct explained *e)
{
    const struct conditions *clauses[] = { &e->call.where, &e->call.having };
    static const enum param params[] = { PARAM_WHERE, PARAM_HAVING };
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < clauses[k]->n; i++) {
            const struct condition *c = &clauses[k]->list[i];
            struct slice expression;
            bool marked = false;
            if (!condition_fate(e, c, &expression, &marked).fault && !(marked && e->options->plan.refuse_approximate))
                continue;
            set_spot(e, params[k], e->params.value[params[k]], c->source);
            return;
        }
    }
    set_spot(e, PARAM_ORDER_BY, e->params.value[PARAM_ORDER_BY], e->params.value[PARAM_ORDER_BY]);
}

static void find_spot(struct explained *e)
{
    if (e->refusal.fault == FAULT_NOT_EXACT)
        spot_inexact(e);
    for (int i = PARAM_FROM; i < PARAM_COUNT && !e->spot.parameter.n; i++) {
        struct slice value = e->params.value[i], part = e->call.spot.p ? e->call.spot : value;
        if (param_fault((enum param)i) != e->refusal.fault)
            continue;
        if (e->params.bad[i])
            spot_undecodable(e, (enum param)i);
        else if (!e->parsed)
            set_spot(e, (enum param)i, value, part);
        if (!e->spot.parameter.n)
            set_spot(e, (enum param)i, value, value);
    }
}

/* ---- all of it ---- */

/* What the ceiling of a call does to this one. */
static void check_ceiling(struct explained *e)
{
    const struct explain_options *o = e->options;
    int64_t ceiling = o->units_per_call, parts = plan_parts_units(&e->plan);
    int64_t rows = ceiling ? plan_rows_paid_by(&e->plan, ceiling - parts) : INT64_MAX;
    int64_t results = rows > e->call.offset ? rows - e->call.offset : 0;
    bool is_short = e->plan.ask_list && results < e->call.limit;
    int64_t least =
        e->plan.ask_list ? plan_list_units(&e->plan, e->call.offset + (o->too_long_refuse ? e->call.limit : 1)) : 0;
    if (is_short && results && !o->too_long_refuse)
        e->rows_paid_for = results;
    else if (ceiling && (is_short || parts > ceiling))
        e->refusal = plan_too_dear(&e->plan, parts + least, ceiling, e->memory);
}

static void explain_call(struct explained *e)
{
    const struct explain_options *o = e->options;
    struct call_options options = { .default_mode = o->default_mode };
    e->refusal = call_parse(&e->params, &options, e->memory, &e->call);
    e->parsed = !e->refusal.fault;
    if (!e->parsed || table_is_of_books(e->call.table))
        return;
    e->refusal = plan_make(&e->call, &o->plan, e->memory, &e->plan);
    if (e->refusal.fault)
        return;
    e->planned = true;
    check_ceiling(e);
    price_rows(e);
    price_units(e);
    collect_requests(e);
    collect_marks(e);
}

/* What was asked may hold its own token in the wrong place; what is shown does not. */
void explained_make(struct slice text, const struct explain_options *o, struct explained *e)
{
    *e = (struct explained){ .memory = arena_new(MEMORY), .options = o, .text = text.p ? text : S("") };
    if (!read_given(e))
        return;
    collect_ignored(e);
    explain_call(e);
    if (e->refusal.fault)
        find_spot(e);
    collect_parts(e);
    e->refusal.why = params_without_token(&e->params, e->refusal.why, e->memory);
    for (int i = 0; i < e->n; i++)
        e->requests[i].path = params_without_token(&e->params, e->requests[i].path, e->memory);
}

enum fault explained_end(struct explained *e)
{
    enum fault f = e->refusal.fault;
    arena_free(e->memory);
    return f;
}

/* In single quotes for a shell. */
static void put_quoted(struct slice text, struct buffer *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buffer_str(out, "'\\'");
        buffer_put(out, text.p[i]);
        if (text.p[i] == '\'')
            buffer_put(out, '\'');
    }
}

void explained_curl(const struct explained *e, const struct v3_request *r, struct buffer *out)
{
    buffer_str(out, "curl -sS -H \"Authorization: Bearer $AHREFS_V3_KEY\" '");
    put_quoted(e->options->v3_url, out);
    put_quoted(r->path, out);
    buffer_put(out, '\'');
}
