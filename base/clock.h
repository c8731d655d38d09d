/* SPDX-License-Identifier: MIT
 *
 * The two clocks. */
#ifndef ANCHORAGE_BASE_CLOCK_H
#define ANCHORAGE_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds that only grow; for deadlines. */
int64_t clock_monotonic_ms(void);

/* Microseconds of the same clock; for durations. */
int64_t clock_monotonic_us(void);

/* Unix time in milliseconds; for dates. Of the years 1970 to 9998, whatever the machine believes. */
int64_t clock_wall_ms(void);

/* Add this to the wall clock from now on. For tests. */
void clock_shift_wall(int64_t ms);

#endif
