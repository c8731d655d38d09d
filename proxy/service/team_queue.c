/* SPDX-License-Identifier: MIT
 * Turns of the teams' calls, and the pace at which they begin under overload. */
#include "proxy/service/team_queue.h"

#include <event2/event.h>

#include "base/round.h"
#include "config/config.h"

enum {
    PACE_US = 1000,     /* between two calls that begin under overload: no team is shut out by others' answers */
    MADE_UP_US = 5000,  /* of times when none began */
    BEGINNING_US = 500, /* per wake-up, for queued calls */
};

/* ---- the pacer ---- */

static void enter_pacer(struct pacer *p, struct team_queue *t)
{
    if (link_is_alone(&t->paced) && t->n_waiting && t->running < t->team->concurrency)
        link_before(&p->queues, &t->paced);
}

/* Under overload one call begins in PACE_US by the clock: the loop's timers may come late, and then make up for it. */
static bool may_begin(struct pacer *p)
{
    if (!p->is_behind(p->context))
        return true;
    int64_t now_us = clock_monotonic_us(), due_us = p->begun_us + PACE_US;
    if (due_us > now_us)
        return false;
    p->begun_us = due_us > now_us - MADE_UP_US ? due_us : now_us - MADE_UP_US;
    return true;
}

static bool rest(struct pacer *p)
{
    static const struct timeval another_day = { .tv_sec = 86400 };
    p->is_due = false;
    return event_add(p->due, &another_day) == 0;
}

static void look_again(struct pacer *p, int64_t after_us)
{
    const struct timeval after = { .tv_usec = after_us };
    if (link_is_alone(&p->queues) || (after_us && p->is_due))
        return;
    p->is_due = event_add(p->due, &after) == 0;
    if (!p->is_due)
        event_active(p->due, EV_TIMEOUT, 0);
}

static void begin(struct ticket *ticket)
{
    ticket->has_turn = true;
    ticket->queue->running++;
}

static struct ticket *leave_queue(struct ticket *ticket)
{
    link_out(&ticket->link);
    ticket->queue->n_waiting--;
    ticket->waits = false;
    return ticket;
}

static struct ticket *first_ticket(const struct team_queue *t)
{
    bool may_run = t->n_waiting && t->running < t->team->concurrency;
    return may_run ? LINKED(t->waiting.next, struct ticket, link) : NULL;
}

/* A call that ends at once gives its turn back from inside of this: the loop goes on with it, whatever called. */
static void let_begin(struct pacer *p)
{
    struct round share = { 0 };
    if (p->is_open)
        return;
    p->is_open = true;
    bool in_time = true;
    while (!link_is_alone(&p->queues) && (in_time = p->is_open_to_all || !round_is_over(&share, BEGINNING_US))) {
        struct team_queue *t = LINKED(p->queues.next, struct team_queue, paced);
        struct ticket *ticket = first_ticket(t);
        if (ticket && !p->is_open_to_all && !may_begin(p))
            break;
        link_out(&t->paced);
        if (!ticket)
            continue;
        begin(leave_queue(ticket));
        enter_pacer(p, t);
        ticket->came(ticket->context);
    }
    p->is_open = false;
    look_again(p, in_time ? PACE_US : 0);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct pacer *p = context;
    p->is_open_to_all = !rest(p); /* there may be no other time to look at the queues */
    let_begin(p);
    p->is_open_to_all = false;
}

bool pacer_begin(struct pacer *p, struct event_base *base, bool (*is_behind)(void *context), void *context)
{
    *p = (struct pacer){ .is_behind = is_behind, .context = context };
    link_init(&p->queues);
    p->due = event_new(base, -1, 0, on_due, p);
    return p->due && rest(p);
}

void pacer_end(struct pacer *p)
{
    if (p->due)
        event_free(p->due);
}

/* ---- the queue of a team ---- */

void team_queue_init(struct team_queue *t)
{
    link_init(&t->waiting);
    link_init(&t->paced);
    waitlist_lane_init(&t->lane);
}

void ticket_init(struct ticket *ticket, void (*came)(void *context), void *context)
{
    *ticket = (struct ticket){ .came = came, .context = context };
}

void ticket_set_team(struct ticket *ticket, struct team_queue *queue)
{
    ticket->queue = queue;
}

void ticket_forget(struct ticket *ticket)
{
    if (ticket->waits)
        leave_queue(ticket);
    ticket->has_turn = false;
}

bool team_queue_take(struct pacer *p, struct ticket *ticket)
{
    struct team_queue *t = ticket->queue;
    if (!t->n_waiting && t->running < t->team->concurrency && link_is_alone(&p->queues) && may_begin(p)) {
        begin(ticket);
        return true;
    }
    link_before(&t->waiting, &ticket->link);
    t->n_waiting++;
    ticket->waits = true;
    team_queue_look(p, t);
    return false;
}

void team_queue_leave(struct pacer *p, struct ticket *ticket)
{
    if (ticket->waits)
        leave_queue(ticket);
    if (!ticket->has_turn)
        return;
    ticket->has_turn = false;
    ticket->queue->running--;
    enter_pacer(p, ticket->queue);
    let_begin(p);
}

void team_queue_look(struct pacer *p, struct team_queue *t)
{
    enter_pacer(p, t);
    look_again(p, PACE_US);
}

void team_queue_forget(struct team_queue *t)
{
    link_out(&t->paced);
}
