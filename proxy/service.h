/* SPDX-License-Identifier: MIT
 *
 * What all calls share: the configuration, the rooms around them, the teams' turns, what is remembered, the log. Made
 * and freed by serve.c.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_H
#define ANCHORAGE_PROXY_SERVICE_H

#include "base/buffer.h"
#include "config/config.h"
#include "proxy/cache.h"
#include "proxy/http/http.h"
#include "proxy/inherit.h"
#include "proxy/ledger/ledger.h"
#include "proxy/settings.h"
#include "proxy/upstream/upstream.h"

struct event;
struct event_base;
struct exchange;

/* How many of a team's calls run, and who waits for a turn: first come, first served. A reload finds them again by the
 * team's name; those of a team that is gone go when its last call has. */
struct turns {
    const struct config_team *team; /* of the present configuration, or of the last that had it */
    struct settings *settings;      /* whose `team` is */
    int32_t running;
    struct exchange *first, *last;
    struct turns *next; /* all of the service */
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
    struct settings *settings;   /* the present ones; calls have their own */
    const struct config *config; /* theirs, for what is no call's */
    struct event_base *base;
    struct http_server *http;
    struct upstream *upstream;
    struct ledger *ledger;
    struct cache *cache;
    struct turns **turns;    /* one for each team of the configuration, in its order */
    struct turns *all_turns; /* these, and of teams that are gone but still have calls */
    bool draining;
    int64_t takes_until_ms; /* while draining, monotonic: later calls are refused */

    /* Learnt from v3's answers. */
    struct translation_seen seen;
    int64_t learnt_page_rows;

    struct exchange *running;          /* all that are not freed */
    struct exchange *finished;         /* freed at the bottom of the loop */
    struct exchange *waiting_for_room; /* a hold was refused only because of other calls' open holds */
    struct event *bottom;              /* runs once the callbacks of this turn are done */
    struct buffer log;                 /* lines of this turn */
    struct counters counters;
    struct inherit *inherit; /* sockets that were handed in, as long as nobody listens on them */
};

/* Run the bottom of the loop after this turn's callbacks. */
void service_wake_bottom(struct service *s);

/* Take settings into force, at the start and in between; the caller's count of them is taken over. Turns stay those of
 * the team with the same name. False, and nothing changed or taken, when memory is out. */
[[nodiscard]] bool service_take_settings(struct service *s, struct settings *settings);

/* Forget the settings and all turns. No call may be left. */
void service_drop_settings(struct service *s);

/* Listen on the sockets that were handed in for `option` of [proxy]; when there are none, on the addresses that it
 * names. On failure false, and `why` has one line, with FILE:LINE where it is about an address. */
[[nodiscard]] bool service_listen(struct service *s, struct http_server *server, const struct config_words *addresses,
                                  const char *option, struct buffer *why);

/* NULL when the configuration has no such team. */
struct turns *service_turns(struct service *s, struct slice team);

/* One line for people: "anchorage: …". */
void service_say(struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
