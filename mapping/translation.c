/* SPDX-License-Identifier: MIT
 * One call on its way: pages of the list, totals, ratio, and what they make together. */
#include "mapping/translation.h"

#include <stdlib.h>

#include "mapping/totals.h"

enum { PAGE_MEMORY = 4 * 1024 * 1024 };

enum asking { NOT_NEEDED, TO_ASK, ASKING, ANOTHER_ASKS, ANSWERED };

/* v3 cuts long lists at the plan's cap without a word; these caps are known. */
static const int64_t known_caps[] = { 100, 250, 500 };

/* How much of the list is asked for. */
struct share {
    int64_t limit;  /* results of the answer at most */
    bool one_more;  /* a row behind them is asked for */
    int64_t units;  /* that further pages may take */
    int64_t refill; /* rows of the last page that made up for merged ones; 0: none was asked for */
};

/* Why the list ended before it had all that was wanted of it. */
struct ending {
    bool paid_out, full; /* no more units, no more memory */
    bool stuck;          /* a full page brought nothing new */
    bool behind;         /* more rows came than the answer needs: they are remembered only */
    bool unkept;         /* or not even that */
    bool kept_whole;     /* nothing is behind the rows that are remembered */
    bool cut_short;      /* there may be more rows, but no way to ask for them */
};

struct translation {
    const struct plan *plan;
    struct arena *memory;
    enum asking asking[V3_KINDS];
    bool asked_itself[V3_KINDS];
    struct translation_seen seen_before;
    struct refusal refusal;

    struct row_list *rows;
    struct scanner *list_scanner, *ratio_scanner;
    int64_t page, asked, came,
        came_new;                  /* of the page under way: number from 0, rows asked for, rows taken, new ones */
    int64_t came_in_all, replayed; /* rows that were not there before; of these, not asked for */
    struct {
        int64_t from, until;
    } own;                   /* the distinct rows, by place, that whole pages have brought which were asked for */
    struct arena *next_page; /* of the path of a further page, which has texts of rows in it; made anew for each */
    struct buffer packed;    /* rows to be remembered */
    size_t packed_sound;     /* bytes of it up to the last row whose texts were whole */
    bool keeps_rows;
    int64_t page_rows, learnt_page_rows;
    struct share share;
    struct ending ending;
    bool whole_list;

    struct buffer totals_body;
    int64_t totals;
    struct ratio ratio;
    struct ratio list_ratio; /* of the first page, as it would be if all were asked for */
    bool has_list_ratio;

    int64_t results;
    struct stats stats;
};

static bool fail(struct translation *t, enum fault fault, const char *why)
{
    if (!t->refusal.fault)
        t->refusal = (struct refusal){ fault, slice_str(why) };
    return false;
}

static bool no_memory(struct translation *t)
{
    return fail(t, FAULT_TOO_BUSY, "the answer needs more memory than one call may have");
}

static bool odd(struct translation *t, const char *what, const char *why)
{
    struct slice text = arena_printf(t->memory, "API v3's answer (%s) is not what it promises: %s", what, why);
    return fail(t, FAULT_UPSTREAM_ODD, text.p ? text.p : "API v3's answer is not what it promises");
}

struct translation *translation_new(const struct plan *plan, struct translation_seen seen, size_t max_bytes,
                                    struct arena *memory)
{
    struct translation *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->plan = plan;
    t->memory = memory;
    t->seen_before = seen;
    t->page_rows = plan->page_rows;
    t->share.limit = plan->call->limit;
    t->share.units = plan_list_units(plan, plan->call->offset + plan->call->limit);
    t->share.units += plan_allowance(plan, t->share.units);
    t->totals_body.max_bytes = 64 * 1024;
    t->asking[V3_LIST] = plan->ask_list ? TO_ASK : NOT_NEEDED;
    t->asking[V3_TOTALS] = plan->ask_totals ? TO_ASK : NOT_NEEDED;
    t->asking[V3_RATIO] = plan->ask_ratio ? TO_ASK : NOT_NEEDED;
    struct rows_options o = { .table = plan->call->table,
                              .fields = plan->fields,
                              .fold = plan->options.fold,
                              .order = plan->order,
                              .n_order = plan->n_order,
                              .checks = plan->checks,
                              .n_checks = plan->n_checks,
                              .max_bytes = max_bytes };
    t->rows = rows_new(&o);
    if (!t->rows) {
        free(t);
        return NULL;
    }
    return t;
}

void translation_free(struct translation *t)
{
    if (!t)
        return;
    scanner_free(t->list_scanner);
    scanner_free(t->ratio_scanner);
    rows_free(t->rows);
    buffer_clear(&t->totals_body);
    buffer_clear(&t->packed);
    arena_free(t->next_page);
    free(t);
}

void translation_set_budget(struct translation *t, struct budget *budget)
{
    rows_set_budget(t->rows, budget);
}

size_t translation_bytes(const struct translation *t)
{
    return t->packed.room + t->totals_body.room + (t->next_page ? arena_used(t->next_page) : 0);
}

/* As render_answer reserves it: most rows need less. */
size_t translation_answer_bytes(const struct translation *t)
{
    enum { AROUND_A_ROW = 256 };
    return rows_text_bytes(t->rows) + (size_t)rows_count(t->rows) * AROUND_A_ROW;
}

void translation_know_totals(struct translation *t, int64_t live)
{
    if (t->asking[V3_TOTALS] == TO_ASK || t->asking[V3_TOTALS] == ANOTHER_ASKS) {
        t->asking[V3_TOTALS] = ANSWERED;
        t->totals = live;
    }
}

void translation_know_ratio(struct translation *t, const struct ratio *ratio)
{
    if (t->asking[V3_RATIO] == TO_ASK || t->asking[V3_RATIO] == ANOTHER_ASKS) {
        t->asking[V3_RATIO] = ANSWERED;
        t->ratio = *ratio;
    }
}

bool translation_needs(const struct translation *t, enum v3_kind kind)
{
    return t->asking[kind] == TO_ASK;
}

void translation_await(struct translation *t, enum v3_kind kind)
{
    t->asking[kind] = ANOTHER_ASKS;
}

void translation_ask_after_all(struct translation *t, enum v3_kind kind)
{
    if (t->asking[kind] == ANOTHER_ASKS)
        t->asking[kind] = TO_ASK;
}

int64_t translation_totals(const struct translation *t)
{
    return t->totals;
}

struct ratio translation_ratio(const struct translation *t)
{
    return t->ratio;
}

struct refusal translation_refusal(const struct translation *t)
{
    return t->refusal;
}

/* ---- rows ---- */

/* Rows of the list that the answer needs, skipped ones included; and with the one behind them. */
static int64_t needed_rows(const struct translation *t)
{
    return t->plan->call->offset + t->share.limit;
}

static int64_t wanted_rows(const struct translation *t)
{
    return needed_rows(t) + t->share.one_more;
}

/* The ratio is that of the first page, whether it is asked for now or came earlier and in pieces. */
static void add_to_list_ratio(struct translation *t, const struct scan_value *values)
{
    const struct table *table = t->plan->call->table;
    int64_t first = wanted_rows(t);
    if (!t->plan->ratio_from_list || t->has_list_ratio)
        return;
    if (t->plan->page_rows && first > t->plan->page_rows)
        first = t->plan->page_rows;
    ratio_add(&t->list_ratio, values[table->backlinks_field].whole, values[table->refpages_field].whole);
    t->list_ratio.rows = rows_count(t->rows);
    t->has_list_ratio = t->came_in_all == first;
}

static void count_row(struct translation *t, const struct scan_value *values)
{
    t->came_in_all++;
    add_to_list_ratio(t, values);
}

bool translation_has_enough(const struct translation *t)
{
    return t->asking[V3_LIST] != TO_ASK || rows_count(t->rows) >= wanted_rows(t);
}

bool translation_knows_list(const struct translation *t)
{
    return t->asking[V3_LIST] != TO_ASK;
}

bool translation_lacks(const struct translation *t, enum v3_kind kind)
{
    return t->asking[kind] != NOT_NEEDED && t->asking[kind] != ANSWERED;
}

void translation_cut(struct translation *t, int64_t results, bool one_more)
{
    t->share.limit = results;
    t->share.one_more = one_more;
    if (t->asking[V3_LIST] == TO_ASK && rows_count(t->rows) >= wanted_rows(t))
        t->asking[V3_LIST] = ANSWERED;
}

void translation_pay(struct translation *t, int64_t units)
{
    t->share.units = units;
}

void translation_end_rows(struct translation *t)
{
    t->ending.full = true;
}

bool translation_replay(struct translation *t, struct slice rows)
{
    struct scan_value values[TABLE_MAX_FIELDS];
    while (!translation_has_enough(t) && packed_rows_take(&rows, t->plan->call->table, t->plan->fields, values)) {
        enum rows_added added = rows_add(t->rows, values);
        if (added == ROWS_FULL)
            return no_memory(t);
        if (added != ROWS_SEEN_BEFORE)
            count_row(t, values);
        t->replayed++;
    }
    return true;
}

void translation_replayed(struct translation *t, bool whole)
{
    if (t->asking[V3_LIST] != TO_ASK)
        return;
    bool enough = translation_has_enough(t);
    t->whole_list = whole && !enough; /* as v3 would have shown by giving fewer rows than asked for */
    if (enough || whole)
        t->asking[V3_LIST] = ANSWERED;
    t->page = t->replayed > 0;
    t->own.from = t->own.until = rows_count(t->rows);
}

void translation_keep_rows(struct translation *t, size_t max_bytes)
{
    t->packed.max_bytes = max_bytes;
    t->keeps_rows = true;
}

/* Rows behind the last sound one come again with the next page. */
bool translation_take_rows(struct translation *t, struct buffer *rows, bool *whole)
{
    bool is_doubtful = !t->plan->n_filters && !rows_count(t->rows) && t->plan->ask_totals &&
                       (t->asking[V3_TOTALS] != ANSWERED || t->totals > 0);
    if (!t->ending.kept_whole)
        t->packed.n = t->packed_sound;
    if (!t->keeps_rows || t->packed.failed || (!t->packed.n && !t->ending.kept_whole) || is_doubtful)
        return false;
    *rows = t->packed;
    *whole = t->ending.kept_whole;
    t->packed = buffer_with_cap(rows->max_bytes);
    t->packed_sound = 0;
    return true;
}

/* ---- asking ---- */

/* A row behind those that are wanted: a refill may bring more than it was for. It changes nothing of the answer, which
 * is the same when its rows are remembered. */
static void keep_behind(struct translation *t, const struct scan_value *values)
{
    const struct table *table = t->plan->call->table;
    bool broken = false;
    for (size_t i = 0; i < table->n_fields; i++)
        broken |= t->plan->fields & 1u << i && table->fields[i].type == VALUE_TEXT && values[i].broken;
    t->ending.behind = true;
    t->ending.unkept |= broken || !t->keeps_rows || rows_disordered(t->rows);
    if (t->ending.unkept)
        return;
    packed_rows_put(&t->packed, table, t->plan->fields, values);
    t->packed_sound = t->packed.n;
}

static bool on_list_row(void *context, const struct scan_value *values)
{
    struct translation *t = context;
    if (t->came == t->asked)
        return true; /* more than was asked for is not taken */
    t->came++;
    if (t->ending.full)
        return true;
    if (rows_count(t->rows) >= wanted_rows(t)) {
        keep_behind(t, values);
        return true;
    }
    enum rows_added added = rows_add(t->rows, values);
    t->ending.full = added == ROWS_FULL; /* it was paid for: the rows that are there are the answer */
    if (t->ending.full || added == ROWS_SEEN_BEFORE)
        return true;
    t->came_new++;
    count_row(t, values);
    if (!t->keeps_rows)
        return true;
    packed_rows_put(&t->packed, t->plan->call->table, t->plan->fields, values);
    if (added != ROWS_BROKEN)
        t->packed_sound = t->packed.n;
    return true;
}

static bool on_ratio_row(void *context, const struct scan_value *values)
{
    struct translation *t = context;
    const struct table *table = t->plan->call->table;
    if (t->ratio.rows == PLAN_RATIO_ROWS)
        return true;
    t->ratio.rows++;
    ratio_add(&t->ratio, values[table->backlinks_field].whole, values[table->refpages_field].whole);
    return true;
}

static struct scanner *new_scanner(struct translation *t, uint32_t wanted,
                                   bool (*on_row)(void *context, const struct scan_value *values))
{
    const struct table *table = t->plan->call->table;
    struct scan_options o = { .key = table->rows,
                              .fields = table->fields,
                              .n_fields = table->n_fields,
                              .wanted = wanted,
                              .on_row = on_row,
                              .context = t };
    return scanner_new(&o);
}

static void end_here(struct translation *t)
{
    t->ending.cut_short = true;
    t->asking[V3_LIST] = ANSWERED;
}

/* A text that is longer than any URL need not be written into one. */
static bool has_long_text(const struct translation *t, const struct filter_value *last)
{
    const struct table *table = t->plan->call->table;
    for (size_t i = 0; i < t->plan->n_order; i++) {
        int field = t->plan->order[i].field;
        if (table->fields[field].type != VALUE_WHOLE && last[field].text.n > PLAN_MAX_URL)
            return true;
    }
    return false;
}

/* There is no memory for another page: what was paid for is answered with the rows that are there. */
static bool end_full(struct translation *t)
{
    if (!t->asked_itself[V3_LIST])
        return no_memory(t);
    t->ending.full = true;
    t->asking[V3_LIST] = ANSWERED;
    return true;
}

/* The next page begins behind the last row that came whole. Where the rows were not in byte order, v3's idea of
 * "behind" is not known either: then at that row, and what was there before is dropped. The texts of that row stand in
 * the URL: where it would be too long to be sent, the list ends here. */
static bool begin_page(struct translation *t, const struct filter_value *last, struct slice *after, bool *or_at)
{
    *or_at = rows_disordered(t->rows);
    if (has_long_text(t, last)) {
        end_here(t);
        return true;
    }
    arena_free(t->next_page);
    t->next_page = arena_new(PAGE_MEMORY);
    if (!t->next_page)
        return end_full(t);
    *after = filter_after(t->plan->call->table, t->plan->order, t->plan->n_order, last, *or_at, t->next_page);
    struct slice longest = after->p ? plan_list_path(t->plan, *after, wanted_rows(t), t->next_page) : *after;
    if (longest.p && plan_is_too_long(t->plan, longest)) {
        end_here(t);
        return true;
    }
    int64_t come_again = longest.p ? rows_begin_page(t->rows) : -1;
    if (come_again < 0)
        return end_full(t);
    t->came_in_all -= come_again;
    return true;
}

/* What makes up for rows that were merged: the rows that are missing and the share that was merged so far, at least
 * what v3's least price pays for, and three times the page before: a few pages do, whatever merges. */
static int64_t rows_of_refill(struct translation *t, bool or_at)
{
    int64_t missing = needed_rows(t) - rows_count(t->rows), merged = t->came_in_all - rows_count(t->rows);
    int64_t share = (int64_t)((double)missing * (double)merged / (double)t->came_in_all);
    int64_t least = plan_floor_rows(t->plan), rows = missing + share + or_at;
    if (t->share.refill * 3 > least)
        least = t->share.refill * 3;
    return rows > least ? rows : least;
}

/* Of the next page, as far as it is paid for; the row at which it begins included when that comes again. */
static int64_t rows_of_page(struct translation *t, bool or_at)
{
    bool is_refill = t->page && t->came_in_all >= needed_rows(t) && rows_count(t->rows) < needed_rows(t);
    int64_t rows = is_refill ? rows_of_refill(t, or_at) : wanted_rows(t) - rows_count(t->rows) + or_at;
    int64_t paid = plan_rows_paid_by(t->plan, t->share.units);
    if (rows > paid)
        rows = paid;
    if (t->page_rows && rows > t->page_rows)
        rows = t->page_rows;
    if (is_refill)
        t->share.refill = rows;
    return rows;
}

/* *ret has no path when the list ends here. */
static bool next_list(struct translation *t, struct v3_request *ret)
{
    struct slice after = S("");
    bool or_at = false;
    struct filter_value last[TABLE_MAX_FIELDS];
    if (t->page && rows_last(t->rows, last)) {
        if (!begin_page(t, last, &after, &or_at))
            return false;
        if (t->asking[V3_LIST] == ANSWERED) /* it has ended */
            return true;
    }
    int64_t rows = rows_of_page(t, or_at);
    if (rows <= or_at) {
        t->ending.paid_out = rows_count(t->rows) < needed_rows(t);
        t->asking[V3_LIST] = ANSWERED;
        return true;
    }
    scanner_free(t->list_scanner);
    t->list_scanner = new_scanner(t, t->plan->fields, on_list_row);
    ret->path = plan_list_path(t->plan, after, rows, after.n ? t->next_page : t->memory);
    if (!t->list_scanner || !ret->path.p) {
        ret->path = S("");
        return end_full(t);
    }
    ret->rows = rows;
    ret->units = plan_units(t->plan, rows);
    t->share.units -= ret->units;
    t->asked = rows;
    t->came = t->came_new = 0;
    return true;
}

static bool next_ratio(struct translation *t, struct v3_request *ret)
{
    const struct table *table = t->plan->call->table;
    t->ratio_scanner = new_scanner(t, 1u << table->backlinks_field | 1u << table->refpages_field, on_ratio_row);
    ret->path = plan_ratio_path(t->plan, t->memory);
    ret->rows = PLAN_RATIO_ROWS;
    ret->units = plan_is_free(t->plan) ? 0 : V3_FLOOR_UNITS;
    return t->ratio_scanner && ret->path.p ? true : no_memory(t);
}

static bool next_totals(struct translation *t, struct v3_request *ret)
{
    ret->path = plan_totals_path(t->plan, t->memory);
    ret->rows = 1;
    ret->units = plan_is_free(t->plan) ? 0 : V3_FLOOR_UNITS;
    return ret->path.p ? true : no_memory(t);
}

bool translation_next_of(struct translation *t, enum v3_kind kind, struct v3_request *ret)
{
    static bool (*const next[V3_KINDS])(struct translation *, struct v3_request *) = {
        [V3_LIST] = next_list, [V3_TOTALS] = next_totals, [V3_RATIO] = next_ratio
    };
    if (t->refusal.fault || t->asking[kind] != TO_ASK)
        return false;
    *ret = (struct v3_request){ .kind = kind };
    t->asking[kind] = ASKING;
    if (!next[kind](t, ret) || !ret->path.n)
        return false;
    t->asked_itself[kind] = true;
    return true;
}

bool translation_next(struct translation *t, struct v3_request *ret)
{
    for (enum v3_kind kind = 0; kind < V3_KINDS && !t->refusal.fault; kind++)
        if (translation_next_of(t, kind, ret))
            return true;
    return false;
}

/* ---- answers ---- */

static bool scanned(struct translation *t, const struct scanner *s, bool ok, const char *what)
{
    if (ok || t->refusal.fault)
        return ok;
    return odd(t, what, scanner_why(s) ? scanner_why(s) : "it was refused");
}

bool translation_feed(struct translation *t, enum v3_kind kind, struct slice bytes)
{
    if (t->refusal.fault && kind == V3_LIST)
        return false;
    switch (kind) {
    case V3_LIST:
        return scanned(t, t->list_scanner, scanner_feed(t->list_scanner, bytes), "list");
    case V3_RATIO:
        return scanned(t, t->ratio_scanner, scanner_feed(t->ratio_scanner, bytes), "top anchors");
    case V3_TOTALS:
    case V3_KINDS:
        break;
    }
    buffer_append(&t->totals_body, bytes);
    return t->totals_body.failed ? odd(t, "totals", "it is too long") : true;
}

static bool is_known_cap(int64_t n)
{
    for (size_t i = 0; i < sizeof known_caps / sizeof known_caps[0]; i++)
        if (known_caps[i] == n)
            return true;
    return false;
}

/* Whether more rows may be behind a page; tells a cut list from a short one. */
static bool more_behind(struct translation *t)
{
    bool cut = t->came < t->asked && is_known_cap(t->came) && (!t->page_rows || t->plan->options.page_rows_is_guess);
    if (cut)
        t->page_rows = t->came;
    else if (t->came < t->asked)
        t->whole_list = !t->ending.full && !t->ending.behind;
    t->ending.kept_whole = !cut && t->came < t->asked && !t->ending.full && !t->ending.unkept;
    if (t->page && t->page_rows != t->plan->page_rows && t->came)
        t->learnt_page_rows = t->page_rows;
    bool is_first_pass = t->came_in_all < wanted_rows(t);
    return !t->whole_list && rows_count(t->rows) < (is_first_pass ? wanted_rows(t) : needed_rows(t));
}

static bool end_list(struct translation *t, int64_t rows_header)
{
    if (!scanned(t, t->list_scanner, scanner_end(t->list_scanner), "list"))
        return false;
    if (rows_header >= 0 && rows_header != scanner_rows(t->list_scanner))
        return odd(t, "list", "x-api-rows is another number than there are rows");
    t->has_list_ratio = true; /* v3 may have cut the first page */
    t->own.until = rows_count(t->rows);
    bool more = more_behind(t);
    t->share.units += plan_units(t->plan, t->asked) - plan_units(t->plan, t->came);
    t->ending.stuck = more && !t->came_new && !t->ending.full; /* it orders texts otherwise than it compares them */
    if (more && !t->ending.full)
        t->ending.cut_short = t->ending.stuck || !rows_can_page(t->rows);
    if (more && !t->ending.full && !t->ending.cut_short) {
        t->page++;
        t->asking[V3_LIST] = TO_ASK;
        return true;
    }
    t->asking[V3_LIST] = ANSWERED;
    return true;
}

static bool end_ratio(struct translation *t, int64_t rows_header)
{
    if (!scanned(t, t->ratio_scanner, scanner_end(t->ratio_scanner), "top anchors"))
        return false;
    if (rows_header >= 0 && rows_header != scanner_rows(t->ratio_scanner))
        return odd(t, "top anchors", "x-api-rows is another number than there are rows");
    t->asking[V3_RATIO] = ANSWERED;
    return true;
}

bool translation_end(struct translation *t, enum v3_kind kind, int64_t rows_header)
{
    if (t->refusal.fault && kind == V3_LIST)
        return false;
    switch (kind) {
    case V3_LIST:
        return end_list(t, rows_header);
    case V3_RATIO:
        return end_ratio(t, rows_header);
    case V3_TOTALS:
    case V3_KINDS:
        break;
    }
    if (!totals_parse(buffer_slice(&t->totals_body), &t->totals))
        return odd(t, "totals", "there is no whole number metrics.live");
    t->asking[V3_TOTALS] = ANSWERED;
    return true;
}

int64_t translation_page_rows(const struct translation *t)
{
    return t->came;
}

int64_t translation_rows(const struct translation *t)
{
    return rows_count(t->rows);
}

int64_t translation_own_results(const struct translation *t)
{
    int64_t first = t->plan->call->offset, behind = wanted_rows(t);
    int64_t from = t->own.from > first ? t->own.from : first;
    int64_t until = t->own.until < behind ? t->own.until : behind;
    return until > from ? until - from : 0;
}

bool translation_is_whole(const struct translation *t)
{
    for (int kind = 0; kind < V3_KINDS; kind++)
        if (t->asking[kind] != NOT_NEEDED && t->asking[kind] != ANSWERED)
            return false;
    return !t->refusal.fault;
}

/* ---- the answer ---- */

/* v3 has no number of linking pages. None or one anchor: known. The target's whole list: its sum, at most too high by
 * the pages that use two anchors. Else an estimate by the ratio among the anchors with the most links. */
static void make_refpages(struct translation *t, struct marks *marks)
{
    const struct table *table = t->plan->call->table;
    bool all = t->whole_list && t->plan->n_filters == 0;
    const struct ratio *ratio = t->plan->ratio_from_list ? &t->list_ratio : &t->ratio;
    if (all && (t->came_in_all == 0 || t->plan->fields & 1u << table->refpages_field)) {
        t->stats.refpages = t->came_in_all ? rows_sum(t->rows, table->refpages_field) : 0;
        if (t->came_in_all <= 1)
            return;
    } else if (!t->plan->options.refpages_null && ratio->rows <= 1 && ratio->links == t->totals &&
               t->came_in_all <= 1) {
        t->stats.refpages = ratio->refpages;
        return;
    } else {
        t->stats.refpages = ratio_apply(ratio, t->totals);
    }
    t->stats.refpages_null = t->plan->options.refpages_null;
    marks_add(marks, MARK_STATS_REFPAGES);
}

/* Where v3 orders texts in its own way it may compare them in another, and then pages leave rows out. Nothing is
 * missing when the links of all rows are those of the target. */
static bool rows_may_be_missing(const struct translation *t)
{
    const struct table *table = t->plan->call->table;
    bool adds_up = t->plan->n_filters == 0 && t->plan->ask_totals && t->plan->fields & 1u << table->backlinks_field &&
                   rows_sum(t->rows, table->backlinks_field) == t->totals;
    return t->page_rows && t->came_in_all > t->page_rows && !adds_up;
}

/* A list without a row, of a target that has links. */
static bool contradicts_totals(const struct translation *t)
{
    bool knows = t->asking[V3_TOTALS] == ANSWERED && t->plan->ask_list;
    return knows && t->totals > 0 && t->plan->n_filters == 0 && rows_count(t->rows) == 0;
}

static enum translation_cut cut_of(const struct translation *t)
{
    bool is_shorter = t->share.limit < t->plan->call->limit && (!t->whole_list || rows_count(t->rows) > needed_rows(t));
    return t->ending.full ? CUT_FULL : t->ending.paid_out ? CUT_PAID_OUT : is_shorter ? CUT_SHORTER : CUT_NOT;
}

static void make_marks(struct translation *t, struct marks *marks)
{
    const struct table *table = t->plan->call->table;
    bool disorder = t->seen_before.disorder || rows_resorted(t->rows);
    bool every_row = t->whole_list && t->plan->call->offset == 0 && rows_count(t->rows) <= needed_rows(t) && !cut_of(t);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *c = &table->columns[i];
        if (t->results && c->shown == FIDELITY_NEAR && t->plan->call->select & 1u << i)
            marks_add(marks, MARK_LAST_VISITED);
        if (c->field == table->key_field && t->plan->call->select & 1u << i && rows_show_broken(t->rows, t->results))
            marks_add(marks, MARK_ANCHOR_TEXT);
        if (c->field == table->key_field && t->plan->ask_list &&
            (t->ending.stuck || (disorder && (!every_row || rows_may_be_missing(t)))))
            marks->order_by |= 1u << i;
    }
    if (t->ending.cut_short || cut_of(t))
        marks_add(marks, MARK_ROWS);
    bool case_seen = t->seen_before.upper_case || rows_case_seen(t->rows);
    /* Of the complete list nothing is missing; but a page or domain with two spellings was counted twice. */
    bool is_complete = every_row && t->plan->n_filters == 0 && t->came_in_all == rows_count(t->rows);
    if (t->plan->ask_list && t->plan->options.fold && case_seen && !is_complete)
        marks_add(marks, MARK_ANCHOR_CASE);
}

bool translation_finish(struct translation *t, struct translation_result *ret)
{
    const struct call *call = t->plan->call;
    int64_t count = rows_count(t->rows), first = call->offset < count ? call->offset : count;
    t->results = count - first < t->share.limit ? count - first : t->share.limit;
    if (!rows_finish(t->rows, first, t->results))
        return no_memory(t);
    struct translation_result r = { .marks = t->plan->marks, .results = t->results };
    if (!t->plan->options.stats_zero) {
        t->stats.backlinks = t->totals;
        make_refpages(t, &r.marks);
    }
    make_marks(t, &r.marks);
    if (contradicts_totals(t))
        marks_add(&r.marks, MARK_ROWS);
    r.rows = t->plan->free_of_rows ? 0 : table_price(call->table, t->results, call->where.n > 0, call->having.n > 0);
    r.whole_list = t->whole_list;
    r.cut = cut_of(t);
    r.rows_came = t->came_in_all;
    r.rows_replayed = t->replayed;
    r.seen = (struct translation_seen){ rows_case_seen(t->rows), rows_disordered(t->rows) };
    r.learnt_page_rows = t->learnt_page_rows;
    r.has_totals = t->asked_itself[V3_TOTALS];
    r.totals = t->totals;
    r.has_ratio = t->asked_itself[V3_RATIO] || (t->plan->ratio_from_list && t->list_ratio.rows >= PLAN_RATIO_ROWS);
    r.ratio = t->asked_itself[V3_RATIO] ? t->ratio : t->list_ratio;
    *ret = r;
    return true;
}

void translation_write(const struct translation *t, struct buffer *out)
{
    render_answer(t->plan, t->rows, t->results, &t->stats, out);
}
