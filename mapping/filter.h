/* SPDX-License-Identifier: MIT
 *
 * v3 filters: each v2 condition becomes one JSON expression; several are joined with and.
 */
#ifndef ANCHORAGE_MAPPING_FILTER_H
#define ANCHORAGE_MAPPING_FILTER_H

#include "mapping/condition.h"
#include "mapping/mark.h"

/* One order of a list: a field of the table and a direction. */
struct field_order {
    int field;
    bool descending;
};

/* A value of a row, as a filter names it. */
struct filter_value {
    struct slice text; /* VALUE_TEXT, VALUE_DATE */
    int64_t whole;     /* VALUE_WHOLE */
};

/* A condition that merged rows are to be looked at for again: v3 was asked with it, but for each spelling by itself. */
struct filter_check {
    int field; /* of the table */
    enum operator_kind op;
    int64_t whole;
    struct slice text; /* folded */
};

/* Whether rows that meet `c` one by one may fail it once they are merged; then *ret, whose text is not folded. Counts
 * are added up. The earliest of dates is one of those that met it, and all else of an anchor but its place among
 * others is compared by what its spellings have in common. */
bool filter_check_of(const struct table *table, const struct condition *c, struct filter_check *ret);

/* Whether a value meets it. Texts are folded and compared by bytes, as v2 did. */
bool filter_check_whole(const struct filter_check *c, int64_t value);
bool filter_check_text(const struct filter_check *c, struct slice text);

/* The expression for `c`, in `memory`; empty when the condition holds for all rows and is dropped. Adds what is
 * approximated to `marks`. Refuses with FAULT_NOT_EXACT where v3 has nothing like it. */
struct refusal filter_of_condition(const struct table *table, const struct condition *c, bool fold, struct day today,
                                   struct arena *memory, struct marks *marks, struct slice *ret);

/* "Strictly after the row with these values, in this order"; with `or_at`, "at it or after". `values` are indexed by
 * field. p is NULL when memory is out. */
struct slice filter_after(const struct table *table, const struct field_order *order, size_t n_order,
                          const struct filter_value *values, bool or_at, struct arena *memory);

/* All of them joined: empty for none, the bare expression for one. p is NULL when memory is out. */
struct slice filter_and(const struct slice *expressions, size_t n, struct arena *memory);

#endif
