/* SPDX-License-Identifier: MIT
 * Slices: the few operations that do not fit in a line; and SipHash, with one round for each eight bytes and three at
 * the end, which their hash is. */
#include "base/slice.h"

#include "base/bytes.h"
#include "base/siphash.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool slice_is_secret(struct slice given, struct slice secret)
{
    volatile unsigned char differs = given.n != secret.n;
    for (size_t i = 0; i < secret.n; i++)
        differs |= (unsigned char)(secret.p[i] ^ (i < given.n ? given.p[i] : 0));
    return !differs;
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_of(s.p, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq(slice_from(s, s.n - suffix.n), suffix);
}

size_t slice_find(struct slice s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

struct slice slice_split(struct slice s, char c, struct slice *rest)
{
    size_t at = slice_find(s, c);
    *rest = at < s.n ? slice_from(s, at + 1) : slice_of(NULL, 0);
    return slice_of(s.p, at);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_space(s.p[0]))
        s = slice_from(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* ---- the hash ---- */

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

static struct siphash_key hash_key;

void slice_hash_key(const uint64_t key[2])
{
    hash_key = (struct siphash_key){ key[0], key[1] };
}

uint64_t slice_hash(struct slice s)
{
    return siphash_1_3(hash_key, s);
}
