/* SPDX-License-Identifier: MIT
 *
 * A growing run of bytes with a cap. Writers need not look at each step: once an append did not
 * fit (cap or memory), `failed` stays set, later appends do nothing, and the owner looks once at
 * the end.
 */
#ifndef ANCHORAGE_BASE_BUFFER_H
#define ANCHORAGE_BASE_BUFFER_H

#include <stdarg.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/slice.h"

struct buffer {
    char *p;
    size_t n;
    size_t room;      /* bytes allocated */
    size_t max_bytes; /* 0: no cap */
    bool failed;
};

static inline struct buffer buffer_with_cap(size_t max_bytes)
{
    return (struct buffer){ .max_bytes = max_bytes };
}

/* Free the bytes; the buffer is empty and usable again, its cap kept. */
void buffer_clear(struct buffer *b);

/* Make room for `n` more bytes and return where they go (not yet counted); NULL when failed. */
char *buffer_reserve_slow(struct buffer *b, size_t n);

static inline char *buffer_reserve(struct buffer *b, size_t n)
{
    return !b->failed && b->room - b->n >= n && b->p ? b->p + b->n : buffer_reserve_slow(b, n);
}

static inline void buffer_append(struct buffer *b, struct slice s)
{
    char *to = buffer_reserve(b, s.n);
    if (to) {
        bytes_copy(to, s.p, s.n);
        b->n += s.n;
    }
}

static inline void buffer_put(struct buffer *b, char c)
{
    char *to = buffer_reserve(b, 1);
    if (to) {
        *to = c;
        b->n++;
    }
}

static inline void buffer_str(struct buffer *b, const char *s)
{
    buffer_append(b, slice_str(s));
}

void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Decimal digits, no locale. */
void buffer_u64(struct buffer *b, uint64_t v);
void buffer_i64(struct buffer *b, int64_t v);

/* `s` as a JSON string with its quotes: \" \\ \n \r \t \b \f, other controls as \u00xx, all else raw.
 * `s` must be valid UTF-8 for the result to be JSON. */
void buffer_json_string(struct buffer *b, struct slice s);
/* The same without the quotes. */
void buffer_json_text(struct buffer *b, struct slice s);

static inline struct slice buffer_slice(const struct buffer *b)
{
    return slice_of(b->p, b->n);
}

#endif
