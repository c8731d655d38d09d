/* SPDX-License-Identifier: MIT
 *
 * The client side as the configuration wants it: listeners, certificates, descriptors, and how much memory all of it
 * may take.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_FRONT_H
#define ANCHORAGE_PROXY_DAEMON_FRONT_H

#include "proxy/daemon/socket_activation.h"
#include "proxy/service/service.h"

/* Load what tls_certificate and tls_private_key name, for new connections; nothing to do when they name none. `lines`
 * gets "FILE:LINE: what is wrong" or "FILE:LINE: warning: what" for each thing, separated by newlines. On failure
 * false, and `http` goes on with what it had. It is called at the start, for `check`, and for SIGHUP with the new
 * configuration. */
[[nodiscard]] bool front_load_tls(const struct config *c, struct http_server *http, struct buffer *lines);

/* Listen on the sockets that were handed in for `option` of [proxy]; when there are none, on the addresses that it
 * names. On failure false, and `why` has one line, with FILE:LINE where it is about an address. */
[[nodiscard]] bool front_listen(const struct config *c, struct socket_activation *handed_in, struct http_server *server,
                                const struct config_words *addresses, const char *option, struct buffer *why);

/* Use as many file descriptors as the system lets us; say so when that is too few for max_connections. */
void front_raise_descriptors(struct service *s);

/* Say where the daemon listens, and the most memory that calls and connections can take. */
void front_announce(struct service *s, uint64_t cache_bytes);

#endif
