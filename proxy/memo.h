/* SPDX-License-Identifier: MIT
 *
 * What is worth remembering of a target: its totals and the ratio of its pages to its links. Bounded: the one that was
 * used longest ago makes room.
 */
#ifndef ANCHORAGE_PROXY_MEMO_H
#define ANCHORAGE_PROXY_MEMO_H

#include <stdint.h>

#include "mapping/translation.h"

struct memo;

struct memo_entry {
    int64_t totals_until_ms, ratio_until_ms; /* monotonic; 0: nothing is known */
    int64_t totals;
    struct ratio ratio;
};

/* NULL when memory is out. */
struct memo *memo_new(size_t max_entries);
void memo_free(struct memo *m);

/* What is known of a target in a mode; NULL when nothing is. Valid until the next memo_keep. */
const struct memo_entry *memo_find(struct memo *m, struct slice target, enum mode mode);

/* The entry of a target, made when there is none; NULL when memory is out. */
struct memo_entry *memo_keep(struct memo *m, struct slice target, enum mode mode);

#endif
