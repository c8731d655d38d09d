/* SPDX-License-Identifier: MIT
 *
 * A v2 call, understood: from decoded parameters to a struct, everything checked against the table, or refused.
 */
#ifndef ANCHORAGE_MAPPING_CALL_H
#define ANCHORAGE_MAPPING_CALL_H

#include "mapping/condition.h"
#include "mapping/params.h"
#include "mapping/target.h"

enum output { OUTPUT_JSON, OUTPUT_XML, OUTPUT_PHP, OUTPUT_COUNT };

enum { CALL_DEFAULT_LIMIT = 1000, CALL_MAX_LIMIT = 5000000, CALL_MAX_ORDERS = TABLE_MAX_COLUMNS };

struct order {
    int column; /* of the table */
    bool descending;
};

struct call {
    const struct table *table;
    enum output output;
    struct target target;
    enum mode mode;
    bool mode_missing;
    uint64_t select;         /* bit i: column i is shown */
    uint64_t named;          /* of these, those that select names */
    struct conditions where; /* n 0: none */
    struct conditions having;
    struct order orders[CALL_MAX_ORDERS];
    size_t n_orders; /* as the client asked; 0: none */
    int64_t limit, offset;
    struct slice spot; /* of a call that was refused: the part of a value that is wrong; p is NULL when not known */
};

struct call_options {
    /* The mode of calls without one; MODE_COUNT: refuse them. */
    enum mode default_mode;
};

/* Read the call. What it holds is in `memory` or borrowed from `params`. The output is set even when the call is
 * refused (JSON when it is bad), so that the refusal can be written as asked, and the spot. */
struct refusal call_parse(const struct params *params, const struct call_options *options, struct arena *memory,
                          struct call *ret);

/* "json" */
struct slice output_name(enum output o);

/* The call without its literals and its target, as canonical text: what kind of question it was. */
struct slice call_shape(const struct call *c, struct arena *memory);

#endif
