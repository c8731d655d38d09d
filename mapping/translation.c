/* SPDX-License-Identifier: MIT
 * One call on its way: pages of the list, the parts beside it, and what they make together. */
#include "mapping/translation.h"

#include <assert.h>
#include <stdlib.h>

#include "mapping/part.h"
#include "mapping/record.h"
#include "mapping/translation_inside.h"

enum { MAX_OBJECT = 64 * 1024, PAGE_MEMORY = 4 * 1024 * 1024 };

/* v3 cuts long lists at the plan's cap without a word; these caps are known. */
static const int64_t known_caps[] = { 100, 250, 500 };

bool translation_fail(struct translation *t, enum fault fault, const char *why)
{
    if (!t->refusal.fault)
        t->refusal = (struct refusal){ fault, slice_str(why) };
    return false;
}

static bool no_memory(struct translation *t)
{
    return translation_fail(t, FAULT_TOO_BUSY, "the answer needs more memory than one call may have");
}

static struct slice what_of(const struct asked *a)
{
    return a->part ? a->part->what : S("list");
}

static bool odd(struct translation *t, const struct asked *a, const char *why)
{
    struct slice text =
        arena_printf(t->memory, "API v3's answer (%.*s) is not what it promises: %s", SLICE_ARGS(what_of(a)), why);
    return translation_fail(t, FAULT_UPSTREAM_ODD, text.p ? text.p : "API v3's answer is not what it promises");
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
    t->asks[ASK_LIST].state = plan->ask_list ? TO_ASK : NOT_NEEDED;
    for (size_t k = 0; k < plan->call->table->n_parts; k++)
        t->asks[ASK_PARTS + k] = (struct asked){ .state = plan->parts[k].is_asked ? TO_ASK : NOT_NEEDED,
                                                 .part = &plan->call->table->parts[k],
                                                 .fields = plan->parts[k].fields,
                                                 .body.max_bytes = MAX_OBJECT };
    struct rows_options o = { .table = plan->call->table,
                              .fields = plan->fields,
                              .fold = plan->options.fold,
                              .order = plan->order,
                              .n_order = plan->n_order,
                              .checks = plan->checks,
                              .n_checks = plan->n_checks,
                              .max_bytes = max_bytes };
    t->rows = plan->call->table->list ? rows_new(&o) : NULL;
    t->walk = walk_is_needed(plan) ? walk_new(plan, memory) : NULL;
    if ((!plan->call->table->list || t->rows) && (!walk_is_needed(plan) || t->walk))
        return t;
    translation_free(t);
    return NULL;
}

void translation_free(struct translation *t)
{
    if (!t)
        return;
    for (int i = 0; i < ASK_COUNT; i++) {
        scanner_free(t->asks[i].scanner);
        buffer_clear(&t->asks[i].body);
    }
    rows_free(t->rows);
    walk_free(t->walk);
    buffer_clear(&t->packed);
    arena_free(t->next_page);
    free(t);
}

void translation_set_budget(struct translation *t, struct budget *budget)
{
    if (t->rows)
        rows_set_budget(t->rows, budget);
}

size_t translation_bytes(const struct translation *t)
{
    size_t n = t->packed.room + (t->next_page ? arena_used(t->next_page) : 0);
    for (int i = 0; i < ASK_COUNT; i++)
        n += t->asks[i].body.room;
    return n;
}

/* As render_answer reserves it: most rows need less. */
size_t translation_answer_bytes(const struct translation *t)
{
    enum { AROUND_A_ROW = 256 };
    return t->rows ? rows_text_bytes(t->rows) + (size_t)rows_count(t->rows) * AROUND_A_ROW : AROUND_A_ROW;
}

void translation_know_part(struct translation *t, enum plan_ask ask, struct slice bytes)
{
    struct asked *a = &t->asks[ask];
    assert(ask != ASK_LIST && bytes.n == part_bytes(a->part->report));
    if (a->state != TO_ASK && a->state != ANOTHER_ASKS)
        return;
    a->state = ANSWERED;
    memcpy(&a->values, bytes.p, bytes.n);
}

struct slice translation_part(const struct translation *t, enum plan_ask ask)
{
    const struct asked *a = &t->asks[ask];
    return slice_of((const char *)&a->values, part_bytes(a->part->report));
}

bool translation_needs(const struct translation *t, enum plan_ask ask)
{
    return t->asks[ask].state == TO_ASK;
}

void translation_await(struct translation *t, enum plan_ask ask)
{
    t->asks[ask].state = ANOTHER_ASKS;
}

void translation_ask_after_all(struct translation *t, enum plan_ask ask)
{
    if (t->asks[ask].state == ANOTHER_ASKS)
        t->asks[ask].state = TO_ASK;
}

int64_t translation_most_rows(const struct translation *t)
{
    enum plan_ask ask = plan_bound_ask(t->plan);
    if (ask == ASK_COUNT || t->asks[ask].state != ANSWERED)
        return INT64_MAX;
    return plan_bound(t->plan, translation_part(t, ask));
}

struct refusal translation_refusal(const struct translation *t)
{
    return t->refusal;
}

/* ---- rows ---- */

/* The same with the row behind them. */
static int64_t wanted_rows(const struct translation *t)
{
    return needed_rows(t) + t->share.one_more;
}

/* Such a part is that of the first page, whether it is asked for now or came earlier and in pieces. */
static void add_to_parts(struct translation *t, const struct scan_value *values)
{
    int64_t first = wanted_rows(t);
    if (t->plan->page_rows && first > t->plan->page_rows)
        first = t->plan->page_rows;
    for (size_t k = 0; k < t->plan->call->table->n_parts; k++) {
        struct asked *a = &t->asks[ASK_PARTS + k];
        if (!t->plan->parts[k].is_in_list || a->is_full)
            continue;
        part_add(t->plan->call->table->list, t->plan->parts[k].fields, values, &a->values);
        a->values.rows = rows_count(t->rows);
        a->is_full = t->came_in_all == first;
    }
}

static void count_row(struct translation *t, const struct scan_value *values)
{
    t->came_in_all++;
    add_to_parts(t, values);
}

bool translation_has_enough(const struct translation *t)
{
    return t->asks[ASK_LIST].state != TO_ASK || rows_count(t->rows) >= wanted_rows(t);
}

bool translation_knows_list(const struct translation *t)
{
    return t->asks[ASK_LIST].state != TO_ASK;
}

bool translation_lacks(const struct translation *t, enum plan_ask ask)
{
    return t->asks[ask].state != NOT_NEEDED && t->asks[ask].state != ANSWERED;
}

void translation_cut(struct translation *t, int64_t results, bool one_more)
{
    t->share.limit = results;
    t->share.one_more = one_more;
    if (t->asks[ASK_LIST].state == TO_ASK && rows_count(t->rows) >= wanted_rows(t))
        t->asks[ASK_LIST].state = ANSWERED;
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
    struct scan_value values[REPORT_MAX_FIELDS];
    while (!translation_has_enough(t) && packed_rows_take(&rows, t->plan->call->table->list, t->plan->fields, values)) {
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
    if (t->asks[ASK_LIST].state != TO_ASK)
        return;
    bool enough = translation_has_enough(t);
    t->whole_list = whole && !enough; /* as v3 would have shown by giving fewer rows than asked for */
    if (enough || whole)
        t->asks[ASK_LIST].state = ANSWERED;
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
    enum plan_ask bound = plan_bound_ask(t->plan);
    bool is_doubtful = !t->plan->n_filters && !rows_count(t->rows) && bound != ASK_COUNT &&
                       t->plan->parts[bound - ASK_PARTS].is_asked && translation_most_rows(t) > 0;
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
    const struct report *list = t->plan->call->table->list;
    bool broken = false;
    for (size_t i = 0; i < list->n_fields; i++)
        broken |= t->plan->fields & bit((int)i) && values[i].broken &&
                  (list->fields[i].type == VALUE_TEXT || list->fields[i].type == VALUE_LIST);
    t->ending.behind = true;
    t->ending.unkept |= broken || !t->keeps_rows || rows_disordered(t->rows);
    if (t->ending.unkept)
        return;
    packed_rows_put(&t->packed, list, t->plan->fields, values);
    t->packed_sound = t->packed.n;
}

/* A row of the list, in its order. */
static bool take_row(void *context, const struct scan_value *values)
{
    struct translation *t = context;
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
    packed_rows_put(&t->packed, t->plan->call->table->list, t->plan->fields, values);
    if (added != ROWS_BROKEN)
        t->packed_sound = t->packed.n;
    return true;
}

static bool on_list_row(void *context, const struct scan_value *values)
{
    struct translation *t = context;
    if (t->came == t->asked)
        return true; /* more than was asked for is not taken */
    t->came++;
    if (!t->walk)
        return take_row(t, values);
    walk_put(t->walk, values);
    return true;
}

/* A row of a part that adds rows up. */
static bool on_part_row(void *context, const struct scan_value *values)
{
    struct asked *a = context;
    if (a->values.rows < a->part->rows) /* more than was asked for is not taken */
        part_add(a->part->report, a->fields, values, &a->values);
    return true;
}

static struct scanner *new_scanner(const struct report *report, uint64_t wanted,
                                   bool (*on_row)(void *context, const struct scan_value *values), void *context)
{
    struct scan_options o = { .key = report->key,
                              .fields = report->fields,
                              .n_fields = report->n_fields,
                              .wanted = wanted,
                              .on_row = on_row,
                              .context = context };
    return scanner_new(&o);
}

static void end_here(struct translation *t)
{
    t->ending.cut_short = true;
    t->asks[ASK_LIST].state = ANSWERED;
}

/* A text that is longer than any URL need not be written into one. */
static bool has_long_text(const struct translation *t, const union cell *last)
{
    const struct field *fields = t->plan->call->table->list->fields;
    for (size_t i = 0; i < t->plan->n_order; i++) {
        int field = t->plan->order[i].field;
        bool is_text = fields[field].type == VALUE_TEXT || fields[field].type == VALUE_DATE;
        if (is_text && last[field].text.n > PLAN_MAX_URL)
            return true;
    }
    return false;
}

/* There is no memory for another page: what was paid for is answered with the rows that are there. */
static bool end_full(struct translation *t)
{
    if (!t->asks[ASK_LIST].by_itself)
        return no_memory(t);
    t->ending.full = true;
    t->asks[ASK_LIST].state = ANSWERED;
    return true;
}

/* The next page begins behind the last row that came whole. Where the rows were not in byte order, v3's idea of
 * "behind" is not known either: then at that row, and what was there before is dropped. The texts of that row stand in
 * the URL: where it would be too long to be sent, the list ends here. */
static bool begin_page(struct translation *t, const union cell *last, struct slice *after, int64_t *again)
{
    bool or_at = rows_disordered(t->rows) || t->plan->call->table->key.repeats;
    *again = or_at ? rows_come_again(t->rows) : 0;
    if (has_long_text(t, last)) {
        end_here(t);
        return true;
    }
    arena_free(t->next_page);
    t->next_page = arena_new(PAGE_MEMORY);
    if (!t->next_page)
        return end_full(t);
    *after = filter_after(t->plan->call->table, t->plan->order, t->plan->n_order, last, or_at, t->next_page);
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
static int64_t rows_of_refill(struct translation *t, int64_t again)
{
    int64_t missing = needed_rows(t) - rows_count(t->rows), merged = t->came_in_all - rows_count(t->rows);
    int64_t share = (int64_t)((double)missing * (double)merged / (double)t->came_in_all);
    int64_t least = plan_floor_rows(t->plan), rows = missing + share + again;
    if (t->share.refill * 3 > least)
        least = t->share.refill * 3;
    return rows > least ? rows : least;
}

/* Of the next page, as far as it is paid for; the row at which it begins included when that comes again. */
static int64_t rows_of_page(struct translation *t, int64_t again)
{
    bool is_refill = t->page && t->came_in_all >= needed_rows(t) && rows_count(t->rows) < needed_rows(t);
    int64_t rows = is_refill ? rows_of_refill(t, again) : wanted_rows(t) - rows_count(t->rows) + again;
    if (t->walk)
        rows = walk_rows(t->walk, rows);
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
    int64_t again = 0;
    union cell last[REPORT_MAX_FIELDS];
    if (t->walk && t->page && t->page == (t->replayed > 0) && rows_last(t->rows, last))
        walk_begin_behind(t->walk, last);
    if (!t->walk && t->page && rows_last(t->rows, last)) {
        if (!begin_page(t, last, &after, &again))
            return false;
        if (t->page_rows && again >= t->page_rows) /* a page would bring nothing else */
            end_here(t);
        if (t->asks[ASK_LIST].state == ANSWERED) /* it has ended */
            return true;
    }
    int64_t rows = rows_of_page(t, again);
    if (rows <= again) {
        t->ending.paid_out = rows_count(t->rows) < needed_rows(t);
        t->asks[ASK_LIST].state = ANSWERED;
        return true;
    }
    struct asked *a = &t->asks[ASK_LIST];
    scanner_free(a->scanner);
    a->scanner = new_scanner(t->plan->call->table->list, t->plan->fields, on_list_row, t);
    ret->path =
        t->walk ? walk_path(t->walk, rows) : plan_list_path(t->plan, after, rows, after.n ? t->next_page : t->memory);
    if (!a->scanner || !ret->path.p) {
        ret->path = S("");
        return end_full(t);
    }
    ret->has_rows = true;
    ret->rows = rows;
    ret->units = plan_units(t->plan, rows);
    t->share.units -= ret->units;
    t->asked = rows;
    t->came = t->came_new = 0;
    return true;
}

/* The target record, of this target alone: more of it than is needed where that costs nothing. */
static bool next_record(struct translation *t, struct v3_request *ret)
{
    const struct target *target = &t->plan->call->target;
    struct record_target one = { target->v3, target->v3_mode };
    struct buffer body = { 0 };
    record_body(&body, record_selected((uint32_t)t->asks[ret->ask].fields, 1), t->plan->country, &one, 1);
    ret->path = report_record.path;
    ret->body = body.failed ? slice_of(NULL, 0) : arena_dup(t->memory, buffer_slice(&body));
    ret->rows = 1;
    ret->units = plan_part_units(t->plan, ret->ask);
    buffer_clear(&body);
    return ret->body.p ? true : no_memory(t);
}

static bool next_part(struct translation *t, struct v3_request *ret)
{
    struct asked *a = &t->asks[ret->ask];
    if (a->part->report->shape == REPORT_RECORD)
        return next_record(t, ret);
    bool has_rows = a->part->report->shape == REPORT_ROWS;
    if (has_rows)
        a->scanner = new_scanner(a->part->report, a->fields, on_part_row, a);
    ret->path = plan_part_path(t->plan, ret->ask, t->memory);
    ret->has_rows = has_rows;
    ret->rows = has_rows ? a->part->rows : 1;
    ret->units = plan_part_units(t->plan, ret->ask);
    return (a->scanner || !has_rows) && ret->path.p ? true : no_memory(t);
}

bool translation_next_of(struct translation *t, enum plan_ask ask, struct v3_request *ret)
{
    struct asked *a = &t->asks[ask];
    if (t->refusal.fault || a->state != TO_ASK)
        return false;
    *ret = (struct v3_request){ .ask = ask };
    a->state = ASKING;
    if (!(ask == ASK_LIST ? next_list(t, ret) : next_part(t, ret)) || !ret->path.n)
        return false;
    a->by_itself = true;
    return true;
}

bool translation_next(struct translation *t, struct v3_request *ret)
{
    for (enum plan_ask ask = 0; ask < ASK_COUNT && !t->refusal.fault; ask++)
        if (translation_next_of(t, ask, ret))
            return true;
    return false;
}

/* ---- answers ---- */

static bool scanned(struct translation *t, const struct asked *a, bool ok)
{
    if (ok || t->refusal.fault)
        return ok;
    return odd(t, a, scanner_why(a->scanner) ? scanner_why(a->scanner) : "it was refused");
}

bool translation_feed(struct translation *t, enum plan_ask ask, struct slice bytes)
{
    struct asked *a = &t->asks[ask];
    if (t->refusal.fault && ask == ASK_LIST)
        return false;
    if (a->scanner)
        return scanned(t, a, scanner_feed(a->scanner, bytes));
    buffer_append(&a->body, bytes);
    return a->body.failed ? odd(t, a, "it is too long") : true;
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

static bool end_rows(struct translation *t, struct asked *a, int64_t rows_header)
{
    if (!scanned(t, a, scanner_end(a->scanner)))
        return false;
    if (rows_header >= 0 && rows_header != scanner_rows(a->scanner))
        return odd(t, a, "x-api-rows is another number than there are rows");
    return true;
}

/* A page of a list that is walked. */
static bool end_step(struct translation *t)
{
    enum walk_end end = walk_end(t->walk, t->came == t->asked, take_row, t);
    if (end == WALK_NO_MEMORY)
        return no_memory(t);
    t->own.until = rows_count(t->rows);
    t->share.units += plan_units(t->plan, t->asked) - plan_units(t->plan, t->came);
    t->ending.cut_short = t->ending.stuck = end == WALK_IS_STUCK;
    t->ending.kept_whole = end == WALK_IS_OVER && !t->ending.full && !t->ending.unkept;
    t->whole_list = end == WALK_IS_OVER && !t->ending.full && !t->ending.behind;
    bool more = end == WALK_GOES_ON && !t->ending.full && rows_count(t->rows) < wanted_rows(t);
    t->page += more;
    t->asks[ASK_LIST].state = more ? TO_ASK : ANSWERED;
    return true;
}

static bool end_list(struct translation *t, int64_t rows_header)
{
    if (!end_rows(t, &t->asks[ASK_LIST], rows_header))
        return false;
    if (t->walk)
        return end_step(t);
    for (int i = ASK_PARTS; i < ASK_COUNT; i++)
        t->asks[i].is_full = true; /* v3 may have cut the first page */
    t->own.until = rows_count(t->rows);
    bool more = more_behind(t);
    t->share.units += plan_units(t->plan, t->asked) - plan_units(t->plan, t->came);
    t->ending.stuck = more && !t->came_new && !t->ending.full; /* it orders texts otherwise than it compares them */
    if (more && !t->ending.full)
        t->ending.cut_short = t->ending.stuck || !rows_can_page(t->rows);
    if (more && !t->ending.full && !t->ending.cut_short) {
        t->page++;
        t->asks[ASK_LIST].state = TO_ASK;
        return true;
    }
    t->asks[ASK_LIST].state = ANSWERED;
    return true;
}

static const char *name_of_type(enum value_type type)
{
    return type == VALUE_WHOLE ? "whole number" : type == VALUE_BOOL ? "true or false" : "number";
}

static bool end_object(struct translation *t, struct asked *a)
{
    int bad = 0;
    const struct report *r = a->part->report;
    if (part_read(r, a->fields, buffer_slice(&a->body), &a->values, &bad))
        return true;
    struct slice why = arena_printf(t->memory, "there is no %s %.*s.%.*s", name_of_type(r->fields[bad].type),
                                    SLICE_ARGS(r->key), SLICE_ARGS(r->fields[bad].v3));
    return odd(t, a, why.p ? why.p : "a number is missing");
}

static bool end_record(struct translation *t, struct asked *a)
{
    struct record record = { 0 };
    const char *why = record_read(buffer_slice(&a->body), record_selected((uint32_t)a->fields, 1), 1, &record);
    if (why)
        return odd(t, a, why);
    record_values(&record, &a->values);
    return true;
}

static bool end_part(struct translation *t, struct asked *a, int64_t rows_header)
{
    switch (a->part->report->shape) {
    case REPORT_ROWS:
        return end_rows(t, a, rows_header);
    case REPORT_RECORD:
        return end_record(t, a);
    case REPORT_OBJECT:
        break;
    }
    return end_object(t, a);
}

bool translation_end(struct translation *t, enum plan_ask ask, int64_t rows_header)
{
    struct asked *a = &t->asks[ask];
    if (ask == ASK_LIST)
        return !t->refusal.fault && end_list(t, rows_header);
    if (!end_part(t, a, rows_header))
        return false;
    a->state = ANSWERED;
    return true;
}

int64_t translation_page_rows(const struct translation *t)
{
    return t->came;
}

int64_t translation_rows(const struct translation *t)
{
    return t->rows ? rows_count(t->rows) : 1;
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
    for (int ask = 0; ask < ASK_COUNT; ask++)
        if (t->asks[ask].state != NOT_NEEDED && t->asks[ask].state != ANSWERED)
            return false;
    return !t->refusal.fault;
}
