/* SPDX-License-Identifier: MIT
 *
 * The daemon as a whole, from its beginning to its end.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_DAEMON_H
#define ANCHORAGE_PROXY_DAEMON_DAEMON_H

#include "config/config.h"

/* DAEMON_REFUSED: the configuration, or a file that it names, is refused, and starting again will not help. */
enum daemon_end { DAEMON_ENDED, DAEMON_FAILED, DAEMON_REFUSED };

/* Run in the foreground until SIGTERM. When the daemon could not begin there is a line on standard error. */
enum daemon_end daemon_run(const struct config *config);

#endif
