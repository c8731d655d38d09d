/* SPDX-License-Identifier: MIT
 *
 * Where this process listens: an upstream that leads there would have the proxy ask itself, for ever.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_FORBIDDEN_H
#define ANCHORAGE_PROXY_UPSTREAM_FORBIDDEN_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;
struct forbidden_address;

struct forbidden {
    struct forbidden_address *list;
    size_t n;
};

void forbidden_clear(struct forbidden *o);

/* Add "192.0.2.1:80", "[2001:db8::1]:80"; 0.0.0.0 and [::] are every address of this machine, of both families. Other
 * forms are not of interest. False when memory is out. */
[[nodiscard]] bool forbidden_add(struct forbidden *o, const char *address);

/* Whether a connection to this address would end at one of them. */
bool forbidden_has(const struct forbidden *o, const struct sockaddr *address);

/* The same for a host in numbers ("[::1]" too) or localhost; names are not resolved: false. */
bool forbidden_has_host(const struct forbidden *o, const char *host, const char *port);

#endif
