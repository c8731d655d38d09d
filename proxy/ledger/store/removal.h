/* SPDX-License-Identifier: MIT
 *
 * Old entries on their way out: what they sum to, and where the books begin without them. Pure.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_REMOVAL_H
#define ANCHORAGE_PROXY_LEDGER_STORE_REMOVAL_H

#include "proxy/ledger/store/store.h"

struct removal {
    struct rollup_set sums; /* by months; to be cleared */
    struct cut cut;
    int64_t before_ms, before_seq;
    size_t n;
    bool ends, failed; /* an entry that stays was met; memory ran out */
};

/* Take the next entry, a store_entry_seen; from the first that stays on all stay. */
void removal_add(void *removal, const struct entry *e);

#endif
