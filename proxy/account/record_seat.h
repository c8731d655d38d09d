/* SPDX-License-Identifier: MIT
 *
 * The words of the desk for target records (records.h): what a record is of, a call's seat, the way to v3.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_RECORD_SEAT_H
#define ANCHORAGE_PROXY_ACCOUNT_RECORD_SEAT_H

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

#endif
