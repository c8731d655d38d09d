/* SPDX-License-Identifier: MIT
 *
 * The steps read and plan: from a request's bytes to a key, a call, and what v3 has to be asked.
 */
#ifndef ANCHORAGE_PROXY_CALL_READ_H
#define ANCHORAGE_PROXY_CALL_READ_H

#include "proxy/call/exchange.h"

enum onward read_enter(struct exchange *x);

/* SKIP: our own books have the answer. DONE: it is a HEAD. */
enum onward plan_enter(struct exchange *x);

#endif
