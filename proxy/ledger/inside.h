/* SPDX-License-Identifier: MIT
 *
 * What stands behind struct ledger; for the files of this room.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_INSIDE_H
#define ANCHORAGE_PROXY_LEDGER_INSIDE_H

#include "proxy/ledger/completion.h"
#include "proxy/ledger/store/keys.h"
#include "proxy/ledger/store/refusals.h"
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
    struct open_calls calls;
    struct keys *keys;
    struct digester *digester;
    struct strangers *strangers;
    struct refusals *refusals;
    struct event *strangers_due;     /* pending: what changed is written when it fires */
    int64_t acknowledged;            /* the highest seq that came back written */
    int64_t floor;                   /* no hold before this seq is open */
    int64_t floor_looked_at;         /* acknowledged when the open calls were last looked through for it */
    bool keys_stale;                 /* a command changed keys that could not be read again yet */
    struct completions *completions; /* NULL without a base */
    struct job *jobs;                /* commands on threads of their own */
};

#endif
