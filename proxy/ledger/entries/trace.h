/* SPDX-License-Identifier: MIT
 *
 * What is counted beside the entries, by hour, team, key and table: the words that calls ended with, and calls that
 * were refused and have no entry. Pure.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_TRACE_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "proxy/ledger/entries/entry.h"

/* What a count is of. The numbers stand in the database: never change one. */
enum trace_what {
    TRACE_FAULT = 1,       /* calls with an entry that ended with this fault */
    TRACE_REFUSED = 2,     /* calls without an entry that ended with this fault */
    TRACE_MARK = 3,        /* calls that were answered with this mark */
    TRACE_MARKED = 4,      /* with any mark; no word */
    TRACE_MARKED_ROWS = 5, /* with any mark that says that other rows are possible; no word */
    TRACE_SHAPE = 6,       /* calls without an entry of this shape; the word is its text */
    TRACE_CACHED = 7,      /* calls that were answered from memory; no word */
    TRACE_SHARED = 8       /* and calls that joined another one; no word */
};

/* Where calls are counted in memory. Numbers of texts, 0: none. */
struct trace_key {
    int64_t hour; /* since 1970 */
    int32_t team, key, table, fault;
    int32_t more; /* all marks of the call in one text; of a refused one its shape */
    int32_t via;  /* enum entry_via, of those that are counted: memory and joined */
};

struct trace {
    struct trace_key at;
    int64_t calls, last_ms;
};

struct trace_set {
    struct trace *rows;
    uint32_t n, room;
    uint32_t *slots; /* index + 1, or 0 */
    uint32_t n_slots;
};

/* Count so many more calls, the last of them at `last_ms`. False when memory is out. */
[[nodiscard]] bool trace_set_add(struct trace_set *set, const struct trace_key *at, int64_t calls, int64_t last_ms);
/* Whether calls are counted there already. */
bool trace_set_has(const struct trace_set *set, const struct trace_key *at);
/* Empty it, keeping its memory. */
void trace_set_reset(struct trace_set *set);
void trace_set_clear(struct trace_set *set);

/* A count as it is read. */
struct trace_row {
    int64_t hour;
    enum trace_what what;
    int32_t team_id, key_id, table_id; /* as in entries; 0: none, or not on disk yet */
    struct slice team, key, table, word;
    int64_t calls, last_ms;
};
typedef void trace_seen(void *context, const struct trace_row *row);

/* How a call was answered, where that is counted: 0, VIA_CACHE or VIA_SHARED. */
static inline int32_t trace_via(const struct entry *e)
{
    bool counts = entry_is_end(e) && (e->via == VIA_CACHE || e->via == VIA_SHARED);
    return counts ? (int32_t)e->via : 0;
}

static inline enum trace_what trace_of_via(int32_t via)
{
    return via == VIA_CACHE ? TRACE_CACHED : TRACE_SHARED;
}

/* Whether a mark says that other rows than in v2 are possible; all others say that a value is a stand-in. */
bool trace_is_of_rows(struct slice mark);

#endif
