/* SPDX-License-Identifier: MIT
 * The small things that all ask of the service. */
#include "proxy/service/service.h"

#include <event2/event.h>

#include "base/shown.h"
#include "proxy/account/learnt.h"

void service_wake_bottom(struct service *s)
{
    event_active(s->bottom, 0, 0);
}

const struct account *service_main_account(const struct service *s)
{
    static const struct account nothing_known;
    return s->accounts.n ? &s->accounts.list[0] : &nothing_known;
}

void service_keep_learnt(struct service *s)
{
    struct buffer why = { 0 };
    if (!learnt_write(s->config->state_directory, &s->accounts, &why))
        service_warn(s, "%.*s", SLICE_ARGS(buffer_slice(&why)));
    buffer_clear(&why);
}

/* ---- the waits that calls share ---- */

/* What is ready was more than a round of the loop may do. */
static bool is_behind(void *context)
{
    const struct service *s = context;
    bool behind = ledger_is_behind(s->ledger);
    for (size_t i = 0; !behind && i < s->accounts.n; i++)
        behind = upstream_is_behind(s->accounts.list[i].upstream);
    return behind;
}

bool service_begin(struct service *s)
{
    return waitlist_begin(&s->waitlist, s->base) && pacer_begin(&s->pacer, s->base, is_behind, s);
}

void service_end(struct service *s)
{
    waitlist_end(&s->waitlist);
    pacer_end(&s->pacer);
    recent_clear(&s->recent);
}

int64_t service_wait_ms(const struct service *s, int64_t before, int64_t at_once)
{
    enum { LEAST_MS = 1000, MOST_MS = 60000 };
    const struct counters *c = &s->counters;
    int64_t call_ms = c->answered ? (int64_t)(c->calls_took.sum_us / c->answered / 1000) : 0;
    int64_t ms = call_ms < MOST_MS && before < MOST_MS ? call_ms * before / at_once : MOST_MS;
    return ms < LEAST_MS ? LEAST_MS : ms > MOST_MS ? MOST_MS : ms;
}

/* ---- the log ---- */

static void say(struct service *s, enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void say(struct service *s, enum log_level level, const char *format, va_list args)
{
    struct buffer *line = log_begin_at(&s->log, level);
    buffer_str(line, "anchorage: ");
    size_t from = line->n;
    buffer_vprintf(line, format, args);
    shown_clean_line(line, from);
    log_end(&s->log);
    service_wake_bottom(s);
}

void service_say(struct service *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(s, LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void service_warn(struct service *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(s, LOG_LEVEL_WARNING, format, args);
    va_end(args);
}

void service_complain(struct service *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(s, LOG_LEVEL_ERROR, format, args);
    va_end(args);
}
