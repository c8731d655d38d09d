/* SPDX-License-Identifier: MIT
 *
 * Rows of a list as they came, as bytes: what a later call of the same list begins with. For memory only: the bytes
 * are those of this machine.
 */
#ifndef ANCHORAGE_MAPPING_PACKED_ROWS_H
#define ANCHORAGE_MAPPING_PACKED_ROWS_H

#include "base/buffer.h"
#include "mapping/scan.h"

/* Append a row. `fields`: bit i: field i is in it. */
void packed_rows_put(struct buffer *packed, const struct report *report, uint64_t fields,
                     const struct scan_value *values);

/* Take the first row off `packed`; its texts are in those bytes. False when there is none. */
bool packed_rows_take(struct slice *packed, const struct report *report, uint64_t fields, struct scan_value *values);

/* What is behind the first `rows` rows. */
struct slice packed_rows_skip(struct slice packed, int64_t rows);

/* The length of as many whole rows from the front as fit into `max_bytes`, at least one; their number in *rows. */
size_t packed_rows_split(struct slice packed, size_t max_bytes, int64_t *rows);

#endif
