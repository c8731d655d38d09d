/* SPDX-License-Identifier: MIT
 *
 * A reload changes the configuration while calls are under way.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_RELOAD_H
#define ANCHORAGE_PROXY_DAEMON_RELOAD_H

#include "proxy/service/service.h"

/* Read the file of `start` again, the configuration that the daemon began with, and take into force what may change
 * while it runs. What is wrong, or what has changed, goes to the log. False when the old one stays. `start` must live
 * as long as the service. */
bool reload(struct service *s, const struct config *start);

#endif
