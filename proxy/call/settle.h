/* SPDX-License-Identifier: MIT
 *
 * The step settle: the one place that charges. The exact price takes the place of what was held, and is on disk before
 * the answer leaves.
 */
#ifndef ANCHORAGE_PROXY_CALL_SETTLE_H
#define ANCHORAGE_PROXY_CALL_SETTLE_H

#include "proxy/call/exchange.h"

enum onward settle_enter(struct exchange *x);

#endif
