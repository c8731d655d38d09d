/* SPDX-License-Identifier: MIT
 *
 * What v3 is being asked right now, so that nobody asks it twice: the whole question of a call, the totals of a target,
 * its ratio. Whoever asks first is the starter; the others take a seat and are told by the loop what came of it. Calls
 * of one v3 key only.
 *
 *     starter:  share_start -> share_give_totals, share_give_ratio or share_give_answer -> share_end
 *     others:   share_join  -> fetch_told (from the loop, once), or share_leave before that
 *
 * A starter that ends without an answer tells why: what v3 did reaches all; what was only its own matter (its limits,
 * its deadline, its client) does not, the others then ask for themselves.
 */
#ifndef ANCHORAGE_PROXY_REUSE_FLIGHT_H
#define ANCHORAGE_PROXY_REUSE_FLIGHT_H

#include "base/buffer.h"
#include "mapping/fault.h"
#include "mapping/translation.h"
#include "proxy/ledger/ledger.h"

struct event_base;
struct exchange;
struct flight;
struct shares;

/* What can be shared: the answer of a whole call, totals and ratio of a target, the next page of a list. */
enum share_kind {
    SHARE_CALL = V3_LIST,
    SHARE_TOTALS = V3_TOTALS,
    SHARE_RATIO = V3_RATIO,
    SHARE_PAGES = V3_KINDS,
    SHARE_KINDS
};

enum flight_end { FLIGHT_OPEN, FLIGHT_ANSWERED, FLIGHT_FAILED, FLIGHT_GIVEN_UP };

/* A place in a flight, inside an exchange. */
struct seat {
    struct flight *flight; /* NULL: none taken */
    struct exchange *exchange;
    struct seat *next, *previous;
};

/* Why there is no answer. */
struct failing {
    struct refusal refusal;
    int64_t retry_after_ms;
};

/* What came of a question. */
struct flight {
    struct flight *chain, *next_over;
    struct shares *shares;
    uint64_t hash;
    enum share_kind kind;
    enum flight_end end;
    struct exchange *starter;
    struct seat *first, *last;
    int holders; /* the starter, the seats, the list of what is over, and who still reads the answer */
    char payer[LEDGER_ID_SIZE];

    struct failing failing; /* FLIGHT_FAILED; `why` is the flight's own */
    int64_t totals;
    struct ratio ratio;
    int64_t results, rows, units_alone; /* of a whole call */
    struct buffer body, marks, why;
    size_t n_key;
    char key[];
};

/* NULL when memory is out. */
struct shares *shares_new(struct event_base *base);
/* Nobody is told any more. NULL is allowed. */
void shares_free(struct shares *s);

/* Take a seat if `key` is being asked. */
[[nodiscard]] bool share_join(struct shares *s, struct exchange *x, enum share_kind kind, struct slice key);

/* Be the one who asks. When memory is out nobody can join, that is all. */
void share_start(struct shares *s, struct exchange *x, enum share_kind kind, struct slice key);

/* The answer has come; does nothing unless the exchange is the starter. */
void share_give_totals(struct exchange *x, int64_t totals);
void share_give_ratio(struct exchange *x, struct ratio ratio);
/* A page of the list has come and is remembered. */
void share_give_page(struct exchange *x);
/* Of the whole call: x->body, marks and result; copied when somebody waits. */
void share_give_answer(struct exchange *x, int64_t units_alone);

/* The exchange ends: all that it has started and not answered is over. x->v3_failed says what the others are told. */
void share_end(struct exchange *x);

/* Somebody waits for what the exchange has started. */
bool share_is_awaited(const struct exchange *x);

/* Give up the seat, or all of them; fetch_told is not called for it any more. */
void share_leave(struct exchange *x, enum share_kind kind);
void share_leave_all(struct exchange *x);

/* An answer that fetch_told was shown and that was kept (holders++) is not needed any more. */
void share_put(struct flight *f);

#endif
