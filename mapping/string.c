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

/* \uXXXX at *at (behind the u), with its second half where it is one of a pair. */
static bool decode_unicode(struct slice raw, size_t *at, struct buffer *out)
{
    if (raw.n - *at < 4)
        return false;
    int32_t c = hex4(raw.p + *at);
    *at += 4;
    if (c < 0 || (c >= 0xDC00 && c <= 0xDFFF))
        return false;
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (raw.n - *at < 6 || raw.p[*at] != '\\' || raw.p[*at + 1] != 'u')
            return false;
        int32_t low = hex4(raw.p + *at + 2);
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
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

bool string_decode(struct slice raw, struct buffer *out)
{
    if (utf8_valid_prefix(raw) < raw.n)
        return false;
    for (size_t i = 0; i < raw.n;) {
        size_t run = slice_find(slice_from(raw, i), '\\');
        buffer_append(out, slice_of(raw.p + i, run));
        i += run;
        if (i == raw.n)
            break;
        if (++i == raw.n)
            return false;
        char c = raw.p[i++], plain = short_escape(c);
        if (plain)
            buffer_put(out, plain);
        else if (c != 'u' || !decode_unicode(raw, &i, out))
            return false;
    }
    return !out->failed;
}
