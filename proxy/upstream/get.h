/* SPDX-License-Identifier: MIT
 *
 * One request, inside the room. Where it stands and what holds it:
 *
 *   FRESH --> WAITING --> FLYING --> ENDED (told, freed)
 *              ^ | ^         |
 *              | v |         v
 *          BODILESS+------ RESTING          (before a retry; after a 429 straight to WAITING)
 *
 * FRESH and RESTING are lists of the upstream, WAITING is its fair queue. BODILESS is a POST whose turn has come and
 * that was not given its body yet: it is in none. upstream.c moves them.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_GET_H
#define ANCHORAGE_PROXY_UPSTREAM_GET_H

#include "proxy/upstream/breaker.h"
#include "proxy/upstream/forbidden.h"
#include "proxy/upstream/gone.h"
#include "proxy/upstream/queue.h"
#include "proxy/upstream/rate.h"
#include "proxy/upstream/types.h"
#include "proxy/upstream/wire.h"

enum stage { FRESH, WAITING, BODILESS, FLYING, RESTING };

struct upstream_get {
    struct upstream *upstream;
    struct link all;         /* every request of the upstream */
    struct link line;        /* FRESH, RESTING */
    struct queue_item place; /* WAITING */
    enum stage stage;
    struct wire *wire; /* FLYING */
    bool is_probe, is_units_probe, was_sent, is_malformed, is_free, is_begun;
    int attempts;
    size_t max_bytes;
    int64_t started_ms, deadline_ms;
    int64_t due_ms;     /* when the stage it is in has lasted long enough */
    int64_t attempt_ms; /* FLYING: when it took off */
    int64_t started_us, attempt_us;
    struct upstream_callbacks callbacks;
    void *context;
    struct upstream_result last; /* the answer that a retry tries to better; status 0 and no fault: none */
    char *last_why;
    bool is_post;
    struct slice body;  /* of a POST, owned; p is NULL until it is given */
    const char *target; /* both behind the struct */
    size_t target_bytes;
    struct slice team;
};

struct upstream {
    struct multi *multi;
    struct wires *wires;
    char *url;
    int64_t timeout_ms, queue_timeout_ms, requests_per_minute;
    size_t max_queue;
    struct rate rate;
    struct breaker breaker;
    struct gate units;
    void (*on_out_of_units)(void *context);
    void *context;
    struct gone gone;
    struct forbidden forbidden; /* where we listen */
    int64_t well_until_ms;      /* v3 answered not long ago, and has not failed since */
    int64_t retry_tenths;       /* of a retry that may be spent */
    struct queue queue;
    struct link all, fresh, resting;
    struct link dropping; /* wires whose request was cancelled while libcurl was on the stack */
    size_t in_flight;
    struct event *clock;
    int64_t clock_ms;    /* when the clock rings; INT64_MAX: it does not */
    int64_t earliest_ms; /* no request is due before */
    int64_t now_us, now_ms;
    uint32_t random;
    struct upstream_stats stats; /* what is counted; the rest of it is filled in when it is asked for */
};

/* What became of an attempt. */
struct attempt {
    struct verdict verdict;
    struct upstream_result result; /* all but total_ms; `why` lies in the buffer given */
    bool was_cut_off;              /* the connection was closed or reset under the request, and no answer came */
};

/* Copies the slices. NULL when memory is out. */
struct upstream_get *get_new(struct upstream *u, struct slice path_and_query, struct slice team);
void get_free(struct upstream_get *g);

/* What the wire of `g` brought, given libcurl's code. Once for each attempt: the upstream learns of its paths. */
struct attempt get_attempt(const struct upstream_get *g, int code, struct buffer *why);

/* What it is when our clock ended it. */
struct attempt get_attempt_late(const struct upstream_get *g, struct buffer *why);

/* Whether Ahrefs may have taken units for what is in flight. */
bool get_may_have_cost(const struct upstream_get *g);

#endif
