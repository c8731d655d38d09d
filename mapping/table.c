/* SPDX-License-Identifier: MIT
 * The list of tables, and look-ups in them. A new v2 table is one file of rows and one line here. */
#include "mapping/table.h"

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
