/* SPDX-License-Identifier: MIT
 *
 * The tables that drive the translation: a v2 table says which columns it has, what they are in v3, what may be asked
 * of them, what the table costs. The common code has no exception for any table: what a row cannot say stands in the
 * table's own file.
 *
 * docs/compatibility.md shows these tables to people.
 */
#ifndef ANCHORAGE_MAPPING_TABLE_H
#define ANCHORAGE_MAPPING_TABLE_H

#include <stdint.h>

#include "base/slice.h"

enum { TABLE_MAX_COLUMNS = 32, TABLE_MAX_FIELDS = 16 };

enum value_type { VALUE_TEXT, VALUE_WHOLE, VALUE_DATE };

/* What v3 can do for a v2 clause on a column. */
enum fidelity {
    FIDELITY_NONE, /* v2 did not allow it: refused */
    FIDELITY_EXACT,
    FIDELITY_NEAR,     /* done, and named in X-Anchorage-Approximate */
    FIDELITY_LIVE_DAY, /* a lower bound of a past day holds for every live link: dropped and named; else refused */
};

/* A v3 column as rows bring it. */
struct field {
    struct slice v3;
    enum value_type type;
    int units; /* a row */
};

/* A v2 column. */
struct column {
    struct slice v2;
    enum value_type type;
    int field;                                    /* index in .fields whose value is shown, -1: none */
    struct slice filter_v3;                       /* the v3 name in a filter; empty: that of the field */
    int filter_units;                             /* a row, where filter_v3 is not a field */
    enum fidelity where, having, order_by, shown; /* shown: FIDELITY_NEAR marks the column itself (MARK_LAST_VISITED) */
    struct slice where_says, having_says, order_by_says, shown_says; /* for people: what is not exact about it */
    bool any_case;   /* v2 stored it in lower case whatever the data says */
    bool lower_name; /* a name that is lower case by nature (hosts): literals are lower-cased */
};

/* v2 rows; a fraction (thousandths) is rounded up once a call. */
struct prices {
    int32_t request_milli, result_milli, where_milli, having_milli;
};

struct table {
    struct slice from;        /* v2: from= */
    bool is_info;             /* one object made from our own books: no target, no v3 */
    struct slice rows;        /* the JSON key of the list, v2 and v3 */
    struct slice row_element; /* XML: one row */
    const struct column *columns;
    size_t n_columns;
    const struct field *fields;
    size_t n_fields;
    int key_field; /* rows are distinct in it; every order ends with it; the text that is folded */
    int backlinks_field, refpages_field; /* for the totals */
    struct prices prices;
    struct slice list_path, totals_path;
};

/* NULL when there is no such table. */
const struct table *table_find(struct slice from);

/* Of a table that v2 had, served or not: the report of v3 that has most of it, empty when none has. NULL: v2 had no
 * such table. And the one that a name may have been meant for; n 0: none. */
const struct slice *table_of_v2(struct slice from);
struct slice table_like(struct slice from);

/* The i-th table, NULL past the last. */
const struct table *table_at(size_t i);

/* Index of the column with this v2 name, or -1. */
int table_column(const struct table *t, struct slice v2);

/* v2 rows of a call with `results` rows. */
int64_t table_price(const struct table *t, int64_t results, bool where, bool having);

/* Keys that differ in case only were one row in v2. */
bool table_folds(const struct table *t);

/* v3's least price of a request, in units. */
enum { V3_FLOOR_UNITS = 50 };

extern const struct table table_anchors;
extern const struct table table_subscription_info;

#endif
