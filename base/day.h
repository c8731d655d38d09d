/* SPDX-License-Identifier: MIT
 *
 * UTC days and seconds as numbers, in the proleptic Gregorian calendar. Pure: nobody asks a clock here. Every function
 * takes every number: what is written, and what becomes of a time, is at least the first moment of the year 0000 and at
 * most the last of 9999.
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

/* Any year; past the days that 32 bits can count the nearest of these. */
struct day day_from_civil(struct civil c);
struct civil day_to_civil(struct day d);

/* The day that a Unix time in milliseconds falls on. */
struct day day_of_ms(int64_t unix_ms);

/* YYYY-MM-DD, a day that exists, years 0000 to 9999. */
[[nodiscard]] bool day_parse(struct slice s, struct day *day);

/* Write YYYY-MM-DD and a NUL. */
void day_format(struct day d, char out[11]);

enum { DAY_WORDS = 18 };

/* Write "1 December 2026" and a NUL, for people. */
void day_words(struct day d, char out[DAY_WORDS]);

enum { TIMESTAMP_MAX_FRACTION = 9 /* digits: nanoseconds */ };

/* YYYY-MM-DDTHH:MM:SS(.fraction)?Z as whole Unix seconds (the fraction is cut). */
[[nodiscard]] bool timestamp_parse(struct slice s, int64_t *unix_s);

/* Write YYYY-MM-DDTHH:MM:SSZ and a NUL. */
void timestamp_format(int64_t unix_s, char out[21]);

/* Write YYYY-MM-DDTHH:MM:SS.mmmZ and a NUL. */
void timestamp_format_ms(int64_t unix_ms, char out[25]);

#endif
