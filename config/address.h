/* SPDX-License-Identifier: MIT
 *
 * The forms of what names a place on the net: listen addresses, networks, host names, URLs. Nothing is resolved.
 */
#ifndef ANCHORAGE_CONFIG_ADDRESS_H
#define ANCHORAGE_CONFIG_ADDRESS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* 127.0.0.1:8080, [::1]:8080, *:8080; port 0 is chosen by the kernel. */
[[nodiscard]] bool config_listen_valid(struct slice address);

/* Whether only this machine can reach it: loopback, or "unix:...". `address` is a listen address. */
bool config_listen_is_local(struct slice address);

/* A run of addresses that begin with the same bits. */
struct config_range {
    bool v6;
    uint8_t bits;      /* 0 to 32, or to 128 */
    uint8_t bytes[16]; /* in network order; IPv4 in the first four */
};

/* An address in numbers, or NETWORK/BITS without bits behind the network's. IPv4 mapped into IPv6 becomes IPv4. False,
 * and *range untouched, when it is neither. */
[[nodiscard]] bool config_range_read(struct slice text, struct config_range *range);

/* Letters, digits, '-' and '.', no empty label, at most 253 bytes. */
[[nodiscard]] bool config_host_valid(struct slice host);

/* localhost, 127.0.0.0/8 and ::1 (also as ::ffff:127.0.0.0/104); a name that only resolves there is not. */
bool config_host_is_loopback(struct slice host);

struct config_url {
    struct slice scheme; /* "https" */
    struct slice host;   /* without the brackets */
    bool has_user;       /* a name or password stands in front of the host */
};

/* Take SCHEME://[USER@]HOST[:PORT][/PATH] apart. NULL, or what is wrong with it (a constant without the text, which
 * may hold a password). */
[[nodiscard]] const char *config_url_parse(struct slice text, struct config_url *url);

#endif
