/* SPDX-License-Identifier: MIT
 * The numbers of a part. */
#include "mapping/part.h"

#include "base/json.h"
#include "base/text.h"
#include "mapping/number.h"

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static bool read_value(const struct field *f, struct slice text, union cell *cell)
{
    uint64_t n;
    switch (f->type) {
    case VALUE_WHOLE:
        if (!parse_u64(text, &n) || n > INT64_MAX)
            return false;
        cell->whole = (int64_t)n;
        return true;
    case VALUE_BOOL:
        cell->whole = slice_eq(text, S("true"));
        return cell->whole || slice_eq(text, S("false"));
    case VALUE_RATING:
    case VALUE_NUMBER:
        if (!number_parse(text, &cell->number))
            return false;
        cell->whole = number_rounded(cell->number);
        return true;
    case VALUE_TEXT:
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
    return false;
}

bool part_read(const struct report *report, uint64_t fields, struct slice body, struct part_values *ret, int *bad)
{
    struct part_values values = { .rows = 1 };
    struct slice object = body;
    bool is_there = json_member(body, report->key, &object);
    for (size_t i = 0; i < report->n_fields; i++) {
        struct slice text;
        const struct field *f = &report->fields[i];
        if (!(fields & bit((int)i)))
            continue;
        *bad = (int)i;
        if (!is_there || !json_member(object, f->v3, &text))
            return false;
        values.known |= bit((int)i);
        if (f->nullable && slice_eq(text, S("null")))
            values.nulls |= bit((int)i);
        else if (!read_value(f, text, &values.of[i]))
            return false;
    }
    *ret = values;
    return true;
}

size_t part_bytes(const struct report *report)
{
    return offsetof(struct part_values, of) + report->n_fields * sizeof(union cell);
}

void part_add(const struct report *report, uint64_t fields, const struct scan_value *values, struct part_values *to)
{
    for (size_t i = 0; i < report->n_fields && i < PART_MAX_FIELDS; i++) {
        if (!(fields & bit((int)i)))
            continue;
        to->of[i].whole = add(to->of[i].whole, values[i].whole);
        to->of[i].number += values[i].number;
    }
    to->known |= fields;
    to->rows++;
}

union cell part_sum(const struct report *report, uint64_t fields, const struct part_values *values)
{
    union cell sum = { .whole = 0 };
    for (size_t i = 0; i < report->n_fields && i < PART_MAX_FIELDS; i++) {
        if (!(fields & bit((int)i)))
            continue;
        bool is_whole = report->fields[i].type == VALUE_WHOLE || report->fields[i].type == VALUE_BOOL;
        sum.whole = add(sum.whole, values->of[i].whole);
        sum.number += is_whole ? (double)values->of[i].whole : values->of[i].number;
    }
    return sum;
}

int64_t part_share(int64_t whole, int64_t part, int64_t of)
{
    if (of <= 0 || part <= 0)
        return 0;
    __int128 doubled = (__int128)whole * part * 2 + of;
    __int128 share = doubled / ((__int128)of * 2);
    return share > whole ? whole : (int64_t)share;
}
