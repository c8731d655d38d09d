/* SPDX-License-Identifier: MIT
 *
 * An arena: everything that one piece of work makes is taken here and given back at once. It has a
 * cap, so that a stranger cannot make the work hold more than that; past it, and when memory is
 * out, allocations return NULL and the arena remembers that it failed.
 */
#ifndef ANCHORAGE_BASE_ARENA_H
#define ANCHORAGE_BASE_ARENA_H

#include <stdarg.h>

#include "base/slice.h"

struct arena;

/* A new arena that holds at most `max_bytes`. NULL when memory is out. */
struct arena *arena_new(size_t max_bytes);

/* Put back what was adopted, newest first, then free all. NULL is allowed. */
void arena_free(struct arena *a);

/* Uninitialised bytes, aligned for any type. NULL past the cap or when memory is out. */
void *arena_alloc(struct arena *a, size_t n);

/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t n);

/* A copy of `s`, with a NUL behind it that is not counted. p is NULL on failure. */
struct slice arena_dup(struct arena *a, struct slice s);

/* Formatted text, NUL behind it. p is NULL on failure. */
struct slice arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct slice arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Own `object` from now on: put(object) is called by arena_free. When there is no memory to
 * remember it, put is called at once and false returned. */
[[nodiscard]] bool arena_adopt(struct arena *a, void *object, void (*put)(void *object));

/* Whether any allocation has been refused. */
bool arena_failed(const struct arena *a);

size_t arena_used(const struct arena *a);

/* `count` elements of `type`, zeroed; NULL when the product overflows or there is no room. */
#define arena_array(a, type, count) ((type *)arena_zalloc_array((a), sizeof(type), (count)))
void *arena_zalloc_array(struct arena *a, size_t size, size_t count);

#endif
