/* SPDX-License-Identifier: MIT
 * The daemon: makes the rooms, listens, runs the loop, and ends in order. */
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/control.h"
#include "proxy/exchange.h"
#include "proxy/front.h"
#include "proxy/notify.h"
#include "proxy/program.h"
#include "proxy/reload.h"
#include "proxy/serve_admin.h"

enum { CACHE_BYTES = 64 * 1024 * 1024, LOG_ROOM = 4 * 1024 * 1024, KEPT_BYTES = 32 * 1024 * 1024 };

struct daemon {
    struct service service;
    const struct config *start; /* what it began with */
    struct notify notify;
    struct inherit inherit;
    struct ledger_options ledger_options;
    struct control *control;
    struct serve_admin *admin;
    struct event *signals[3];
    struct event *drain_timer;
    int status;
};

static void complain(struct slice why)
{
    fprintf(stderr, "anchorage: %.*s\n", SLICE_ARGS(why));
}

/* ---- the bottom of the loop ---- */

static void flush_log(struct service *s)
{
    size_t at = 0;
    while (at < s->log.n) {
        ssize_t n = write(STDERR_FILENO, s->log.p + at, s->log.n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    if (at < s->log.n || s->log.failed)
        s->counters.log_lines_lost++;
    s->log.n = 0;
    s->log.failed = false;
}

static void on_bottom(evutil_socket_t fd, short what, void *context)
{
    struct service *s = context;
    (void)fd;
    (void)what;
    exchange_free_finished(s);
    flush_log(s);
}

/* ---- events from outside ---- */

static void on_request(void *context, struct http_call *call, const struct http_request *request)
{
    exchange_begin(context, call, request);
}

static void on_trouble(void *context, const char *line)
{
    service_say(context, "%s", line);
}

static void stop(struct daemon *d)
{
    event_base_loopexit(d->service.base, NULL);
}

static void on_drained(void *context)
{
    stop(context);
}

static void on_drain_timeout(evutil_socket_t fd, short what, void *context)
{
    struct daemon *d = context;
    (void)fd;
    (void)what;
    service_say(&d->service, "drain_timeout is over: calls that are still under way are given up");
    stop(d);
}

/* SIGTERM, SIGINT: no new connections; calls on those that are open are taken for half of the time and finished in the
 * rest of it. The second time: at once. */
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
    notify_stopping(&d->notify, ms, "draining");
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
        service_say(&d->service, "reload: not while draining");
        return;
    }
    notify_reloading(&d->notify);
    bool good = reload(&d->service, d->start);
    notify_ready(&d->notify, good ? "serving" : "serving; the last reload was refused, the log says why");
}

/* ---- making ---- */

static struct event_base *make_base(void)
{
    struct event_config *c = event_config_new();
    if (!c)
        return NULL;
    /* One thread: no locks; changes of interest are handed to the kernel together. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(c);
    event_config_free(c);
    return base;
}

static bool make_upstream(struct daemon *d, struct buffer *why)
{
    const struct config *c = d->service.config;
    struct buffer key = { 0 };
    if (!setup_read_key(c->api_key_file, &key, why))
        return false;
    struct upstream_options o = { .url = c->url,
                                  .api_key = buffer_slice(&key),
                                  .ca_file = c->ca_file,
                                  .proxy = c->upstream_proxy,
                                  .timeout_ms = c->upstream_timeout_ms,
                                  .requests_per_minute = c->requests_per_minute,
                                  .queue_timeout_ms = c->queue_timeout_ms };
    d->service.upstream = upstream_new(d->service.base, &o);
    explicit_bzero(key.p, key.n);
    buffer_clear(&key);
    if (!d->service.upstream)
        buffer_str(why, "libcurl does not start");
    return d->service.upstream != NULL;
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
                              .on_request = on_request,
                              .on_trouble = on_trouble,
                              .context = &d->service };
    d->service.http = http_server_new(d->service.base, &o);
    if (!d->service.http)
        return false;
    struct buffer lines = { 0 };
    bool ok = front_load_tls(c, d->service.http, &lines);
    if (ok && lines.n)
        service_say(&d->service, "%.*s", SLICE_ARGS(buffer_slice(&lines)));
    if (!ok)
        buffer_append(why, buffer_slice(&lines));
    buffer_clear(&lines);
    return ok && service_listen(&d->service, d->service.http, &c->listen, "listen", why) &&
           service_listen(&d->service, d->service.http, &c->listen_tls, "listen_tls", why);
}

static bool make_events(struct daemon *d)
{
    static const struct {
        int number;
        event_callback_fn on;
    } signals[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_reload } };
    struct service *s = &d->service;
    s->bottom = event_new(s->base, -1, 0, on_bottom, s);
    d->drain_timer = event_new(s->base, -1, 0, on_drain_timeout, d);
    if (!s->bottom || !d->drain_timer)
        return false;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        d->signals[i] = evsignal_new(s->base, signals[i].number, signals[i].on, d);
        if (!d->signals[i] || event_add(d->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool make_service(struct daemon *d, const struct config *config, struct buffer *why)
{
    struct service *s = &d->service;
    struct settings *settings = settings_new(config, NULL);
    s->log = buffer_with_cap(LOG_ROOM);
    s->inherit = &d->inherit;
    s->base = make_base();
    s->cache = cache_new(CACHE_BYTES);
    if (!settings || !service_take_settings(s, settings)) {
        settings_put(settings);
        return false;
    }
    if (!s->base || !s->cache || !make_events(d) || !notify_start(&d->notify, s->base, why) ||
        !inherit_find(&d->inherit, why))
        return false;
    front_raise_descriptors(s);
    if (!make_upstream(d, why) || !make_ledger(d, why) || !make_http(d, why))
        return false;
    d->admin = serve_admin_new(s, why);
    if (!d->admin || !inherit_all_taken(&d->inherit, why))
        return false;
    d->control = control_new(s->base, config->state_directory, s->ledger, why);
    return d->control != NULL;
}

static void announce(struct daemon *d)
{
    front_announce(&d->service, EXCHANGE_MAX_BYTES, CACHE_BYTES);
    serve_admin_announce(d->admin);
    service_say(&d->service, "ready");
    flush_log(&d->service);
    notify_ready(&d->notify, "serving");
}

/* Calls given up at the end of drain_timeout: their holds stay open and become `unknown` at the next start. */
static void give_up_running(struct service *s)
{
    while (s->running) {
        struct exchange *x = s->running;
        s->running = x->next;
        fetch_cancel(x);
        x->has_turn = x->has_hold = false;
        x->next = s->finished;
        s->finished = x;
    }
    exchange_free_finished(s);
}

static void free_daemon(struct daemon *d)
{
    struct service *s = &d->service;
    notify_end(&d->notify);
    inherit_end(&d->inherit);
    control_free(d->control);
    serve_admin_free(d->admin);
    if (s->bottom)
        give_up_running(s);
    http_server_free(s->http);
    ledger_close(s->ledger);
    upstream_free(s->upstream);
    cache_free(s->cache);
    for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++)
        if (d->signals[i])
            event_free(d->signals[i]);
    if (d->drain_timer)
        event_free(d->drain_timer);
    if (s->bottom)
        event_free(s->bottom);
    if (s->base)
        event_base_free(s->base);
    service_drop_settings(s);
    free((void *)(uintptr_t)d->ledger_options.teams);
    if (s->log.n)
        flush_log(s);
    buffer_clear(&s->log);
}

int program_serve(const struct config *config)
{
    struct daemon d = { .start = config, .notify = { .fd = -1 } };
    struct buffer why = { 0 };
    struct rlimit none = { 0, 0 };
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_CORE, &none); /* a core would hold the keys */
    /* Answers of some hundred KB come and go: fresh pages from the kernel for each cost more than making them. */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    int status = EXIT_WRONG;
    if (make_service(&d, config, &why)) {
        announce(&d);
        event_base_dispatch(d.service.base);
        status = EXIT_DONE;
    } else {
        complain(why.n ? buffer_slice(&why) : S("memory is out"));
    }
    free_daemon(&d);
    buffer_clear(&why);
    return status;
}
