/* SPDX-License-Identifier: MIT
 * Counts connections by address, and writes the address as text once for all of them. */
#include "proxy/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Fill address, is_unix from a socket address. */
static void read_address(struct peer *p, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(p->address, mapped, sizeof mapped);
        memcpy(p->address + sizeof mapped, &v4.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(p->address, &v6.sin6_addr, 16);
    } else {
        p->is_unix = true;
    }
}

static void write_text(struct peer *p)
{
    if (p->is_unix)
        memcpy(p->text, "unix", sizeof "unix");
    else if (memcmp(p->address, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, p->address + sizeof mapped, p->text, sizeof p->text);
    else
        inet_ntop(AF_INET6, p->address, p->text, sizeof p->text);
}

static size_t bucket_of(const struct peers *all, const struct peer *p)
{
    uint64_t h = slice_hash(slice_of((const char *)p->address, sizeof p->address));
    return h % (sizeof all->bucket / sizeof all->bucket[0]);
}

static bool is_same(const struct peer *a, const struct peer *b)
{
    return a->is_unix == b->is_unix && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static struct peer *find(const struct peers *all, const struct peer *wanted)
{
    struct peer *p = all->bucket[bucket_of(all, wanted)];
    while (p && !is_same(p, wanted))
        p = p->next;
    return p;
}

struct peer *peer_find(const struct peers *all, const struct sockaddr *address)
{
    struct peer wanted = { 0 };
    read_address(&wanted, address);
    return find(all, &wanted);
}

struct peer *peer_take(struct peers *all, const struct sockaddr *address, int most, bool *full)
{
    struct peer wanted = { .connections = 1 };
    read_address(&wanted, address);
    struct peer *p = find(all, &wanted);
    *full = p && !p->is_unix && p->connections >= most;
    if (*full)
        return NULL;
    if (p) {
        p->connections++;
        return p;
    }
    p = malloc(sizeof *p);
    if (!p)
        return NULL;
    struct peer **bucket = &all->bucket[bucket_of(all, &wanted)];
    write_text(&wanted);
    wanted.next = *bucket;
    *p = wanted;
    *bucket = p;
    return p;
}

void peer_put(struct peers *all, struct peer *peer)
{
    if (--peer->connections)
        return;
    struct peer **at = &all->bucket[bucket_of(all, peer)];
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    free(peer);
}
