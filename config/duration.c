/* SPDX-License-Identifier: MIT
 * Durations between text and milliseconds; a leaf below the option table and the values. */
#include "config/duration.h"

#include "base/text.h"

static const struct {
    struct slice name;
    int64_t ms;
} units[] = {
    /* the biggest first */
    { SLICE("d"), 86400000 }, { SLICE("h"), 3600000 }, { SLICE("m"), 60000 }, { SLICE("s"), 1000 }, { SLICE("ms"), 1 },
};
enum { UNITS = sizeof units / sizeof units[0] };

enum config_duration_result config_duration_read(struct slice text, int64_t *ms)
{
    size_t digits = 0;
    while (digits < text.n && is_digit(text.p[digits]))
        digits++;
    if (!digits)
        return CONFIG_DURATION_NOT_ONE;
    uint64_t number;
    if (!parse_u64(slice_of(text.p, digits), &number) || number > INT64_MAX)
        number = INT64_MAX;
    struct slice unit = slice_from(text, digits);
    if (!unit.n && number)
        return CONFIG_DURATION_NO_UNIT;
    if (!unit.n) {
        *ms = 0;
        return CONFIG_DURATION_OK;
    }
    for (size_t i = 0; i < UNITS; i++) {
        if (slice_eq(units[i].name, unit)) {
            *ms = (int64_t)number > INT64_MAX / units[i].ms ? INT64_MAX : (int64_t)number * units[i].ms;
            return CONFIG_DURATION_OK;
        }
    }
    return CONFIG_DURATION_NOT_ONE;
}

void config_duration_write(struct buffer *b, int64_t ms)
{
    size_t i = 0;
    while (i < UNITS - 1 && ms % units[i].ms)
        i++;
    buffer_i64(b, ms / units[i].ms);
    if (ms)
        buffer_append(b, units[i].name);
}
