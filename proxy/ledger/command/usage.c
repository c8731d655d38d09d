/* SPDX-License-Identifier: MIT
 * The command usage: what was asked, and the answer in the form that was asked for. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/command/usage.h"
#include "proxy/ledger/entries/bounds.h"

static const struct {
    const char *word;
    void (*print)(struct buffer *b, const struct usage_report *report);
} formats[] = { { "text", usage_text }, { "json", usage_json }, { "csv", usage_csv } };

enum split { BY_UNITS_ALONE, BY_UNITS, BY_ROWS, N_SPLITS };
static const char *const split_words[N_SPLITS] = { "units_alone", "units", "rows" };

struct asked {
    enum usage_by by;
    struct period period;
    void (*print)(struct buffer *b, const struct usage_report *report);
    bool has_bill, has_warn;
    int64_t cents, percent;
    enum split split;
};

/* ---- reading what was asked ---- */

static bool word_of(const char *const *words, int n, const char *text, int *index)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], text) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static int read_by(struct command *c, struct asked *a)
{
    int by = BY_TEAM;
    if (c->option[USAGE_BY] && !word_of(usage_by_words, N_BY, c->option[USAGE_BY], &by))
        return command_misused(c, "--by is team, key, client, day, hour, table or target, not %s", c->option[USAGE_BY]);
    a->by = (enum usage_by)by;
    a->print = usage_text;
    bool known = !c->option[USAGE_FORMAT];
    for (size_t i = 0; !known && i < sizeof formats / sizeof formats[0]; i++) {
        known = strcmp(formats[i].word, c->option[USAGE_FORMAT]) == 0;
        a->print = formats[i].print;
    }
    return known ? 0 : command_misused(c, "--format is text, json or csv, not %s", c->option[USAGE_FORMAT]);
}

static int read_day(struct command *c, int option, const char *name, struct day *day)
{
    return c->option[option] ? command_day(c, name, c->option[option], day) : 0;
}

/* The month must end, and so begin, on days that can be asked for. */
static int read_month(struct command *c, struct period *month)
{
    const char *text = c->option[USAGE_MONTH];
    char first[16];
    struct buffer b = { .p = first, .room = sizeof first, .max_bytes = sizeof first };
    struct day day;
    buffer_str(&b, text);
    buffer_str(&b, "-01");
    bool good = !b.failed && day_parse(buffer_slice(&b), &day);
    if (good)
        *month = month_of_day(day, 1);
    if (!good || !command_knows_day(month->since) || !command_knows_day(month->until))
        return command_no_value(c, "--month", "a month like 2026-11, from 1970-01 to 9999-11", c->option[USAGE_MONTH]);
    if (c->option[USAGE_SINCE] || c->option[USAGE_UNTIL])
        return command_misused(c, "give --month, or --since and --until");
    return 0;
}

/* By default the running month; --since alone reaches to today, --until alone from the start of its month. */
static int read_period(struct command *c, struct asked *a)
{
    struct day today = day_of_ms(clock_wall_ms());
    a->period = month_of_day(today, 1);
    if (c->option[USAGE_MONTH])
        return read_month(c, &a->period);
    int status = read_day(c, USAGE_SINCE, "--since", &a->period.since);
    if (!status)
        status = read_day(c, USAGE_UNTIL, "--until", &a->period.until);
    if (status)
        return status;
    if (c->option[USAGE_UNTIL] && !c->option[USAGE_SINCE])
        a->period.since = month_of_day((struct day){ a->period.until.n - 1 }, 1).since;
    if (c->option[USAGE_SINCE] && !c->option[USAGE_UNTIL])
        a->period.until = (struct day){ (a->period.since.n > today.n ? a->period.since.n : today.n) + 1 };
    if (!command_knows_day(a->period.since))
        return command_misused(c, "nothing can be before 1970-01-01: --until is a day behind it");
    if (!command_knows_day(a->period.until))
        return command_misused(c, "nothing can be behind 9999-12-31: --since is a day before it");
    return a->period.since.n < a->period.until.n ? 0 : command_misused(c, "--since is not before --until");
}

static int read_bill(struct command *c, struct asked *a)
{
    int split = BY_UNITS_ALONE;
    a->has_bill = c->option[USAGE_BILL];
    if (a->has_bill && !bill_parse(slice_str(c->option[USAGE_BILL]), &a->cents))
        return command_no_value(c, "--bill", "an amount like 1234.56", c->option[USAGE_BILL]);
    if (c->option[USAGE_SPLIT] && !a->has_bill)
        return command_misused(c, "--split needs --bill");
    if (c->option[USAGE_SPLIT] && !word_of(split_words, N_SPLITS, c->option[USAGE_SPLIT], &split))
        return command_misused(c, "--split is units_alone, units or rows, not %s", c->option[USAGE_SPLIT]);
    a->split = (enum split)split;
    a->has_warn = c->option[USAGE_WARN];
    if (!a->has_warn)
        return 0;
    struct slice percent = slice_str(c->option[USAGE_WARN]);
    if (slice_ends(percent, S("%")))
        percent.n--;
    uint64_t value;
    if (percent.n > 4 || !parse_u64(percent, &value) || value < 1 || value > 1000)
        return command_no_value(c, "--warn", "a share like 80%", c->option[USAGE_WARN]);
    a->percent = (int64_t)value;
    return 0;
}

/* ---- the bill ---- */

static int64_t share_of(const struct usage_item *item, enum split split)
{
    const int64_t shares[N_SPLITS] = { item->sums.units_alone, item->sums.units, item->sums.rows };
    return shares[split];
}

static int split_bill(struct command *c, struct usage_report *report, const struct asked *a)
{
    int64_t *shares = malloc((report->n + 1) * 2 * sizeof *shares);
    if (!shares)
        return command_wrong(c, "out of memory");
    int64_t *parts = shares + report->n + 1;
    for (size_t i = 0; i < report->n; i++)
        shares[i] = share_of(&report->items[i], a->split);
    int status = COMMAND_DONE;
    if (!bill_split(a->cents, shares, report->n, parts))
        status = command_wrong(c, "there is no %s in this time to split the bill by", split_words[a->split]);
    for (size_t i = 0; status == COMMAND_DONE && i < report->n; i++)
        report->items[i].bill = parts[i];
    report->has_bill = true;
    free(shares);
    return status;
}

/* ---- the warning ---- */

/* Name the team, or the whole, that has used `percent` of a limit or more. */
static bool is_past(struct command *c, int64_t percent, struct slice who, const char *what, int64_t used, int64_t limit)
{
    if (limit == LEDGER_NO_LIMIT || (__int128)used * 100 < (__int128)limit * percent)
        return false;
    int64_t share = limit ? (int64_t)((__int128)used * 100 / limit) : 100;
    buffer_printf(c->err, "anchorage usage: %.*s has used %lld of %lld %s (%lld%%)\n", SLICE_ARGS(who), (long long)used,
                  (long long)limit, what, (long long)share);
    return true;
}

static const struct sums *sums_of(const struct usage_report *report, struct slice team)
{
    static const struct sums nothing;
    int32_t number = names_find(&report->names, team);
    return number < 0 ? &nothing : &report->items[number].sums;
}

/* Limits are of the running months, rows by the calendar and units from the billing day, whatever was asked above. */
static int warn(struct command *c, const struct asked *a)
{
    struct day today = day_of_ms(clock_wall_ms());
    struct usage_report rows = { .by = BY_TEAM, .period = month_of_day(today, 1) };
    struct usage_report units = { .by = BY_TEAM, .period = month_of_day(today, c->limits->billing_day) };
    struct buffer why = { 0 };
    int status = COMMAND_DONE;
    if (!usage_collect(&rows, c, &why) || !usage_collect(&units, c, &why)) {
        status = command_failed(c, &why);
    } else {
        int64_t whole = 0;
        for (size_t i = 0; i < units.n; i++)
            whole = bounds_sum(whole, units.items[i].sums.units);
        for (size_t i = 0; i < c->limits->n_teams; i++) {
            const struct ledger_team *team = &c->limits->teams[i];
            struct slice name = slice_str(team->name);
            if (is_past(c, a->percent, name, "rows", sums_of(&rows, name)->rows, team->rows_per_month))
                status = COMMAND_WRONG;
            if (is_past(c, a->percent, name, "units", sums_of(&units, name)->units, team->units_per_month))
                status = COMMAND_WRONG;
        }
        if (is_past(c, a->percent, S("the whole"), "units", whole, c->limits->units_per_month))
            status = COMMAND_WRONG;
    }
    usage_clear(&rows);
    usage_clear(&units);
    return status;
}

int usage_check(struct command *c)
{
    struct asked a = { 0 };
    int status = read_by(c, &a);
    if (!status)
        status = read_period(c, &a);
    return status ? status : read_bill(c, &a);
}

int usage(struct command *c)
{
    struct asked a = { 0 };
    int status = read_by(c, &a);
    if (!status)
        status = read_period(c, &a);
    if (!status)
        status = read_bill(c, &a);
    if (status)
        return status;
    struct usage_report report = { .by = a.by, .period = a.period };
    struct buffer why = { 0 };
    if (!usage_collect(&report, c, &why)) {
        status = command_failed(c, &why);
    } else {
        usage_sort(&report, c->limits);
        status = a.has_bill ? split_bill(c, &report, &a) : COMMAND_DONE;
        if (status == COMMAND_DONE)
            a.print(c->out, &report);
        if (status == COMMAND_DONE && a.has_warn)
            status = warn(c, &a);
    }
    usage_clear(&report);
    return status;
}
