/* SPDX-License-Identifier: MIT
 * Decimal digits, and the search for the end of plain bytes, sixteen at a time where the machine can. */
#include "base/digits.h"

#ifdef __SSE2__
#include <emmintrin.h>

/* Bit i: byte i of `v` cannot stand as itself. */
static unsigned json_stops(__m128i v)
{
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
    return (unsigned)_mm_movemask_epi8(stop);
}

static __m128i load16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}
#endif

size_t json_run(struct slice s, size_t at, bool *high)
{
#ifdef __SSE2__
    __m128i seen = _mm_setzero_si128();
    unsigned stops = 0;
    while (s.n - at >= 16 && !stops) {
        __m128i v = load16(s.p + at);
        seen = _mm_or_si128(seen, v);
        stops = json_stops(v);
        at += stops ? (unsigned)__builtin_ctz(stops) : 16;
    }
    if (!stops && at < s.n && s.n >= 16) {
        /* The last bytes, with some before them. */
        unsigned skip = 16 - (unsigned)(s.n - at);
        __m128i v = load16(s.p + s.n - 16);
        seen = _mm_or_si128(seen, v);
        stops = json_stops(v) >> skip;
        at += stops ? (unsigned)__builtin_ctz(stops) : 16 - skip;
    }
    *high |= _mm_movemask_epi8(seen) != 0;
    if (stops || at == s.n)
        return at;
#endif
    for (; at < s.n && s.p[at] != '"' && s.p[at] != '\\' && (unsigned char)s.p[at] >= 0x20; at++)
        *high |= (unsigned char)s.p[at] >= 0x80;
    return at;
}

size_t decimal_digits(uint64_t v)
{
    static const uint64_t powers[] = { 0,
                                       10,
                                       100,
                                       1000,
                                       10000,
                                       100000,
                                       1000000,
                                       10000000,
                                       100000000,
                                       1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       100000000000000,
                                       1000000000000000,
                                       10000000000000000,
                                       100000000000000000,
                                       1000000000000000000,
                                       10000000000000000000u };
    /* log10 from log2: 1233 / 4096 is nearly log10(2). */
    unsigned guess = (64 - (unsigned)__builtin_clzll(v | 1)) * 1233 >> 12;
    return guess + (v >= powers[guess]);
}

size_t decimal_write(char *to, uint64_t v)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    size_t n = decimal_digits(v);
    char *at = to + n;
    for (; v > UINT32_MAX; v /= 100) {
        at -= 2;
        memcpy(at, pairs + v % 100 * 2, 2);
    }
    uint32_t rest = (uint32_t)v; /* halves the work of dividing */
    for (; rest >= 100; rest /= 100) {
        at -= 2;
        memcpy(at, pairs + rest % 100 * 2, 2);
    }
    if (rest >= 10)
        memcpy(at - 2, pairs + rest * 2, 2);
    else
        at[-1] = (char)('0' + rest);
    return n;
}

static bool stops_xml(unsigned char c)
{
    return c == '&' || c == '<' || c == '>' || c == 0xEF || (c < 0x20 && c != '\t' && c != '\n');
}

size_t xml_run(struct slice s, size_t at)
{
#ifdef __SSE2__
    for (; s.n - at >= 16; at += 16) {
        __m128i v = load16(s.p + at);
        __m128i space = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\t')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        __m128i control = _mm_andnot_si128(space, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
        __m128i angle = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
        __m128i other =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('&')), _mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xEF)));
        unsigned stops = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control, angle), other));
        if (stops)
            return at + (unsigned)__builtin_ctz(stops);
    }
#endif
    while (at < s.n && !stops_xml((unsigned char)s.p[at]))
        at++;
    return at;
}
