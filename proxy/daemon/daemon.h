/* SPDX-License-Identifier: MIT
 *
 * The daemon as a whole, from its beginning to its end.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_DAEMON_H
#define ANCHORAGE_PROXY_DAEMON_DAEMON_H

#include "config/config.h"

/* Run in the foreground until SIGTERM. False, with a line on stderr, when the daemon could not begin. */
bool daemon_run(const struct config *config);

#endif
