/* SPDX-License-Identifier: MIT
 * A watch asks v3 for the limits of its key again and again. */
#include "proxy/daemon/key_watch.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/day.h"
#include "proxy/account/own_request.h"
#include "proxy/service/service.h"

enum {
    FIRST_MS = 5000,  /* the first look is within this time, so that many daemons do not ask at once */
    RETRY_MS = 60000, /* until the next try after a failure; it doubles up to the interval */
    MOST_RETRY_MS = 86400000,
    SOON_MS = 1000,   /* after v3 refused for want of units */
    AGAIN_MS = 20000, /* while they are used up: before a paid request would be let through as a probe */
    WARN_DAYS = 30,   /* before the key ends, once a day */
    WARN_LOUDLY_DAYS = 7,
};

struct key_watch {
    struct service *service;
    struct account *account;
    struct event *timer;
    struct own_request ask;
    int64_t retry_ms;
    int64_t due_ms;  /* the next look */
    int64_t soon_ms; /* when v3 last refused for want of units, and a look was brought forward for it */
    bool has_looked, is_failing;
    struct day warned; /* when the end of the key was last warned of */
};

struct key_watches {
    size_t n;
    struct key_watch list[];
};

static int64_t random_below(int64_t n)
{
    uint64_t r = 0;
    if (n < 1 || getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        return 0;
    return (int64_t)(r % (uint64_t)n);
}

static void look_in(struct key_watch *w, int64_t ms)
{
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    w->due_ms = clock_monotonic_ms() + ms;
    event_add(w->timer, &tv);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- what a look brings ---- */

static void say_units(struct buffer *b, int64_t units)
{
    if (units == SUBSCRIPTION_NO_LIMIT)
        buffer_str(b, "no limit of units");
    else if (units < 0)
        buffer_str(b, "units left not known");
    else
        buffer_printf(b, "%lld units left", (long long)units);
}

static void say_first(struct key_watch *w)
{
    const struct subscription *s = &w->account->subscription;
    struct buffer b = { 0 };
    int64_t cap = subscription_row_cap(slice_str(s->plan));
    say_units(&b, subscription_units_left(s));
    if (cap > 0)
        buffer_printf(&b, ", %lld rows an answer", (long long)cap);
    if (s->expires_s >= 0) {
        char day[11];
        day_format(day_of_ms(s->expires_s * 1000), day);
        buffer_printf(&b, ", the key ends on %s", day);
    }
    service_say(w->service, "v3 key %s: plan \"%s\", %.*s", w->account->label, s->plan, SLICE_ARGS(buffer_slice(&b)));
    buffer_clear(&b);
}

static void warn_of_end(struct key_watch *w)
{
    const struct subscription *s = &w->account->subscription;
    int64_t now_ms = clock_wall_ms();
    struct day today = day_of_ms(now_ms);
    if (s->expires_s < 0 || today.n == w->warned.n)
        return;
    int64_t days = subscription_days_left(s, now_ms / 1000);
    if (days > WARN_DAYS)
        return;
    w->warned = today;
    if (s->expires_s < now_ms / 1000)
        service_complain(w->service, "v3 key %s: IT HAS ENDED: put a new one in place", w->account->label);
    else
        service_warn(w->service, "v3 key %s: %sit ends in %lld days: make a new one in Ahrefs' settings",
                     w->account->label, days <= WARN_LOUDLY_DAYS ? "WARNING: " : "", (long long)days);
}

static void compare_books(struct key_watch *w)
{
    struct account *a = w->account;
    struct drift *d = &a->drift;
    switch (drift_look(d, &a->subscription, a->units_booked)) {
    case DRIFT_NEW_MONTH:
        service_say(w->service, "v3 key %s: a new month of units has begun", a->label);
        break;
    case DRIFT_COMPARED:
        if (d->last_counted != d->last_booked)
            service_warn(w->service,
                         "v3 key %s: since the last look Ahrefs counted %lld units, our books %lld: %+lld, %+lld since "
                         "the start (calls under way, another user of the key, or prices that changed)",
                         a->label, (long long)d->last_counted, (long long)d->last_booked,
                         (long long)(d->last_counted - d->last_booked), (long long)drift_difference(d));
        break;
    case DRIFT_FIRST:
    case DRIFT_UNKNOWN:
        break;
    }
}

static void apply_billing_day(struct service *s, const struct account *a)
{
    bool was_later;
    int day = subscription_billing_day(&a->subscription, &was_later);
    if (a == service_main_account(s) && day && ledger_set_billing_day(s->ledger, day))
        service_say(s, "units are counted from day %d of the month, as usage_reset_date says%s", day,
                    was_later ? " (it is later than the 28th, which not every month has a day for)" : "");
}

static void apply_units(struct service *s, const struct account *a)
{
    int64_t left = subscription_units_left(&a->subscription);
    if (!upstream_is_out_of_units(a->upstream) || left == SUBSCRIPTION_UNKNOWN)
        return;
    bool has = left == SUBSCRIPTION_NO_LIMIT || left >= REPORT_LEAST_UNITS;
    if (has)
        service_say(s, "v3 key %s: there are units again", a->label);
    upstream_tell_units(a->upstream, has ? UNITS_LEFT : UNITS_NONE);
}

void key_watch_apply(struct service *s, struct account *a)
{
    apply_billing_day(s, a);
    apply_units(s, a);
}

static void take(struct key_watch *w, const struct subscription *s)
{
    bool another = strcmp(w->account->subscription.plan, s->plan) != 0;
    account_take(w->account, s);
    if (!w->has_looked || another)
        say_first(w);
    w->has_looked = true;
    key_watch_apply(w->service, w->account);
    compare_books(w);
    service_keep_learnt(w->service);
}

/* ---- looking ---- */

/* Say a failure once, until a look goes well again. */
static void fail(struct key_watch *w, struct slice why)
{
    if (!w->is_failing)
        service_warn(w->service, "v3 key %s: limits-and-usage: %.*s; it is asked again", w->account->label,
                     SLICE_ARGS(why));
    w->is_failing = true;
    w->retry_ms = w->retry_ms ? smaller(w->retry_ms * 2, MOST_RETRY_MS) : RETRY_MS;
}

static int64_t next_ms(const struct key_watch *w)
{
    int64_t interval = w->service->config->limits_interval_ms;
    if (upstream_is_out_of_units(w->account->upstream))
        return smaller(AGAIN_MS, interval);
    if (w->is_failing)
        return smaller(w->retry_ms, interval);
    return interval - random_below(interval / 20);
}

static void on_answer(void *context, const struct own_answer *answer)
{
    struct key_watch *w = context;
    struct subscription s;
    if (answer->result->fault) {
        fail(w, answer->result->why);
    } else if (!subscription_parse(answer->body, &s)) {
        fail(w, S("the answer is not what was expected"));
    } else {
        account_clean(w->account, &s);
        w->is_failing = false;
        w->retry_ms = 0;
        take(w, &s);
    }
    warn_of_end(w); /* an earlier process may have learnt it */
    look_in(w, next_ms(w));
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct key_watch *w = context;
    (void)fd;
    (void)what;
    const struct own_question q = { .path = S(LIMITS_PATH),
                                    .purpose = S("limits"),
                                    .max_bytes = SUBSCRIPTION_MAX_BYTES,
                                    .within_ms = w->service->config->call_timeout_ms };
    if (w->service->draining)
        return;
    if (!own_request_start(&w->ask, w->account, w->service->ledger, &q, on_answer, w)) {
        fail(w, S("memory is out"));
        look_in(w, next_ms(w));
    }
}

static void look_soon(void *context)
{
    struct key_watch *w = context;
    int64_t now = clock_monotonic_ms();
    if (w->ask.is_busy)
        return; /* its end sees that the units are used up */
    bool is_new = !w->soon_ms || now - w->soon_ms > AGAIN_MS;
    w->soon_ms = is_new ? now : w->soon_ms;
    int64_t ms = w->soon_ms + (is_new ? SOON_MS : AGAIN_MS) - now;
    if (now + ms < w->due_ms)
        look_in(w, ms > 0 ? ms : 0);
}

/* False when memory is out. */
static bool begin_one(struct key_watch *w, struct service *s, struct account *a)
{
    w->service = s;
    w->account = a;
    w->timer = event_new(s->base, -1, 0, on_timer, w);
    if (!w->timer)
        return false;
    look_in(w, random_below(smaller(FIRST_MS, s->config->limits_interval_ms / 10)));
    a->on_out_of_units = look_soon;
    a->out_of_units_context = w;
    return true;
}

struct key_watches *key_watches_new(struct service *s)
{
    size_t n = s->config->limits_interval_ms ? s->accounts.n : 0;
    struct key_watches *all = calloc(1, sizeof *all + n * sizeof all->list[0]);
    bool good = all;
    for (size_t i = 0; i < n && good; i++) {
        good = begin_one(&all->list[i], s, &s->accounts.list[i]);
        all->n += good;
    }
    if (good)
        return all;
    key_watches_free(all);
    return NULL;
}

void key_watches_free(struct key_watches *all)
{
    for (size_t i = 0; all && i < all->n; i++) {
        struct key_watch *w = &all->list[i];
        w->account->on_out_of_units = NULL;
        own_request_clear(&w->ask);
        event_free(w->timer);
    }
    free(all);
}
