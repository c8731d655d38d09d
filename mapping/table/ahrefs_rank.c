/* SPDX-License-Identifier: MIT
 * v2 `ahrefs_rank`: the URL Rating of the target's pages (docs/api-v2.md, docs/compatibility.md): of one page from the
 * target record, else from v3's list of crawled pages. */
#include "mapping/record.h"
#include "mapping/table.h"

enum { URL, RATING };

enum { MOST_ROWS = 100 };

/* clang-format off */
static const struct field fields[] = {
    [URL]    = { .v3 = SLICE("url"),        .type = VALUE_TEXT,   .units = 1 },
    [RATING] = { .v3 = SLICE("url_rating"), .type = VALUE_RATING, .units = 1 },
};

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/crawled-pages"), .key = SLICE("pages"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .sorts_by_one = true, .most_rows = MOST_ROWS,
};

static const struct column columns[] = {
    { .v2 = SLICE("url"), .type = VALUE_TEXT, .field = URL, .text = TEXT_URL,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("ahrefs_rank"), .type = VALUE_RATING, .field = RATING,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
};

static const struct part parts[] = {
    { .name = SLICE("record"), .what = SLICE("target record"), .report = &report_record,
      .brings = SLICE("ahrefs_rank"),
      .purpose = "the target record: the rating of the page (asked again after stats_ttl)" },
};

static const struct column columns_of_one[] = {
    { .v2 = SLICE("url"), .type = VALUE_TEXT, .from = FROM_PAGE, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("ahrefs_rank"), .type = VALUE_RATING, .from = FROM_PART, .part = 0, .fields = BIT(RECORD_URL_RATING),
      .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
};
/* clang-format on */

static const struct table of_one = {
    .from = SLICE("ahrefs_rank"),
    .kind = TABLE_OBJECT,
    .is_one_row = true,
    .rows = SLICE("pages"),
    .row_element = SLICE("page"),
    .columns = columns_of_one,
    .n_columns = sizeof columns_of_one / sizeof columns_of_one[0],
    .parts = parts,
    .n_parts = sizeof parts / sizeof parts[0],
    .mode_means_nothing = true,
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};

const struct table table_ahrefs_rank = {
    .from = SLICE("ahrefs_rank"),
    .rows = SLICE("pages"),
    .row_element = SLICE("page"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { URL }, .n = 1 },
    .of_one_page = &of_one,
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
