/* SPDX-License-Identifier: MIT
 * Usage as JSON, CSV and a table for people. The columns stand once, in the order of all three. */
#include "base/shown.h"
#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/command/usage.h"

#include <stddef.h>
#include <stdio.h>

static const struct column {
    const char *name;
    size_t at;
    bool may_be_null;
} columns[] = {
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
};

enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static int64_t value_of(const struct usage_item *item, const struct column *column)
{
    int64_t v;
    memcpy(&v, (const char *)item + column->at, sizeof v);
    return v;
}

static bool is_null(const struct usage_item *item, const struct column *column)
{
    return column->may_be_null && value_of(item, column) == LEDGER_NO_LIMIT;
}

void usage_json(struct buffer *b, const struct usage_report *report)
{
    char since[11], until[11];
    day_format(report->period.since, since);
    day_format(report->period.until, until);
    buffer_printf(b, "{\"by\":\"%s\",\"since\":\"%s\",\"until\":\"%s\",\"items\":[", usage_by_words[report->by], since,
                  until);
    for (size_t i = 0; i < report->n; i++) {
        const struct usage_item *item = &report->items[i];
        buffer_printf(b, "%s{\"%s\":", i ? "," : "", usage_by_words[report->by]);
        entry_json_text(b, item->name);
        for (int k = 0; k < N_COLUMNS; k++) {
            buffer_printf(b, ",\"%s\":", columns[k].name);
            if (is_null(item, &columns[k]))
                buffer_str(b, "null");
            else
                buffer_i64(b, value_of(item, &columns[k]));
        }
        if (report->has_bill) {
            buffer_str(b, ",\"bill\":");
            bill_print(b, item->bill);
        }
        buffer_put(b, '}');
    }
    buffer_str(b, "]}\n");
}

void usage_csv(struct buffer *b, const struct usage_report *report)
{
    buffer_str(b, usage_by_words[report->by]);
    for (int k = 0; k < N_COLUMNS; k++)
        buffer_printf(b, ",%s", columns[k].name);
    buffer_str(b, report->has_bill ? ",bill\n" : "\n");
    for (size_t i = 0; i < report->n; i++) {
        const struct usage_item *item = &report->items[i];
        csv_field(b, item->name);
        for (int k = 0; k < N_COLUMNS; k++) {
            buffer_put(b, ',');
            if (!is_null(item, &columns[k]))
                buffer_i64(b, value_of(item, &columns[k]));
        }
        if (report->has_bill) {
            buffer_put(b, ',');
            bill_print(b, item->bill);
        }
        buffer_put(b, '\n');
    }
}

/* ---- for people ---- */

static struct slice shown(const struct usage_item *item, const struct column *column, char text[24])
{
    if (is_null(item, column))
        return S("-");
    snprintf(text, 24, "%lld", (long long)value_of(item, column));
    return slice_str(text);
}

static int width_of(const struct usage_report *report, const struct column *column)
{
    size_t width = strlen(column->name);
    for (size_t i = 0; i < report->n; i++) {
        char text[24];
        size_t n = shown(&report->items[i], column, text).n;
        width = n > width ? n : width;
    }
    return (int)width;
}

void usage_text(struct buffer *b, const struct usage_report *report)
{
    char since[11], until[11];
    day_format(report->period.since, since);
    day_format(report->period.until, until);
    buffer_printf(b, "from %s until before %s, UTC\n", since, until);
    int widths[N_COLUMNS];
    size_t name_width = strlen(usage_by_words[report->by]);
    for (size_t i = 0; i < report->n; i++) {
        size_t width = shown_width(report->items[i].name);
        name_width = width > name_width ? width : name_width;
    }
    shown_padded(b, slice_str(usage_by_words[report->by]), name_width);
    for (int k = 0; k < N_COLUMNS; k++) {
        widths[k] = width_of(report, &columns[k]);
        buffer_printf(b, "  %*s", widths[k], columns[k].name);
    }
    buffer_str(b, report->has_bill ? "        bill\n" : "\n");
    for (size_t i = 0; i < report->n; i++) {
        const struct usage_item *item = &report->items[i];
        shown_padded(b, item->name, name_width);
        for (int k = 0; k < N_COLUMNS; k++) {
            char text[24];
            buffer_printf(b, "  %*.*s", widths[k], SLICE_ARGS(shown(item, &columns[k], text)));
        }
        if (report->has_bill)
            buffer_printf(b, "  %7lld.%02d", (long long)(item->bill / 100), (int)(item->bill % 100));
        buffer_put(b, '\n');
    }
}
