/* SPDX-License-Identifier: MIT
 *
 * Lists that v3 sorts by one column alone, in an order of two: a column and then the key. The rows of the first column
 * are asked for, one more than is wanted; those with the last value may not be all there are and are left aside, and
 * asked for by themselves, by the key; then the rows behind that value, and so on. Every step brings rows, and at most
 * one group of a page is asked for twice.
 */
#ifndef ANCHORAGE_MAPPING_WALK_H
#define ANCHORAGE_MAPPING_WALK_H

#include "mapping/plan.h"
#include "mapping/scan.h"

struct walk;

/* Whether the plan's list has to be walked. */
bool walk_is_needed(const struct plan *plan);

/* `plan` must outlive it. NULL when memory is out. */
struct walk *walk_new(const struct plan *plan, struct arena *memory);
void walk_free(struct walk *w);

/* The list begins behind a row that was remembered. */
void walk_begin_behind(struct walk *w, const union cell *last);

/* Rows of the next request where `wanted` more are; and the request. p is NULL when memory is out. */
int64_t walk_rows(const struct walk *w, int64_t wanted);
struct slice walk_path(struct walk *w, int64_t rows);

/* A row of its answer; copied. */
void walk_put(struct walk *w, const struct scan_value *values);

/* STUCK: it cannot go on, for v3 does not compare as it sorts. */
enum walk_end { WALK_GOES_ON, WALK_IS_OVER, WALK_IS_STUCK, WALK_NO_MEMORY };

/* The answer is whole: hand out what came of it that is sure, in the order of the plan. `is_full`: as many rows came as
 * were asked for. */
enum walk_end walk_end(struct walk *w, bool is_full, bool (*on_row)(void *context, const struct scan_value *values),
                       void *context);

#endif
