/* SPDX-License-Identifier: MIT
 *
 * Strangers: tokens that are no key's, and the clients that came with them. So many in all, so many from one address,
 * and texts of so many bytes: a flood costs neither memory nor disk. Kept in memory; what changed is written in one go
 * from time to time. All functions may be called from any thread but those of the names, which are for the loop.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_STRANGERS_H
#define ANCHORAGE_PROXY_LEDGER_STORE_STRANGERS_H

#include "proxy/ledger/entries/types.h"
#include "proxy/ledger/store/keys.h"
#include "proxy/ledger/store/store.h"

enum {
    STRANGERS = 1000,
    STRANGERS_OF_ADDRESS = 100, /* one address cannot push all others out */
    STRANGER_NAMES = 10000,
    STRANGER_NAME_TEXT = 11, /* "?" and 10 hex digits */
    STRANGER_CLIENT_BYTES = 45,
    STRANGER_AGENT_BYTES = 120,
    STRANGER_TABLES_BYTES = 96
};

struct strangers;

/* NULL when memory is out. */
struct strangers *strangers_new(void);
void strangers_free(struct strangers *all);

/* Take over what is on disk: strangers that have no key by now, and the names that entries use. */
[[nodiscard]] bool strangers_read(struct strangers *all, struct store *s, const struct keys *keys, struct buffer *why);

/* Count a call. The one that was not seen for the longest time makes room: of the same address when that has its full
 * number, else of all. */
void strangers_see(struct strangers *all, const struct digest *digest, const struct ledger_stranger *call,
                   int64_t now_ms);

/* Forget those that have a key now. */
void strangers_drop_keys(struct strangers *all, const struct keys *keys);

bool strangers_changed(const struct strangers *all);

/* Write what changed. False when it could not; what was not written stays changed. */
bool strangers_write(struct strangers *all, struct store *s, struct buffer *why);

/* Show all, the one seen last first. The slices live during the call. False when memory is out. */
[[nodiscard]] bool strangers_show(struct strangers *all, store_stranger_seen *seen, void *context);

/* "?" and the first digits of the digest. */
void stranger_name(const struct digest *digest, char name[STRANGER_NAME_TEXT + 1]);

/* The same as it stands in entries: "other" for all past STRANGER_NAMES. Lives as long as `all`. */
struct slice strangers_name(struct strangers *all, const struct digest *digest);

#endif
