/* SPDX-License-Identifier: MIT
 *
 * Where the books lie. Words of our trade only, so that another storage can stand behind the same functions. Every
 * function takes the store's lock itself; a caller that needs several in one piece holds it around them (it nests).
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_STORE_H
#define ANCHORAGE_PROXY_LEDGER_STORE_STORE_H

#include "base/buffer.h"
#include "proxy/ledger/entries/digest.h"
#include "proxy/ledger/entries/entry.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/entries/rollup.h"
#include "proxy/ledger/entries/trace.h"
#include "proxy/ledger/entries/types.h"

struct store;

enum store_result { STORE_OPENED, STORE_TAKEN, STORE_BROKEN };

struct key_row {
    struct slice id;
    struct digest digest;
    struct slice team, name;
    bool disabled;
    int64_t created_ms;
};

/* What the books remember of a team's limits, to note a change; the team "" is the whole, its rows the billing day. */
struct limit_row {
    struct slice team;
    int64_t rows, units;
};

/* A token without a key, and the client that came with it. Each has a place of its own, and the place is written over.
 */
struct stranger_row {
    int32_t place;
    struct digest digest;
    struct slice client, agent, tables;
    int64_t first_ms, last_ms;
    int64_t calls; /* 0: the place is free */
    bool metered;
};

/* Calls that were refused and have no entry: how often in an hour. */
struct refusal_row {
    int64_t hour;
    struct slice team, key, table, fault;
    struct slice shape; /* its text, or empty */
    int64_t calls, last_ms;
};

/* The call that came last with this shape. */
struct latest_row {
    struct slice shape;      /* to be written: the text; read back: the word */
    struct slice shape_text; /* read back */
    struct slice team, key;
    struct slice call; /* as it came, without its token; empty when it was longer than LEDGER_CALL_BYTES */
    int64_t bytes;     /* of it */
    int64_t time_ms;
};
enum { STORE_REFUSED_SHAPES = 1000 /* that are told apart; all further ones are "other" */ };

/* What is written in one transaction, in this order. */
struct store_batch {
    struct entry *const *entries; /* seq, ids and sum are filled in */
    size_t n_entries;
    const struct key_row *keys; /* put in place of the one with the same id */
    size_t n_keys;
    const struct stranger_row *strangers;
    size_t n_strangers;
    const struct limit_row *limits;
    size_t n_limits;
    const struct refusal_row *refusals;
    size_t n_refusals;
    const struct latest_row *latest; /* of refused calls */
    size_t n_latest;
    int64_t turn;  /* of the refusals, see store_traces_turn; 0: there are none */
    bool traces;   /* what was counted beside the entries is written, too */
    int64_t floor; /* no hold before this seq is open; 0: as before */
};

/* A store in a directory that is not open yet. NULL when memory is out. */
struct store *store_new(const char *directory, bool relaxed);
void store_free(struct store *s);

/* Open or create the books; also again after a failure. On failure `why` gets one line. */
enum store_result store_open(struct store *s, struct buffer *why);

/* All of it or nothing, on disk when this returns true. On failure the store is closed, for what lies on disk is not
 * known until it is opened again; `why` gets one line. */
[[nodiscard]] bool store_write(struct store *s, const struct store_batch *batch, struct buffer *why);

void store_lock(struct store *s);
void store_unlock(struct store *s);

/* From now on store_entries and store_backup end with a word that the daemon is being stopped, so that long commands do
 * not hold up its end. All else goes on. */
void store_end_commands(struct store *s);

/* The functions below return false when reading failed; `why` gets one line. */

/* Show up to `max` entries from `from_seq` on; *next becomes where to go on, 0 at the end. What is shown lives during
 * the call only. */
typedef void store_entry_seen(void *context, const struct entry *e);
[[nodiscard]] bool store_entries(struct store *s, int64_t from_seq, size_t max, store_entry_seen *seen, void *context,
                                 int64_t *next, struct buffer *why);

/* The sums of hours from `since` until before `until`, ordered by hour. */
typedef void store_rollup_seen(void *context, const struct rollup *r);
[[nodiscard]] bool store_rollups(struct store *s, int64_t since_hour, int64_t until_hour, store_rollup_seen *seen,
                                 void *context, struct buffer *why);

/* The first and the last hour that has sums; both 0 when there are none. */
[[nodiscard]] bool store_hours(struct store *s, int64_t *first, int64_t *last, struct buffer *why);

/* Rows and units used by a team on a day, from `since` on, ordered by day. */
typedef void store_day_seen(void *context, struct slice team, struct day day, int64_t rows, int64_t units);
[[nodiscard]] bool store_days(struct store *s, struct day since, store_day_seen *seen, void *context,
                              struct buffer *why);

typedef void store_key_seen(void *context, const struct key_row *key);
[[nodiscard]] bool store_keys(struct store *s, store_key_seen *seen, void *context, struct buffer *why);

/* The last hour in which each key has entries. */
typedef void store_use_seen(void *context, struct slice key_id, int64_t hour);
[[nodiscard]] bool store_key_uses(struct store *s, store_use_seen *seen, void *context, struct buffer *why);

typedef void store_limit_seen(void *context, const struct limit_row *limit);
[[nodiscard]] bool store_limits(struct store *s, store_limit_seen *seen, void *context, struct buffer *why);

/* All strangers, the one seen last at the end. */
typedef void store_stranger_seen(void *context, const struct stranger_row *stranger);
[[nodiscard]] bool store_strangers(struct store *s, store_stranger_seen *seen, void *context, struct buffer *why);

/* Every text that has a number: teams, keys, tables, faults. */
typedef void store_name_seen(void *context, struct slice text);
void store_names(struct store *s, store_name_seen *seen, void *context);

/* The first seq that may be an open hold; and the seq of the newest entry, 0 when there is none. */
int64_t store_floor(struct store *s);
int64_t store_last_seq(struct store *s);

/* Where the oldest entries were removed: the seq of the last of them, 0 when none was, and the sum up to it. */
struct cut {
    int64_t seq;
    uint64_t sum;
};
struct cut store_cut(struct store *s);

/* While a reader is at work, the cut stays where it is. Nests. */
void store_cut_stays(struct store *s, bool stays);

/* Remove entries from the oldest on, `max` at most, until one that is not older than `before_ms` or has the seq
 * `before_seq`. What they summed to is added to the closed months, and the cut moves, in the same transaction. *more:
 * whether there may be others. On failure as store_write. */
[[nodiscard]] bool store_trim(struct store *s, int64_t before_ms, int64_t before_seq, size_t max, bool *more,
                              struct buffer *why);

/* The sums of entries that were removed; `hour` is the month, see month_of_ms. */
[[nodiscard]] bool store_closed(struct store *s, store_rollup_seen *seen, void *context, struct buffer *why);

/* ---- what is counted beside the entries ---- */

/* All counts of hours from `since` until before `until`; one may come in several parts. Those of entries are exact at
 * every moment; of refused calls only what was written. */
[[nodiscard]] bool store_traces(struct store *s, int64_t since_hour, int64_t until_hour, trace_seen *seen,
                                void *context, struct buffer *why);

/* The first hour from `from` on that has counts; INT64_MAX: none has. */
[[nodiscard]] bool store_next_trace(struct store *s, int64_t from_hour, int64_t *hour, struct buffer *why);

/* The latest call of each shape of which it is known. */
typedef void store_latest_seen(void *context, const struct latest_row *latest);
[[nodiscard]] bool store_latest(struct store *s, store_latest_seen *seen, void *context, struct buffer *why);

/* Whether something is counted that is not on disk. */
bool store_has_traces(struct store *s);

/* The turn of the last batch of refusals that is on disk: tells whether one that failed came about all the same. */
int64_t store_traces_turn(struct store *s);

/* From this hour on all counts are there: what is older was removed with its entries. */
int64_t store_traces_since(struct store *s);

/* The text behind a number in a rollup. Lives as long as the store is open. */
struct slice store_name(struct store *s, int32_t id);

/* Whether the files hang together; a line in `out` for each thing that does not. Long, and holds the lock. */
[[nodiscard]] bool store_check(struct store *s, struct buffer *out, struct buffer *why);

/* Copy all into a new file, in pieces, letting others in between. Refuses a file that is there. */
[[nodiscard]] bool store_backup(struct store *s, const char *file, struct buffer *why);

#endif
