/* SPDX-License-Identifier: MIT
 *
 * v2 stored anchors in lower case: code point by code point, no normalisation, ß stays ß, İ becomes i and a dot above.
 */
#ifndef ANCHORAGE_MAPPING_FOLD_H
#define ANCHORAGE_MAPPING_FOLD_H

#include "base/arena.h"

/* Room for the folded form of `n` bytes. */
static inline size_t fold_room(size_t n)
{
    return n * 2;
}

/* Whether folding valid UTF-8 would change it. */
bool fold_changes(struct slice text);

/* Write the folded form of valid UTF-8 to `out`, which has fold_room(text.n) bytes; the bytes written. */
size_t fold_write(struct slice text, char *out);

/* Folded copy; p is NULL when memory is out. */
struct slice fold_dup(struct slice text, struct arena *memory);

#endif
