/* SPDX-License-Identifier: MIT
 * Numbers with a fraction: v3's JSON, and v2's texts. The program has the locale C. */
#ifndef ANCHORAGE_MAPPING_NUMBER_H
#define ANCHORAGE_MAPPING_NUMBER_H

#include <stdint.h>

#include "base/buffer.h"

/* Whether `s` is a number of JSON. */
bool number_is_json(struct slice s);

/* A number of JSON that a double can hold; nothing else. */
[[nodiscard]] bool number_parse(struct slice s, double *value);

/* Half up: 29.5 is 30; within 64 bits. */
int64_t number_rounded(double value);

/* Append it with the fewest digits that are read as the same number. `always_point`: a whole one is "5120.0". */
void buffer_number(struct buffer *b, double value, bool always_point);

#endif
