/* SPDX-License-Identifier: MIT
 * JSON strings by RFC 8259. */
#include "mapping/string.h"

#include "base/text.h"

/* Four hex digits at p; -1 when they are not. */
static int32_t hex4(const char *p)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

enum { REPLACEMENT = 0xFFFD };

static bool is_high(int32_t c)
{
    return c >= 0xD800 && c <= 0xDBFF;
}

static bool is_low(int32_t c)
{
    return c >= 0xDC00 && c <= 0xDFFF;
}

/* \uXXXX at *at (behind the u), with its second half where it is one of a pair. */
static bool decode_unicode(struct slice raw, size_t *at, struct buffer *out, bool *broken)
{
    if (raw.n - *at < 4)
        return false;
    int32_t c = hex4(raw.p + *at), low = -1;
    *at += 4;
    if (c < 0)
        return false;
    if (is_high(c) && raw.n - *at >= 6 && raw.p[*at] == '\\' && raw.p[*at + 1] == 'u')
        low = hex4(raw.p + *at + 2);
    if (is_low(low)) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    } else if (is_high(c) || is_low(c)) {
        if (!broken)
            return false;
        *broken = true;
        c = REPLACEMENT;
    }
    char four[4];
    buffer_append(out, slice_of(four, utf8_encode((uint32_t)c, four)));
    return true;
}

/* What a backslash and `c` stand for; 0 when they are no short escape. */
static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Bytes without a backslash. */
static bool decode_run(struct slice run, struct buffer *out, bool *broken)
{
    for (;;) {
        size_t whole = utf8_valid_prefix(run);
        buffer_append(out, slice_of(run.p, whole));
        if (whole == run.n)
            return true;
        if (!broken)
            return false;
        *broken = true;
        buffer_append(out, S(UTF8_REPLACEMENT));
        run = slice_from(run, whole);
        run = slice_from(run, utf8_broken_prefix(run));
    }
}

bool string_decode(struct slice raw, struct buffer *out, bool *broken)
{
    if (broken)
        *broken = false;
    for (size_t i = 0; i < raw.n;) {
        size_t run = slice_find(slice_from(raw, i), '\\');
        if (!decode_run(slice_of(raw.p + i, run), out, broken))
            return false;
        i += run;
        if (i == raw.n)
            break;
        if (++i == raw.n)
            return false;
        char c = raw.p[i++], plain = short_escape(c);
        if (plain)
            buffer_put(out, plain);
        else if (c != 'u' || !decode_unicode(raw, &i, out, broken))
            return false;
    }
    return !out->failed;
}
