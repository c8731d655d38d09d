/* SPDX-License-Identifier: MIT
 *
 * The admin side of the daemon: its listeners, and where the numbers for proxy/admin come from.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_ADMIN_SERVER_H
#define ANCHORAGE_PROXY_DAEMON_ADMIN_SERVER_H

#include "proxy/service/service.h"

struct serve_admin;

/* Listen on the addresses of the option `admin`; with none, nobody can ask. Reads what `s` has when it is asked, so
 * `s` needs its base, configuration and ledger by now. It answers until it is freed, also while `s` drains. NULL with a
 * line in `why`, or without one when memory is out. */
struct serve_admin *serve_admin_new(struct service *s, struct buffer *why);

/* Its listeners. */
const struct http_server *serve_admin_http(const struct serve_admin *a);

/* What a reload has changed is in force from now on. */
void serve_admin_take_settings(struct serve_admin *a);

/* Say in the log where it listens. */
void serve_admin_announce(struct serve_admin *a);

/* Not from inside the loop. NULL is allowed. */
void serve_admin_free(struct serve_admin *a);

#endif
