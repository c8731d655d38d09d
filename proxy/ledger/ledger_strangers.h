/* SPDX-License-Identifier: MIT
 *
 * The strangers of the books: read at the start, written once in a while.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_LEDGER_STRANGERS_H
#define ANCHORAGE_PROXY_LEDGER_LEDGER_STRANGERS_H

#include "base/buffer.h"

struct ledger;

/* Make, read and write them; at the end also write what has not been written yet. */
[[nodiscard]] bool ledger_strangers_open(struct ledger *l, struct buffer *why);
void ledger_strangers_close(struct ledger *l);

#endif
