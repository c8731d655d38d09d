/* SPDX-License-Identifier: MIT
 * v2 `anchors_refdomains`: the domains that link with some anchor (docs/api-v2.md, docs/compatibility.md). v3 can look
 * for domains by an anchor, but does not count the anchors of one. */
#include "mapping/table.h"

enum { DOMAIN, LINKS };

/* clang-format off */
static const struct field fields[] = {
    [DOMAIN] = { .v3 = SLICE("domain"),          .type = VALUE_TEXT,  .units = 1 },
    [LINKS]  = { .v3 = SLICE("links_to_target"), .type = VALUE_WHOLE, .units = 1 },
};

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/refdomains"), .key = SLICE("refdomains"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("history=live"),
};

static const struct column columns[] = {
    { .v2 = SLICE("anchors"), .type = VALUE_WHOLE, .from = FROM_NOTHING,
      .null_when = NULL_MISSING, .having = FIDELITY_MISSING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_MISSING },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = SLICE("v2 looked at each link; v3 has the sum of the domain only") },
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("anchor"), .type = VALUE_TEXT, .from = FROM_NOTHING, .text = TEXT_ANY_CASE, .filter = { SLICE("anchor"), 1, false },
      .where = FIDELITY_NEAR,
      .where_says = SLICE("domains with one such link at least; the counts may be of more links than these") },
};
/* clang-format on */

const struct table table_anchors_refdomains = {
    .from = SLICE("anchors_refdomains"),
    .rows = SLICE("refdomains"),
    .row_element = SLICE("refdomain"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { DOMAIN }, .n = 1 },
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
