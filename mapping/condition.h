/* SPDX-License-Identifier: MIT
 *
 * v2's conditions: `where` and `having`, read by their grammar (docs/api-v2.md, "Conditions") and checked against the
 * table. A comma means and; there is no or, no not, no nesting.
 */
#ifndef ANCHORAGE_MAPPING_CONDITION_H
#define ANCHORAGE_MAPPING_CONDITION_H

#include "mapping/fault.h"
#include "mapping/literal.h"
#include "mapping/table.h"

enum clause { CLAUSE_WHERE, CLAUSE_HAVING };

enum operator_kind { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_SUBSTRING, OP_WORD, OP_SUBDOMAIN, OP_COUNT };

struct condition {
    enum clause clause;
    int column; /* of the table */
    enum operator_kind op;
    struct slice text;        /* VALUE_TEXT: the literal, unescaped */
    int64_t whole;            /* VALUE_WHOLE, VALUE_RATING, VALUE_NUMBER; VALUE_BOOL: 0 or 1, and = or <> */
    struct literal_date date; /* VALUE_DATE, VALUE_DAY */
    size_t at;                /* position of the column's name in the clause, in characters from 1 */
    struct slice source;      /* as it stands in the clause */
};

struct conditions {
    struct condition *list;
    size_t n;
    struct slice spot; /* of a clause that was refused: the part of its text that is wrong; p is NULL when not known */
};

/* Read `text` (not empty). The list is in `memory`. On failure the clause's fault, words that name the position, and in
 * *ret nothing but the spot. */
struct refusal conditions_parse(const struct table *table, enum clause clause, struct slice text, struct arena *memory,
                                struct conditions *ret);

/* The least bytes that its texts take of the URL of a request, whatever becomes of them. */
size_t conditions_least_url(const struct conditions *c);

/* "where", "having" */
struct slice clause_name(enum clause c);
enum fault clause_fault(enum clause c);
/* What the table can do for the clause on the column. */
enum fidelity clause_fidelity(enum clause c, const struct column *column);
/* What is not exact about a condition on it, for people. */
struct slice clause_says(enum clause c, const struct column *column);
/* ">=" or "substring". */
struct slice operator_name(enum operator_kind op);

/* Words for a refusal at a position: "where, character 7: …". */
struct refusal clause_refusal(enum clause c, enum fault fault, size_t at, struct arena *memory, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
