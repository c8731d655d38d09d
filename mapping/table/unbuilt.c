/* SPDX-License-Identifier: MIT
 * The tables that are not served yet. */
#include "mapping/table.h"

const struct table table_backlinks_new_lost = { .from = SLICE("backlinks_new_lost"), .kind = TABLE_UNBUILT };

const struct table table_broken_backlinks = { .from = SLICE("broken_backlinks"), .kind = TABLE_UNBUILT };

const struct table table_refdomains_new_lost = { .from = SLICE("refdomains_new_lost"), .kind = TABLE_UNBUILT };

const struct table table_anchors_refdomains = { .from = SLICE("anchors_refdomains"), .kind = TABLE_UNBUILT };

const struct table table_pages_extended = { .from = SLICE("pages_extended"), .kind = TABLE_UNBUILT };
