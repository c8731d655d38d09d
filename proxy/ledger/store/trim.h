/* SPDX-License-Identifier: MIT
 *
 * Removing the entries of months that closed long ago, in pieces, so that no call waits for it.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_TRIM_H
#define ANCHORAGE_PROXY_LEDGER_STORE_TRIM_H

#include "proxy/ledger/store/store.h"

struct trim;

/* Due at once. free() it; NULL when memory is out. The store stays the caller's. */
struct trim *trim_new(struct store *store, int keep_months);

/* When the next piece is due, by the monotonic clock. */
int64_t trim_due_ms(const struct trim *t);

/* Remove a piece; what is left is due soon, or else tomorrow. False when the store failed; `why` gets one line. */
[[nodiscard]] bool trim_some(struct trim *t, struct buffer *why);

/* The first moment that stays when `keep_months` closed months before that of `now_ms` do. */
int64_t trim_until_ms(int64_t now_ms, int keep_months);

#endif
