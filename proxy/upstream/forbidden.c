/* SPDX-License-Identifier: MIT
 * Our own addresses: all become IPv6 (an IPv4 one as ::ffff:a.b.c.d), so that there is one kind to compare. */
#include "proxy/upstream/forbidden.h"

#include <arpa/inet.h>
#include <event2/util.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct forbidden_address {
    struct in6_addr ip;
    in_port_t port;
    bool is_any;
};

static bool is_any(const struct in6_addr *ip)
{
    static const struct in6_addr any_v4 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    return IN6_IS_ADDR_UNSPECIFIED(ip) || memcmp(ip, &any_v4, sizeof *ip) == 0;
}

static bool from_sockaddr(const struct sockaddr *address, struct forbidden_address *ret)
{
    *ret = (struct forbidden_address){ 0 };
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        ret->ip = v6.sin6_addr;
        ret->port = v6.sin6_port;
    } else if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        ret->ip.s6_addr[10] = ret->ip.s6_addr[11] = 0xff;
        memcpy(&ret->ip.s6_addr[12], &v4.sin_addr, sizeof v4.sin_addr);
        ret->port = v4.sin_port;
    } else {
        return false;
    }
    ret->is_any = is_any(&ret->ip);
    return true;
}

static bool is_loopback(const struct in6_addr *ip)
{
    return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
}

/* Who connects to the unspecified address gets loopback. */
static bool is_of_this_machine(const struct forbidden_address *a)
{
    if (a->is_any || is_loopback(&a->ip))
        return true;
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        struct forbidden_address here;
        found = i->ifa_addr && from_sockaddr(i->ifa_addr, &here) && memcmp(&here.ip, &a->ip, sizeof a->ip) == 0;
    }
    freeifaddrs(all);
    return found;
}

void forbidden_clear(struct forbidden *o)
{
    free(o->list);
    *o = (struct forbidden){ 0 };
}

bool forbidden_add(struct forbidden *o, const char *address)
{
    struct sockaddr_storage parsed = { 0 };
    struct forbidden_address one;
    int n = sizeof parsed;
    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&parsed, &n) != 0 ||
        !from_sockaddr((const struct sockaddr *)&parsed, &one))
        return true;
    struct forbidden_address *list = realloc(o->list, (o->n + 1) * sizeof *list);
    if (!list)
        return false;
    list[o->n++] = one;
    o->list = list;
    return true;
}

bool forbidden_has(const struct forbidden *o, const struct sockaddr *address)
{
    struct forbidden_address to;
    if (!from_sockaddr(address, &to))
        return false;
    for (size_t i = 0; i < o->n; i++) {
        const struct forbidden_address *mine = &o->list[i];
        if (mine->port != to.port)
            continue;
        if (memcmp(&mine->ip, &to.ip, sizeof to.ip) == 0 || (mine->is_any && is_of_this_machine(&to)) ||
            (to.is_any && is_loopback(&mine->ip)))
            return true;
    }
    return false;
}

static bool has_numeric(const struct forbidden *o, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    bool has = false;
    for (const struct addrinfo *i = found; i && !has; i = i->ai_next)
        has = forbidden_has(o, i->ai_addr);
    freeaddrinfo(found);
    return has;
}

bool forbidden_has_host(const struct forbidden *o, const char *host, const char *port)
{
    char bare[64];
    size_t n = strlen(host);
    if (strcasecmp(host, "localhost") == 0)
        return has_numeric(o, "127.0.0.1", port) || has_numeric(o, "::1", port);
    if (n > 2 && n < sizeof bare && host[0] == '[' && host[n - 1] == ']') {
        memcpy(bare, host + 1, n - 2);
        bare[n - 2] = '\0';
        return has_numeric(o, bare, port);
    }
    return has_numeric(o, host, port);
}
