/* SPDX-License-Identifier: MIT
 * Totals and ratios by target: a chained hash, and a list from the latest use to the oldest. */
#include "proxy/memo.h"

#include <stdlib.h>

struct kept {
    struct memo_entry entry;
    struct kept *chain;
    struct kept *newer, *older;
    uint64_t hash;
    enum mode mode;
    size_t n;
    char target[];
};

struct memo {
    struct kept **buckets;
    size_t n_buckets; /* a power of two */
    size_t n, max;
    struct kept *newest, *oldest;
};

struct memo *memo_new(size_t max_entries)
{
    struct memo *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->max = max_entries;
    m->n_buckets = 1024;
    m->buckets = calloc(m->n_buckets, sizeof *m->buckets);
    if (!m->buckets) {
        free(m);
        return NULL;
    }
    return m;
}

void memo_free(struct memo *m)
{
    if (!m)
        return;
    for (struct kept *k = m->newest, *older; k; k = older) {
        older = k->older;
        free(k);
    }
    free(m->buckets);
    free(m);
}

/* FNV-1a */
static uint64_t hash_of(struct slice target, enum mode mode)
{
    uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)mode;
    for (size_t i = 0; i < target.n; i++)
        h = (h ^ (unsigned char)target.p[i]) * 0x100000001b3u;
    return h;
}

static void unlink_use(struct memo *m, struct kept *k)
{
    *(k->newer ? &k->newer->older : &m->newest) = k->older;
    *(k->older ? &k->older->newer : &m->oldest) = k->newer;
}

static void link_newest(struct memo *m, struct kept *k)
{
    k->newer = NULL;
    k->older = m->newest;
    *(m->newest ? &m->newest->newer : &m->oldest) = k;
    m->newest = k;
}

static struct kept *find(struct memo *m, struct slice target, enum mode mode, uint64_t hash)
{
    for (struct kept *k = m->buckets[hash & (m->n_buckets - 1)]; k; k = k->chain) {
        if (k->hash == hash && k->mode == mode && slice_eq(slice_of(k->target, k->n), target)) {
            unlink_use(m, k);
            link_newest(m, k);
            return k;
        }
    }
    return NULL;
}

static void drop_oldest(struct memo *m)
{
    struct kept *k = m->oldest, **at = &m->buckets[k->hash & (m->n_buckets - 1)];
    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    unlink_use(m, k);
    free(k);
    m->n--;
}

const struct memo_entry *memo_find(struct memo *m, struct slice target, enum mode mode)
{
    struct kept *k = find(m, target, mode, hash_of(target, mode));
    return k ? &k->entry : NULL;
}

struct memo_entry *memo_keep(struct memo *m, struct slice target, enum mode mode)
{
    uint64_t hash = hash_of(target, mode);
    struct kept *k = find(m, target, mode, hash);
    if (k)
        return &k->entry;
    k = calloc(1, sizeof *k + target.n);
    if (!k)
        return NULL;
    if (m->n == m->max)
        drop_oldest(m);
    k->hash = hash;
    k->mode = mode;
    k->n = target.n;
    memcpy(k->target, target.p, target.n);
    struct kept **at = &m->buckets[hash & (m->n_buckets - 1)];
    k->chain = *at;
    *at = k;
    link_newest(m, k);
    m->n++;
    return &k->entry;
}
