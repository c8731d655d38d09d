/* SPDX-License-Identifier: MIT
 * v2 `anchors`: the anchor texts of the links to a target, with their counts (docs/api-v2.md, docs/compatibility.md).
 */
#include "mapping/table.h"

enum { ANCHOR, LINKS, REFPAGES, REFDOMAINS, FIRST_SEEN };

/* clang-format off */
static const struct field fields[] = {
    [ANCHOR]     = { SLICE("anchor"),          VALUE_TEXT,  1 },
    [LINKS]      = { SLICE("links_to_target"), VALUE_WHOLE, 1 },
    [REFPAGES]   = { SLICE("refpages"),        VALUE_WHOLE, 1 },
    [REFDOMAINS] = { SLICE("refdomains"),      VALUE_WHOLE, 5 },
    [FIRST_SEEN] = { SLICE("first_seen"),      VALUE_DATE,  1 },
};

/* In the order in which v2 shows them. v3 groups links before we see them, so `where` on a count or a date applies to the
 * grouped value; v3 has no date of the last visit: a live link was seen lately, and not before it was first seen. */
#define ONLY_SUMS SLICE("v2 looked at each referring domain of an anchor; v3 has the sum only")
#define ALL_LIVE SLICE("every living link was visited since: the condition is left out")
static const struct column columns[] = {
    { .v2 = SLICE("anchor"), .type = VALUE_TEXT, .field = ANCHOR, .any_case = true,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refpages"), .type = VALUE_WHOLE, .field = REFPAGES,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .field = -1, .filter_v3 = SLICE("root_domain_name"), .filter_units = 1,
      .lower_name = true,
      .where = FIDELITY_NEAR, .having = FIDELITY_NONE, .order_by = FIDELITY_NONE, .shown = FIDELITY_NONE,
      .where_says = SLICE("v3 compares the registrable domain of the linking site; the counts may be of more links than these") },
    { .v2 = SLICE("refdomains"), .type = VALUE_WHOLE, .field = REFDOMAINS,
      .where = FIDELITY_NONE, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = FIRST_SEEN,
      .where = FIDELITY_LIVE_DAY, .having = FIDELITY_LIVE_DAY, .order_by = FIDELITY_NEAR, .shown = FIDELITY_NEAR,
      .where_says = ALL_LIVE, .having_says = ALL_LIVE,
      .order_by_says = SLICE("v3 has no last visit; sorted by first_seen"),
      .shown_says = SLICE("answered with first_seen") },
};
#undef ONLY_SUMS
#undef ALL_LIVE
/* clang-format on */

const struct table table_anchors = {
    .from = SLICE("anchors"),
    .rows = SLICE("anchors"),
    .row_element = SLICE("anchor"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .key_field = ANCHOR,
    .backlinks_field = LINKS,
    .refpages_field = REFPAGES,
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
    .list_path = SLICE("/site-explorer/anchors"),
    .totals_path = SLICE("/site-explorer/backlinks-stats"),
};
