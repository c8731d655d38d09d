/* SPDX-License-Identifier: MIT
 * The counters that limits are checked against. */
#include "proxy/ledger/tally.h"

#include <stdlib.h>

#include "base/share.h"
#include "proxy/ledger/entries/bounds.h"

void tally_clear(struct tally *t)
{
    for (int32_t i = 0; i < t->names.n; i++)
        free(t->teams[i].days);
    free(t->teams);
    names_clear(&t->names);
    *t = (struct tally){ 0 };
}

void tally_zero(struct tally *t)
{
    for (int32_t i = 0; i < t->names.n; i++) {
        struct team *team = &t->teams[i];
        team->n_days = 0;
        team->rows_used = team->units_used = team->rows_held = team->units_held = 0;
    }
    t->units_used = t->units_held = 0;
    t->last_day = 0;
}

int32_t tally_find(const struct tally *t, struct slice name)
{
    return names_find(&t->names, name);
}

int32_t tally_team(struct tally *t, struct slice name)
{
    int32_t there = names_find(&t->names, name);
    if (there >= 0)
        return there;
    if (t->names.n == t->room) {
        int32_t room = t->room ? t->room * 2 : 16;
        struct team *teams = realloc(t->teams, (size_t)room * sizeof *teams);
        if (!teams)
            return -1;
        t->teams = teams;
        t->room = room;
    }
    int32_t number = names_add(&t->names, name);
    if (number >= 0)
        t->teams[number] = (struct team){ .rows_limit = LEDGER_NO_LIMIT, .units_limit = LEDGER_NO_LIMIT };
    return number;
}

static int64_t rows_in(const struct team *team, struct period p)
{
    int64_t rows = 0;
    for (size_t i = 0; i < team->n_days; i++)
        rows = bounds_sum(rows, period_has(p, team->days[i].day) ? team->days[i].rows : 0);
    return rows;
}

static int64_t units_in(const struct team *team, struct period p)
{
    int64_t units = 0;
    for (size_t i = 0; i < team->n_days; i++)
        units = bounds_sum(units, period_has(p, team->days[i].day) ? team->days[i].units : 0);
    return units;
}

/* Add up the months anew. */
static void add_up(struct tally *t)
{
    t->units_used = 0;
    for (int32_t i = 0; i < t->names.n; i++) {
        t->teams[i].rows_used = rows_in(&t->teams[i], t->rows_month);
        t->teams[i].units_used = units_in(&t->teams[i], t->units_month);
        t->units_used = bounds_sum(t->units_used, t->teams[i].units_used);
    }
}

struct tally_used tally_used(const struct tally *t, int32_t number, struct day today)
{
    const struct team *team = number < 0 ? NULL : &t->teams[number];
    if (period_has(t->rows_month, today) && period_has(t->units_month, today))
        return (struct tally_used){ team ? team->rows_used : 0, team ? team->units_used : 0, t->units_used };
    struct tally_used used = { 0 };
    struct period units_month = month_of_day(today, t->billing_day);
    if (team) {
        used.rows = rows_in(team, month_of_day(today, 1));
        used.units = units_in(team, units_month);
    }
    for (int32_t i = 0; i < t->names.n; i++)
        used.whole_units = bounds_sum(used.whole_units, units_in(&t->teams[i], units_month));
    return used;
}

void tally_turn(struct tally *t, struct day today)
{
    if (period_has(t->rows_month, today) && period_has(t->units_month, today))
        return;
    t->rows_month = month_of_day(today, 1);
    t->units_month = month_of_day(today, t->billing_day);
    add_up(t);
}

bool tally_limit(struct tally *t, const struct limits *l, struct day today)
{
    size_t n_sharing = 0;
    for (size_t i = 0; i < l->n_teams; i++) {
        if (tally_team(t, slice_str(l->teams[i].name)) < 0)
            return false;
    }
    for (size_t i = 0; i < l->n_teams; i++) {
        int32_t number = tally_find(t, slice_str(l->teams[i].name));
        t->teams[number].rows_limit = l->teams[i].rows_per_month;
        t->teams[number].units_limit = l->teams[i].units_per_month;
        n_sharing += strcmp(l->teams[i].name, "*") != 0; /* no call is of team * */
    }
    t->units_limit = l->units_per_month;
    t->n_sharing = n_sharing;
    t->billing_day = l->billing_day;
    t->rows_month = month_of_day(today, 1);
    t->units_month = month_of_day(today, t->billing_day);
    add_up(t);
    return true;
}

/* Whether it fits, fits only once others' holds have ended, or does not fit. */
enum fit { FITS, FITS_LATER, NEVER_FITS };

static enum fit fit(int64_t limit, int64_t used, int64_t held, int64_t own, int64_t more)
{
    if (limit == LEDGER_NO_LIMIT || more <= 0)
        return FITS;
    int64_t left = limit - used - own;
    if (more > left)
        return NEVER_FITS;
    return more > left - (held - own) ? FITS_LATER : FITS;
}

static void at_least(int64_t *amount, int64_t least)
{
    if (*amount < least)
        *amount = least;
}

/* The clock has stepped back: count the fuller of the running month and the next. */
static void look_ahead(const struct tally *t, int32_t number, struct tally_used *used)
{
    struct tally_used rows = tally_used(t, number, t->rows_month.until);
    struct tally_used units = tally_used(t, number, t->units_month.until);
    at_least(&used->rows, rows.rows);
    at_least(&used->units, units.units);
    at_least(&used->whole_units, units.whole_units);
}

/* In the months that a hold of now may end in. */
static struct tally_used used_for_holds(const struct tally *t, int32_t number)
{
    const struct team *team = &t->teams[number];
    struct tally_used used = { team->rows_used, team->units_used, t->units_used };
    if (t->last_day >= t->rows_month.until.n || t->last_day >= t->units_month.until.n)
        look_ahead(t, number, &used);
    return used;
}

enum ledger_outcome tally_check(const struct tally *t, int32_t number, struct rows rows, struct units units,
                                struct rows own_rows, struct units own_units)
{
    const struct team *team = &t->teams[number];
    struct tally_used used = used_for_holds(t, number);
    enum fit r = fit(team->rows_limit, used.rows, team->rows_held, own_rows.n, rows.n);
    enum fit u = fit(team->units_limit, used.units, team->units_held, own_units.n, units.n);
    enum fit w = fit(t->units_limit, used.whole_units, t->units_held, own_units.n, units.n);
    if (r == NEVER_FITS)
        return LEDGER_OUT_OF_ROWS;
    if (u == NEVER_FITS || w == NEVER_FITS)
        return LEDGER_OUT_OF_UNITS;
    return r == FITS && u == FITS && w == FITS ? LEDGER_DONE : LEDGER_WAIT;
}

enum ledger_way tally_way(const struct tally *t, int32_t number, struct rows rows, struct units units,
                          struct rows own_rows, struct units own_units)
{
    const struct team *team = &t->teams[number];
    struct tally_used used = used_for_holds(t, number);
    if (t->n_sharing < 2 || fit(team->rows_limit, used.rows, team->rows_held, own_rows.n, rows.n) != FITS ||
        fit(team->units_limit, used.units, team->units_held, own_units.n, units.n) != FITS)
        return LEDGER_WAY_OWN_LIMIT;
    int64_t others = t->units_held - team->units_held;
    if (fit(t->units_limit, used.whole_units, own_units.n + others, own_units.n, units.n) != FITS)
        return LEDGER_WAY_OTHERS;
    return LEDGER_WAY_OWN_SHARE;
}

bool tally_fits_share(const struct tally *t, int32_t number, struct units units, struct units own)
{
    int64_t held = t->teams[number].units_held;
    if (t->units_limit == LEDGER_NO_LIMIT || t->n_sharing < 2 || units.n <= 0)
        return true;
    return share_fits(t->units_limit - used_for_holds(t, number).whole_units, t->units_held - held, held - own.n,
                      own.n + units.n);
}

static int64_t room_of(int64_t limit, int64_t used)
{
    if (limit == LEDGER_NO_LIMIT)
        return LEDGER_NO_LIMIT;
    return limit > used ? limit - used : 0;
}

/* What a call may have of the whole's units without leave to be large: what others do not hold, within the share. */
static int64_t whole_now(const struct tally *t, int32_t number, int64_t used, int64_t own)
{
    int64_t of_team = t->teams[number].units_held,
            free = room_of(t->units_limit, bounds_sum(used, t->units_held - own));
    if (t->units_limit == LEDGER_NO_LIMIT || t->n_sharing < 2)
        return free;
    return share_left(t->units_limit - used, t->units_held - of_team, of_team - own);
}

struct ledger_room tally_room(const struct tally *t, int32_t number, struct rows own_rows, struct units own_units)
{
    const struct team *team = &t->teams[number];
    struct tally_used used = used_for_holds(t, number);
    int64_t others = bounds_sum(used.units, team->units_held - own_units.n);
    return (struct ledger_room){
        .rows = room_of(team->rows_limit, used.rows),
        .team_units = room_of(team->units_limit, used.units),
        .whole_units = room_of(t->units_limit, used.whole_units),
        .rows_now = room_of(team->rows_limit, bounds_sum(used.rows, team->rows_held - own_rows.n)),
        .team_units_now = room_of(team->units_limit, others),
        .whole_units_now = whole_now(t, number, used.whole_units, own_units.n),
    };
}

void tally_hold(struct tally *t, int32_t number, int64_t rows, int64_t units)
{
    struct team *team = &t->teams[number];
    team->rows_held = bounds_sum(team->rows_held, rows);
    team->units_held = bounds_sum(team->units_held, units);
    t->units_held = bounds_sum(t->units_held, units);
}

/* The place of a day, made if need be. Nearly always the last one. */
static struct tally_day *place_of(struct team *team, struct day day)
{
    size_t at = team->n_days;
    while (at > 0 && team->days[at - 1].day.n > day.n)
        at--;
    if (at > 0 && team->days[at - 1].day.n == day.n)
        return &team->days[at - 1];
    if (team->n_days == team->room) {
        size_t room = team->room ? team->room * 2 : 64;
        struct tally_day *days = realloc(team->days, room * sizeof *days);
        if (!days)
            return NULL;
        team->days = days;
        team->room = room;
    }
    memmove(&team->days[at + 1], &team->days[at], (team->n_days - at) * sizeof *team->days);
    team->n_days++;
    team->days[at] = (struct tally_day){ .day = day };
    return &team->days[at];
}

bool tally_use(struct tally *t, int32_t number, struct day day, int64_t rows, int64_t units)
{
    if (!rows && !units)
        return true;
    struct team *team = &t->teams[number];
    struct tally_day *place = place_of(team, day);
    if (!place)
        return false;
    if (day.n > t->last_day)
        t->last_day = day.n;
    place->rows = bounds_sum(place->rows, rows);
    place->units = bounds_sum(place->units, units);
    if (period_has(t->rows_month, day))
        team->rows_used = bounds_sum(team->rows_used, rows);
    if (period_has(t->units_month, day)) {
        team->units_used = bounds_sum(team->units_used, units);
        t->units_used = bounds_sum(t->units_used, units);
    }
    return true;
}
