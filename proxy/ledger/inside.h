/* SPDX-License-Identifier: MIT
 *
 * What stands behind struct ledger; for the files of this room.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_INSIDE_H
#define ANCHORAGE_PROXY_LEDGER_INSIDE_H

#include "proxy/ledger/completion.h"
#include "proxy/ledger/ledger.h"
#include "proxy/ledger/store/keys.h"
#include "proxy/ledger/store/strangers.h"
#include "proxy/ledger/tally.h"
#include "proxy/ledger/writer.h"

struct event;
struct job;

struct ledger {
    struct event_base *base;
    struct store *store;
    struct writer *writer; /* NULL without a base, and while opening */
    bool relaxed, serves;
    int keep_months;
    struct limits limits;
    struct limit_row *noted; /* the limits that the books remember */
    size_t n_noted;
    struct tally tally;
    struct calls calls;
    struct keys *keys;
    struct digester *digester;
    struct strangers *strangers;
    struct event *strangers_due; /* pending: what changed is written when it fires */
    int64_t acknowledged;        /* the highest seq that came back written */
    int64_t floor;               /* no hold before this seq is open */
    int64_t floor_looked_at;     /* acknowledged when the open calls were last looked through for it */
    bool keys_stale;             /* a command changed keys that could not be read again yet */
    struct teller *teller;       /* NULL without a base */
    struct job *jobs;            /* commands on threads of their own */
};

/* Take over the state of freshly opened books: counters from the disk, holds of the dead ended, limits noted. With a
 * thread, *together becomes the number of operations that it must write in one transaction. On failure what was lost is
 * still known, and the state may be read and taken once more. */
[[nodiscard]] bool books_take(struct ledger *l, const struct recovery *fresh, size_t *together, struct buffer *why);

/* Write notes where the limits differ from those remembered. */
[[nodiscard]] bool books_note_limits(struct ledger *l, struct buffer *why);

/* Send an operation on its way: to the thread, or to the disk at once. */
void books_push(struct ledger *l, struct op *op);

/* Write the strangers on a thread of its own; `done` comes as that of a command. False when it cannot start. */
[[nodiscard]] bool jobs_write_strangers(struct ledger *l, ledger_command_done *done, void *context);

/* ledger_strangers.c: make, read and write them; at the end also what has not been written yet. */
[[nodiscard]] bool books_open_strangers(struct ledger *l, struct buffer *why);
void books_close_strangers(struct ledger *l);

/* Read the keys again, which a command changed when memory was out. */
void keys_refresh(struct ledger *l);

/* Wait for the commands that run, and forget them. */
void jobs_end(struct ledger *l);

/* An operation came back. */
void books_finished(struct ledger *l, struct op *op);

#endif
