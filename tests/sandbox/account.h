/* SPDX-License-Identifier: MIT
 *
 * The keys: who may, how often, and what has been spent. */
#ifndef SANDBOX_ACCOUNT_H
#define SANDBOX_ACCOUNT_H

#include "tests/sandbox/options.h"

struct account {
    const struct options *options;
    uint64_t units, key_units, rate; /* the limits; set by options, changed by account_limit */
    uint64_t spent, spent_by[MAX_KEYS];
    int64_t *came[MAX_KEYS]; /* when the last `rate` requests of a key came, a ring */
    uint64_t n_came[MAX_KEYS];
    struct {
        uint64_t what;
        int64_t until_ms;
    } known[512]; /* requests that would be hits */
    size_t next_known;
};

enum { KEY_UNKNOWN = -1, KEY_DENIED = -2 };

[[nodiscard]] bool account_init(struct account *account, const struct options *options);
void account_clear(struct account *account);

/* Forget what was spent, asked and cached; set limits: */
[[nodiscard]] bool account_reset(struct account *account, uint64_t units, uint64_t key_units, uint64_t rate);

/* The key of an Authorization header: its index, or one of the above. */
int account_key(const struct account *account, struct slice authorization);

/* Count a request; false when it is one too many in 60 s, *retry_ms when there is room again. */
[[nodiscard]] bool account_admit(struct account *account, int key, int64_t now_ms, int64_t *retry_ms);

/* What the key may still spend, NO_LIMIT too. */
uint64_t account_left(const struct account *account, int key);
void account_spend(struct account *account, int key, uint64_t units);

/* Whether the same request was answered not long ago; say that it has been. */
bool account_hit(const struct account *account, int key, struct slice request, int64_t now_ms);
void account_remember(struct account *account, int key, struct slice request, int64_t now_ms);

#endif
