/* SPDX-License-Identifier: MIT
 *
 * Bytes by the dozen: what a library call for each would cost more than the work itself.
 */
#ifndef ANCHORAGE_BASE_BYTES_H
#define ANCHORAGE_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight, or four, bytes as a number, the first in its lowest byte. */
static inline uint64_t bytes_load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return le64toh(v);
}

static inline uint32_t bytes_load4(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return le32toh(v);
}

/* memcpy for lengths that are mostly small: two moves that overlap in the middle. */
static inline void bytes_copy(char *to, const char *from, size_t n)
{
    char head[16], tail[16];
    if (n > 32) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        memcpy(head, from, 16);
        memcpy(tail, from + n - 16, 16);
        memcpy(to, head, 16);
        memcpy(to + n - 16, tail, 16);
    } else if (n >= 8) {
        memcpy(head, from, 8);
        memcpy(tail, from + n - 8, 8);
        memcpy(to, head, 8);
        memcpy(to + n - 8, tail, 8);
    } else if (n >= 4) {
        memcpy(head, from, 4);
        memcpy(tail, from + n - 4, 4);
        memcpy(to, head, 4);
        memcpy(to + n - 4, tail, 4);
    } else if (n) {
        char first = from[0], middle = from[n / 2], last = from[n - 1];
        to[0] = first;
        to[n / 2] = middle;
        to[n - 1] = last;
    }
}

/* Whether two runs of `n` bytes are the same; likewise. */
static inline bool bytes_eq(const char *a, const char *b, size_t n)
{
    if (n < 8 || n > 32)
        return memcmp(a, b, n) == 0;
    uint64_t d = (bytes_load8(a) ^ bytes_load8(b)) | (bytes_load8(a + n - 8) ^ bytes_load8(b + n - 8));
    if (n > 16)
        d |= (bytes_load8(a + 8) ^ bytes_load8(b + 8)) | (bytes_load8(a + n - 16) ^ bytes_load8(b + n - 16));
    return d == 0;
}

/* Fewer than eight bytes likewise, zeros behind them. */
static inline uint64_t bytes_load_some(const char *p, size_t n)
{
    if (n >= 4)
        return bytes_load4(p) | (uint64_t)bytes_load4(p + n - 4) << (8 * (n - 4));
    if (!n)
        return 0;
    return (unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << (8 * (n / 2)) |
           (uint64_t)(unsigned char)p[n - 1] << (8 * (n - 1));
}

#endif
