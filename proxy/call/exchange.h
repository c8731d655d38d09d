/* SPDX-License-Identifier: MIT
 *
 * A call on its way, and the driver that leads it from step to step.
 *
 *   old program                                                                                    API v3
 *      |                                                                                             ^ |
 *      v                                             .--------------- another page ----------------. | v
 *    READ -> PLAN -> TURN -> RECALL -> ROUND -> HOLD -> FETCH -> RENDER -> SETTLE -> ANSWER -> old program
 *                              ^------------------------'  the call that it had joined gave up
 *
 *   refused anywhere: straight to SETTLE.   Remembered or shared whole: RECALL -> HOLD.   Nothing to ask: PLAN ->
 * RENDER.
 *
 * proxy/call/way.c has the table of the steps, each of which stands in a file of its own name. The words of the house:
 *
 *   call       what an old program asks, from its request to its answer; `struct exchange` in the code
 *   step       a part of a call's way. A call is in one step at a time; only the table names the next one
 *   room       what the time of a step is charged to in log and metrics: turn, recall, round and hold are `admit`
 *   turn       a team's permission to have one more call run (proxy/service/team_queue.h)
 *   round      the v3 requests that are sent side by side: a page of the list, parts of the answer
 *   hold       rows and units set aside in the ledger for a round before it is sent
 *   settle     the exact price takes the place of what was held
 *   rows       v2 rows: what the key and its team are charged; a quota
 *   units      v3 units: what Ahrefs takes; money
 *   flight     a question that v3 is being asked right now; another call may take a seat in it (proxy/reuse/flight.h)
 *   headroom   what a limit or the memory leaves; calls that lack it stand in the wait list (proxy/service/waitlist.h)
 *   outcome    what the call ends with: body, counts, marks, which call paid
 *   mark       a word in X-Anchorage-Approximate
 *   fault      a word in X-Anchorage-Fault
 *   account    one v3 key and all that is known of it
 *
 * Nothing is freed inside a callback: a finished call goes to a list that the bottom of the loop empties.
 */
#ifndef ANCHORAGE_PROXY_CALL_EXCHANGE_H
#define ANCHORAGE_PROXY_CALL_EXCHANGE_H

#include "mapping/translation.h"
#include "proxy/account/record_desk.h"
#include "proxy/reuse/pages.h"
#include "proxy/service/service.h"
#include "proxy/service/worker.h"

/* The most that the small things of a call may hold; rows and answer are counted in service.memory. */
enum { CALL_MEMORY = 32 * 1024 * 1024 };

/* How a call goes on. Where each way leads from a step is said by the table. */
enum onward {
    ONWARD, /* to the next step */
    SKIP,   /* past a step or more: there is nothing to do in them */
    AGAIN,  /* back for another round */
    ANEW,   /* back to what is remembered: what was counted on did not come */
    DONE,   /* straight to the end: nothing more is to be found out */
    REFUSE, /* straight to the end, with a fault */
    ONWARD_COUNT,
    WAIT = ONWARD_COUNT /* stay; exchange_wake goes on */
};

/* A row of the table. enter is called when the call comes to the step and again after every wake, also when what it
 * waits for has not come yet. late: the alarm rang. gone: the client left. NULL: nothing changes. */
struct step {
    const char *name;
    enum room room;
    enum onward (*enter)(struct exchange *x);
    enum onward (*late)(struct exchange *x);
    enum onward (*gone)(struct exchange *x);
    int to[ONWARD_COUNT]; /* 0: this way is not taken from here; STEP_END: the call is over */
};

enum { STEP_END = -1 };

/* What was asked. call/read.c writes it; it does not change after the plan. */
struct asked {
    struct slice client;    /* its address, as in the request */
    bool is_head, is_fresh; /* see exchange_is_head and exchange_is_fresh */
    struct slice key, team_name;
    struct slice key_name;          /* may be empty */
    const struct config_team *team; /* of its own settings */
    struct account *account;
    struct params params;
    struct call call;
    struct plan plan;
    struct slice shown_target, shape; /* as they stand in its entries */
};

struct amounts {
    int64_t rows, units;
    bool waits; /* for all of the call, so much is not free now though the limits leave it */
};

/* The next round. call/round.c fills it, call/fetch.c sends it. */
struct requests {
    struct v3_request list[ASK_COUNT];
    int n;
};

struct charge {
    int64_t results, rows;
};

/* What the call ends with. call/outcome.c writes it. */
struct outcome {
    struct translation_result result;
    struct buffer body;
    struct slice marks;       /* of the answer, whichever call it is given to */
    struct slice approximate; /* all that this call is told */
    struct slice question;    /* what the answer is remembered and shared under */
    struct slice payer;       /* of what was remembered or shared: the call that asked v3 */
    struct slice why;         /* our limits cut the answer short: which one; n 0: they did not */
    int64_t alone_units;      /* what the answer cost that call */
    int64_t share_units;      /* spent on parts of the answer that were shared: the price of these alone counts */
    struct charge charge;     /* what the call owes; nothing before it is settled */
    bool cached;              /* the whole answer was given before: nothing is asked, no units are spent */
    bool shared;              /* another call's request that was under way has brought the answer, or a part of it */
};

/* The driver's own. */
struct driving {
    const struct step *steps; /* the table */
    int step, refused_in;     /* refused_in: 0, or where exchange_refuse was called first */
    bool is_running, is_woken;
    struct event *alarm;
    struct worker_item work;
};

struct clocks {
    int64_t began_us, entered_us, deadline_ms; /* monotonic; entered_us: the room */
    int64_t room_us[ROOM_COUNT];
};

struct exchange {
    struct service *service;
    struct settings *settings; /* those it began with */
    struct http_call *http;
    struct arena *memory; /* of everything that belongs to the call */
    size_t counted;       /* bytes of it and of the body, in exchange_budget */
    struct link link;     /* service.running, then service.finished */
    char id[LEDGER_ID_SIZE];

    struct driving driving;
    struct clocks clocks;
    int n_under_way; /* callbacks that the step waits for: of the ledger, v3, the worker. 0 when a step is left */
    bool is_at_work; /* the worker thread owns the call's parts; do not touch them */
    bool has_sent;   /* a request has left for v3: it is finished whatever the client does */
    bool client_gone;
    bool is_new_list; /* recall has found the beginning of a list; the next round is its first */
    int http_status;  /* of a fault in the HTTP itself */
    struct refusal refusal;
    int64_t retry_after_ms;

    struct asked asked;
    struct ticket ticket; /* its turn */
    struct seats seats;   /* what it shares */
    struct pages pages;   /* the rows of the list that are remembered; list.p NULL: none are to be */
    struct translation *translation;
    struct requests requests;
    struct amounts next_hold; /* what has to be held before the next round is sent */
    struct outcome outcome;

    /* Each is known in the step's file only, and made when the step is first entered. */
    struct recall *recall;
    struct rounds *rounds;
    struct hold *hold;
    struct fetch *fetch;
    struct render *render;
};

/* ---- the driver ---- */

/* A call that has not begun: it holds the service's present settings and stands in service.running. NULL when memory is
 * out. */
struct exchange *exchange_new(struct service *s, struct http_call *http);

/* Set the call on its way from `step` of the table `steps`. */
void exchange_start(struct exchange *x, const struct step *steps, int step);

/* Something that the call may wait for has come: enter its step again and go on until it waits. Whatever wakes a call
 * calls this and nothing else. From inside of the call's own step it takes effect when the step returns WAIT. */
void exchange_wake(struct exchange *x);

/* Wait for what wakes the call, or until the alarm rings at `until_ms` (monotonic); a call has one alarm, which goes
 * when the step is left. WAIT, or REFUSE when memory is out. */
[[nodiscard]] enum onward exchange_sleep(struct exchange *x, int64_t until_ms);

/* For http_call_on_gone. */
void exchange_on_gone(void *context);

/* Have `work` done on the worker thread, with the exchange; the step is entered again when it is. What it will hold
 * stands in x->counted already. Always WAIT. */
enum onward exchange_on_worker(struct exchange *x, void (*work)(void *exchange));

/* Say why the call is refused; the first reason counts. Always REFUSE. */
enum onward exchange_refuse(struct exchange *x, enum fault fault, struct slice why);
/* The same for a call that finds no memory of its own. */
enum onward exchange_refuse_memory(struct exchange *x);
enum onward exchange_refuse_call_memory(struct exchange *x);
/* The same when exchange_budget is spent; it says by whom. */
enum onward exchange_refuse_spent(struct exchange *x);

/* What the call holds is taken from its team's part of service.memory, as soon as it has a team. */
static inline struct budget *exchange_budget(struct exchange *x)
{
    return x->ticket.queue ? &x->ticket.queue->memory : &x->service->memory;
}

/* Bring what the call holds up to date in its budget. False when that is spent. */
bool exchange_count(struct exchange *x);

/* Zeroed memory of the call for a step's own struct; NULL when it is out. */
#define exchange_part(x, type) ((type *)arena_zalloc_array((x)->memory, sizeof(type), 1))

/* What stands in every entry of the call. */
struct ledger_call exchange_ledger_call(const struct exchange *x);

/* HEAD: read and planned, and answered without asking v3, without a turn and without an entry in the books. */
static inline bool exchange_is_head(const struct exchange *x)
{
    return x->asked.is_head;
}

/* The call is to be asked anew: nothing that is remembered is used for it. */
static inline bool exchange_is_fresh(const struct exchange *x)
{
    return x->asked.is_fresh;
}

/* Whether what is asked is the target record, which the account's desk brings; and what it is of. */
bool exchange_asks_record(const struct exchange *x, enum plan_ask ask);
struct record_key exchange_record_key(const struct exchange *x);

/* Remember a part of the answer for later calls, as long as such a part holds. */
void exchange_keep_part(struct exchange *x, enum plan_ask ask, struct slice bytes);

static inline const struct config *exchange_config(const struct exchange *x)
{
    return x->settings->config;
}

/* The step's name; "" before the first. */
struct slice exchange_step_name(const struct exchange *x, int step);

/* Free it, at the bottom of the loop. */
void exchange_free(struct exchange *x);

#endif
