/* SPDX-License-Identifier: MIT
 *
 * The service is what all calls share: the configuration, the folders below, the teams' queues, the log. It is made and
 * freed by daemon/daemon.c.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_SERVICE_H
#define ANCHORAGE_PROXY_SERVICE_SERVICE_H

#include "base/budget.h"
#include "base/buffer.h"
#include "config/config.h"
#include "proxy/account/account.h"
#include "proxy/admin/log.h"
#include "proxy/http/http.h"
#include "proxy/ledger/ledger.h"
#include "proxy/service/loop_lag.h"
#include "proxy/service/recent.h"
#include "proxy/service/settings.h"
#include "proxy/service/team_queue.h"
#include "proxy/service/waitlist.h"

struct event;
struct event_base;
struct exchange;
struct worker;

/* Where a call is, and what its time is charged to. */
enum room { ROOM_READ, ROOM_PLAN, ROOM_ADMIT, ROOM_FETCH, ROOM_RENDER, ROOM_SETTLE, ROOM_ANSWER, ROOM_COUNT };

enum { ROOMS_TIMED = ROOM_ANSWER };

struct counters {
    uint64_t calls, answered, hits, misses, shared, approximate;
    int64_t running; /* calls that have not ended */
    uint64_t faults[FAULT_COUNT];
    uint64_t rows, units, units_predicted, units_saved;
    uint64_t v3_requests;
    struct histogram calls_took;   /* each from request to answer */
    uint64_t room_us[ROOMS_TIMED]; /* sums over all calls, from read to settle */
};

struct service {
    struct settings *settings;   /* the present ones; calls have their own */
    const struct config *config; /* that of `settings`, for what belongs to no call */
    struct event_base *base;
    struct http_server *http;
    struct accounts accounts; /* one for each v3 key */
    struct ledger *ledger;
    struct team_queue **queues;    /* one for each team of the configuration, in its order */
    struct team_queue *all_queues; /* these, and those of teams that are gone but still have calls */
    struct pacer pacer;            /* calls held back because the loop is overloaded */
    struct worker *worker;         /* makes large answers */
    struct budget memory;          /* what all calls together may hold; teams have parts of it */
    size_t promised;               /* bytes of `memory` that calls under way may come to need; half of it at most */
    bool draining;
    int64_t takes_until_ms; /* while draining, monotonic: later calls are refused */

    struct link running, finished; /* calls; those that have ended are freed at the bottom of the loop */
    struct waitlist waitlist;      /* calls that lack room in a limit, or memory, that other calls hold */
    struct event *bottom;          /* runs once the callbacks of this turn are done */
    struct log log;                /* written at the bottom */
    struct recent recent;          /* calls that have ended, for people who look */
    struct counters counters;
    struct loop_lag loop_lag;
};

/* Run the bottom of the loop after this turn's callbacks. */
void service_wake_bottom(struct service *s);

/* The account of [upstream] api_key_file. */
const struct account *service_main_account(const struct service *s);

/* Keep what was learnt of v3, which has changed, in the state directory. */
void service_keep_learnt(struct service *s);

/* False when memory is out; service_end may be called either way. */
[[nodiscard]] bool service_begin(struct service *s);
void service_end(struct service *s);

/* How long it takes until `before` calls have ended when `at_once` of them run together, at the pace of the calls so
 * far. Retry-After says it, so it is between a second and a minute. */
int64_t service_wait_ms(const struct service *s, int64_t before, int64_t at_once);

/* Write one line for people to the log: "anchorage: …". What could act on a terminal is replaced in it
 * (base/shown.h). The others are of higher levels. */
void service_say(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void service_warn(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void service_complain(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
