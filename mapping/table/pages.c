/* SPDX-License-Identifier: MIT
 * v2 `pages`: the pages of the target that were crawled (docs/api-v2.md, docs/compatibility.md). v3 gives 100 rows an
 * answer, sorts by one column, and has no regular expressions in filters here. */
#include "mapping/answer_view.h"
#include "mapping/filter.h"
#include "mapping/fold.h"

enum { URL, CODE, TITLE, RATING, FIRST_SEEN, LAST_CRAWLED };

enum { MOST_ROWS = 100 };

/* clang-format off */
static const struct field fields[] = {
    [URL]          = { .v3 = SLICE("url"),          .type = VALUE_TEXT,   .units = 1 },
    [CODE]         = { .v3 = SLICE("http_code"),    .type = VALUE_WHOLE,  .units = 1 },
    [TITLE]        = { .v3 = SLICE("title"),        .type = VALUE_TEXT,   .units = 1, .nullable = true },
    [RATING]       = { .v3 = SLICE("url_rating"),   .type = VALUE_RATING, .units = 1 },
    [FIRST_SEEN]   = { .v3 = SLICE("first_seen"),   .type = VALUE_DATE,   .units = 1 },
    [LAST_CRAWLED] = { .v3 = SLICE("last_crawled"), .type = VALUE_DATE,   .units = 1 },
};
/* clang-format on */

static const struct report report = {
    .shape = REPORT_ROWS,
    .path = SLICE("/site-explorer/crawled-pages"),
    .key = SLICE("pages"),
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .sorts_by_one = true,
    .most_rows = MOST_ROWS,
};

/* A page without a title had an empty one in v2, and v3 cannot be asked for those here: what they would fulfil is not
 * exact. A whole title is compared with regard to case, parts and words of it without. */
static struct refusal of_title(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    static const char *const words[OP_COUNT] = {
        [OP_EQ] = "eq", [OP_GT] = "gt", [OP_GE] = "gte", [OP_SUBSTRING] = "isubstring", [OP_WORD] = "iphrase_match"
    };
    if (!words[c->op] || !c->text.n)
        return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, m->memory,
                              "API v3 cannot look for pages without a title, which this may be: = with a title, "
                              "substring and word can be kept");
    bool in_any_case = c->op == OP_SUBSTRING || c->op == OP_WORD;
    struct slice text = in_any_case ? fold_dup(c->text, m->memory) : c->text;
    *ret = filter_expression(fields[TITLE].v3, words[c->op], filter_string(text, m->memory), m->memory);
    return ret->p && text.p
               ? (struct refusal){ 0 }
               : (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

/* clang-format off */
#define ALL(f) .where = FIDELITY_##f, .having = FIDELITY_##f, .order_by = FIDELITY_##f, .shown = FIDELITY_##f
static const struct column columns[] = {
    { .v2 = SLICE("url"), .type = VALUE_TEXT, .field = URL, .text = TEXT_URL, ALL(EXACT) },
    { .v2 = SLICE("ahrefs_rank"), .type = VALUE_RATING, .field = RATING, ALL(EXACT) },
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN, ALL(EXACT) },
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = LAST_CRAWLED, ALL(EXACT) },
    { .v2 = SLICE("http_code"), .type = VALUE_WHOLE, .field = CODE, ALL(EXACT) },
    { .v2 = SLICE("size"), .type = VALUE_WHOLE, .from = FROM_NOTHING, .null_when = NULL_MISSING, ALL(MISSING) },
    { .v2 = SLICE("links_internal"), .type = VALUE_WHOLE, .from = FROM_NOTHING, .null_when = NULL_MISSING,
      ALL(MISSING) },
    { .v2 = SLICE("links_external"), .type = VALUE_WHOLE, .from = FROM_NOTHING, .null_when = NULL_MISSING,
      ALL(MISSING) },
    { .v2 = SLICE("encoding"), .type = VALUE_TEXT, .from = FROM_NOTHING, .null_when = NULL_MISSING, ALL(MISSING) },
    { .v2 = SLICE("title"), .type = VALUE_TEXT, .field = TITLE, .make_filter = of_title,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("redirect_url"), .type = VALUE_TEXT, .from = FROM_NOTHING, .null_when = NULL_MISSING, ALL(MISSING) },
    { .v2 = SLICE("content_encoding"), .type = VALUE_TEXT, .from = FROM_NOTHING, .null_when = NULL_MISSING,
      ALL(MISSING) },
};
/* clang-format on */

/* All pages of the whole list; of another at least those that came. */
static struct stat_value all_pages(const struct answer_view *v)
{
    return (struct stat_value){ rows_count(v->rows), !v->has_every_row };
}

static const struct table_stat stats[] = {
    { .v2 = SLICE("pages"),
      .type = VALUE_WHOLE,
      .from = FROM_NOTHING,
      .shown = FIDELITY_BOUND,
      .make = all_pages,
      .says = SLICE("at least: the pages that came") },
};

const struct table table_pages = {
    .from = SLICE("pages"),
    .rows = SLICE("pages"),
    .row_element = SLICE("page"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { URL }, .n = 1 },
    .stats = stats,
    .n_stats = sizeof stats / sizeof stats[0],
    .prices = { .request_milli = 1000, .result_milli = 200, .where_milli = 5000, .having_milli = 5000 },
};
