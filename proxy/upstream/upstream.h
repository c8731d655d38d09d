/* SPDX-License-Identifier: MIT
 *
 * The v3 side: requests over libcurl's multi interface on our event base. Knows of v3 what stands in its
 * HTTP: authorisation, cost headers, error bodies, rate. Knows nothing of columns or rows.
 * All of it runs on the thread of the event base.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_UPSTREAM_H
#define ANCHORAGE_PROXY_UPSTREAM_UPSTREAM_H

#include <stdint.h>

#include "base/slice.h"
#include "proxy/upstream/types.h"

struct event_base;
struct upstream;
struct upstream_get;

/* NULL when memory is out, libcurl does not start, the url is none, or the key has a byte that cannot stand in a
 * header. Copies `options`. Each v3 key needs one of its own: rate and breaker are v3's, per key. The rate starts
 * without savings, so that it holds across a restart. */
struct upstream *upstream_new(struct event_base *base, const struct upstream_options *options);

/* Cancels what is under way. NULL is allowed. */
void upstream_free(struct upstream *u);

/* All that it has counted so far, and how it does now. */
void upstream_stats(const struct upstream *u, struct upstream_stats *ret);

/* More answers are there than a round of the loop could read or hand out. */
bool upstream_is_behind(const struct upstream *u);

/* Whether several teams use the key: one of them then has at most half of the places in the queue for the rate that the
 * others leave. False at first. */
void upstream_share(struct upstream *u, bool is_shared);

/* Start GET url + `path_and_query` ("/site-explorer/anchors?target=…", copied). `team` is what the queue is fair
 * between. Bodies over `max_bytes` (after decompression) end as FAULT_UPSTREAM_ODD. `deadline_ms` is an absolute
 * monotonic time (clock_monotonic_ms) after which it ends as FAULT_UPSTREAM_LATE, or FAULT_TOO_BUSY while it still
 * waits for the rate. Never calls back before returning. NULL when memory is out. */
[[nodiscard]] struct upstream_get *upstream_start(struct upstream *u, struct slice path_and_query, struct slice team,
                                                  size_t max_bytes, int64_t deadline_ms,
                                                  const struct upstream_callbacks *callbacks, void *context);

/* Start a POST of JSON to url + `path` the same way, but for its body, which is not known yet: the request waits for
 * the rate as others do, as long as its deadline allows. When its turn comes on_turn is called, and it goes out once it
 * has its body. So what the body asks for can still change while it waits. */
[[nodiscard]] struct upstream_get *upstream_start_post(struct upstream *u, struct slice path, struct slice team,
                                                       size_t max_bytes, int64_t deadline_ms,
                                                       const struct upstream_callbacks *callbacks, void *context);

/* Once, from on_turn or later: the body, copied. It goes out before others of its team. Never calls back before
 * returning. False when memory is out: then it waits for its body as before. */
[[nodiscard]] bool upstream_send(struct upstream_get *post, struct slice body);

/* When a request more could go out, behind those that wait for the rate. */
int64_t upstream_wait_ms(const struct upstream *u);

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
