/* SPDX-License-Identifier: MIT
 * Writes the head of an answer in one piece, and sends answers. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "proxy/http/parse/grammar.h"
#include "proxy/http/server.h"

struct status_row {
    int status;
    struct slice line;
};

/* The commonest first. */
static const struct status_row statuses[] = {
    { 200, SLICE("HTTP/1.1 200 OK\r\n") },
    { 204, SLICE("HTTP/1.1 204 No Content\r\n") },
    { 303, SLICE("HTTP/1.1 303 See Other\r\n") },
    { 304, SLICE("HTTP/1.1 304 Not Modified\r\n") },
    { 400, SLICE("HTTP/1.1 400 Bad Request\r\n") },
    { 401, SLICE("HTTP/1.1 401 Unauthorized\r\n") },
    { 403, SLICE("HTTP/1.1 403 Forbidden\r\n") },
    { 404, SLICE("HTTP/1.1 404 Not Found\r\n") },
    { 405, SLICE("HTTP/1.1 405 Method Not Allowed\r\n") },
    { 408, SLICE("HTTP/1.1 408 Request Timeout\r\n") },
    { 413, SLICE("HTTP/1.1 413 Content Too Large\r\n") },
    { 414, SLICE("HTTP/1.1 414 URI Too Long\r\n") },
    { 417, SLICE("HTTP/1.1 417 Expectation Failed\r\n") },
    { 429, SLICE("HTTP/1.1 429 Too Many Requests\r\n") },
    { 431, SLICE("HTTP/1.1 431 Request Header Fields Too Large\r\n") },
    { 500, SLICE("HTTP/1.1 500 Internal Server Error\r\n") },
    { 501, SLICE("HTTP/1.1 501 Not Implemented\r\n") },
    { 502, SLICE("HTTP/1.1 502 Bad Gateway\r\n") },
    { 503, SLICE("HTTP/1.1 503 Service Unavailable\r\n") },
    { 504, SLICE("HTTP/1.1 504 Gateway Timeout\r\n") },
    { 505, SLICE("HTTP/1.1 505 HTTP Version Not Supported\r\n") },
};

static struct http_header allow_of(const struct http_server *s)
{
    return (struct http_header){ S("Allow"), s->options.allow.n ? s->options.allow : S("GET, HEAD, POST, OPTIONS") };
}

static void put_status(struct buffer *b, int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status == status) {
            buffer_append(b, statuses[i].line);
            return;
        }
    }
    buffer_printf(b, "HTTP/1.1 %d Status\r\n", status);
}

/* "Date: Tue, 24 Nov 2026 17:00:00 GMT\r\n", written once a second. */
static struct slice date_line(struct http_server *s)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    int64_t now_s = clock_wall_ms() / 1000;
    if (now_s != s->date_s) {
        time_t t = (time_t)now_s;
        struct tm tm;
        gmtime_r(&t, &tm);
        snprintf(s->date, sizeof s->date, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
                 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        s->date_s = now_s;
    }
    return slice_str(s->date);
}

/* A header of the owner. A control byte in it would begin a header of its own: it becomes a space. */
static void put_header(struct buffer *b, const struct http_header *h)
{
    char *p = buffer_reserve(b, h->name.n + h->value.n + 4);
    if (!p)
        return;
    size_t from = b->n;
    buffer_append(b, h->name);
    buffer_append(b, S(": "));
    buffer_append(b, h->value);
    for (size_t i = text_end(b->p, from, b->n); i < b->n; i = text_end(b->p, i + 1, b->n))
        if ((unsigned char)b->p[i] < 0x80)
            b->p[i] = ' ';
    buffer_append(b, S("\r\n"));
}

/* The whole head in the scratch of the server; empty when memory is out. `body` NULL: there is no length to tell. */
static struct slice write_head(struct http_server *s, int status, const struct http_header *headers, size_t n_headers,
                               const struct buffer *body, struct slice connection)
{
    struct buffer *b = &s->head;
    b->n = 0;
    b->failed = false;
    put_status(b, status);
    buffer_append(b, date_line(s));
    const struct http_header allow = allow_of(s);
    bool says_allow = false;
    for (size_t i = 0; i < n_headers; i++) {
        put_header(b, &headers[i]);
        says_allow |= slice_eq_nocase(headers[i].name, allow.name);
    }
    for (size_t i = 0; i < s->options.n_headers; i++)
        put_header(b, &s->options.headers[i]);
    if (status == 405 && !says_allow)
        put_header(b, &allow);
    if (body) {
        buffer_append(b, S("Content-Length: "));
        buffer_u64(b, body->n);
        buffer_append(b, S("\r\n"));
    }
    buffer_append(b, connection);
    buffer_append(b, S("\r\n"));
    return b->failed ? S("") : buffer_slice(b);
}

void http_answer(struct http_call *call, int status, const struct http_header *headers, size_t n_headers,
                 struct buffer *body)
{
    struct connection *c = call->connection;
    struct buffer nothing = buffer_with_cap(0);
    bool is_bare = status == 204 || status == 304;
    bool has_length = !is_bare && (body || !call->is_head);
    if (!body)
        body = &nothing;
    if (!c) {
        buffer_clear(body);
        call_free(call);
        return;
    }
    struct http_server *s = call->server;
    if (!call->keeps_alive || s->is_draining || server_is_crowded(s))
        c->is_last = true;
    struct slice connection = c->is_last       ? S("Connection: close\r\n")
                              : call->is_minor ? S("")
                                               : S("Connection: keep-alive\r\n");
    struct slice head = write_head(s, status, headers, n_headers, has_length ? body : NULL, connection);
    if (call->is_head || is_bare)
        buffer_clear(body);
    c->call = NULL;
    call_free(call);
    if (body->failed || !head.n) {
        buffer_clear(body);
        connection_kill(c);
        return;
    }
    connection_send(c, head, body);
}

void answer_options(struct http_call *call)
{
    const struct http_header allow = allow_of(call->server);
    http_answer(call, 204, &allow, 1, NULL);
}
