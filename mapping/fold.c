/* SPDX-License-Identifier: MIT
 * Lower-casing as v2 did it. */
#include "mapping/fold.h"

#include <stdint.h>
#include <utf8proc.h>

#include "base/bytes.h"
#include "base/text.h"

enum { CAPITAL_I_WITH_DOT = 0x130 };

static bool is_upper_ascii(char c)
{
    return c >= 'A' && c <= 'Z';
}

#define EACH_HIGH 0x8080808080808080u

/* Add the highest bit of each byte that is an ASCII capital. */
static void note_letters(uint64_t eight, uint64_t *upper, uint64_t *high)
{
    uint64_t low = eight & ~EACH_HIGH;
    *high |= eight;
    *upper |= (low + 0x3F3F3F3F3F3F3F3Fu) & ~(low + 0x2525252525252525u) & ~eight;
}

/* U+3000 to U+9FFF and U+B000 to U+EFFF: scripts without case. */
static bool has_no_case(unsigned char lead)
{
    return lead >= 0xE3 && lead <= 0xEE && lead != 0xEA;
}

static bool high_changes(struct slice text)
{
    for (size_t i = 0, length; i < text.n; i += length) {
        unsigned char lead = (unsigned char)text.p[i];
        length = text.n - i >= 8 && !(bytes_load8(text.p + i) & EACH_HIGH) ? 8 : lead < 0x80 ? 1 : 3;
        if (lead < 0x80 || has_no_case(lead))
            continue;
        uint32_t c = utf8_decode(text.p + i, &length);
        if ((uint32_t)utf8proc_tolower((utf8proc_int32_t)c) != c)
            return true;
    }
    return false;
}

bool fold_changes(struct slice text)
{
    uint64_t upper = 0, high = 0;
    size_t at = 0;
    for (; text.n - at >= 8; at += 8)
        note_letters(bytes_load8(text.p + at), &upper, &high);
    note_letters(bytes_load_some(text.p + at, text.n - at), &upper, &high);
    return upper & EACH_HIGH || (high & EACH_HIGH && high_changes(text));
}

size_t fold_write(struct slice text, char *out)
{
    size_t n = 0;
    for (size_t i = 0, length; i < text.n; i += length) {
        if (!((unsigned char)text.p[i] & 0x80)) {
            length = 1;
            out[n++] = is_upper_ascii(text.p[i]) ? (char)(text.p[i] + 32) : text.p[i];
            continue;
        }
        uint32_t c = utf8_decode(text.p + i, &length);
        if (c == CAPITAL_I_WITH_DOT) {
            memcpy(out + n, FOLDED_DOTTED_I, sizeof FOLDED_DOTTED_I - 1);
            n += sizeof FOLDED_DOTTED_I - 1;
            continue;
        }
        char four[4];
        size_t m = utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), four);
        memcpy(out + n, four, m);
        n += m;
    }
    return n;
}

/* Small letters whose capital another small letter has too; that one is found by its capital. */
static const uint32_t with_sibling[] = { 0x3B2, 0x3B5, 0x3B8, 0x3B9, 0x3BA, 0x3BC, 0x3C0, 0x3C1, 0x3C3, 0x3C6, 0x1E61 };

static uint32_t lower_of(uint32_t c)
{
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

struct slice fold_forms_apart(uint32_t c, char room[FOLD_FORMS_ROOM])
{
    uint32_t capital = (uint32_t)utf8proc_toupper((utf8proc_int32_t)c);
    bool apart = capital != c && lower_of(capital) != c;
    for (size_t i = 0; i < sizeof with_sibling / sizeof with_sibling[0]; i++)
        apart |= with_sibling[i] == c;
    if (!apart)
        return S("");
    size_t n = utf8_encode(c, room);
    if (capital != c && lower_of(capital) == c)
        n += utf8_encode(capital, room + n);
    return slice_of(room, n);
}

struct slice fold_dup(struct slice text, struct arena *memory)
{
    char *out = arena_alloc(memory, fold_room(text.n) + 1);
    return out ? slice_of(out, fold_write(text, out)) : slice_of(NULL, 0);
}
