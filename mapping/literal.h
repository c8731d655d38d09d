/* SPDX-License-Identifier: MIT
 * The numbers and dates that v2 programs write. */
#ifndef ANCHORAGE_MAPPING_LITERAL_H
#define ANCHORAGE_MAPPING_LITERAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/day.h"

/* A whole number: 10, -3, 010, and as R writes big ones, 1e+05. False when it is none or does not fit 64 bits. */
[[nodiscard]] bool literal_whole(struct slice text, int64_t *value);

/* A day, or a moment to the second. */
struct literal_date {
    bool is_moment;
    struct day day;
    int64_t moment_s;
};

/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ. */
[[nodiscard]] bool literal_date(struct slice text, struct literal_date *ret);

#endif
