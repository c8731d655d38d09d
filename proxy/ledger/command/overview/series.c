/* SPDX-License-Identifier: MIT
 * A second reading of the hourly sums: which lines stand by name is known by now. */
#include "proxy/ledger/command/overview/series.h"

#include <stdlib.h>

#include "proxy/ledger/entries/bounds.h"

enum { HOURS_A_PIECE = 8 * 24 };

const char *const step_words[N_STEPS] = { "hour", "day", "month" };

void series_clear(struct series *s)
{
    for (int i = 0; i < SERIES; i++)
        free(s->points[i]);
    free(s->starts);
    free(s->lasts);
}

static int64_t next_start(enum step step, int64_t hour)
{
    if (step == STEP_HOUR)
        return hour + 1;
    if (step == STEP_DAY)
        return (hour / 24 + 1) * 24;
    return hours_of(month_of_day((struct day){ (int32_t)(hour / 24) }, 1)).until;
}

static bool make_room(struct series *s, const struct usage_report *report)
{
    for (int64_t h = report->hours.since; h < report->hours.until; h = next_start(s->step, h))
        s->n++;
    s->starts = calloc(s->n, sizeof *s->starts);
    s->lasts = calloc(report->n + 1, sizeof *s->lasts);
    bool good = s->starts && s->lasts;
    for (int i = 0; i < SERIES; i++) {
        s->points[i] = calloc(s->n, sizeof(struct point));
        good = good && s->points[i];
    }
    int64_t hour = report->hours.since;
    for (size_t i = 0; good && i < s->n; i++, hour = next_start(s->step, hour))
        s->starts[i] = hour;
    s->n_lasts = report->n;
    return good;
}

struct reading {
    struct series *series;
    const struct usage_report *report;
    struct store *store;
};

/* The item that has this name; report->n: it is one of the others. */
static size_t item_of(const struct usage_report *report, struct slice name)
{
    size_t i = 0;
    while (i < report->n && !slice_eq(report->items[i].name, name))
        i++;
    return i;
}

/* The step that an hour is in: the last that begins at it or before. */
static size_t step_at(const struct series *s, int64_t hour)
{
    size_t from = 0, to = s->n;
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        *(s->starts[middle] <= hour ? &from : &to) = middle;
    }
    return from;
}

static bool is_asked_for(const struct usage_report *report, struct slice team, struct slice key)
{
    bool is_own = !key.n && slice_eq(team, S(USAGE_OWN));
    return (!report->team.p || slice_eq(report->team, team)) &&
           (!report->key.p || slice_eq(report->key, is_own ? team : key));
}

static struct slice name_of(const struct usage_report *report, struct slice team, struct slice key, struct slice table)
{
    if (report->by == BY_TEAM)
        return team;
    if (report->by == BY_TABLE)
        return table;
    return !key.n && slice_eq(team, S(USAGE_OWN)) ? team : key;
}

static struct point *point_at(struct series *s, size_t item, int64_t hour)
{
    return &s->points[item < SERIES_NAMED ? item : SERIES_NAMED][step_at(s, hour)];
}

static void take_rollup(void *context, const struct rollup *r)
{
    struct reading *in = context;
    struct slice team = store_name(in->store, r->at.team), key = store_name(in->store, r->at.key);
    if (!is_asked_for(in->report, team, key))
        return;
    size_t item = item_of(in->report, name_of(in->report, team, key, store_name(in->store, r->at.table)));
    struct point *p = point_at(in->series, item, r->at.hour);
    p->units = bounds_sum(p->units, r->sums.units);
    p->rows = bounds_sum(p->rows, r->sums.rows);
    p->calls = bounds_sum(p->calls, r->sums.calls);
    struct last *last = &in->series->lasts[item]; /* of the others, too: there is room for one more */
    if (r->sums.calls && r->last_seq > last->seq)
        *last = (struct last){ .hour = r->at.hour, .seq = r->last_seq };
}

static void take_trace(void *context, const struct trace_row *row)
{
    struct reading *in = context;
    if (row->what != TRACE_REFUSED || !row->team.n || !is_asked_for(in->report, row->team, row->key))
        return;
    size_t item = item_of(in->report, name_of(in->report, row->team, row->key, row->table));
    struct point *p = point_at(in->series, item, row->hour);
    p->calls = bounds_sum(p->calls, row->calls);
    if (row->last_ms > in->series->lasts[item].ms)
        in->series->lasts[item].ms = row->last_ms;
}

static void take_moment(void *context, const struct entry *e)
{
    *(int64_t *)context = e->time_ms;
}

/* The entry knows the moment, as long as it is there. */
static bool find_lasts(struct reading *in, struct buffer *why)
{
    struct series *s = in->series;
    bool good = true;
    for (size_t i = 0; good && i <= in->report->n; i++) {
        struct last *last = &s->lasts[i];
        int64_t next, ms = last->hour * 3600000;
        if (last->seq > store_cut(in->store).seq)
            good = store_entries(in->store, last->seq, 1, take_moment, &ms, &next, why);
        last->ms = ms > last->ms ? ms : last->ms;
        s->last_ms = last->ms > s->last_ms ? last->ms : s->last_ms;
    }
    return good;
}

bool series_collect(struct series *s, const struct usage_report *report, struct command *c, struct buffer *why)
{
    struct reading in = { s, report, c->store };
    if (!make_room(s, report)) {
        buffer_str(why, "ledger: out of memory");
        return false;
    }
    bool good = true;
    for (int64_t hour = report->hours.since; good && hour < report->hours.until; hour += HOURS_A_PIECE) {
        int64_t end = hour + HOURS_A_PIECE < report->hours.until ? hour + HOURS_A_PIECE : report->hours.until;
        good = store_rollups(c->store, hour, end, take_rollup, &in, why);
    }
    return good &&
           refusals_traces(c->refusals, c->store, report->hours.since, report->hours.until, take_trace, &in, why) &&
           find_lasts(&in, why);
}

static void write_numbers(struct buffer *b, const char *name, const struct point *points, size_t n, size_t at)
{
    buffer_printf(b, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        int64_t value;
        memcpy(&value, (const char *)&points[i] + at, sizeof value);
        if (i)
            buffer_put(b, ',');
        buffer_i64(b, value);
    }
    buffer_put(b, ']');
}

static void write_one(struct buffer *b, const struct series *s, int i, struct slice id, struct slice name)
{
    buffer_str(b, i ? ",{\"id\":" : "{\"id\":");
    entry_json_text(b, id);
    buffer_str(b, ",\"name\":");
    entry_json_text(b, name);
    write_numbers(b, "units", s->points[i], s->n, offsetof(struct point, units));
    write_numbers(b, "rows", s->points[i], s->n, offsetof(struct point, rows));
    write_numbers(b, "calls", s->points[i], s->n, offsetof(struct point, calls));
    buffer_put(b, '}');
}

static void write_start(struct buffer *b, enum step step, int64_t hour)
{
    char text[21];
    if (step == STEP_HOUR)
        timestamp_format(hour * 3600, text);
    else
        day_format((struct day){ (int32_t)(hour / 24) }, text);
    buffer_printf(b, "\"%s\"", text);
}

void series_write(struct buffer *b, const struct series *s, const struct usage_report *report)
{
    buffer_str(b, ",\"series\":{\"starts\":[");
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            buffer_put(b, ',');
        write_start(b, s->step, s->starts[i]);
    }
    buffer_str(b, "],\"items\":[");
    int n = report->n < SERIES_NAMED ? (int)report->n : SERIES_NAMED;
    for (int i = 0; i < n; i++) {
        const struct usage_item *item = &report->items[i];
        write_one(b, s, i, item->name, item->of_name.n ? item->of_name : item->name);
    }
    if (report->n > SERIES_NAMED || report->n_others)
        write_one(b, s, SERIES_NAMED, S(USAGE_OTHERS), S(USAGE_OTHERS));
    buffer_str(b, "]}");
}
