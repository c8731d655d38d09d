/* SPDX-License-Identifier: MIT
 *
 * The desk for target records of one v3 key: calls that need one take a seat, targets gather, and one POST asks v3 for
 * many of them. Pure: the clock is passed in, and the way to v3 is handed in as functions (records_way.h has the real
 * ones). Knows no call: a call brings its seat.
 *
 *   seat:   records_join -> seat.hold, records_held (once, or again after a refusal) -> seat.told
 *           records_leave at any moment before seat.told
 *   POST:   way.start -> records_turn -> way.send -> records_answered
 *
 * Targets gather in pots: free ones apart from others, each country apart. A pot is due when nothing has joined for
 * gather_ms, or the first has waited five times that; a hundred targets that need the same are due at once. Then a
 * POST gets in the line for the rate, and whatever joins until its turn comes goes along. With its turn the POST is
 * closed: shares are known, every seat is told to hold its own, and when all do it leaves.
 *
 * The first seat of a target pays for it. A refused POST cost nothing: a target that v3 names is told so, and the
 * others go again; else they go in two halves.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_RECORDS_H
#define ANCHORAGE_PROXY_ACCOUNT_RECORDS_H

#include "base/list.h"
#include "mapping/record.h"
#include "proxy/reuse/flight.h"

struct records;
struct record_ask;
struct records_post;

/* What a record is of. Two spellings of the scheme are one target. */
struct record_key {
    struct slice host; /* of the target: what a rating belongs to */
    struct slice v3;
    enum mode mode;
    struct slice country; /* two letters, or empty */
    bool is_free;         /* v3 takes no units for it */
};

/* What came of a seat. All of it is valid during the call of seat.told only. */
struct record_news {
    struct failing failing;      /* a fault: there is no record */
    const struct record *record; /* all that came, which may be more than was needed */
    struct slice payer;          /* id of the call that pays for it */
    bool pays;                   /* this one does */
    int64_t units;               /* that it pays; -1: v3 did not say, and `predicted` stands in */
    int64_t predicted;           /* its part of our own price; 0 when surely nothing was taken */
};

struct record_seat {
    /* The call's. The texts live until it was told, or has left. */
    struct slice id, team;
    bool is_fresh; /* what was sent before it came is too old for it */
    /* Its POST is closed: hold `units` for the record from now on, in place of what was held for it before, and say
     * records_held, as often as it is called and in that order. From now on a call that only lost its client waits for
     * the end. */
    void (*hold)(void *context, int64_t units);
    void (*told)(void *context, const struct record_news *news);
    void *context;
    /* The desk's. */
    struct record_ask *ask; /* NULL: it has no seat */
    struct link link;
    uint32_t need;
    int n_unheld; /* holds that were asked for and are awaited */
};

/* The way to v3. */
struct records_way {
    /* Have a POST wait for its turn; records_turn comes later, never from inside. NULL when memory is out. */
    void *(*start)(void *context, struct records_post *post, struct slice team, bool is_free);
    /* A call of this team waits for it, too. */
    void (*hurry)(void *context, void *handle, struct slice team);
    /* Its turn has come, and this is its body. False when memory is out. */
    bool (*send)(void *context, void *handle, struct slice body);
    void (*cancel)(void *context, void *handle);
    /* Call records_clock at this time, and not at another. */
    void (*wake_at)(void *context, int64_t at_ms);
    /* A record has come. */
    void (*keep)(void *context, const struct record_key *key, const struct record *record, struct slice payer);
    void *context;
};

/* How a POST ended. */
struct records_answer {
    struct failing failing; /* the fault, with v3's words */
    int status;             /* HTTP, 0: none came */
    bool may_have_cost;
    int64_t units;     /* taken, -1: not known */
    struct slice body; /* without a fault */
};

/* NULL when memory is out. */
struct records *records_new(const struct records_way *way, int64_t gather_ms);
/* Nothing is told any more. NULL is allowed. */
void records_free(struct records *r);

/* Another time to gather, from the next target on. */
void records_set_gather(struct records *r, int64_t gather_ms);

/* Take a seat for a record with (at least) these fields. False when memory is out. */
[[nodiscard]] bool records_join(struct records *r, struct record_seat *seat, const struct record_key *key,
                                uint32_t need, int64_t now_ms);

/* Give the seat up; seat.told is not called any more. Returns the units that the call may owe: its share, when it pays
 * for a record that was asked for and has not come. */
int64_t records_leave(struct records *r, struct record_seat *seat, int64_t now_ms);

/* What seat.hold asked for is done, on disk. False: it could not be; then the target is not asked for. */
void records_held(struct records *r, struct record_seat *seat, bool done, int64_t now_ms);

/* Whether the call waits for a POST that has been closed. */
bool records_is_closed(const struct record_seat *seat);

/* The POST's turn has come. It is not cancelled from inside of this. */
void records_turn(struct records *r, struct records_post *post, int64_t now_ms);

/* The POST has ended, whether it had its turn or not. It is gone afterwards. */
void records_answered(struct records *r, struct records_post *post, const struct records_answer *answer,
                      int64_t now_ms);

/* Our own price of the POST. */
int64_t records_price(const struct records_post *post);

void records_clock(struct records *r, int64_t now_ms);

/* Targets that wait for a POST to be closed. */
size_t records_waiting(const struct records *r);

#endif
