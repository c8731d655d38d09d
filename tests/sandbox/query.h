/* SPDX-License-Identifier: MIT
 *
 * A query string taken apart. */
#ifndef SANDBOX_QUERY_H
#define SANDBOX_QUERY_H

#include "base/arena.h"

enum { MAX_PARAMETERS = 64 };

struct query {
    struct {
        struct slice name, value; /* decoded */
    } items[MAX_PARAMETERS];
    size_t n;
};

/* Decode into `memory`. False at a bad %, bytes that are not UTF-8, or too many parameters; what was
 * read before stays. */
[[nodiscard]] bool query_read(struct arena *memory, struct slice text, struct query *query);

/* The first of that name; p NULL when there is none. */
struct slice query_get(const struct query *query, const char *name);

#endif
