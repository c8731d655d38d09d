/* SPDX-License-Identifier: MIT
 * The step turn: a call waits until its team may have one more running. */
#include "proxy/call/turn.h"

#include "base/clock.h"
#include "base/share.h"

enum { BEHIND_MS = 2000 }; /* a call that is held back by overload alone waits so long at least */

static bool is_held_back(const struct team_queue *t)
{
    return t->running < t->team->concurrency;
}

void turn_came(void *context)
{
    exchange_wake(context);
}

static enum onward stand_in_line(struct exchange *x)
{
    int64_t wait_ms = exchange_config(x)->queue_timeout_ms;
    if (is_held_back(x->ticket.queue) && wait_ms < BEHIND_MS) /* a matter of milliseconds, or a second */
        wait_ms = BEHIND_MS;
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    return exchange_sleep(x, until_ms < x->clocks.deadline_ms ? until_ms : x->clocks.deadline_ms);
}

static enum onward leave(struct exchange *x)
{
    team_queue_leave(&x->service->pacer, &x->ticket);
    return REFUSE;
}

/* Calls that wait hold memory, too. A quarter is kept for those under way, as in the step read. */
static enum onward find_memory(struct exchange *x)
{
    struct budget *team = exchange_budget(x), *all = &x->service->memory;
    int64_t pot = (int64_t)(all->max - all->max / 4), others = (int64_t)(all->used - team->used);
    int64_t own = (int64_t)(team->used - x->counted);
    (void)exchange_count(x);
    if (!all->is_shared || share_fits(pot, others, own, (int64_t)x->counted))
        return ONWARD;
    x->retry_after_ms = service_wait_ms(x->service, 1, 1);
    return exchange_refuse(x, FAULT_TOO_BUSY,
                           share_fits(pot, others, 0, (int64_t)x->counted)
                               ? S("the team's other calls hold its share of the memory that calls may have")
                               : S("other teams' calls hold all the memory that calls may have"));
}

enum onward turn_enter(struct exchange *x)
{
    struct ticket *t = &x->ticket;
    if (t->waits)
        return WAIT;
    if (!t->has_turn && find_memory(x) == REFUSE)
        return REFUSE;
    if (!t->has_turn && !team_queue_take(&x->service->pacer, t))
        return stand_in_line(x) == WAIT ? WAIT : leave(x);
    if (!ledger_serves(x->service->ledger))
        return exchange_refuse(x, FAULT_LEDGER_DOWN,
                               S("the ledger cannot write; nothing was charged, try again in a moment"));
    return ONWARD;
}

enum onward turn_late(struct exchange *x)
{
    const struct team_queue *t = x->ticket.queue;
    x->retry_after_ms = service_wait_ms(x->service, t->n_waiting, t->team->concurrency);
    exchange_refuse(x, FAULT_TOO_BUSY,
                    is_held_back(t) ? S("more calls come than this machine keeps up with")
                                    : S("the team already has as many calls under way as its concurrency allows"));
    return leave(x);
}

enum onward turn_gone(struct exchange *x)
{
    exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
    return leave(x);
}
