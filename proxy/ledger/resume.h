/* SPDX-License-Identifier: MIT
 *
 * Taking over the books after they were opened.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_RESUME_H
#define ANCHORAGE_PROXY_LEDGER_RESUME_H

#include "base/buffer.h"
#include "proxy/ledger/store/recovery.h"

struct ledger;

/* Take over the state of freshly opened books: counters from the disk, holds of the dead ended, limits noted. With a
 * thread, *together becomes the number of operations that it must write in one transaction. On failure what was lost is
 * still known, and the state may be read and taken once more. */
[[nodiscard]] bool resume_take(struct ledger *l, const struct recovery *fresh, size_t *together, struct buffer *why);

/* Write notes where the limits differ from those remembered. */
[[nodiscard]] bool resume_note_limits(struct ledger *l, struct buffer *why);

#endif
