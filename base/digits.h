/* SPDX-License-Identifier: MIT
 *
 * What writers of numbers and of JSON need before there is a buffer: how long a number is, and how far text goes as it
 * is.
 */
#ifndef ANCHORAGE_BASE_DIGITS_H
#define ANCHORAGE_BASE_DIGITS_H

#include <stdint.h>

#include "base/slice.h"

/* How many digits `v` has, 20 at most; write them, and return as many. */
size_t decimal_digits(uint64_t v);
size_t decimal_write(char *to, uint64_t v);

/* Index of the first byte of `s` from `at` on that cannot stand as itself in a JSON string: a quote, a backslash or a
 * control byte; s.n when there is none. *high becomes true, and is else untouched, when the bytes passed over, or a few
 * behind them, are not all ASCII. */
size_t json_run(struct slice s, size_t at, bool *high);

/* Index of the first byte of `s` from `at` on at which a text of XML has to be looked at: & < >, a control byte but tab
 * and line feed, or 0xEF, with which the encoded U+FFFE and U+FFFF begin; s.n when there is none. */
size_t xml_run(struct slice s, size_t at);

#endif
