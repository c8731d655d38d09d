/* SPDX-License-Identifier: MIT
 * The arena: blocks in a list, the newest first; a big request gets a block of its own. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 4000, ALIGN = 16 };

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGN) char bytes[];
};

struct adopted {
    struct adopted *next;
    void *object;
    void (*put)(void *object);
};

struct arena {
    struct block *blocks;
    struct adopted *adopted;
    size_t held;
    size_t max;
    bool failed;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    /* Half of all there is: rounding up and adding a header cannot wrap. */
    if (a)
        a->max = max_bytes < SIZE_MAX / 2 ? max_bytes : SIZE_MAX / 2;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct adopted *o = a->adopted; o; o = o->next)
        o->put(o->object);
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

static bool grow(struct arena *a, size_t n)
{
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (size > 256 * 1024)
        size = 256 * 1024;
    if (size < n)
        size = n;
    if (size > a->max - a->held)
        size = a->max - a->held;
    if (size < n)
        return false;
    struct block *b = malloc(sizeof *b + size);
    if (!b)
        return false;
    b->size = size;
    b->used = 0;
    b->next = a->blocks;
    a->blocks = b;
    a->held += size;
    return true;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > a->max) {
        a->failed = true;
        return NULL;
    }
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((!a->blocks || a->blocks->size - a->blocks->used < n) && !grow(a, n)) {
        a->failed = true;
        return NULL;
    }
    void *p = a->blocks->bytes + a->blocks->used;
    a->blocks->used += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);
    return p ? memset(p, 0, n) : NULL;
}

void *arena_zalloc_array(struct arena *a, size_t size, size_t count)
{
    if (count && size > SIZE_MAX / count) {
        a->failed = true;
        return NULL;
    }
    return arena_zalloc(a, size * count);
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
    if (!p)
        return slice_of(NULL, 0);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return slice_of(p, s.n);
}

struct slice arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (!p)
        return slice_of(NULL, 0);
    vsnprintf(p, (size_t)n + 1, format, args);
    return slice_of(p, (size_t)n);
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice s = arena_vprintf(a, format, args);
    va_end(args);
    return s;
}

bool arena_adopt(struct arena *a, void *object, void (*put)(void *object))
{
    struct adopted *o = arena_alloc(a, sizeof *o);
    if (!o) {
        put(object);
        return false;
    }
    *o = (struct adopted){ .next = a->adopted, .object = object, .put = put };
    a->adopted = o;
    return true;
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}

size_t arena_used(const struct arena *a)
{
    return a->held;
}
