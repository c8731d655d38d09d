/* SPDX-License-Identifier: MIT
 * v2 `anchors`: the anchor texts of the links to a target, with their counts (docs/api-v2.md, docs/compatibility.md).
 */
#include "mapping/answer_view.h"
#include "mapping/part.h"
#include "mapping/record.h"

enum { ANCHOR, LINKS, REFPAGES, REFDOMAINS, FIRST_SEEN };
enum { LIVE };
enum { TOTALS, RATIO };

enum { RATIO_ROWS = 25 };
static const int64_t ratio_kept_ms = (int64_t)7 * 86400 * 1000; /* it hardly changes, and costs a request */

/* clang-format off */
static const struct field fields[] = {
    [ANCHOR]     = { .v3 = SLICE("anchor"),          .type = VALUE_TEXT,  .units = 1 },
    [LINKS]      = { .v3 = SLICE("links_to_target"), .type = VALUE_WHOLE, .units = 1 },
    [REFPAGES]   = { .v3 = SLICE("refpages"),        .type = VALUE_WHOLE, .units = 1 },
    [REFDOMAINS] = { .v3 = SLICE("refdomains"),      .type = VALUE_WHOLE, .units = 5 },
    [FIRST_SEEN] = { .v3 = SLICE("first_seen"),      .type = VALUE_DATE,  .units = 1 },
};

static const struct report report_anchors = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/anchors"), .key = SLICE("anchors"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("history=live"),
};

static const struct field total_fields[] = {
    [LIVE] = { .v3 = SLICE("live"), .type = VALUE_WHOLE },
};

static const struct report report_totals = {
    .shape = REPORT_OBJECT, .path = SLICE("/site-explorer/backlinks-stats"), .key = SLICE("metrics"),
    .fields = total_fields, .n_fields = sizeof total_fields / sizeof total_fields[0], .dated = true,
};

static const struct part parts[] = {
    [TOTALS] = { .name = SLICE("totals"), .what = SLICE("totals"), .report = &report_totals, .fields = BIT(LIVE),
                 .brings = SLICE("stats.backlinks"), .in_record = RECORD_BACKLINKS + 1,
                 .purpose = "stats.backlinks (asked again after stats_ttl)" },
    [RATIO]  = { .name = SLICE("anchors.ratio"), .what = SLICE("top anchors"), .report = &report_anchors,
                 .fields = BIT(LINKS) | BIT(REFPAGES), .order = { LINKS, true }, .rows = RATIO_ROWS,
                 .brings = SLICE("stats.refpages"), .kept_ms = ratio_kept_ms, .unless = NULL_ESTIMATE,
                 .purpose = "the estimate of stats.refpages (kept 7 days per target and mode)" },
};

/* In the order in which v2 shows them. v3 groups links before we see them, so `where` on a count or a date applies to the
 * grouped value; v3 has no date of the last visit: a live link was seen lately, and not before it was first seen. */
#define ONLY_SUMS SLICE("v2 looked at each referring domain of an anchor; v3 has the sum only")
#define ALL_LIVE SLICE("every living link was visited since: the condition is left out")
static const struct column columns[] = {
    { .v2 = SLICE("anchor"), .type = VALUE_TEXT, .field = ANCHOR, .text = TEXT_FOLDED,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refpages"), .type = VALUE_WHOLE, .field = REFPAGES,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .from = FROM_NOTHING, .filter = { SLICE("root_domain_name"), 1, false },
      .text = TEXT_HOST,
      .where = FIDELITY_NEAR, .having = FIDELITY_NONE, .order_by = FIDELITY_NONE, .shown = FIDELITY_NONE,
      .where_says = SLICE("v3 compares the registrable domain of the linking site; the counts may be of more links than these") },
    { .v2 = SLICE("refdomains"), .type = VALUE_WHOLE, .field = REFDOMAINS,
      .where = FIDELITY_NONE, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = FIRST_SEEN, .null_when = NULL_VISITED,
      .where = FIDELITY_LIVE_DAY, .having = FIDELITY_LIVE_DAY, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .where_says = ALL_LIVE, .having_says = ALL_LIVE,
      .order_by_says = SLICE("v3 has no last visit; sorted by first_seen"),
      .shown_says = SLICE("answered with first_seen") },
};
#undef ONLY_SUMS
#undef ALL_LIVE
/* clang-format on */

/* v3 has no number of linking pages. None or one anchor: known. The target's whole list: its sum, at most too high by
 * the pages that use two anchors. Else an estimate by the ratio among the anchors with the most links. */
static struct stat_value refpages(const struct answer_view *v)
{
    static const struct part_values none = { 0 };
    const struct part_values *ratio = v->parts[RATIO] ? v->parts[RATIO] : &none;
    int64_t links = ratio->of[LINKS].whole, pages = ratio->of[REFPAGES].whole;
    int64_t live = v->parts[TOTALS] ? v->parts[TOTALS]->of[LIVE].whole : 0;
    if (v->has_every_row && (v->rows_came == 0 || v->fields & BIT(REFPAGES)))
        return (struct stat_value){ v->rows_came ? rows_sum(v->rows, REFPAGES) : 0, v->rows_came > 1 };
    if (v->parts[RATIO] && ratio->rows <= 1 && links == live && v->rows_came <= 1)
        return (struct stat_value){ pages, false };
    return (struct stat_value){ part_share(live, pages, links), true };
}

static const struct table_stat stats[] = {
    { .v2 = SLICE("backlinks"),
      .type = VALUE_WHOLE,
      .from = FROM_PART,
      .part = TOTALS,
      .fields = BIT(LIVE),
      .shown = FIDELITY_EXACT },
    { .v2 = SLICE("refpages"),
      .type = VALUE_WHOLE,
      .shown = FIDELITY_NEAR,
      .make = refpages,
      .says = SLICE("estimated by the ratio of pages to links among the greatest rows"),
      .null_when = NULL_ESTIMATE },
};

const struct table table_anchors = {
    .from = SLICE("anchors"),
    .rows = SLICE("anchors"),
    .row_element = SLICE("anchor"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report_anchors,
    .key = { .fields = { ANCHOR }, .n = 1 },
    .parts = parts,
    .n_parts = sizeof parts / sizeof parts[0],
    .stats = stats,
    .n_stats = sizeof stats / sizeof stats[0],
    .bound = { .is_known = true, .part = TOTALS, .field = LIVE, .is_sum = true, .sum_field = LINKS },
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
