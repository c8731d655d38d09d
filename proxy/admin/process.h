/* SPDX-License-Identifier: MIT
 *
 * What the process takes of the machine.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_PROCESS_H
#define ANCHORAGE_PROXY_ADMIN_PROCESS_H

#include "proxy/admin/metrics.h"

/* Add the metrics process_…; what the system does not tell is left out. */
void process_gather(struct metrics *m);

#endif
