/* SPDX-License-Identifier: MIT
 *
 * The words of the books: amounts, teams, keys, what a call brings, what becomes of it. ledger.h speaks in them, and so
 * do the files below it.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_TYPES_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/slice.h"

/* What is counted beside the entries is on disk after this time at the latest. */
enum { LEDGER_TRACES_MS = 60000 };

/* The shapes of refused calls begin with it. */
#define LEDGER_REFUSED_WORD "refused "

/* Two amounts that are never mixed. */
struct rows {
    int64_t n;
};
struct units {
    int64_t n;
};

enum { LEDGER_NO_LIMIT = -1, LEDGER_ID_SIZE = 27, LEDGER_CALL_BYTES = 1024 /* of a call's text that is kept */ };

/* The billing day is the one the books remember (1 in new ones) until ledger_set_billing_day. */
enum { LEDGER_BILLING_DAY_KEPT = 0 };

struct ledger_team {
    const char *name;
    int64_t rows_per_month;  /* or LEDGER_NO_LIMIT */
    int64_t units_per_month; /* or LEDGER_NO_LIMIT */
};

struct ledger_options {
    const char *state_directory;
    bool relaxed;                    /* durability = relaxed: do not wait for the disk */
    int64_t units_per_month;         /* of all together, or LEDGER_NO_LIMIT */
    int billing_day;                 /* 1 to 28: the day units are counted from; or LEDGER_BILLING_DAY_KEPT */
    int keep_months;                 /* closed months whose entries stay; 0: all. Needs a base */
    const struct ledger_team *teams; /* copied */
    size_t n_teams;
};

struct ledger_key {
    struct slice id; /* short, shown to people and stored in entries */
    struct slice team;
    struct slice name; /* may be empty */
    bool disabled;
};

/* A call with a token that is no key's. The slices are read during the call of the function only. */
struct ledger_stranger {
    struct slice token, client;
    struct slice agent, table; /* as the client sent them */
    bool metered;              /* served, not refused */
};

/* A call that was refused and has no entry. The slices are read during the call of the function only; any of them but
 * the fault may be empty. */
struct ledger_refusal {
    struct slice team, key, table, fault;
    struct slice shape; /* what the call was like without its literals: begins with LEDGER_REFUSED_WORD */
    struct slice text;  /* as in struct ledger_call */
    int64_t text_bytes;
};

enum ledger_outcome {
    LEDGER_DONE,         /* on disk (or queued, when relaxed) */
    LEDGER_OUT_OF_ROWS,  /* settled rows of the team leave no room */
    LEDGER_OUT_OF_UNITS, /* settled units of team or whole leave no room */
    LEDGER_WAIT,         /* only other calls' open holds stand in the way: wait for some to end */
    LEDGER_DOWN          /* the storage has failed */
};

/* What the limits leave for all of a call, what it holds itself included; LEDGER_NO_LIMIT each where there is none. */
struct ledger_room {
    int64_t rows, team_units, whole_units;             /* though other calls hold some of it by now */
    int64_t rows_now, team_units_now, whole_units_now; /* that they do not, and of the whole within the team's share */
};

/* Whose open holds a call would wait for. */
enum ledger_way {
    LEDGER_WAY_FREE,      /* nobody's: it need not wait */
    LEDGER_WAY_OWN_LIMIT, /* its team's, in the team's own limit of rows or units */
    LEDGER_WAY_OWN_SHARE, /* its team's, in the units of the whole */
    LEDGER_WAY_OTHERS,    /* other teams', in the units of the whole */
};

/* What stands in every entry of one call. The slices are read during the call of the function only. */
struct ledger_call {
    struct slice id; /* see ledger_new_id */
    struct slice team, key, client, table, target;
    struct slice
        shape; /* canonical text of the call without its literals; the books keep each once and give it an id */
    bool where, having;
    bool free_of_rows; /* a free target: rows are 0 */
    struct slice
        text; /* of an end: the call as it came without its token, or empty: it is longer than LEDGER_CALL_BYTES */
    int64_t text_bytes; /* of it, either way; 0: it is not known */
};

struct ledger_settlement {
    struct rows rows;
    int64_t units; /* what Ahrefs took; -1: not known, the prediction stands in */
    int64_t units_predicted;
    int64_t units_alone; /* the price of the call by itself */
    int64_t results;
    const char *via;          /* "upstream", "shared", "cache" */
    struct slice paid_by;     /* id of the call that paid, or empty */
    struct slice approximate; /* words separated by commas, or empty */
    struct slice fault;       /* word, or empty */
    int64_t duration_ms;
};

typedef void ledger_done(void *context, enum ledger_outcome outcome);

/* How the storage does. Without a base all is 0. */
struct ledger_stats {
    struct histogram commits; /* from the first write to the disk's word, of those that came about */
    uint64_t entries;         /* written */
    uint64_t failures;        /* commits that did not come about */
    size_t waiting;           /* entries on their way */
};

/* What a command, or a portion of it, came to. */
struct ledger_answer {
    int status;
    struct slice out, err; /* valid while it is told */
    struct buffer *whole; /* the bytes of `out`, which may be taken over: they may be many. NULL: only `out` is there */
    int64_t next;         /* where it wants to go on; 0: it has ended */
};

typedef void ledger_command_done(void *context, const struct ledger_answer *answer);

#endif
