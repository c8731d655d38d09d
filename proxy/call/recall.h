/* SPDX-License-Identifier: MIT
 *
 * The step recall, before v3 is asked: take what is remembered, and wait for what another call is asking right now.
 * Both cost no units.
 *
 * ONWARD: the beginning of the list is known, and the rest is to be asked for (x->is_new_list, x->translation).
 * SKIP: the whole answer is there, or another call is asking for it; x->next_hold is what it takes.
 */
#ifndef ANCHORAGE_PROXY_CALL_RECALL_H
#define ANCHORAGE_PROXY_CALL_RECALL_H

#include "proxy/call/exchange.h"

enum onward recall_enter(struct exchange *x);
enum onward recall_late(struct exchange *x);
enum onward recall_gone(struct exchange *x);

/* What the call had a seat for is over: the answer of a whole call, or a page of the list. */
void recall_told(struct exchange *x, enum flight_kind kind, const struct flight_news *news);

#endif
