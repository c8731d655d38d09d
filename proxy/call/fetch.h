/* SPDX-License-Identifier: MIT
 *
 * The step fetch: sends a round of v3 requests side by side, hands their bytes to the translation as they come, and
 * adds up what they cost. Waits for what other calls ask, too.
 *
 * ONWARD: all is there. AGAIN: the list has another page. ANEW: the call that this one had joined gave up.
 */
#ifndef ANCHORAGE_PROXY_CALL_FETCH_H
#define ANCHORAGE_PROXY_CALL_FETCH_H

#include "proxy/call/exchange.h"

/* v3 units of a call so far. */
struct spending {
    int64_t known;     /* by the headers */
    int64_t predicted; /* by our prices, of all requests that were made */
    int64_t unknown;   /* predicted, of those whose price is not known */
    bool any_unknown;
    bool any; /* something was, or may have been, taken */
};

enum onward fetch_enter(struct exchange *x);
enum onward fetch_late(struct exchange *x);
enum onward fetch_gone(struct exchange *x);

/* What the call has spent; all 0 before the first request. */
struct spending fetch_spending(const struct exchange *x);

/* Known and unknown units of it together. */
int64_t fetch_units(const struct exchange *x);

/* Not all came from what was remembered. */
bool fetch_has_asked(const struct exchange *x);

/* End what is under way without waiting for it; what it may have cost counts as unknown. */
void fetch_cancel(struct exchange *x);

/* A call of `team` waits for what this one asks: a request that waits for the rate shall not wait longer than one of
 * that team would. */
void fetch_hurry(struct exchange *x, enum flight_kind kind, struct slice team);

#endif
