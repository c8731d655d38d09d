/* SPDX-License-Identifier: MIT
 *
 * A slice is a pointer and a length by value. It borrows: whoever hands one out says how long the
 * bytes live. It need not end in NUL and may contain any byte.
 */
#ifndef ANCHORAGE_BASE_SLICE_H
#define ANCHORAGE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

/* SLICE is for constant tables, S for expressions; both take a string literal only. */
#define SLICE(literal)                                                                                                 \
    {                                                                                                                  \
        .p = "" literal, .n = sizeof(literal) - 1                                                                      \
    }
#define S(literal) ((struct slice)SLICE(literal))

static inline struct slice slice_of(const char *p, size_t n)
{
    return (struct slice){ .p = p, .n = n };
}

/* Borrow a NUL-terminated string; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){ .p = s, .n = s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Whether `given` is the secret, in a time that depends on the secret's length only. */
bool slice_is_secret(struct slice given, struct slice secret);

/* Order by unsigned bytes; a proper prefix comes first. <0, 0, >0. */
static inline int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* For tables in memory: all of its bits depend on each byte (SipHash-1-3). A process that gives it a secret key, once
 * and before the first hash, leaves nobody the choice of texts that fall together. Two texts may have the same hash all
 * the same: compare them. */
uint64_t slice_hash(struct slice s);
void slice_hash_key(const uint64_t key[2]);

/* Equal but for the case of ASCII letters. */
bool slice_eq_nocase(struct slice a, struct slice b);

bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);

/* Index of the first `c`, or s.n when there is none. */
size_t slice_find(struct slice s, char c);

/* Split at the first `c`: the part before is returned, *rest becomes the part after it (empty with
 * p != NULL when `c` was the last byte, p == NULL when there was no `c`). */
struct slice slice_split(struct slice s, char c, struct slice *rest);

/* Without the bytes of " \t\r\n" at both ends. */
struct slice slice_trim(struct slice s);

static inline struct slice slice_from(struct slice s, size_t at)
{
    return slice_of(s.p + at, s.n - at);
}

/* For printf's %.*s. */
#define SLICE_ARGS(s) ((int)((s).n > 2000000000 ? 2000000000 : (s).n)), ((s).p ? (s).p : "")

#endif
