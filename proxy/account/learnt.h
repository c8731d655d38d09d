/* SPDX-License-Identifier: MIT
 *
 * What was learnt of v3, for each key, in a small file of the state directory, so that a start without network knows
 * it. It may be deleted: it is learnt anew. The day that units are counted from is not here; the ledger keeps it.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_LEARNT_H
#define ANCHORAGE_PROXY_ACCOUNT_LEARNT_H

#include "proxy/account/account.h"

/* Take what the file says into the accounts; nothing when there is none, or what is no such line. */
void learnt_read(const char *state_directory, struct accounts *a);

/* Write it anew, unless it says so already. Only whoever holds the ledger may. False with a line in `why`. */
[[nodiscard]] bool learnt_write(const char *state_directory, const struct accounts *a, struct buffer *why);

#endif
