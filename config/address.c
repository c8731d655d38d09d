/* SPDX-License-Identifier: MIT
 * Addresses, networks, hosts and URLs of the configuration: form only, for value.c and check.c. */
#include "config/address.h"

#include <arpa/inet.h>

#include "base/text.h"

enum { V4_BITS = 32, V6_BITS = 128, HOST_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

/* What stands before an IPv4 address that is written as IPv6. */
static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };

/* Bits of the address (32 or 128), its bytes in network order; 0 when it is none. */
static size_t parse_address(struct slice s, uint8_t bytes[16])
{
    char text[INET6_ADDRSTRLEN];
    if (s.n == 0 || s.n >= sizeof text)
        return 0;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1)
        return V4_BITS;
    return inet_pton(AF_INET6, text, bytes) == 1 ? V6_BITS : 0;
}

static bool port_valid(struct slice s, int64_t least)
{
    int64_t port;
    return parse_i64(s, &port) && port >= least && port <= 65535;
}

/* Split HOST:PORT; brackets, which only an IPv6 address must have, are taken off. */
static bool split_port(struct slice s, struct slice *host, struct slice *port)
{
    if (s.n && s.p[0] == '[') {
        *host = slice_split(slice_from(s, 1), ']', port);
        if (!port->n || port->p[0] != ':')
            return false;
        *port = slice_from(*port, 1);
        return slice_find(*host, ':') < host->n;
    }
    *host = slice_split(s, ':', port);
    return port->p && slice_find(*port, ':') == port->n;
}

bool config_listen_valid(struct slice address)
{
    struct slice host, port;
    uint8_t bytes[16];
    return split_port(address, &host, &port) && port_valid(port, 0) &&
           (slice_eq(host, S("*")) || parse_address(host, bytes));
}

bool config_listen_is_local(struct slice address)
{
    struct slice host, port;
    if (slice_starts(address, S("unix:")))
        return true;
    return split_port(address, &host, &port) && config_host_is_loopback(host);
}

bool config_range_read(struct slice text, struct config_range *range)
{
    struct slice rest;
    struct slice address = slice_split(text, '/', &rest);
    struct config_range r = { 0 };
    size_t width = parse_address(address, r.bytes);
    int64_t bits = (int64_t)width;
    if (!width || (rest.p && (!parse_i64(rest, &bits) || bits < 0 || bits > (int64_t)width)))
        return false;
    for (size_t i = (size_t)bits; i < width; i++) {
        if (r.bytes[i / 8] & (0x80 >> (i % 8)))
            return false;
    }
    r.v6 = width == V6_BITS;
    if (r.v6 && bits >= V6_BITS - V4_BITS && memcmp(r.bytes, mapped, sizeof mapped) == 0) {
        memcpy(r.bytes, r.bytes + sizeof mapped, V4_BITS / 8);
        memset(r.bytes + V4_BITS / 8, 0, sizeof mapped);
        bits -= V6_BITS - V4_BITS;
        r.v6 = false;
    }
    r.bits = (uint8_t)bits;
    *range = r;
    return true;
}

static bool is_host_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool config_host_valid(struct slice host)
{
    if (!host.n || host.n > HOST_MAX_BYTES)
        return false;
    for (struct slice rest = host; rest.p;) {
        struct slice label = slice_split(rest, '.', &rest);
        if (!label.n || label.n > LABEL_MAX_BYTES)
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_host_byte(label.p[i]))
                return false;
        }
    }
    return true;
}

bool config_host_is_loopback(struct slice host)
{
    static const uint8_t one[16] = { [15] = 1 };
    uint8_t bytes[16];
    size_t width = parse_address(host, bytes);
    if (width == V4_BITS)
        return bytes[0] == 127;
    if (width == V6_BITS)
        return memcmp(bytes, one, sizeof one) == 0 || (memcmp(bytes, mapped, sizeof mapped) == 0 && bytes[12] == 127);
    return slice_eq_nocase(host, S("localhost"));
}

static bool is_url_byte(char c)
{
    return c > ' ' && c < 0x7F && !strchr("\"<>\\^`{|}", c);
}

static const char *parse_authority(struct slice s, struct config_url *url)
{
    size_t user = 0;
    for (size_t i = 0; i < s.n; i++)
        user = s.p[i] == '@' ? i + 1 : user;
    url->has_user = user > 0;
    s = slice_from(s, user);
    struct slice port;
    uint8_t bytes[16];
    if (s.n && s.p[0] == '[') {
        url->host = slice_split(slice_from(s, 1), ']', &port);
        if (!port.p || parse_address(url->host, bytes) != V6_BITS)
            return "the address in brackets is not IPv6";
        if (port.n && port.p[0] != ':')
            return "something stands between host and port";
    } else {
        size_t end = slice_find(s, ':');
        url->host = slice_of(s.p, end);
        port = slice_from(s, end);
        if (!config_host_valid(url->host))
            return "no valid host behind ://";
    }
    if (port.n && !port_valid(slice_from(port, 1), 1))
        return "the port is not 1 to 65535";
    return NULL;
}

const char *config_url_parse(struct slice text, struct config_url *url)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_url_byte(text.p[i]))
            return "a space or another character that a URL cannot have";
        if (text.p[i] == '?' || text.p[i] == '#')
            return "a ? or # in it";
    }
    struct slice rest;
    url->scheme = slice_split(text, ':', &rest);
    if (!rest.p || !slice_starts(rest, S("//")))
        return "no scheme in front";
    rest = slice_from(rest, 2);
    return parse_authority(slice_of(rest.p, slice_find(rest, '/')), url);
}
