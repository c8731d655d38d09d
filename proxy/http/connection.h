/* SPDX-License-Identifier: MIT
 *
 * One client connection. What it is doing is the place it is in; a place is a list of the server, and most
 * places have a time that nobody may stay longer:
 *
 *     accepted -> (TLS: HANDSHAKE ->) IDLE -> HEADER -> BODY -> CALL -> WRITING -> IDLE ...
 *                   \________________________/ (a whole request at once)
 *     a call with more bytes behind it:       ... -> NEXT -> (read on at the next turn of the loop)
 *     a whole request, but many came at once: ... -> NEXT
 *     the last answer, every fault:           ... -> LINGER -> DEAD
 *
 * Only connection_move changes the place. A DEAD connection is freed at the next turn of the loop, never
 * while one of its callbacks runs.
 */
#ifndef ANCHORAGE_PROXY_HTTP_CONNECTION_H
#define ANCHORAGE_PROXY_HTTP_CONNECTION_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/list.h"
#include "proxy/http/http.h"
#include "proxy/http/parse/reader.h"
#include "proxy/http/peer.h"
#include "proxy/http/transport.h"

enum place {
    PLACE_IDLE,    /* no byte of a request is here */
    PLACE_HEADER,  /* a part of a head */
    PLACE_BODY,    /* the head, a part of the body */
    PLACE_CALL,    /* the owner works on it */
    PLACE_WRITING, /* the socket took a part of the answer */
    PLACE_NEXT,    /* bytes of a request are here; those before it have their turn first */
    PLACE_HANDSHAKE,
    PLACE_LINGER, /* all said; what the client still sends is thrown away */
    PLACE_DEAD,
    PLACE_COUNT
};

struct connection {
    struct link in_place;
    int64_t deadline_ms; /* where the place has one */
    struct http_server *server;
    struct transport transport;
    struct peer *peer;      /* NULL when dead */
    struct http_call *call; /* in CALL */
    size_t unsent_bytes;    /* of an answer that waits for its reader, as counted in the server */
    uint32_t thrown_away;   /* bytes behind a fault or the last answer */
    uint8_t place;          /* enum place */
    bool is_reading;        /* connection_read is at work further down the stack */
    bool is_paused;         /* too many pipelined bytes: not reading */
    bool is_last;           /* nothing that comes behind the present request is read */
    bool has_left;          /* the client has closed its side */
    bool has_continued;     /* 100 Continue is sent */
    struct reader reader;
};

struct http_call {
    struct http_request request;
    struct link in_server; /* all open calls of the server */
    struct http_server *server;
    struct connection *connection; /* NULL once the client has left */
    void (*gone)(void *context);
    void *gone_context;
    bool is_head, is_minor, keeps_alive;
    bool tell_gone; /* at the next turn: `gone` was asked for after the client had left */
    char *body;     /* where in `bytes` the body goes */
    char bytes[];   /* what the slices of the request point to */
};

/* Own `fd` from now on, also on failure (then it is closed, and false). */
[[nodiscard]] bool connection_new(struct http_server *s, int fd, struct peer *peer, bool is_tls);

/* The socket may have something for the handshake. */
void connection_shake(struct connection *c);

/* Nothing more is sent; wait for the client to close too, so that what was sent is not lost in a reset. */
void connection_linger(struct connection *c);

void connection_move(struct connection *c, enum place to);

/* Read on: hand out what is complete. Does nothing while a call waits. */
void connection_read(struct connection *c);

/* The deadline of its place has passed; moves it elsewhere. */
void connection_expired(struct connection *c);

/* No byte to the client any more. Its call, if there is one, becomes an orphan. */
void connection_kill(struct connection *c);

/* Free the memory and the socket. Only for the server. */
void connection_free(struct connection *c);

/* Send the head and then the body, which is taken over; afterwards, perhaps later, connection_sent. */
void connection_send(struct connection *c, struct slice head, struct buffer *body);

/* The call of the request that the reader of `c` has found in `bytes`; the body is still to be filled in at
 * ->body. NULL when memory is out. */
struct http_call *call_new(struct connection *c, const char *bytes);
struct http_call *call_new_fault(struct connection *c, int status, const char *why);

/* Free a call that has been answered, or never will be. */
void call_free(struct http_call *call);

/* Tell those who asked when their client had already left. */
void calls_tell_gone(struct http_server *s);

#endif
