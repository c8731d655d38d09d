/* SPDX-License-Identifier: MIT
 * Slices: the few operations that do not fit in a line. */
#include "base/slice.h"

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

static struct siphash_key hash_key;

void slice_hash_key(const uint64_t key[2])
{
    hash_key = (struct siphash_key){ key[0], key[1] };
}

uint64_t slice_hash(struct slice s)
{
    return siphash_1_3(hash_key, s.p, s.n);
}
