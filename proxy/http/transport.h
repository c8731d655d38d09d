/* SPDX-License-Identifier: MIT
 *
 * Bytes to and from one client socket, plain or through TLS. Reads a portion whenever the socket has some and tells the
 * owner; sends what it is given as far as the socket takes it, and the rest when it can. Libevent's bufferevents are
 * not used: theirs for TLS reads from a client as long as it talks, whatever piles up, and forgets what TLS holds when
 * reading was stopped meanwhile.
 */
#ifndef ANCHORAGE_PROXY_HTTP_TRANSPORT_H
#define ANCHORAGE_PROXY_HTTP_TRANSPORT_H

#include <sys/types.h>

#include "base/buffer.h"

struct event;
struct event_base;
struct evbuffer;
struct ssl_st;

/* Called from the loop only, with the context of transport_open. */
struct transport_owner {
    void (*read)(void *context);             /* there is more in ->input */
    void (*written)(void *context);          /* all that was queued has left */
    void (*ended)(void *context, bool left); /* left: the client has closed its side; else the connection is broken */
    void (*shake)(void *context);            /* the socket may have something for a handshake */
};

enum transport_shaken { SHAKEN_DONE, SHAKEN_WAITS, SHAKEN_FAILED };

struct transport {
    int fd;
    bool shakes;      /* the handshake is not over */
    bool is_tls_open; /* a goodbye in TLS can be said */
    struct event_base *base;
    struct event *reads, *writes; /* `writes` only from the first time that the socket was full */
    struct evbuffer *input;
    struct evbuffer *output; /* NULL until something had to be queued */
    struct ssl_st *ssl;      /* NULL: plain, or not begun */
    const struct transport_owner *owner;
    void *context;
};

/* Own the socket and read from it. `shakes`: begin with a handshake, whose bytes go to owner->shake instead. False, and
 * nothing owned, when memory is out. */
[[nodiscard]] bool transport_open(struct transport *t, struct event_base *base, int fd, bool shakes,
                                  const struct transport_owner *owner, void *context);

/* Tell the owner nothing any more, and drop what is queued. */
void transport_mute(struct transport *t);

/* Say goodbye where that can be done without waiting; close the socket and free all. */
void transport_close(struct transport *t);

void transport_pause(struct transport *t);
void transport_resume(struct transport *t);

/* Read now what the socket has. */
void transport_read(struct transport *t);

/* Go on with the handshake; ->ssl is set. */
enum transport_shaken transport_shake(struct transport *t);

/* How much of the head and then the body the socket takes at once; -1 when the connection is broken. What was
 * not taken has to be queued next, or never anything again. Only while nothing is queued. */
ssize_t transport_send(struct transport *t, struct slice head, struct slice body);

/* Send a copy later, or the bytes themselves from `from` on, which are then taken over. False when memory is out. */
[[nodiscard]] bool transport_queue(struct transport *t, struct slice bytes);
[[nodiscard]] bool transport_queue_body(struct transport *t, struct buffer *body, size_t from);

size_t transport_queued(const struct transport *t);

/* Nothing will be sent any more: say so to the client. From now on its bytes are not decrypted. False when the
 * connection is broken. */
[[nodiscard]] bool transport_finish(struct transport *t);

#endif
