/* SPDX-License-Identifier: MIT
 * v2 `domain_rating`: the rating of a target's domain and its place among all (docs/compatibility.md). The mode makes
 * no difference. */
#include "mapping/record.h"
#include "mapping/table.h"

/* v2's ahrefs_top is what v3 calls ahrefs_rank; v2's ahrefs_rank is another number. */
static const struct column columns[] = {
    { .v2 = SLICE("domain_rating"),
      .type = VALUE_RATING,
      .from = FROM_PART,
      .fields = BIT(RECORD_DOMAIN_RATING),
      .shown = FIDELITY_EXACT },
    { .v2 = SLICE("ahrefs_top"),
      .type = VALUE_WHOLE,
      .from = FROM_PART,
      .fields = BIT(RECORD_AHREFS_RANK),
      .shown = FIDELITY_EXACT },
};

const struct table table_domain_rating = {
    .from = SLICE("domain_rating"),
    .kind = TABLE_OBJECT,
    .mode_means_nothing = true,
    .rows = SLICE("domain"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .parts = &record_makes_answer,
    .n_parts = 1,
    .prices = { .request_milli = 1000 },
};
