/* SPDX-License-Identifier: MIT
 *
 * What a call ends with: body, counts, marks, and which call paid. The only writer of x->outcome.
 */
#ifndef ANCHORAGE_PROXY_CALL_OUTCOME_H
#define ANCHORAGE_PROXY_CALL_OUTCOME_H

#include "proxy/call/exchange.h"

/* Forget what was shared so far: the call looks anew at what is remembered under `question`. */
void outcome_begin(struct exchange *x, struct slice question);

/* Take the answer that is remembered under the question, if it costs no more than `most` v2 rows (LEDGER_NO_LIMIT:
 * any). False when there is none, or no memory for it. */
[[nodiscard]] bool outcome_from_cache(struct exchange *x, int64_t most);

/* Copy the body of the answer that another call has given; may run on the worker thread. Then take the rest of it:
 * false when there was no memory for it. */
void outcome_copy_given(struct exchange *x);
[[nodiscard]] bool outcome_from_flight(struct exchange *x);

/* Order, cut and count the rows that came, and write the answer of at most `held_rows` v2 rows. May run on the worker
 * thread: touches the translation and the outcome alone. What is wrong is in the refusal that it returns. */
struct refusal outcome_from_rows(struct exchange *x, int64_t held_rows);

/* Write the answer of a table that is answered from our own books. */
void outcome_from_books(struct exchange *x);

/* Write the marks of the rows that came. False when memory is out. */
[[nodiscard]] bool outcome_mark(struct exchange *x);

/* Write what this call is told of its answer: the answer's marks, and those of this call alone. False when memory is
 * out. */
[[nodiscard]] bool outcome_say_marks(struct exchange *x);

/* The body says that the call is refused, and why, in the output that was asked for. */
void outcome_refuse(struct exchange *x, struct slice why);

/* A part of the answer was remembered: `payer` is the call that asked v3 for it. The first one counts. */
void outcome_replayed(struct exchange *x, struct slice payer);

/* Another call's request has brought a part of the answer. */
void outcome_shared_part(struct exchange *x, struct slice payer);
void outcome_shared_page(struct exchange *x);

/* The call pays a share of a part that others asked for as well: the part alone has its price of its own. */
void outcome_paid_share(struct exchange *x, int64_t units);

/* Decide what the call owes, of `held_rows` at most: the answer; nothing when it was refused, but for one whose client
 * has left: the rows of its answer that whole pages had brought which it had asked v3 for itself. */
void outcome_charge(struct exchange *x, int64_t held_rows);

/* The books could not take what the call owes: it owes nothing. */
void outcome_charge_nothing(struct exchange *x);

/* The answer was cut short by our own limits: why. */
void outcome_say_why(struct exchange *x, struct slice why);

/* What the call would have cost, had nothing been remembered; `spent`: the units that it did cost. */
int64_t outcome_units_alone(const struct exchange *x, int64_t spent);

/* Give the answer to the calls that wait for it and, when the call has asked v3, remember it; but not when our own
 * limits cut it short: then its pages serve others. */
void outcome_keep(struct exchange *x, int64_t spent, bool asked_upstream);

/* Other calls are told of this refusal if it is v3's doing, so that asking again at once would bring no other answer.
 */
void outcome_blame(struct exchange *x, enum flight_kind kind, struct refusal refusal, int64_t retry_after_ms);

#endif
