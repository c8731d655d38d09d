/* SPDX-License-Identifier: MIT
 * Connections: read a request, wait for its answer, send it as told, read the next. */
#include "tests/sandbox/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"

enum { MAX_HEAD = 64 << 10, MAX_BODY = 16 << 20 };

struct http_exchange {
    struct http_server *server;
    struct bufferevent *stream;
    struct event *timer;
    struct http_exchange *next, **link; /* in server->connections */
    struct http_request request;
    struct buffer bytes; /* what request borrows from */
    bool is_busy;        /* between the request and the end of its answer */
    bool keeps_alive;
    uint64_t tag;
    struct http_delivery delivery;
    struct buffer answer;
    size_t sent, head_bytes;
};

struct http_server {
    struct event_base *base;
    struct http_handler handler;
    struct event *accepting;
    int fd;
    uint16_t port;
    struct http_exchange *connections;
};

struct slice http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (slice_eq_nocase(request->headers[i].name, slice_str(name)))
            return request->headers[i].value;
    return slice_of(NULL, 0);
}

void http_exchange_set(struct http_exchange *exchange, uint64_t tag)
{
    exchange->tag = tag;
}

uint64_t http_exchange_tag(const struct http_exchange *exchange)
{
    return exchange->tag;
}

static void drop(struct http_exchange *c, bool client_left)
{
    if (c->is_busy) {
        c->is_busy = false;
        c->server->handler.done(c->server->handler.ctx, c, client_left);
    }
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    event_free(c->timer);
    bufferevent_free(c->stream);
    buffer_clear(&c->bytes);
    buffer_clear(&c->answer);
    free(c);
}

/* Answer what is no request we can read, and go. */
static void refuse(struct http_exchange *c, const char *status)
{
    char text[200];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    c->keeps_alive = false;
    c->answer.n = 0;
    c->is_busy = false;
    c->sent = SIZE_MAX;
    bufferevent_disable(c->stream, EV_READ);
    bufferevent_write(c->stream, text, (size_t)n);
}

static bool read_header(struct http_request *r, struct slice line)
{
    struct slice value, name = slice_split(line, ':', &value);
    if (!name.n || !value.p || r->n_headers == MAX_HEADERS)
        return false;
    r->headers[r->n_headers++] = (struct http_header){ name, slice_trim(value) };
    return true;
}

/* Read request line and headers. */
static bool read_head(struct http_exchange *c, struct slice head)
{
    struct http_request *r = &c->request;
    struct slice line, version;
    *r = (struct http_request){ 0 };
    line = slice_trim(slice_split(head, '\n', &head));
    r->method = slice_split(line, ' ', &line);
    r->target = slice_split(line, ' ', &version);
    r->path = slice_split(r->target, '?', &r->query);
    if (!r->method.n || !slice_starts(r->path, S("/")) || !slice_starts(version, S("HTTP/1.")))
        return false;
    while (head.n) {
        line = slice_trim(slice_split(head, '\n', &head));
        if (line.n && !read_header(r, line))
            return false;
    }
    struct slice connection = http_request_header(r, "Connection");
    c->keeps_alive = slice_eq(version, S("HTTP/1.1")) ? !slice_eq_nocase(connection, S("close"))
                                                      : slice_eq_nocase(connection, S("keep-alive"));
    return true;
}

/* The bytes of the first request in `input`, 0 when it is not all there; false when there never will be one. */
static bool measure(struct http_exchange *c, struct evbuffer *input, size_t *head_bytes, size_t *all_bytes)
{
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
    *all_bytes = 0;
    if (end.pos < 0)
        return evbuffer_get_length(input) <= MAX_HEAD;
    *head_bytes = (size_t)end.pos + 4;
    c->bytes.n = 0;
    char *to = buffer_reserve(&c->bytes, *head_bytes);
    if (!to || evbuffer_copyout(input, to, *head_bytes) < 0 || !read_head(c, slice_of(to, *head_bytes)))
        return false;
    struct slice length = http_request_header(&c->request, "Content-Length");
    uint64_t body = 0;
    if (http_request_header(&c->request, "Transfer-Encoding").p || (length.p && !parse_u64(length, &body)) ||
        body > MAX_BODY)
        return false;
    *all_bytes = *head_bytes + body <= evbuffer_get_length(input) ? *head_bytes + body : 0;
    return true;
}

static void take_request(struct http_exchange *c)
{
    struct evbuffer *input = bufferevent_get_input(c->stream);
    size_t head = 0, all = 0;
    if (c->is_busy || c->sent == SIZE_MAX || !evbuffer_get_length(input))
        return;
    if (!measure(c, input, &head, &all)) {
        refuse(c, "400 Bad Request");
        return;
    }
    if (!all)
        return;
    /* Again, now that the bytes will not move any more. */
    c->bytes.n = 0;
    char *to = buffer_reserve(&c->bytes, all);
    if (!to || evbuffer_remove(input, to, all) < 0 || !read_head(c, slice_of(to, head))) {
        refuse(c, "400 Bad Request");
        return;
    }
    c->request.body = slice_of(to + head, all - head);
    c->is_busy = true;
    c->tag = 0;
    c->answer.n = c->sent = 0;
    c->server->handler.request(c->server->handler.ctx, c, &c->request);
}

static void on_read(struct bufferevent *stream, void *ctx)
{
    (void)stream;
    take_request(ctx);
}

static void on_event(struct bufferevent *stream, short what, void *ctx)
{
    (void)stream;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        drop(ctx, true);
}

static void reset(struct http_exchange *c)
{
    struct linger now = { .l_onoff = 1 };
    setsockopt(bufferevent_getfd(c->stream), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop(c, false);
}

static void finish(struct http_exchange *c)
{
    if (c->delivery.stall)
        return;
    if (c->delivery.reset) {
        reset(c);
        return;
    }
    if (c->delivery.close || c->delivery.is_cut || !c->keeps_alive) {
        drop(c, false);
        return;
    }
    c->is_busy = false;
    c->server->handler.done(c->server->handler.ctx, c, false);
    take_request(c);
}

/* Put the next piece into the stream; the write callback comes when it has gone. */
static void send_piece(struct http_exchange *c)
{
    size_t left = c->answer.n - c->sent, n = left;
    if (c->delivery.drip_ms && c->sent >= c->head_bytes && n > c->delivery.drip_bytes)
        n = c->delivery.drip_bytes;
    else if (c->delivery.drip_ms && c->sent < c->head_bytes && n > c->head_bytes)
        n = c->head_bytes;
    c->sent += n;
    bufferevent_write(c->stream, c->answer.p + c->sent - n, n);
}

static void wait_for(struct http_exchange *c, uint64_t ms)
{
    struct timeval t = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
    event_add(c->timer, &t);
}

static void on_written(struct bufferevent *stream, void *ctx)
{
    struct http_exchange *c = ctx;
    (void)stream;
    if (c->sent == SIZE_MAX)
        drop(c, false);
    else if (c->is_busy && c->sent && c->sent == c->answer.n)
        finish(c);
    else if (c->is_busy && c->sent)
        wait_for(c, c->delivery.drip_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct http_exchange *c = ctx;
    (void)fd;
    (void)what;
    if (c->answer.n > c->sent)
        send_piece(c);
    else
        finish(c);
}

void http_answer(struct http_exchange *c, struct slice head, struct slice body, const struct http_delivery *delivery)
{
    c->delivery = *delivery;
    c->answer.n = c->sent = 0;
    c->head_bytes = head.n;
    buffer_append(&c->answer, head);
    buffer_append(&c->answer, body);
    if (delivery->is_cut && delivery->cut_at < c->answer.n)
        c->answer.n = delivery->cut_at;
    if (c->answer.failed)
        c->delivery.reset = true;
    if (delivery->delay_ms || !c->answer.n)
        wait_for(c, delivery->delay_ms);
    else
        send_piece(c);
}

static void on_connection(evutil_socket_t listener, short what, void *ctx)
{
    struct http_server *s = ctx;
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct http_exchange *c = calloc(1, sizeof *c);
    struct bufferevent *stream = c ? bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    struct event *timer = stream ? evtimer_new(s->base, on_timer, c) : NULL;
    if (!timer) {
        if (stream)
            bufferevent_free(stream);
        else
            close(fd);
        free(c);
        return;
    }
    c->server = s;
    c->stream = stream;
    c->timer = timer;
    c->next = s->connections;
    c->link = &s->connections;
    if (c->next)
        c->next->link = &c->next;
    s->connections = c;
    bufferevent_setcb(stream, on_read, on_written, on_event, c);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

/* A listening socket on loopback, or -1. */
static int listen_on(const char *address, uint16_t port, uint16_t *bound)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
    bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    struct sockaddr *at = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t size = is_six ? sizeof six : sizeof four;
    int one = 1, fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!is_six)
        inet_pton(AF_INET, address, &four.sin_addr);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, at, size) || listen(fd, 1024) || getsockname(fd, at, &size)) {
        close(fd);
        return -1;
    }
    *bound = ntohs(is_six ? six.sin6_port : four.sin_port);
    return fd;
}

struct http_server *http_server_new(struct event_base *base, const char *address, uint16_t port,
                                    const struct http_handler *handler)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->base = base;
    s->handler = *handler;
    s->fd = listen_on(address, port, &s->port);
    s->accepting = s->fd < 0 ? NULL : event_new(base, s->fd, EV_READ | EV_PERSIST, on_connection, s);
    if (!s->accepting || event_add(s->accepting, NULL)) {
        http_server_free(s);
        return NULL;
    }
    return s;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    while (server->connections)
        drop(server->connections, false);
    if (server->accepting)
        event_free(server->accepting);
    if (server->fd >= 0)
        close(server->fd);
    free(server);
}
