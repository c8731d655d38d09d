/* SPDX-License-Identifier: MIT
 *
 * What stands behind struct store, for the files that know SQLite.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_SQLITE_INSIDE_H
#define ANCHORAGE_PROXY_LEDGER_STORE_SQLITE_INSIDE_H

#include <pthread.h>

#include "proxy/ledger/entries/names.h"
#include "proxy/ledger/entries/trace.h"
#include "proxy/ledger/store/shapes.h"
#include "proxy/ledger/store/statements.h"
#include "proxy/ledger/store/store.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_backup;

/* What is counted beside the entries. */
struct traces {
    struct trace_set counted;   /* of the entries behind `seq`; not on disk yet */
    struct latest_call **calls; /* by the shape's number, NULL: nothing new */
    int32_t n_calls, room, n_refused_shapes;
    int64_t seq, turn, floor; /* as on disk: see store_traces_turn and store_trace_floor */
};

struct store {
    char *directory, *file;
    bool relaxed;
    int lock_fd;
    pthread_mutex_t mutex;
    struct sqlite3 *db; /* NULL while it is not open */
    struct sqlite3_stmt *sql[N_SQL];
    struct sqlite3_backup *copy; /* under way, or NULL */
    bool commands_end;
    struct names names; /* number i is id i + 1; 0 is the empty text */
    struct shapes shapes;
    struct digester *digester;
    struct buffer scratch;
    struct rollup_set touched;
    struct traces traces;
    int64_t next_seq, floor;
    uint64_t sum;
    struct cut cut;
    int cut_stays; /* readers for whom it does */
};

/* ---- parts.c ---- */

/* For failures of the database: always false, and a line in `why`. */
bool sqlite_broken(struct store *s, struct buffer *why);

/* Run a statement that gives nothing. */
[[nodiscard]] bool sqlite_done(struct sqlite3_stmt *st);
[[nodiscard]] bool sqlite_reset(struct sqlite3_stmt *st);
/* The first number that it gives. */
[[nodiscard]] bool sqlite_number(struct sqlite3_stmt *st, int64_t *number);
/* A text that lives until the statement was run; null when it is empty. */
void sqlite_bind_text(struct sqlite3_stmt *st, int i, struct slice text);

/* Begin reading: NULL, and a line in `why`, when the books are not open. */
[[nodiscard]] struct sqlite3_stmt *sqlite_begin_read(struct store *s, enum statement which, struct buffer *why);
[[nodiscard]] bool sqlite_end_read(struct store *s, struct sqlite3_stmt *st, struct buffer *why);

/* The number of a text, written if it is new; 0: empty; -1: failed. Of shapes: a new one takes its place among those of
 * calls that were refused, or of the others. */
[[nodiscard]] int32_t sqlite_name(struct store *s, struct slice text);
[[nodiscard]] int32_t sqlite_new_shape(struct store *s, struct slice text, int32_t today);

/* ---- traces.c ---- */

/* Take over what is on disk; what entries behind it say is counted again. */
[[nodiscard]] bool traces_load(struct store *s);
void traces_forget(struct store *s);

/* Count an end that was written with these numbers of its texts. */
[[nodiscard]] bool traces_count(struct store *s, const struct entry *e, int32_t marks, int32_t fault, int32_t shape);

/* Within the transaction of a batch: write what it brings; and what was counted, when that is asked for or much. */
[[nodiscard]] bool traces_write(struct store *s, const struct store_batch *batch);
/* The transaction is on disk. */
void traces_written(struct store *s, const struct store_batch *batch);

/* Entries from before `before_ms` go: the counts of these hours are not whole any more. */
[[nodiscard]] bool traces_cut(struct store *s, int64_t before_ms);

/* Remove some of what is older. *more: whether there may be more. */
[[nodiscard]] bool traces_trim(struct store *s, int64_t before_ms, bool *more);

#endif
