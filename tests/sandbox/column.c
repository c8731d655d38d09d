/* SPDX-License-Identifier: MIT
 * The table of columns. */
#include "tests/sandbox/column.h"

static const char *const discovered_words[] = { "pagefound", "linkfound", "linkrestored", NULL };
static const char *const drop_words[] = { "manual",     "noratingunused", "notop",    "tooold",    "oldunavailable",
                                          "rescursive", "duplicate",      "nxdomain", "malformed", "blockedport",
                                          "disallowed", "unlinked",       "lowvalue", NULL };
static const char *const lost_words[] = { "removedfromhtml", "notcanonical", "noindex",  "pageredirected",
                                          "pageerror",       "lostredirect", "notfound", NULL };
static const char *const link_type_words[] = { "redirect",  "frame", "text",  "form", "canonical",
                                               "alternate", "rss",   "image", NULL };

const struct column_info columns[N_COLUMNS] = {
#define COLUMN(name_, type_, nullable_, units_, level_, words_)                                                        \
    [COLUMN_##name_] = { .name = SLICE(#name_),                                                                        \
                         .type = TYPE_##type_,                                                                         \
                         .nullable = nullable_,                                                                        \
                         .units = units_,                                                                              \
                         .level = LEVEL_##level_,                                                                      \
                         .words = words_ },
#include "tests/sandbox/columns.def"
#undef COLUMN
};

int column_find(struct slice name)
{
    for (int i = 0; i < N_COLUMNS; i++)
        if (slice_eq(columns[i].name, name))
            return i;
    return -1;
}

unsigned column_units(uint64_t set)
{
    unsigned units = 0;
    for (int i = 0; i < N_COLUMNS; i++)
        if (set & column_bit((enum column)i))
            units += columns[i].units;
    return units;
}

const char *column_type_name(enum column c)
{
    static const char *const names[] = {
        [TYPE_TEXT] = "string",   [TYPE_WHOLE] = "integer",   [TYPE_REAL] = "float",
        [TYPE_TRUTH] = "boolean", [TYPE_MOMENT] = "datetime", [TYPE_LIST] = "array(string)"
    };
    return columns[c].words ? "enum" : names[columns[c].type];
}
