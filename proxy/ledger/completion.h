/* SPDX-License-Identifier: MIT
 *
 * Tells what became of entries, in turns of the loop of its own: a few in each, and the teams one after the other.
 * However much of one team comes back from the disk at once, those of another wait for one of each.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMPLETION_H
#define ANCHORAGE_PROXY_LEDGER_COMPLETION_H

#include <stdbool.h>

#include "proxy/ledger/ledger.h"

/* What is to be told; also what an operation begins with. Freed by the teller. */
struct told {
    struct told *next;
    ledger_done *done;
    void *context;
    enum ledger_outcome outcome;
    int32_t team; /* its number; below 0: of none */
};

struct teller;

/* NULL when memory is out. */
struct teller *teller_new(struct event_base *base);
void teller_free(struct teller *t); /* what was not told is not told */

/* Have it told after this returns. What is of one team is told in the order it came. */
void teller_add(struct teller *t, struct told *told);

/* Tell all of it now. */
void teller_tell_all(struct teller *t);

/* That is not told yet. */
size_t teller_waiting(const struct teller *t);
/* The last round was not enough for what is waiting. */
bool teller_is_behind(const struct teller *t);

#endif
