/* SPDX-License-Identifier: MIT
 * SipHash with one round for each eight bytes and three at the end. */
#include "base/siphash.h"

#include "base/bytes.h"

struct state {
    uint64_t a, b, c, d;
};

static uint64_t turned(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static struct state mixed(struct state s)
{
    s.a += s.b;
    s.c += s.d;
    s.b = turned(s.b, 13) ^ s.a;
    s.d = turned(s.d, 16) ^ s.c;
    s.a = turned(s.a, 32) + s.d;
    s.c += s.b;
    s.d = turned(s.d, 21) ^ s.a;
    s.b = turned(s.b, 17) ^ s.c;
    s.c = turned(s.c, 32);
    return s;
}

static struct state with(struct state s, uint64_t eight)
{
    s.d ^= eight;
    s = mixed(s);
    s.a ^= eight;
    return s;
}

uint64_t siphash_1_3(struct siphash_key key, struct slice text)
{
    struct state s = { key.low ^ 0x736F6D6570736575u, key.high ^ 0x646F72616E646F6Du, key.low ^ 0x6C7967656E657261u,
                       key.high ^ 0x7465646279746573u };
    uint64_t length = (uint64_t)text.n << 56;
    for (; text.n >= 8; text = slice_from(text, 8))
        s = with(s, bytes_load8(text.p));
    s = with(s, length | bytes_load_some(text.p, text.n));
    s.c ^= 0xFF;
    s = mixed(mixed(mixed(s)));
    return s.a ^ s.b ^ s.c ^ s.d;
}
