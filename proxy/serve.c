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

#include "proxy/aside.h"
#include "proxy/control.h"
#include "proxy/exchange.h"
#include "proxy/program.h"
#include "proxy/serve_admin.h"

enum { CACHE_BYTES = 64 * 1024 * 1024, LOG_ROOM = 4 * 1024 * 1024, KEPT_BYTES = 32 * 1024 * 1024 };

struct daemon {
    struct service service;
    struct ledger_options ledger_options;
    struct buffer free_targets;
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

static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
    struct daemon *d = context;
    (void)what;
    if (signal_number == SIGHUP) {
        service_say(&d->service, "SIGHUP: reloading is not built yet; restart to read the configuration again");
        return;
    }
    if (d->service.draining) {
        stop(d);
        return;
    }
    int64_t ms = d->service.config->drain_timeout_ms;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    service_say(&d->service, "draining: no new connections; %zu are open", http_server_connections(d->service.http));
    d->service.draining = true;
    event_add(d->drain_timer, &tv);
    http_server_drain(d->service.http, on_drained, d);
}

/* ---- making ---- */

static struct event_base *make_base(void)
{
    /* An event that makes itself active again (libcurl does while bytes keep coming) would run for ever before the
     * kernel is asked for others: after a millisecond it is. */
    static const struct timeval look_again = { .tv_usec = 1000 };
    struct event_config *c = event_config_new();
    if (!c)
        return NULL;
    event_config_set_max_dispatch_interval(c, &look_again, -1, 0);
    /* One thread: no locks; changes of interest are handed to the kernel together. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(c);
    event_config_free(c);
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
                              .on_request = on_request,
                              .on_trouble = on_trouble,
                              .context = &d->service };
    d->service.http = http_server_new(d->service.base, &o);
    if (!d->service.http)
        return false;
    return service_listen(&d->service, d->service.http, &c->listen, "listen", why);
}

static bool make_events(struct daemon *d)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    struct service *s = &d->service;
    s->bottom = event_new(s->base, -1, 0, on_bottom, s);
    d->drain_timer = event_new(s->base, -1, 0, on_drain_timeout, d);
    if (!s->bottom || !d->drain_timer)
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        d->signals[i] = evsignal_new(s->base, numbers[i], on_signal, d);
        if (!d->signals[i] || event_add(d->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool make_service(struct daemon *d, const struct config *config, struct buffer *why)
{
    struct service *s = &d->service;
    s->config = config;
    s->memory.max = setup_call_memory(config);
    s->log = buffer_with_cap(LOG_ROOM);
    setup_free_targets(config, &d->free_targets);
    s->free_targets = buffer_slice(&d->free_targets);
    s->base = make_base();
    s->turns = calloc(config->n_teams ? config->n_teams : 1, sizeof *s->turns);
    if (!s->base || !s->turns || !make_events(d))
        return false;
    s->aside = aside_new(s->base);
    if (!s->aside)
        return false;
    for (size_t i = 0; i < config->n_teams; i++)
        s->turns[i] = (struct turns){ .team = &config->teams[i], .account = &s->account };
    if (!account_open(&s->account, s->base, config, config->api_key_file, CACHE_BYTES, why) || !make_ledger(d, why) ||
        !make_http(d, why))
        return false;
    d->admin = serve_admin_new(s, why);
    if (!d->admin)
        return false;
    d->control = control_new(s->base, config->state_directory, s->ledger, why);
    return d->control != NULL;
}

static void announce(struct daemon *d)
{
    struct buffer address = { 0 };
    for (size_t i = 0; http_server_address(d->service.http, i, &address); i++) {
        service_say(&d->service, "listening on %.*s", SLICE_ARGS(buffer_slice(&address)));
        address.n = 0;
    }
    buffer_clear(&address);
    serve_admin_announce(d->admin);
    service_say(&d->service, "ready");
    flush_log(&d->service);
}

/* Calls given up at the end of drain_timeout: their holds stay open and become `unknown` at the next start. */
static void give_up_running(struct service *s)
{
    while (s->running) {
        struct exchange *x = s->running;
        s->running = x->next;
        fetch_cancel(x);
        share_leave_all(x);
        share_end(x, false);
        x->has_turn = x->has_hold = false;
        x->next = s->finished;
        s->finished = x;
    }
    exchange_free_finished(s);
}

static void free_daemon(struct daemon *d)
{
    struct service *s = &d->service;
    aside_free(s->aside); /* a call that is worked on cannot be given up */
    control_free(d->control);
    serve_admin_free(d->admin);
    if (s->bottom)
        give_up_running(s);
    http_server_free(s->http);
    ledger_close(s->ledger);
    account_close(&s->account);
    for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++)
        if (d->signals[i])
            event_free(d->signals[i]);
    if (d->drain_timer)
        event_free(d->drain_timer);
    if (s->bottom)
        event_free(s->bottom);
    if (s->base)
        event_base_free(s->base);
    free(s->turns);
    free((void *)(uintptr_t)d->ledger_options.teams);
    buffer_clear(&d->free_targets);
    if (s->log.n)
        flush_log(s);
    buffer_clear(&s->log);
}

int program_serve(const struct config *config)
{
    struct daemon d = { 0 };
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
