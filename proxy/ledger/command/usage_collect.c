/* SPDX-License-Identifier: MIT
 * Adding up. Teams, keys, tables, days and hours come from the hourly sums; clients and targets, of which there may be
 * very many, from the entries themselves. */
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/command/usage.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/store/recovery.h"

enum { PAGE = 1024, DAYS_A_PIECE = 8 };

/* There may be millions of clients and targets. At so many, or so many bytes of them, the cheap ones are put together.
 */
enum { MAX_ITEMS = 16384, KEPT_ITEMS = 4096, MAX_NAME_BYTES = 16 * 1024 * 1024 };

const char *const usage_by_words[N_BY] = {
    [BY_TEAM] = "team", [BY_KEY] = "key",     [BY_CLIENT] = "client", [BY_DAY] = "day",
    [BY_HOUR] = "hour", [BY_TABLE] = "table", [BY_TARGET] = "target",
};

void usage_clear(struct usage_report *report)
{
    free(report->items);
    names_clear(&report->names);
}

/* ---- the dearest of very many ---- */

static bool has_no_end(const struct usage_report *report)
{
    return report->by == BY_CLIENT || report->by == BY_TARGET;
}

static int64_t first_difference(const struct usage_item *x, const struct usage_item *y)
{
    if (x->sums.units != y->sums.units)
        return x->sums.units < y->sums.units ? 1 : -1;
    if (x->sums.rows != y->sums.rows)
        return x->sums.rows < y->sums.rows ? 1 : -1;
    return x->sums.calls < y->sums.calls ? 1 : x->sums.calls > y->sums.calls ? -1 : 0;
}

static int dearest_first(const void *a, const void *b)
{
    const struct usage_item *x = a, *y = b;
    int64_t difference = first_difference(x, y);
    return difference ? (int)difference : slice_cmp(x->name, y->name);
}

/* Keep the `n` dearest by name, add the rest to the others. */
static void keep_dearest(struct usage_report *report, size_t n)
{
    struct names kept = { 0 };
    if (report->n <= n)
        return;
    qsort(report->items, report->n, sizeof *report->items, dearest_first);
    for (size_t i = n; i < report->n; i++)
        sums_add(&report->others.sums, &report->items[i].sums);
    report->n = n;
    report->name_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct usage_item *item = &report->items[i];
        int32_t number = names_add(&kept, item->name);
        report->failed |= number != (int32_t)i;
        item->name = names_text(&kept, number);
        report->name_bytes += item->name.n;
    }
    names_clear(&report->names);
    report->names = kept;
}

static void make_room(struct usage_report *report)
{
    bool is_full = report->n >= MAX_ITEMS || report->name_bytes >= MAX_NAME_BYTES;
    if (!has_no_end(report) || !is_full || report->n <= KEPT_ITEMS)
        return;
    keep_dearest(report, KEPT_ITEMS);
    report->is_cut = true;
}

static struct usage_item *item_of(struct usage_report *report, struct slice name)
{
    static struct usage_item nowhere;
    int32_t there = report->is_closed || has_no_end(report) ? names_find(&report->names, name) : -1;
    if (there >= 0)
        return &report->items[there];
    if (report->is_closed)
        return &report->others;
    make_room(report);
    int32_t number = names_add(&report->names, name);
    if (number >= 0 && (size_t)number < report->n)
        return &report->items[number];
    if (number >= 0 && report->n == report->room) {
        size_t room = report->room ? report->room * 2 : 64;
        struct usage_item *items = realloc(report->items, room * sizeof *items);
        if (items) {
            report->items = items;
            report->room = room;
        }
    }
    if (number < 0 || report->n == report->room) {
        report->failed = true;
        return &nowhere;
    }
    report->name_bytes += name.n;
    report->items[report->n] = (struct usage_item){ .name = names_text(&report->names, number),
                                                    .rows_limit = LEDGER_NO_LIMIT,
                                                    .rows_left = LEDGER_NO_LIMIT };
    return &report->items[report->n++];
}

static struct slice name_of_time(enum usage_by by, int64_t ms, char text[21])
{
    if (by == BY_DAY)
        day_format(day_of_ms(ms), text);
    else
        timestamp_format(hour_of_ms(ms) * 3600, text);
    return slice_str(text);
}

/* ---- from the hourly sums ---- */

struct reading {
    struct usage_report *report;
    struct command *c;
};

static void take_rollup(void *context, const struct rollup *r)
{
    struct reading *reading = context;
    enum usage_by by = reading->report->by;
    char text[21];
    int32_t id = by == BY_TEAM ? r->at.team : by == BY_KEY ? r->at.key : r->at.table;
    struct slice name = by == BY_DAY || by == BY_HOUR ? name_of_time(by, r->at.hour * 3600000, text)
                                                      : store_name(reading->c->store, id);
    sums_add(&item_of(reading->report, name)->sums, &r->sums);
}

/* The days of a period that have hours in the books: a period may be thousands of years long. */
static bool days_there(struct store *s, struct period *p, struct buffer *why)
{
    int64_t first, last;
    if (!store_hours(s, &first, &last, why))
        return false;
    int32_t since = (int32_t)(bounds_hour(first) / 24), until = (int32_t)(bounds_hour(last) / 24 + 1);
    p->since.n = p->since.n > since ? p->since.n : since;
    p->until.n = p->until.n < until ? p->until.n : until;
    return true;
}

/* In pieces, so that no call waits long for the store. */
static bool collect_rollups(struct reading *reading, struct buffer *why)
{
    struct period p = reading->report->period;
    bool good = days_there(reading->c->store, &p, why);
    for (int32_t day = p.since.n; good && day < p.until.n; day += DAYS_A_PIECE) {
        int32_t end = day + DAYS_A_PIECE < p.until.n ? day + DAYS_A_PIECE : p.until.n;
        good = store_rollups(reading->c->store, (int64_t)day * 24, (int64_t)end * 24, take_rollup, reading, why);
    }
    return good;
}

/* ---- from the entries ---- */

struct span {
    int64_t first_seq, last_seq;
};

static void take_span(void *context, const struct rollup *r)
{
    struct span *span = context;
    if (!span->first_seq || r->first_seq < span->first_seq)
        span->first_seq = r->first_seq;
    if (r->last_seq > span->last_seq)
        span->last_seq = r->last_seq;
}

static struct slice name_of_entry(const struct entry *e, enum usage_by by, char text[21])
{
    const struct slice names[N_BY] = {
        [BY_TEAM] = e->team, [BY_KEY] = e->key, [BY_CLIENT] = e->client, [BY_TABLE] = e->table, [BY_TARGET] = e->target,
    };
    return by == BY_DAY || by == BY_HOUR ? name_of_time(by, e->time_ms, text) : names[by];
}

static void take_entry(void *context, const struct entry *e)
{
    struct reading *reading = context;
    char text[21];
    if (e->kind != ENTRY_HOLD && e->kind != ENTRY_NOTE && period_has(reading->report->period, day_of_ms(e->time_ms)))
        sums_add_entry(&item_of(reading->report, name_of_entry(e, reading->report->by, text))->sums, e);
}

static bool read_entries(struct reading *reading, const struct span *span, struct buffer *why)
{
    bool good = true;
    for (int64_t seq = span->first_seq; good && seq && seq <= span->last_seq;)
        good = store_entries(reading->c->store, seq, PAGE, take_entry, reading, &seq, why);
    return good;
}

/* Once to know who is dear, and again for their sums where these had to be cut. */
static bool collect_entries(struct reading *reading, struct buffer *why)
{
    struct span span = { 0 };
    struct usage_report *report = reading->report;
    struct period p = report->period;
    bool good =
        store_rollups(reading->c->store, (int64_t)p.since.n * 24, (int64_t)p.until.n * 24, take_span, &span, why);
    if (good)
        command_note_cut(reading->c, span.first_seq);
    good = good && read_entries(reading, &span, why);
    keep_dearest(report, USAGE_SHOWN);
    report->is_closed = report->n == USAGE_SHOWN;
    if (!good || !report->is_cut)
        return good;
    report->is_closed = true;
    report->others.sums = (struct sums){ 0 };
    for (size_t i = 0; i < report->n; i++)
        report->items[i].sums = (struct sums){ 0 };
    return read_entries(reading, &span, why);
}

/* ---- what is held, what is left ---- */

static bool collect_held(struct reading *reading, struct buffer *why)
{
    struct usage_report *report = reading->report;
    struct entry_list open = { 0 };
    bool good = open_holds(reading->c->store, &open, why);
    for (size_t i = 0; good && i < open.n; i++) {
        char text[21];
        if (!period_has(report->period, day_of_ms(open.entries[i]->time_ms)))
            continue;
        struct usage_item *item = item_of(report, name_of_entry(open.entries[i], report->by, text));
        item->rows_held = bounds_sum(item->rows_held, open.entries[i]->rows);
    }
    entry_list_clear(&open);
    return good;
}

/* Limits are of the running month, and shown in a period that has today in it; what is left is counted in the whole
 * month, whatever the period. */
static bool collect_limits(struct reading *reading, struct buffer *why)
{
    struct usage_report *report = reading->report;
    const struct limits *limits = reading->c->limits;
    struct day today = day_of_ms(clock_wall_ms());
    bool running = period_has(report->period, today);
    if (report->by != BY_TEAM)
        return true;
    struct usage_report month = { .by = BY_TEAM, .period = month_of_day(today, 1) };
    struct reading of_month = { .report = &month, .c = reading->c };
    bool good = !running || (collect_rollups(&of_month, why) && collect_held(&of_month, why));
    for (size_t i = 0; good && i < limits->n_teams; i++) {
        struct usage_item *item = item_of(report, slice_str(limits->teams[i].name));
        int64_t limit = limits->teams[i].rows_per_month;
        if (limit == LEDGER_NO_LIMIT || !running)
            continue;
        const struct usage_item *used = item_of(&month, item->name);
        int64_t left = limit - used->sums.rows - used->rows_held;
        item->rows_limit = limit;
        item->rows_left = left > 0 ? left : 0;
    }
    usage_clear(&month);
    return good;
}

bool usage_collect(struct usage_report *report, struct command *c, struct buffer *why)
{
    struct reading reading = { .report = report, .c = c };
    report->others.name = S("others");
    report->others.rows_limit = report->others.rows_left = LEDGER_NO_LIMIT;
    bool good = (has_no_end(report) ? collect_entries(&reading, why) : collect_rollups(&reading, why)) &&
                collect_held(&reading, why) && collect_limits(&reading, why);
    if (good && report->failed)
        buffer_str(why, "ledger: out of memory");
    return good && !report->failed;
}

/* ---- order ---- */

static int by_name(const void *a, const void *b)
{
    const struct usage_item *x = a, *y = b;
    return slice_cmp(x->name, y->name);
}

static bool is_empty(const struct usage_item *item)
{
    static const struct sums nothing;
    return memcmp(&item->sums, &nothing, sizeof nothing) == 0 && item->rows_held == 0;
}

void usage_sort(struct usage_report *report, const struct limits *limits)
{
    size_t kept = 0;
    for (size_t i = 0; i < report->n; i++) {
        bool configured = report->by == BY_TEAM && limits_team(limits, report->items[i].name);
        if (configured || !is_empty(&report->items[i]))
            report->items[kept++] = report->items[i];
    }
    report->n = kept;
    if (kept)
        qsort(report->items, kept, sizeof *report->items, by_name);
    if (!is_empty(&report->others))
        report->items[report->n++] = report->others; /* there were more than are left, so there is room */
}
