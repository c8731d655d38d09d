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
