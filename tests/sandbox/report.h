/* SPDX-License-Identifier: MIT
 *
 * The endpoints that list rows: what each calls its columns, what these cost, and what they are properties of. */
#ifndef SANDBOX_REPORT_H
#define SANDBOX_REPORT_H

#include "tests/sandbox/column.h"

/* What a column is a property of. A mask: a filter may have both. EITHER: the same of a row and of each of its links.
 */
enum level { LEVEL_EITHER = 0, LEVEL_LINK = 1, LEVEL_ROW = 2 };

enum use {
    USE_WHERE = 1,
    USE_SELECT = 2,
    USE_ORDER = 4,
    USE_UNSORTED = USE_WHERE | USE_SELECT,
    USE_ALL = USE_UNSORTED | USE_ORDER
};

struct report_column {
    struct slice name;
    enum column column;
    unsigned units;
    enum level level;
    unsigned uses; /* mask of enum use */
};

/* What a row is: an anchor, a referring domain, a link, links alike, the one link shown of a domain, a domain linked
 * to, a page of the target. */
enum rows { ROWS_ANCHORS, ROWS_DOMAINS, ROWS_LINKS, ROWS_SIMILAR, ROWS_ONE_PER_DOMAIN, ROWS_LINKED, ROWS_PAGES };

struct report {
    struct slice key; /* around the rows */
    const struct report_column *columns;
    size_t n_columns;
    enum rows rows;         /* with aggregation=all, where there is that */
    enum column most, name; /* what --default-order may mean */
    unsigned row_cap;       /* of the endpoint itself; 0: none */
    bool has_history, has_aggregation, has_timeout;
    bool sorts_by_one;    /* order_by takes one column */
    bool filters_plainly; /* where knows no regex, empty, is_null, list_is */
    bool is_broken;       /* links to broken pages only */
};

extern const struct report report_anchors, report_refdomains, report_all_backlinks, report_broken_backlinks,
    report_linkeddomains, report_crawled_pages;

/* The column that the endpoint calls `name` and knows for that use; NULL when there is none. */
const struct report_column *report_find(const struct report *report, struct slice name, enum use use);

/* The one that shows `column`; it has one. */
const struct report_column *report_column_of(const struct report *report, enum column column);

enum { MAX_REPORT_COLUMNS = 128 };

/* Columns of a report, each once. */
struct report_set {
    uint64_t bits[MAX_REPORT_COLUMNS / 64];
};

void report_add(const struct report *report, struct report_set *set, const struct report_column *column);
bool report_in(const struct report *report, const struct report_set *set, const struct report_column *column);

/* What a row of these columns costs. */
unsigned report_units(const struct report *report, const struct report_set *set);

#endif
