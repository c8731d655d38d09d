/* SPDX-License-Identifier: MIT
 *
 * The service gives its numbers to proxy/admin here.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_ADMIN_METRICS_H
#define ANCHORAGE_PROXY_DAEMON_ADMIN_METRICS_H

#include "proxy/admin/metrics.h"
#include "proxy/service/service.h"

/* Add all numbers but those that only the server of the question knows. It runs on the loop, and is cheap. */
void admin_metrics_gather(const struct service *s, struct metrics *m);

#endif
