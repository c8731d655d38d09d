/* SPDX-License-Identifier: MIT
 * The waiting room before the rate: round robin between teams. */
#include "proxy/upstream/queue.h"

#include <stdlib.h>

/* Made with its first item, freed with its last: as many as there are teams that wait. */
struct queue_lane {
    struct link link;
    struct link items;
    size_t name_length;
    char name[];
};

void queue_init(struct queue *q)
{
    link_init(&q->lanes);
    q->length = 0;
}

static struct queue_lane *lane_of(struct queue *q, struct slice team)
{
    for (struct link *l = q->lanes.next; l != &q->lanes; l = l->next) {
        struct queue_lane *lane = LINKED(l, struct queue_lane, link);
        if (slice_eq(slice_of(lane->name, lane->name_length), team)) {
            return lane;
        }
    }
    struct queue_lane *lane = malloc(sizeof(*lane) + team.n);
    if (!lane) {
        return NULL;
    }
    lane->name_length = team.n;
    if (team.n) {
        memcpy(lane->name, team.p, team.n);
    }
    link_init(&lane->items);
    link_before(&q->lanes, &lane->link);
    return lane;
}

bool queue_push(struct queue *q, struct queue_item *item, struct slice team, bool first)
{
    struct queue_lane *lane = lane_of(q, team);
    if (!lane) {
        return false;
    }
    item->lane = lane;
    link_before(first ? lane->items.next : &lane->items, &item->link);
    q->length++;
    return true;
}

static size_t items_before(const struct link *end, const struct link *item)
{
    size_t n = 0;
    for (const struct link *l = end->next; l != item; l = l->next) {
        n++;
    }
    return n;
}

void queue_share(struct queue *q, struct queue_item *item, struct slice team)
{
    struct queue_lane *old = item->lane, *lane = old ? lane_of(q, team) : NULL;
    if (!lane || lane == old) {
        return;
    }
    if (items_before(&lane->items, &lane->items) < items_before(&old->items, &item->link)) {
        queue_remove(q, item);
        item->lane = lane;
        link_before(&lane->items, &item->link);
        q->length++;
    } else if (link_is_alone(&lane->items)) {
        link_out(&lane->link);
        free(lane);
    }
}

struct queue_item *queue_peek(const struct queue *q)
{
    if (link_is_alone(&q->lanes)) {
        return NULL;
    }
    const struct queue_lane *lane = LINKED(q->lanes.next, struct queue_lane, link);
    return LINKED(lane->items.next, struct queue_item, link);
}

void queue_pop(struct queue *q)
{
    struct queue_item *item = queue_peek(q);
    struct queue_lane *lane = item->lane;
    link_out(&lane->link);
    link_before(&q->lanes, &lane->link);
    queue_remove(q, item);
}

void queue_remove(struct queue *q, struct queue_item *item)
{
    struct queue_lane *lane = item->lane;
    if (!lane) {
        return;
    }
    item->lane = NULL;
    link_out(&item->link);
    q->length--;
    if (link_is_alone(&lane->items)) {
        link_out(&lane->link);
        free(lane);
    }
}
