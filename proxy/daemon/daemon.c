/* SPDX-License-Identifier: MIT
 * The daemon makes the rooms, listens, runs the loop, and ends in order. */
#include "proxy/daemon/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/find.h"
#include "proxy/account/learnt.h"
#include "proxy/account/loop_guard.h"
#include "proxy/admin/complain.h"
#include "proxy/call/way.h"
#include "proxy/daemon/admin_server.h"
#include "proxy/daemon/control.h"
#include "proxy/daemon/doctor_control.h"
#include "proxy/daemon/front.h"
#include "proxy/daemon/key_watch.h"
#include "proxy/daemon/reload.h"
#include "proxy/daemon/sd_notify.h"
#include "proxy/service/setup.h"
#include "proxy/service/teams.h"
#include "proxy/service/worker.h"

enum { CACHE_BYTES = 64 * 1024 * 1024 };

struct daemon {
    struct service service;
    const struct config *start; /* the configuration it began with */
    struct sd_notify notify;
    struct socket_activation activation;
    struct ledger_options ledger_options;
    struct key_watches *watches;
    struct control *control;
    struct doctor_control *doctor;
    struct admin_server *admin;
    struct event *signals[3];
    struct event *drain_timer;
    bool is_drained; /* no connection is left */
    bool leads_back; /* it did not start because the upstream is itself */
};

static void stop(struct daemon *d)
{
    event_base_loopexit(d->service.base, NULL);
}

/* ---- the bottom of the loop ---- */

/* A call whose client has left is brought to its end as well: what v3 is working on has a price. */
static void stop_when_drained(struct daemon *d)
{
    if (d->is_drained && link_is_alone(&d->service.running))
        stop(d);
}

static void on_bottom(evutil_socket_t fd, short what, void *context)
{
    struct daemon *d = context;
    (void)fd;
    (void)what;
    calls_free_finished(&d->service);
    log_flush(&d->service.log);
    stop_when_drained(d);
}

/* ---- events from outside ---- */

static void on_request(void *context, struct http_call *call, const struct http_request *request)
{
    (void)request;
    call_begin(context, call);
}

static void on_turned_away(void *context, struct buffer *head)
{
    call_turned_away(context, head);
}

static void on_plain_http(void *context, struct buffer *head)
{
    call_refused_plain(context, head);
}

static void on_trouble(void *context, const char *line)
{
    service_warn(context, "%s", line);
}

static void on_drained(void *context)
{
    struct daemon *d = context;
    d->is_drained = true;
    stop_when_drained(d);
}

static void on_drain_timeout(evutil_socket_t fd, short what, void *context)
{
    struct daemon *d = context;
    (void)fd;
    (void)what;
    service_warn(&d->service, "drain_timeout is over: calls that are still under way are given up");
    stop(d);
}

/* At SIGTERM and SIGINT the daemon takes no new connections. It takes calls on open ones for half of drain_timeout, and
 * finishes them in the rest of it. A second signal stops it at once. */
static void on_stop(evutil_socket_t signal_number, short what, void *context)
{
    struct daemon *d = context;
    struct service *s = &d->service;
    (void)signal_number;
    (void)what;
    if (s->draining) {
        stop(d);
        return;
    }
    int64_t ms = s->config->drain_timeout_ms;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    service_say(s, "draining: no new connections; %zu are open", http_server_connections(s->http));
    sd_notify_stopping(&d->notify, ms, "draining");
    s->draining = true;
    s->takes_until_ms = clock_monotonic_ms() + ms / 2;
    event_add(d->drain_timer, &tv);
    http_server_drain(s->http, on_drained, d);
}

static void on_reload(evutil_socket_t signal_number, short what, void *context)
{
    struct daemon *d = context;
    (void)signal_number;
    (void)what;
    if (d->service.draining) {
        service_warn(&d->service, "reload: not while draining");
        return;
    }
    sd_notify_reloading(&d->notify);
    bool good = reload(&d->service, d->start);
    if (good)
        admin_server_take_settings(d->admin);
    sd_notify_ready(&d->notify, good ? "serving" : "serving; the last reload was refused, the log says why");
}

/* ---- making ---- */

/* Events have one of two priorities: accepting comes first. */
static struct event_base *make_base(void)
{
    /* Events that make others active by hand would run for ever before the kernel is asked for more; and a client that
     * connects would wait for all that is ready. */
    static const struct timeval look_again = { .tv_usec = 1000 };
    struct event_config *c = event_config_new();
    if (!c)
        return NULL;
    event_config_set_max_dispatch_interval(c, &look_again, -1, 0);
    /* The loop has one thread and needs no locks; changes of interest go to the kernel together. The coarse clock would
     * tick every 4 ms only. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
                                 EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(c);
    event_config_free(c);
    if (base && event_base_priority_init(base, 2) != 0) {
        event_base_free(base);
        return NULL;
    }
    return base;
}

static bool make_ledger(struct daemon *d, struct buffer *why)
{
    if (!setup_ledger_options(d->service.config, &d->ledger_options))
        return false;
    switch (ledger_open(d->service.base, &d->ledger_options, &d->service.ledger, why)) {
    case LEDGER_OPENED:
        return true;
    case LEDGER_HELD_BY_ANOTHER:
    case LEDGER_BROKEN:
        break;
    }
    return false;
}

static bool make_http(struct daemon *d, struct buffer *why)
{
    const struct config *c = d->service.config;
    struct http_options o = { .max_connections = c->max_connections,
                              .max_connections_per_address = c->max_connections_per_address,
                              .unix_mode = (unsigned)c->listen_mode,
                              .idle_ms = c->idle_timeout_ms,
                              .on_request = on_request,
                              .on_turned_away = on_turned_away,
                              .on_plain_http = on_plain_http,
                              .on_trouble = on_trouble,
                              .context = &d->service };
    d->service.http = http_server_new(d->service.base, &o);
    if (!d->service.http)
        return false;
    struct buffer lines = { 0 };
    bool ok = front_load_tls(c, d->service.http, &lines);
    for (struct slice line, rest = buffer_slice(&lines); ok && rest.n;) {
        line = slice_split(rest, '\n', &rest);
        service_warn(&d->service, "%.*s", SLICE_ARGS(line));
    }
    if (!ok)
        buffer_append(why, buffer_slice(&lines));
    buffer_clear(&lines);
    return ok && front_listen(c, &d->activation, d->service.http, &c->listen, "listen", why) &&
           front_listen(c, &d->activation, d->service.http, &c->listen_tls, "listen_tls", why);
}

static bool make_events(struct daemon *d)
{
    static const struct {
        int number;
        event_callback_fn on;
    } signals[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_reload } };
    struct service *s = &d->service;
    s->bottom = event_new(s->base, -1, 0, on_bottom, d);
    d->drain_timer = event_new(s->base, -1, 0, on_drain_timeout, d);
    if (!s->bottom || !d->drain_timer || !service_begin(s))
        return false;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        d->signals[i] = evsignal_new(s->base, signals[i].number, signals[i].on, d);
        if (!d->signals[i] || event_add(d->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool forbid_ourselves(struct daemon *d, struct buffer *why)
{
    struct service *s = &d->service;
    const char *option;
    if (!loop_guard_forbid(&s->accounts, s->http) || !loop_guard_forbid(&s->accounts, admin_server_http(d->admin)))
        return false;
    if (!loop_guard_leads_back(&s->accounts, s->config, &option, why))
        return true;
    buffer_printf(why, " (%s:%d)", s->config->file, config_line_of(s->config, "upstream", option));
    d->leads_back = true;
    return false;
}

static bool make_service(struct daemon *d, const struct config *config, struct buffer *why)
{
    struct service *s = &d->service;
    struct settings *settings = settings_new(config, NULL);
    link_init(&s->running);
    link_init(&s->finished);
    s->memory.max = setup_call_memory(config);
    s->base = make_base();
    if (!settings || !s->base || !log_open(&s->log, s->base, STDERR_FILENO) ||
        !accounts_open(&s->accounts, s->base, config, CACHE_BYTES, why) || !teams_take_settings(s, settings)) {
        settings_put(settings);
        return false;
    }
    s->worker = worker_new(s->base);
    if (!s->worker || !make_events(d) || !loop_lag_start(&s->loop_lag, s->base) ||
        !sd_notify_start(&d->notify, s->base, why) || !socket_activation_find(&d->activation, why))
        return false;
    front_raise_descriptors(s);
    s->counters.calls_took.scale = &histogram_waits;
    if (!make_ledger(d, why) || !make_http(d, why))
        return false;
    learnt_read(config->state_directory, &s->accounts);
    d->admin = admin_server_new(s, &d->activation, why);
    if (!d->admin || !socket_activation_all_taken(&d->activation, why) || !forbid_ourselves(d, why))
        return false;
    d->watches = key_watches_new(s);
    d->control = control_new(s->base, config->state_directory, s->ledger, why);
    d->doctor = doctor_control_new(s);
    if (!d->watches || !d->control || !d->doctor)
        return false;
    control_serve(d->control, "doctor", doctor_control_run, d->doctor);
    return true;
}

static void announce(struct daemon *d)
{
    front_announce(&d->service, CACHE_BYTES);
    admin_server_announce(d->admin);
    service_say(&d->service, "ready");
    log_flush(&d->service.log);
    sd_notify_ready(&d->notify, "serving");
}

/* The last line: what a start will find as unknown. */
static void say_end(struct daemon *d)
{
    struct service *s = &d->service;
    size_t n = 0;
    for (const struct link *l = s->running.next; l != &s->running; l = l->next)
        n++;
    if (n)
        service_warn(s, "ended: %zu call%s given up; what v3 may have taken is booked as unknown at the next start", n,
                     n == 1 ? " under way was" : "s under way were");
    else
        service_say(s, "ended: nothing was given up");
}

static void free_daemon(struct daemon *d)
{
    struct service *s = &d->service;
    sd_notify_end(&d->notify);
    socket_activation_end(&d->activation);
    worker_free(s->worker); /* first: a call whose answer is being made cannot be given up */
    control_free(d->control);
    admin_server_free(d->admin);
    if (s->bottom)
        calls_give_up(s);
    http_server_free(s->http);
    ledger_close(s->ledger);
    key_watches_free(d->watches);
    doctor_control_free(d->doctor);
    accounts_close(&s->accounts);
    for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++)
        if (d->signals[i])
            event_free(d->signals[i]);
    if (d->drain_timer)
        event_free(d->drain_timer);
    if (s->bottom)
        event_free(s->bottom);
    service_end(s);
    loop_lag_stop(&s->loop_lag);
    log_close(&s->log);
    if (s->base)
        event_base_free(s->base);
    teams_drop_settings(s);
    free((void *)(uintptr_t)d->ledger_options.teams);
}

/* Whether it would not start the next time either. The files are looked at again: what was wrong for a moment, as when
 * memory was out, is right by then. */
static bool is_refused(const struct daemon *d, const struct config *config)
{
    struct buffer lines = { 0 };
    bool good = setup_files_are_good(config, &lines);
    good = (!d->service.http || front_load_tls(config, d->service.http, &lines)) && good;
    buffer_put(&lines, '\0');
    bool memory_is_out = lines.failed || strstr(lines.p, "memory is out") || strstr(lines.p, strerror(ENOMEM));
    buffer_clear(&lines);
    return d->leads_back || (!good && !memory_is_out);
}

enum daemon_end daemon_run(const struct config *config)
{
    struct daemon d = { .start = config, .notify = { .fd = -1 } };
    struct buffer why = { 0 };
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* a reload that comes before there is anything to reload must not be the end */
    enum daemon_end end = DAEMON_ENDED;
    if (make_service(&d, config, &why)) {
        announce(&d);
        event_base_dispatch(d.service.base);
        say_end(&d);
    } else {
        complain("anchorage: ", why.n ? buffer_slice(&why) : S("memory is out"));
        end = is_refused(&d, config) ? DAEMON_REFUSED : DAEMON_FAILED;
    }
    free_daemon(&d);
    buffer_clear(&why);
    return end;
}
