/* SPDX-License-Identifier: MIT
 *
 * The step turn: a call waits until its team may have one more running.
 */
#ifndef ANCHORAGE_PROXY_CALL_TURN_H
#define ANCHORAGE_PROXY_CALL_TURN_H

#include "proxy/call/exchange.h"

enum onward turn_enter(struct exchange *x);
enum onward turn_late(struct exchange *x);
enum onward turn_gone(struct exchange *x);

/* Its ticket calls this; `context` is the exchange. */
void turn_came(void *context);

#endif
