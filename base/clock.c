/* SPDX-License-Identifier: MIT
 * The two clocks. */
#include "base/clock.h"

#include <time.h>

/* From 1970-01-01 until before 9999-01-01: with what lies a month around it, all of it can be written as a date. */
static const int64_t wall_last_ms = 253370764800000 - 1;

static int64_t wall_shift_ms;

static int64_t microseconds(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return microseconds(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return microseconds(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    int64_t ms = microseconds(CLOCK_REALTIME) / 1000 + wall_shift_ms;
    if (ms < 0)
        return 0;
    return ms < wall_last_ms ? ms : wall_last_ms;
}

void clock_shift_wall(int64_t ms)
{
    wall_shift_ms += ms;
}
