/* SPDX-License-Identifier: MIT
 * From v2 conditions to v3 filter expressions (docs/compatibility.md, "Conditions"). */
#include "mapping/filter.h"

#include <json-c/json.h>

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

static struct json_object *string_of(struct slice s)
{
    return json_object_new_string_len(s.p ? s.p : "", (int)s.n);
}

/* {"field":name,"is":[word,value]}; takes `value`. */
static struct json_object *expression(struct slice field, const char *word, struct json_object *value)
{
    struct json_object *e = json_object_new_object(), *is = json_object_new_array_ext(2);
    json_object_object_add(e, "field", string_of(field));
    json_object_array_add(is, json_object_new_string(word));
    json_object_array_add(is, value);
    json_object_object_add(e, "is", is);
    return e;
}

/* {"and":[a,b]} or {"or":[a,b]}; takes both. */
static struct json_object *both(const char *word, struct json_object *a, struct json_object *b)
{
    struct json_object *e = json_object_new_object(), *list = json_object_new_array_ext(2);
    json_object_array_add(list, a);
    json_object_array_add(list, b);
    json_object_object_add(e, word, list);
    return e;
}

static struct json_object *negation(struct json_object *e)
{
    struct json_object *n = json_object_new_object();
    json_object_object_add(n, "not", e);
    return n;
}

/* Takes `e`; p is NULL when memory is out. */
static struct slice written(struct json_object *e, struct arena *memory)
{
    size_t n = 0;
    const char *text =
        json_object_to_json_string_length(e, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
    struct slice copy = text ? arena_dup(memory, slice_of(text, n)) : slice_of(NULL, 0);
    json_object_put(e);
    return copy;
}

/* Append `text` so that RE2 reads each byte as itself. */
static void quote_for_regex(struct buffer *b, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == 0) {
            buffer_str(b, "\\x00");
            continue;
        }
        bool plain = is_digit((char)c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!plain)
            buffer_put(b, '\\');
        buffer_put(b, (char)c);
    }
}

/* (?i) before text between start and end; NULL when memory is out. */
static struct json_object *any_case(struct slice field, const char *start, struct slice text, const char *end)
{
    struct buffer b = { 0 };
    buffer_str(&b, "(?i)");
    buffer_str(&b, start);
    quote_for_regex(&b, text);
    buffer_str(&b, end);
    struct json_object *e = b.failed ? NULL : expression(field, "regex", string_of(buffer_slice(&b)));
    buffer_clear(&b);
    return e;
}

/* Text that v3 may hold in another case than v2 did. */
static struct json_object *folded_text(struct slice field, enum operator_kind op, struct slice text)
{
    switch (op) {
    case OP_EQ:
        return text.n ? any_case(field, "^", text, "$") : expression(field, "eq", string_of(text));
    case OP_NE: {
        struct json_object *e = text.n ? any_case(field, "^", text, "$") : NULL;
        return text.n ? (e ? negation(e) : NULL) : expression(field, "neq", string_of(text));
    }
    case OP_SUBSTRING:
        return expression(field, "isubstring", string_of(text));
    case OP_WORD:
        return expression(field, "iphrase_match", string_of(text));
    case OP_SUBDOMAIN: {
        struct json_object *same = any_case(field, "^", text, "$"), *below = any_case(field, "\\.", text, "$");
        if (same && below)
            return both("or", same, below);
        json_object_put(same);
        json_object_put(below);
        return NULL;
    }
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_COUNT:
        break;
    }
    return expression(field, plain_words[op], string_of(text));
}

static struct json_object *exact_text(struct slice field, enum operator_kind op, struct slice text)
{
    if (op != OP_SUBDOMAIN)
        return expression(field, plain_words[op], string_of(text));
    struct buffer b = { 0 };
    buffer_put(&b, '.');
    buffer_append(&b, text);
    struct json_object *e =
        both("or", expression(field, "eq", string_of(text)), expression(field, "suffix", string_of(buffer_slice(&b))));
    buffer_clear(&b);
    return e;
}

static struct json_object *at_moment(struct slice field, const char *word, int64_t unix_s)
{
    char text[21];
    timestamp_format(unix_s, text);
    return expression(field, word, json_object_new_string(text));
}

/* A day is all of its seconds: v2's `<=` includes it, `>` begins behind it. */
static struct json_object *whole_day(struct slice field, enum operator_kind op, struct day day)
{
    int64_t begins = (int64_t)day.n * 86400;
    int64_t ends = begins + 86400 > last_moment_s ? last_moment_s : begins + 86400;
    switch (op) {
    case OP_EQ:
        return both("and", at_moment(field, "gte", begins), at_moment(field, "lt", ends));
    case OP_NE:
        return negation(both("and", at_moment(field, "gte", begins), at_moment(field, "lt", ends)));
    case OP_LT:
        return at_moment(field, "lt", begins);
    case OP_LE:
        return at_moment(field, "lt", ends);
    case OP_GT:
        return at_moment(field, "gte", ends);
    case OP_GE:
    case OP_SUBSTRING:
    case OP_WORD:
    case OP_SUBDOMAIN:
    case OP_COUNT:
        break;
    }
    return at_moment(field, "gte", begins);
}

static struct json_object *text_condition(const struct column *column, struct slice field, const struct condition *c,
                                          bool fold, struct arena *memory)
{
    bool folded = column->any_case && fold;
    struct slice text = folded || column->lower_name ? fold_dup(c->text, memory) : c->text;
    if (!text.p && c->text.n)
        return NULL;
    return folded ? folded_text(field, c->op, text) : exact_text(field, c->op, text);
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
    struct json_object *e = NULL;
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
        e = expression(field, plain_words[c->op], json_object_new_int64(c->whole));
        break;
    case VALUE_DATE:
        e = c->date.is_moment ? at_moment(field, plain_words[c->op], c->date.moment_s)
                              : whole_day(field, c->op, c->date.day);
        break;
    }
    *ret = e ? written(e, memory) : slice_of(NULL, 0);
    return ret->p ? fine : (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

static struct json_object *value_json(const struct table *table, int field, const struct filter_value *values)
{
    return table->fields[field].type == VALUE_WHOLE ? json_object_new_int64(values[field].whole)
                                                    : string_of(values[field].text);
}

struct slice filter_after(const struct table *table, const struct field_order *order, size_t n_order,
                          const struct filter_value *values, bool or_at, struct arena *memory)
{
    struct json_object *any = json_object_new_array(), *e;
    for (size_t i = 0; i < n_order; i++) {
        bool last = i + 1 == n_order;
        const char *word = order[i].descending ? (last && or_at ? "lte" : "lt") : (last && or_at ? "gte" : "gt");
        struct json_object *step =
            expression(table->fields[order[i].field].v3, word, value_json(table, order[i].field, values));
        if (i) {
            struct json_object *all = json_object_new_array();
            for (size_t k = 0; k < i; k++)
                json_object_array_add(
                    all, expression(table->fields[order[k].field].v3, "eq", value_json(table, order[k].field, values)));
            json_object_array_add(all, step);
            step = json_object_new_object();
            json_object_object_add(step, "and", all);
        }
        json_object_array_add(any, step);
    }
    if (n_order == 1) {
        e = json_object_get(json_object_array_get_idx(any, 0));
        json_object_put(any);
    } else {
        e = json_object_new_object();
        json_object_object_add(e, "or", any);
    }
    return written(e, memory);
}

struct slice filter_and(const struct slice *expressions, size_t n, struct arena *memory)
{
    if (n < 2)
        return n ? expressions[0] : S("");
    struct buffer b = { 0 };
    buffer_str(&b, "{\"and\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buffer_put(&b, ',');
        buffer_append(&b, expressions[i]);
    }
    buffer_str(&b, "]}");
    struct slice all = b.failed ? slice_of(NULL, 0) : arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return all;
}
