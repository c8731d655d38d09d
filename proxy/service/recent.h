/* SPDX-License-Identifier: MIT
 *
 * The latest calls, as JSON, in memory only: the newest takes the place of the oldest.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_RECENT_H
#define ANCHORAGE_PROXY_SERVICE_RECENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* Calls that are kept, and bytes of one: one with more is not kept. */
enum { RECENT_CALLS = 1000, RECENT_MAX_BYTES = 4096 };

/* What calls can be chosen by. The slices are borrowed, but `fault`, which is a literal. */
struct recent_marks {
    struct slice team, key;
    struct slice fault; /* empty: it was answered */
    bool is_inexact, is_paid, is_unknown;
};

struct recent_call {
    char *bytes; /* team, key, JSON; NULL: no call yet */
    size_t n, team_n, key_n;
    struct recent_marks marks; /* team and key are in `bytes` only */
};

struct recent {
    struct recent_call calls[RECENT_CALLS];
    size_t next, n;
    struct buffer line; /* where one is made */
};

enum recent_only { RECENT_ALL, RECENT_FAULTS, RECENT_INEXACT, RECENT_PAID, RECENT_UNKNOWN };

/* Which calls: empty means any. */
struct recent_choice {
    struct slice team, key, fault;
    enum recent_only only;
    int64_t limit;
};

/* Keep a call. Without memory it is left out. */
void recent_add(struct recent *r, const struct recent_marks *marks, struct slice json);

/* Append the calls chosen, the newest first, as a JSON array. */
void recent_write(const struct recent *r, const struct recent_choice *choice, struct buffer *out);

void recent_clear(struct recent *r);

#endif
