/* SPDX-License-Identifier: MIT
 *
 * Where this process listens: an upstream that leads there would have the proxy ask itself, for ever.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_FORBIDDEN_H
#define ANCHORAGE_PROXY_UPSTREAM_FORBIDDEN_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;
struct own_address;

struct own {
    struct own_address *list;
    size_t n;
};

void own_clear(struct own *o);

/* Add "192.0.2.1:80", "[2001:db8::1]:80"; 0.0.0.0 and [::] are every address of this machine, of both families. Other
 * forms are not of interest. False when memory is out. */
[[nodiscard]] bool own_add(struct own *o, const char *address);

/* Whether a connection to this address would end at one of them. */
bool own_has(const struct own *o, const struct sockaddr *address);

/* The same for a host in numbers ("[::1]" too) or localhost; names are not resolved: false. */
bool own_has_host(const struct own *o, const char *host, const char *port);

#endif
