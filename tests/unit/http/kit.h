/* SPDX-License-Identifier: MIT
 *
 * A server in the test's own thread, and clients whose sockets the test reads itself. All waiting is turning
 * the loop until something is so, with a limit.
 */
#ifndef ANCHORAGE_TESTS_UNIT_HTTP_KIT_H
#define ANCHORAGE_TESTS_UNIT_HTTP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/http/http.h"

#define UNUSED __attribute__((unused))

struct kit {
    struct event_base *base;
    struct event *tick;
    struct http_server *server;
    struct http_options options;
    uint16_t port;
    bool holds;                   /* keep calls instead of answering them at once */
    struct http_call *held[2048]; /* in the order they came */
    size_t n_held;
    int n_requests, n_faults, last_fault, n_gone, n_troubles, n_drained;
    char seen[131072]; /* what came, one line a request */
    size_t n_seen;
    char trouble[256];
    const char *big; /* the body of an answer, instead of the echo */
    size_t n_big;
};

static UNUSED void kit_note(struct kit *k, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void kit_note(struct kit *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(k->seen + k->n_seen, sizeof k->seen - k->n_seen, format, args);
    va_end(args);
    if (n > 0 && k->n_seen + (size_t)n < sizeof k->seen)
        k->n_seen += (size_t)n;
}

/* 200 with "method path?query|body" in it, or the fault. */
static UNUSED void kit_answer(struct kit *k, struct http_call *call)
{
    const struct http_request *q = http_call_request(call);
    struct buffer body = buffer_with_cap(0);
    if (k->big)
        buffer_append(&body, slice_of(k->big, k->n_big));
    else if (q->fault_status)
        buffer_append(&body, q->fault_why);
    else
        buffer_printf(&body, "%d %.*s?%.*s|%.*s", (int)q->method, SLICE_ARGS(q->path), SLICE_ARGS(q->query),
                      SLICE_ARGS(q->body));
    struct http_header header = { S("X-Test"), S("yes") };
    http_answer(call, q->fault_status ? q->fault_status : 200, &header, 1, &body);
    assert_null(body.p);
}

static void kit_on_request(void *context, struct http_call *call, const struct http_request *q)
{
    struct kit *k = context;
    if (q->fault_status) {
        k->n_faults++;
        k->last_fault = q->fault_status;
    } else {
        k->n_requests++;
        kit_note(k, "%d %.*s?%.*s|%.*s|%.*s|%.*s|%.*s\n", (int)q->method, SLICE_ARGS(q->path), SLICE_ARGS(q->query),
                 SLICE_ARGS(q->body), SLICE_ARGS(q->content_type), SLICE_ARGS(q->user_agent), SLICE_ARGS(q->client));
    }
    if (k->holds)
        k->held[k->n_held++] = call;
    else
        kit_answer(k, call);
}

static void kit_on_trouble(void *context, const char *line)
{
    struct kit *k = context;
    k->n_troubles++;
    snprintf(k->trouble, sizeof k->trouble, "%s", line);
}

static UNUSED void kit_on_gone(void *context)
{
    ((struct kit *)context)->n_gone++;
}

static UNUSED void kit_on_drained(void *context)
{
    ((struct kit *)context)->n_drained++;
}

static void kit_on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static UNUSED uint16_t kit_listen(struct kit *k, const char *address)
{
    struct buffer text = buffer_with_cap(0);
    if (!http_server_listen(k->server, address, &text))
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&text)));
    assert_true(http_server_address(k->server, 0, &text));
    buffer_put(&text, 0);
    const char *colon = strrchr(text.p, ':');
    uint16_t port = (uint16_t)atoi(colon + 1);
    buffer_clear(&text);
    return port;
}

/* Set options before; a zero means many connections, the default deadlines. */
static UNUSED void kit_start(struct kit *k, const char *address)
{
    struct timeval ms = { .tv_usec = 1000 };
    k->base = event_base_new();
    event_base_priority_init(k->base, 2); /* as the program does */
    k->tick = event_new(k->base, -1, EV_PERSIST, kit_on_tick, NULL);
    event_add(k->tick, &ms);
    if (!k->options.on_request)
        k->options.on_request = kit_on_request;
    k->options.on_trouble = kit_on_trouble;
    k->options.context = k;
    if (!k->options.max_connections)
        k->options.max_connections = 10000;
    if (!k->options.max_connections_per_address)
        k->options.max_connections_per_address = 10000;
    k->server = http_server_new(k->base, &k->options);
    assert_non_null(k->server);
    if (address)
        k->port = kit_listen(k, address);
}

static UNUSED void kit_stop(struct kit *k)
{
    http_server_free(k->server);
    event_free(k->tick);
    event_base_free(k->base);
}

/* One turn of the loop, of at most a millisecond. */
static void kit_turn(struct kit *k)
{
    event_base_loop(k->base, EVLOOP_ONCE);
}

static UNUSED void kit_run_ms(struct kit *k, int64_t ms)
{
    for (int64_t until = clock_monotonic_ms() + ms; clock_monotonic_ms() < until;)
        kit_turn(k);
}

/* Turn until the condition holds. */
#define KIT_UNTIL(k, condition)                                                                                        \
    do {                                                                                                               \
        int64_t give_up_ms = clock_monotonic_ms() + 5000;                                                              \
        while (!(condition)) {                                                                                         \
            if (clock_monotonic_ms() > give_up_ms)                                                                     \
                fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #condition);                                          \
            kit_turn(k);                                                                                               \
        }                                                                                                              \
    } while (0)

/* From 127.0.0.`last`. */
static UNUSED int kit_connect_from(struct kit *k, uint32_t last)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(k->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (last != 1)
        assert_return_code(bind(fd, (struct sockaddr *)&from, sizeof from), errno);
    assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof to), errno);
    return fd;
}

static UNUSED int kit_connect(struct kit *k)
{
    return kit_connect_from(k, 1);
}

static UNUSED void kit_send(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* the server has cut the connection: the test sees it when it reads */
        bytes += sent;
        n -= (size_t)sent;
    }
}

static UNUSED void kit_say(int fd, const char *text)
{
    kit_send(fd, text, strlen(text));
}

/* What a client has received. */
struct got {
    char p[262144];
    size_t n;
    bool is_closed, is_reset;
};

static UNUSED void got_read(struct got *g, int fd)
{
    while (!g->is_closed && g->n < sizeof g->p - 1) {
        ssize_t n = recv(fd, g->p + g->n, sizeof g->p - 1 - g->n, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        g->is_closed = n <= 0;
        g->is_reset = n < 0;
        if (n > 0)
            g->n += (size_t)n;
    }
    g->p[g->n] = 0;
}

/* The next status line at or behind `at`, interim ones not counted; NULL when there is none. */
static UNUSED const char *got_next(const char *at)
{
    while ((at = strstr(at, "HTTP/1.1 ")))
        if (at[9] >= '2' && at[9] <= '5')
            break;
        else
            at++;
    return at;
}

static UNUSED int got_answers(const struct got *g)
{
    int count = 0;
    for (const char *at = g->p; (at = got_next(at)); at++)
        count++;
    return count;
}

static UNUSED int got_status(const struct got *g)
{
    return strncmp(g->p, "HTTP/1.1 ", 9) == 0 ? atoi(g->p + 9) : 0;
}

#define GOT_UNTIL(k, g, fd, condition) KIT_UNTIL(k, (got_read(g, fd), (condition)))

#endif
