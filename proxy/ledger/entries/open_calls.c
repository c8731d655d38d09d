/* SPDX-License-Identifier: MIT
 * Calls by id. Ids are random, but hashed all the same: a caller may bring its own. */
#include "proxy/ledger/entries/open_calls.h"

#include <stdlib.h>

#include "proxy/ledger/entries/names.h"

static struct call **bucket(const struct calls *c, struct slice id)
{
    return &c->buckets[(uint32_t)slice_hash(id) & (c->n_buckets - 1)];
}

struct call *calls_find(const struct calls *c, struct slice id)
{
    if (!c->n_buckets)
        return NULL;
    struct call *call = *bucket(c, id);
    while (call && !slice_eq(slice_of(call->id, call->id_n), id))
        call = call->same_hash;
    return call;
}

static bool grow(struct calls *c)
{
    uint32_t n = c->n_buckets ? c->n_buckets * 2 : 256;
    struct call **buckets = calloc(n, sizeof(struct call *));
    if (!buckets)
        return c->n_buckets > 0;
    free(c->buckets);
    c->buckets = buckets;
    c->n_buckets = n;
    for (struct call *call = c->oldest; call; call = call->newer) {
        struct call **at = bucket(c, slice_of(call->id, call->id_n));
        call->same_hash = *at;
        *at = call;
    }
    return true;
}

struct call *calls_add(struct calls *c, struct slice id, int32_t team)
{
    if (c->n >= c->n_buckets && !grow(c))
        return NULL;
    struct call *call = malloc(sizeof *call + id.n);
    if (!call)
        return NULL;
    struct call **at = bucket(c, id);
    *call = (struct call){ .same_hash = *at, .older = c->newest, .team = team, .id_n = id.n };
    if (id.n)
        memcpy(call->id, id.p, id.n);
    *at = call;
    *(c->newest ? &c->newest->newer : &c->oldest) = call;
    c->newest = call;
    c->n++;
    return call;
}

void calls_remove(struct calls *c, struct call *call)
{
    struct call **at = bucket(c, slice_of(call->id, call->id_n));
    while (*at != call)
        at = &(*at)->same_hash;
    *at = call->same_hash;
    *(call->older ? &call->older->newer : &c->oldest) = call->newer;
    *(call->newer ? &call->newer->older : &c->newest) = call->older;
    c->n--;
    free(call);
}

void calls_clear(struct calls *c)
{
    while (c->oldest)
        calls_remove(c, c->oldest);
    free(c->buckets);
    *c = (struct calls){ 0 };
}
