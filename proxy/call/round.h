/* SPDX-License-Identifier: MIT
 *
 * The step round: which v3 requests are sent next, side by side, and what has to be held for them: the next page of the
 * list; with the first page also the parts beside it, unless they are known or another call is asking.
 */
#ifndef ANCHORAGE_PROXY_CALL_ROUND_H
#define ANCHORAGE_PROXY_CALL_ROUND_H

#include "proxy/call/exchange.h"

enum onward round_enter(struct exchange *x);

/* What the call had a seat for is over: a part. */
void round_told(struct exchange *x, enum flight_kind kind, const struct flight_news *news);

/* v2 rows of the biggest answer that the team's limit has room for; and these it has room for, LEDGER_NO_LIMIT when
 * it has no limit. */
int64_t round_rows_of_all(const struct exchange *x);
int64_t round_rows_most(const struct exchange *x);

/* Which of our limits cut the answer short, with numbers; p NULL when memory is out. */
struct slice round_why_cut(const struct exchange *x, enum translation_cut cut);

#endif
