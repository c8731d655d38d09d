/* SPDX-License-Identifier: MIT
 *
 * What can be known of a row or a link, and the values that it holds. */
#ifndef SANDBOX_COLUMN_H
#define SANDBOX_COLUMN_H

#include <stdint.h>

#include "base/slice.h"

enum column {
#define COLUMN(name, type, nullable, words) COLUMN_##name,
#include "tests/sandbox/columns.def"
#undef COLUMN
    N_COLUMNS
};

enum type { TYPE_TEXT, TYPE_WHOLE, TYPE_REAL, TYPE_TRUTH, TYPE_MOMENT, TYPE_LIST, TYPE_WHOLES };

struct column_info {
    enum type type; /* WHOLES: a list of numbers, kept as their digits */
    bool nullable;
    const char *const *words; /* the values of an enum, ending in NULL; or NULL */
};

extern const struct column_info columns[N_COLUMNS];

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
