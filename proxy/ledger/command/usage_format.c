/* SPDX-License-Identifier: MIT
 * Usage as JSON, CSV and a table for people. The columns stand once, in the order of all three. */
#include "base/shown.h"
#include "base/text.h"
#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/command/usage.h"

#include <stddef.h>
#include <stdio.h>

const struct usage_column usage_columns[USAGE_COLUMNS] = {
    { "calls", offsetof(struct usage_item, sums.calls), false },
    { "results", offsetof(struct usage_item, sums.results), false },
    { "rows", offsetof(struct usage_item, sums.rows), false },
    { "rows_held", offsetof(struct usage_item, rows_held), false },
    { "rows_limit", offsetof(struct usage_item, rows_limit), true },
    { "rows_left", offsetof(struct usage_item, rows_left), true },
    { "units", offsetof(struct usage_item, sums.units), false },
    { "units_predicted", offsetof(struct usage_item, sums.units_predicted), false },
    { "units_alone", offsetof(struct usage_item, sums.units_alone), false },
    { "units_unknown", offsetof(struct usage_item, sums.units_unknown), false },
    { "faults", offsetof(struct usage_item, sums.faults), false },
    { "units_held", offsetof(struct usage_item, units_held), false },
    { "units_limit", offsetof(struct usage_item, units_limit), true },
    { "units_left", offsetof(struct usage_item, units_left), true },
    { "refused", offsetof(struct usage_item, refused), true },
    { "approximate", offsetof(struct usage_item, approximate), true },
    { "approximate_rows", offsetof(struct usage_item, approximate_rows), true },
};

int64_t usage_value(const struct usage_item *item, const struct usage_column *column)
{
    int64_t v;
    memcpy(&v, (const char *)item + column->at, sizeof v);
    return v;
}

static bool is_null(const struct usage_item *item, const struct usage_column *column)
{
    return column->may_be_null && usage_value(item, column) == LEDGER_NO_LIMIT;
}

/* A day, or a moment where it is not a day's first. */
static void put_hour(struct buffer *b, int64_t hour)
{
    char text[21];
    if (hour % 24 == 0)
        day_format((struct day){ (int32_t)(hour / 24) }, text);
    else
        timestamp_format(hour * 3600, text);
    buffer_str(b, text);
}

static bool has_keys(const struct usage_report *report)
{
    return report->by == BY_KEY || report->per == BY_KEY;
}

static bool tells_team(const struct usage_report *report)
{
    return has_keys(report) && report->by != BY_TEAM && report->per != BY_TEAM;
}

/* ---- JSON ---- */

static void json_numbers(struct buffer *b, const struct usage_report *report, const struct usage_item *item)
{
    for (int k = 0; k < USAGE_COLUMNS; k++) {
        buffer_printf(b, "%s\"%s\":", k ? "," : "", usage_columns[k].name);
        if (is_null(item, &usage_columns[k]))
            buffer_str(b, "null");
        else
            buffer_i64(b, usage_value(item, &usage_columns[k]));
        if (k + 1 == USAGE_FIRST_COLUMNS && report->has_bill) {
            buffer_str(b, ",\"bill\":");
            bill_print(b, item->bill);
        }
    }
}

static void json_item(struct buffer *b, const struct usage_report *report, const struct usage_item *item,
                      struct slice name)
{
    buffer_printf(b, "{\"%s\":", usage_by_words[report->by]);
    entry_json_text(b, name);
    if (report->per != BY_NONE) {
        buffer_printf(b, ",\"%s\":", usage_by_words[report->per]);
        entry_json_text(b, item->per);
    }
    buffer_put(b, ',');
    json_numbers(b, report, item);
    if (report->by == BY_SHAPE) {
        buffer_str(b, ",\"call\":");
        command_put_text(b, FORMAT_JSON, item->call);
    }
    if (has_keys(report)) {
        buffer_str(b, ",\"name\":");
        command_put_text(b, FORMAT_JSON, item->of_name);
    }
    if (tells_team(report)) {
        buffer_str(b, ",\"team\":");
        command_put_text(b, FORMAT_JSON, item->team);
    }
    buffer_put(b, '}');
}

static void json_day(struct buffer *b, const char *name, struct day day)
{
    char text[11];
    day_format(day, text);
    buffer_printf(b, ",\"%s\":\"%s\"", name, text);
}

static void json_forecast(struct buffer *b, const struct forecast *f)
{
    char day[11];
    buffer_str(b, ",\"forecast\":");
    if (!f->is_known) {
        buffer_str(b, "null");
        return;
    }
    day_format(f->end, day);
    buffer_printf(b, "{\"per_day\":%lld,\"ends\":%s%s%s,\"share_at_end\":", (long long)f->per_day, f->ends ? "\"" : "",
                  f->ends ? day : "null", f->ends ? "\"" : "");
    if (f->permille_at_end < 0)
        buffer_str(b, "null}");
    else
        buffer_printf(b, "%lld.%03d}", (long long)(f->permille_at_end / 1000), (int)(f->permille_at_end % 1000));
}

static void json_whole(struct buffer *b, const struct usage_limit *whole)
{
    bool none = whole->spent.limit == LEDGER_NO_LIMIT;
    buffer_printf(b, ",\"whole\":{\"units\":%lld,\"units_held\":%lld", (long long)whole->spent.used,
                  (long long)whole->spent.held);
    if (none)
        buffer_str(b, ",\"units_limit\":null,\"units_left\":null");
    else
        buffer_printf(b, ",\"units_limit\":%lld,\"units_left\":%lld", (long long)whole->spent.limit,
                      (long long)spent_left(&whole->spent));
    json_day(b, "since", whole->month.since);
    json_day(b, "until", whole->month.until);
    json_forecast(b, &whole->forecast);
    buffer_put(b, '}');
}

void usage_json_limits(struct buffer *b, const struct usage_limits *limits)
{
    json_whole(b, &limits->whole);
    buffer_str(b, ",\"limits\":[");
    for (size_t i = 0; i < limits->n; i++) {
        const struct usage_limit *l = &limits->items[i];
        buffer_str(b, i ? ",{\"team\":" : "{\"team\":");
        entry_json_text(b, l->team);
        buffer_printf(b, ",\"what\":\"%s\",\"used\":%lld,\"held\":%lld,\"limit\":%lld,\"left\":%lld",
                      l->is_units ? "units" : "rows", (long long)l->spent.used, (long long)l->spent.held,
                      (long long)l->spent.limit, (long long)spent_left(&l->spent));
        json_day(b, "until", l->month.until);
        json_forecast(b, &l->forecast);
        buffer_put(b, '}');
    }
    buffer_put(b, ']');
}

void usage_json(struct buffer *b, const struct usage_report *report)
{
    buffer_printf(b, "{\"by\":\"%s\",\"since\":\"", usage_by_words[report->by]);
    put_hour(b, report->hours.since);
    buffer_str(b, "\",\"until\":\"");
    put_hour(b, report->hours.until);
    buffer_str(b, "\",\"items\":[");
    for (size_t i = 0; i < report->n; i++) {
        if (i)
            buffer_put(b, ',');
        json_item(b, report, &report->items[i], report->items[i].name);
    }
    if (report->n_others && !report->has_top) {
        buffer_put(b, ',');
        json_item(b, report, &report->others, S(USAGE_OTHERS));
    }
    buffer_put(b, ']');
    if (report->n) {
        buffer_printf(b, report->is_cut ? ",\"others\":null" : ",\"others\":%zu", report->n_others);
        buffer_str(b, ",\"total\":{");
        json_numbers(b, report, &report->total);
        buffer_put(b, '}');
    }
    if (usage_is_running(report))
        usage_json_limits(b, &report->limits);
    buffer_str(b, "}\n");
}

/* ---- CSV ---- */

static void csv_item(struct buffer *b, const struct usage_report *report, const struct usage_item *item,
                     struct slice name)
{
    csv_field(b, name);
    if (report->per != BY_NONE) {
        buffer_put(b, ',');
        csv_field(b, item->per);
    }
    for (int k = 0; k < USAGE_COLUMNS; k++) {
        buffer_put(b, ',');
        if (!is_null(item, &usage_columns[k]))
            buffer_i64(b, usage_value(item, &usage_columns[k]));
        if (k + 1 == USAGE_FIRST_COLUMNS && report->has_bill) {
            buffer_put(b, ',');
            bill_print(b, item->bill);
        }
    }
    if (report->by == BY_SHAPE) {
        buffer_put(b, ',');
        csv_field(b, item->call);
    }
    if (has_keys(report)) {
        buffer_put(b, ',');
        csv_field(b, item->of_name);
    }
    if (tells_team(report)) {
        buffer_put(b, ',');
        csv_field(b, item->team);
    }
    buffer_put(b, '\n');
}

void usage_csv(struct buffer *b, const struct usage_report *report)
{
    buffer_str(b, usage_by_words[report->by]);
    if (report->per != BY_NONE)
        buffer_printf(b, ",%s", usage_by_words[report->per]);
    for (int k = 0; k < USAGE_COLUMNS; k++) {
        buffer_printf(b, ",%s", usage_columns[k].name);
        if (k + 1 == USAGE_FIRST_COLUMNS && report->has_bill)
            buffer_str(b, ",bill");
    }
    buffer_printf(b, "%s%s%s\n", report->by == BY_SHAPE ? ",call" : "", has_keys(report) ? ",name" : "",
                  tells_team(report) ? ",team" : "");
    for (size_t i = 0; i < report->n; i++)
        csv_item(b, report, &report->items[i], report->items[i].name);
    if (report->n_others)
        csv_item(b, report, &report->others, S(USAGE_OTHERS));
    if (report->n)
        csv_item(b, report, &report->total, S(USAGE_TOGETHER));
}
