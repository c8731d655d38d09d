/* SPDX-License-Identifier: MIT
 * The server as a whole: its clockwork (deadlines, the next turn of the loop), draining and the end. */
#include "proxy/http/server.h"

#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/http/doorman.h"
#include "proxy/http/tls.h"

enum { HANDING_OUT_US = 500, TURNING_AWAY_US = 500 };

static struct timeval timeval_of_ms(int64_t ms)
{
    return (struct timeval){ .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
}

void server_schedule_turn(struct http_server *s)
{
    struct timeval now = { 0 };
    if (!s->turn_is_set)
        s->turn_is_set = evtimer_add(s->turn, &now) == 0;
}

static void on_round_ends(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct http_server *s = context;
    round_end(&s->hands_out);
    round_end(&s->turns_away);
}

static bool is_over(struct http_server *s, struct round *share, int64_t most_us)
{
    if (!share->until_us)
        event_active(s->round_ends, EV_TIMEOUT, 0); /* behind all that is ready now */
    return round_is_over(share, most_us);
}

bool server_round_is_over(struct http_server *s)
{
    return is_over(s, &s->hands_out, HANDING_OUT_US);
}

bool server_turns_away(struct http_server *s)
{
    return server_is_full(s) && !is_over(s, &s->turns_away, TURNING_AWAY_US);
}

void server_deadline_set(struct http_server *s, int64_t deadline_ms)
{
    if (deadline_ms >= s->alarm_ms)
        return;
    int64_t wait_ms = deadline_ms - clock_monotonic_ms();
    struct timeval wait = timeval_of_ms(wait_ms > 0 ? wait_ms : 0);
    if (evtimer_add(s->alarm, &wait) == 0)
        s->alarm_ms = deadline_ms;
}

static void expire_in_order(struct place_list *list, int64_t now_ms)
{
    for (struct connection *c; (c = place_first(list)) && c->deadline_ms <= now_ms;)
        connection_expired(c);
}

/* In WRITING, big answers have longer. */
static void expire_writing(struct place_list *list, int64_t now_ms)
{
    for (struct connection *c = place_first(list), *next; c; c = next) {
        next = place_next(list, c);
        if (c->deadline_ms <= now_ms)
            connection_expired(c);
    }
}

static void set_next_alarm(struct http_server *s)
{
    int64_t earliest = INT64_MAX;
    for (enum place place = 0; place < PLACE_COUNT; place++) {
        const struct place_list *list = &s->places[place];
        for (const struct connection *c = list->lasts_ms ? place_first(list) : NULL; c;
             c = place == PLACE_WRITING ? place_next(list, c) : NULL)
            if (c->deadline_ms < earliest)
                earliest = c->deadline_ms;
    }
    if (earliest < INT64_MAX)
        server_deadline_set(s, earliest);
}

static void on_alarm(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct http_server *s = context;
    int64_t now_ms = clock_monotonic_ms();
    s->alarm_ms = INT64_MAX;
    for (enum place place = 0; place < PLACE_COUNT; place++) {
        if (place == PLACE_WRITING)
            expire_writing(&s->places[place], now_ms);
        else if (s->places[place].lasts_ms)
            expire_in_order(&s->places[place], now_ms);
    }
    s->alarm_ms = INT64_MAX;
    set_next_alarm(s);
}

/* Those that were in NEXT when the turn began get one go each, as far as this round goes. */
static void read_next(struct http_server *s)
{
    struct place_list *list = &s->places[PLACE_NEXT];
    for (struct connection *c = place_first(list), *last = place_last(list); c && !server_round_is_over(s);) {
        bool is_done = c == last;
        connection_read(c);
        c = is_done ? NULL : place_first(list);
    }
    if (!link_is_alone(&list->connections))
        server_schedule_turn(s);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct http_server *s = context;
    s->turn_is_set = false;
    s->shaken_us = 0;
    calls_tell_gone(s);
    read_next(s);
    const struct place_list *dead = &s->places[PLACE_DEAD];
    if (place_first(dead)) {
        for (struct connection *c; (c = place_first(dead));)
            connection_free(c);
        listeners_resume(s);
    }
    if (s->is_draining && !s->n_connections && !s->drain_is_told) {
        s->drain_is_told = true;
        if (s->drained)
            s->drained(s->drained_context);
    }
}

void server_trouble(struct http_server *s, const char *format, ...)
{
    if (!s->options.on_trouble)
        return;
    int64_t now_ms = clock_monotonic_ms();
    if (s->trouble_ms && now_ms - s->trouble_ms < 1000) {
        s->troubles_held++;
        return;
    }
    char line[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (s->troubles_held && n > 0 && (size_t)n < sizeof line)
        snprintf(line + n, sizeof line - (size_t)n, " (and %d lines like this not shown)", s->troubles_held);
    s->trouble_ms = now_ms;
    s->troubles_held = 0;
    s->options.on_trouble(s->options.context, line);
}

static int64_t or_default(int64_t ms, int64_t otherwise)
{
    return ms > 0 ? ms : otherwise;
}

struct http_server *http_server_new(struct event_base *base, const struct http_options *options)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    /* libevent writes without MSG_NOSIGNAL; who has chosen something for SIGPIPE keeps it */
    struct sigaction pipe;
    if (sigaction(SIGPIPE, NULL, &pipe) == 0 && pipe.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    for (enum place place = 0; place < PLACE_COUNT; place++)
        link_init(&s->places[place].connections);
    link_init(&s->calls);
    s->base = base;
    s->options = *options;
    s->alarm_ms = INT64_MAX;
    s->places[PLACE_IDLE].lasts_ms = or_default(options->idle_ms, 75000);
    s->places[PLACE_HEADER].lasts_ms = or_default(options->header_ms, 10000);
    s->places[PLACE_BODY].lasts_ms = or_default(options->body_ms, 10000);
    s->places[PLACE_WRITING].lasts_ms = or_default(options->write_floor_ms, 30000);
    s->places[PLACE_HANDSHAKE].lasts_ms = or_default(options->handshake_ms, 5000);
    s->places[PLACE_LINGER].lasts_ms = or_default(options->drain_ms, 1000);
    s->doorman = doorman_new();
    s->alarm = evtimer_new(base, on_alarm, s);
    s->turn = evtimer_new(base, on_turn, s);
    s->round_ends = event_new(base, -1, 0, on_round_ends, s);
    if (!s->doorman || !s->alarm || !s->turn || !s->round_ends) {
        http_server_free(s);
        return NULL;
    }
    return s;
}

void http_server_set_idle(struct http_server *s, int64_t idle_ms)
{
    struct place_list *idle = &s->places[PLACE_IDLE];
    if (s->is_draining)
        return; /* they have less than that */
    for (struct connection *c = place_first(idle); c; c = place_next(idle, c))
        c->deadline_ms += idle_ms - idle->lasts_ms;
    idle->lasts_ms = idle_ms;
    if (place_first(idle))
        server_deadline_set(s, place_first(idle)->deadline_ms);
}

/* Its request may be on its way: a connection that is cut now takes it along. */
static void give_idle_a_last_chance(struct http_server *s)
{
    struct place_list *idle = &s->places[PLACE_IDLE];
    int64_t until_ms = clock_monotonic_ms() + s->places[PLACE_LINGER].lasts_ms;
    idle->lasts_ms = s->places[PLACE_LINGER].lasts_ms;
    for (struct connection *c = place_first(idle); c; c = place_next(idle, c))
        if (c->deadline_ms > until_ms)
            c->deadline_ms = until_ms;
    const struct connection *first = place_first(idle);
    if (first)
        server_deadline_set(s, first->deadline_ms);
}

void http_server_drain(struct http_server *s, void (*done)(void *context), void *context)
{
    s->is_draining = true;
    s->drained = done;
    s->drained_context = context;
    listeners_empty(s);
    listeners_close(s);
    give_idle_a_last_chance(s);
    server_schedule_turn(s);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    listeners_close(s);
    for (enum place place = 0; place < PLACE_COUNT; place++)
        for (struct connection *c; (c = place_first(&s->places[place]));)
            connection_free(c);
    while (!link_is_alone(&s->calls))
        call_free(LINKED(s->calls.next, struct http_call, in_server));
    if (s->alarm)
        event_free(s->alarm);
    if (s->turn)
        event_free(s->turn);
    if (s->round_ends)
        event_free(s->round_ends);
    if (s->reopen)
        event_free(s->reopen);
    doorman_free(s->doorman);
    tls_free(s->tls);
    buffer_clear(&s->head);
    free(s);
}

bool http_server_load_tls(struct http_server *s, const struct http_tls_pair *pairs, size_t n, http_tls_say *say,
                          void *context)
{
    return tls_load(&s->tls, pairs, n, say, context);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->n_connections - s->n_dead;
}

int64_t http_server_turned_away(const struct http_server *s)
{
    return s->n_turned_away;
}
