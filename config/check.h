/* SPDX-License-Identifier: MIT
 *
 * What options mean together, once each of them is right by itself.
 */
#ifndef ANCHORAGE_CONFIG_CHECK_H
#define ANCHORAGE_CONFIG_CHECK_H

#include "config/config.h"
#include "config/errors.h"
#include "config/options.h"

/* What was read, and from where. */
struct config_read_lines {
    int *options;                  /* one a row: the line that set it, negative when the value was refused, else 0 */
    int sections[CONFIG_SECTIONS]; /* where [proxy], [upstream]… began; 0 when they did not */
};

/* All of `c` is set, refused options to their defaults. */
void config_check(const struct config *c, const struct config_read_lines *lines, struct config_errors *errors);

#endif
