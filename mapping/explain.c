/* SPDX-License-Identifier: MIT
 * Explaining a call: the rooms read and plan without a client, and their result in words. */
#include "mapping/explain.h"

#include "base/text.h"
#include "mapping/translation.h"

enum { MEMORY = 4 * 1024 * 1024 };

struct explained {
    struct arena *memory;
    struct params params;
    struct call call;
    struct plan plan;
    struct refusal refusal;
    struct v3_request requests[ASK_COUNT];
    const char *purposes[ASK_COUNT];
    int n;
    bool planned;
    int64_t rows, units;
    int64_t rows_paid_for; /* results that units_per_call pays for, when these are fewer than limit; else 0 */
    struct slice marks;
    struct slice ignored; /* parameters that v2 did not have */
};

static void collect_requests(struct explained *e)
{
    struct translation *t = translation_new(&e->plan, (struct translation_seen){ 0 }, MEMORY, e->memory);
    if (t && e->rows_paid_for)
        translation_cut(t, e->rows_paid_for, false);
    while (t && e->n < ASK_COUNT && translation_next(t, &e->requests[e->n])) {
        enum plan_ask ask = e->requests[e->n].ask;
        e->purposes[e->n] = ask == ASK_LIST ? "the rows" : plan_part_of(&e->plan, ask)->purpose;
        e->n++;
    }
    translation_free(t);
}

/* All that can be marked before the answer is known; what depends on it is said as such by the formats. */
static void collect_marks(struct explained *e)
{
    struct buffer b = { 0 };
    struct marks marks = plan_marks(&e->plan);
    marks_write(&marks, e->call.table, &b);
    params_write_twice(&e->params, true, &b);
    e->marks = arena_dup(e->memory, buffer_slice(&b));
    buffer_clear(&b);
}

static void collect_ignored(struct explained *e)
{
    struct buffer b = { 0 };
    params_write_ignored(&e->params, &b);
    e->ignored = arena_dup(e->memory, buffer_slice(&b));
    buffer_clear(&b);
}

static struct slice query_of(struct slice call)
{
    size_t at = slice_find(call, '?');
    return at < call.n ? slice_from(call, at + 1) : call;
}

/* What the ceiling of a call does to this one. */
static void collect_ceiling(struct explained *e, const struct explain_options *o)
{
    int64_t ceiling = o->units_per_call, parts = plan_parts_units(&e->plan);
    int64_t rows = ceiling ? plan_rows_paid_by(&e->plan, ceiling - parts) : INT64_MAX;
    int64_t results = rows > e->call.offset ? rows - e->call.offset : 0;
    bool is_short = e->plan.ask_list && results < e->call.limit;
    int64_t least =
        e->plan.ask_list ? plan_list_units(&e->plan, e->call.offset + (o->too_long_refuse ? e->call.limit : 1)) : 0;
    if (is_short && results && !o->too_long_refuse) {
        e->rows_paid_for = results;
        e->rows =
            e->plan.free_of_rows ? 0 : table_price(e->call.table, results, e->call.where.n > 0, e->call.having.n > 0);
    } else if (ceiling && (is_short || parts > ceiling))
        e->refusal = plan_too_dear(&e->plan, parts + least, ceiling, e->memory);
}

static void explain(struct slice text, const struct explain_options *o, struct explained *e)
{
    struct call_options options = { .default_mode = o->default_mode };
    *e = (struct explained){ .memory = arena_new(MEMORY) };
    if (!e->memory || !params_add(&e->params, query_of(slice_trim(text)), e->memory)) {
        e->refusal = (struct refusal){ FAULT_TOO_BUSY, S("memory is out") };
        return;
    }
    if (e->params.two_tokens) { /* what is shown has one of them taken out, but not the other */
        e->refusal = (struct refusal){ FAULT_BAD_REQUEST, S("two different tokens were given: send one") };
        return;
    }
    collect_ignored(e);
    e->refusal = call_parse(&e->params, &options, e->memory, &e->call);
    if (e->refusal.fault || table_is_of_books(e->call.table))
        return;
    e->refusal = plan_make(&e->call, &o->plan, e->memory, &e->plan);
    if (e->refusal.fault)
        return;
    e->planned = true;
    e->rows = plan_max_rows(&e->plan);
    e->units = plan_max_units(&e->plan, o->units_per_call);
    collect_ceiling(e, o);
    collect_requests(e);
    collect_marks(e);
}

/* What was asked may hold its own token in the wrong place; what is shown does not. */
static void explain_for_all(struct slice text, const struct explain_options *o, struct explained *e)
{
    explain(text, o, e);
    if (!e->memory)
        return;
    e->refusal.why = params_without_token(&e->params, e->refusal.why, e->memory);
    for (int i = 0; i < e->n; i++)
        e->requests[i].path = params_without_token(&e->params, e->requests[i].path, e->memory);
}

static enum fault end(struct explained *e)
{
    enum fault f = e->refusal.fault;
    arena_free(e->memory);
    return f;
}

static void decoded(struct buffer *out, struct slice path)
{
    struct buffer b = { 0 };
    if (percent_decode(&b, path, NULL))
        buffer_append(out, buffer_slice(&b));
    buffer_clear(&b);
}

/* What holds for any call, in the order in which it is read. */
static void text_ends(const struct explained *e, struct buffer *out)
{
    if (e->ignored.n)
        buffer_printf(out, "ignored, as v2 did: %.*s\n", SLICE_ARGS(e->ignored));
    if (e->refusal.fault)
        buffer_printf(out, "refused: %.*s: %.*s\n", SLICE_ARGS(fault_word(e->refusal.fault)),
                      SLICE_ARGS(e->refusal.why));
}

static void text_requests(const struct explained *e, const struct explain_options *o, struct buffer *out)
{
    for (int i = 0; i < e->n; i++) {
        const struct v3_request *r = &e->requests[i];
        buffer_printf(out, "GET %.*s%.*s\n    for %s", SLICE_ARGS(o->v3_url), SLICE_ARGS(r->path), e->purposes[i]);
        buffer_printf(out, ", at most %lld units\n    decoded: ", (long long)r->units);
        decoded(out, r->path);
        buffer_put(out, '\n');
    }
    if (e->plan.page_rows && e->call.limit + e->call.offset > e->plan.page_rows)
        buffer_printf(out, "then pages of at most %lld rows until the call has its rows\n",
                      (long long)e->plan.page_rows);
}

enum fault explain_text(struct slice call, const struct explain_options *o, struct buffer *out)
{
    struct explained e;
    explain_for_all(call, o, &e);
    if (!e.refusal.fault && table_is_of_books(e.call.table)) {
        buffer_str(out, "answered from our own books: 0 rows, 0 units, nothing is sent\n");
        text_ends(&e, out);
        return end(&e);
    }
    text_requests(&e, o, out);
    if (e.planned) {
        if (!e.n)
            buffer_str(out, "nothing is asked of API v3\n");
        buffer_printf(out, "rows:  at most %lld%s\n", (long long)e.rows, e.plan.free_of_rows ? " (a free target)" : "");
        buffer_printf(out, "units: at most %lld%s\n", (long long)e.units,
                      plan_is_free(&e.plan) ? " (free of charge in API v3)" : "");
        if (e.rows_paid_for)
            buffer_printf(out, "units_per_call pays for %lld rows: a list that goes on behind them is marked rows\n",
                          (long long)e.rows_paid_for);
        buffer_printf(out, "not exact: %.*s\n", SLICE_ARGS(e.marks.n ? e.marks : S("nothing")));
    }
    text_ends(&e, out);
    return end(&e);
}

static void json_request(const struct v3_request *r, const char *purpose, const struct explain_options *o,
                         struct buffer *out)
{
    buffer_str(out, "{\"url\":\"");
    buffer_json_text(out, o->v3_url);
    buffer_json_text(out, r->path);
    buffer_str(out, "\",\"for\":");
    buffer_json_string(out, slice_str(purpose));
    buffer_printf(out, ",\"rows\":%lld,\"units\":%lld}", (long long)r->rows, (long long)r->units);
}

/* The parts of a list by commas. */
static void json_words(struct slice list, struct buffer *out)
{
    for (struct slice rest = list; rest.n;) {
        if (rest.p != list.p)
            buffer_put(out, ',');
        buffer_json_string(out, slice_split(rest, ',', &rest));
    }
}

enum fault explain_json(struct slice call, const struct explain_options *o, struct buffer *out)
{
    struct explained e;
    explain_for_all(call, o, &e);
    buffer_str(out, "{\"requests\":[");
    for (int i = 0; i < e.n; i++) {
        if (i)
            buffer_put(out, ',');
        json_request(&e.requests[i], e.purposes[i], o, out);
    }
    buffer_printf(out, "],\"page_rows\":%lld,\"rows_at_most\":%lld,\"units_at_most\":%lld,\"approximate\":[",
                  (long long)e.plan.page_rows, (long long)e.rows, (long long)e.units);
    json_words(e.marks, out);
    buffer_str(out, "],\"ignored\":[");
    json_words(e.ignored, out);
    buffer_printf(out, "],\"rows_paid_for\":%lld,\"fault\":", (long long)e.rows_paid_for);
    if (e.refusal.fault) {
        buffer_json_string(out, fault_word(e.refusal.fault));
        buffer_str(out, ",\"why\":");
        buffer_json_string(out, e.refusal.why);
    } else {
        buffer_str(out, "null,\"why\":null");
    }
    buffer_str(out, "}\n");
    return end(&e);
}
