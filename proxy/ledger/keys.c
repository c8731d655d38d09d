/* SPDX-License-Identifier: MIT
 * An open hash of keys by the SHA-256 of their tokens. */
#include "proxy/ledger/keys.h"

#include <stdlib.h>

static uint32_t hash(const struct digest *d)
{
    uint32_t h;
    memcpy(&h, d->b, sizeof h);
    return h;
}

static struct slice own(struct keys *k, struct slice s)
{
    char *p = malloc(s.n + 1);
    if (!p) {
        k->failed = true;
        return slice_of(NULL, 0);
    }
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return slice_of(p, s.n);
}

static void take_row(void *context, const struct key_row *row)
{
    struct keys *k = context;
    if (k->n == k->room) {
        uint32_t room = k->room ? k->room * 2 : 64;
        struct stored_key *rows = realloc(k->rows, room * sizeof *rows);
        if (!rows) {
            k->failed = true;
            return;
        }
        k->rows = rows;
        k->room = room;
    }
    k->rows[k->n++] = (struct stored_key){
        .key = { .id = own(k, row->id),
                 .team = own(k, row->team),
                 .name = own(k, row->name),
                 .disabled = row->disabled },
        .digest = row->digest,
        .created_ms = row->created_ms,
    };
}

static bool index_rows(struct keys *k)
{
    k->n_slots = 64;
    while (k->n_slots < k->n * 2)
        k->n_slots *= 2;
    k->slots = calloc(k->n_slots, sizeof *k->slots);
    if (!k->slots)
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        uint32_t slot = hash(&k->rows[i].digest) & (k->n_slots - 1);
        while (k->slots[slot])
            slot = (slot + 1) & (k->n_slots - 1);
        k->slots[slot] = i + 1;
    }
    return true;
}

struct keys *keys_read(struct store *s, struct buffer *why)
{
    struct keys *k = calloc(1, sizeof *k);
    store_lock(s);
    bool good = k && store_keys(s, take_row, k, why);
    if (good)
        k->seq = store_last_seq(s);
    store_unlock(s);
    if (good && !k->failed && index_rows(k))
        return k;
    if (!why->n)
        buffer_str(why, "ledger: out of memory");
    keys_free(k);
    return NULL;
}

void keys_free(struct keys *k)
{
    if (!k)
        return;
    for (uint32_t i = 0; i < k->n; i++) {
        free((void *)(uintptr_t)k->rows[i].key.id.p);
        free((void *)(uintptr_t)k->rows[i].key.team.p);
        free((void *)(uintptr_t)k->rows[i].key.name.p);
    }
    free(k->rows);
    free(k->slots);
    free(k);
}

const struct stored_key *keys_of_digest(const struct keys *k, const struct digest *digest)
{
    for (uint32_t slot = hash(digest);; slot++) {
        uint32_t index = k->slots[slot & (k->n_slots - 1)];
        if (!index)
            return NULL;
        if (digest_eq(&k->rows[index - 1].digest, digest))
            return &k->rows[index - 1];
    }
}

const struct stored_key *keys_of_id(const struct keys *k, struct slice id)
{
    for (uint32_t i = 0; i < k->n; i++) {
        if (slice_eq(k->rows[i].key.id, id))
            return &k->rows[i];
    }
    return NULL;
}
