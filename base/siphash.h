/* SPDX-License-Identifier: MIT
 *
 * SipHash-1-3 (Aumasson and Bernstein): a hash with a key. Without the key nobody can choose texts that fall together,
 * which is what tables of strangers' texts need; it is no signature. One round for each eight bytes,
 * and three at the end.
 */
#ifndef ANCHORAGE_BASE_SIPHASH_H
#define ANCHORAGE_BASE_SIPHASH_H

#include <stdint.h>

#include "base/bytes.h"

struct siphash_key {
    uint64_t low, high; /* the key's sixteen bytes, each eight with the first in the lowest byte */
};

struct siphash_state {
    uint64_t a, b, c, d;
};

static inline uint64_t siphash_turned(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static inline struct siphash_state siphash_mixed(struct siphash_state s)
{
    s.a += s.b;
    s.c += s.d;
    s.b = siphash_turned(s.b, 13) ^ s.a;
    s.d = siphash_turned(s.d, 16) ^ s.c;
    s.a = siphash_turned(s.a, 32) + s.d;
    s.c += s.b;
    s.d = siphash_turned(s.d, 21) ^ s.a;
    s.b = siphash_turned(s.b, 17) ^ s.c;
    s.c = siphash_turned(s.c, 32);
    return s;
}

static inline struct siphash_state siphash_with(struct siphash_state s, uint64_t eight)
{
    s.d ^= eight;
    s = siphash_mixed(s);
    s.a ^= eight;
    return s;
}

static inline uint64_t siphash_1_3(struct siphash_key key, const char *text, size_t n)
{
    struct siphash_state s = { key.low ^ 0x736F6D6570736575u, key.high ^ 0x646F72616E646F6Du,
                               key.low ^ 0x6C7967656E657261u, key.high ^ 0x7465646279746573u };
    uint64_t length = (uint64_t)n << 56;
    for (; n >= 8; text += 8, n -= 8)
        s = siphash_with(s, bytes_load8(text));
    s = siphash_with(s, length | bytes_load_some(text, n));
    s.c ^= 0xFF;
    s = siphash_mixed(siphash_mixed(siphash_mixed(s)));
    return s.a ^ s.b ^ s.c ^ s.d;
}

#endif
