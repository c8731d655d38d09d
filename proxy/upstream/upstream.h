/* SPDX-License-Identifier: MIT
 *
 * The v3 side: GET requests over libcurl's multi interface on our event base. Knows of v3 what stands in its
 * HTTP: authorisation, cost headers, error bodies, rate. Knows nothing of columns or rows.
 * All of it runs on the thread of the event base.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_UPSTREAM_H
#define ANCHORAGE_PROXY_UPSTREAM_UPSTREAM_H

#include <stdint.h>

#include "base/histogram.h"
#include "base/slice.h"
#include "mapping/fault.h"

struct event_base;
struct upstream;
struct upstream_get;

/* The longest URL that is sent, scheme and host included. */
enum { UPSTREAM_MAX_URL = 16 * 1024 };

struct upstream_options {
    const char *url;             /* https://api.ahrefs.com/v3 */
    struct slice api_key;        /* copied; kept out of core dumps */
    const char *ca_file, *proxy; /* NULL: the system's; none */
    int64_t timeout_ms;          /* one request: an absolute deadline */
    int64_t requests_per_minute;
    int64_t queue_timeout_ms; /* how long a request may wait for the rate */
    size_t max_queue;         /* requests that may wait for the rate; 0 takes the default */
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
};

/* NULL when memory is out, libcurl does not start, the url is none, or the key has a byte that cannot stand in a
 * header. Copies `options`. Each v3 key needs one of its own: rate and breaker are v3's, per key. The rate starts
 * without savings, so that it holds across a restart. */
struct upstream *upstream_new(struct event_base *base, const struct upstream_options *options);

/* Cancels what is under way. NULL is allowed. */
void upstream_free(struct upstream *u);

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
void upstream_stats(const struct upstream *u, struct upstream_stats *ret);

/* More answers are there than a round of the loop could read or hand out. */
bool upstream_is_behind(const struct upstream *u);

/* Start GET url + `path_and_query` ("/site-explorer/anchors?target=…", copied). `team` is what the queue is fair
 * between. Bodies over `max_bytes` (after decompression) end as FAULT_UPSTREAM_ODD. `deadline_ms` is an absolute
 * monotonic time (clock_monotonic_ms) after which it ends as FAULT_UPSTREAM_LATE, or FAULT_TOO_BUSY while it still
 * waits for the rate. Never calls back before returning. NULL when memory is out. */
[[nodiscard]] struct upstream_get *upstream_start(struct upstream *u, struct slice path_and_query, struct slice team,
                                                  size_t max_bytes, int64_t deadline_ms,
                                                  const struct upstream_callbacks *callbacks, void *context);

/* The request that was started just now costs nothing: it goes out when the units are used up, too. */
void upstream_is_free(struct upstream_get *get);

/* Something else was asked for the same call and may have cost: this request waits for the rate as long as its deadline
 * allows, not only queue_timeout, so that what was paid is not in vain. A 429 that asks for more ends it all the same.
 */
void upstream_is_begun(struct upstream_get *get);

/* What a free request has told of the units. UNITS_LEFT lets paid requests go again; UNITS_NONE stops them, and
 * while it is said again and again within 30 s none goes out as a probe. */
enum upstream_units { UNITS_LEFT, UNITS_NONE };
void upstream_tell_units(struct upstream *u, enum upstream_units units);

/* Whether paid requests are stopped. */
bool upstream_is_out_of_units(const struct upstream *u);

/* Never connect to where we listen ourselves, "127.0.0.1:8080" or "[::1]:8080"; with 0.0.0.0 or [::] to no address of
 * this machine with that port. Such a request ends as FAULT_UPSTREAM_DOWN. What is no address of that form (unix:…)
 * changes nothing. False when memory is out. */
[[nodiscard]] bool upstream_forbid(struct upstream *u, const char *address);

/* Whether the url, when it needs no resolving (numbers, localhost), is forbidden. */
bool upstream_leads_back(const struct upstream *u);

/* Whether text of v3 tells of the key, or of a piece of it (leak.h): then it must not be shown. */
[[nodiscard]] bool upstream_leaks(const struct upstream *u, struct slice text);

/* Another team waits for it, too: while it waits for the rate, it does so where it comes sooner. */
void upstream_join(struct upstream_get *get, struct slice team);

/* End it without a callback. Returns whether Ahrefs may have taken units for it. Must not be called from its own
 * callbacks. */
bool upstream_cancel(struct upstream_get *get);

#endif
