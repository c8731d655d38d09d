/* SPDX-License-Identifier: MIT
 * A packed row: its length, then number by number and text by text. */
#include "mapping/packed_rows.h"

#include <assert.h>

#include "base/day.h"
#include "mapping/number.h"

enum { TEXT_BITS = 22, RAW_BITS = 8, TEXT_MASK = (1 << TEXT_BITS) - 1, RAW_MASK = (1 << RAW_BITS) - 1 };

/* In front of a text. */
struct text_head {
    uint32_t n : TEXT_BITS;
    uint32_t n_raw : RAW_BITS; /* of a date as it came */
    uint32_t plain : 1;
    uint32_t broken : 1;
};

/* The scanner holds both. */
_Static_assert((int)SCAN_MAX_TEXT <= (int)TEXT_MASK, "a text fits");
_Static_assert(sizeof "YYYY-MM-DDTHH:MM:SS.Z" + TIMESTAMP_MAX_FRACTION <= (size_t)RAW_MASK, "a date fits");

static char *put_bytes(char *to, const void *p, size_t n)
{
    if (n)
        memcpy(to, p, n);
    return to + n;
}

static bool is_text(const struct report *report, size_t field)
{
    enum value_type type = report->fields[field].type;
    return type == VALUE_TEXT || type == VALUE_DATE || type == VALUE_LIST;
}

enum { NUMBER_SIZE = 8 };
_Static_assert(sizeof(int64_t) == NUMBER_SIZE && sizeof(double) == NUMBER_SIZE, "both are as long");

/* Such a number is kept as it came; what it is rounded to is made from it. */
static bool has_fraction(const struct report *report, size_t field)
{
    enum value_type type = report->fields[field].type;
    return type == VALUE_RATING || type == VALUE_NUMBER;
}

static size_t raw_length(const struct report *report, size_t field, const struct scan_value *v)
{
    return report->fields[field].type == VALUE_DATE ? v->raw.n : 0;
}

static size_t row_size(const struct report *report, uint64_t fields, const struct scan_value *values)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_fields; i++) {
        if (!(fields & bit((int)i)))
            continue;
        n += !is_text(report, i) ? NUMBER_SIZE
                                 : sizeof(struct text_head) + values[i].text.n + raw_length(report, i, &values[i]);
    }
    return n;
}

void packed_rows_put(struct buffer *packed, const struct report *report, uint64_t fields,
                     const struct scan_value *values)
{
    uint32_t size = (uint32_t)row_size(report, fields, values);
    char *to = buffer_reserve(packed, sizeof size + size);
    if (!to)
        return; /* whole rows only */
    to = put_bytes(to, &size, sizeof size);
    for (size_t i = 0; i < report->n_fields; i++) {
        const struct scan_value *v = &values[i];
        if (!(fields & bit((int)i)))
            continue;
        if (!is_text(report, i)) {
            to = put_bytes(to, has_fraction(report, i) ? (const void *)&v->number : &v->whole, NUMBER_SIZE);
            continue;
        }
        size_t n_raw = raw_length(report, i, v);
        assert(v->text.n <= TEXT_MASK && n_raw <= RAW_MASK);
        struct text_head head = { (uint32_t)v->text.n & TEXT_MASK, (uint32_t)n_raw & RAW_MASK, v->plain, v->broken };
        to = put_bytes(to, &head, sizeof head);
        to = put_bytes(to, v->text.p, v->text.n);
        to = put_bytes(to, v->raw.p, n_raw);
    }
    packed->n += sizeof size + size;
}

static struct slice take_bytes(struct slice *from, size_t n)
{
    assert(n <= from->n);
    struct slice s = slice_of(from->p, n);
    *from = slice_from(*from, n);
    return s;
}

bool packed_rows_take(struct slice *packed, const struct report *report, uint64_t fields, struct scan_value *values)
{
    uint32_t size;
    if (!packed->n)
        return false;
    memcpy(&size, take_bytes(packed, sizeof size).p, sizeof size);
    struct slice row = take_bytes(packed, size);
    for (size_t i = 0; i < report->n_fields; i++) {
        struct scan_value *v = &values[i];
        struct text_head head;
        *v = (struct scan_value){ 0 };
        if (!(fields & bit((int)i)))
            continue;
        if (!is_text(report, i)) {
            memcpy(has_fraction(report, i) ? (void *)&v->number : &v->whole, take_bytes(&row, NUMBER_SIZE).p,
                   NUMBER_SIZE);
            if (report->fields[i].type == VALUE_RATING)
                v->whole = number_rounded(v->number);
            continue;
        }
        memcpy(&head, take_bytes(&row, sizeof head).p, sizeof head);
        v->text = take_bytes(&row, head.n);
        v->raw = take_bytes(&row, head.n_raw);
        v->plain = head.plain;
        v->broken = head.broken;
    }
    return true;
}

struct slice packed_rows_skip(struct slice packed, int64_t rows)
{
    uint32_t size;
    for (; rows > 0 && packed.n; rows--) {
        memcpy(&size, packed.p, sizeof size);
        take_bytes(&packed, sizeof size + size);
    }
    return packed;
}

size_t packed_rows_split(struct slice packed, size_t max_bytes, int64_t *rows)
{
    struct slice rest = packed;
    uint32_t size;
    *rows = 0;
    while (rest.n) {
        memcpy(&size, rest.p, sizeof size);
        size_t n = sizeof size + size;
        if (*rows && packed.n - rest.n + n > max_bytes)
            break;
        take_bytes(&rest, n);
        ++*rows;
    }
    return packed.n - rest.n;
}
