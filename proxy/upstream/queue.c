/* SPDX-License-Identifier: MIT
 * The waiting room before the rate: round robin between teams. */
#include "proxy/upstream/queue.h"

#include <stdlib.h>

#include "base/share.h"

/* Made with its first item, freed with its last: as many as there are teams that wait. */
struct queue_lane {
    struct link link;
    struct link items;
    size_t length;
    size_t name_length;
    char name[];
};

void queue_init(struct queue *q)
{
    link_init(&q->lanes);
    q->length = 0;
    q->is_shared = false;
}

static struct queue_lane *find_lane(const struct queue *q, struct slice team)
{
    for (struct link *l = q->lanes.next; l != &q->lanes; l = l->next) {
        struct queue_lane *lane = LINKED(l, struct queue_lane, link);
        if (slice_eq(slice_of(lane->name, lane->name_length), team)) {
            return lane;
        }
    }
    return NULL;
}

static struct queue_lane *lane_of(struct queue *q, struct slice team)
{
    struct queue_lane *lane = find_lane(q, team);
    if (lane) {
        return lane;
    }
    lane = malloc(sizeof(*lane) + team.n);
    if (!lane) {
        return NULL;
    }
    lane->length = 0;
    lane->name_length = team.n;
    if (team.n) {
        memcpy(lane->name, team.p, team.n);
    }
    link_init(&lane->items);
    link_before(&q->lanes, &lane->link);
    return lane;
}

size_t queue_length_of(const struct queue *q, struct slice team)
{
    const struct queue_lane *lane = find_lane(q, team);
    return lane ? lane->length : 0;
}

bool queue_has_place(const struct queue *q, struct slice team, size_t most)
{
    if (!q->is_shared) {
        return q->length < most;
    }
    size_t own = queue_length_of(q, team);
    return share_fits((int64_t)most, (int64_t)(q->length - own), (int64_t)own, 1);
}

static void enter(struct queue *q, struct queue_lane *lane, struct queue_item *item, struct link *before)
{
    item->lane = lane;
    link_before(before, &item->link);
    lane->length++;
    q->length++;
}

bool queue_push(struct queue *q, struct queue_item *item, struct slice team, bool first)
{
    struct queue_lane *lane = lane_of(q, team);
    if (!lane) {
        return false;
    }
    enter(q, lane, item, first ? lane->items.next : &lane->items);
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
        enter(q, lane, item, &lane->items);
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
    lane->length--;
    q->length--;
    if (link_is_alone(&lane->items)) {
        link_out(&lane->link);
        free(lane);
    }
}
