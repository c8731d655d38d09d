/* SPDX-License-Identifier: MIT
 *
 * Operations, out and back: to the writing thread, or to the disk at once where there is none; and the answers for the
 * calls that wait for them.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_OPERATIONS_H
#define ANCHORAGE_PROXY_LEDGER_OPERATIONS_H

#include "proxy/ledger/writer.h"

struct ledger;

/* Have `done` called from the loop, and not before this returns; without a base at once. NULL is allowed. */
void operation_answer(struct ledger *l, struct slice team, ledger_done *done, void *context,
                      enum ledger_outcome outcome);

/* Send an operation on its way: to the thread, or to the disk at once. */
void operation_push(struct ledger *l, struct op *op);

/* An operation came back. */
void operation_finished(struct ledger *l, struct op *op);

/* All of these did. */
void operations_finished(struct ledger *l, struct op_list ops);

#endif
