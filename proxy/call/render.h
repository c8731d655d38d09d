/* SPDX-License-Identifier: MIT
 *
 * The step render: v3's rows become v2's bytes; a large answer is made on the worker thread.
 */
#ifndef ANCHORAGE_PROXY_CALL_RENDER_H
#define ANCHORAGE_PROXY_CALL_RENDER_H

#include "proxy/call/exchange.h"

enum onward render_enter(struct exchange *x);

#endif
