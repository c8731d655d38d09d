/* SPDX-License-Identifier: MIT
 * The short cut of the row scanner. Rows of an answer look alike: the same keys in the same order, no white space. A
 * row that is whole in the bytes at hand and looks as expected is read in one go; any other falls back to the machine,
 * which decides. */
#include "base/day.h"
#include "base/text.h"
#include "mapping/scan_inside.h"
#include "mapping/string.h"

enum { MAX_FAST_DIGITS = 18, TIMESTAMP_BYTES = 20 };

bool scan_date(struct scanner *s, struct scan_value *v)
{
    int64_t unix_s;
    if (!timestamp_parse(v->text, &unix_s))
        return scan_fail(s, "a date is not of the form YYYY-MM-DDTHH:MM:SSZ");
    v->raw = slice_of(NULL, 0);
    if (v->text.n > TIMESTAMP_BYTES) {
        char *cut = s->dates[v - s->values];
        memcpy(cut, v->text.p, TIMESTAMP_BYTES - 1);
        cut[TIMESTAMP_BYTES - 1] = 'Z';
        v->raw = v->text;
        v->text = slice_of(cut, TIMESTAMP_BYTES);
    }
    return true;
}

void scan_learn_order(struct scanner *s, int field)
{
    if (s->rows)
        return;
    if (field < 0 || s->n_order == TABLE_MAX_FIELDS)
        s->order_unusable = true;
    else
        s->order[s->n_order++] = field;
}

/* The closing quote of a string with backslashes, from its first one at `at` on; in.n when it is not there. */
static size_t escaped_end(struct slice in, size_t at)
{
    while (at < in.n && in.p[at] == '\\')
        at = in.n - at < 2 || (unsigned char)in.p[at + 1] < 0x20 ? in.n : string_run(in, at + 2);
    return at < in.n && in.p[at] == '"' ? at : in.n;
}

/* "text" at *at. */
static bool fast_text(struct scanner *s, int field, struct slice in, size_t *at)
{
    struct scan_value *v = &s->values[field];
    if (*at >= in.n || in.p[*at] != '"')
        return false;
    size_t start = *at + 1, end = string_run(in, start);
    v->plain = end < in.n && in.p[end] == '"';
    if (!v->plain)
        end = escaped_end(in, end);
    if (end >= in.n || end - start > SCAN_MAX_TOKEN)
        return false;
    v->text = slice_of(in.p + start, end - start);
    *at = end + 1;
    if (v->plain)
        return utf8_valid_prefix(v->text) == v->text.n;
    s->kept[field].n = 0;
    bool ok = string_decode(v->text, &s->kept[field]);
    v->text = buffer_slice(&s->kept[field]);
    return ok;
}

static bool fast_whole(struct slice in, size_t *at, struct scan_value *v)
{
    size_t i = *at, start = i;
    int64_t n = 0;
    while (i < in.n && i - start < MAX_FAST_DIGITS && is_digit(in.p[i]))
        n = n * 10 + (in.p[i++] - '0');
    if (i == start || (i > start + 1 && in.p[start] == '0') || i >= in.n || (in.p[i] != ',' && in.p[i] != '}'))
        return false;
    v->whole = n;
    *at = i;
    return true;
}

/* Two digits at p as a number; 100 or more when they are not. */
static unsigned two(const char *p)
{
    unsigned high = (unsigned char)(p[0] - '0'), low = (unsigned char)(p[1] - '0');
    return high > 9 || low > 9 ? 100 : high * 10 + low;
}

/* Exactly YYYY-MM-DDTHH:MM:SSZ, on a day that every month has; the machine looks at the others. */
static bool fast_date(struct slice in, size_t *at, struct scan_value *v)
{
    if (in.n - *at < TIMESTAMP_BYTES + 2)
        return false;
    const char *p = in.p + *at + 1;
    if (p[-1] != '"' || p[TIMESTAMP_BYTES] != '"' || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' ||
        p[16] != ':' || p[19] != 'Z')
        return false;
    unsigned month = two(p + 5), day = two(p + 8);
    if (two(p) > 99 || two(p + 2) > 99 || month - 1 > 11 || day - 1 > 27 || two(p + 11) > 23 || two(p + 14) > 59 ||
        two(p + 17) > 59)
        return false;
    v->text = slice_of(p, TIMESTAMP_BYTES);
    v->raw = slice_of(NULL, 0);
    v->plain = true;
    *at += TIMESTAMP_BYTES + 2;
    return true;
}

static bool fast_value(struct scanner *s, int field, struct slice in, size_t *at)
{
    switch (s->o.fields[field].type) {
    case VALUE_TEXT:
        return fast_text(s, field, in, at);
    case VALUE_WHOLE:
        return fast_whole(in, at, &s->values[field]);
    case VALUE_DATE:
        return fast_date(in, at, &s->values[field]);
    }
    return false;
}

size_t scan_whole_row(struct scanner *s, struct slice in)
{
    if (!s->rows || s->order_unusable || !s->n_order)
        return 0;
    size_t at = 1;
    uint32_t seen = 0;
    for (int i = 0; i < s->n_order; i++) {
        const struct field *f = &s->o.fields[s->order[i]];
        if (i) {
            if (at >= in.n || in.p[at] != ',')
                return 0;
            at++;
        }
        if (in.n - at < f->v3.n + 4 || in.p[at] != '"' || memcmp(in.p + at + 1, f->v3.p, f->v3.n) != 0 ||
            in.p[at + f->v3.n + 1] != '"' || in.p[at + f->v3.n + 2] != ':')
            return 0;
        at += f->v3.n + 3;
        if (!fast_value(s, s->order[i], in, &at))
            return 0;
        seen |= 1u << s->order[i];
    }
    if (at >= in.n || in.p[at] != '}')
        return 0;
    s->seen = seen;
    return scan_give_row(s) ? at + 1 : 0;
}
