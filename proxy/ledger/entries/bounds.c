/* SPDX-License-Identifier: MIT
 * Numbers that were read, within their bounds. */
#include "proxy/ledger/entries/bounds.h"

/* A note has none. */
static int64_t amount_or_null(int64_t v)
{
    return v == ENTRY_NULL ? v : bounds_amount(v);
}

void bounds_entry(struct entry *e)
{
    e->time_ms = bounds_ms(e->time_ms);
    e->rows = amount_or_null(e->rows);
    e->units = amount_or_null(e->units);
    e->units_predicted = bounds_amount(e->units_predicted);
    e->units_alone = bounds_amount(e->units_alone);
    e->results = bounds_amount(e->results);
    e->duration_ms = bounds_amount(e->duration_ms);
}

void bounds_rollup(struct rollup *r)
{
    static const struct sums nothing;
    struct sums sums = nothing;
    r->at.hour = bounds_hour(r->at.hour);
    sums_add(&sums, &r->sums);
    r->sums = sums;
}
