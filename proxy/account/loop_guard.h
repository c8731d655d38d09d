/* SPDX-License-Identifier: MIT
 *
 * The upstream must not be this proxy: it would ask itself until all calls run out of time.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_LOOP_GUARD_H
#define ANCHORAGE_PROXY_ACCOUNT_LOOP_GUARD_H

#include "proxy/account/account.h"
#include "proxy/http/http.h"

/* From now on no account connects to an address that the server listens on. False when memory is out. */
[[nodiscard]] bool loop_guard_forbid(struct accounts *a, const struct http_server *server);

/* Whether the upstream leads to such an address, as far as it can be said without resolving names. When it does, `why`
 * gets a line without FILE:LINE, and *option is the option of [upstream] that is wrong. */
bool loop_guard_leads_back(const struct accounts *a, const struct config *config, const char **option,
                           struct buffer *why);

#endif
