/* SPDX-License-Identifier: MIT
 * What has come for an answer, for the functions that a table's rows name. */
#ifndef ANCHORAGE_MAPPING_ANSWER_VIEW_H
#define ANCHORAGE_MAPPING_ANSWER_VIEW_H

#include "mapping/rows.h"

struct answer_view {
    const struct row_list *rows;
    uint64_t fields;    /* that are in them */
    int64_t rows_came;  /* of v3, before any were merged */
    bool has_every_row; /* these are all rows of the target: nothing was filtered, nothing is behind them */
    const struct part_values *parts[TABLE_MAX_PARTS]; /* NULL: not there */
};

#endif
