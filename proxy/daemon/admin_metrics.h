/* SPDX-License-Identifier: MIT
 *
 * The numbers of the service, for proxy/admin.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_ADMIN_METRICS_H
#define ANCHORAGE_PROXY_DAEMON_ADMIN_METRICS_H

#include "proxy/admin/metrics.h"
#include "proxy/service/service.h"

/* All but what is only known where the question came in. Cheap: it runs on the loop. */
void admin_metrics_gather(const struct service *s, struct metrics *m);

#endif
