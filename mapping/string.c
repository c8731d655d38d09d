/* SPDX-License-Identifier: MIT
 * JSON strings by RFC 8259. */
#include "mapping/string.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/text.h"

size_t string_run(struct slice s, size_t at)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
    while (s.n - at >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + at));
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v));
        unsigned hits = (unsigned)_mm_movemask_epi8(stop);
        if (hits)
            return at + (size_t)__builtin_ctz(hits);
        at += 16;
    }
#endif
    while (at < s.n && s.p[at] != '"' && s.p[at] != '\\' && (unsigned char)s.p[at] >= 0x20)
        at++;
    return at;
}

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

bool string_decode(struct slice raw, struct buffer *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    for (size_t i = 0; i < raw.n;) {
        size_t run = slice_find(slice_from(raw, i), '\\');
        struct slice plain = slice_of(raw.p + i, run);
        if (utf8_valid_prefix(plain) < plain.n)
            return false;
        buffer_append(out, plain);
        i += run;
        if (i == raw.n)
            break;
        if (++i == raw.n)
            return false;
        char c = raw.p[i++];
        const char *known = c ? strchr(from, c) : NULL;
        if (known)
            buffer_put(out, to[known - from]);
        else if (c != 'u' || !decode_unicode(raw, &i, out))
            return false;
    }
    return !out->failed;
}
