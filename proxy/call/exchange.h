/* SPDX-License-Identifier: MIT
 *
 * One call on its way through the house:
 *
 *      client                                                        API v3
 *        |  bytes                                                       ^
 *        v                                                              |
 *      read -> plan -> admit -> fetch <--> upstream ------- requests ---+
 *        |       |       |        |  ^                                  |
 *        |       |       |        v  | another page                     |
 *        |       |       |      render <---------------------- rows ----+
 *        |       |       |        |
 *        +-- a refusal -----------+--> settle -> answer -> client
 *
 * A room returns ONWARD, WAIT (a callback goes on later) or REFUSE (straight to settle). One place settles, one place
 * answers, and both are passed exactly once. Nothing is freed inside a callback: a finished exchange goes to a list
 * that the bottom of the loop empties.
 */
#ifndef ANCHORAGE_PROXY_CALL_EXCHANGE_H
#define ANCHORAGE_PROXY_CALL_EXCHANGE_H

#include "mapping/translation.h"
#include "proxy/reuse/pages.h"
#include "proxy/service/service.h"
#include "proxy/service/worker.h"

/* The most that the small things of a call may hold; rows and answer are counted in service.memory. */
enum { CALL_MEMORY = 32 * 1024 * 1024 };

enum step { ONWARD, WAIT, REFUSE };

enum { RATIO_KEPT_MS = 7 * 86400 * 1000 }; /* of a target: it hardly changes, and costs a request */

enum room { ROOM_READ, ROOM_PLAN, ROOM_ADMIT, ROOM_FETCH, ROOM_RENDER, ROOM_SETTLE, ROOM_ANSWER, ROOM_COUNT };

/* What came of one v3 request. */
struct fetch {
    struct exchange *exchange;
    struct v3_request request;
    struct upstream_get *get; /* NULL: not under way */
    bool sent;
    bool stopped; /* by us: memory is short */
};

/* v3 units of a call so far. */
struct spending {
    int64_t known;     /* by the headers */
    int64_t predicted; /* by our prices, of all requests that were made */
    int64_t unknown;   /* predicted, of those whose price is not known */
    bool any_unknown;
    bool any; /* something was, or may have been, taken */
};

struct exchange {
    struct service *service;
    struct settings *settings;                        /* those it began with */
    const struct config *config;                      /* theirs */
    struct exchange *next, *previous;                 /* running, then finished */
    struct exchange *next_waiting, *previous_waiting; /* for a turn, or for room in the books */
    struct event *timer;                              /* while waiting for a turn or for room */
    int64_t tries_ms;                                 /* when its last try for room was */
    int64_t waits_until_ms;                           /* likewise, however often it has to wait anew; 0: it has not */
    struct http_call *http;
    struct arena *memory;
    size_t counted, promised; /* bytes of it and of the body, in the service's budget; what was set aside for it */
    size_t wanted;            /* to be set aside before it can go on; 0: it does not wait for that */
    char id[LEDGER_ID_SIZE];
    enum room room;
    bool client_gone;
    int64_t began_us, deadline_ms;
    int64_t room_us[ROOM_COUNT], entered_us;

    struct slice key, team_name;
    const struct config_team *team; /* of its own configuration */
    struct turns *turns;
    struct account *account;
    bool has_turn, waits_for_turn, waits_for_room;
    struct params params;
    struct call call;
    struct plan plan;
    struct translation *translation;

    struct fetch fetches[V3_KINDS];
    int n_fetches, n_under_way;
    struct slice part;               /* what totals and ratio are shared under */
    int64_t round_units, round_rows; /* of the requests that are to be sent next */
    int64_t held_rows, asked_rows;   /* v2 rows held so far; rows of the list asked for so far */
    int64_t prepaid_rows;            /* held already, for requests yet to be sent */
    int64_t ready_rows;              /* rows of the answer that need not be asked for, not held yet */
    bool page_is_cut;                /* it asks for no more than the team's limit leaves, and one row */
    bool has_hold, waits_for_hold;
    bool any_sent;       /* a request has left for v3: it is finished whatever the client does */
    bool asked_upstream; /* not all came from what was remembered */
    struct spending spending;

    bool cached;           /* the answer was given before: nothing is asked, no units are spent */
    bool shared;           /* another call's request that was under way has brought the answer, or a part of it */
    struct slice list;     /* what its rows are: the path of the v3 list without a number of rows */
    struct slice question; /* what the answer is remembered and shared under */
    struct slice payer;    /* of a remembered or shared answer: the call that asked v3 */
    int64_t alone_units;   /* what it cost that call */
    struct seat seats[SHARE_KINDS];
    struct flight *starts[SHARE_KINDS];    /* what others may join */
    struct failing v3_failed[SHARE_KINDS]; /* what v3 did to each of these; no fault: nothing that others are told */
    struct flight *given;                  /* another call's answer, to be copied */
    int n_awaited;                         /* seats taken */
    struct event *deadline;                /* while nothing but seats is waited for */
    int64_t awaited_at;  /* rows of the list that were remembered when it last waited for more, and 1 */
    struct pages pages;  /* the rows of the list that are remembered */
    struct event *pause; /* between two parts of a long piece of work */
    struct refusal refusal;
    int64_t retry_after_ms;
    int http_status;        /* of a framing fault */
    bool making;            /* the thread beside has it: hands off */
    struct aside_item work; /* a large answer is made on a thread of its own */
    bool made;              /* and is ready */
    struct translation_result result;
    struct buffer body;
    struct slice marks;       /* of the answer, whichever call it is given to */
    struct slice approximate; /* all that this call is told */
};

/* A request came in. The exchange answers it, whatever happens. */
void exchange_begin(struct service *s, struct http_call *http, const struct http_request *request);

/* A client was turned away unheard: it counts as a call that was refused, and `head` gets what every refusal says. It
 * has no line in the log: it may be one of a storm. */
void exchange_turned_away(struct service *s, struct buffer *head);

/* Likewise of one that was refused since it spoke plain HTTP where TLS is spoken. */
void exchange_refused_plain(struct service *s, struct buffer *head);

/* Go on through the rooms until one waits. */
void exchange_run(struct exchange *x);

/* HEAD: read and planned, and answered without asking v3, without a turn and without an entry in the books. */
static inline bool exchange_is_head(const struct exchange *x)
{
    return http_call_request(x->http)->method == HTTP_HEAD;
}

/* It is to be asked anew: nothing that is remembered is used for it. */
static inline bool exchange_is_fresh(const struct exchange *x)
{
    return http_call_request(x->http)->asks_fresh;
}

/* Go to a room; the time since the last one was entered is that one's. */
void exchange_enter(struct exchange *x, enum room next);

/* Bring what the exchange holds up to date in the budget of all. False when that is spent. */
bool exchange_count(struct exchange *x);

/* Say why the call is refused, and return REFUSE. */
enum step exchange_refuse(struct exchange *x, enum fault fault, struct slice why);

/* The rooms, each in a file that knows one thing. */
enum step room_read(struct exchange *x);
enum step room_plan(struct exchange *x);
enum step room_admit(struct exchange *x);
enum step room_fetch(struct exchange *x);
enum step room_render(struct exchange *x);
enum step room_settle(struct exchange *x);
enum step room_answer(struct exchange *x);

/* admit.c: give the turn back; stop waiting. */
void admit_leave(struct exchange *x);
/* admit.c: wait until other calls have ended, then recall again. */
enum step admit_wait(struct exchange *x);
/* admit.c: hold rows and units for the round of requests in `fetches`; the exchange goes on when it is durable. */
enum step admit_hold(struct exchange *x);
/* admit.c: room may have come free in the books. */
void admit_retry_waiting(struct service *s);
/* admit.c: make what that needs. False when memory is out. */
[[nodiscard]] bool admit_begin(struct service *s);

/* recall.c: take what is remembered, wait for what another call is asking, or else ask; and hold what that takes.
 * ONWARD when all is held already. */
enum step recall(struct exchange *x);

/* recall.c: the page of the list that another call was asking for has come. */
void recall_go_on(struct exchange *x);

/* recall.c: go on in so many milliseconds, less than a second; 0: in the next turn of the loop. */
enum step recall_pause(struct exchange *x, int ms);

/* recall.c: hand the translation what is known of the target's totals and ratio. */
void recall_totals(struct exchange *x);

/* recall.c: this call asks for the next page of its list; those who want it as well wait. */
void recall_lead(struct exchange *x);

/* recall.c: remember the rows of the list's page that has ended. */
void recall_keep_rows(struct exchange *x);

/* fetch.c: collect the next round of requests; how many there are. */
int fetch_collect(struct exchange *x);
/* fetch.c: refuse, as the answer has more rows than could be held. */
enum step fetch_out_of_rows(struct exchange *x);
/* fetch.c: v2 rows of the biggest answer that the team's limit has room for. */
int64_t fetch_rows_of_all(const struct exchange *x);
/* fetch.c: others are to be told of this refusal if it is v3's doing, so that asking again at once would bring no other
 * answer. */
void fetch_blame(struct exchange *x, enum share_kind kind, struct refusal refusal, int64_t retry_after_ms);
/* fetch.c: what the exchange had a seat for is over. */
void fetch_told(struct exchange *x, enum share_kind kind, struct flight *f);
/* fetch.c: wait for what seats were taken for, until the call's own deadline. */
enum step fetch_await(struct exchange *x);
/* fetch.c: end what is under way without waiting for it. */
void fetch_cancel(struct exchange *x);

/* What stands in every entry of the call. */
struct ledger_call exchange_ledger_call(const struct exchange *x);

/* Free what is finished; called at the bottom of the loop. */
void exchange_free_finished(struct service *s);

#endif
