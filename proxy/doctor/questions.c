/* SPDX-License-Identifier: MIT
 * The doctor's questions, on the target that v3 answers free of charge. What is open about v3 stands in docs/api-v3.md,
 * "Open points"; each question has an answer that only one of the possible v3s would give. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "mapping/part.h"
#include "mapping/scan.h"
#include "proxy/doctor/inside.h"

#define HOST "ahrefs.com"
#define PAGE "https://ahrefs.com/about" /* with few links, hopefully */
#define LETTERS "^[A-Za-z]"             /* where orders of texts differ most */
#define TELL "tell the authors: anchorage doctor --save FILE"

enum { AFTER_ROWS = 10, MAX_PIVOT_BYTES = 1000 /* it stands in the URL */ };

/* ---- asking ---- */

static const struct table *table(void)
{
    return &table_anchors;
}

static struct slice field(int i)
{
    return table()->list->fields[i].v3;
}

static void parameter(struct buffer *b, const char *name, struct buffer *value)
{
    buffer_printf(b, "&%s=", name);
    percent_encode(b, buffer_slice(value));
    buffer_clear(value);
}

static void begin(struct buffer *b, struct slice path, const char *target, const char *mode)
{
    buffer_append(b, path);
    buffer_str(b, "?target=");
    percent_encode(b, slice_str(target));
    buffer_printf(b, "&mode=%s&protocol=both&output=json", mode);
}

static void list(struct buffer *b, const char *target, const char *mode, uint64_t fields, bool by_links, int rows,
                 struct buffer *where)
{
    struct buffer value = { 0 };
    begin(b, table()->list->path, target, mode);
    buffer_printf(b, "&history=live&limit=%d", rows);
    for (size_t i = 0; i < table()->list->n_fields; i++) {
        if (!(fields & bit((int)i)))
            continue;
        if (value.n)
            buffer_put(&value, ',');
        buffer_append(&value, field((int)i));
    }
    parameter(b, "select", &value);
    if (by_links)
        buffer_printf(&value, "%.*s:desc,", SLICE_ARGS(field(table()->bound.sum_field)));
    buffer_printf(&value, "%.*s:asc", SLICE_ARGS(field(table()->key.fields[0])));
    parameter(b, "order_by", &value);
    if (where->n)
        parameter(b, "where", where);
}

/* All links of a target: what bounds the table's list. */
static const struct part *totals_part(void)
{
    return &table()->parts[table()->bound.part];
}

static bool read_totals(struct slice body, int64_t *live)
{
    struct part_values values;
    int bad, field = table()->bound.field;
    if (!part_read(totals_part()->report, bit(field), body, &values, &bad))
        return false;
    *live = values.of[field].whole;
    return true;
}

static void totals(struct buffer *b, const char *target, const char *mode)
{
    char date[11];
    day_format(day_of_ms(clock_wall_ms()), date);
    begin(b, totals_part()->report->path, target, mode);
    buffer_printf(b, "&date=%s", date);
}

static void condition(struct buffer *b, struct slice name, const char *operator, struct slice value)
{
    buffer_str(b, "{\"field\":");
    buffer_json_string(b, name);
    buffer_printf(b, ",\"is\":[\"%s\",", operator);
    buffer_json_string(b, value);
    buffer_str(b, "]}");
}

static uint64_t all_fields(void)
{
    return bit((int)table()->list->n_fields) - 1;
}

static uint64_t two_fields(void)
{
    return bit(table()->key.fields[0]) | bit(table()->bound.sum_field);
}

/* ---- reading ---- */

struct reading {
    struct doctor *doctor;
    struct sample *sample;
};

static bool on_row(void *context, const struct scan_value *values)
{
    struct reading *r = context;
    struct sample *s = r->sample;
    if (s->n == SAMPLE_ROWS)
        return false;
    s->anchor[s->n] = arena_dup(r->doctor->memory, values[table()->key.fields[0]].text);
    s->links[s->n] = values[table()->bound.sum_field].whole;
    return s->anchor[s->n++].p;
}

/* False, with a finding, when the rows are not what was asked for. */
static bool read_rows(struct doctor *d, const struct own_answer *answer, uint64_t fields, struct sample *ret)
{
    struct reading r = { d, ret };
    struct scan_options o = { .key = table()->list->key,
                              .fields = table()->list->fields,
                              .n_fields = table()->list->n_fields,
                              .wanted = fields,
                              .on_row = on_row,
                              .context = &r };
    struct scanner *s = scanner_new(&o);
    ret->n = 0;
    bool ok = s && scanner_feed(s, answer->body) && scanner_end(s);
    const char *why = s && scanner_why(s) ? scanner_why(s) : "more rows than were asked for";
    if (!ok)
        doctor_say(d, doctor_questions[d->question].name, WRONG,
                   FOUND(d, "v3's rows have another form than expected: %s", why), TELL);
    scanner_free(s);
    return ok;
}

static bool has_upper(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 'A' && text.p[i] <= 'Z')
            return true;
    return false;
}

/* ---- a bare host in mode prefix ---- */

static bool ask_prefix(struct doctor *d, struct buffer *path)
{
    (void)d;
    totals(path, HOST, "prefix");
    return true;
}

static void read_prefix(struct doctor *d, const struct own_answer *answer)
{
    int64_t live;
    if (read_totals(answer->body, &live))
        doctor_say(d, "prefix", NOTE, FOUND(d, "on a bare host it counts %lld links", (long long)live),
                   "nothing: anchorage asks for the mode domain there, as v2 meant it");
    else
        doctor_say(d, "prefix", FINE,
                   FOUND(d, "on a bare host it has no totals; anchorage asks for the mode domain there"), "");
}

/* ---- case and order ---- */

static bool ask_order(struct doctor *d, struct buffer *path)
{
    struct buffer where = { 0 };
    (void)d;
    condition(&where, field(table()->key.fields[0]), "regex", S(LETTERS));
    list(path, HOST, "subdomains", all_fields(), false, SAMPLE_ROWS, &where);
    return true;
}

static void say_case(struct doctor *d, bool keeps)
{
    d->knows_case = true;
    if (!keeps) {
        doctor_say(d, "anchor_case", FINE, S("v3 stores anchors in lower case, as v2 did"), "");
        return;
    }
    d->place.account->seen.upper_case = true;
    doctor_say(
        d, "anchor_case", NOTE, S("v3 keeps upper and lower case, v2 stored lower case"),
        "nothing: with anchor_case = fold such anchors are merged, and answers that may be incomplete are marked "
        "anchor.case");
}

static void say_order(struct doctor *d)
{
    const struct sample *s = &d->order;
    d->pivot = s->n / 2;
    for (int i = 0; i + 1 < s->n; i++) {
        if (slice_cmp(s->anchor[i], s->anchor[i + 1]) <= 0)
            continue;
        d->pivot = i;
        d->place.account->seen.disorder = true;
        doctor_say(d, "anchor_order", NOTE, S("v3 orders anchors in its own way, v2 by bytes"),
                   "nothing: rows are put in v2's order; lists that are cut are marked order_by.anchor");
        return;
    }
    doctor_say(d, "anchor_order", s->n > 1 ? FINE : NOTE,
               s->n > 1 ? FOUND(d, "by bytes, as in v2 (%d rows were looked at)", s->n) : S("too few rows to tell"),
               "");
}

/* The price of a request of so many rows by our table. */
static int64_t price_of(int64_t rows)
{
    int64_t row = 0;
    for (size_t i = 0; i < table()->list->n_fields; i++)
        row += table()->list->fields[i].units;
    return row * rows > REPORT_LEAST_UNITS ? row * rows : REPORT_LEAST_UNITS;
}

static void say_price(struct doctor *d, const struct upstream_result *r)
{
    int64_t ours = price_of(d->order.n);
    if (r->units_nominal < 0)
        doctor_say(d, "prices", NOTE, S("v3 sent no price"),
                   "nothing: the prediction is booked where v3 says no price");
    else if (r->units_nominal != ours)
        doctor_say(d, "prices", WRONG,
                   FOUND(d, "v3 asks %lld units for %d rows, our table %lld", (long long)r->units_nominal, d->order.n,
                         (long long)ours),
                   "what v3 says is booked, but limits are checked against the prediction; " TELL);
    else
        doctor_say(d, "prices", FINE, FOUND(d, "as in our table: %lld units for %d rows", (long long)ours, d->order.n),
                   "");
}

static void read_order(struct doctor *d, const struct own_answer *answer)
{
    if (!read_rows(d, answer, all_fields(), &d->order))
        return;
    for (int i = 0; i < d->order.n && !d->knows_case; i++)
        if (has_upper(d->order.anchor[i]))
            say_case(d, true);
    say_order(d);
    say_price(d, answer->result);
}

/* It is asked only when the first rows had no upper-case letter. */
static bool ask_case(struct doctor *d, struct buffer *path)
{
    struct buffer where = { 0 };
    if (d->knows_case)
        return false;
    condition(&where, field(table()->key.fields[0]), "regex", S("[A-Z]"));
    list(path, HOST, "subdomains", two_fields(), false, 1, &where);
    return true;
}

static void read_case(struct doctor *d, const struct own_answer *answer)
{
    if (read_rows(d, answer, two_fields(), &d->answer))
        say_case(d, d->answer.n > 0 && has_upper(d->answer.anchor[0]));
}

/* The rows that come behind a row by `gt` must be those that came behind it in the list. The row is one where v3's
 * order differs from that of bytes, if there is one. */
static bool ask_after(struct doctor *d, struct buffer *path)
{
    struct buffer where = { 0 };
    if (d->order.n < 2 || d->order.anchor[d->pivot].n > MAX_PIVOT_BYTES)
        return false;
    buffer_str(&where, "{\"and\":[");
    condition(&where, field(table()->key.fields[0]), "regex", S(LETTERS));
    buffer_put(&where, ',');
    condition(&where, field(table()->key.fields[0]), "gt", d->order.anchor[d->pivot]);
    buffer_str(&where, "]}");
    list(path, HOST, "subdomains", two_fields(), false, AFTER_ROWS, &where);
    return true;
}

static void read_after(struct doctor *d, const struct own_answer *answer)
{
    const struct sample *s = &d->order, *a = &d->answer;
    if (!read_rows(d, answer, two_fields(), &d->answer))
        return;
    int behind = s->n - d->pivot - 1, n = behind < AFTER_ROWS ? behind : AFTER_ROWS;
    bool same = a->n >= n;
    for (int i = 0; i < n && same; i++)
        same = slice_eq(a->anchor[i], s->anchor[d->pivot + 1 + i]);
    if (same)
        doctor_say(d, "text_compare", FINE, S("v3 compares texts as it orders them: lists are paged without gaps"), "");
    else
        doctor_say(d, "text_compare", WRONG,
                   S("v3 compares texts in another way than it orders them: lists of more than one page, ordered by "
                     "anchor, may lack rows"),
                   "ask for no more rows than one answer has, or order by another column; " TELL);
}

/* ---- conditions on links ---- */

static bool ask_top(struct doctor *d, struct buffer *path)
{
    struct buffer none = { 0 };
    (void)d;
    list(path, HOST, "subdomains", two_fields(), true, SAMPLE_ROWS, &none);
    return true;
}

static void read_top(struct doctor *d, const struct own_answer *answer)
{
    if (!read_rows(d, answer, two_fields(), &d->top))
        d->top.n = 0;
}

static bool ask_links(struct doctor *d, struct buffer *path)
{
    struct buffer where = { 0 };
    int refdomain = table_column(table(), S("refdomain"));
    if (!d->top.n || refdomain < 0)
        return false;
    condition(&where, table()->columns[refdomain].filter.v3, "regex", S("^[a-m]"));
    list(path, HOST, "subdomains", two_fields(), true, SAMPLE_ROWS, &where);
    return true;
}

static void read_links(struct doctor *d, const struct own_answer *answer)
{
    int lower = 0, same = 0;
    if (!read_rows(d, answer, two_fields(), &d->answer))
        return;
    for (int i = 0; i < d->answer.n; i++) {
        for (int k = 0; k < d->top.n; k++) {
            if (!slice_eq(d->answer.anchor[i], d->top.anchor[k]) || d->top.links[k] < 2)
                continue;
            lower += d->answer.links[i] < d->top.links[k];
            same += d->answer.links[i] == d->top.links[k];
        }
    }
    if (lower)
        doctor_say(d, "link_filters", FINE, S("a condition on links leaves only those links in the counts, as in v2"),
                   "");
    else if (same)
        doctor_say(d, "link_filters", NOTE, S("a condition on links chooses anchors and leaves their counts whole"),
                   "nothing: where on refdomain is marked where.refdomain; read its counts as those of all links");
    else
        doctor_say(d, "link_filters", NOTE, S("no anchor was in both lists: it cannot be told"),
                   "try again another day");
}

/* ---- totals ---- */

static bool ask_exact(struct doctor *d, struct buffer *path)
{
    struct buffer none = { 0 };
    (void)d;
    list(path, PAGE, "exact", two_fields(), false, SAMPLE_ROWS, &none);
    return true;
}

static void read_exact(struct doctor *d, const struct own_answer *answer)
{
    if (!read_rows(d, answer, two_fields(), &d->exact))
        d->exact.n = -1;
}

static bool ask_live(struct doctor *d, struct buffer *path)
{
    if (d->exact.n == SAMPLE_ROWS || d->exact.n == 0) {
        doctor_say(d, "totals", NOTE,
                   FOUND(d, "the page looked at has %s: whether anchors add up to it cannot be told",
                         d->exact.n ? "more anchors than one answer" : "no links"),
                   "");
        return false;
    }
    if (d->exact.n < 0)
        return false;
    totals(path, PAGE, "exact");
    return true;
}

static void read_live(struct doctor *d, const struct own_answer *answer)
{
    int64_t live, sum = 0;
    for (int i = 0; i < d->exact.n; i++)
        if (__builtin_add_overflow(sum, d->exact.links[i], &sum))
            sum = INT64_MAX;
    if (!read_totals(answer->body, &live))
        doctor_say(d, "totals", WRONG, S("v3's totals have another form than expected"), TELL);
    else if (live == sum)
        doctor_say(d, "totals", FINE, FOUND(d, "the links of all anchors add up to v3's total, %lld", (long long)live),
                   "");
    else
        doctor_say(
            d, "totals", NOTE,
            FOUND(d, "the links of all anchors add up to %lld, v3's total is %lld", (long long)sum, (long long)live),
            "do not expect stats.backlinks to be the sum of the rows");
}

/* clang-format off */
const struct doctor_question doctor_questions[] = {
    { "prefix",       ask_prefix, read_prefix }, /* the smallest first: it shows whether the target is free */
    { "anchor_order", ask_order,  read_order },
    { "anchor_case",  ask_case,   read_case },
    { "text_compare", ask_after,  read_after },
    { "link_filters", ask_top,    read_top },
    { "link_filters", ask_links,  read_links },
    { "totals",       ask_exact,  read_exact },
    { "totals",       ask_live,   read_live },
};
/* clang-format on */
const int doctor_n_questions = sizeof doctor_questions / sizeof doctor_questions[0];
