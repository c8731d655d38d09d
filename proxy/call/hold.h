/* SPDX-License-Identifier: MIT
 *
 * The step hold: rows and units of the next round are held in the ledger, durably, before it is sent. Where other
 * calls' holds stand in the way, the call waits for room. Memory that the call may need is set aside here as well.
 */
#ifndef ANCHORAGE_PROXY_CALL_HOLD_H
#define ANCHORAGE_PROXY_CALL_HOLD_H

#include "proxy/call/exchange.h"

enum onward hold_enter(struct exchange *x);
enum onward hold_late(struct exchange *x);
enum onward hold_gone(struct exchange *x);

/* The ledger has a hold of this call that has not ended. */
bool hold_is_open(const struct exchange *x);

/* The call stands in the wait list. */
bool hold_is_waiting(const struct exchange *x);

/* The call needed no hold, for it asks v3 nothing and costs nothing: its settle stands alone. */
bool hold_is_waived(const struct exchange *x);

/* v2 rows and v3 units held on the books so far. */
int64_t hold_rows(const struct exchange *x);
int64_t hold_units(const struct exchange *x);

/* What of a limit is too little for a call. */
struct shortage {
    enum limit_kind { LIMIT_ROWS, LIMIT_TEAM_UNITS, LIMIT_WHOLE_UNITS } kind;
    int64_t left;        /* of the limit, though other calls may hold some of it */
    int64_t least, most; /* that the call needs, and may need; least 0: nobody knows */
    int64_t spent;       /* units that it has cost by now */
};

/* Refuse it for this, with what was asked for, what is left of what, until when, and what would be right. */
enum onward hold_refuse(struct exchange *x, const struct shortage *s);

/* Set aside `rows` and `units` for the whole call, and as much of the `allowance` as is free, which becomes that.
 * ONWARD; AGAIN: only other calls' holds stand in the way, and hold_enter waits for them (x->next_hold.waits); REFUSE.
 */
[[nodiscard]] enum onward hold_whole(struct exchange *x, int64_t rows, int64_t units, struct units *allowance);

/* Hold `to` units for something for which `from` are held, within what was set aside for the call. `done` comes from
 * the loop, with the exchange; false: there is nothing to write. */
[[nodiscard]] bool hold_change(struct exchange *x, int64_t from, int64_t to, ledger_done *done);

/* Set aside memory for the call's rows, once. ONWARD; or what waiting for it comes to: the step is then entered again,
 * and hold_late and hold_gone are for the wait. */
[[nodiscard]] enum onward hold_set_aside(struct exchange *x);

/* The wait for memory is over, and what it was for is decided anew. */
void hold_try_ended(struct exchange *x);

/* Give back what was set aside, memory and, when nothing was held, rows and units. True: waitlist_retry may find a call
 * that it is enough for. */
bool hold_give_back(struct exchange *x);

/* The ledger has ended the hold. */
void hold_ended(struct exchange *x);

#endif
