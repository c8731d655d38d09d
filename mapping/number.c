/* SPDX-License-Identifier: MIT
 * Numbers with a fraction. */
#include "mapping/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { MAX_CHARACTERS = 63 };

static size_t skip_digits(struct slice s, size_t i)
{
    while (i < s.n && is_digit(s.p[i]))
        i++;
    return i;
}

bool number_is_json(struct slice s)
{
    size_t whole = s.n && s.p[0] == '-', i = skip_digits(s, whole), start;
    if (i == whole || (s.p[whole] == '0' && i > whole + 1))
        return false;
    if (i < s.n && s.p[i] == '.') {
        start = ++i;
        i = skip_digits(s, i);
        if (i == start)
            return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        start = i;
        i = skip_digits(s, i);
        if (i == start)
            return false;
    }
    return i == s.n;
}

bool number_parse(struct slice s, double *value)
{
    char room[MAX_CHARACTERS + 1];
    if (s.n > MAX_CHARACTERS || !number_is_json(s))
        return false;
    memcpy(room, s.p, s.n);
    room[s.n] = '\0';
    double v = strtod(room, NULL);
    if (!isfinite(v))
        return false;
    *value = v;
    return true;
}

int64_t number_rounded(double value)
{
    static const double most = 9.2e18;
    double up = value + 0.5;
    if (up >= most || up <= -most)
        return up > 0 ? INT64_MAX : INT64_MIN;
    int64_t n = (int64_t)up;
    return (double)n > up ? n - 1 : n;
}

void buffer_number(struct buffer *b, double value, bool always_point)
{
    enum { FEW_DIGITS = 15, ALL_DIGITS = 17 };
    char room[MAX_CHARACTERS + 1];
    for (int digits = FEW_DIGITS; digits <= ALL_DIGITS; digits++) {
        snprintf(room, sizeof room, "%.*g", digits, value);
        if (strtod(room, NULL) == value)
            break;
    }
    buffer_str(b, room);
    if (always_point && !strpbrk(room, ".e"))
        buffer_str(b, ".0");
}
