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

/* Folded letters, in order, that the simple case folding of Unicode puts together with letters which fold to others:
 * each with those that fold to it. The test finds them all anew. */
static const struct {
    uint32_t letter;
    struct slice forms;
} apart[] = {
    { 0x73, SLICE("sS") },
    { 0xB5, SLICE("\u00B5") },
    { 0x17F, SLICE("\u017F") },
    { 0x345, SLICE("\u0345") },
    { 0x390, SLICE("\u0390") },
    { 0x3B0, SLICE("\u03B0") },
    { 0x3B2, SLICE("\u03B2\u0392") },
    { 0x3B5, SLICE("\u03B5\u0395") },
    { 0x3B8, SLICE("\u03B8\u0398\u03F4") },
    { 0x3B9, SLICE("\u03B9\u0399") },
    { 0x3BA, SLICE("\u03BA\u039A") },
    { 0x3BC, SLICE("\u03BC\u039C") },
    { 0x3C0, SLICE("\u03C0\u03A0") },
    { 0x3C1, SLICE("\u03C1\u03A1") },
    { 0x3C2, SLICE("\u03C2") },
    { 0x3C3, SLICE("\u03C3\u03A3") },
    { 0x3C6, SLICE("\u03C6\u03A6") },
    { 0x3D0, SLICE("\u03D0") },
    { 0x3D1, SLICE("\u03D1") },
    { 0x3D5, SLICE("\u03D5") },
    { 0x3D6, SLICE("\u03D6") },
    { 0x3F0, SLICE("\u03F0") },
    { 0x3F1, SLICE("\u03F1") },
    { 0x3F5, SLICE("\u03F5") },
    { 0x432, SLICE("\u0432\u0412") },
    { 0x434, SLICE("\u0434\u0414") },
    { 0x43E, SLICE("\u043E\u041E") },
    { 0x441, SLICE("\u0441\u0421") },
    { 0x442, SLICE("\u0442\u0422") },
    { 0x44A, SLICE("\u044A\u042A") },
    { 0x463, SLICE("\u0463\u0462") },
    { 0x1C80, SLICE("\u1C80") },
    { 0x1C81, SLICE("\u1C81") },
    { 0x1C82, SLICE("\u1C82") },
    { 0x1C83, SLICE("\u1C83") },
    { 0x1C84, SLICE("\u1C84") },
    { 0x1C85, SLICE("\u1C85") },
    { 0x1C86, SLICE("\u1C86") },
    { 0x1C87, SLICE("\u1C87") },
    { 0x1C88, SLICE("\u1C88") },
    { 0x1E61, SLICE("\u1E61\u1E60") },
    { 0x1E9B, SLICE("\u1E9B") },
    { 0x1FBE, SLICE("\u1FBE") },
    { 0x1FD3, SLICE("\u1FD3") },
    { 0x1FE3, SLICE("\u1FE3") },
    { 0xA64B, SLICE("\uA64B\uA64A") },
    { 0xFB05, SLICE("\uFB05") },
    { 0xFB06, SLICE("\uFB06") },
};

struct slice fold_forms_apart(uint32_t c)
{
    size_t from = 0, to = sizeof apart / sizeof apart[0];
    while (from < to) {
        size_t i = (from + to) / 2;
        if (apart[i].letter == c)
            return apart[i].forms;
        if (apart[i].letter < c)
            from = i + 1;
        else
            to = i;
    }
    return S("");
}

struct slice fold_dup(struct slice text, struct arena *memory)
{
    char *out = arena_alloc(memory, fold_room(text.n) + 1);
    return out ? slice_of(out, fold_write(text, out)) : slice_of(NULL, 0);
}
