/* SPDX-License-Identifier: MIT
 *
 * The daemon and the commands get what they need of the configuration here.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_SETUP_H
#define ANCHORAGE_PROXY_SERVICE_SETUP_H

#include "base/buffer.h"
#include "config/config.h"
#include "proxy/ledger/ledger.h"

/* Give the teams and limits as the ledger wants them. `ret->teams` is allocated; the caller frees it. False when memory
 * is out. */
[[nodiscard]] bool setup_ledger_options(const struct config *c, struct ledger_options *ret);

/* How many bytes all calls together may hold. */
size_t setup_call_memory(const struct config *c);

/* Append free_targets as one text, separated by spaces. */
void setup_free_targets(const struct config *c, struct buffer *out);

/* Root becomes the owner of the state directory for good, since files of root in it would keep the daemon out of its
 * own books. A command calls it before it opens the books. False with a line in `why`, which says how to put it right,
 * where the books are, or would be, another user's than the daemon's. */
[[nodiscard]] bool setup_become_owner(const char *state_directory, struct buffer *why);

/* Whether there may be books in the state directory: a command that reads makes none. */
bool setup_has_books(const char *state_directory);

/* Whether the files that the configuration names, keys and the token of the admin side, are good; a line in `out` for
 * each that is not. Certificates are not looked at. */
[[nodiscard]] bool setup_files_are_good(const struct config *config, struct buffer *out);

#endif
