/* SPDX-License-Identifier: MIT
 * Calls by id. Ids are random, but hashed all the same: a caller may bring its own. */
#include "proxy/ledger/entries/open_calls.h"

#include <stdlib.h>

#include "proxy/ledger/entries/names.h"

void open_calls_init(struct open_calls *c)
{
    *c = (struct open_calls){ 0 };
    link_init(&c->in_order);
}

/* NULL for the head of the list. */
static struct open_call *at_link(const struct open_calls *c, struct link *link)
{
    return link == &c->in_order ? NULL : LINKED(link, struct open_call, in_order);
}

struct open_call *open_calls_oldest(const struct open_calls *c)
{
    return at_link(c, c->in_order.next);
}

struct open_call *open_calls_newer(const struct open_calls *c, const struct open_call *call)
{
    return at_link(c, call->in_order.next);
}

static struct open_call **bucket(const struct open_calls *c, struct slice id)
{
    return &c->buckets[(uint32_t)slice_hash(id) & (c->n_buckets - 1)];
}

struct open_call *open_calls_find(const struct open_calls *c, struct slice id)
{
    if (!c->n_buckets)
        return NULL;
    struct open_call *call = *bucket(c, id);
    while (call && !slice_eq(slice_of(call->id, call->id_n), id))
        call = call->same_hash;
    return call;
}

static bool grow(struct open_calls *c)
{
    uint32_t n = c->n_buckets ? c->n_buckets * 2 : 256;
    struct open_call **buckets = calloc(n, sizeof(struct open_call *));
    if (!buckets)
        return c->n_buckets > 0;
    free(c->buckets);
    c->buckets = buckets;
    c->n_buckets = n;
    for (struct open_call *call = open_calls_oldest(c); call; call = open_calls_newer(c, call)) {
        struct open_call **at = bucket(c, slice_of(call->id, call->id_n));
        call->same_hash = *at;
        *at = call;
    }
    return true;
}

struct open_call *open_calls_add(struct open_calls *c, struct slice id, int32_t team)
{
    if (c->n >= c->n_buckets && !grow(c))
        return NULL;
    struct open_call *call = malloc(sizeof *call + id.n);
    if (!call)
        return NULL;
    struct open_call **at = bucket(c, id);
    *call = (struct open_call){ .same_hash = *at, .team = team, .id_n = id.n };
    if (id.n)
        memcpy(call->id, id.p, id.n);
    *at = call;
    link_before(&c->in_order, &call->in_order);
    c->n++;
    return call;
}

void open_calls_remove(struct open_calls *c, struct open_call *call)
{
    struct open_call **at = bucket(c, slice_of(call->id, call->id_n));
    while (*at != call)
        at = &(*at)->same_hash;
    *at = call->same_hash;
    link_out(&call->in_order);
    c->n--;
    free(call);
}

void open_calls_clear(struct open_calls *c)
{
    for (struct open_call *call; (call = open_calls_oldest(c));)
        open_calls_remove(c, call);
    free(c->buckets);
    open_calls_init(c);
}
