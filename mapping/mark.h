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

/* Columns and stats are numbered as in their table. Sets of 64 bits all: marks are compared as bytes. */
struct marks {
    uint64_t plain;
    uint64_t shown;                   /* columns: the value is not exactly v2's */
    uint64_t where, having, order_by; /* columns, by clause */
    uint64_t stats;
    uint64_t spellings; /* columns of which spellings that differ in case may be missing: "COLUMN.case" */
    uint64_t broken;    /* columns that show a text which was broken: "COLUMN.text" */
};

static inline void marks_add(struct marks *m, enum mark mark)
{
    m->plain |= bit((int)mark);
}

static inline bool marks_has(const struct marks *m, enum mark mark)
{
    return m->plain & bit((int)mark);
}

/* Whether a value of such fidelity is marked. */
static inline bool mark_is_due(enum fidelity f)
{
    return f == FIDELITY_NEAR || f == FIDELITY_BOUND || f == FIDELITY_MISSING;
}

bool marks_none(const struct marks *m);

/* "rows", and what it means for people. */
struct slice mark_word(enum mark mark);
struct slice mark_says(enum mark mark);

/* The words, comma-separated. */
void marks_write(const struct marks *m, const struct table *table, struct buffer *out);

#endif
