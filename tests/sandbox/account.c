/* SPDX-License-Identifier: MIT
 * Keys, rate, units and the requests that were asked before. */
#include "tests/sandbox/account.h"

#include <stdlib.h>

#include "tests/sandbox/dice.h"

enum { WINDOW_MS = 60000, N_KNOWN = 512 };

bool account_init(struct account *account, const struct options *options)
{
    *account = (struct account){ .options = options };
    return account_reset(account, options->units, options->key_units, options->rate);
}

void account_clear(struct account *account)
{
    for (size_t i = 0; i < MAX_KEYS; i++)
        free(account->came[i]);
}

bool account_reset(struct account *account, uint64_t units, uint64_t key_units, uint64_t rate)
{
    const struct options *options = account->options;
    account_clear(account);
    *account = (struct account){ .options = options, .units = units, .key_units = key_units, .rate = rate };
    for (size_t i = 0; rate && i < options->n_keys; i++) {
        account->came[i] = calloc(rate, sizeof *account->came[i]);
        if (!account->came[i])
            return false;
    }
    return true;
}

int account_key(const struct account *account, struct slice authorization)
{
    if (!slice_starts(authorization, S("Bearer ")))
        return KEY_UNKNOWN;
    struct slice key = slice_trim(slice_from(authorization, 7));
    if (account->options->denied_key && slice_eq(key, slice_str(account->options->denied_key)))
        return KEY_DENIED;
    for (size_t i = 0; i < account->options->n_keys; i++)
        if (slice_eq(key, slice_str(account->options->keys[i])))
            return (int)i;
    return KEY_UNKNOWN;
}

bool account_admit(struct account *account, int key, int64_t now_ms, int64_t *retry_ms)
{
    if (!account->rate)
        return true;
    int64_t *slot = &account->came[key][account->n_came[key] % account->rate];
    if (account->n_came[key] >= account->rate && now_ms - *slot < WINDOW_MS) {
        *retry_ms = WINDOW_MS - (now_ms - *slot);
        return false;
    }
    *slot = now_ms;
    account->n_came[key]++;
    return true;
}

static uint64_t left_of(uint64_t limit, uint64_t spent)
{
    return limit == NO_LIMIT ? NO_LIMIT : limit > spent ? limit - spent : 0;
}

uint64_t account_left(const struct account *account, int key)
{
    uint64_t all = left_of(account->units, account->spent), own = left_of(account->key_units, account->spent_by[key]);
    return all < own ? all : own;
}

void account_spend(struct account *account, int key, uint64_t units)
{
    account->spent += units;
    account->spent_by[key] += units;
}

static uint64_t name_of(int key, struct slice request)
{
    return dice_text((uint64_t)key, request);
}

bool account_hit(const struct account *account, int key, struct slice request, int64_t now_ms)
{
    uint64_t what = name_of(key, request);
    for (size_t i = 0; account->options->cache_ttl_ms && i < N_KNOWN; i++)
        if (account->known[i].what == what && account->known[i].until_ms > now_ms)
            return true;
    return false;
}

void account_remember(struct account *account, int key, struct slice request, int64_t now_ms)
{
    size_t at = account->next_known++ % N_KNOWN;
    account->known[at].what = name_of(key, request);
    account->known[at].until_ms = now_ms + (int64_t)account->options->cache_ttl_ms;
}
