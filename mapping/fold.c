/* SPDX-License-Identifier: MIT
 * Lower-casing as v2 did it. */
#include "mapping/fold.h"

#include <stdint.h>
#include <utf8proc.h>

#include "base/text.h"

enum { CAPITAL_I_WITH_DOT = 0x130 };

static bool is_upper_ascii(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool fold_changes(struct slice text)
{
    /* Plain loops that the compiler turns into vector code: most anchors are lower-case ASCII. */
    unsigned upper = 0, high = 0;
    for (size_t i = 0; i < text.n; i++) {
        upper |= (unsigned)((unsigned char)(text.p[i] - 'A') < 26);
        high |= (unsigned char)text.p[i] & 0x80u;
    }
    if (upper || !high)
        return upper;
    for (size_t i = 0, length; i < text.n; i += length) {
        uint32_t c = utf8_decode(text.p + i, &length);
        if (c >= 0x80 && (uint32_t)utf8proc_tolower((utf8proc_int32_t)c) != c)
            return true;
    }
    return false;
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
            memcpy(out + n, "i\xCC\x87", 3);
            n += 3;
            continue;
        }
        char four[4];
        size_t m = utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), four);
        memcpy(out + n, four, m);
        n += m;
    }
    return n;
}

struct slice fold_dup(struct slice text, struct arena *memory)
{
    char *out = arena_alloc(memory, fold_room(text.n) + 1);
    return out ? slice_of(out, fold_write(text, out)) : slice_of(NULL, 0);
}
