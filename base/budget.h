/* SPDX-License-Identifier: MIT
 *
 * What many pieces of work may hold together. They take what they are going to hold and give it back; a thread beside
 * the loop may do so as well.
 */
#ifndef ANCHORAGE_BASE_BUDGET_H
#define ANCHORAGE_BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    atomic_size_t used;
    size_t max;
};

/* False when so much is not left: nothing is taken. NULL: there is no limit. */
[[nodiscard]] static inline bool budget_take(struct budget *b, size_t n)
{
    if (!b)
        return true;
    size_t used = atomic_fetch_add(&b->used, n);
    if (n <= b->max && used <= b->max - n)
        return true;
    atomic_fetch_sub(&b->used, n);
    return false;
}

/* What is held already, and can only be counted. */
static inline void budget_add(struct budget *b, size_t n)
{
    if (b)
        atomic_fetch_add(&b->used, n);
}

static inline void budget_give(struct budget *b, size_t n)
{
    if (b)
        atomic_fetch_sub(&b->used, n);
}

static inline bool budget_is_over(struct budget *b, size_t n)
{
    return b && atomic_load(&b->used) > n;
}

#endif
