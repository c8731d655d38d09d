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
static const char *const broken_words[] = { "droppedmanual",    "droppedtooold", "dropped",         "codechanged",
                                            "nxdomain",         "curlerror",     "targetchanged",   "invalidtarget",
                                            "robotsdisallowed", "isnowparked",   "nomorecanonical", NULL };
static const char *const tld_words[] = { "gov", "edu", "normal", NULL };

const struct column_info columns[N_COLUMNS] = {
#define COLUMN(name_, type_, nullable_, words_)                                                                        \
    [COLUMN_##name_] = { .type = TYPE_##type_, .nullable = nullable_, .words = words_ },
#include "tests/sandbox/columns.def"
#undef COLUMN
};

const char *column_type_name(enum column c)
{
    static const char *const names[] = {
        [TYPE_TEXT] = "string",           [TYPE_WHOLE] = "integer",   [TYPE_REAL] = "float",
        [TYPE_TRUTH] = "boolean",         [TYPE_MOMENT] = "datetime", [TYPE_LIST] = "array(string)",
        [TYPE_WHOLES] = "array(integer)",
    };
    return columns[c].words ? "enum" : names[columns[c].type];
}
