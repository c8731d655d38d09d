/* SPDX-License-Identifier: MIT
 *
 * Durations as people write them: 10ms, 60s, 5m, 1h, 7d. One number, one unit; 0 needs none.
 */
#ifndef ANCHORAGE_CONFIG_DURATION_H
#define ANCHORAGE_CONFIG_DURATION_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum config_duration_result { CONFIG_DURATION_OK, CONFIG_DURATION_NOT_ONE, CONFIG_DURATION_NO_UNIT };

/* *ms is untouched on failure. What does not fit in 64 bits becomes INT64_MAX. */
[[nodiscard]] enum config_duration_result config_duration_read(struct slice text, int64_t *ms);

/* Append `ms` (not negative) in the biggest unit that is exact: 60000 is 1m. */
void config_duration_write(struct buffer *b, int64_t ms);

#endif
