/* SPDX-License-Identifier: MIT
 * The short cut of the row scanner. Rows of an answer look alike: the same keys in the same order, no white space. A
 * row that is whole in the bytes at hand and looks as expected is read in one go; any other falls back to the machine,
 * which decides. */
#include "base/day.h"
#include "base/digits.h"
#include "base/text.h"
#include "mapping/number.h"
#include "mapping/scan_inside.h"
#include "mapping/string.h"

enum { MAX_FAST_DIGITS = 18, TIMESTAMP_BYTES = 20 };

bool scan_date(struct scanner *s, struct scan_value *v)
{
    int64_t unix_s;
    if (!timestamp_parse(v->text, &unix_s))
        return scan_fail(s, "a date is not of the form YYYY-MM-DDTHH:MM:SSZ, with at most 9 digits of fraction");
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
    if (field < 0 || s->n_order == REPORT_MAX_FIELDS)
        s->order_unusable = true;
    else
        s->order[s->n_order++] = field;
}

/* The closing quote of a string with backslashes, from its first one at `at` on; in.n when it is not there. */
static size_t escaped_end(struct slice in, size_t at)
{
    bool high = false;
    while (at < in.n && in.p[at] == '\\')
        at = in.n - at < 2 || (unsigned char)in.p[at + 1] < 0x20 ? in.n : json_run(in, at + 2, &high);
    return at < in.n && in.p[at] == '"' ? at : in.n;
}

/* "text" at *at. */
static bool fast_text(struct scanner *s, int field, struct slice in, size_t *at)
{
    struct scan_value *v = &s->values[field];
    if (*at >= in.n || in.p[*at] != '"')
        return false;
    bool high = false;
    size_t start = *at + 1, end = json_run(in, start, &high);
    v->plain = end < in.n && in.p[end] == '"';
    if (!v->plain)
        end = escaped_end(in, end);
    if (end >= in.n || end - start > SCAN_MAX_TOKEN)
        return false;
    v->text = slice_of(in.p + start, end - start);
    *at = end + 1;
    v->broken = false;
    if (v->plain && (!high || utf8_valid_prefix(v->text) == v->text.n))
        return true;
    s->kept[field].n = 0;
    bool ok = string_decode(v->text, &s->kept[field], &v->broken);
    v->text = buffer_slice(&s->kept[field]);
    return ok;
}

/* The digits at the front of eight bytes, the first in the lowest: how many, and their number. */
static size_t front_digits(uint64_t eight, int64_t *number)
{
    /* Digits become 0 to 9; with the sum all else has its highest bit set. */
    uint64_t v = eight ^ 0x3030303030303030u;
    uint64_t other = ((v + 0x7676767676767676u) | v) & 0x8080808080808080u;
    unsigned n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
    if (!n)
        return 0;
    v <<= 64 - 8 * n;      /* zeros in front of them */
    v = v * 10 + (v >> 8); /* pairs, in every second byte */
    v = (v & 0x000000FF000000FFu) * 0x000F424000000064u + (v >> 16 & 0x000000FF000000FFu) * 0x0000271000000001u;
    *number = (int64_t)(v >> 32);
    return n;
}

static bool fast_whole(struct slice in, size_t *at, struct scan_value *v)
{
    size_t i = *at, start = i;
    int64_t n = 0;
    if (in.n - i >= 8)
        i += front_digits(bytes_load8(in.p + i), &n);
    while (i < in.n && i - start < MAX_FAST_DIGITS && is_digit(in.p[i]))
        n = n * 10 + (in.p[i++] - '0');
    if (i == start || (i > start + 1 && in.p[start] == '0') || i >= in.n || (in.p[i] != ',' && in.p[i] != '}'))
        return false;
    v->whole = n;
    *at = i;
    return true;
}

/* Whether eight bytes are as `form` has them, where "0" stands for any digit; *digits then has the values of these. */
static bool has_form(uint64_t eight, const char form[static 9], uint64_t *digits)
{
    uint64_t want = bytes_load8(form);
    /* Equal bytes become 0 and digits 0 to 9; with the sum all else has its highest bit set. */
    uint64_t may_differ = ((want ^ 0x3030303030303030u) + 0x7F7F7F7F7F7F7F7Fu) & 0x8080808080808080u;
    uint64_t margin = 0x7676767676767676u + (may_differ >> 7) * 9;
    *digits = eight ^ want;
    return !(((*digits + margin) | *digits) & 0x8080808080808080u);
}

/* The number of the two digits at byte `at`. */
static unsigned two(uint64_t digits, int at)
{
    return (unsigned)(digits >> 8 * at & 0xFF) * 10 + (unsigned)(digits >> (8 * at + 8) & 0xFF);
}

/* Exactly YYYY-MM-DDTHH:MM:SSZ, on a day that every month has; the machine looks at the others. */
static bool fast_date(struct slice in, size_t *at, struct scan_value *v)
{
    if (in.n - *at < TIMESTAMP_BYTES + 2)
        return false;
    const char *p = in.p + *at + 1;
    uint64_t day, minute, second;
    if (p[-1] != '"' || p[TIMESTAMP_BYTES] != '"' || !has_form(bytes_load8(p), "0000-00-", &day) ||
        !has_form(bytes_load8(p + 8), "00T00:00", &minute) || !has_form(bytes_load8(p + 12), "0:00:00Z", &second))
        return false;
    if (two(day, 5) - 1 > 11 || two(minute, 0) - 1 > 27 || two(minute, 3) > 23 || two(minute, 6) > 59 ||
        two(second, 5) > 59)
        return false;
    v->text = slice_of(p, TIMESTAMP_BYTES);
    v->raw = slice_of(NULL, 0);
    v->plain = true;
    *at += TIMESTAMP_BYTES + 2;
    return true;
}

/* -?DIGITS[.DIGITS], few enough of them that a double has them all: then the quotient is the nearest one, as strtod
 * would find it. The machine reads the others. */
static bool fast_number(struct slice in, size_t *at, struct scan_value *v)
{
    enum { MOST_DIGITS = 15 };
    static const double powers[MOST_DIGITS + 1] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    size_t i = *at, start = i, point = in.n;
    int64_t n = 0;
    for (; i < in.n && i - start <= MOST_DIGITS + 1; i++) {
        if (is_digit(in.p[i]))
            n = n * 10 + (in.p[i] - '0');
        else if (in.p[i] == '.' && point == in.n && i > start)
            point = i;
        else
            break;
    }
    size_t fraction = point < i ? i - point - 1 : 0, digits = i - start - (point < i);
    bool has_zeros = digits > 1 && in.p[start] == '0' && start + 1 != point;
    if (!digits || digits > MOST_DIGITS || has_zeros || (point < i && !fraction) || i >= in.n ||
        (in.p[i] != ',' && in.p[i] != '}'))
        return false;
    v->number = (double)n / powers[fraction];
    v->whole = number_rounded(v->number);
    *at = i;
    return true;
}

/* Whether `word` stands at *at, and the value ends behind it. */
static bool fast_word(struct slice in, size_t *at, struct slice word)
{
    size_t end = *at + word.n;
    if (end >= in.n || !bytes_eq(in.p + *at, word.p, word.n) || (in.p[end] != ',' && in.p[end] != '}'))
        return false;
    *at = end;
    return true;
}

static bool fast_bool(struct slice in, size_t *at, struct scan_value *v)
{
    v->whole = fast_word(in, at, S("true"));
    return v->whole || fast_word(in, at, S("false"));
}

/* ["text"]; the machine reads longer ones, and none. */
static bool fast_texts(struct scanner *s, int field, struct slice in, size_t *at)
{
    size_t i = *at + 1;
    if (in.n - *at < 3 || in.p[*at] != '[' || !fast_text(s, field, in, &i) || i >= in.n || in.p[i] != ']')
        return false;
    *at = i + 1;
    return true;
}

static bool fast_value(struct scanner *s, int field, struct slice in, size_t *at)
{
    struct scan_value *v = &s->values[field];
    if (s->o.fields[field].nullable) {
        if (fast_word(in, at, S("null")))
            return scan_null(s, field);
        v->null = false;
    }
    switch (s->o.fields[field].type) {
    case VALUE_TEXT:
        return fast_text(s, field, in, at);
    case VALUE_WHOLE:
        return fast_whole(in, at, v);
    case VALUE_DATE:
        return fast_date(in, at, v);
    case VALUE_BOOL:
        return fast_bool(in, at, v);
    case VALUE_RATING:
    case VALUE_NUMBER:
        return fast_number(in, at, v);
    case VALUE_LIST:
        return fast_texts(s, field, in, at);
    case VALUE_DAY:
        break;
    }
    return false;
}

/* False when memory is out: then rows are read token by token. */
static bool make_leads(struct scanner *s)
{
    size_t ends[REPORT_MAX_FIELDS], at = 0;
    for (int i = 0; i < s->n_order; i++) {
        buffer_append(&s->lead_texts, i ? S(",\"") : S("{\""));
        buffer_append(&s->lead_texts, s->o.fields[s->order[i]].v3);
        buffer_append(&s->lead_texts, S("\":"));
        ends[i] = s->lead_texts.n;
    }
    for (int i = 0; i < s->n_order && !s->lead_texts.failed; i++) {
        s->leads[i] = slice_of(s->lead_texts.p + at, ends[i] - at);
        at = ends[i];
    }
    return !s->lead_texts.failed;
}

size_t scan_whole_row(struct scanner *s, struct slice in)
{
    if (!s->rows || s->order_unusable || !s->n_order || (!s->lead_texts.n && !make_leads(s)))
        return 0;
    size_t at = 0;
    uint64_t seen = 0;
    for (int i = 0; i < s->n_order; i++) {
        struct slice lead = s->leads[i];
        if (in.n - at < lead.n || !bytes_eq(in.p + at, lead.p, lead.n))
            return 0;
        at += lead.n;
        if (!fast_value(s, s->order[i], in, &at))
            return 0;
        seen |= bit(s->order[i]);
    }
    if (at >= in.n || in.p[at] != '}')
        return 0;
    s->seen = seen;
    return scan_give_row(s) ? at + 1 : 0;
}
