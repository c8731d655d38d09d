/* SPDX-License-Identifier: MIT
 *
 * A wire carries one request at a time to v3: a transfer handle that was configured once and is used again
 * and again. Knows how we speak HTTP and TLS; nothing of queues, retries or faults.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_WIRE_H
#define ANCHORAGE_PROXY_UPSTREAM_WIRE_H

#include "base/list.h"
#include "base/slice.h"
#include "proxy/upstream/reply.h"

struct multi;
struct forbidden;
struct wires;

enum wire_stop {
    WIRE_RUNS,
    WIRE_REFUSED,  /* on_bytes said no */
    WIRE_TOO_LONG, /* over max_bytes */
    WIRE_ENOUGH,   /* the words of an error: more of it is not wanted */
    WIRE_HEADERS,  /* too many of them */
    WIRE_LOST,     /* a kept connection was closed under the request */
    WIRE_EARLY,    /* bytes were there before the request had left */
};

struct wire {
    struct link link;    /* in the pool */
    struct link resting; /* until a later round of the loop: enough of its bytes came in this one */
    struct wires *wires;
    void *easy;
    void *owner; /* NULL: nobody waits for it any more */
    bool (*on_bytes)(void *owner, struct slice bytes);
    size_t max_bytes, bytes, bytes_of_turn;
    size_t body_bytes; /* of the request: 0 is a GET */
    bool sent;         /* the connection stands, the request is about to leave */
    long before_bytes; /* what had left by then: words with an egress proxy */
    enum wire_stop stop;
    struct reply reply;
    char trouble[256]; /* libcurl's words when it failed */
};

struct wires_options {
    const char *url, *ca_file, *proxy;
    struct slice api_key;
};

/* NULL when memory is out, or when the key has a byte that cannot stand in a header. */
struct wires *wires_new(struct multi *multi, const struct wires_options *options);

/* All wires must be back. NULL is allowed. */
void wires_free(struct wires *all);

/* The key, to be kept out of what we say. */
struct slice wires_secret(const struct wires *all);

/* What stands in the request line before the path of a request: "/v3". */
struct slice wires_path(const struct wires *all);

/* Whether the url, or the proxy on the way out, leads there without resolving a name but localhost. */
bool wires_leads_to(const struct wires *all, const struct forbidden *forbidden);

/* A wire ready for `target` (NUL behind it: the whole of what stands in the request line), a GET, or with a body a POST
 * of JSON. The body must live until the wire is put back. NULL when memory is out. */
struct wire *wire_take(struct wires *all, const char *target, struct slice body);

/* The wire whose handle this is. */
struct wire *wire_of(void *easy);

/* Whether a first byte of the request has left. */
bool wire_has_left(const struct wire *w);

/* Go on with those whose bytes were more than one round of the loop takes, one after the other, for as long as a round
 * allows; multi_rest calls for the others. One that fails with that is handed to `failed` with libcurl's code, still in
 * the multi; nothing else would end it. */
void wires_go_on(struct wires *all, void (*failed)(struct wire *w, int code));

/* Back into the pool; it must not be in the multi. */
void wire_put(struct wire *w);

#endif
