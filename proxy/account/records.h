/* SPDX-License-Identifier: MIT
 *
 * The desk for target records of one v3 key: calls that need one take a seat, targets gather, and one POST asks v3 for
 * many of them. Pure: the clock is passed in, and the way to v3 is handed in as functions (record_desk.h has the real
 * ones). Knows no call: a call brings its seat.
 *
 *   seat:   records_join -> seat.hold, records_held (once, or again after a refusal) -> seat.told
 *           records_leave at any moment before seat.told
 *   POST:   way.start -> records_turn -> way.send -> records_answered
 *
 * Targets gather in pots: free ones apart from others, each country apart. A pot is due when nothing has joined for
 * gather_ms and no other is likely to in a moment, or when the first has waited five times that (longer only while
 * holds of others are being written); a hundred targets that need the same are due at once. Then a POST gets in the
 * line for the rate, and whatever joins until its turn comes goes along. With its turn the POST is closed: shares are
 * known, every seat is told to hold its own, and when all do it leaves.
 *
 * The first seat of a target pays for it. A refused POST cost nothing: a target that v3 names is told so, and the
 * others go again; else they go in two halves.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_RECORDS_H
#define ANCHORAGE_PROXY_ACCOUNT_RECORDS_H

#include "proxy/account/record_seat.h"

/* NULL when memory is out. */
struct records *records_new(const struct records_way *way, int64_t gather_ms);
/* Nothing is told any more. NULL is allowed. */
void records_free(struct records *r);

/* Another time to gather, from the next target on. */
void records_set_gather(struct records *r, int64_t gather_ms);

/* Take a seat for a record with (at least) these fields. False when memory is out. */
[[nodiscard]] bool records_join(struct records *r, struct record_seat *seat, const struct record_key *key,
                                uint32_t need, int64_t now_ms);

/* A call will take a seat in a moment, when its hold is on the disk; and it has, or does not. */
void records_coming(struct records *r, bool comes, int64_t now_ms);

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
