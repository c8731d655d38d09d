/* SPDX-License-Identifier: MIT
 * The tables that cannot be told from API v3, with what can be asked instead (docs/compatibility.md). */
#include "mapping/table.h"

/* v3 has no outgoing broken links outside a site audit of one's own project. */
const struct table table_broken_links = {
    .from = SLICE("broken_links"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("ask Site Audit for pages that link to 4xx"),
};

/* v3 has no size, words, headings and social counts of a page. */
const struct table table_pages_info = {
    .from = SLICE("pages_info"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("url, title and http_code are in the table pages"),
};

/* v3 has no counts of link types by linked domain. */
const struct table table_linked_domains_by_type = {
    .from = SLICE("linked_domains_by_type"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("ask linked_domains; its totals are in metrics_extended (links_external, linked_root_domains)"),
};

/* v3 has no external and internal counts of an anchor in one list. */
const struct table table_linked_anchors = {
    .from = SLICE("linked_anchors"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("API v3 linked-anchors-external and linked-anchors-internal have them apart"),
};

/* v3 has no counts of new and lost links by day. */
const struct table table_backlinks_new_lost_counters = {
    .from = SLICE("backlinks_new_lost_counters"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("count the rows of backlinks_new_lost"),
};

/* v3 has no the same for domains. */
const struct table table_refdomains_new_lost_counters = {
    .from = SLICE("refdomains_new_lost_counters"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("count the rows of refdomains_new_lost"),
};
