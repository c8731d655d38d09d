/* SPDX-License-Identifier: MIT
 *
 * The sum that ties every entry to all before it, so that verify sees an entry that was changed, removed or put in.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_CHAIN_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_CHAIN_H

#include "proxy/ledger/entries/digest.h"
#include "proxy/ledger/entries/entry.h"

/* The sum of `e`, whose shape is its id here, after an entry with the sum `before` (0 for the first). `scratch` is
 * memory to work in. False when memory is out. */
[[nodiscard]] bool chain_sum(struct digester *d, struct buffer *scratch, uint64_t before, const struct entry *e,
                             uint64_t *sum);

#endif
