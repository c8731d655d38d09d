/* SPDX-License-Identifier: MIT
 *
 * v2 stored anchors in lower case: code point by code point, no normalisation, ß stays ß, İ becomes i and a dot above.
 */
#ifndef ANCHORAGE_MAPPING_FOLD_H
#define ANCHORAGE_MAPPING_FOLD_H

#include <stdint.h>

#include "base/arena.h"

/* The one letter that becomes two. */
#define DOTTED_I "\xC4\xB0"
#define FOLDED_DOTTED_I "i\xCC\x87"

/* Room for the folded form of `n` bytes. */
static inline size_t fold_room(size_t n)
{
    return n * 2;
}

/* Whether folding valid UTF-8 would change it. */
bool fold_changes(struct slice text);

/* Write the folded form of valid UTF-8 to `out`, which has fold_room(text.n) bytes; the bytes written. */
size_t fold_write(struct slice text, char *out);

/* The letters that fold to the folded letter `c`, itself first, as UTF-8, where usual matching without case takes more
 * of them for one: σ and ς have the same capital, but neither folds to the other; a long ſ is no s. Empty when `c` is
 * no such letter. */
struct slice fold_forms_apart(uint32_t c);

/* Folded copy; p is NULL when memory is out. */
struct slice fold_dup(struct slice text, struct arena *memory);

#endif
