/* SPDX-License-Identifier: MIT
 *
 * UTC days and seconds as numbers, in the proleptic Gregorian calendar. Pure: nobody asks a clock here.
 */
#ifndef ANCHORAGE_BASE_DAY_H
#define ANCHORAGE_BASE_DAY_H

#include <stdint.h>

#include "base/slice.h"

/* Days since 1970-01-01. */
struct day {
    int32_t n;
};

struct civil {
    int year, month, day; /* month 1 to 12, day 1 to 31 */
};

struct day day_from_civil(struct civil c);
struct civil day_to_civil(struct day d);

/* The day that a Unix time in milliseconds falls on. */
struct day day_of_ms(int64_t unix_ms);

/* YYYY-MM-DD, a day that exists, years 0000 to 9999. */
[[nodiscard]] bool day_parse(struct slice s, struct day *day);

/* Write YYYY-MM-DD and a NUL. */
void day_format(struct day d, char out[11]);

/* YYYY-MM-DDTHH:MM:SS(.fraction)?Z as whole Unix seconds (the fraction is cut). */
[[nodiscard]] bool timestamp_parse(struct slice s, int64_t *unix_s);

/* Write YYYY-MM-DDTHH:MM:SSZ and a NUL; the year must be 0 to 9999. */
void timestamp_format(int64_t unix_s, char out[21]);

/* Write YYYY-MM-DDTHH:MM:SS.mmmZ and a NUL. */
void timestamp_format_ms(int64_t unix_ms, char out[25]);

#endif
