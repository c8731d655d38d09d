/* SPDX-License-Identifier: MIT
 * What is left of the limits: rows by the calendar month, units from the billing day, what open calls hold as well. */
#include <stdlib.h>

#include "proxy/ledger/command/usage.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/store/recovery.h"

enum { ROWS, UNITS, KINDS, HOURS_A_PIECE = 8 * 24 };

struct spending {
    struct spent kinds[KINDS];
    int64_t first_seq[KINDS]; /* of the month; 0: none */
    int64_t first_hour[KINDS];
};

/* Of each team by the number of its name, and of the whole. */
struct months {
    struct store *store;
    struct period periods[KINDS];
    int64_t now_ms;
    struct names names;
    struct spending *teams;
    int32_t n, room;
    struct spending whole;
    bool failed;
};

static const struct spending nothing = { .kinds = { { .limit = LEDGER_NO_LIMIT, .first_ms = INT64_MAX },
                                                    { .limit = LEDGER_NO_LIMIT, .first_ms = INT64_MAX } } };

static struct spending *team_of(struct months *m, struct slice name)
{
    static struct spending nowhere;
    int32_t number = names_add(&m->names, name);
    if (number == m->room) {
        int32_t room = m->room ? m->room * 2 : 64;
        struct spending *teams = realloc(m->teams, (size_t)room * sizeof *teams);
        if (teams) {
            m->teams = teams;
            m->room = room;
        }
    }
    if (number < 0 || number >= m->room) {
        m->failed = true;
        return &nowhere;
    }
    if (number == m->n)
        m->teams[m->n++] = nothing;
    return &m->teams[number];
}

static void spend(struct months *m, struct spending *s, int kind, const struct rollup *r)
{
    int64_t n = kind == ROWS ? r->sums.rows : r->sums.units;
    struct spent *spent = &s->kinds[kind];
    spent->used = bounds_sum(spent->used, n);
    if (r->at.hour >= forecast_since_hour(m->now_ms) && r->at.hour <= hour_of_ms(m->now_ms))
        spent->recent = bounds_sum(spent->recent, n);
    if (!s->first_seq[kind] || r->at.hour < s->first_hour[kind] ||
        (r->at.hour == s->first_hour[kind] && r->first_seq < s->first_seq[kind])) {
        s->first_seq[kind] = r->first_seq;
        s->first_hour[kind] = r->at.hour;
    }
}

/* Notes are in the hours too, and are no calls. */
static void take_rollup(void *context, const struct rollup *r)
{
    struct months *m = context;
    if (!r->sums.calls && !r->sums.rows && !r->sums.units)
        return;
    struct spending *team = team_of(m, store_name(m->store, r->at.team));
    for (int kind = 0; kind < KINDS; kind++) {
        if (period_has(m->periods[kind], day_of_ms(r->at.hour * 3600000))) {
            spend(m, team, kind, r);
            spend(m, &m->whole, kind, r);
        }
    }
}

static bool read_hours(struct months *m, struct buffer *why)
{
    struct hours rows = hours_of(m->periods[ROWS]), units = hours_of(m->periods[UNITS]);
    int64_t hour = rows.since < units.since ? rows.since : units.since;
    int64_t until = rows.until > units.until ? rows.until : units.until;
    bool good = true;
    for (; good && hour < until; hour += HOURS_A_PIECE)
        good = store_rollups(m->store, hour, hour + HOURS_A_PIECE < until ? hour + HOURS_A_PIECE : until, take_rollup,
                             m, why);
    return good;
}

static void hold(struct spending *s, const struct entry *e)
{
    s->kinds[ROWS].held = bounds_sum(s->kinds[ROWS].held, e->rows);
    s->kinds[UNITS].held = bounds_sum(s->kinds[UNITS].held, e->units);
}

/* Those of a month that has ended are held as well: such a call ends in this one. */
static bool read_held(struct months *m, struct buffer *why)
{
    struct entry_list open = { 0 };
    bool good = open_holds(m->store, &open, why);
    for (size_t i = 0; good && i < open.n; i++) {
        hold(team_of(m, open.entries[i]->team), open.entries[i]);
        hold(&m->whole, open.entries[i]);
    }
    entry_list_clear(&open);
    return good;
}

static void take_time(void *context, const struct entry *e)
{
    *(int64_t *)context = e->time_ms;
}

/* The moment of the first entry, which the hours do not tell; the beginning of its hour when it was removed. */
static bool finish(struct months *m, struct spending *s, int kind, int64_t limit, struct usage_limit *to,
                   struct buffer *why)
{
    int64_t next, ms = INT64_MAX, hour_ms = s->first_hour[kind] * 3600000;
    if (s->first_seq[kind] && !store_entries(m->store, s->first_seq[kind], 1, take_time, &ms, &next, why))
        return false;
    if (s->first_seq[kind] && hour_of_ms(ms) != s->first_hour[kind])
        ms = hour_ms;
    to->is_units = kind == UNITS;
    to->month = m->periods[kind];
    to->spent = s->kinds[kind];
    to->spent.limit = limit;
    to->spent.first_ms = ms;
    to->forecast = forecast_of(&to->spent, to->month, m->now_ms);
    return true;
}

static int closest_first(const void *a, const void *b)
{
    const struct usage_limit *x = a, *y = b;
    const struct spent *s = &x->spent, *t = &y->spent;
    __int128 left = (__int128)(s->used + s->held) * (t->limit ? t->limit : 1);
    __int128 right = (__int128)(t->used + t->held) * (s->limit ? s->limit : 1);
    if (!s->limit != !t->limit)
        return s->limit ? 1 : -1;
    if (left != right)
        return left < right ? 1 : -1;
    int order = slice_cmp(x->team, y->team);
    return order ? order : (int)x->is_units - (int)y->is_units;
}

static bool finish_teams(struct usage_limits *limits, struct months *m, const struct limits *l, struct slice team,
                         struct buffer *why)
{
    bool good = true;
    limits->items = calloc(l->n_teams * KINDS + 1, sizeof *limits->items);
    m->failed = m->failed || !limits->items;
    for (size_t i = 0; good && !m->failed && i < l->n_teams; i++) {
        struct slice name = slice_str(l->teams[i].name);
        const int64_t most[KINDS] = { l->teams[i].rows_per_month, l->teams[i].units_per_month };
        for (int kind = 0; good && kind < KINDS; kind++) {
            if (most[kind] == LEDGER_NO_LIMIT || (team.p && !slice_eq(team, name)))
                continue;
            struct usage_limit *to = &limits->items[limits->n++];
            to->team = name;
            good = finish(m, team_of(m, name), kind, most[kind], to, why);
        }
    }
    if (good && limits->n)
        qsort(limits->items, limits->n, sizeof *limits->items, closest_first);
    return good;
}

bool usage_limits_read(struct usage_limits *limits, struct command *c, struct slice team, int64_t now_ms,
                       struct buffer *why)
{
    struct day today = day_of_ms(now_ms);
    struct months m = {
        .store = c->store,
        .periods = { [ROWS] = month_of_day(today, 1), [UNITS] = month_of_day(today, c->limits->billing_day) },
        .now_ms = now_ms,
        .whole = nothing
    };
    *limits = (struct usage_limits){ 0 };
    bool good = read_hours(&m, why) && read_held(&m, why) &&
                finish(&m, &m.whole, UNITS, c->limits->units_per_month, &limits->whole, why) &&
                finish_teams(limits, &m, c->limits, team, why);
    if (good && m.failed)
        buffer_str(why, "ledger: out of memory");
    names_clear(&m.names);
    free(m.teams);
    return good && !m.failed;
}

void usage_limits_clear(struct usage_limits *limits)
{
    free(limits->items);
}

const struct usage_limit *usage_limit_of(const struct usage_limits *limits, struct slice team, bool is_units)
{
    for (size_t i = 0; i < limits->n; i++)
        if (limits->items[i].is_units == is_units && slice_eq(limits->items[i].team, team))
            return &limits->items[i];
    return NULL;
}

static void show(const struct usage_limit *limit, int64_t *most, int64_t *left)
{
    if (limit && limit->spent.limit != LEDGER_NO_LIMIT) {
        *most = limit->spent.limit;
        *left = spent_left(&limit->spent);
    }
}

static void show_team(const struct usage_limits *limits, struct slice team, struct usage_item *item)
{
    show(usage_limit_of(limits, team, false), &item->rows_limit, &item->rows_left);
    show(usage_limit_of(limits, team, true), &item->units_limit, &item->units_left);
}

/* A key has no limit, and of rows the whole has none. */
void usage_limits_show(struct usage_report *report)
{
    if (!usage_is_running(report) || report->key.p)
        return;
    for (size_t i = 0; report->by == BY_TEAM && report->per == BY_NONE && i < report->n; i++)
        show_team(&report->limits, report->items[i].name, &report->items[i]);
    if (report->team.p)
        show_team(&report->limits, report->team, &report->total);
    else
        show(&report->limits.whole, &report->total.units_limit, &report->total.units_left);
}
