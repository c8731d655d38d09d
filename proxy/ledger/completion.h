/* SPDX-License-Identifier: MIT
 *
 * Tells what became of entries, in turns of the loop of its own: a few in each, and the teams one after the other.
 * However much of one team comes back from the disk at once, those of another wait for one of each.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMPLETION_H
#define ANCHORAGE_PROXY_LEDGER_COMPLETION_H

#include <stdbool.h>

#include "proxy/ledger/entries/types.h"

/* What is to be told; also what an operation begins with. Freed once it was told. */
struct completion {
    struct completion *next;
    ledger_done *done;
    void *context;
    enum ledger_outcome outcome;
    int32_t team; /* its number; below 0: of none */
};

struct event_base;
struct completions;

/* NULL when memory is out. */
struct completions *completions_new(struct event_base *base);
void completions_free(struct completions *t); /* what was not told is not told */

/* Have it told after this returns. What is of one team is told in the order it came. */
void completions_add(struct completions *t, struct completion *completion);

/* Tell all of it now. */
void completions_tell_all(struct completions *t);

/* That is not told yet. */
size_t completions_waiting(const struct completions *t);
/* The last round was not enough for what is waiting. */
bool completions_are_behind(const struct completions *t);

#endif
