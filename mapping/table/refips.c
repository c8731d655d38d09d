/* SPDX-License-Identifier: MIT
 * v2 `refips`: the addresses of the domains that link to the target (docs/api-v2.md, docs/compatibility.md). v3 knows
 * one address of a domain; those of which it knows none are no rows here. */
#include "mapping/table.h"

enum { ADDRESS, DOMAIN, LINKS };

/* clang-format off */
static const struct field fields[] = {
    [ADDRESS] = { .v3 = SLICE("ip_source"),       .type = VALUE_TEXT,  .units = 1 },
    [DOMAIN]  = { .v3 = SLICE("domain"),          .type = VALUE_TEXT,  .units = 1 },
    [LINKS]   = { .v3 = SLICE("links_to_target"), .type = VALUE_WHOLE, .units = 1 },
};

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/refdomains"), .key = SLICE("refdomains"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("history=live"),
};

static const struct column columns[] = {
    { .v2 = SLICE("refip"), .type = VALUE_TEXT, .field = ADDRESS, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_NEAR,
      .shown_says = SLICE("v3 knows one address of a domain") },
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = SLICE("v2 looked at each link; v3 has the sum of the domain only") },
};
/* clang-format on */

const struct table table_refips = {
    .from = SLICE("refips"),
    .rows = SLICE("refips"),
    .row_element = SLICE("refip"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .only = SLICE("{\"not\":{\"field\":\"ip_source\",\"is\":\"is_null\"}}"),
    .always_marked = BIT(0),
    .key = { .fields = { ADDRESS, DOMAIN }, .n = 2 },
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
