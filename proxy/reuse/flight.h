/* SPDX-License-Identifier: MIT
 *
 * Flights: what v3 is being asked right now, so that it is not asked twice: the whole question of a call, a part of
 * what an answer is made of, the next page of a list. The call that asks first is the starter; the others take a seat
 * and are told by the loop what came of it. Calls of one v3 key only.
 *
 *     starter:  flight_start -> flight_give_… -> flight_give_up
 *     others:   flight_join  -> seats.told (from the loop, once), or flight_leave before that
 *
 * A starter that ends without an answer tells why: what v3 did reaches all; what was only the starter's own matter (its
 * limits, its deadline, its client) does not, and the others then ask for themselves. Knows no call: a call brings its
 * seats.
 */
#ifndef ANCHORAGE_PROXY_REUSE_FLIGHT_H
#define ANCHORAGE_PROXY_REUSE_FLIGHT_H

#include "base/buffer.h"
#include "base/list.h"
#include "mapping/fault.h"
#include "mapping/translation.h"

struct event_base;
struct flight;
struct flights;
struct seats;

/* What can be shared: the answer of a whole call, each of its parts, the next page of a list. A part is a part,
 * whichever of the call's: it is known by its key. */
enum flight_kind { FLIGHT_CALL = ASK_LIST, FLIGHT_PARTS = ASK_PARTS, FLIGHT_PAGES = ASK_COUNT, FLIGHT_KINDS };

enum flight_end { FLIGHT_OPEN, FLIGHT_ANSWERED, FLIGHT_FAILED, FLIGHT_GIVEN_UP };

/* Why there is no answer. */
struct failing {
    struct refusal refusal;
    int64_t retry_after_ms;
};

/* The answer of a whole call. */
struct flight_answer {
    int64_t results, rows, units_alone;
    struct slice body, marks;
};

/* What came of a question, for seats.told and, of a whole answer, for as long as it is held. */
struct flight_news {
    enum flight_end end;
    struct failing failing;      /* FLIGHT_FAILED */
    struct slice payer;          /* id of the call that asked */
    struct slice part;           /* of a part: as translation_part hands it out */
    struct flight_answer answer; /* FLIGHT_CALL */
};

struct seat {
    struct flight *flight; /* NULL: none taken */
    struct seats *seats;   /* it is one of these */
    struct link link;
};

/* All that a call shares, inside the call. */
struct seats {
    struct slice id; /* of the call */
    /* What it had a seat for is over; it has left the seat. Of a whole answer `given` is set before. */
    void (*told)(void *context, enum flight_kind kind, const struct flight_news *news);
    /* A call of another team has joined what this one asks for: its request shall not wait longer than one of that
     * team would. */
    void (*hurry)(void *context, enum flight_kind kind, struct slice team);
    void *context;
    struct seat seat[FLIGHT_KINDS];
    struct flight *starts[FLIGHT_KINDS];    /* what others may join */
    struct failing v3_failed[FLIGHT_KINDS]; /* what v3 did to each of these; no fault: nothing that others are told */
    struct flight *given; /* the whole answer of another call, to be copied; flight_leave_all ends it */
    int n_awaited;        /* seats taken */
};

/* NULL when memory is out. */
struct flights *flights_new(struct event_base *base);
/* Nothing is told any more. NULL is allowed. */
void flights_free(struct flights *s);

/* Seats of the call `id`, which must live as long: see struct seats. */
void seats_init(struct seats *seats, struct slice id,
                void (*told)(void *context, enum flight_kind kind, const struct flight_news *news),
                void (*hurry)(void *context, enum flight_kind kind, struct slice team), void *context);

/* Take a seat if `key` is being asked. */
[[nodiscard]] bool flight_join(struct flights *s, struct seats *seats, enum flight_kind kind, struct slice key);

/* Be the one that asks. When memory is out no call can join, that is all. */
void flight_start(struct flights *s, struct seats *seats, enum flight_kind kind, struct slice key);

/* The answer has come; each does nothing unless these seats' call is the starter. */
void flight_give_part(struct seats *seats, enum flight_kind kind, struct slice part);
/* A page of the list has come and is remembered. */
void flight_give_page(struct seats *seats);
/* Copied when a call waits for it. */
void flight_give_answer(struct seats *seats, const struct flight_answer *answer);

/* A large body may be copied beforehand, on another thread than the loop's: whether a call waits for a copy that is not
 * made yet, and the making of it. */
bool flight_wants_copy(const struct seats *seats);
void flight_copy_answer(struct seats *seats, struct slice body);

/* Say why it has no answer: what others are told when it gives up. */
void flight_blame(struct seats *seats, enum flight_kind kind, struct refusal refusal, int64_t retry_after_ms);

/* All that the call has started and not answered is over. */
void flight_give_up(struct seats *seats);

/* Another call waits for what this one has started. */
bool flight_is_awaited(const struct seats *seats);

/* Let those that ask for what this call waits for know of its team. */
void flight_hurry(const struct seats *seats, struct slice team);

/* Give up all seats, and the answer given; seats.told is not called for them any more. */
void flight_leave_all(struct seats *seats);

/* The whole answer that was given. */
const struct flight_news *flight_given(const struct seats *seats);

#endif
