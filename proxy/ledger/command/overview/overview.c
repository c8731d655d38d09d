/* SPDX-License-Identifier: MIT
 * Reading what was asked, and the object as it is written; the sums are those of usage. */
#include "base/clock.h"
#include "proxy/ledger/command/overview/series.h"
#include "proxy/ledger/command/overview/words.h"

enum { SHOWN = 50, MOST_HOURS = 366 * 24, HOURLY = 3 * 24, DAILY = 100 * 24 };

enum { ASKED_TEAM, ASKED_KEY, ASKED_PERIOD, ASKED_SINCE, ASKED_UNTIL, N_ASKED };
static const char *const asked_names[N_ASKED] = { "team=", "key=", "period=", "since=", "until=" };

/* ---- what was asked ---- */

static int wrong(struct command *c, const char *what)
{
    buffer_printf(c->err, "anchorage overview: %s\n", what);
    return COMMAND_MISUSED;
}

static int read_words(struct command *c, int argc, const char *const *argv, const char *value[N_ASKED])
{
    for (int i = 1; i < argc; i++) {
        int k = 0;
        while (k < N_ASKED && strncmp(argv[i], asked_names[k], strlen(asked_names[k])) != 0)
            k++;
        if (k == N_ASKED)
            return wrong(c, "there are team, key, period, since and until");
        value[k] = argv[i] + strlen(asked_names[k]);
    }
    return 0;
}

/* `back` months before the one of the day. */
static struct period month_before(struct day today, int back)
{
    struct period month = month_of_day(today, 1);
    for (; back; back--)
        month = month_of_day((struct day){ month.since.n - 1 }, 1);
    return month;
}

static int read_preset(struct command *c, const char *word, int64_t now_ms, struct hours *h)
{
    struct day today = day_of_ms(now_ms);
    int64_t now = hour_of_ms(now_ms);
    if (!word || strcmp(word, "month") == 0)
        *h = hours_of(month_before(today, 0));
    else if (strcmp(word, "last-month") == 0)
        *h = hours_of(month_before(today, 1));
    else if (strcmp(word, "7d") == 0)
        *h = (struct hours){ ((int64_t)today.n - 6) * 24, ((int64_t)today.n + 1) * 24 };
    else if (strcmp(word, "24h") == 0)
        *h = (struct hours){ now - 23, now + 1 };
    else
        return wrong(c, "period is month, last-month, 7d or 24h");
    return 0;
}

static int read_period(struct command *c, const char *const value[N_ASKED], int64_t now_ms, struct hours *h)
{
    bool has_range = value[ASKED_SINCE] || value[ASKED_UNTIL];
    if (has_range && value[ASKED_PERIOD])
        return wrong(c, "give period, or since and until");
    if (!has_range)
        return read_preset(c, value[ASKED_PERIOD], now_ms, h);
    if (!value[ASKED_SINCE] || !value[ASKED_UNTIL])
        return wrong(c, "give both since and until");
    if (!command_date(value[ASKED_SINCE], &h->since) || !command_date(value[ASKED_UNTIL], &h->until))
        return wrong(c, "since and until are UTC days like 2026-11-23");
    if (h->since >= h->until)
        return wrong(c, "since is not before until");
    return h->until - h->since <= MOST_HOURS ? 0 : wrong(c, "that is more than 366 days");
}

static enum step step_of(struct hours h)
{
    int64_t n = h.until - h.since;
    return n <= HOURLY ? STEP_HOUR : n <= DAILY ? STEP_DAY : STEP_MONTH;
}

/* ---- the object ---- */

static void put_text(struct buffer *b, const char *before, struct slice text)
{
    buffer_str(b, before);
    command_put_text(b, FORMAT_JSON, text);
}

static void put_moment(struct buffer *b, const char *before, int64_t ms)
{
    char text[25];
    timestamp_format_ms(ms, text);
    buffer_printf(b, "%s\"%s\"", before, text);
}

static int64_t plus(int64_t n, int64_t refused)
{
    return n + (refused > 0 ? refused : 0);
}

/* Calls and faults have the refused ones in them: those that came, not those that have an entry. */
static void put_numbers(struct buffer *b, const struct usage_item *item, bool has_limits)
{
    const struct sums *s = &item->sums;
    const struct {
        const char *name;
        int64_t n;
        bool may_be_null;
    } rows[] = {
        { "calls", plus(s->calls, item->refused), false },
        { "results", s->results, false },
        { "rows", s->rows, false },
        { "units", s->units, false },
        { "units_predicted", s->units_predicted, false },
        { "units_alone", s->units_alone, false },
        { "units_unknown", s->units_unknown, false },
        { "faults", plus(s->faults, item->refused), false },
        { "refused", plus(0, item->refused), false },
        { "approximate", item->approximate, true },
        { "approximate_rows", item->approximate_rows, true },
        { "rows_held", item->rows_held, false },
        { "rows_limit", item->rows_limit, true },
        { "rows_left", item->rows_left, true },
        { "units_held", item->units_held, false },
        { "units_limit", item->units_limit, true },
        { "units_left", item->units_left, true },
    };
    enum { OF_ALL = 11, ALL = sizeof rows / sizeof rows[0] };
    for (int i = 0; i < (has_limits ? ALL : OF_ALL); i++) {
        buffer_printf(b, "%s\"%s\":", i ? "," : "", rows[i].name);
        if (rows[i].may_be_null && rows[i].n == LEDGER_NO_LIMIT)
            buffer_str(b, "null");
        else
            buffer_i64(b, rows[i].n);
    }
}

static void put_last(struct buffer *b, int64_t ms)
{
    if (ms)
        put_moment(b, ",\"last_call\":", ms);
    else
        buffer_str(b, ",\"last_call\":null");
}

static void put_items(struct buffer *b, const struct usage_report *report, const struct series *series)
{
    buffer_str(b, ",\"total\":{");
    put_numbers(b, &report->total, report->by == BY_TEAM);
    put_last(b, series->last_ms);
    buffer_str(b, "},\"items\":[");
    for (size_t i = 0; i < report->n; i++) {
        const struct usage_item *item = &report->items[i];
        buffer_printf(b, "%s{\"%s\":", i ? "," : "", usage_by_words[report->by]);
        entry_json_text(b, item->name);
        if (report->by == BY_KEY) {
            put_text(b, ",\"name\":", item->of_name);
            put_text(b, ",\"team\":", item->team);
        }
        buffer_put(b, ',');
        put_numbers(b, item, report->by == BY_TEAM);
        put_last(b, i < series->n_lasts ? series->lasts[i].ms : 0);
        buffer_put(b, '}');
    }
    buffer_printf(b, "],\"others\":%zu", report->n_others);
}

static void put_filters(struct buffer *b, const struct usage_report *report)
{
    put_text(b, ",\"filters\":{\"team\":", report->team);
    put_text(b, ",\"key\":", report->key);
    buffer_put(b, '}');
}

static void put_day_or_hour(struct buffer *b, const char *before, int64_t hour)
{
    char text[21];
    if (hour % 24 == 0)
        day_format((struct day){ (int32_t)(hour / 24) }, text);
    else
        timestamp_format(hour * 3600, text);
    buffer_printf(b, "%s\"%s\"", before, text);
}

static void put_teams(struct buffer *b, const struct limits *limits, const struct keys *keys)
{
    buffer_str(b, ",\"teams\":[");
    for (size_t i = 0; i < limits->n_teams; i++) {
        bool any = false;
        put_text(b, i ? ",{\"team\":" : "{\"team\":", slice_str(limits->teams[i].name));
        buffer_str(b, ",\"keys\":[");
        for (uint32_t k = 0; k < keys->n && b->n < MOST_BYTES; k++) {
            const struct ledger_key *key = &keys->rows[k].key;
            if (!slice_eq(key->team, slice_str(limits->teams[i].name)))
                continue;
            put_text(b, any ? ",{\"key\":" : "{\"key\":", key->id);
            put_text(b, ",\"name\":", key->name);
            buffer_printf(b, ",\"state\":\"%s\"}", key->disabled ? "disabled" : "enabled");
            any = true;
        }
        buffer_str(b, "]}");
    }
    buffer_put(b, ']');
}

static void put_saved(struct buffer *b, const struct sums *total, const struct ended_words *words)
{
    int64_t saved = total->units_alone - total->units;
    buffer_printf(b, ",\"saved\":{\"units\":%lld,\"cached_calls\":%lld,\"shared_calls\":%lld}",
                  (long long)(saved > 0 ? saved : 0), (long long)words->cached, (long long)words->shared);
}

static void put_all(struct buffer *b, const struct usage_report *report, const struct limits *limits,
                    const struct series *series, const struct ended_words *words)
{
    put_moment(b, "{\"now\":", report->now_ms);
    buffer_printf(b, ",\"by\":\"%s\"", usage_by_words[report->by]);
    put_day_or_hour(b, ",\"since\":", report->hours.since);
    put_day_or_hour(b, ",\"until\":", report->hours.until);
    buffer_printf(b, ",\"step\":\"%s\"", step_words[series->step]);
    put_filters(b, report);
    put_teams(b, limits, words->keys);
    usage_json_limits(b, &report->limits);
    put_items(b, report, series);
    series_write(b, series, report);
    put_saved(b, &report->total.sums, words);
    words_write(b, words);
}

static int show(struct command *c, struct usage_report *report)
{
    struct series series = { .step = step_of(report->hours) };
    struct ended_words words = { 0 };
    struct buffer why = { 0 };
    bool good = usage_collect(report, c, &why);
    if (good && !usage_is_running(report))
        good = usage_limits_read(&report->limits, c, report->team, report->now_ms, &why);
    if (good) {
        usage_sort(report, c->limits, "units");
        usage_cut(report, SHOWN);
        good = series_collect(&series, report, c, &why) && words_collect(&words, report, c, &why);
    }
    if (good)
        put_all(c->out, report, c->limits, &series, &words);
    series_clear(&series);
    words_clear(&words);
    return good ? COMMAND_DONE : command_failed(c, &why);
}

int overview(struct command *c, int argc, const char *const *argv)
{
    const char *value[N_ASKED] = { 0 };
    struct usage_report report = { .now_ms = clock_wall_ms(), .per = BY_NONE };
    int status = read_words(c, argc, argv, value);
    if (!status)
        status = read_period(c, value, report.now_ms, &report.hours);
    if (status)
        return status;
    report.by = value[ASKED_KEY] ? BY_TABLE : value[ASKED_TEAM] ? BY_KEY : BY_TEAM;
    report.team = value[ASKED_TEAM] ? slice_str(value[ASKED_TEAM]) : slice_of(NULL, 0);
    report.key = value[ASKED_KEY] ? slice_str(value[ASKED_KEY]) : slice_of(NULL, 0);
    status = show(c, &report);
    usage_clear(&report);
    return status;
}
