/* SPDX-License-Identifier: MIT
 *
 * The parameters of a question: each at most once, none but those named, values of UTF-8 without control characters.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_QUERY_H
#define ANCHORAGE_PROXY_ADMIN_QUERY_H

#include "base/buffer.h"
#include "base/slice.h"

enum { QUERY_MAX_PARAMS = 12 };

struct query {
    struct slice value[QUERY_MAX_PARAMS]; /* by the order of the names; decoded, a NUL behind each; empty: not given */
    struct buffer bytes;                  /* holds them */
    struct buffer why;                    /* what is wrong */
};

/* Read `text` (as sent) for `names`, of which an empty one is the end. False with `why` set. query_clear either way. */
[[nodiscard]] bool query_read(struct query *q, struct slice text, const struct slice names[QUERY_MAX_PARAMS]);
void query_clear(struct query *q);

#endif
