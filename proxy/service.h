/* SPDX-License-Identifier: MIT
 *
 * What all calls share: the configuration, the rooms around them, the teams' turns, what is remembered, the log. Made
 * and freed by serve.c.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_H
#define ANCHORAGE_PROXY_SERVICE_H

#include "base/budget.h"
#include "base/buffer.h"
#include "config/config.h"
#include "mapping/explain.h"
#include "mapping/plan.h"
#include "proxy/account.h"
#include "proxy/http/http.h"
#include "proxy/ledger/ledger.h"

struct event;
struct event_base;
struct exchange;
struct aside;

/* How many of a team's calls run, and who waits for a turn: first come, first served. */
struct turns {
    const struct config_team *team;
    struct account *account; /* the v3 key that its calls are made with */
    int32_t running;
    struct exchange *first, *last;
};

struct counters {
    uint64_t calls, answered, hits, approximate;
    uint64_t faults[FAULT_COUNT];
    uint64_t rows, units, units_predicted;
    uint64_t v3_requests;
    uint64_t call_us; /* from request to answer, of all together */
    uint64_t log_lines_lost;
};

struct service {
    const struct config *config;
    struct event_base *base;
    struct http_server *http;
    struct account account; /* of [upstream] api_key_file */
    struct ledger *ledger;
    struct aside *aside;  /* for large answers */
    struct budget memory; /* of all calls together */
    size_t promised;      /* bytes of it that calls under way may come to need; half of it at most */
    struct turns *turns;  /* one for each team of the configuration, in its order */
    struct slice free_targets;
    bool draining;

    struct exchange *running;          /* all that are not freed */
    struct exchange *finished;         /* freed at the bottom of the loop */
    struct exchange *waiting_for_room; /* a hold was refused only because of other calls' open holds */
    struct event *bottom;              /* runs once the callbacks of this turn are done */
    struct buffer log;                 /* lines of this turn */
    struct counters counters;
};

/* Run the bottom of the loop after this turn's callbacks. */
void service_wake_bottom(struct service *s);

/* The plan's options by the configuration and what was learnt of v3; today is UTC. */
struct plan_options service_plan_options(const struct service *s, const struct account *a);

/* The same for explaining a call. */
struct explain_options service_explain_options(const struct service *s);

/* Listen on the addresses that `option` of [proxy] names. On failure false, and `why` has one line with FILE:LINE. */
[[nodiscard]] bool service_listen(const struct service *s, struct http_server *server,
                                  const struct config_words *addresses, const char *option, struct buffer *why);

/* NULL when the configuration has no such team. */
struct turns *service_turns(struct service *s, struct slice team);

/* How long until `before` calls have ended of which `at_once` run, at the pace of the calls so far: what Retry-After
 * says, so between a second and a minute. */
int64_t service_wait_ms(const struct service *s, int64_t before, int64_t at_once);

/* One line for people: "anchorage: …". */
void service_say(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
