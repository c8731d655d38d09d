/* SPDX-License-Identifier: MIT
 * Conditions: any valid UTF-8 is read or refused with words; what was read and is written again in one plain form reads
 * as the same list, and each becomes a v3 filter that is JSON, or is refused with words. The first byte of the input
 * chooses the clause and the case. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/text.h"
#include "mapping/filter.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

static void check_refusal(struct refusal r)
{
    must_hold(r.fault > FAULT_NONE && r.fault < FAULT_COUNT);
    must_hold(r.why.n && utf8_valid_prefix(r.why) == r.why.n);
}

static void write_text(struct buffer *b, struct slice text)
{
    buffer_put(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buffer_put(b, '\\');
        if (text.p[i])
            buffer_put(b, text.p[i]);
        else
            buffer_str(b, "\\0");
    }
    buffer_put(b, '"');
}

static void write_value(struct buffer *b, const struct condition *c)
{
    char date[21];
    switch (table_anchors.columns[c->column].type) {
    case VALUE_TEXT:
        write_text(b, c->text);
        break;
    case VALUE_WHOLE:
        buffer_i64(b, c->whole);
        break;
    case VALUE_DATE:
        if (c->date.is_moment)
            timestamp_format(c->date.moment_s, date);
        else
            day_format(c->date.day, date);
        write_text(b, slice_str(date));
        break;
    default:
        break; /* anchors have no others */
    }
}

static void write_conditions(struct buffer *b, const struct conditions *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct condition *c = &list->list[i];
        struct slice column = table_anchors.columns[c->column].v2;
        if (i)
            buffer_put(b, ',');
        if (c->op >= OP_SUBSTRING) {
            buffer_append(b, operator_name(c->op));
            buffer_put(b, '(');
            buffer_append(b, column);
            buffer_put(b, ',');
            write_value(b, c);
            buffer_put(b, ')');
        } else {
            buffer_append(b, column);
            buffer_append(b, operator_name(c->op));
            write_value(b, c);
        }
    }
}

static void check_same(const struct condition *a, const struct condition *b)
{
    must_hold(a->clause == b->clause && a->column == b->column && a->op == b->op);
    switch (table_anchors.columns[a->column].type) {
    case VALUE_TEXT:
        must_hold(slice_eq(a->text, b->text) && utf8_valid_prefix(a->text) == a->text.n);
        break;
    case VALUE_WHOLE:
        must_hold(a->whole == b->whole);
        break;
    case VALUE_DATE:
        must_hold(a->date.is_moment == b->date.is_moment && a->date.day.n == b->date.day.n &&
                  a->date.moment_s == b->date.moment_s);
        break;
    default:
        break;
    }
}

static void check_filters(const struct conditions *list, bool fold, struct arena *memory)
{
    struct marks marks = { 0 };
    struct slice country = S("");
    struct filter_making m = { .table = &table_anchors,
                               .fold = fold,
                               .today = { 20000 },
                               .memory = memory,
                               .marks = &marks,
                               .country = &country };
    for (size_t i = 0; i < list->n; i++) {
        struct slice filter;
        struct refusal r = filter_of_condition(&m, &list->list[i], &filter);
        if (r.fault) {
            check_refusal(r);
            continue;
        }
        if (!filter.n)
            continue;
        struct json_tokener *t = json_tokener_new();
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        struct json_object *o = json_tokener_parse_ex(t, filter.p, (int)filter.n);
        must_hold(json_object_is_type(o, json_type_object) && json_tokener_get_parse_end(t) == filter.n);
        json_object_put(o);
        json_tokener_free(t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data + 1, size ? size - 1 : 0);
    if (size < 2 || slice_find(text, 0) < text.n || utf8_valid_prefix(text) < text.n)
        return 0;
    enum clause clause = data[0] & 1 ? CLAUSE_WHERE : CLAUSE_HAVING;
    struct arena *memory = arena_new(data[0] & 4 ? 8000 : 16 << 20);
    struct conditions list, again;
    struct refusal r = conditions_parse(&table_anchors, clause, text, memory, &list);
    if (r.fault) {
        check_refusal(r);
    } else if (!(data[0] & 4)) {
        struct buffer b = { 0 };
        write_conditions(&b, &list);
        r = conditions_parse(&table_anchors, clause, buffer_slice(&b), memory, &again);
        must_hold(!r.fault && again.n == list.n);
        for (size_t i = 0; i < list.n; i++)
            check_same(&list.list[i], &again.list[i]);
        buffer_clear(&b);
        check_filters(&list, data[0] & 2, memory);
    }
    arena_free(memory);
    return 0;
}
