/* SPDX-License-Identifier: MIT
 *
 * The admin side of the daemon: its listeners, and the answers that proxy/admin needs of the service.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_ADMIN_SERVER_H
#define ANCHORAGE_PROXY_DAEMON_ADMIN_SERVER_H

#include "proxy/daemon/socket_activation.h"
#include "proxy/service/service.h"

struct admin_server;

/* Listen on the sockets `handed_in` for the option `admin`, or on its addresses; with none, nothing can be
 * asked. It reads what `s` has when it is asked, so `s` needs its base, configuration and ledger by now. It answers
 * until it is freed, also while `s` drains. NULL with a line in `why`, or without one when memory is out. */
struct admin_server *admin_server_new(struct service *s, struct socket_activation *handed_in, struct buffer *why);

/* The server with its listeners. */
const struct http_server *admin_server_http(const struct admin_server *a);

/* What a reload has changed is in force from now on. */
void admin_server_take_settings(struct admin_server *a);

/* Say in the log where it listens. */
void admin_server_announce(struct admin_server *a);

/* Do not call it from inside the loop. NULL is allowed. */
void admin_server_free(struct admin_server *a);

#endif
