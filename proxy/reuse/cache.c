/* SPDX-License-Identifier: MIT
 * A chained hash of values by a key of bytes, and a list from the latest use to the oldest. */
#include "proxy/reuse/cache.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/list.h"

enum { LEAST_BUCKETS = 1 << 10, BUCKET_BYTES = 512 /* of the whole, for each */ };

/* Parts of the whole: the biggest value, and what is kept free for such a one. Of small values that would be very many
 * to drop at once, so a few are dropped with each that comes. What takes more drops all the same is not kept. */
enum { BIGGEST_PART = 8, SPARE_PART = 8, AHEAD = 16, MOST_DROPS = 256 };

/* What a value is; the first byte of its key. */
enum kind { KIND_PART = 1, KIND_ANSWER, KIND_PIECE, KIND_RECORD };

/* Before the bytes of a part. */
struct part_head {
    int64_t until_ms;
    size_t n;
};

struct kept {
    struct kept *chain;
    struct link use;
    uint64_t hash;
    size_t n_key, n_value;
    _Alignas(16) char bytes[]; /* the value, then the key */
};

struct cache {
    struct link uses; /* the latest first */
    size_t n, bytes, max_bytes;
    size_t n_buckets; /* a power of two */
    struct kept *buckets[];
};

struct cache *cache_new(size_t max_bytes)
{
    size_t n = LEAST_BUCKETS;
    while (n < max_bytes / BUCKET_BYTES)
        n *= 2;
    struct cache *c = calloc(1, sizeof *c + n * sizeof c->buckets[0]);
    if (c) {
        c->max_bytes = max_bytes;
        c->n_buckets = n;
        link_init(&c->uses);
    }
    return c;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    for (struct link *at = c->uses.next, *next; at != &c->uses; at = next) {
        next = at->next;
        free(LINKED(at, struct kept, use));
    }
    free(c);
}

size_t cache_max_bytes(const struct cache *c)
{
    return c->max_bytes;
}

static struct kept **bucket_of(struct cache *c, uint64_t hash)
{
    return &c->buckets[hash & (c->n_buckets - 1)];
}

static size_t size_of(const struct kept *k)
{
    return sizeof *k + k->n_key + k->n_value;
}

static void drop(struct cache *c, struct kept *k)
{
    struct kept **at = bucket_of(c, k->hash);
    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    link_out(&k->use);
    c->bytes -= size_of(k);
    c->n--;
    free(k);
}

static struct kept *find(struct cache *c, struct slice key)
{
    uint64_t hash = slice_hash(key);
    for (struct kept *k = *bucket_of(c, hash); k; k = k->chain) {
        if (k->hash == hash && slice_eq(slice_of(k->bytes + k->n_value, k->n_key), key)) {
            link_out(&k->use);
            link_after(&c->uses, &k->use);
            return k;
        }
    }
    return NULL;
}

/* Drop what was used longest ago until no more than `bytes` are held, `most` of them; false when that was not enough.
 */
static bool drop_oldest(struct cache *c, size_t bytes, int most)
{
    while (c->bytes > bytes && most--)
        drop(c, LINKED(c->uses.before, struct kept, use));
    return c->bytes <= bytes;
}

/* A value of `n` bytes, which are yet to be written, under a key that is not there; NULL when there is no room for it.
 */
static struct kept *keep(struct cache *c, struct slice key, size_t n)
{
    size_t size = sizeof(struct kept) + key.n + n;
    if (size > c->max_bytes / BIGGEST_PART)
        return NULL;
    if (!drop_oldest(c, c->max_bytes - size, MOST_DROPS))
        return NULL;
    (void)drop_oldest(c, c->max_bytes - c->max_bytes / SPARE_PART, AHEAD);
    struct kept *k = malloc(size);
    if (!k)
        return NULL;
    *k = (struct kept){ .hash = slice_hash(key), .n_key = key.n, .n_value = n };
    memcpy(k->bytes + n, key.p, key.n);
    struct kept **at = bucket_of(c, k->hash);
    k->chain = *at;
    *at = k;
    link_after(&c->uses, &k->use);
    c->bytes += size;
    c->n++;
    return k;
}

/* kind, number (a mode, a piece), text: into `room`, which the caller clears. */
static struct slice make_key(enum kind kind, int n, struct slice text, struct buffer *room)
{
    buffer_put(room, (char)kind);
    buffer_append(room, slice_of((const char *)&n, sizeof n));
    buffer_append(room, text);
    return room->failed ? slice_of(NULL, 0) : buffer_slice(room);
}

/* A value of a struct, which begins with its until_ms, and the texts behind it. NULL when there is none that is good.
 */
static const char *find_value(struct cache *c, enum kind kind, int n, struct slice text, int64_t now_ms, void *head,
                              size_t n_head)
{
    struct buffer room = { 0 };
    struct kept *k = find(c, make_key(kind, n, text, &room));
    int64_t until_ms;
    buffer_clear(&room);
    if (!k)
        return NULL;
    memcpy(&until_ms, k->bytes, sizeof until_ms);
    if (until_ms <= now_ms) {
        drop(c, k);
        return NULL;
    }
    memcpy(head, k->bytes, n_head);
    return k->bytes + n_head;
}

static bool keep_value(struct cache *c, enum kind kind, int n, struct slice text, const struct slice *parts,
                       size_t n_parts)
{
    struct buffer room = { 0 };
    struct slice key = make_key(kind, n, text, &room);
    struct kept *k = key.p ? find(c, key) : NULL;
    size_t size = 0;
    if (k)
        drop(c, k);
    for (size_t i = 0; i < n_parts; i++)
        size += parts[i].n;
    k = key.p ? keep(c, key, size) : NULL;
    buffer_clear(&room);
    if (!k)
        return false;
    char *to = k->bytes;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    return true;
}

/* Of which part and target: into `room`, which the caller clears. */
static struct slice part_text(const struct part *part, const struct target *target, struct buffer *room)
{
    buffer_append(room, part->name);
    buffer_put(room, ' ');
    buffer_append(room, target->v3);
    return room->failed ? slice_of(NULL, 0) : buffer_slice(room);
}

bool cache_find_part(struct cache *c, const struct part *part, const struct target *target, int64_t now_ms,
                     struct slice *ret)
{
    struct buffer room = { 0 };
    struct part_head head;
    const char *bytes =
        find_value(c, KIND_PART, (int)target->v3_mode, part_text(part, target, &room), now_ms, &head, sizeof head);
    buffer_clear(&room);
    if (bytes)
        *ret = slice_of(bytes, head.n);
    return bytes;
}

bool cache_keep_part(struct cache *c, const struct part *part, const struct target *target, int64_t until_ms,
                     struct slice bytes)
{
    struct buffer room = { 0 };
    struct part_head head = { until_ms, bytes.n };
    struct slice parts[] = { slice_of((const char *)&head, sizeof head), bytes };
    bool ok = keep_value(c, KIND_PART, (int)target->v3_mode, part_text(part, target, &room), parts,
                         sizeof parts / sizeof parts[0]);
    buffer_clear(&room);
    return ok;
}

bool cache_find_answer(struct cache *c, struct slice question, int64_t now_ms, struct cache_answer *ret)
{
    struct cache_answer a;
    const char *texts = find_value(c, KIND_ANSWER, 0, question, now_ms, &a, sizeof a);
    if (!texts)
        return false;
    a.marks.p = texts;
    a.payer.p = a.marks.p + a.marks.n;
    a.body.p = a.payer.p + a.payer.n;
    *ret = a;
    return true;
}

bool cache_keep_answer(struct cache *c, struct slice question, const struct cache_answer *answer)
{
    struct slice parts[] = { slice_of((const char *)answer, sizeof *answer), answer->marks, answer->payer,
                             answer->body };
    return keep_value(c, KIND_ANSWER, 0, question, parts, sizeof parts / sizeof parts[0]);
}

bool cache_find_piece(struct cache *c, struct slice list, int n, int64_t now_ms, struct cache_piece *ret)
{
    struct cache_piece p;
    const char *texts = find_value(c, KIND_PIECE, n, list, now_ms, &p, sizeof p);
    if (!texts)
        return false;
    p.payer.p = texts;
    p.bytes.p = p.payer.p + p.payer.n;
    *ret = p;
    return true;
}

bool cache_keep_piece(struct cache *c, struct slice list, int n, const struct cache_piece *piece)
{
    struct slice parts[] = { slice_of((const char *)piece, sizeof *piece), piece->payer, piece->bytes };
    return keep_value(c, KIND_PIECE, n, list, parts, sizeof parts / sizeof parts[0]);
}

struct cache_record *cache_find_record(struct cache *c, struct slice text, int n)
{
    struct buffer room = { 0 };
    struct kept *k = find(c, make_key(KIND_RECORD, n, text, &room));
    buffer_clear(&room);
    return k ? (struct cache_record *)(void *)k->bytes : NULL;
}

struct cache_record *cache_keep_record(struct cache *c, struct slice text, int n)
{
    struct cache_record *there = cache_find_record(c, text, n);
    struct buffer room = { 0 };
    struct slice key = there ? S("") : make_key(KIND_RECORD, n, text, &room);
    struct kept *k = key.n ? keep(c, key, sizeof *there) : NULL;
    buffer_clear(&room);
    if (!k)
        return there;
    memset(k->bytes, 0, sizeof *there);
    return (struct cache_record *)(void *)k->bytes;
}

struct cache_stats cache_stats(const struct cache *c)
{
    return (struct cache_stats){ .entries = c->n, .bytes = c->bytes, .max_bytes = c->max_bytes };
}
