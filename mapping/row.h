/* SPDX-License-Identifier: MIT
 * One row in memory, and what a list of them is made for. */
#ifndef ANCHORAGE_MAPPING_ROW_H
#define ANCHORAGE_MAPPING_ROW_H

#include "base/budget.h"
#include "mapping/filter.h"
#include "mapping/scan.h"

struct row_list;

struct row {
    struct slice raw_key; /* the first field of the key before folding */
    uint64_t plain;       /* bit i: the text of field i needs no escape in JSON */
    uint32_t hash;        /* inside rows.c: of the key; 0: not yet made */
    uint32_t flags;       /* the ROW_… below */
    union cell cells[];   /* by field */
};

#define ROW_BROKEN 1u /* one of its texts was broken */
#define ROW_OUT 2u    /* merged, and then it does not meet a condition */

struct rows_options {
    const struct table *table;
    uint64_t fields; /* bit i: field i is in each row */
    bool fold;
    const struct field_order *order; /* ends with the key; must live as long as the rows */
    size_t n_order;
    const struct filter_check *checks; /* what merged rows must meet; must live as long as the rows */
    size_t n_checks;
    size_t max_bytes;
    struct budget *budget; /* that max_bytes are taken from as they are needed; NULL: none */
};

#endif
