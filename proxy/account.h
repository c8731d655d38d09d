/* SPDX-License-Identifier: MIT
 *
 * All that belongs to one v3 key: the way to v3 with its rate and breaker, what is remembered, what its answers have
 * shown. Nothing of it is ever shared with another key.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_H
#define ANCHORAGE_PROXY_ACCOUNT_H

#include "config/config.h"
#include "proxy/cache.h"
#include "proxy/share.h"
#include "proxy/upstream/upstream.h"

struct account {
    const char *key_file; /* names it; of the configuration */
    struct upstream *upstream;
    struct cache *cache;
    struct shares *shares;

    /* Learnt from v3's answers. */
    struct translation_seen seen;
    int64_t learnt_page_rows; /* 0: nothing */
};

/* Read the key of `key_file` and make the way to v3 by `config`, remembering `cache_bytes` at most. False with a line
 * in `why`; account_close may be called either way. */
[[nodiscard]] bool account_open(struct account *a, struct event_base *base, const struct config *config,
                                const char *key_file, size_t cache_bytes, struct buffer *why);
void account_close(struct account *a);

#endif
