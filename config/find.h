/* SPDX-License-Identifier: MIT
 *
 * What a configuration says about one team, one option, its upstream.
 */
#ifndef ANCHORAGE_CONFIG_FIND_H
#define ANCHORAGE_CONFIG_FIND_H

#include "config/config.h"

/* NULL when no section has this name. */
const struct config_team *config_team(const struct config *c, struct slice name);

/* The line that sets the option, for messages about it; 0 when its default counts or there is no such option.
 * Options of teams have none: a team knows its own line. */
int config_line_of(const struct config *c, const char *section, const char *name);

/* Append "FILE:LINE: ", or "FILE: NAME, which is not set: " where the default counts. */
void config_place(const struct config *c, const char *section, const char *name, struct buffer *out);

/* Whether the upstream url points to the loopback range. */
bool config_upstream_is_loopback(const struct config *c);

#endif
