/* SPDX-License-Identifier: MIT
 *
 * Numbers that look thrown but are always the same: all invented data come from here. */
#ifndef SANDBOX_DICE_H
#define SANDBOX_DICE_H

#include <stdint.h>

#include "base/slice.h"

static inline uint64_t dice_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t dice_join(uint64_t a, uint64_t b)
{
    return dice_mix(a ^ dice_mix(b));
}

static inline uint64_t dice_text(uint64_t seed, struct slice s)
{
    uint64_t h = dice_mix(seed ^ s.n);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return dice_mix(h);
}

/* The next throw, 0 to sides - 1. */
static inline uint32_t dice_throw(uint64_t *state, uint32_t sides)
{
    *state = dice_mix(*state);
    return (uint32_t)((*state >> 32) * sides >> 32);
}

#endif
