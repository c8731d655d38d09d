/* SPDX-License-Identifier: MIT
 *
 * Calls that were refused and have no entry: how many, by hour, team, key, table and fault, and the latest of each
 * shape. Counted in memory and written in one go from time to time. So many counts and so many shapes in between: a
 * flood costs neither memory nor disk. All functions but refusals_write may be called from any thread.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_REFUSALS_H
#define ANCHORAGE_PROXY_LEDGER_STORE_REFUSALS_H

#include "proxy/ledger/entries/types.h"
#include "proxy/ledger/store/store.h"

enum {
    REFUSALS = 4096,      /* counts in memory; past them all keys of a team are "others", and past those of a fault */
    REFUSALS_CALLS = 256, /* shapes, and texts of calls; all others have the shape "refused others" */
};
#define REFUSALS_OTHERS "others"

struct refusals;

/* NULL when memory is out. */
struct refusals *refusals_new(void);
void refusals_free(struct refusals *all);

/* Count a call. One that finds no memory is not counted. */
void refusals_see(struct refusals *all, const struct ledger_refusal *call, int64_t now_ms);

/* Write a piece of what was counted here or, when there is none, what the store itself has counted beside its entries.
 * *more: whether something is left. False when it could not: it stays, and is written the next time, once. For one
 * thread at a time. */
[[nodiscard]] bool refusals_write(struct refusals *all, struct store *s, bool *more, struct buffer *why);

/* All counts of some hours: what is on disk and what is in memory, a day at a moment, so that no call waits long. And
 * all latest calls. */
[[nodiscard]] bool refusals_traces(struct refusals *all, struct store *s, int64_t since_hour, int64_t until_hour,
                                   trace_seen *seen, void *context, struct buffer *why);
[[nodiscard]] bool refusals_latest(struct refusals *all, struct store *s, store_latest_seen *seen, void *context,
                                   struct buffer *why);

#endif
