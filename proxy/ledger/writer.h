/* SPDX-License-Identifier: MIT
 *
 * The thread that writes. Operations are pushed from the loop, written many to a transaction, and come back to the
 * loop when they are on disk.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_WRITER_H
#define ANCHORAGE_PROXY_LEDGER_WRITER_H

#include "proxy/ledger/completion.h"
#include "proxy/ledger/entries/open_calls.h"
#include "proxy/ledger/entries/types.h"
#include "proxy/ledger/store/recovery.h"
#include "proxy/ledger/store/refusals.h"

/* One entry on its way to the disk. */
struct op {
    struct completion completion; /* first, since it is freed by this; without `done` no call waits */
    struct op *next;
    struct open_call *call; /* NULL: a note */
    struct limit_row limit;
    bool has_limit;
    bool written; /* what came of it */
    int64_t floor;
    struct entry entry; /* its text stands behind the struct */
};

struct op_list {
    struct op *first, *last;
    size_t n;
};

/* A new operation with a copy of `e`. NULL when memory is out. */
struct op *op_new(const struct entry *e);
void op_list_add(struct op_list *list, struct op *op);
void op_list_free(struct op_list *list);

struct event_base;
struct writer;

/* `finished` gets operations in the order they were pushed and owns them; `fresh`, when not NULL, is the state after
 * the storage had failed and is open again (owned likewise): then writer_left must be called, and writer_resume or
 * writer_retry after it. Until then every operation comes back unwritten. */
typedef void writer_finished(void *context, struct op_list *ops, struct recovery *fresh);

/* Write `ops` now, all in one transaction, and mark them. */
bool write_ops(struct store *store, struct op_list *ops, struct buffer *why);

/* NULL when the thread cannot start. Store and refusals stay the caller's; the thread writes these, and what the store
 * counts beside its entries, once a minute. With `keep_months` above 0 the thread removes, now
 * and every day, entries of months that closed longer ago, a few at a time between the transactions. */
struct writer *writer_new(struct store *store, struct refusals *refusals, struct event_base *base, int keep_months,
                          writer_finished *finished, void *context);

/* Write what was pushed, then end the thread. Operations that have not come back by then are freed. */
void writer_free(struct writer *w);

/* `calls` is how many calls are open: with more of them it pays to let a batch gather. */
void writer_push(struct writer *w, struct op *op, uint32_t calls);

/* Operations that are still on the way were pushed on a state that is no more: they are returned, unwritten, and to be
 * dealt with before the fresh state is taken over. */
struct op_list writer_left(struct writer *w);

/* Take operations again. The first `together` that were pushed since writer_left are written in one transaction. */
void writer_resume(struct writer *w, size_t together);

/* The loop has lost the end of a call for want of memory: read the state of the books again, as after a failure. */
void writer_read_again(struct writer *w);

/* The fresh state could not be taken over: bring it once more, after a while. What was pushed is freed. */
void writer_retry(struct writer *w);

/* A client was turned away: for a moment it pays to let larger batches gather. */
void writer_storm(struct writer *w);

/* More is on its way than one batch takes. */
bool writer_is_behind(const struct writer *w);

void writer_stats(struct writer *w, struct ledger_stats *ret);

#endif
