/* SPDX-License-Identifier: MIT
 *
 * A small file of the state directory keeps what was learnt of v3 for each key, so that a start without network knows
 * it. The file may be deleted: all of it is learnt anew. The ledger keeps the day that units are counted from.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_LEARNT_H
#define ANCHORAGE_PROXY_ACCOUNT_LEARNT_H

#include "proxy/account/account.h"

/* Take what the file says into the accounts. Lines of another form, and a file that is missing, say nothing. */
void learnt_read(const char *state_directory, struct accounts *a);

/* Write the file anew, unless it says the same already. Only the process that holds the ledger may write it. False with
 * a line in `why`. */
[[nodiscard]] bool learnt_write(const char *state_directory, const struct accounts *a, struct buffer *why);

#endif
