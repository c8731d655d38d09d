/* SPDX-License-Identifier: MIT
 * Adding up. Teams, keys, tables, days and hours come from the hourly sums; clients, targets and shapes, of which there
 * may be very many, from the entries themselves, and so do faults and marks. Calls that were refused have no entry:
 * they are counted beside them. */
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/command/usage.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/store/recovery.h"

enum { PAGE = 1024, HOURS_A_PIECE = 8 * 24 };

/* There may be millions of clients and targets. At so many, or so many bytes of them, the cheap ones are put together.
 */
enum { MAX_ITEMS = 16384, KEPT_ITEMS = 4096, MAX_NAME_BYTES = 16 * 1024 * 1024 };

const char *const usage_by_words[N_BY] = {
    [BY_TEAM] = "team",   [BY_KEY] = "key",       [BY_CLIENT] = "client", [BY_DAY] = "day",   [BY_HOUR] = "hour",
    [BY_TABLE] = "table", [BY_TARGET] = "target", [BY_FAULT] = "fault",   [BY_MARK] = "mark", [BY_SHAPE] = "shape",
};

void usage_clear(struct usage_report *report)
{
    free(report->items);
    names_clear(&report->names);
    names_clear(&report->teams);
    keys_free(report->keys);
    usage_limits_clear(&report->limits);
}

static const struct usage_item no_limits = { .rows_limit = LEDGER_NO_LIMIT,
                                             .rows_left = LEDGER_NO_LIMIT,
                                             .units_limit = LEDGER_NO_LIMIT,
                                             .units_left = LEDGER_NO_LIMIT };

/* ---- the dearest of very many ---- */

static bool has_no_end(const struct usage_report *report)
{
    return report->by == BY_CLIENT || report->by == BY_TARGET || report->by == BY_SHAPE ||
           usage_is_of_words(report->by);
}

static int64_t sum_or_null(int64_t a, int64_t b)
{
    return a == LEDGER_NO_LIMIT || b == LEDGER_NO_LIMIT ? LEDGER_NO_LIMIT : bounds_sum(a, b);
}

static void add_up(struct usage_item *to, const struct usage_item *item)
{
    sums_add(&to->sums, &item->sums);
    to->rows_held = bounds_sum(to->rows_held, item->rows_held);
    to->units_held = bounds_sum(to->units_held, item->units_held);
    to->refused = sum_or_null(to->refused, item->refused);
    to->approximate = sum_or_null(to->approximate, item->approximate);
    to->approximate_rows = sum_or_null(to->approximate_rows, item->approximate_rows);
}

static int first_difference(const struct usage_item *x, const struct usage_item *y)
{
    if (x->sums.units != y->sums.units)
        return x->sums.units < y->sums.units ? 1 : -1;
    if (x->sums.rows != y->sums.rows)
        return x->sums.rows < y->sums.rows ? 1 : -1;
    return x->sums.calls < y->sums.calls ? 1 : x->sums.calls > y->sums.calls ? -1 : 0;
}

static int by_texts(const struct usage_item *x, const struct usage_item *y)
{
    int order = slice_cmp(x->name, y->name);
    return order ? order : slice_cmp(x->per, y->per);
}

static int dearest_first(const void *a, const void *b)
{
    int difference = first_difference(a, b);
    return difference ? difference : by_texts(a, b);
}

/* The text that an item is found by: its name, and with `per` a NUL and that. */
static struct slice key_of(const struct usage_item *item)
{
    return slice_of(item->name.p, item->name.n + (item->per.p ? 1 + item->per.n : 0));
}

/* Keep the `n` dearest by name, add the rest to the others. */
static void keep_dearest(struct usage_report *report, size_t n)
{
    struct names kept = { 0 };
    if (report->n <= n)
        return;
    qsort(report->items, report->n, sizeof *report->items, dearest_first);
    for (size_t i = n; i < report->n; i++, report->n_others++)
        add_up(&report->others, &report->items[i]);
    report->n = n;
    report->name_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct usage_item *item = &report->items[i];
        int32_t number = names_add(&kept, key_of(item));
        report->failed |= number != (int32_t)i;
        struct slice text = names_text(&kept, number);
        report->name_bytes += text.n;
        if (item->per.p)
            item->per = slice_from(text, item->name.n + 1);
        item->name = slice_of(text.p, item->name.n);
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
    report->items[report->n] = report->empty;
    report->items[report->n].name = names_text(&report->names, number);
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

/* What a sum or an entry can be added up by. */
struct place {
    int64_t ms;
    struct slice team, key, client, table, target, shape, shape_text, word;
};

/* Our own calls come from no address and have no key. */
static struct slice name_of(const struct place *p, enum usage_by by, char text[21])
{
    const struct slice names[N_BY] = {
        [BY_TEAM] = p->team,     [BY_KEY] = p->key,     [BY_CLIENT] = p->client, [BY_TABLE] = p->table,
        [BY_TARGET] = p->target, [BY_SHAPE] = p->shape, [BY_FAULT] = p->word,    [BY_MARK] = p->word,
    };
    if (by == BY_DAY || by == BY_HOUR)
        return name_of_time(by, p->ms, text);
    bool is_own = (by == BY_KEY || by == BY_CLIENT) && !names[by].n && slice_eq(p->team, S(USAGE_OWN));
    return is_own ? p->team : names[by];
}

/* Name and per in one text, with a NUL between them. */
static struct usage_item *pair_of(struct usage_report *report, struct slice name, struct slice per)
{
    char both[2 * 256];
    struct buffer b = { .p = both, .room = sizeof both, .max_bytes = sizeof both };
    buffer_append(&b, name);
    buffer_put(&b, '\0');
    buffer_append(&b, per);
    struct buffer whole = { 0 };
    if (b.failed) { /* a target may be long */
        buffer_append(&whole, name);
        buffer_put(&whole, '\0');
        buffer_append(&whole, per);
    }
    struct usage_item *item = item_of(report, b.failed ? buffer_slice(&whole) : buffer_slice(&b));
    if (item != &report->others && item->name.n == name.n + 1 + per.n) {
        item->per = slice_from(item->name, name.n + 1);
        item->name.n = name.n;
    }
    report->failed = report->failed || whole.failed;
    buffer_clear(&whole);
    return item;
}

/* The item that a place belongs to; NULL when it was not asked for. */
static struct usage_item *item_at(struct usage_report *report, const struct place *p)
{
    char text[21], per_text[21];
    if ((report->team.p && !slice_eq(report->team, p->team)) ||
        (report->key.p && !slice_eq(report->key, name_of(p, BY_KEY, text))))
        return NULL;
    struct slice name = name_of(p, report->by, text);
    if (!name.n && usage_is_of_words(report->by))
        return NULL;
    struct usage_item *item =
        report->per == BY_NONE ? item_of(report, name) : pair_of(report, name, name_of(p, report->per, per_text));
    if (item == &report->others)
        return item;
    /* Whose it is, unless it is of several: those have an empty text that is not NULL. */
    if (!item->team.p)
        item->team = names_text(&report->teams, names_add(&report->teams, p->team));
    else if (!slice_eq(item->team, p->team))
        item->team = S("");
    if (report->by == BY_SHAPE)
        item->call = p->shape_text;
    return item;
}

/* ---- from the hourly sums ---- */

struct reading {
    struct usage_report *report;
    struct command *c;
    struct digester *digester;
};

static void take_rollup(void *context, const struct rollup *r)
{
    struct reading *reading = context;
    const struct place place = { .ms = r->at.hour * 3600000,
                                 .team = store_name(reading->c->store, r->at.team),
                                 .key = store_name(reading->c->store, r->at.key),
                                 .table = store_name(reading->c->store, r->at.table) };
    struct usage_item *item = item_at(reading->report, &place);
    if (item)
        sums_add(&item->sums, &r->sums);
}

/* The hours that are in the books: a period may be thousands of years long. */
static bool hours_there(struct store *s, struct hours *h, struct buffer *why)
{
    int64_t first, last;
    if (!store_hours(s, &first, &last, why))
        return false;
    first = bounds_hour(first);
    last = bounds_hour(last) + 1;
    h->since = h->since > first ? h->since : first;
    h->until = h->until < last ? h->until : last;
    return true;
}

/* In pieces, so that no call waits long for the store. */
static bool collect_rollups(struct reading *reading, struct buffer *why)
{
    struct hours h = reading->report->hours;
    bool good = hours_there(reading->c->store, &h, why);
    for (int64_t hour = h.since; good && hour < h.until; hour += HOURS_A_PIECE) {
        int64_t end = hour + HOURS_A_PIECE < h.until ? hour + HOURS_A_PIECE : h.until;
        good = store_rollups(reading->c->store, hour, end, take_rollup, reading, why);
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

static struct place place_of(const struct entry *e)
{
    return (struct place){ e->time_ms, e->team,  e->key,        e->client, e->table,
                           e->target,  e->shape, e->shape_text, e->fault };
}

static bool has_mark_of_rows(struct slice marks)
{
    while (marks.n) {
        if (trace_is_of_rows(slice_split(marks, ',', &marks)))
            return true;
    }
    return false;
}

/* `marks`: those of the call that count here. */
static void add_entry(struct usage_item *item, const struct entry *e, struct slice marks)
{
    sums_add_entry(&item->sums, e);
    item->approximate += entry_is_end(e) && marks.n;
    item->approximate_rows += entry_is_end(e) && has_mark_of_rows(marks);
}

/* In the line of each of its marks, and once in their sum. */
static void take_marks(struct usage_report *report, struct place place, const struct entry *e)
{
    bool is_asked_for = false;
    for (struct slice rest = e->approximate; rest.n;) {
        place.word = slice_split(rest, ',', &rest);
        struct usage_item *item = item_at(report, &place);
        is_asked_for = is_asked_for || item;
        if (item)
            add_entry(item, e, place.word);
    }
    if (is_asked_for)
        add_entry(&report->marked, e, e->approximate);
}

static void take_entry(void *context, const struct entry *e)
{
    struct reading *reading = context;
    const struct place place = place_of(e);
    if (e->kind == ENTRY_HOLD || e->kind == ENTRY_NOTE || !hours_have(reading->report->hours, e->time_ms))
        return;
    if (reading->report->by == BY_MARK) {
        take_marks(reading->report, place, e);
        return;
    }
    struct usage_item *item = item_at(reading->report, &place);
    if (item)
        add_entry(item, e, e->approximate);
}

static bool read_entries(struct reading *reading, const struct span *span, struct buffer *why)
{
    bool good = true;
    for (int64_t seq = span->first_seq; good && seq && seq <= span->last_seq;)
        good = store_entries(reading->c->store, seq, PAGE, take_entry, reading, &seq, why);
    return good;
}

/* Once to know which are dear, and again for their sums where these had to be cut. */
static bool collect_entries(struct reading *reading, struct buffer *why)
{
    struct span span = { 0 };
    struct usage_report *report = reading->report;
    struct hours h = report->hours;
    bool good = store_rollups(reading->c->store, h.since, h.until, take_span, &span, why);
    if (good)
        command_note_cut(reading->c, span.first_seq);
    good = good && read_entries(reading, &span, why);
    keep_dearest(report, USAGE_SHOWN);
    report->is_closed = report->n == USAGE_SHOWN;
    if (!good || !report->is_cut)
        return good;
    report->is_closed = true;
    report->others = report->marked = report->empty;
    for (size_t i = 0; i < report->n; i++) {
        report->items[i].sums = (struct sums){ 0 };
        report->items[i].approximate = report->items[i].approximate_rows = 0;
    }
    return read_entries(reading, &span, why);
}

/* ---- from the counts beside the entries ---- */

/* What a count adds to a line; the words of calls with entries come from these where lines are of words or shapes. */
static void add_trace(struct usage_report *report, struct usage_item *item, const struct trace_row *row)
{
    if (row->what == TRACE_MARKED)
        item->approximate = sum_or_null(item->approximate, row->calls);
    if (row->what == TRACE_MARKED_ROWS)
        item->approximate_rows = sum_or_null(item->approximate_rows, row->calls);
    if (row->what != TRACE_REFUSED && row->what != TRACE_SHAPE)
        return;
    item->refused = sum_or_null(item->refused, row->calls);
    if (report->by == BY_FAULT) {
        item->sums.calls = bounds_sum(item->sums.calls, row->calls);
        item->sums.faults = bounds_sum(item->sums.faults, row->calls);
    }
}

static bool is_wanted(enum usage_by by, enum trace_what what)
{
    switch (by) {
    case BY_FAULT:
        return what == TRACE_REFUSED;
    case BY_SHAPE:
        return what == TRACE_SHAPE;
    case BY_CLIENT:
    case BY_TARGET:
    case BY_MARK:
        return false;
    case BY_TEAM:
    case BY_KEY:
    case BY_DAY:
    case BY_HOUR:
    case BY_TABLE:
    case N_BY:
        break;
    }
    return what == TRACE_REFUSED || what == TRACE_MARKED || what == TRACE_MARKED_ROWS;
}

/* A stranger's calls are of no team, and stand among the faults alone. */
static void take_trace(void *context, const struct trace_row *row)
{
    struct reading *reading = context;
    struct usage_report *report = reading->report;
    char word[SHAPE_WORD + 1];
    if (!is_wanted(report->by, row->what) || (!row->team.n && report->by != BY_FAULT))
        return;
    struct place place = {
        .ms = row->hour * 3600000, .team = row->team, .key = row->key, .table = row->table, .word = row->word
    };
    if (row->what == TRACE_SHAPE) {
        struct digest digest = digest_of(reading->digester, row->word);
        shapes_word(&digest, word);
        place.shape = row->word.n ? slice_str(word) : S("other");
        place.shape_text = row->word;
    }
    struct usage_item *item = item_at(report, &place);
    if (item)
        add_trace(report, item, row);
}

/* Hours that are not in the sums may have refused calls all the same. */
static bool collect_traces(struct reading *reading, struct buffer *why)
{
    struct hours h = reading->report->hours;
    struct command *c = reading->c;
    bool good = true;
    if (!is_wanted(reading->report->by, TRACE_REFUSED) && !is_wanted(reading->report->by, TRACE_SHAPE))
        return true;
    reading->digester = digester_new();
    if (!reading->digester)
        reading->report->failed = true;
    else
        good = refusals_traces(c->refusals, c->store, h.since, h.until, take_trace, reading, why);
    digester_free(reading->digester);
    return good;
}

/* ---- what is held, what is left ---- */

static bool collect_held(struct reading *reading, struct buffer *why)
{
    struct usage_report *report = reading->report;
    struct entry_list open = { 0 };
    if (usage_is_of_words(report->by))
        return true; /* these have not ended */
    bool good = open_holds(reading->c->store, &open, why);
    for (size_t i = 0; good && i < open.n; i++) {
        const struct place place = place_of(open.entries[i]);
        struct usage_item *item = hours_have(report->hours, place.ms) ? item_at(report, &place) : NULL;
        if (item) {
            item->rows_held = bounds_sum(item->rows_held, open.entries[i]->rows);
            item->units_held = bounds_sum(item->units_held, open.entries[i]->units);
        }
    }
    entry_list_clear(&open);
    return good;
}

/* Limits are of the running months, and shown in a period that has today in it; what is left is counted in the whole
 * month, whatever the period. Every configured team has a line. */
static bool collect_limits(struct reading *reading, struct buffer *why)
{
    struct usage_report *report = reading->report;
    const struct limits *limits = reading->c->limits;
    for (size_t i = 0; report->by == BY_TEAM && report->per == BY_NONE && !report->key.p && i < limits->n_teams; i++) {
        struct slice team = slice_str(limits->teams[i].name);
        if (!report->team.p || slice_eq(report->team, team))
            item_of(report, team)->team = team;
    }
    return !usage_is_running(report) ||
           usage_limits_read(&report->limits, reading->c, report->team, report->now_ms, why);
}

/* The names of keys; and the team that a key is of now, where its calls were of several. */
static bool collect_keys(struct reading *reading, struct buffer *why)
{
    struct usage_report *report = reading->report;
    if (report->by != BY_KEY && report->per != BY_KEY)
        return true;
    report->keys = keys_read(reading->c->store, why);
    for (size_t i = 0; report->keys && i < report->n; i++) {
        struct usage_item *item = &report->items[i];
        const struct stored_key *key = keys_of_id(report->keys, report->by == BY_KEY ? item->name : item->per);
        if (key)
            item->of_name = key->key.name;
        if (key && !item->team.n)
            item->team = key->key.team;
    }
    return report->keys;
}

bool usage_collect(struct usage_report *report, struct command *c, struct buffer *why)
{
    struct reading reading = { .report = report, .c = c };
    bool was_trimmed = report->hours.since < store_traces_since(c->store);
    report->empty = no_limits;
    if (report->by == BY_CLIENT || report->by == BY_TARGET || was_trimmed)
        report->empty.refused = LEDGER_NO_LIMIT;
    if (was_trimmed && !has_no_end(report))
        report->empty.approximate = report->empty.approximate_rows = LEDGER_NO_LIMIT;
    report->others = report->marked = report->empty;
    bool good = (has_no_end(report) ? collect_entries(&reading, why) : collect_rollups(&reading, why)) &&
                collect_traces(&reading, why) && collect_held(&reading, why) && collect_limits(&reading, why) &&
                collect_keys(&reading, why);
    if (good && report->failed)
        buffer_str(why, "ledger: out of memory");
    return good && !report->failed;
}

/* ---- order ---- */

static bool is_own(const struct usage_item *item)
{
    return slice_eq(item->name, S(USAGE_OWN));
}

static int by_name(const void *a, const void *b)
{
    const struct usage_item *x = a, *y = b;
    if (is_own(x) != is_own(y))
        return is_own(x) ? 1 : -1;
    return by_texts(x, y);
}

static int by_column(const void *a, const void *b, void *column)
{
    const struct usage_item *x = a, *y = b;
    int64_t left = usage_value(x, column), right = usage_value(y, column);
    if (is_own(x) != is_own(y) || left == right)
        return by_name(a, b);
    return left < right ? 1 : -1;
}

static bool is_empty(const struct usage_item *item)
{
    static const struct sums nothing;
    return memcmp(&item->sums, &nothing, sizeof nothing) == 0 && item->rows_held == 0 && item->units_held == 0 &&
           item->refused <= 0 && item->approximate <= 0;
}

/* NULL: it is the name. */
static const struct usage_column *column_of(const char *name)
{
    for (int i = 0; i < USAGE_COLUMNS; i++)
        if (strcmp(usage_columns[i].name, name) == 0)
            return &usage_columns[i];
    return NULL;
}

void usage_sort(struct usage_report *report, const struct limits *limits, const char *word)
{
    const struct usage_column *column = word ? column_of(word) : NULL;
    size_t kept = 0;
    report->total = report->empty;
    add_up(&report->total, &report->others);
    for (size_t i = 0; i < report->n; i++) {
        const struct usage_item *item = &report->items[i];
        bool configured = report->by == BY_TEAM && report->per == BY_NONE && limits_team(limits, item->name);
        if (configured || !is_empty(item)) {
            add_up(&report->total, item);
            report->items[kept++] = *item;
        }
    }
    report->n = kept;
    if (report->by == BY_MARK)
        report->total = report->marked;
    usage_limits_show(report);
    if (kept && column)
        qsort_r(report->items, kept, sizeof *report->items, by_column, (void *)(uintptr_t)column);
    else if (kept)
        qsort(report->items, kept, sizeof *report->items, by_name);
}

void usage_cut(struct usage_report *report, size_t top)
{
    report->has_top = top;
    for (; top && report->n > top; report->n_others++) {
        struct usage_item *item = &report->items[--report->n];
        add_up(&report->others, item);
        report->others.bill += item->bill;
    }
}
