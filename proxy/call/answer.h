/* SPDX-License-Identifier: MIT
 *
 * The step answer: the one place that answers, and the line in the access log.
 */
#ifndef ANCHORAGE_PROXY_CALL_ANSWER_H
#define ANCHORAGE_PROXY_CALL_ANSWER_H

#include "proxy/call/exchange.h"

enum onward answer_enter(struct exchange *x);

#endif
