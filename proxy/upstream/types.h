/* SPDX-License-Identifier: MIT
 *
 * What a v3 side is made with, what its requests end with and tell meanwhile, and what it counts.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_TYPES_H
#define ANCHORAGE_PROXY_UPSTREAM_TYPES_H

#include <stdint.h>

#include "base/histogram.h"
#include "base/slice.h"
#include "mapping/fault.h"

/* The longest URL that is sent, scheme and host included. */
enum { UPSTREAM_MAX_URL = 16 * 1024 };

struct upstream_options {
    const char *url;             /* https://api.ahrefs.com/v3 */
    struct slice api_key;        /* copied; kept out of core dumps */
    const char *ca_file, *proxy; /* NULL: the system's; none */
    int64_t timeout_ms;          /* one request: an absolute deadline */
    int64_t requests_per_minute;
    int64_t queue_timeout_ms; /* how long a request may wait for the rate */
    size_t max_queue;         /* requests that may wait for the rate; 0 takes the default. See upstream_share */
    /* v3 said that the units are used up: no paid request goes out for a while. Called from the loop, may start
     * requests. May be NULL. */
    void (*on_out_of_units)(void *context);
    void *context;
};

/* How a request ended. */
struct upstream_result {
    enum fault fault;      /* FAULT_NONE: a 200 whose whole body went through on_bytes */
    struct slice why;      /* for people and the log, never a secret; valid during the callback */
    int status;            /* HTTP status, 0 when none came */
    int64_t units;         /* x-api-units-cost-total-actual, or -1 when there was no such header */
    int64_t units_nominal; /* x-api-units-cost-total, or -1 */
    int64_t rows;          /* x-api-rows, or -1 */
    bool cache_hit;        /* x-api-cache: hit (any case) */
    /* Whether Ahrefs may have taken units for it: false only when that is sure (never sent, refused
     * before it was sent whole, 4xx, 429 or 503 without cost headers). */
    bool may_have_cost;
    int64_t retry_after_ms; /* what v3 asked for, or our own guess; 0 when there is none */
    int64_t total_ms;       /* from upstream_start to the end, waiting for the rate included */
};

struct upstream_callbacks {
    /* The request leaves the queue now and goes out (may be called never). May be NULL. */
    void (*on_sent)(void *context);
    /* The next bytes of a 200's body, decompressed; valid during the call. Return false to refuse the rest:
     * the request ends with FAULT_UPSTREAM_ODD. */
    bool (*on_bytes)(void *context, struct slice bytes);
    /* The end, called exactly once unless cancelled. The request is freed when it returns. */
    void (*on_done)(void *context, const struct upstream_result *result);
    /* Of a POST alone: its turn at the rate has come, and it goes out as soon as upstream_send gives it its body.
     * Called once at most. */
    void (*on_turn)(void *context);
};

/* What an operator wants to know. */
struct upstream_stats {
    size_t waiting, in_flight; /* requests: for the rate; at v3 */
    bool breaker_is_shut, units_are_out;
    int64_t rate_tokens;         /* requests that could go out at once */
    int64_t paused_ms;           /* that v3 asked us to wait yet */
    int64_t slow;                /* the rate is divided by this since a 429 */
    uint64_t retries;            /* of all time, as all below */
    uint64_t ended[FAULT_COUNT]; /* requests by how they ended, cancelled ones not */
    struct histogram waits;      /* of requests, for the rate */
    struct histogram attempts;   /* from sending to the end of the answer */
};

#endif
