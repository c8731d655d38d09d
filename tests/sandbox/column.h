/* SPDX-License-Identifier: MIT
 *
 * The columns of the anchors report and the values they hold. */
#ifndef SANDBOX_COLUMN_H
#define SANDBOX_COLUMN_H

#include <assert.h>
#include <stdint.h>

#include "base/slice.h"

enum column {
#define COLUMN(name, type, nullable, units, level, words) COLUMN_##name,
#include "tests/sandbox/columns.def"
#undef COLUMN
    N_COLUMNS
};

static_assert(N_COLUMNS == 44, "a set of columns is a 64-bit mask");

enum type { TYPE_TEXT, TYPE_WHOLE, TYPE_REAL, TYPE_TRUTH, TYPE_MOMENT, TYPE_LIST };

/* What a column is a property of. A mask: a filter may have both. */
enum level { LEVEL_EITHER = 0, LEVEL_LINK = 1, LEVEL_ROW = 2 };

struct column_info {
    struct slice name;
    enum type type;
    bool nullable;
    unsigned units;
    enum level level;
    const char *const *words; /* the values of an enum, ending in NULL; or NULL */
};

extern const struct column_info columns[N_COLUMNS];

/* The column of that name, or -1. */
int column_find(struct slice name);

static inline bool column_selectable(enum column c)
{
    return columns[c].level != LEVEL_LINK;
}

static inline uint64_t column_bit(enum column c)
{
    return (uint64_t)1 << c;
}

/* What a row of these columns costs. */
unsigned column_units(uint64_t set);

/* The type as error texts call it. */
const char *column_type_name(enum column c);

enum { MAX_LIST = 4 };

struct value {
    bool is_null;
    union {
        struct slice text;
        int64_t whole; /* MOMENT: Unix seconds */
        double real;
        bool truth;
        struct {
            struct slice items[MAX_LIST];
            size_t n;
        } list;
    };
};

#endif
