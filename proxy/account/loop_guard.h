/* SPDX-License-Identifier: MIT
 *
 * The upstream must not be this proxy: it would ask itself until all calls run out of time.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_LOOP_GUARD_H
#define ANCHORAGE_PROXY_ACCOUNT_LOOP_GUARD_H

#include "proxy/account/account.h"
#include "proxy/http/http.h"

/* No account may connect to where the server listens. False when memory is out. */
[[nodiscard]] bool loop_guard_forbid(struct accounts *a, const struct http_server *server);

/* Whether the upstream leads there as far as can be said without resolving names; then a line in `why`, without
 * FILE:LINE, and *option is the one of [upstream] that is wrong. */
bool loop_guard_leads_back(const struct accounts *a, const struct config *config, const char **option,
                           struct buffer *why);

#endif
