/* SPDX-License-Identifier: MIT
 *
 * Memory for what must not be found afterwards: kept out of core dumps and, where the limits allow it, out of
 * swap, and wiped when it is freed.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_SECRET_H
#define ANCHORAGE_PROXY_UPSTREAM_SECRET_H

#include "base/slice.h"

struct secret {
    char *p; /* `prefix` and the secret, NUL behind them */
    size_t n, prefix, room;
};

/* False when memory is out. */
[[nodiscard]] bool secret_init(struct secret *s, struct slice prefix, struct slice value);

void secret_clear(struct secret *s);

/* Without the prefix. */
static inline struct slice secret_value(const struct secret *s)
{
    return slice_of(s->p + s->prefix, s->n - s->prefix);
}

#endif
