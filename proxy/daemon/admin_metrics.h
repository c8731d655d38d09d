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

/* Append what the page shows of calls under way, the books and each v3 key: members of a JSON object. */
void admin_health_write(const struct service *s, struct buffer *b);

#endif
