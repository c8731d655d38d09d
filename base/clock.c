/* SPDX-License-Identifier: MIT
 * The two clocks. */
#include "base/clock.h"

#include <time.h>

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
    return microseconds(CLOCK_REALTIME) / 1000 + wall_shift_ms;
}

void clock_shift_wall(int64_t ms)
{
    wall_shift_ms += ms;
}
