/* SPDX-License-Identifier: MIT
 * The growing buffer: doubles until its cap. */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digits.h"
#include "base/thread.h"

void buffer_clear(struct buffer *b)
{
    thread_free(b->p, b->room);
    *b = buffer_with_cap(b->max_bytes);
}

char *buffer_reserve_slow(struct buffer *b, size_t n)
{
    if (b->failed)
        return NULL;
    size_t max = b->max_bytes && b->max_bytes < SIZE_MAX / 2 ? b->max_bytes : SIZE_MAX / 2;
    if (n > max || b->n > max - n) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->n + n;
    if (b->p && need <= b->room)
        return b->p + b->n;
    /* Nothing comes here with all the room that it may have. The compiler sees by this line that an array on the stack,
     * which a buffer of fixed size writes into, is never given to realloc. */
    if (b->room >= max) {
        b->failed = true;
        return NULL;
    }
    size_t room = b->room ? b->room * 2 : 256;
    if (room < need)
        room = need;
    if (room > max)
        room = max;
    char *p = realloc(b->p, room ? room : 1);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->room = room;
    return p + b->n;
}

void buffer_vprintf(struct buffer *b, const char *format, va_list args)
{
    va_list again;
    char *to = buffer_reserve(b, 1);
    if (!to)
        return;
    va_copy(again, args);
    int n = vsnprintf(to, b->room - b->n, format, again);
    va_end(again);
    if (n >= 0 && (size_t)n >= b->room - b->n) {
        to = buffer_reserve(b, (size_t)n + 1);
        if (!to)
            return;
        vsnprintf(to, (size_t)n + 1, format, args);
    }
    if (n > 0)
        b->n += (size_t)n;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(b, format, args);
    va_end(args);
}

void buffer_u64(struct buffer *b, uint64_t v)
{
    char *to = buffer_reserve(b, decimal_digits(v));
    if (to)
        b->n += decimal_write(to, v);
}

void buffer_i64(struct buffer *b, int64_t v)
{
    if (v < 0)
        buffer_put(b, '-');
    buffer_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* What stands behind the backslash: one letter, or u for the form with four digits; 0: the byte stands as itself. */
static const char escapes[256] = {
    [0x00 ... 0x07] = 'u', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  [0x0B] = 'u',
    ['\f'] = 'f',          ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\', [0x0E ... 0x1F] = 'u',
};

/* The escapes of the bytes from `at` on that need one; the index behind them. */
static size_t put_escapes(struct buffer *b, struct slice s, size_t at)
{
    enum { LONGEST = 6 };
    static const char hex[] = "0123456789abcdef";
    for (unsigned char c; at < s.n && escapes[c = (unsigned char)s.p[at]]; at++) {
        char *to = buffer_reserve(b, LONGEST);
        if (!to)
            return s.n;
        to[0] = '\\';
        to[1] = escapes[c];
        b->n += 2;
        if (to[1] != 'u')
            continue;
        to[2] = to[3] = '0';
        to[4] = hex[c >> 4];
        to[5] = hex[c & 15];
        b->n += 4;
    }
    return at;
}

void buffer_json_text(struct buffer *b, struct slice s)
{
    bool high = false;
    for (size_t at = 0; at < s.n;) {
        size_t stop = json_run(s, at, &high);
        buffer_append(b, slice_of(s.p + at, stop - at));
        at = put_escapes(b, s, stop);
    }
}

void buffer_json_string(struct buffer *b, struct slice s)
{
    buffer_put(b, '"');
    buffer_json_text(b, s);
    buffer_put(b, '"');
}
