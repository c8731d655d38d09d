/* SPDX-License-Identifier: MIT
 * Which entries go, and what they sum to. */
#include "proxy/ledger/store/removal.h"

void removal_add(void *removal, const struct entry *e)
{
    struct removal *r = removal;
    r->ends = r->ends || e->time_ms >= r->before_ms || e->seq >= r->before_seq;
    if (r->ends || r->failed)
        return;
    struct rollup_key at = {
        .hour = month_of_ms(e->time_ms), .team = e->team_id, .key = e->key_id, .table = e->table_id
    };
    r->failed = !rollup_set_add_at(&r->sums, &at, e);
    r->cut = (struct cut){ e->seq, e->sum };
    r->n++;
}
