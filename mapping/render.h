/* SPDX-License-Identifier: MIT
 *
 * v2's bytes: answers, errors and the subscription's object, as JSON, XML and serialized PHP (docs/api-v2.md,
 * "Answers").
 */
#ifndef ANCHORAGE_MAPPING_RENDER_H
#define ANCHORAGE_MAPPING_RENDER_H

#include "base/buffer.h"
#include "mapping/plan.h"
#include "mapping/rows.h"

/* The numbers behind the rows, as in the table's .stats. */
struct stats {
    union cell of[TABLE_MAX_STATS];
    uint64_t nulls;
};

/* Append the answer with the first `n` rows of `rows` (NULL when n is 0). */
void render_answer(const struct plan *plan, const struct row_list *rows, int64_t n, const struct stats *stats,
                   struct buffer *out);

/* Append the one object: a cell for each column of the table. */
void render_object(const struct plan *plan, const union cell *cells, struct buffer *out);

/* The same of a table that is made from our own books. */
void render_books(enum output output, const struct table *table, const struct books_view *books, struct buffer *out);

/* Append {"error":why}. `why` must be valid UTF-8. */
void render_error(enum output output, struct slice why, struct buffer *out);

/* The Content-Type of the bytes. */
struct slice render_content_type(enum output output);

#endif
