/* SPDX-License-Identifier: MIT
 * Odd code points, by their properties in Unicode. */
#include "mapping/odd.h"

#include <utf8proc.h>

#include "base/text.h"

static utf8proc_category_t category(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c);
}

/* Controls that are white space, the spaces and separators of all scripts. */
static bool is_white(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return (c >= '\t' && c <= '\r') || c == 0x85 || k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL ||
           k == UTF8PROC_CATEGORY_ZP;
}

static bool is_blank(uint32_t c)
{
    enum { ZERO_WIDTH_SPACE = 0x200B, WORD_JOINER = 0x2060, BYTE_ORDER_MARK = 0xFEFF };
    return is_white(c) || c == ZERO_WIDTH_SPACE || c == WORD_JOINER || c == BYTE_ORDER_MARK;
}

/* Where the last code point begins. */
static size_t last_of(struct slice text)
{
    size_t at = text.n - 1;
    while (at && ((unsigned char)text.p[at] & 0xC0) == 0x80)
        at--;
    return at;
}

struct slice odd_trim(struct slice text)
{
    size_t length;
    while (text.n && is_blank(utf8_decode(text.p, &length)))
        text = slice_from(text, length);
    while (text.n && is_blank(utf8_decode(text.p + last_of(text), &length)))
        text.n -= length;
    return text;
}

const char *odd_kind(uint32_t c)
{
    if (is_white(c))
        return "a blank";
    if ((c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE)
        return "which is no character";
    switch (category(c)) {
    case UTF8PROC_CATEGORY_CC:
        return "a control character";
    case UTF8PROC_CATEGORY_CF:
        return "an invisible format character";
    case UTF8PROC_CATEGORY_CO:
        return "a private-use character";
    case UTF8PROC_CATEGORY_CS:
        return "half of a surrogate pair";
    default:
        return NULL;
    }
}

/* What of ASCII compatibility decomposition finds in `c`: one of `marks`; `whole`: it is all of it. */
static char decomposed(uint32_t c, const char *marks, bool whole)
{
    enum { LONGEST = 18 }; /* of all code points */
    utf8proc_int32_t parts[LONGEST];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)c, parts, LONGEST, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < LONGEST && (!whole || n == 1); i++)
        if (parts[i] > 0 && parts[i] < 0x80 && strchr(marks, parts[i]))
            return (char)parts[i];
    return 0;
}

char odd_look_alike(uint32_t c, bool in_host)
{
    enum { IDEOGRAPHIC_FULL_STOP = 0x3002, HALF_WIDTH_FULL_STOP = 0xFF61 };
    enum { FRACTION_SLASH = 0x2044, DIVISION_SLASH = 0x2215, BIG_SOLIDUS = 0x29F8 };
    if (c < 0x80)
        return 0;
    if (c == IDEOGRAPHIC_FULL_STOP || c == HALF_WIDTH_FULL_STOP)
        return '.';
    if (in_host && (c == FRACTION_SLASH || c == DIVISION_SLASH || c == BIG_SOLIDUS))
        return '/';
    char mark = decomposed(c, "./@", true);
    return mark || !in_host ? mark : decomposed(c, "./@:?#%\\[]", false);
}

bool odd_begins_host(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || k == UTF8PROC_CATEGORY_ND || c == '_';
}
