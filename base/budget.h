/* SPDX-License-Identifier: MIT
 *
 * What many pieces of work may hold together. They take what they are going to hold and give it back; a thread beside
 * the loop may do so as well. A part is what one of several takes of a whole: it is counted in both, and where the
 * whole is shared it grows to half of what the other parts leave and no further.
 */
#ifndef ANCHORAGE_BASE_BUDGET_H
#define ANCHORAGE_BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    atomic_size_t used;
    size_t max;            /* of a whole */
    struct budget *whole;  /* NULL: it is one itself */
    atomic_bool is_shared; /* a whole: several have a part of it */
};

/* A part holds more than half of what the other parts leave. Never true of a whole. */
static inline bool budget_is_over_share(struct budget *b)
{
    if (!b->whole || !atomic_load(&b->whole->is_shared))
        return false;
    size_t own = atomic_load(&b->used), all = atomic_load(&b->whole->used), others = all > own ? all - own : 0;
    return others > b->whole->max || own > (b->whole->max - others) / 2;
}

/* What is held already, and can only be counted. */
static inline void budget_add(struct budget *b, size_t n)
{
    for (; b; b = b->whole)
        atomic_fetch_add(&b->used, n);
}

static inline void budget_give(struct budget *b, size_t n)
{
    for (; b; b = b->whole)
        atomic_fetch_sub(&b->used, n);
}

static inline bool budget_is_over(struct budget *b, size_t n)
{
    return b && atomic_load(&b->used) > n;
}

/* More is held than may be. */
static inline bool budget_is_spent(struct budget *b)
{
    const struct budget *whole = b->whole ? b->whole : b;
    return atomic_load(&whole->used) > whole->max || budget_is_over_share(b);
}

/* False when so much is not left: nothing is taken. NULL: there is no limit. */
[[nodiscard]] static inline bool budget_take(struct budget *b, size_t n)
{
    if (!b)
        return true;
    struct budget *whole = b->whole ? b->whole : b;
    if (n > whole->max)
        return false;
    budget_add(b, n);
    if (!budget_is_spent(b))
        return true;
    budget_give(b, n);
    return false;
}

#endif
