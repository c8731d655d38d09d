/* SPDX-License-Identifier: MIT
 * The list of tables: served ones first, in the order in which a refusal names them. */
#include "mapping/table.h"

const struct table *const table_list[] = {
    &table_anchors,        &table_domain_rating, &table_positions_metrics, &table_metrics_extended,
    &table_metrics,        &table_pages,         &table_ahrefs_rank,       &table_refdomains_by_type,
    &table_linked_domains, &table_refips,        &table_subscription_info, NULL,
};

const struct table_hint table_hints[] = {
    { SLICE(""), SLICE("") },
};
