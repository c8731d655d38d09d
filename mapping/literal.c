/* SPDX-License-Identifier: MIT
 * Numbers and dates as v2 programs write them (docs/api-v2.md, "Conditions"). */
#include "mapping/literal.h"

#include "base/text.h"

bool literal_whole(struct slice text, int64_t *value)
{
    bool negative = text.n && text.p[0] == '-';
    struct slice exponent, digits = negative ? slice_from(text, 1) : text;
    size_t e = slice_find(digits, 'e') < digits.n ? slice_find(digits, 'e') : slice_find(digits, 'E');
    exponent = e < digits.n ? slice_from(digits, e + 1) : slice_of(NULL, 0);
    digits.n = e;
    uint64_t v, times = 0;
    if (!parse_u64(digits, &v))
        return false;
    if (exponent.p) {
        /* A bare + in a query is a space: R sends limit=1e+05. */
        if (exponent.n && (exponent.p[0] == '+' || exponent.p[0] == ' '))
            exponent = slice_from(exponent, 1);
        if (!parse_u64(exponent, &times) || times > 18)
            return false;
    }
    while (times--)
        if (__builtin_mul_overflow(v, 10u, &v))
            return false;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *value = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool literal_date(struct slice text, struct literal_date *ret)
{
    struct literal_date d = { 0 };
    d.is_moment = text.n == strlen("YYYY-MM-DDTHH:MM:SSZ") && timestamp_parse(text, &d.moment_s);
    if (!d.is_moment && !day_parse(text, &d.day))
        return false;
    *ret = d;
    return true;
}
