/* SPDX-License-Identifier: MIT
 *
 * A stand-in for v3 that speaks raw bytes, for tests: a thread on a port the kernel chose, playing from a table what
 * to answer to which path. And the other side: asking, and waiting for the end.
 */
#ifndef ANCHORAGE_TESTS_UPSTREAM_PLAY_H
#define ANCHORAGE_TESTS_UPSTREAM_PLAY_H

#include <arpa/inet.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "proxy/upstream/upstream.h"

enum after { KEEP, CLOSE, RESET, STALL };

/* The first row whose path begins the request's and that is not used up is played. */
struct scene {
    const char *path;
    struct slice bytes;
    enum after after;
    int times; /* 0: always */
    /* Sent again and again behind `bytes` until the client leaves; may be NULL. */
    const char *endless;
};

enum { PLAY_CONNECTIONS = 512 };

struct actor {
    int fd;
    char in[16384];
    size_t n;
    const char *endless;
    bool stalled;
};

struct play {
    const struct scene *scenes;
    size_t n_scenes;
    int used[64];
    int listener, stop[2], port;
    pthread_t thread;
    atomic_int connections, requests, left; /* left: connections that the client closed */
    char last[16384];                       /* the last request; read it when it was answered */
    struct actor *actors[PLAY_CONNECTIONS];
};

static inline void actor_exit(struct play *p, int i, bool reset)
{
    struct actor *a = p->actors[i];
    if (reset) {
        struct linger now = { .l_onoff = 1 };
        setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(a->fd);
    free(a);
    p->actors[i] = NULL;
}

static inline bool send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline void play_scene(struct play *p, int i)
{
    struct actor *a = p->actors[i];
    memcpy(p->last, a->in, sizeof(p->last));
    a->n = 0;
    p->requests++;
    const char *path = strchr(p->last, ' ');
    for (size_t s = 0; path && s < p->n_scenes; s++) {
        const struct scene *scene = &p->scenes[s];
        if (strncmp(path + 1, scene->path, strlen(scene->path)) != 0 || (scene->times && p->used[s] >= scene->times)) {
            continue;
        }
        p->used[s]++;
        bool sent = send_all(a->fd, scene->bytes.p, scene->bytes.n);
        a->endless = scene->endless;
        a->stalled = scene->after == STALL;
        if (!sent || scene->after == CLOSE || scene->after == RESET) {
            actor_exit(p, i, scene->after == RESET);
        }
        return;
    }
    actor_exit(p, i, false);
}

static inline void actor_ready(struct play *p, int i, short what)
{
    struct actor *a = p->actors[i];
    if (a->endless && (what & POLLOUT) && !send_all(a->fd, a->endless, strlen(a->endless))) {
        p->left++;
        actor_exit(p, i, false);
        return;
    }
    if (!(what & (POLLIN | POLLHUP | POLLERR))) {
        return;
    }
    ssize_t n = recv(a->fd, a->in + a->n, sizeof(a->in) - 1 - a->n, 0);
    if (n <= 0) {
        p->left++;
        actor_exit(p, i, false);
        return;
    }
    a->n += (size_t)n;
    a->in[a->n] = '\0';
    if (strstr(a->in, "\r\n\r\n")) {
        play_scene(p, i);
    }
}

static inline void actor_enters(struct play *p)
{
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    p->connections++;
    for (int i = 0; i < PLAY_CONNECTIONS; i++) {
        if (!p->actors[i]) {
            p->actors[i] = calloc(1, sizeof(struct actor));
            p->actors[i]->fd = fd;
            return;
        }
    }
    close(fd);
}

static inline void *play_thread(void *context)
{
    struct play *p = context;
    static _Thread_local struct pollfd polls[PLAY_CONNECTIONS + 2];
    for (;;) {
        polls[0] = (struct pollfd){ .fd = p->stop[0], .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
        for (int i = 0; i < PLAY_CONNECTIONS; i++) {
            struct actor *a = p->actors[i];
            polls[i + 2] =
                (struct pollfd){ .fd = a ? a->fd : -1, .events = (short)(POLLIN | (a && a->endless ? POLLOUT : 0)) };
        }
        poll(polls, PLAY_CONNECTIONS + 2, -1);
        if (polls[0].revents) {
            break;
        }
        for (int i = 0; i < PLAY_CONNECTIONS; i++) {
            if (p->actors[i] && polls[i + 2].fd >= 0 && polls[i + 2].revents) {
                actor_ready(p, i, polls[i + 2].revents);
            }
        }
        if (polls[1].revents) {
            actor_enters(p);
        }
    }
    for (int i = 0; i < PLAY_CONNECTIONS; i++) {
        if (p->actors[i]) {
            actor_exit(p, i, false);
        }
    }
    return NULL;
}

static inline struct play *play_start(const struct scene *scenes, size_t n)
{
    struct play *p = calloc(1, sizeof(*p));
    p->scenes = scenes;
    p->n_scenes = n;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(p->listener, 511), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&address, &length), 0);
    p->port = ntohs(address.sin_port);
    assert_int_equal(pipe(p->stop), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, play_thread, p), 0);
    return p;
}

static inline void play_end(struct play *p)
{
    assert_int_equal(write(p->stop[1], "x", 1), 1);
    pthread_join(p->thread, NULL);
    close(p->stop[0]);
    close(p->stop[1]);
    close(p->listener);
    free(p);
}

/* A port on loopback where nobody listens. */
static inline int dead_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* ---- the asking side ---- */

struct ask {
    struct upstream_get *get;
    struct upstream_result result;
    char why[2048];
    struct buffer body;
    int sent, done;
    size_t take; /* refuse bytes after so many; 0: never */
    bool started;
};

struct side {
    struct event_base *base;
    struct upstream *upstream;
    struct event *beat; /* measures how long the loop stood still */
    int64_t beat_ms, longest_ms;
    int pending;
};

static struct side *asking_side;

static inline void ask_sent(void *context)
{
    struct ask *a = context;
    assert_true(a->started);
    a->sent++;
}

static inline bool ask_bytes(void *context, struct slice bytes)
{
    struct ask *a = context;
    assert_true(a->started);
    buffer_append(&a->body, bytes);
    return !a->take || a->body.n <= a->take;
}

static inline void ask_done(void *context, const struct upstream_result *result)
{
    struct ask *a = context;
    assert_true(a->started);
    a->done++;
    a->result = *result;
    assert_true(result->why.n < sizeof(a->why));
    if (result->why.n) {
        memcpy(a->why, result->why.p, result->why.n);
    }
    a->why[result->why.n] = '\0';
    a->result.why = slice_str(a->why);
    asking_side->pending--;
}

static inline void side_beats(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct side *s = context;
    int64_t now = clock_monotonic_ms();
    if (s->beat_ms && now - s->beat_ms > s->longest_ms) {
        s->longest_ms = now - s->beat_ms;
    }
    s->beat_ms = now;
}

static const struct upstream_options quick = { .api_key = SLICE("secret-key-0123456789"),
                                               .timeout_ms = 5000,
                                               .requests_per_minute = 100000000,
                                               .queue_timeout_ms = 5000 };

__attribute__((format(printf, 2, 3))) static inline struct side *side_new(const struct upstream_options *options,
                                                                          const char *format, ...)
{
    char url[256];
    va_list args;
    va_start(args, format);
    vsnprintf(url, sizeof(url), format, args);
    va_end(args);
    struct upstream_options o = *options;
    o.url = url;
    struct side *s = calloc(1, sizeof(*s));
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    s->base = event_base_new_with_config(config);
    event_config_free(config);
    s->upstream = upstream_new(s->base, &o);
    assert_non_null(s->upstream);
    s->beat = event_new(s->base, -1, EV_PERSIST, side_beats, s);
    event_add(s->beat, &(struct timeval){ .tv_usec = 1000 });
    asking_side = s;
    return s;
}

static inline void side_free(struct side *s)
{
    upstream_free(s->upstream);
    event_free(s->beat);
    event_base_free(s->base);
    free(s);
}

static inline void ask_start_for(struct side *s, struct ask *a, const char *path, const char *team, size_t max_bytes,
                                 int64_t within_ms)
{
    static const struct upstream_callbacks callbacks = { ask_sent, ask_bytes, ask_done, NULL };
    a->started = false;
    a->get = upstream_start(s->upstream, slice_str(path), slice_str(team), max_bytes, clock_monotonic_ms() + within_ms,
                            &callbacks, a);
    assert_non_null(a->get);
    a->started = true;
    s->pending++;
}

static inline void ask_start(struct side *s, struct ask *a, const char *path)
{
    ask_start_for(s, a, path, "seo", 1 << 20, 10000);
}

/* Run the loop until everything asked has ended. */
static inline void side_wait(struct side *s)
{
    while (s->pending > 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

/* Run the loop until `*flag` reaches `value`. */
static inline void side_wait_for(struct side *s, atomic_int *flag, int value)
{
    while (*flag < value) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

static inline struct ask ask(struct side *s, const char *path)
{
    struct ask a = { 0 };
    ask_start(s, &a, path);
    side_wait(s);
    assert_int_equal(a.done, 1);
    a.result.why = slice_str(a.why);
    return a;
}

#define assert_fault(a, wanted)                                                                                        \
    do {                                                                                                               \
        if ((a)->result.fault != (wanted)) {                                                                           \
            fail_msg("fault %.*s, not %.*s: %s", SLICE_ARGS(fault_word((a)->result.fault)),                            \
                     SLICE_ARGS(fault_word(wanted)), (a)->why);                                                        \
        }                                                                                                              \
    } while (0)

#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

#endif
