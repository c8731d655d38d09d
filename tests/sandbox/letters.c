/* SPDX-License-Identifier: MIT
 * Unicode case, collation keys and word borders, on utf8proc. */
#include "tests/sandbox/letters.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/text.h"

static void put_code_point(struct buffer *to, uint32_t c)
{
    char bytes[4];
    if (c < 0x80) {
        buffer_put(to, (char)c);
        return;
    }
    buffer_append(to, slice_of(bytes, utf8_encode(c, bytes)));
}

void letters_lower(struct buffer *to, struct slice s)
{
    for (size_t at = 0, n; at < s.n; at += n) {
        uint32_t c = utf8_decode(s.p + at, &n);
        if (c == 0x130)
            buffer_str(to, "i\xcc\x87");
        else if (c < 0x80)
            buffer_put(to, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
        else
            put_code_point(to, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
    }
}

void letters_upper(struct buffer *to, struct slice s)
{
    for (size_t at = 0, n; at < s.n; at += n)
        put_code_point(to, (uint32_t)utf8proc_toupper((utf8proc_int32_t)utf8_decode(s.p + at, &n)));
}

void letters_title(struct buffer *to, struct slice s)
{
    bool begins = true;
    for (size_t at = 0, n; at < s.n; at += n) {
        uint32_t c = utf8_decode(s.p + at, &n);
        put_code_point(to, begins ? (uint32_t)utf8proc_toupper((utf8proc_int32_t)c) : c);
        begins = c == ' ';
    }
}

static bool is_word(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return c == '_' || (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

/* Letters and digits alone, without case and accents. */
static void put_bare(struct buffer *to, struct slice s)
{
    utf8proc_uint8_t *bare = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &bare,
                     UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
    for (size_t at = 0, length; n > 0 && at < (size_t)n; at += length) {
        uint32_t c = utf8_decode((const char *)bare + at, &length);
        if (c != '_' && is_word(c))
            put_code_point(to, c);
    }
    free(bare);
}

void letters_key(struct buffer *to, enum collation collation, struct slice s)
{
    switch (collation) {
    case COLLATION_BYTES:
        return;
    case COLLATION_NOCASE:
        letters_lower(to, s);
        return;
    case COLLATION_LOCALE_LIKE:
        put_bare(to, s);
        return;
    }
}

int letters_compare(enum collation collation, struct slice a, struct slice b)
{
    int order = 0;
    if (collation != COLLATION_BYTES) {
        struct buffer key_a = buffer_with_cap(0), key_b = buffer_with_cap(0);
        letters_key(&key_a, collation, a);
        letters_key(&key_b, collation, b);
        order = slice_cmp(buffer_slice(&key_a), buffer_slice(&key_b));
        buffer_clear(&key_a);
        buffer_clear(&key_b);
    }
    return order ? order : slice_cmp(a, b);
}

bool letters_substring(struct slice s, struct slice part)
{
    return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n));
}

static bool word_before(struct slice s, size_t at)
{
    size_t length;
    if (!at)
        return false;
    do
        at--;
    while (at && ((unsigned char)s.p[at] & 0xc0) == 0x80);
    return is_word(utf8_decode(s.p + at, &length));
}

static bool word_after(struct slice s, size_t at)
{
    size_t length;
    return at < s.n && is_word(utf8_decode(s.p + at, &length));
}

bool letters_phrase(struct slice s, struct slice part)
{
    if (!part.n)
        return s.n == 0;
    for (size_t at = 0; at + part.n <= s.n; at++) {
        const char *found = memmem(s.p + at, s.n - at, part.p, part.n);
        if (!found)
            return false;
        at = (size_t)(found - s.p);
        if (!word_before(s, at) && !word_after(s, at + part.n))
            return true;
    }
    return false;
}
