/* SPDX-License-Identifier: MIT
 *
 * The calls that hold something, found by id and kept in the order they began.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_OPEN_CALLS_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_OPEN_CALLS_H

#include <stdint.h>

#include "base/list.h"
#include "proxy/ledger/entries/entry.h"

struct open_call {
    struct open_call *same_hash;
    struct link in_order;
    int32_t team;
    int64_t rows, units;             /* held; after a failure of the storage what the disk says */
    int64_t aside_rows, aside_units; /* set aside for all that the call may hold, in memory alone */
    int64_t first_seq;               /* of its first hold; 0 until that is on disk */
    int64_t held_ms;                 /* the time of its newest hold: its end is not dated before it */
    int pending;                     /* entries under way */
    bool ended;                      /* its end is under way, or failed */
    /* The storage failed under an entry of this call, and the caller was told: what becomes of it when the books are
     * open again. */
    bool lost;
    bool given; /* lost, but its answer did not wait for the disk: what is charged stays charged */
    enum entry_kind lost_kind;
    int64_t lost_units;
    size_t id_n;
    char id[];
};

struct open_calls {
    struct open_call **buckets;
    uint32_t n_buckets, n;
    struct link in_order; /* the oldest first */
};

void open_calls_init(struct open_calls *c);
void open_calls_clear(struct open_calls *c);

/* The one that began first, and the one that began next; NULL when there is none. */
struct open_call *open_calls_oldest(const struct open_calls *c);
struct open_call *open_calls_newer(const struct open_calls *c, const struct open_call *call);

struct open_call *open_calls_find(const struct open_calls *c, struct slice id);

/* A new one; NULL when memory is out. */
struct open_call *open_calls_add(struct open_calls *c, struct slice id, int32_t team);
void open_calls_remove(struct open_calls *c, struct open_call *call);

#endif
