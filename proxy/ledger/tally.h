/* SPDX-License-Identifier: MIT
 *
 * What every team has used and holds, in memory: limits are checked against these numbers and nowhere else. Used
 * amounts are kept by day, so that a month can begin on any day and the clock may step back.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_TALLY_H
#define ANCHORAGE_PROXY_LEDGER_TALLY_H

#include "proxy/ledger/entries/entry.h"
#include "proxy/ledger/entries/limits.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/entries/names.h"
#include "proxy/ledger/entries/rollup.h"

struct tally_day {
    struct day day;
    int64_t rows, units;
};

struct team {
    int64_t rows_limit, units_limit; /* or LEDGER_NO_LIMIT */
    int64_t rows_used, units_used;   /* of the running months */
    int64_t rows_held, units_held;
    struct sums all_time;   /* of what is on disk; limits do not look at it */
    struct tally_day *days; /* ascending */
    size_t n_days, room;
};

struct tally {
    struct names names;
    struct team *teams; /* by the numbers of names; pointers to one live until the next tally_team */
    int32_t room;
    int64_t units_limit, units_used, units_held; /* of the whole */
    size_t n_sharing;                            /* teams that calls can be of */
    int billing_day;
    struct period rows_month, units_month;
    int32_t last_day; /* the newest on which anybody used something */
};

void tally_clear(struct tally *t);

/* Take limits; a team that is no longer configured keeps its last ones, for the calls that it has under way: no other
 * can come. False when memory is out: then the old ones stay. */
[[nodiscard]] bool tally_limit(struct tally *t, const struct limits *l, struct day today);

/* Forget what was used and held, keep the limits. */
void tally_zero(struct tally *t);

/* The number of a team, made if need be; -1 when memory is out. */
int32_t tally_team(struct tally *t, struct slice name);
int32_t tally_find(const struct tally *t, struct slice name);

/* What a team (none: -1) and the whole have used in the months of `today`, turned or not. */
struct tally_used {
    int64_t rows, units, whole_units;
};
struct tally_used tally_used(const struct tally *t, int32_t number, struct day today);

/* Let the running months be those of `today`. Cheap when they are. */
void tally_turn(struct tally *t, struct day today);

/* Whether `rows` and `units` more may be held by a team for a call that holds `own` already. When the clock has stepped
 * back, what is used in the next month counts as well: the call may end there. */
enum ledger_outcome tally_check(const struct tally *t, int32_t team, struct rows rows, struct units units,
                                struct rows own_rows, struct units own_units);

/* Whether `units` more of a call are within its team's share of the whole's (base/share.h), where several teams are
 * configured. */
bool tally_fits_share(const struct tally *t, int32_t team, struct units units, struct units own);

/* Whose holds stand in the way of a call that does not fit now by one of these. */
enum ledger_way tally_way(const struct tally *t, int32_t team, struct rows rows, struct units units,
                          struct rows own_rows, struct units own_units);

/* What the limits leave for a call of a team that holds `own` already, with that: see struct ledger_room. */
struct ledger_room tally_room(const struct tally *t, int32_t team, struct rows own_rows, struct units own_units);

void tally_hold(struct tally *t, int32_t team, int64_t rows, int64_t units);
[[nodiscard]] bool tally_use(struct tally *t, int32_t team, struct day day, int64_t rows, int64_t units);

#endif
