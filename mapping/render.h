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

struct stats {
    int64_t backlinks;
    int64_t refpages;
    bool refpages_null;
};

/* Append the answer with the first `n` rows of `rows` (NULL when n is 0). */
void render_answer(const struct plan *plan, const struct row_list *rows, int64_t n, const struct stats *stats,
                   struct buffer *out);

/* Append {"error":why}. `why` must be valid UTF-8. */
void render_error(enum output output, struct slice why, struct buffer *out);

/* Append {"info":{"rows_left":…,"rows_limit":…,"subscription":…}}. `rows_limit` below 0: there is none. */
void render_info(enum output output, int64_t rows_used, int64_t rows_limit, struct slice subscription,
                 struct buffer *out);

/* The Content-Type of the bytes. */
struct slice render_content_type(enum output output);

#endif
