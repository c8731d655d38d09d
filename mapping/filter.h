/* SPDX-License-Identifier: MIT
 *
 * v3 filters: each v2 condition becomes one JSON expression; several are joined with and.
 */
#ifndef ANCHORAGE_MAPPING_FILTER_H
#define ANCHORAGE_MAPPING_FILTER_H

#include "mapping/condition.h"
#include "mapping/mark.h"

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

/* What the filter of one condition is made from. */
struct filter_making {
    const struct table *table;
    bool fold;        /* anchor_case = fold */
    struct day today; /* UTC */
    struct arena *memory;
    struct marks *marks;   /* what is approximated is added */
    struct slice host;     /* of the target */
    struct slice *country; /* of the whole question, where a column asks for one; empty: none so far */
};

/* The expression for `c`, in memory; empty when the condition holds for all rows and is dropped. Refuses with
 * FAULT_NOT_EXACT where v3 has nothing like it, with the clause's fault where v2 had nothing like it. */
struct refusal filter_of_condition(const struct filter_making *m, const struct condition *c, struct slice *ret);

/* For the functions of a table: {"field":name,"is":[word,value]}, where `value` is JSON; what is not that; all of them
 * by "and" or "or". p is NULL when memory is out or when a part is. */
struct slice filter_expression(struct slice field, const char *word, struct slice value, struct arena *memory);
struct slice filter_not(struct slice e, struct arena *memory);
struct slice filter_joined(const char *word, const struct slice *expressions, size_t n, struct arena *memory);
/* A JSON string. */
struct slice filter_string(struct slice s, struct arena *memory);

/* "Strictly after the row with these values, in this order"; with `or_at`, "at it or after". `values` are indexed by
 * field. p is NULL when memory is out. */
struct slice filter_after(const struct table *table, const struct field_order *order, size_t n_order,
                          const union cell *values, bool or_at, struct arena *memory);

/* "The field is as in these values." p is NULL when memory is out. */
struct slice filter_equal(const struct table *table, int field, const union cell *values, struct arena *memory);

/* All of them joined: empty for none, the bare expression for one. p is NULL when memory is out. */
struct slice filter_and(const struct slice *expressions, size_t n, struct arena *memory);

#endif
