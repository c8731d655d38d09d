/* SPDX-License-Identifier: MIT
 * Random names from the kernel's generator; ids of calls come from a pool, so that the kernel is asked once for many.
 */
#include "proxy/ledger/entries/ids.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { POOL_IDS = 64 };

/* Crockford's base 32: no i, l, o, u. */
static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

static _Thread_local uint8_t pool[POOL_IDS * ID_BYTES];
static _Thread_local size_t pool_used = sizeof pool;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;

static void random_bytes(void *to, size_t n)
{
    uint8_t *p = to;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno != EINTR) {
            /* Linux always has it; going on would mean ids that repeat. */
            perror("getrandom");
            abort();
        }
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

/* A child must not give out the ids its parent will. */
static void empty_pool(void)
{
    pool_used = sizeof pool;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, empty_pool);
}

void id_unpack(const uint8_t bytes[ID_BYTES], char text[ID_TEXT])
{
    unsigned __int128 v = 0;
    for (int i = 0; i < ID_BYTES; i++)
        v = v << 8 | bytes[i];
    for (int i = ID_TEXT - 1; i >= 0; i--, v >>= 5)
        text[i] = letters[(unsigned)v & 31];
}

/* The value of each letter, plus one; 0 for what is no letter of ours. */
static const uint8_t values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['g'] = 17, ['h'] = 18, ['j'] = 19, ['k'] = 20, ['m'] = 21, ['n'] = 22, ['p'] = 23, ['q'] = 24,
    ['r'] = 25, ['s'] = 26, ['t'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

bool id_pack(struct slice text, uint8_t bytes[ID_BYTES])
{
    if (text.n != ID_TEXT || text.p[0] > '7')
        return false;
    unsigned __int128 v = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t value = values[(uint8_t)text.p[i]];
        if (!value)
            return false;
        v = v << 5 | (uint8_t)(value - 1);
    }
    uint64_t high = htobe64((uint64_t)(v >> 64)), low = htobe64((uint64_t)v);
    memcpy(bytes, &high, 8);
    memcpy(bytes + 8, &low, 8);
    return true;
}

void call_id_make(char id[ID_TEXT + 1])
{
    if (pool_used == sizeof pool) {
        pthread_once(&fork_watch, watch_forks);
        random_bytes(pool, sizeof pool);
        pool_used = 0;
    }
    id_unpack(pool + pool_used, id);
    id[ID_TEXT] = '\0';
    pool_used += ID_BYTES;
}

void key_id_make(char id[KEY_ID_TEXT + 1])
{
    uint8_t random[KEY_ID_TEXT];
    random_bytes(random, sizeof random);
    for (int i = 0; i < KEY_ID_TEXT; i++)
        id[i] = letters[random[i] & 31];
    id[KEY_ID_TEXT] = '\0';
}

void token_make(char token[TOKEN_TEXT + 1])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (int i = 0; i < TOKEN_TEXT;) {
        uint8_t random;
        random_bytes(&random, 1);
        /* 252 is the last multiple of 36: above it some letters would be likelier than others. */
        if (random < 252)
            token[i++] = alphabet[random % 36];
    }
    token[TOKEN_TEXT] = '\0';
}
