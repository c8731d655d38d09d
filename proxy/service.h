/* SPDX-License-Identifier: MIT
 *
 * What all calls share: the configuration, the rooms around them, the teams' turns, what is remembered, the log. Made
 * and freed by serve.c.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_H
#define ANCHORAGE_PROXY_SERVICE_H

#include "base/buffer.h"
#include "config/config.h"
#include "mapping/explain.h"
#include "mapping/plan.h"
#include "proxy/account.h"
#include "proxy/admin/log.h"
#include "proxy/http/http.h"
#include "proxy/ledger/ledger.h"
#include "proxy/pulse.h"

struct event;
struct event_base;
struct exchange;

/* How many of a team's calls run, and who waits for a turn: first come, first served. */
struct turns {
    const struct config_team *team;
    struct account *account; /* the v3 key that its calls are made with */
    int32_t running;
    struct exchange *first, *last;
};

enum { ROOMS_TIMED = 6 };

struct counters {
    uint64_t calls, answered, hits, misses, shared, approximate;
    uint64_t faults[FAULT_COUNT];
    uint64_t rows, units, units_predicted, units_saved;
    uint64_t v3_requests;
    struct histogram calls_took;   /* from request to answer */
    uint64_t room_us[ROOMS_TIMED]; /* of all calls, from read to settle */
};

struct service {
    const struct config *config;
    struct event_base *base;
    struct http_server *http;
    struct accounts accounts; /* one a v3 key */
    struct ledger *ledger;
    struct turns *turns; /* one for each team of the configuration, in its order */
    struct slice free_targets;
    bool draining;

    struct exchange *running;          /* all that are not freed */
    struct exchange *finished;         /* freed at the bottom of the loop */
    struct exchange *waiting_for_room; /* a hold was refused only because of other calls' open holds */
    struct event *bottom;              /* runs once the callbacks of this turn are done */
    struct log log;                    /* written at the bottom */
    struct counters counters;
    struct pulse pulse;
};

/* Run the bottom of the loop after this turn's callbacks. */
void service_wake_bottom(struct service *s);

/* The account of [upstream] api_key_file. */
const struct account *service_main_account(const struct service *s);

/* What was learnt of v3 has changed: keep it in the state directory. */
void service_keep_learnt(struct service *s);

/* The plan's options by the configuration and what was learnt of v3; today is UTC. */
struct plan_options service_plan_options(const struct service *s, const struct account *a);

/* The same for explaining a call. */
struct explain_options service_explain_options(const struct service *s);

/* Listen on the addresses that `option` of [proxy] names. On failure false, and `why` has one line with FILE:LINE. */
[[nodiscard]] bool service_listen(const struct service *s, struct http_server *server,
                                  const struct config_words *addresses, const char *option, struct buffer *why);

/* NULL when the configuration has no such team. */
struct turns *service_turns(struct service *s, struct slice team);

/* One line for people: "anchorage: …". */
void service_say(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
