/* SPDX-License-Identifier: MIT
 * v2 `metrics` and `metrics_extended`: the links of a target, counted by kind (docs/compatibility.md). Both are one
 * object, and the second has four columns more. */
#include "mapping/record.h"
#include "mapping/table.h"

/* clang-format off */
#define NUMBER(name, set, how)                                                                                         \
    { .v2 = SLICE(name), .type = VALUE_WHOLE, .from = FROM_PART, .fields = (set), .shown = (how) }
#define UNKNOWN(name)                                                                                                  \
    { .v2 = SLICE(name), .type = VALUE_WHOLE, .from = FROM_NOTHING, .shown = FIDELITY_MISSING,                         \
      .null_when = NULL_MISSING }

/* Pages that link are at most the links. v3 counts links of all kinds together, but for those that pass no weight and
 * those that lead on; ugc and sponsored ones are nofollow in both. Its internal links are those to the target's pages,
 * v2's were those on them. */
static const struct column columns[] = {
    NUMBER("backlinks", BIT(RECORD_BACKLINKS), FIDELITY_EXACT),
    { .v2 = SLICE("refpages"), .type = VALUE_WHOLE, .from = FROM_PART, .fields = BIT(RECORD_BACKLINKS),
      .shown = FIDELITY_BOUND, .shown_says = SLICE("at most: the links, of which a page may have several") },
    UNKNOWN("pages"),
    UNKNOWN("valid_pages"),
    UNKNOWN("text"),
    UNKNOWN("image"),
    NUMBER("nofollow", BIT(RECORD_BACKLINKS_NOFOLLOW), FIDELITY_EXACT),
    UNKNOWN("ugc"),
    UNKNOWN("sponsored"),
    NUMBER("dofollow", BIT(RECORD_BACKLINKS_DOFOLLOW), FIDELITY_EXACT),
    NUMBER("redirect", BIT(RECORD_BACKLINKS_REDIRECT), FIDELITY_EXACT),
    UNKNOWN("canonical"),
    UNKNOWN("gov"),
    UNKNOWN("edu"),
    UNKNOWN("rss"),
    UNKNOWN("alternate"),
    UNKNOWN("html_pages"),
    { .v2 = SLICE("links_internal"), .type = VALUE_WHOLE, .from = FROM_PART, .fields = BIT(RECORD_BACKLINKS_INTERNAL),
      .shown = FIDELITY_NEAR, .shown_says = SLICE("links to the target's pages; v2 counted links on them") },
    NUMBER("links_external", BIT(RECORD_OUTGOING_LINKS), FIDELITY_EXACT),
    NUMBER("refdomains", BIT(RECORD_REFDOMAINS), FIDELITY_EXACT),
    NUMBER("refclass_c", BIT(RECORD_REFIPS_SUBNETS), FIDELITY_EXACT),
    NUMBER("refips", BIT(RECORD_REFIPS), FIDELITY_EXACT),
    NUMBER("linked_root_domains", BIT(RECORD_LINKED_DOMAINS), FIDELITY_EXACT),
};
/* clang-format on */

enum { N_EXTENDED = sizeof columns / sizeof columns[0], N_PLAIN = N_EXTENDED - 4 };

const struct table table_metrics = {
    .from = SLICE("metrics"),
    .kind = TABLE_OBJECT,
    .rows = SLICE("metrics"),
    .columns = columns,
    .n_columns = N_PLAIN,
    .parts = &record_makes_answer,
    .n_parts = 1,
    .prices = { .request_milli = 1000 },
};

const struct table table_metrics_extended = {
    .from = SLICE("metrics_extended"),
    .kind = TABLE_OBJECT,
    .rows = SLICE("metrics"),
    .columns = columns,
    .n_columns = N_EXTENDED,
    .parts = &record_makes_answer,
    .n_parts = 1,
    .prices = { .request_milli = 1000, .result_milli = 1000 },
};
