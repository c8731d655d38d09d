/* SPDX-License-Identifier: MIT
 * The list of tables, and look-ups in them. A new v2 table is one file of rows and one line here. */
#include "mapping/table.h"

#include "base/words/words.h"

static const struct table *const tables[] = {
    &table_anchors,
    &table_subscription_info,
};

const struct table *table_at(size_t i)
{
    return i < sizeof tables / sizeof tables[0] ? tables[i] : NULL;
}

const struct table *table_find(struct slice from)
{
    for (size_t i = 0; table_at(i); i++)
        if (slice_eq(tables[i]->from, from))
            return tables[i];
    return NULL;
}

/* Each with the report of v3 that has it, or most of it; "": none has. */
static const struct {
    struct slice from, report;
} old_tables[] = {
    { SLICE("ahrefs_rank"), SLICE("site-explorer/crawled-pages") },
    { SLICE("anchors"), SLICE("site-explorer/anchors") },
    { SLICE("anchors_refdomains"), SLICE("site-explorer/refdomains") },
    { SLICE("backlinks"), SLICE("site-explorer/all-backlinks") },
    { SLICE("backlinks_new_lost"), SLICE("site-explorer/all-backlinks") },
    { SLICE("backlinks_new_lost_counters"), SLICE("") },
    { SLICE("backlinks_one_per_domain"), SLICE("site-explorer/all-backlinks") },
    { SLICE("broken_backlinks"), SLICE("site-explorer/broken-backlinks") },
    { SLICE("broken_links"), SLICE("") },
    { SLICE("domain_rating"), SLICE("site-explorer/domain-rating") },
    { SLICE("linked_anchors"), SLICE("site-explorer/linked-anchors-external") },
    { SLICE("linked_domains"), SLICE("site-explorer/linkeddomains") },
    { SLICE("linked_domains_by_type"), SLICE("site-explorer/linkeddomains") },
    { SLICE("metrics"), SLICE("batch-analysis") },
    { SLICE("metrics_extended"), SLICE("batch-analysis") },
    { SLICE("pages"), SLICE("site-explorer/crawled-pages") },
    { SLICE("pages_extended"), SLICE("site-explorer/crawled-pages") },
    { SLICE("pages_info"), SLICE("site-explorer/crawled-pages") },
    { SLICE("positions_metrics"), SLICE("site-explorer/metrics") },
    { SLICE("refdomains"), SLICE("site-explorer/refdomains") },
    { SLICE("refdomains_by_type"), SLICE("site-explorer/refdomains") },
    { SLICE("refdomains_new_lost"), SLICE("site-explorer/refdomains") },
    { SLICE("refdomains_new_lost_counters"), SLICE("") },
    { SLICE("refips"), SLICE("site-explorer/refdomains") },
    { SLICE("subscription_info"), SLICE("subscription-info/limits-and-usage") },
};
enum { N_OLD_TABLES = sizeof old_tables / sizeof old_tables[0] };

const struct slice *table_of_v2(struct slice from)
{
    for (int i = 0; i < N_OLD_TABLES; i++)
        if (slice_eq(old_tables[i].from, from))
            return &old_tables[i].report;
    return NULL;
}

struct slice table_like(struct slice from)
{
    struct slice like = { 0 };
    size_t best = SIZE_MAX;
    for (int i = 0; i < N_OLD_TABLES; i++)
        if (words_is_near(from, old_tables[i].from, &best))
            like = old_tables[i].from;
    return like;
}

int table_column(const struct table *t, struct slice v2)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (slice_eq(t->columns[i].v2, v2))
            return (int)i;
    return -1;
}

int64_t table_price(const struct table *t, int64_t results, bool where, bool having)
{
    int64_t milli = t->prices.request_milli + results * t->prices.result_milli + (where ? t->prices.where_milli : 0) +
                    (having ? t->prices.having_milli : 0);
    return (milli + 999) / 1000;
}

bool table_folds(const struct table *t)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].field == t->key_field && t->columns[i].any_case)
            return true;
    return false;
}
