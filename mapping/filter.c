/* SPDX-License-Identifier: MIT
 * From v2 conditions to v3 filter expressions (docs/compatibility.md, "Conditions"). */
#include "mapping/filter.h"

#include "base/buffer.h"
#include "base/text.h"
#include "mapping/fold.h"

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

static struct slice string_of(struct slice s, struct arena *memory)
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
static struct slice expression(struct slice field, const char *word, struct slice value, struct arena *memory)
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
static struct slice joined(const char *word, const struct slice *expressions, size_t n, struct arena *memory)
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
    return joined(word, (struct slice[]){ first, second }, 2, memory);
}

static struct slice negation(struct slice e, struct arena *memory)
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
    return pattern.p ? expression(field, "regex", string_of(pattern, memory), memory) : no_memory;
}

/* Text that v3 may hold in another case than v2 did. */
static struct slice folded_text(struct slice field, enum operator_kind op, struct slice text, struct arena *memory)
{
    switch (op) {
    case OP_EQ:
        return text.n ? any_case(field, "^", text, "$", memory)
                      : expression(field, "eq", string_of(text, memory), memory);
    case OP_NE:
        return text.n ? negation(any_case(field, "^", text, "$", memory), memory)
                      : expression(field, "neq", string_of(text, memory), memory);
    case OP_SUBSTRING:
        return expression(field, "isubstring", string_of(text, memory), memory);
    case OP_WORD:
        return expression(field, "iphrase_match", string_of(text, memory), memory);
    case OP_SUBDOMAIN:
        return both("or", any_case(field, "^", text, "$", memory), any_case(field, "\\.", text, "$", memory), memory);
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_COUNT:
        break;
    }
    return expression(field, plain_words[op], string_of(text, memory), memory);
}

static struct slice exact_text(struct slice field, enum operator_kind op, struct slice text, struct arena *memory)
{
    struct slice itself = string_of(text, memory);
    if (op != OP_SUBDOMAIN)
        return expression(field, plain_words[op], itself, memory);
    struct buffer b = { 0 };
    buffer_put(&b, '.');
    buffer_append(&b, text);
    struct slice below = written(&b, memory);
    if (!below.p)
        return no_memory;
    return both("or", expression(field, "eq", itself, memory),
                expression(field, "suffix", string_of(below, memory), memory), memory);
}

static struct slice at_moment(struct slice field, const char *word, int64_t unix_s, struct arena *memory)
{
    char text[21];
    timestamp_format(unix_s, text);
    return expression(field, word, string_of(slice_str(text), memory), memory);
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
        return op == OP_EQ ? within : negation(within, memory);
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

static struct slice text_condition(const struct column *column, struct slice field, const struct condition *c,
                                   bool fold, struct arena *memory)
{
    bool folded = column->any_case && fold;
    struct slice text = folded || column->lower_name ? fold_dup(c->text, memory) : c->text;
    if (!text.p && c->text.n)
        return no_memory;
    return folded ? folded_text(field, c->op, text, memory) : exact_text(field, c->op, text, memory);
}

/* A lower bound far in the past holds for every live link; nothing else is known of this date. */
static struct refusal live_day(const struct table *table, const struct condition *c, struct day today,
                               struct arena *memory)
{
    struct day day = c->date.is_moment ? day_of_ms(c->date.moment_s * 1000) : c->date.day;
    if ((c->op == OP_GT || c->op == OP_GE) && day.n <= today.n - LIVE_AFTER_DAYS)
        return fine;
    char bound[11];
    day_format((struct day){ today.n - LIVE_AFTER_DAYS }, bound);
    return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, memory,
                          "API v3 has no %.*s; only > or >= a day up to %s can be kept, which every live link fulfils",
                          SLICE_ARGS(table->columns[c->column].v2), bound);
}

static void mark(struct marks *marks, const struct condition *c)
{
    *(c->clause == CLAUSE_WHERE ? &marks->where : &marks->having) |= 1u << c->column;
}

struct refusal filter_of_condition(const struct table *table, const struct condition *c, bool fold, struct day today,
                                   struct arena *memory, struct marks *marks, struct slice *ret)
{
    const struct column *column = &table->columns[c->column];
    enum fidelity fidelity = clause_fidelity(c->clause, column);
    struct slice field = column->filter_v3.n ? column->filter_v3 : table->fields[column->field].v3;
    struct slice e = no_memory;
    *ret = S("");
    if (fidelity != FIDELITY_EXACT)
        mark(marks, c);
    if (fidelity == FIDELITY_LIVE_DAY)
        return live_day(table, c, today, memory);
    switch (column->type) {
    case VALUE_TEXT:
        if (c->op >= OP_LT && c->op <= OP_GE) /* v3's order of texts is its own */
            mark(marks, c);
        e = text_condition(column, field, c, fold, memory);
        break;
    case VALUE_WHOLE:
        e = expression(field, plain_words[c->op], number_of(c->whole, memory), memory);
        break;
    case VALUE_DATE:
        e = c->date.is_moment ? at_moment(field, plain_words[c->op], c->date.moment_s, memory)
                              : whole_day(field, c->op, c->date.day, memory);
        break;
    }
    *ret = e;
    return e.p ? fine : (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

bool filter_check_of(const struct table *table, const struct condition *c, struct filter_check *ret)
{
    int field = table->columns[c->column].field;
    bool compares = c->op <= OP_GE, orders = compares && c->op >= OP_LT;
    if (field < 0 || clause_fidelity(c->clause, &table->columns[c->column]) == FIDELITY_LIVE_DAY)
        return false;
    if (table->fields[field].type == VALUE_WHOLE ? !compares : field != table->key_field || !orders)
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

static struct slice value_json(const struct table *table, int field, const struct filter_value *values,
                               struct arena *memory)
{
    return table->fields[field].type == VALUE_WHOLE ? number_of(values[field].whole, memory)
                                                    : string_of(values[field].text, memory);
}

/* The rows that are equal in all of the order but its last field, and behind in that. */
static struct slice behind(const struct table *table, const struct field_order *order, size_t n,
                           const struct filter_value *values, bool or_at, struct arena *memory)
{
    struct slice steps[TABLE_MAX_FIELDS];
    for (size_t k = 0; k < n; k++) {
        const char *word = k + 1 < n ? "eq" : order[k].descending ? (or_at ? "lte" : "lt") : (or_at ? "gte" : "gt");
        steps[k] = expression(table->fields[order[k].field].v3, word, value_json(table, order[k].field, values, memory),
                              memory);
    }
    return n == 1 ? steps[0] : joined("and", steps, n, memory);
}

struct slice filter_after(const struct table *table, const struct field_order *order, size_t n_order,
                          const struct filter_value *values, bool or_at, struct arena *memory)
{
    struct slice any[TABLE_MAX_FIELDS];
    for (size_t i = 0; i < n_order; i++)
        any[i] = behind(table, order, i + 1, values, or_at && i + 1 == n_order, memory);
    return n_order == 1 ? any[0] : joined("or", any, n_order, memory);
}

struct slice filter_and(const struct slice *expressions, size_t n, struct arena *memory)
{
    if (n < 2)
        return n ? expressions[0] : S("");
    return joined("and", expressions, n, memory);
}
