/* SPDX-License-Identifier: MIT
 *
 * The rows of a list that were paid for already, in pieces, in the order in which v3 gave them: a call that asks for
 * more of the same list (a greater offset, a greater limit) begins with them and asks v3 only for what is behind.
 * A list is a call without limit and offset. Its pieces are found as long as the first of them is good.
 */
#ifndef ANCHORAGE_PROXY_REUSE_PAGES_H
#define ANCHORAGE_PROXY_REUSE_PAGES_H

#include "proxy/reuse/cache.h"

/* One list may take this part of a cache at most: a half. */
enum { PAGES_LIST_PART = 2 };

/* Where a call stands in a list. */
struct pages {
    struct slice list;
    int n;               /* pieces so far */
    int64_t rows, bytes; /* of these */
    int64_t until_ms;    /* when the list has to be asked anew; 0: nothing of it is known */
    bool whole;          /* nothing is behind the last piece */
    bool anew;           /* what is kept of the list is replaced */
    int64_t known;       /* so many of the rows that come next are kept already */
};

/* The next piece of the list: its rows, valid until something else is kept; *payer is the call that asked v3, valid as
 * long. False when there is none. */
bool pages_next(struct pages *at, struct cache *c, int64_t now_ms, struct slice *rows, struct slice *payer);

/* On to the end of what is kept. Rows behind the first `taken` are known then. */
void pages_end(struct pages *at, struct cache *c, int64_t now_ms, int64_t taken);

/* So many pieces were used: those in front are forgotten last. */
void pages_touch(const struct pages *at, struct cache *c);

/* Keep rows that v3 gave behind `at`, which moves on. Does nothing when another call has done it already (unless the
 * list begins anew), or when the list has grown over `max_bytes`. `ttl_ms`: how long a list is good that begins here.
 */
void pages_keep(struct pages *at, struct cache *c, int64_t now_ms, int64_t ttl_ms, struct slice rows, bool whole,
                struct slice payer, int64_t max_bytes);

#endif
