/* SPDX-License-Identifier: MIT
 * Strangers of the books: remembered at once, written once in a while and never by the loop. */
#include "proxy/ledger/ledger_strangers.h"

#include <event2/event.h>

#include "base/clock.h"
#include "proxy/ledger/inside.h"
#include "proxy/ledger/job.h"
#include "proxy/ledger/ledger.h"

static void write_later(struct ledger *l)
{
    struct timeval later = { .tv_sec = LEDGER_STRANGERS_MS / 1000 };
    if (l->strangers_due && !event_pending(l->strangers_due, EV_TIMEOUT, NULL))
        event_add(l->strangers_due, &later);
}

static void on_written(void *context, const struct ledger_answer *answer)
{
    struct ledger *l = context;
    (void)answer;
    if (strangers_changed(l->strangers))
        write_later(l);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    struct ledger *l = context;
    (void)fd;
    (void)what;
    if (!l->serves || !jobs_write_strangers(l, on_written, l))
        write_later(l);
}

bool ledger_strangers_open(struct ledger *l, struct buffer *why)
{
    l->strangers = strangers_new();
    if (l->base)
        l->strangers_due = event_new(l->base, -1, 0, on_due, l);
    if (!l->strangers || (l->base && !l->strangers_due)) {
        buffer_str(why, "ledger: out of memory");
        return false;
    }
    return strangers_read(l->strangers, l->store, l->keys, why);
}

void ledger_strangers_close(struct ledger *l)
{
    struct buffer why = buffer_with_cap(4096);
    if (l->strangers && strangers_changed(l->strangers))
        (void)!strangers_write(l->strangers, l->store, &why);
    buffer_clear(&why);
    if (l->strangers_due)
        event_free(l->strangers_due);
    strangers_free(l->strangers);
    l->strangers = NULL;
}

void ledger_saw_stranger(struct ledger *l, const struct ledger_stranger *call)
{
    struct digest digest = digest_of(l->digester, call->token);
    strangers_see(l->strangers, &digest, call, clock_wall_ms());
    write_later(l);
}

void ledger_stranger_digest(struct ledger *l, struct slice token, char name[LEDGER_STRANGER_SIZE])
{
    struct digest digest = digest_of(l->digester, token);
    _Static_assert((int)LEDGER_STRANGER_SIZE == STRANGER_NAME_TEXT + 1, "a name fits");
    stranger_name(&digest, name);
}

struct slice ledger_stranger_name(struct ledger *l, struct slice token)
{
    struct digest digest = digest_of(l->digester, token);
    return strangers_name(l->strangers, &digest);
}
