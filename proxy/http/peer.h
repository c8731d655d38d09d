/* SPDX-License-Identifier: MIT
 *
 * The addresses that connections come from, each once, with how many come from it.
 */
#ifndef ANCHORAGE_PROXY_HTTP_PEER_H
#define ANCHORAGE_PROXY_HTTP_PEER_H

#include <sys/socket.h>

#include "base/slice.h"

struct peer {
    struct peer *next;
    unsigned char address[16]; /* IPv6, or IPv4 mapped into it; all zero for unix */
    int connections;
    bool is_unix;
    char text[46];
};

struct peers {
    struct peer *bucket[1024];
};

/* The peer of this address, with one connection more; NULL when it has `most` already (no cap for unix), with
 * *full set, or when memory is out. */
struct peer *peer_take(struct peers *all, const struct sockaddr *address, int most, bool *full);

/* The peer of this address; NULL when nobody is here from it. */
struct peer *peer_find(const struct peers *all, const struct sockaddr *address);

/* One connection less; the last one frees it. */
void peer_put(struct peers *all, struct peer *peer);

#endif
