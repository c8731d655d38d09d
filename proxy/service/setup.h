/* SPDX-License-Identifier: MIT
 *
 * What the daemon and the commands need of the configuration.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_SETUP_H
#define ANCHORAGE_PROXY_SERVICE_SETUP_H

#include "base/buffer.h"
#include "config/config.h"
#include "proxy/ledger/ledger.h"

/* The teams and limits as the books want them; the array is allocated and in `ret->teams`. False when memory is out. */
[[nodiscard]] bool setup_ledger_options(const struct config *c, struct ledger_options *ret);

/* What calls may hold together, in bytes. */
size_t setup_call_memory(const struct config *c);

/* free_targets as one text separated by spaces. */
void setup_free_targets(const struct config *c, struct buffer *out);

/* Root becomes the owner of the state directory for good: files of root in it would keep the daemon out of its own
 * books. Before the books are opened by a command. False with a line in `why`. */
[[nodiscard]] bool setup_become_owner(const char *state_directory, struct buffer *why);

#endif
