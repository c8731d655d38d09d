/* SPDX-License-Identifier: MIT
 * v2 `refdomains`: the domains that link to the target (docs/api-v2.md, docs/compatibility.md). */
#include "mapping/record.h"
#include "mapping/table.h"

enum { DOMAIN, LINKS, FIRST_SEEN, RATING };

/* clang-format off */
static const struct field fields[] = {
    [DOMAIN]     = { .v3 = SLICE("domain"),          .type = VALUE_TEXT,   .units = 1 },
    [LINKS]      = { .v3 = SLICE("links_to_target"), .type = VALUE_WHOLE,  .units = 1 },
    [FIRST_SEEN] = { .v3 = SLICE("first_seen"),      .type = VALUE_DATE,   .units = 1 },
    [RATING]     = { .v3 = SLICE("domain_rating"),   .type = VALUE_RATING, .units = 1 },
};

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/refdomains"), .key = SLICE("refdomains"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("history=live"),
};

/* In the order in which v2 shows them. v3 has each domain as one row, so that `where` on a count or a date applies to all
 * links of the domain together; it has no count of pages, and no date of the last visit. */
#define ONLY_SUMS SLICE("v2 looked at each link of a domain; v3 has the domain only")
#define AT_MOST SLICE("at most: the links, of which a page may have several")
#define ALL_LIVE SLICE("every living link was visited since: the condition is left out")
static const struct column columns[] = {
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refpages"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_NEAR, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .where_says = ONLY_SUMS, .having_says = SLICE("v3 has no count of pages; compared with the links"),
      .order_by_says = SLICE("v3 has no count of pages; sorted by the links"), .shown_says = AT_MOST },
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = FIRST_SEEN, .null_when = NULL_VISITED,
      .where = FIDELITY_LIVE_DAY, .having = FIDELITY_LIVE_DAY, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .where_says = ALL_LIVE, .having_says = ALL_LIVE,
      .order_by_says = SLICE("v3 has no last visit; sorted by first_seen"),
      .shown_says = SLICE("answered with first_seen") },
    { .v2 = SLICE("domain_rating"), .type = VALUE_RATING, .field = RATING,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("url"), .type = VALUE_TEXT, .from = FROM_NOTHING, .text = TEXT_URL, .filter = { SLICE("url_to"), 1, false },
      .where = FIDELITY_NEAR,
      .where_says = SLICE("the counts may be of more links than these") },
    { .v2 = SLICE("ip"), .type = VALUE_TEXT, .from = FROM_NOTHING, .text = TEXT_HOST, .filter = { SLICE("ip_source"), 1, true },
      .where = FIDELITY_EXACT },
};
#undef ONLY_SUMS
#undef AT_MOST
#undef ALL_LIVE

static const struct table_stat stats[] = {
    { .v2 = SLICE("refdomains"), .type = VALUE_WHOLE, .from = FROM_PART, .fields = BIT(RECORD_REFDOMAINS),
      .shown = FIDELITY_EXACT },
    { .v2 = SLICE("ips"),        .type = VALUE_WHOLE, .from = FROM_PART, .fields = BIT(RECORD_REFIPS),
      .shown = FIDELITY_EXACT },
    { .v2 = SLICE("class_c"),    .type = VALUE_WHOLE, .from = FROM_PART, .fields = BIT(RECORD_REFIPS_SUBNETS),
      .shown = FIDELITY_EXACT },
};
/* clang-format on */

const struct table table_refdomains = {
    .from = SLICE("refdomains"),
    .rows = SLICE("refdomains"),
    .row_element = SLICE("refdomain"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { DOMAIN }, .n = 1 },
    .parts = &record_makes_stats,
    .n_parts = 1,
    .stats = stats,
    .n_stats = sizeof stats / sizeof stats[0],
    .bound = { .is_known = true, .field = RECORD_REFDOMAINS },
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
