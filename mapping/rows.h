/* SPDX-License-Identifier: MIT
 *
 * The rows of one answer in compact memory: folded, merged, put in v2's order, cut to offset and limit.
 */
#ifndef ANCHORAGE_MAPPING_ROWS_H
#define ANCHORAGE_MAPPING_ROWS_H

#include "mapping/row.h"

/* NULL when memory is out. */
struct row_list *rows_new(const struct rows_options *options);
void rows_free(struct row_list *r);

/* Take what rows hold from this budget from now on; while there are none. */
void rows_set_budget(struct row_list *r, struct budget *budget);

/* How many of the rows that are there come again on a page that begins at the last row that came whole, not behind it,
 * at least: of keys that repeat those that are equal to it. */
int64_t rows_come_again(const struct row_list *r);

/* The next rows are another page, which begins behind the last row that came whole (rows_last): of those that come now
 * the ones already given are dropped, and the broken ones behind that row are taken back, for they come again. How many
 * these were; -1 when memory is out. */
[[nodiscard]] int64_t rows_begin_page(struct row_list *r);

enum rows_added { ROWS_NEW, ROWS_MERGED, ROWS_BROKEN, ROWS_SEEN_BEFORE, ROWS_FULL };

/* Add a row; its texts are copied. ROWS_BROKEN: a new one, a text of which was broken; it is never merged with another
 * or taken for one already given. ROWS_FULL past max_bytes or when memory is out. */
enum rows_added rows_add(struct row_list *r, const struct scan_value *values);

/* Distinct rows so far, without merged ones that do not meet the checks, or that cannot be checked since the field is
 * not in the rows: those that an answer may show. It may get smaller by a row that is merged. */
int64_t rows_count(const struct row_list *r);

/* Bytes of the texts of all rows. */
size_t rows_text_bytes(const struct row_list *r);

/* Sums over all rows of a whole-number field, saturating. */
int64_t rows_sum(const struct row_list *r, int field);

/* Whether folding changed any key: upper-case letters have been seen. */
bool rows_case_seen(const struct row_list *r);

/* Whether the rows came in another order than that of the bytes. */
bool rows_disordered(const struct row_list *r);

/* The same, or folding their keys brought them out of order. */
bool rows_resorted(const struct row_list *r);

/* The fields of the order by which v3 and v2 had the rows that are shown in different places, after rows_finish: v3
 * sorts by what v2 had rounded or in other words. */
uint64_t rows_moved_by(const struct row_list *r);

/* The values of the last row that came whole, unfolded, for paging. False when there was none. */
bool rows_last(const struct row_list *r, union cell values[REPORT_MAX_FIELDS]);

/* Whether that one was new and of the last page: without it the next page would be the same again. */
bool rows_can_page(const struct row_list *r);

/* Put `n` of those that rows_count counts in order, from number `first` on as they came; they must be there. Rows can
 * be read, not added, afterwards. False when memory is out. */
[[nodiscard]] bool rows_finish(struct row_list *r, int64_t first, int64_t n);

/* The fields of which a text was broken in one of the first `n` of these, after rows_finish. */
uint64_t rows_broken_fields(const struct row_list *r, int64_t n);

/* The i-th of these in order, after rows_finish. */
const struct row *rows_at(const struct row_list *r, int64_t i);

#endif
