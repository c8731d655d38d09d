/* SPDX-License-Identifier: MIT
 * Usage for people: a table that fits a terminal, then what is left and how long it lasts. */
#include <stdio.h>

#include "base/shown.h"
#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/command/usage.h"

enum { LEAST_NAME = 12, CELL = 32, PARTS = 5, MAX_PART = 24, GAP = 2 };

static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
                                      "July",    "August",   "September", "October", "November", "December" };

/* ---- numbers and days ---- */

static void put_number(struct buffer *b, int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < length; i++) {
        buffer_put(b, digits[i]);
        if (digits[i] != '-' && i + 1 < length && (length - 1 - i) % 3 == 0)
            buffer_put(b, ',');
    }
}

static void put_permille(struct buffer *b, int64_t permille)
{
    if (permille < 100)
        buffer_printf(b, "%d.%d %%", (int)(permille / 10), (int)(permille % 10));
    else
        buffer_printf(b, "%lld %%", (long long)(permille / 10 + (permille % 10 >= 5)));
}

static void put_share(struct buffer *b, int64_t part, int64_t whole)
{
    if (whole <= 0 || part < 0)
        buffer_put(b, '-');
    else if (part == 0)
        buffer_str(b, "0 %");
    else if ((__int128)part * 1000 < whole)
        buffer_str(b, "<0.1 %");
    else
        put_permille(b, (int64_t)(((__int128)part * 1000 + whole / 2) / whole));
}

static void put_short_day(struct buffer *b, struct day day)
{
    struct civil c = day_to_civil(day);
    buffer_printf(b, "%d %.3s", c.day, months[c.month - 1]);
}

static void put_first_day(struct buffer *b, int64_t hour, bool has_month, bool has_year)
{
    struct civil c = day_to_civil((struct day){ (int32_t)(hour / 24) });
    buffer_printf(b, "%d", c.day);
    if (has_month)
        buffer_printf(b, " %s", months[c.month - 1]);
    if (has_year)
        buffer_printf(b, " %d", c.year);
    if (hour % 24)
        buffer_printf(b, " %02d:00", (int)(hour % 24));
}

/* "1 to 23 November 2026, UTC": what has not come yet is not named. */
static void put_period(struct buffer *b, const struct usage_report *report)
{
    struct hours h = report->hours;
    int64_t now = hour_of_ms(report->now_ms), last = h.until - 1;
    last = usage_is_running(report) && now < last ? now : last;
    struct civil from = day_to_civil((struct day){ (int32_t)(h.since / 24) });
    struct civil to = day_to_civil((struct day){ (int32_t)(last / 24) });
    bool same_year = from.year == to.year, same_month = same_year && from.month == to.month;
    if (!same_month || from.day != to.day || h.since % 24) {
        put_first_day(b, h.since, !same_month || h.since % 24, !same_year);
        buffer_str(b, " to ");
    }
    if (h.until % 24 && last == h.until - 1)
        put_first_day(b, h.until, true, true);
    else
        put_first_day(b, last / 24 * 24, true, true);
    buffer_str(b, ", UTC\n");
}

/* ---- the columns ---- */

static bool has_limits(const struct usage_report *report)
{
    return report->by == BY_TEAM && report->per == BY_NONE && usage_is_running(report) && !report->key.p;
}

/* The two limits that an item may have; those of all teams together are the whole's. */
static const struct usage_limit *limit_of(const struct usage_report *report, const struct usage_item *item,
                                          bool is_units)
{
    bool is_total = item == &report->total;
    if (is_total && !report->team.p)
        return is_units && report->limits.whole.spent.limit != LEDGER_NO_LIMIT ? &report->limits.whole : NULL;
    return usage_limit_of(&report->limits, is_total ? report->team : item->name, is_units);
}

static __int128 gone(const struct spent *s)
{
    return (__int128)s->used + s->held;
}

/* The one that is nearer to its end; NULL when there is no limit. */
static const struct usage_limit *nearer(const struct usage_report *report, const struct usage_item *item)
{
    const struct usage_limit *rows = limit_of(report, item, false), *units = limit_of(report, item, true);
    if (!rows || !units)
        return rows ? rows : units;
    return gone(&rows->spent) * units->spent.limit > gone(&units->spent) * rows->spent.limit ? rows : units;
}

typedef void put_cell(struct buffer *b, const struct usage_report *report, const struct usage_item *item);

static void put_units(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    (void)report;
    put_number(b, item->sums.units);
}

static void put_unit_share(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    put_share(b, item->sums.units, report->total.sums.units);
}

static void put_rows(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    (void)report;
    put_number(b, item->sums.rows);
}

/* Of all together it stands in the sentence below. */
static void put_of_limit(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    const struct usage_limit *l = item == &report->others ? NULL : nearer(report, item);
    if (item == &report->total || item == &report->others)
        return;
    if (!l)
        buffer_put(b, '-');
    else if (l->spent.limit == 0)
        buffer_str(b, "100 %");
    else
        put_share(b, l->spent.limit - spent_left(&l->spent), l->spent.limit);
}

static void put_calls(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    (void)report;
    put_number(b, item->sums.calls);
}

static void put_failed(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    bool is_in = report->by == BY_FAULT || item->refused == LEDGER_NO_LIMIT;
    put_number(b, item->sums.faults + (is_in ? 0 : item->refused));
}

static void put_bill(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    (void)report;
    put_number(b, item->bill / 100);
    buffer_printf(b, ".%02d", (int)(item->bill % 100));
}

/* The day on which the first of the limits is used up, or that none is in this month. */
static void put_lasts(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    const struct usage_limit *limits[2] = { NULL, NULL }, *first = NULL;
    bool is_known = true;
    if (item == &report->total || item == &report->others)
        return;
    for (int i = 0; i < 2; i++) {
        limits[i] = limit_of(report, item, i);
        if (limits[i] && spent_left(&limits[i]->spent) == 0) {
            buffer_printf(b, "used up, %s", i ? "units" : "rows");
            return;
        }
        is_known = is_known && (!limits[i] || limits[i]->forecast.is_known);
        if (limits[i] && limits[i]->forecast.ends && (!first || limits[i]->forecast.end.n < first->forecast.end.n))
            first = limits[i];
    }
    if (first) {
        put_short_day(b, first->forecast.end);
        buffer_printf(b, ", %s", first->is_units ? "units" : "rows");
    } else {
        buffer_str(b, !limits[0] && !limits[1] ? "no limit" : is_known ? "enough" : "not known yet");
    }
}

static bool has_bill(const struct usage_report *report)
{
    return report->has_bill;
}

/* All calls with a fault have failed, and none with a mark. */
static bool is_not_of_words(const struct usage_report *report)
{
    return !usage_is_of_words(report->by);
}

static bool is_wide(const struct usage_report *report)
{
    return report->is_wide;
}

/* A number that stands under --wide alone. */
#define WIDE_NUMBER(name, expression)                                                                                  \
    static void put_##name(struct buffer *b, const struct usage_report *report, const struct usage_item *item)         \
    {                                                                                                                  \
        (void)report;                                                                                                  \
        int64_t value = (expression);                                                                                  \
        if (value == LEDGER_NO_LIMIT)                                                                                  \
            buffer_put(b, '-');                                                                                        \
        else                                                                                                           \
            put_number(b, value);                                                                                      \
    }
WIDE_NUMBER(results, item->sums.results)
WIDE_NUMBER(rows_held, item->rows_held)
WIDE_NUMBER(rows_left, item->rows_left)
WIDE_NUMBER(units_held, item->units_held)
WIDE_NUMBER(units_left, item->units_left)
WIDE_NUMBER(predicted, item->sums.units_predicted)
WIDE_NUMBER(alone, item->sums.units_alone)
WIDE_NUMBER(unknown, item->sums.units_unknown)
WIDE_NUMBER(refused, item->refused)
WIDE_NUMBER(approximate, item->approximate)
WIDE_NUMBER(other_rows, item->approximate_rows)

static void put_saved(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    int64_t saved = item->sums.units_alone - item->sums.units;
    (void)report;
    put_number(b, saved > 0 ? saved : 0);
}

/* `goes`: in which turn the column is left out when there is no room; 0: it stays. */
static const struct text_column {
    const char *head;
    put_cell *put;
    bool (*is_there)(const struct usage_report *report); /* NULL: always */
    int goes;
    bool is_text; /* begins at the left */
} columns[] = {
    { "UNITS", put_units, NULL, 0, false },
    { "SHARE", put_unit_share, NULL, 3, false },
    { "ROWS", put_rows, NULL, 0, false },
    { "OF LIMIT", put_of_limit, has_limits, 5, false },
    { "CALLS", put_calls, NULL, 2, false },
    { "FAILED", put_failed, is_not_of_words, 1, false },
    { "BILL", put_bill, has_bill, 0, false },
    { "LASTS UNTIL", put_lasts, has_limits, 4, true },
    { "RESULTS", put_results, is_wide, 0, false },
    { "ROWS HELD", put_rows_held, is_wide, 0, false },
    { "ROWS LEFT", put_rows_left, is_wide, 0, false },
    { "UNITS HELD", put_units_held, is_wide, 0, false },
    { "UNITS LEFT", put_units_left, is_wide, 0, false },
    { "PREDICTED", put_predicted, is_wide, 0, false },
    { "ALONE", put_alone, is_wide, 0, false },
    { "SAVED", put_saved, is_wide, 0, false },
    { "UNKNOWN", put_unknown, is_wide, 0, false },
    { "REFUSED", put_refused, is_wide, 0, false },
    { "NOT EXACT", put_approximate, is_wide, 0, false },
    { "OTHER ROWS", put_other_rows, is_wide, 0, false },
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

/* ---- the layout ---- */

struct layout {
    const struct usage_report *report;
    int widths[N_COLUMNS]; /* 0: the column is left out */
    size_t parts[PARTS];   /* widths of the parts of a name */
    bool has_names;        /* of keys */
    size_t name;           /* all of it; longer ones have a line of their own */
    size_t numbers;        /* all columns with their gaps */
};

static void add_part(struct slice parts[PARTS], int *n, struct slice text)
{
    parts[*n] = text;
    ++*n;
}

/* Whose the numbers are, in up to five parts. */
static int parts_of(const struct usage_report *report, const struct usage_item *item, struct slice parts[PARTS])
{
    bool has_key = report->by == BY_KEY || report->per == BY_KEY;
    int n = 0;
    parts[n++] = item ? item->name : slice_str(usage_by_words[report->by]);
    if (report->per != BY_NONE)
        parts[n++] = item ? item->per : slice_str(usage_by_words[report->per]);
    if (has_key && report->by != BY_TEAM && report->per != BY_TEAM && !report->team.p)
        add_part(parts, &n, item ? item->team : S("team"));
    if (has_key)
        add_part(parts, &n, item ? item->of_name : S("name"));
    if (report->by == BY_SHAPE)
        add_part(parts, &n, item ? item->call : S("call"));
    return n;
}

/* A part that does not fit behind the one before it goes on the next line; one that is longer than a line is cut, but
 * for addresses and targets, which are of no use then. */
static void put_parts(struct buffer *b, const struct layout *l, const struct slice parts[PARTS], int n)
{
    enum usage_by by = l->report->by;
    bool is_wide = l->report->is_wide;
    size_t column = 0, gap = 0;
    for (int i = 0; i < n; i++) {
        size_t width = shown_width(parts[i]);
        if (i && !is_wide && column + gap + width > l->report->columns) {
            buffer_str(b, "\n  ");
            column = 2;
        } else {
            buffer_printf(b, "%*s", (int)gap, "");
            column += gap;
        }
        bool is_whole = is_wide || (i == 0 && (by == BY_CLIENT || by == BY_TARGET));
        shown_cut(b, parts[i], is_whole ? SIZE_MAX : l->report->columns - column);
        column += width;
        gap = GAP + (width < l->parts[i] ? l->parts[i] - width : 0);
    }
}

static void put_name(struct buffer *b, const struct layout *l, const struct usage_item *item)
{
    struct slice parts[PARTS];
    size_t from = b->n;
    int n = parts_of(l->report, item, parts);
    while (n > 1 && (!parts[n - 1].n || (!item && !l->has_names && slice_eq(parts[n - 1], S("name")))))
        n--;
    put_parts(b, l, parts, n);
    for (size_t i = from; !item && i < b->n; i++)
        b->p[i] = b->p[i] >= 'a' && b->p[i] <= 'z' ? (char)(b->p[i] - 'a' + 'A') : b->p[i];
}

static struct slice cell_of(const struct usage_report *report, const struct usage_item *item, int column,
                            char text[CELL])
{
    struct buffer b = { .p = text, .room = CELL, .max_bytes = CELL };
    columns[column].put(&b, report, item);
    return buffer_slice(&b);
}

static void widen(struct layout *l, const struct usage_item *item)
{
    char text[CELL];
    for (int k = 0; k < N_COLUMNS; k++) {
        int width = (int)cell_of(l->report, item, k, text).n;
        if (l->widths[k])
            l->widths[k] = width > l->widths[k] ? width : l->widths[k];
    }
}

static void widen_parts(struct layout *l, const struct usage_item *item)
{
    struct slice parts[PARTS];
    int n = parts_of(l->report, item, parts);
    for (int i = 0; i < n; i++) {
        size_t width = shown_width(parts[i]);
        if (width > l->parts[i] && width <= MAX_PART)
            l->parts[i] = width;
    }
}

static size_t name_width(const struct layout *l, const struct usage_item *item)
{
    struct buffer b = { 0 };
    put_name(&b, l, item);
    size_t width = shown_width(buffer_slice(&b));
    buffer_clear(&b);
    return width;
}

static void add_widths(struct layout *l)
{
    l->numbers = 0;
    for (int k = 0; k < N_COLUMNS; k++)
        l->numbers += l->widths[k] ? (size_t)l->widths[k] + GAP : 0;
}

/* Columns go, in their turn, until there is room for a short name. */
static void fit(struct layout *l)
{
    add_widths(l);
    for (int turn = 1; turn <= 5 && !l->report->is_wide && l->numbers + LEAST_NAME > l->report->columns; turn++) {
        for (int k = 0; k < N_COLUMNS; k++)
            l->widths[k] = columns[k].goes == turn ? 0 : l->widths[k];
        add_widths(l);
    }
}

static void measure(struct layout *l)
{
    const struct usage_report *report = l->report;
    for (int k = 0; k < N_COLUMNS; k++)
        if (!columns[k].is_there || columns[k].is_there(report))
            l->widths[k] = (int)strlen(columns[k].head);
    widen_parts(l, NULL);
    widen(l, &report->total);
    widen(l, &report->others);
    for (size_t i = 0; i < report->n; i++) {
        widen(l, &report->items[i]);
        widen_parts(l, &report->items[i]);
        l->has_names = l->has_names || report->items[i].of_name.n;
    }
    fit(l);
    size_t most = report->is_wide ? SIZE_MAX : l->numbers < report->columns ? report->columns - l->numbers : LEAST_NAME;
    l->name = strlen("together");
    for (size_t i = 0; i <= report->n; i++) {
        size_t width = name_width(l, i ? &report->items[i - 1] : NULL);
        if (width > l->name && width <= most)
            l->name = width;
    }
}

static void put_line(struct buffer *b, const struct layout *l, struct slice name, const struct usage_item *item)
{
    char text[CELL];
    size_t width = shown_width(name), pending = 0;
    if (width > l->name) {
        buffer_append(b, name);
        buffer_put(b, '\n');
        width = 0;
    } else {
        buffer_append(b, name);
    }
    pending = l->name - width;
    for (int k = 0; k < N_COLUMNS; k++) {
        if (!l->widths[k])
            continue;
        struct slice cell = item ? cell_of(l->report, item, k, text) : slice_str(columns[k].head);
        size_t before = columns[k].is_text ? 0 : (size_t)l->widths[k] - cell.n;
        if (cell.n)
            buffer_printf(b, "%*s%.*s", (int)(pending + GAP + before), "", SLICE_ARGS(cell));
        pending = cell.n ? (size_t)l->widths[k] - before - cell.n : pending + GAP + (size_t)l->widths[k];
    }
    buffer_put(b, '\n');
}

static void put_table(struct buffer *b, const struct usage_report *report)
{
    struct layout l = { .report = report };
    struct buffer name = { 0 };
    measure(&l);
    for (size_t i = 0; i <= report->n; i++) {
        const struct usage_item *item = i ? &report->items[i - 1] : NULL;
        name.n = 0;
        put_name(&name, &l, item);
        buffer_str(b, item || !report->has_colour ? "" : "\033[1m");
        put_line(b, &l, buffer_slice(&name), item);
        if (!item && report->has_colour && b->n) {
            b->n--; /* the colour ends with the line */
            buffer_str(b, "\033[0m\n");
        }
    }
    if (report->n_others) {
        name.n = 0;
        buffer_printf(&name, report->is_cut ? "others" : "others (%zu)", report->n_others);
        put_line(b, &l, buffer_slice(&name), &report->others);
    }
    put_line(b, &l, S("together"), &report->total);
    b->failed = b->failed || name.failed;
    buffer_clear(&name);
}

/* ---- what is left ---- */

void usage_pace(struct buffer *b, const struct usage_limit *limit)
{
    const struct forecast *f = &limit->forecast;
    if (spent_left(&limit->spent) == 0) {
        buffer_str(b, "used up; more on ");
        put_short_day(b, limit->month.until);
    } else if (!f->is_known) {
        buffer_str(b, "not enough calls yet to say how long it lasts");
    } else if (f->ends) {
        buffer_str(b, "at this pace used up on ");
        put_short_day(b, f->end);
        buffer_str(b, "; the month ends on ");
        put_short_day(b, limit->month.until);
    } else {
        buffer_str(b, "enough at this pace: ");
        if (f->permille_at_end == 0)
            buffer_str(b, "0 %");
        else
            put_permille(b, f->permille_at_end);
        buffer_str(b, " by ");
        put_short_day(b, limit->month.until);
    }
}

static void put_left(struct buffer *b, const struct usage_limit *limit, size_t most)
{
    size_t from = b->n;
    put_number(b, spent_left(&limit->spent));
    buffer_str(b, " of ");
    put_number(b, limit->spent.limit);
    buffer_str(b, limit->is_units ? " units left" : " rows left");
    if (limit->spent.held > 0) {
        buffer_str(b, ", ");
        put_number(b, limit->spent.held);
        buffer_str(b, " held by calls under way");
    }
    buffer_str(b, "; ");
    usage_pace(b, limit);
    buffer_put(b, '\n');
    words_fold(b, from, most);
}

static void put_limits(struct buffer *b, const struct usage_report *report)
{
    const struct usage_limits *limits = &report->limits;
    if (!usage_is_running(report) || report->key.p)
        return;
    if (!report->team.p && limits->whole.spent.limit != LEDGER_NO_LIMIT)
        put_left(b, &limits->whole, report->columns);
    for (size_t i = 0; report->team.p && i < limits->n; i++)
        put_left(b, &limits->items[i], report->columns);
}

void usage_text(struct buffer *b, const struct usage_report *report)
{
    put_period(b, report);
    if (report->n)
        put_table(b, report);
    else
        buffer_str(b, "no calls\n");
    put_limits(b, report);
}
