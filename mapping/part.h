/* SPDX-License-Identifier: MIT
 * The numbers of a part: read from an object, or added up over rows. */
#ifndef ANCHORAGE_MAPPING_PART_H
#define ANCHORAGE_MAPPING_PART_H

#include "base/arena.h"
#include "mapping/scan.h"

/* {"KEY":{"FIELD":N,…}}: `fields` of the report; whole numbers are at least 0. False for anything else; *bad is the
 * field that is at fault then. */
[[nodiscard]] bool part_read(const struct report *report, uint64_t fields, struct slice body, struct part_values *ret,
                             int *bad);

/* Bytes of struct part_values that a part of the report has. */
size_t part_bytes(const struct report *report);

/* Add a row, saturating. */
void part_add(const struct report *report, uint64_t fields, const struct scan_value *values, struct part_values *to);

/* The sum of these, saturating; of one field it is the field. */
union cell part_sum(const struct report *report, uint64_t fields, const struct part_values *values);

/* whole x part / of, rounded half up, at most `whole`; 0 when there is nothing to divide. */
int64_t part_share(int64_t whole, int64_t part, int64_t of);

#endif
