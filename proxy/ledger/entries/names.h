/* SPDX-License-Identifier: MIT
 *
 * Texts and their numbers, 0 and up in the order they were added.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_NAMES_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_NAMES_H

#include <stdint.h>

#include "base/slice.h"

struct names {
    struct slice *text; /* own copies, a NUL behind each */
    int32_t n;
    int32_t room;
    int32_t *slots; /* number + 1, or 0 */
    uint32_t n_slots;
};

void names_clear(struct names *t);

/* -1 when it is not there. */
int32_t names_find(const struct names *t, struct slice text);

/* Its number, added if need be; -1 when memory is out. */
int32_t names_add(struct names *t, struct slice text);

/* Empty when the number is not given out. */
static inline struct slice names_text(const struct names *t, int64_t number)
{
    return number >= 0 && number < t->n ? t->text[number] : slice_of(NULL, 0);
}

#endif
