/* SPDX-License-Identifier: MIT
 * From v2 conditions to v3 filter expressions (docs/compatibility.md, "Conditions"). */
#include "mapping/filter.h"

#include "base/buffer.h"
#include "base/text.h"
#include "mapping/fold.h"
#include "mapping/number.h"

enum { LIVE_AFTER_DAYS = 180 };

/* 9999-12-31T23:59:59Z, the last moment that can be written. */
static const int64_t last_moment_s = 253402300799;

static const struct refusal fine = { 0 };

/* v3's words where the operator is the same. */
static const char *const plain_words[OP_COUNT] = {
    [OP_EQ] = "eq",
    [OP_NE] = "neq",
    [OP_LT] = "lt",
    [OP_LE] = "lte",
    [OP_GT] = "gt",
    [OP_GE] = "gte",
    [OP_SUBSTRING] = "substring",
    [OP_WORD] = "phrase_match",
};

static const struct slice no_memory = { 0 };

/* A written expression in `memory`; p is NULL when that is out. Clears `b`. */
static struct slice written(struct buffer *b, struct arena *memory)
{
    struct slice text = b->failed ? no_memory : arena_dup(memory, buffer_slice(b));
    buffer_clear(b);
    return text;
}

struct slice filter_string(struct slice s, struct arena *memory)
{
    struct buffer b = { 0 };
    buffer_json_string(&b, s);
    return written(&b, memory);
}

static struct slice number_of(int64_t n, struct arena *memory)
{
    struct buffer b = { 0 };
    buffer_i64(&b, n);
    return written(&b, memory);
}

/* {"field":name,"is":[word,value]}. Here and below: NULL when what it is made of is NULL, for a filter that lost a part
 * of itself would be another filter. */
struct slice filter_expression(struct slice field, const char *word, struct slice value, struct arena *memory)
{
    struct buffer b = { 0 };
    if (!value.p)
        return no_memory;
    buffer_str(&b, "{\"field\":");
    buffer_json_string(&b, field);
    buffer_str(&b, ",\"is\":[");
    buffer_json_string(&b, slice_str(word));
    buffer_put(&b, ',');
    buffer_append(&b, value);
    buffer_str(&b, "]}");
    return written(&b, memory);
}

/* {"and":[…]} or {"or":[…]}. */
struct slice filter_joined(const char *word, const struct slice *expressions, size_t n, struct arena *memory)
{
    struct buffer b = { 0 };
    buffer_str(&b, "{\"");
    buffer_str(&b, word);
    buffer_str(&b, "\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buffer_put(&b, ',');
        buffer_append(&b, expressions[i]);
        b.failed |= !expressions[i].p;
    }
    buffer_str(&b, "]}");
    return written(&b, memory);
}

static struct slice both(const char *word, struct slice first, struct slice second, struct arena *memory)
{
    return filter_joined(word, (struct slice[]){ first, second }, 2, memory);
}

struct slice filter_not(struct slice e, struct arena *memory)
{
    struct buffer b = { 0 };
    if (!e.p)
        return no_memory;
    buffer_str(&b, "{\"not\":");
    buffer_append(&b, e);
    buffer_put(&b, '}');
    return written(&b, memory);
}

/* Append an ASCII character so that RE2 reads it as itself. */
static void quote_for_regex(struct buffer *b, char c)
{
    bool plain = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (c == 0) {
        buffer_str(b, "\\x00");
        return;
    }
    if (!plain)
        buffer_put(b, '\\');
    buffer_put(b, c);
}

static void put_class(struct buffer *b, struct slice letters)
{
    buffer_append(b, S("(?-i:["));
    buffer_append(b, letters);
    buffer_append(b, S("])"));
}

/* Append what finds, under (?i), the texts that fold to `text`: RE2 takes some letters for one that v2's lower case
 * keeps apart, and takes others apart that it makes one. */
static void quote_folded(struct buffer *b, struct slice text)
{
    for (size_t i = 0, length; i < text.n; i += length) {
        struct slice rest = slice_from(text, i), forms;
        if (slice_starts(rest, S(FOLDED_DOTTED_I))) {
            length = sizeof FOLDED_DOTTED_I - 1;
            buffer_str(b, "(?:" FOLDED_DOTTED_I "|" DOTTED_I ")");
            continue;
        }
        uint32_t c = utf8_decode(rest.p, &length);
        if ((forms = fold_forms_apart(c)).n)
            put_class(b, forms);
        else if (c < 0x80)
            quote_for_regex(b, (char)c);
        else
            buffer_append(b, slice_of(rest.p, length));
    }
}

/* (?i) before text between start and end. */
static struct slice any_case(struct slice field, const char *start, struct slice text, const char *end,
                             struct arena *memory)
{
    struct buffer b = { 0 };
    buffer_str(&b, "(?i)");
    buffer_str(&b, start);
    quote_folded(&b, text);
    buffer_str(&b, end);
    struct slice pattern = written(&b, memory);
    return pattern.p ? filter_expression(field, "regex", filter_string(pattern, memory), memory) : no_memory;
}

/* Text that v3 may hold in another case than v2 did. */
static struct slice folded_text(struct slice field, enum operator_kind op, struct slice text, struct arena *memory)
{
    switch (op) {
    case OP_EQ:
        return text.n ? any_case(field, "^", text, "$", memory)
                      : filter_expression(field, "eq", filter_string(text, memory), memory);
    case OP_NE:
        return text.n ? filter_not(any_case(field, "^", text, "$", memory), memory)
                      : filter_expression(field, "neq", filter_string(text, memory), memory);
    case OP_SUBSTRING:
        return filter_expression(field, "isubstring", filter_string(text, memory), memory);
    case OP_WORD:
        return filter_expression(field, "iphrase_match", filter_string(text, memory), memory);
    case OP_SUBDOMAIN:
        return both("or", any_case(field, "^", text, "$", memory), any_case(field, "\\.", text, "$", memory), memory);
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_COUNT:
        break;
    }
    return filter_expression(field, plain_words[op], filter_string(text, memory), memory);
}

static struct slice exact_text(struct slice field, enum operator_kind op, struct slice text, struct arena *memory)
{
    struct slice itself = filter_string(text, memory);
    if (op != OP_SUBDOMAIN)
        return filter_expression(field, plain_words[op], itself, memory);
    struct buffer b = { 0 };
    buffer_put(&b, '.');
    buffer_append(&b, text);
    struct slice below = written(&b, memory);
    if (!below.p)
        return no_memory;
    return both("or", filter_expression(field, "eq", itself, memory),
                filter_expression(field, "suffix", filter_string(below, memory), memory), memory);
}

static struct slice at_moment(struct slice field, const char *word, int64_t unix_s, struct arena *memory)
{
    char text[21];
    timestamp_format(unix_s, text);
    return filter_expression(field, word, filter_string(slice_str(text), memory), memory);
}

/* A day is all of its seconds: v2's `<=` includes it, `>` begins behind it. */
static struct slice whole_day(struct slice field, enum operator_kind op, struct day day, struct arena *memory)
{
    int64_t begins = (int64_t)day.n * 86400;
    int64_t ends = begins + 86400 > last_moment_s ? last_moment_s : begins + 86400;
    switch (op) {
    case OP_EQ:
    case OP_NE: {
        struct slice within =
            both("and", at_moment(field, "gte", begins, memory), at_moment(field, "lt", ends, memory), memory);
        return op == OP_EQ ? within : filter_not(within, memory);
    }
    case OP_LT:
        return at_moment(field, "lt", begins, memory);
    case OP_LE:
        return at_moment(field, "lt", ends, memory);
    case OP_GT:
        return at_moment(field, "gte", ends, memory);
    case OP_GE:
    case OP_SUBSTRING:
    case OP_WORD:
    case OP_SUBDOMAIN:
    case OP_COUNT:
        break;
    }
    return at_moment(field, "gte", begins, memory);
}

/* v2's word stands for one word of v3 or several. */
static struct slice word_condition(const struct field *f, const struct condition *c, struct arena *memory)
{
    enum { MOST_WORDS = 8 };
    struct slice any[MOST_WORDS];
    size_t n = 0;
    for (const struct word *w = f->words; w->v3.n && n < MOST_WORDS; w++)
        if (slice_eq(w->v2, c->text))
            any[n++] = filter_expression(f->v3, "eq", filter_string(w->v3, memory), memory);
    struct slice e = n == 1 ? any[0] : filter_joined("or", any, n, memory);
    return c->op == OP_NE ? filter_not(e, memory) : e;
}

/* {"field":name,"list_is":{"any":["eq",value]}} */
static struct slice list_condition(struct slice field, const struct condition *c, struct arena *memory)
{
    struct buffer b = { 0 };
    struct slice value = filter_string(c->text, memory);
    buffer_str(&b, "{\"field\":");
    buffer_json_string(&b, field);
    buffer_str(&b, ",\"list_is\":{\"any\":[\"eq\",");
    buffer_append(&b, value);
    buffer_str(&b, "]}}");
    b.failed |= !value.p;
    struct slice e = written(&b, memory);
    return c->op == OP_NE ? filter_not(e, memory) : e;
}

static struct slice text_condition(const struct filter_making *m, const struct column *column, struct slice field,
                                   const struct condition *c)
{
    bool any_case_counts = column->text == TEXT_ANY_CASE || (column->text == TEXT_FOLDED && m->fold);
    struct slice text = any_case_counts || column->text == TEXT_HOST ? fold_dup(c->text, m->memory) : c->text;
    if (!text.p && c->text.n)
        return no_memory;
    if (column->text == TEXT_OF_WORDS)
        return word_condition(&m->table->list->fields[column->field], c, m->memory);
    if (column->text == TEXT_IN_A_LIST)
        return list_condition(field, c, m->memory);
    if (column->text == TEXT_URL && c->op == OP_SUBDOMAIN)
        return exact_text(column->host.v3, c->op, fold_dup(text, m->memory), m->memory);
    return any_case_counts ? folded_text(field, c->op, text, m->memory) : exact_text(field, c->op, text, m->memory);
}

/* What v2 did not compare with the column, or v3 cannot. */
static struct refusal check_operator(const struct filter_making *m, const struct column *column,
                                     const struct condition *c)
{
    bool is_equal = c->op == OP_EQ || c->op == OP_NE, is_known = column->text != TEXT_OF_WORDS;
    if (column->type != VALUE_TEXT)
        return fine;
    if (column->text == TEXT_URL && c->op == OP_SUBDOMAIN && !column->host.v3.n)
        return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, m->memory,
                              "API v3 cannot look for a subdomain in %.*s; substring(%.*s,\"…\") can be kept",
                              SLICE_ARGS(column->v2), SLICE_ARGS(column->v2));
    if (column->text == TEXT_IN_A_LIST && (!is_equal || !c->text.n))
        return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, m->memory,
                              "API v3 has a list of %.*s: only = and <> with one of its values can be kept",
                              SLICE_ARGS(column->v2));
    if (is_known)
        return fine;
    struct slice names = S("");
    for (const struct word *w = m->table->list->fields[column->field].words; w->v3.n; w++) {
        bool is_first = w == m->table->list->fields[column->field].words || !slice_eq(w->v2, w[-1].v2);
        is_known |= slice_eq(w->v2, c->text);
        if (is_first)
            names = arena_printf(m->memory, "%.*s%s%.*s", SLICE_ARGS(names), names.n ? ", " : "", SLICE_ARGS(w->v2));
    }
    if (is_equal && is_known)
        return fine;
    return clause_refusal(c->clause, clause_fault(c->clause), c->at, m->memory,
                          "%.*s is compared with = or <> and one of %.*s", SLICE_ARGS(column->v2), SLICE_ARGS(names));
}

/* A lower bound far in the past holds for every live link; nothing else is known of this date. */
static struct refusal live_day(const struct filter_making *m, const struct condition *c)
{
    struct day day = c->date.is_moment ? day_of_ms(c->date.moment_s * 1000) : c->date.day;
    if ((c->op == OP_GT || c->op == OP_GE) && day.n <= m->today.n - LIVE_AFTER_DAYS)
        return fine;
    char bound[11];
    day_format((struct day){ m->today.n - LIVE_AFTER_DAYS }, bound);
    return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, m->memory,
                          "API v3 has no %.*s; only > or >= a day up to %s can be kept, which every live link fulfils",
                          SLICE_ARGS(m->table->columns[c->column].v2), bound);
}

static void mark(struct marks *marks, const struct condition *c)
{
    *(c->clause == CLAUSE_WHERE ? &marks->where : &marks->having) |= bit(c->column);
}

/* n + 0.5 */
static struct slice and_a_half(int64_t n, struct arena *memory)
{
    if (n >= 0)
        return arena_printf(memory, "%lld.5", (long long)n);
    return arena_printf(memory, "-%lld.5", -(long long)(n + 1));
}

/* The whole n is what was rounded to it: from n - 0.5 on, below n + 0.5. */
static struct slice rating_condition(struct slice field, enum operator_kind op, int64_t n, struct arena *memory)
{
    struct slice from = and_a_half(n == INT64_MIN ? n : n - 1, memory), until = and_a_half(n, memory);
    switch (op) {
    case OP_LT:
        return filter_expression(field, "lt", from, memory);
    case OP_LE:
        return filter_expression(field, "lt", until, memory);
    case OP_GT:
        return filter_expression(field, "gte", until, memory);
    case OP_GE:
        return filter_expression(field, "gte", from, memory);
    case OP_EQ:
    case OP_NE:
    case OP_SUBSTRING:
    case OP_WORD:
    case OP_SUBDOMAIN:
    case OP_COUNT:
        break;
    }
    struct slice within = both("and", filter_expression(field, "gte", from, memory),
                               filter_expression(field, "lt", until, memory), memory);
    return op == OP_NE ? filter_not(within, memory) : within;
}

static struct slice truth(bool value)
{
    return value ? S("true") : S("false");
}

static struct slice typed_condition(const struct filter_making *m, const struct column *column, struct slice field,
                                    const struct condition *c)
{
    switch (column->type) {
    case VALUE_WHOLE:
    case VALUE_NUMBER:
        return filter_expression(field, plain_words[c->op], number_of(c->whole, m->memory), m->memory);
    case VALUE_RATING:
        return rating_condition(field, c->op, c->whole, m->memory);
    case VALUE_BOOL:
        return filter_expression(field, "eq", truth((c->op == OP_NE) != (c->whole != 0)), m->memory);
    case VALUE_DATE:
    case VALUE_DAY:
        return c->date.is_moment ? at_moment(field, plain_words[c->op], c->date.moment_s, m->memory)
                                 : whole_day(field, c->op, c->date.day, m->memory);
    case VALUE_TEXT:
    case VALUE_LIST:
        break;
    }
    return text_condition(m, column, field, c);
}

static bool meets(enum operator_kind op, int difference);

/* Whether what v2 had in place of null meets the condition. */
static bool null_meets(const struct column *column, const struct condition *c)
{
    switch (column->type) {
    case VALUE_WHOLE:
    case VALUE_NUMBER:
    case VALUE_RATING:
        return meets(c->op, (0 > c->whole) - (0 < c->whole));
    case VALUE_BOOL:
        return (c->op == OP_NE) == (c->whole != 0);
    case VALUE_TEXT:
        return c->op <= OP_GE ? meets(c->op, c->text.n ? -1 : 0) : !c->text.n && c->op != OP_SUBDOMAIN;
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
    return false;
}

static struct slice is_null(struct slice field, struct arena *memory)
{
    struct buffer b = { 0 };
    buffer_str(&b, "{\"field\":");
    buffer_json_string(&b, field);
    buffer_str(&b, ",\"is\":\"is_null\"}");
    return written(&b, memory);
}

/* Null as what v2 had in its place: whether v3 takes it for different from all else is not known. */
static struct slice with_null(struct slice field, const struct column *column, const struct condition *c,
                              struct slice e, struct arena *memory)
{
    if (null_meets(column, c))
        return both("or", is_null(field, memory), e, memory);
    return c->op == OP_NE ? both("and", filter_not(is_null(field, memory), memory), e, memory) : e;
}

struct refusal filter_of_condition(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    const struct column *column = &m->table->columns[c->column];
    enum fidelity fidelity = clause_fidelity(c->clause, column);
    int number = column_field(column);
    const struct field *f = number >= 0 ? &m->table->list->fields[number] : NULL;
    *ret = S("");
    if (fidelity != FIDELITY_EXACT)
        mark(m->marks, c);
    if (fidelity == FIDELITY_LIVE_DAY)
        return live_day(m, c);
    if (column->make_filter)
        return column->make_filter(m, c, ret);
    struct refusal refusal = check_operator(m, column, c);
    if (refusal.fault)
        return refusal;
    if (column->type == VALUE_TEXT && c->op >= OP_LT && c->op <= OP_GE) /* v3's order of texts is its own */
        mark(m->marks, c);
    struct slice field = column->filter.v3.n || !f ? column->filter.v3 : f->v3;
    struct slice e = typed_condition(m, column, field, c);
    bool may_be_null =
        f && !column->filter.v3.n ? f->nullable && !f->stand_in && f->type != VALUE_LIST : column->filter.nullable;
    if (may_be_null)
        e = with_null(field, column, c, e, m->memory);
    *ret = e;
    return e.p ? fine : (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

bool filter_check_of(const struct table *table, const struct condition *c, struct filter_check *ret)
{
    int field = column_field(&table->columns[c->column]);
    bool compares = c->op <= OP_GE, orders = compares && c->op >= OP_LT;
    if (field < 0 || clause_fidelity(c->clause, &table->columns[c->column]) == FIDELITY_LIVE_DAY)
        return false;
    if (table->list->fields[field].type == VALUE_WHOLE ? !compares : field != table->key.fields[0] || !orders)
        return false;
    *ret = (struct filter_check){ field, c->op, c->whole, c->text };
    return true;
}

/* `difference`: below 0 where the value is less than that of the condition. */
static bool meets(enum operator_kind op, int difference)
{
    switch (op) {
    case OP_EQ:
        return difference == 0;
    case OP_NE:
        return difference != 0;
    case OP_LT:
        return difference < 0;
    case OP_LE:
        return difference <= 0;
    case OP_GT:
        return difference > 0;
    case OP_GE:
        return difference >= 0;
    case OP_SUBSTRING:
    case OP_WORD:
    case OP_SUBDOMAIN:
    case OP_COUNT:
        break;
    }
    return true;
}

bool filter_check_whole(const struct filter_check *c, int64_t value)
{
    return meets(c->op, (value > c->whole) - (value < c->whole));
}

bool filter_check_text(const struct filter_check *c, struct slice text)
{
    return meets(c->op, slice_cmp(text, c->text));
}

static struct slice value_json(const struct field *f, const union cell *value, struct arena *memory)
{
    struct buffer b = { 0 };
    switch (f->type) {
    case VALUE_WHOLE:
        return number_of(value->whole, memory);
    case VALUE_BOOL:
        return truth(value->whole);
    case VALUE_RATING:
    case VALUE_NUMBER:
        buffer_number(&b, value->number, false);
        return written(&b, memory);
    case VALUE_TEXT:
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
    return filter_string(value->text, memory);
}

struct slice filter_equal(const struct table *table, int field, const union cell *values, struct arena *memory)
{
    const struct field *f = &table->list->fields[field];
    return filter_expression(f->v3, "eq", value_json(f, &values[field], memory), memory);
}

/* The rows that are equal in all of the order but its last field, and behind in that. Empty when nothing can be: behind
 * true is nothing. */
static struct slice behind(const struct table *table, const struct field_order *order, size_t n,
                           const union cell *values, bool or_at, struct arena *memory)
{
    struct slice steps[REPORT_MAX_FIELDS];
    for (size_t k = 0; k < n; k++) {
        const struct field *f = &table->list->fields[order[k].field];
        const union cell *value = &values[order[k].field];
        const char *word = k + 1 < n ? "eq" : order[k].descending ? (or_at ? "lte" : "lt") : (or_at ? "gte" : "gt");
        struct slice json = value_json(f, value, memory);
        if (f->type == VALUE_BOOL && k + 1 == n) {
            if (order[k].descending != !value->whole)
                json = truth(!value->whole);
            else
                return S("");
            word = "eq";
        }
        steps[k] = filter_expression(f->v3, word, json, memory);
    }
    return n == 1 ? steps[0] : filter_joined("and", steps, n, memory);
}

struct slice filter_after(const struct table *table, const struct field_order *order, size_t n_order,
                          const union cell *values, bool or_at, struct arena *memory)
{
    struct slice any[REPORT_MAX_FIELDS];
    size_t n = 0;
    for (size_t i = 0; i < n_order; i++) {
        any[n] = behind(table, order, i + 1, values, or_at && i + 1 == n_order, memory);
        n += any[n].n || !any[n].p;
    }
    return n == 1 ? any[0] : filter_joined("or", any, n, memory);
}

struct slice filter_and(const struct slice *expressions, size_t n, struct arena *memory)
{
    if (n < 2)
        return n ? expressions[0] : S("");
    return filter_joined("and", expressions, n, memory);
}
