/* SPDX-License-Identifier: MIT
 *
 * The where parameter: a tree of conditions on columns. filter_read.c reads it from JSON,
 * filter_test.c holds it against values. */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include "base/arena.h"
#include "tests/sandbox/options.h"
#include "tests/sandbox/pattern.h"
#include "tests/sandbox/report.h"

enum operation {
    OPERATION_EQ,
    OPERATION_NEQ,
    OPERATION_GT,
    OPERATION_GTE,
    OPERATION_LT,
    OPERATION_LTE,
    OPERATION_SUBSTRING,
    OPERATION_ISUBSTRING,
    OPERATION_PHRASE_MATCH,
    OPERATION_IPHRASE_MATCH,
    OPERATION_PREFIX,
    OPERATION_SUFFIX,
    OPERATION_REGEX,
    OPERATION_EMPTY,
    OPERATION_IS_NULL,
    N_OPERATIONS
};

enum joint { JOINT_LEAF, JOINT_AND, JOINT_OR, JOINT_NOT };

/* What is asked of one value, or of one item of a list. */
struct condition {
    enum joint joint;
    const struct condition *parts; /* of AND, OR, NOT */
    size_t n_parts;
    enum operation operation; /* of a leaf */
    struct value value;       /* of the column's type; lower case for isubstring and iphrase_match */
    struct pattern *pattern;
};

enum quantity { QUANTITY_ONE, QUANTITY_ANY, QUANTITY_ALL };

struct filter {
    enum joint joint;
    const struct filter *parts;
    size_t n_parts;
    enum column column; /* of a leaf */
    bool in_upper_case;
    enum quantity quantity; /* ONE: the value itself; else of the items of a list */
    struct condition condition;
    unsigned levels;           /* mask of enum level, of all below */
    struct report_set columns; /* of all below */
};

/* Read the JSON of a where parameter of `report` into `memory`. NULL on failure, *why the text of the 400. */
const struct filter *filter_read(struct arena *memory, const struct options *options, const struct report *report,
                                 struct slice json, struct slice *why);

/* Ask `value` for the value of a column; what it gives need only live until it is asked again. */
struct filter_subject {
    struct value (*value)(void *ctx, enum column column);
    /* Whether a condition on links holds; asked only with LEVEL_ROW filters that mix both. May be NULL. */
    bool (*any_link)(void *ctx, const struct filter *leaf);
    void *ctx;
};

bool filter_holds(const struct filter *filter, const struct options *options, const struct filter_subject *subject);

#endif
