/* SPDX-License-Identifier: MIT
 * The totals of a target: v3's backlinks-stats, and the estimate of the pages behind the links. */
#ifndef ANCHORAGE_MAPPING_TOTALS_H
#define ANCHORAGE_MAPPING_TOTALS_H

#include <stdint.h>

#include "base/slice.h"

/* Links and pages of the anchors with the most links. */
struct ratio {
    int64_t links, refpages, rows;
};

/* {"metrics":{"live":N,…}}: N, at least 0. False for anything else. */
[[nodiscard]] bool totals_parse(struct slice body, int64_t *live);

/* Add the counts of one anchor, saturating. */
void ratio_add(struct ratio *r, int64_t links, int64_t refpages);

/* live x refpages / links, rounded half up, at most live; 0 when there are no links. */
int64_t ratio_apply(const struct ratio *r, int64_t live);

#endif
