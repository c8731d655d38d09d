/* SPDX-License-Identifier: MIT
 * Open hashes of keys, by the SHA-256 of their tokens and by their ids. All text is in one arena, so that thousands of
 * keys are freed in a moment on the loop. */
#include "proxy/ledger/store/keys.h"

#include <stdlib.h>

#include "base/arena.h"
#include "proxy/ledger/entries/names.h"

enum { MAX_TEXT = 1024 * 1024 * 1024 };

static uint32_t hash(const struct digest *d)
{
    uint32_t h;
    memcpy(&h, d->b, sizeof h);
    return h;
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
        .key = { .id = arena_dup(k->text, row->id),
                 .team = arena_dup(k->text, row->team),
                 .name = arena_dup(k->text, row->name),
                 .disabled = row->disabled },
        .digest = row->digest,
        .created_ms = row->created_ms,
    };
}

static void take_slot(const struct keys *k, uint32_t *slots, uint32_t slot, uint32_t index)
{
    slot &= k->n_slots - 1;
    while (slots[slot])
        slot = (slot + 1) & (k->n_slots - 1);
    slots[slot] = index + 1;
}

static bool index_rows(struct keys *k)
{
    k->n_slots = 64;
    while (k->n_slots < k->n * 2)
        k->n_slots *= 2;
    k->slots = calloc(k->n_slots, sizeof *k->slots);
    k->id_slots = calloc(k->n_slots, sizeof *k->id_slots);
    if (!k->slots || !k->id_slots)
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        take_slot(k, k->slots, hash(&k->rows[i].digest), i);
        take_slot(k, k->id_slots, (uint32_t)slice_hash(k->rows[i].key.id), i);
    }
    return true;
}

struct keys *keys_read(struct store *s, struct buffer *why)
{
    struct keys *k = calloc(1, sizeof *k);
    store_lock(s);
    if (k)
        k->text = arena_new(MAX_TEXT);
    bool good = k && k->text && store_keys(s, take_row, k, why);
    if (good)
        k->seq = store_last_seq(s);
    store_unlock(s);
    if (good && !k->failed && !arena_failed(k->text) && index_rows(k))
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
    arena_free(k->text);
    free(k->rows);
    free(k->slots);
    free(k->id_slots);
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
    for (uint32_t slot = (uint32_t)slice_hash(id);; slot++) {
        uint32_t index = k->id_slots[slot & (k->n_slots - 1)];
        if (!index)
            return NULL;
        if (slice_eq(k->rows[index - 1].key.id, id))
            return &k->rows[index - 1];
    }
}
