/* SPDX-License-Identifier: MIT
 *
 * The keys in memory: a picture of what the store has, made anew after each change.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_KEYS_H
#define ANCHORAGE_PROXY_LEDGER_STORE_KEYS_H

#include "proxy/ledger/entries/types.h"
#include "proxy/ledger/store/store.h"

struct arena;

struct stored_key {
    struct ledger_key key;
    struct digest digest;
    int64_t created_ms;
};

struct keys {
    struct stored_key *rows; /* in the order they were made */
    uint32_t n, room;
    struct arena *text;
    uint32_t *slots, *id_slots; /* index + 1, or 0; by digest, by id */
    uint32_t n_slots;           /* of each */
    int64_t seq;                /* the newest entry when they were read: every change of a key is an entry */
    bool failed;                /* memory ran out */
};

/* NULL on failure; `why` gets one line. */
struct keys *keys_read(struct store *s, struct buffer *why);
void keys_free(struct keys *k);

const struct stored_key *keys_of_digest(const struct keys *k, const struct digest *digest);
const struct stored_key *keys_of_id(const struct keys *k, struct slice id);

#endif
