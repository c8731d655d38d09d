/* SPDX-License-Identifier: MIT
 *
 * A queue that is fair between teams: each team has a lane, first in first out, and the lanes take turns.
 * Items live inside what waits. Pure: no clock, no socket. It begins without shares.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_QUEUE_H
#define ANCHORAGE_PROXY_UPSTREAM_QUEUE_H

#include "base/list.h"
#include "base/slice.h"

struct queue_lane;

struct queue_item {
    struct link link;
    struct queue_lane *lane; /* NULL: not in the queue */
};

struct queue {
    struct link lanes; /* the one whose turn it is comes first; none is empty */
    size_t length;
    bool is_shared; /* several teams may come: each has its share of the places; see queue_has_place */
};

void queue_init(struct queue *q);

/* How many items stand in the team's lane. */
size_t queue_length_of(const struct queue *q, struct slice team);

/* Whether the team may put one more into the queue of `most` places. Of a shared one it has half of those that the
 * others leave. */
bool queue_has_place(const struct queue *q, struct slice team, size_t most);

/* Put it at the end (or, when `first`, at the head) of its team's lane. False when memory is out. */
[[nodiscard]] bool queue_push(struct queue *q, struct queue_item *item, struct slice team, bool first);

/* This team waits for the item, too: it moves to the end of the team's lane if it comes sooner there. */
void queue_share(struct queue *q, struct queue_item *item, struct slice team);

/* The next item, which stays in; NULL when all lanes are empty. */
struct queue_item *queue_peek(const struct queue *q);

/* Take out what queue_peek gave, and give the turn to the next lane. */
void queue_pop(struct queue *q);

/* Take an item out wherever it stands; nothing when it is not in. */
void queue_remove(struct queue *q, struct queue_item *item);

#endif
