/* SPDX-License-Identifier: MIT
 *
 * The shapes of calls in memory: their texts, the short words that name them, the last day each was seen. Their numbers
 * are 0 and up in the order they were added.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_SHAPES_H
#define ANCHORAGE_PROXY_LEDGER_STORE_SHAPES_H

#include "proxy/ledger/entries/digest.h"
#include "proxy/ledger/entries/entry.h"
#include "proxy/ledger/entries/names.h"

enum { SHAPE_WORD = 12 /* hex digits of its digest */ };

struct shape {
    char word[SHAPE_WORD + 1];
    int32_t last_day;
};

struct shapes {
    struct names texts;
    struct shape *list;
};

void shapes_clear(struct shapes *s);

/* Its number; -1 when memory is out. */
int32_t shapes_add(struct shapes *s, struct slice text, struct slice word, int32_t last_day);

/* Write the word and the text of shape number `shape` - 1 into an entry that was read; other numbers leave it. */
void shapes_tell(const struct shapes *s, int64_t shape, struct entry *e);

/* The word of a text with this digest. */
void shapes_word(const struct digest *digest, char word[SHAPE_WORD + 1]);

#endif
