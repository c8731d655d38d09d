/* SPDX-License-Identifier: MIT
 *
 * A small HTTP/1.1 server whose answers may be broken on purpose: late, cut, dripping, reset. */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include <stdint.h>

#include "base/slice.h"

struct event_base;
struct http_server;
struct http_exchange;

enum { MAX_HEADERS = 64 };

struct http_header {
    struct slice name, value;
};

/* Valid until the exchange is done. */
struct http_request {
    struct slice method, target, path, query; /* query without its ?; p NULL when there is none */
    struct slice body;
    struct http_header headers[MAX_HEADERS];
    size_t n_headers;
};

/* The value of a header, p NULL when there is none. */
struct slice http_request_header(const struct http_request *request, const char *name);

/* How an answer leaves. All zero: at once and whole. */
struct http_delivery {
    uint64_t delay_ms;
    bool is_cut; /* send only cut_at bytes, then end as below; without: the connection is closed */
    size_t cut_at;
    bool reset;       /* end with RST */
    bool stall;       /* end with silence, until the client goes */
    bool close;       /* end with FIN */
    uint64_t drip_ms; /* the body in pieces, one in so many milliseconds */
    size_t drip_bytes;
};

struct http_handler {
    /* A request has come; answer it by http_answer, now or later, exactly once. */
    void (*request)(void *ctx, struct http_exchange *exchange, const struct http_request *request);
    /* The exchange is over: answered whole (or broken as told), or the client has left before.
     * After it the exchange must not be touched. */
    void (*done)(void *ctx, struct http_exchange *exchange, bool client_left);
    void *ctx;
};

/* Send `head` (status line and header lines, with the empty line) and `body`; both are copied. */
void http_answer(struct http_exchange *exchange, struct slice head, struct slice body,
                 const struct http_delivery *delivery);

/* A number of the handler's that travels with the exchange; 0 until it is set. */
void http_exchange_set(struct http_exchange *exchange, uint64_t tag);
uint64_t http_exchange_tag(const struct http_exchange *exchange);

/* Listen; NULL, errno set, when that fails. */
struct http_server *http_server_new(struct event_base *base, const char *address, uint16_t port,
                                    const struct http_handler *handler);
uint16_t http_server_port(const struct http_server *server);

/* Close all connections; done is called for those with an exchange. */
void http_server_free(struct http_server *server);

#endif
