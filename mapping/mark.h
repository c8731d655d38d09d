/* SPDX-License-Identifier: MIT
 *
 * Marks: exactly what could not be kept in an answer. A small set by value.
 */
#ifndef ANCHORAGE_MAPPING_MARK_H
#define ANCHORAGE_MAPPING_MARK_H

#include <stdint.h>

#include "base/buffer.h"
#include "mapping/table.h"

enum mark {
#define MARK(NAME, word, says) MARK_##NAME,
#include "mapping/mark.def"
#undef MARK
    MARK_COUNT
};

/* Columns are numbered as in their table. */
struct marks {
    uint32_t plain;
    uint32_t where, having, order_by;
};

static inline void marks_add(struct marks *m, enum mark mark)
{
    m->plain |= 1u << mark;
}

static inline bool marks_has(const struct marks *m, enum mark mark)
{
    return m->plain & 1u << mark;
}

bool marks_none(const struct marks *m);

/* "last_visited", and what it means in a clause for people; empty where the column's row says it. */
struct slice mark_word(enum mark mark);
struct slice mark_says(enum mark mark);

/* The words, comma-separated, plain ones first. */
void marks_write(const struct marks *m, const struct table *table, struct buffer *out);

#endif
