/* SPDX-License-Identifier: MIT
 *
 * Turns: as many calls of a team run as its concurrency allows, the others stand in the team's queue. Under overload
 * calls that already run go first: few others begin, and the teams take turns with that (the pacer).
 *
 *     team_queue_take -> [ticket.came] -> team_queue_leave
 *
 * Knows no call: a call brings a ticket.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_TEAM_QUEUE_H
#define ANCHORAGE_PROXY_SERVICE_TEAM_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/list.h"
#include "proxy/service/waitlist.h"

struct account;
struct config_team;
struct event;
struct event_base;
struct settings;
struct team_queue;

/* A call's place in its team's queue, inside whatever brings it. */
struct ticket {
    struct team_queue *queue;    /* of its team; NULL: the call has no team yet */
    void (*came)(void *context); /* its turn came after it had waited */
    void *context;
    bool has_turn, waits;
    struct link link; /* in the queue while it waits */
};

/* How many calls of a team run, and which wait for a turn, first come, first served; teams.h keeps them. */
struct team_queue {
    const struct config_team *team; /* of the present configuration, or of the last that had it */
    struct settings *settings;      /* the settings whose `team` it is */
    struct account *account;        /* the v3 key that its calls are made with */
    size_t n_calls;                 /* of the team that are not freed yet */
    int32_t running;
    struct link waiting; /* tickets */
    int64_t n_waiting;
    struct budget memory; /* of its calls, a part of service.memory */
    size_t promised;      /* bytes of service.promised that are its calls' */
    struct waitlist_lane lane;
    struct link paced; /* in the pacer; alone when it is not */
    struct team_queue *next;
};

/* Queues with calls that wait though their concurrency would let them run. */
struct pacer {
    bool (*is_behind)(void *context); /* more is ready than a round of the loop may do */
    void *context;
    struct link queues;
    struct event *due;   /* set, if only for another day: moving it needs no memory */
    bool is_due;         /* it is set for the calls that wait */
    bool is_open_to_all; /* it could not be set again */
    int64_t begun_us;    /* when the last call began while the loop was behind, or should have */
    bool is_open;        /* the queues are being gone through */
};

/* False when memory is out; pacer_end may be called either way. */
[[nodiscard]] bool pacer_begin(struct pacer *p, struct event_base *base, bool (*is_behind)(void *context),
                               void *context);
void pacer_end(struct pacer *p);

/* A queue without calls. */
void team_queue_init(struct team_queue *t);

/* A ticket of no team; and of a team. */
void ticket_init(struct ticket *ticket, void (*came)(void *context), void *context);
void ticket_set_team(struct ticket *ticket, struct team_queue *queue);

/* Leave turn and queue without anything that follows from it: all calls end. */
void ticket_forget(struct ticket *ticket);

/* Take a turn. False when the call has to wait for it: its ticket is in the queue then, and ticket.came is called. */
[[nodiscard]] bool team_queue_take(struct pacer *p, struct ticket *ticket);

/* Give the turn back, or leave the queue; calls may begin before this returns. Allowed without either. */
void team_queue_leave(struct pacer *p, struct ticket *ticket);

/* The team's concurrency may have grown. */
void team_queue_look(struct pacer *p, struct team_queue *t);

/* None of the team's calls is left, and the queue is going to be freed. */
void team_queue_forget(struct team_queue *t);

#endif
