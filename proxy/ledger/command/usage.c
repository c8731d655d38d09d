/* SPDX-License-Identifier: MIT
 * The command usage: what was asked, and the answer in the form that was asked for. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/command/usage.h"
#include "proxy/ledger/entries/bounds.h"

static void (*const formats[N_FORMATS])(struct buffer *b, const struct usage_report *report) = {
    [FORMAT_TEXT] = usage_text,
    [FORMAT_JSON] = usage_json,
    [FORMAT_CSV] = usage_csv,
};

enum split { BY_UNITS_ALONE, BY_UNITS, BY_ROWS, N_SPLITS };
static const char *const split_words[N_SPLITS] = { "units_alone", "units", "rows" };

struct asked {
    enum usage_by by, per;
    struct hours hours;
    size_t top;
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

static void take_word(struct command *c, int option, const char *const *words, int n, int *index)
{
    if (c->option[option])
        (void)word_of(words, n, c->option[option], index); /* it is one of them */
}

static int read_by(struct command *c, struct asked *a)
{
    int by = BY_TEAM, per = BY_NONE;
    take_word(c, USAGE_BY, usage_by_words, N_BY, &by);
    take_word(c, USAGE_PER, usage_by_words, N_BY, &per);
    if (by == per)
        return command_misused(c, "--by and --per are both %s; one of them is enough", usage_by_words[by]);
    a->by = (enum usage_by)by;
    a->per = (enum usage_by)per;
    a->print = formats[command_format(c->option[USAGE_FORMAT])];
    return 0;
}

/* In text the most units stand first, but for times; other forms are read by programs, and go by name. */
static const char *sort_of(const struct command *c, const struct asked *a)
{
    bool is_time = a->by == BY_DAY || a->by == BY_HOUR;
    if (c->option[USAGE_SORT])
        return c->option[USAGE_SORT];
    if (!a->top && (a->print != usage_text || is_time || a->per != BY_NONE))
        return NULL;
    return usage_is_of_words(a->by) ? "calls" : "units";
}

static bool is_column(const struct asked *a, const char *word)
{
    for (int i = 0; i < USAGE_COLUMNS; i++)
        if (strcmp(usage_columns[i].name, word) == 0)
            return true;
    return strcmp(word, "name") == 0 || strcmp(word, usage_by_words[a->by]) == 0;
}

static int refuse_column(struct command *c, const char *word)
{
    struct buffer what = { 0 };
    struct slice nearest = { 0 };
    size_t best = SIZE_MAX;
    for (int i = 0; i < USAGE_COLUMNS; i++)
        if (words_is_near(slice_str(word), slice_str(usage_columns[i].name), &best))
            nearest = slice_str(usage_columns[i].name);
    buffer_str(&what, "there is no column ");
    words_quote(&what, slice_str(word));
    if (nearest.n)
        buffer_printf(&what, "; did you mean %.*s?", SLICE_ARGS(nearest));
    else
        buffer_str(&what, "; --sort takes name, calls, rows, units and what else --help names");
    int status = command_misused(c, "%.*s", SLICE_ARGS(buffer_slice(&what)));
    buffer_clear(&what);
    return status;
}

static int read_order(struct command *c, struct asked *a)
{
    const char *sort = c->option[USAGE_SORT], *top = c->option[USAGE_TOP];
    uint64_t n;
    if (sort && !is_column(a, sort))
        return refuse_column(c, sort);
    if (!top)
        return 0;
    if (strlen(top) > 9 || !parse_u64(slice_str(top), &n) || n < 1)
        return command_no_value(c, "--top", "a number from 1 on", top);
    a->top = (size_t)n;
    return 0;
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
        return command_no_value(c, "--month", "a month like 2026-11, from 1970-01 to 9999-11", text);
    if (c->option[USAGE_SINCE] || c->option[USAGE_UNTIL])
        return command_misused(c, "give --month, or --since and --until");
    return 0;
}

static struct day day_of_hour(int64_t hour)
{
    return (struct day){ (int32_t)(hour / 24) };
}

/* By default the running month; --since alone reaches to today, --until alone from the start of its month. */
static int read_period(struct command *c, struct asked *a)
{
    struct day today = day_of_ms(clock_wall_ms());
    struct period month = month_of_day(today, 1);
    const char *since = c->option[USAGE_SINCE], *until = c->option[USAGE_UNTIL];
    struct hours *h = &a->hours;
    int status = c->option[USAGE_MONTH] ? read_month(c, &month) : 0;
    *h = hours_of(month);
    if (!status && since)
        status = command_hour(c, "--since", since, &h->since);
    if (!status && until)
        status = command_hour(c, "--until", until, &h->until);
    if (status)
        return status;
    if (until && !since)
        h->since = hours_of(month_of_day(day_of_ms((h->until - 1) * 3600000), 1)).since;
    if (since && !until)
        h->until = ((int64_t)(day_of_hour(h->since).n > today.n ? day_of_hour(h->since).n : today.n) + 1) * 24;
    if (h->since < 0)
        return command_misused(c, "nothing can be before 1970-01-01: --until is a day behind it");
    if (!command_knows_day(day_of_hour(h->until)))
        return command_misused(c, "nothing can be behind 9999-12-31: --since is a day before it");
    return h->since < h->until ? 0 : command_misused(c, "--since is not before --until");
}

static int read_bill(struct command *c, struct asked *a)
{
    int split = BY_UNITS_ALONE;
    a->has_bill = c->option[USAGE_BILL];
    if (a->has_bill && !bill_parse(slice_str(c->option[USAGE_BILL]), &a->cents))
        return command_no_value(c, "--bill", "an amount like 1234.56", c->option[USAGE_BILL]);
    if (c->option[USAGE_SPLIT] && !a->has_bill)
        return command_misused(c, "--split needs --bill");
    if (a->has_bill && usage_is_of_words(a->by))
        return command_misused(c, "a bill is for all calls, and --by %s shows a part of them", usage_by_words[a->by]);
    take_word(c, USAGE_SPLIT, split_words, N_SPLITS, &split);
    a->split = (enum split)split;
    a->has_warn = c->option[USAGE_WARN];
    if (!a->has_warn)
        return 0;
    struct slice percent = slice_str(c->option[USAGE_WARN]);
    uint64_t value;
    if (!slice_ends(percent, S("%")) || percent.n > 5 || !parse_u64(slice_of(percent.p, percent.n - 1), &value) ||
        value < 1 || value > 1000)
        return command_no_value(c, "--warn", "a share from 1% to 1000%, with its sign", c->option[USAGE_WARN]);
    a->percent = (int64_t)value;
    return 0;
}

/* ---- the bill ---- */

static int64_t share_of(const struct usage_item *item, enum split split)
{
    const int64_t shares[N_SPLITS] = { item->sums.units_alone, item->sums.units, item->sums.rows };
    return shares[split];
}

/* The others have the last share. */
static int split_bill(struct command *c, struct usage_report *report, const struct asked *a)
{
    size_t n = report->n + 1;
    int64_t *shares = malloc(n * 2 * sizeof *shares);
    if (!shares)
        return command_wrong(c, "out of memory");
    int64_t *parts = shares + n;
    for (size_t i = 0; i < report->n; i++)
        shares[i] = share_of(&report->items[i], a->split);
    shares[report->n] = share_of(&report->others, a->split);
    int status = COMMAND_DONE;
    if (!bill_split(a->cents, shares, n, parts))
        status = command_wrong(c, "there is no %s in this time to split the bill by", split_words[a->split]);
    for (size_t i = 0; status == COMMAND_DONE && i < report->n; i++)
        report->items[i].bill = parts[i];
    if (status == COMMAND_DONE)
        report->others.bill = parts[report->n];
    report->total.bill = a->cents;
    report->has_bill = true;
    free(shares);
    return status;
}

/* ---- whose ---- */

struct search {
    struct store *store;
    struct slice team, key;
    bool found;
};

static void look_at(void *context, const struct rollup *r)
{
    struct search *s = context;
    s->found = s->found || (s->team.p ? slice_eq(s->team, store_name(s->store, r->at.team))
                                      : slice_eq(s->key, store_name(s->store, r->at.key)));
}

/* Whether the books have it at any time: a team may be configured no more, a key be nobody's. */
static bool is_in_books(struct command *c, struct search *s, struct buffer *why)
{
    int64_t first, last;
    bool good = store_hours(c->store, &first, &last, why);
    last = good ? bounds_hour(last) : 0;
    for (int64_t hour = good ? bounds_hour(first) : 0; good && !s->found && hour <= last; hour += 31 * 24)
        good = store_rollups(c->store, hour, hour + 31 * 24, look_at, s, why);
    return good;
}

static int refuse_team(struct command *c, const char *team)
{
    struct buffer like = { 0 };
    command_like_team(c, slice_str(team), &like);
    int status = command_wrong(c, "there is no team \"%s\"; %.*s", team, SLICE_ARGS(buffer_slice(&like)));
    buffer_clear(&like);
    return status;
}

/* It may be a token, so it is not shown. */
static int refuse_key(struct command *c, const struct keys *keys, const char *id)
{
    struct buffer like = { 0 };
    command_like_key(keys, slice_str(id), &like);
    int status =
        command_wrong(c, "there is no key with this id%.*s; \"key list\" shows them", SLICE_ARGS(buffer_slice(&like)));
    buffer_clear(&like);
    return status;
}

static int check_team(struct command *c, const char *team)
{
    struct search search = { .store = c->store, .team = slice_str(team) };
    struct buffer why = { 0 };
    if (limits_team(c->limits, search.team) || slice_eq(search.team, S(USAGE_OWN)))
        return 0;
    if (!is_in_books(c, &search, &why))
        return command_failed(c, &why);
    return search.found ? 0 : refuse_team(c, team);
}

static int check_key(struct command *c, const char *id)
{
    struct search search = { .store = c->store, .key = slice_str(id) };
    struct buffer why = { 0 };
    int status = 0;
    struct keys *keys = keys_read(c->store, &why);
    if (!keys)
        return command_failed(c, &why);
    if (!keys_of_id(keys, search.key) && !slice_eq(search.key, S(USAGE_OWN))) {
        if (!is_in_books(c, &search, &why))
            status = command_failed(c, &why);
        else if (!search.found || !search.key.n)
            status = refuse_key(c, keys, id);
    }
    keys_free(keys);
    return status;
}

/* ---- the warning ---- */

/* Name the team, or the whole, that has used `percent` of a limit or more. */
static bool is_past(struct command *c, int64_t percent, struct slice who, const struct usage_limit *l)
{
    int64_t used = l->spent.used, limit = l->spent.limit;
    if (limit == LEDGER_NO_LIMIT || (__int128)used * 100 < (__int128)limit * percent)
        return false;
    int64_t share = limit ? (int64_t)((__int128)used * 100 / limit) : 100;
    command_wrong(c, "%.*s has used %lld of %lld %s (%lld%%)", SLICE_ARGS(who), (long long)used, (long long)limit,
                  l->is_units ? "units" : "rows", (long long)share);
    return true;
}

/* Limits are of the running months, rows by the calendar and units from the billing day, whatever was asked above. */
static int warn(struct command *c, const struct asked *a)
{
    struct usage_limits limits;
    struct buffer why = { 0 };
    struct slice team = c->option[USAGE_TEAM] ? slice_str(c->option[USAGE_TEAM]) : slice_of(NULL, 0);
    int status = COMMAND_DONE;
    if (!usage_limits_read(&limits, c, team, clock_wall_ms(), &why)) {
        usage_limits_clear(&limits);
        return command_failed(c, &why);
    }
    for (size_t i = 0; i < c->limits->n_teams; i++) {
        struct slice name = slice_str(c->limits->teams[i].name);
        for (int is_units = 0; is_units < 2; is_units++) {
            const struct usage_limit *limit = usage_limit_of(&limits, name, is_units);
            if (limit && is_past(c, a->percent, name, limit))
                status = COMMAND_WRONG;
        }
    }
    if (!team.p && is_past(c, a->percent, S("the whole"), &limits.whole))
        status = COMMAND_WRONG;
    usage_limits_clear(&limits);
    return status;
}

/* ---- the answer ---- */

static int read_words(struct command *c, struct asked *a)
{
    int status = read_by(c, a);
    if (!status)
        status = read_order(c, a);
    if (!status)
        status = read_period(c, a);
    if (!status)
        status = read_bill(c, a);
    return status;
}

int usage_check(struct command *c)
{
    struct asked a = { 0 };
    return read_words(c, &a);
}

bool usage_is_team(struct slice name)
{
    return words_is_team(name) || slice_eq(name, S(USAGE_OWN));
}

static int answer(struct command *c, const struct asked *a)
{
    struct usage_report report = { .by = a->by,
                                   .per = a->per,
                                   .hours = a->hours,
                                   .team = c->option[USAGE_TEAM] ? slice_str(c->option[USAGE_TEAM]) : slice_of(NULL, 0),
                                   .key = c->option[USAGE_KEY] ? slice_str(c->option[USAGE_KEY]) : slice_of(NULL, 0),
                                   .is_wide = c->option[USAGE_WIDE],
                                   .has_colour = c->has_colour,
                                   .columns = c->columns,
                                   .now_ms = clock_wall_ms() };
    struct buffer why = { 0 };
    int status = COMMAND_DONE;
    if (!usage_collect(&report, c, &why)) {
        status = command_failed(c, &why);
    } else {
        usage_sort(&report, c->limits, sort_of(c, a));
        status = a->has_bill ? split_bill(c, &report, a) : COMMAND_DONE;
        usage_cut(&report, a->top);
        if (status == COMMAND_DONE)
            a->print(c->out, &report);
    }
    usage_clear(&report);
    return status;
}

/* With --warn there is nothing to say when all is well; else the sums are shown to who has asked for some. */
int usage(struct command *c)
{
    struct asked a = { 0 };
    int status = read_words(c, &a);
    if (!status && c->option[USAGE_TEAM])
        status = check_team(c, c->option[USAGE_TEAM]);
    if (!status && c->option[USAGE_KEY])
        status = check_key(c, c->option[USAGE_KEY]);
    if (status || !a.has_warn)
        return status ? status : answer(c, &a);
    status = warn(c, &a);
    if (status == COMMAND_DONE || !(c->option[USAGE_BY] || c->option[USAGE_FORMAT] || a.has_bill))
        return status;
    int answered = answer(c, &a);
    return answered ? answered : status;
}
