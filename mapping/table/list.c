/* SPDX-License-Identifier: MIT
 * The list of tables: a refusal names those that are served, in this order. */
#include "mapping/table.h"

const struct table *const table_list[] = {
    &table_anchors,
    &table_domain_rating,
    &table_metrics,
    &table_metrics_extended,
    &table_positions_metrics,
    &table_refdomains,
    &table_refdomains_by_type,
    &table_backlinks,
    &table_backlinks_one_per_domain,
    &table_linked_domains,
    &table_refips,
    &table_ahrefs_rank,
    &table_pages,
    &table_subscription_info,
    &table_backlinks_new_lost,
    &table_broken_backlinks,
    &table_refdomains_new_lost,
    &table_anchors_refdomains,
    &table_pages_extended,
    &table_broken_links,
    &table_pages_info,
    &table_linked_domains_by_type,
    &table_linked_anchors,
    &table_backlinks_new_lost_counters,
    &table_refdomains_new_lost_counters,
    NULL,
};

const struct table_hint table_hints[] = {
    { SLICE("backlinks_stats"), SLICE("its numbers are in metrics_extended") },
    { SLICE("organic_keywords"), SLICE("API v2 had no keywords") },
    { SLICE(""), SLICE("") },
};
