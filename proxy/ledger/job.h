/* SPDX-License-Identifier: MIT
 *
 * Commands on threads of their own, and what they changed of the keys.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_JOB_H
#define ANCHORAGE_PROXY_LEDGER_JOB_H

#include "proxy/ledger/entries/types.h"

struct ledger;

/* Write the strangers on a thread of its own; `done` comes as that of a command. False when it cannot start. */
[[nodiscard]] bool jobs_write_strangers(struct ledger *l, ledger_command_done *done, void *context);

/* Read the keys again, which a command changed when memory was out. */
void jobs_refresh_keys(struct ledger *l);

/* Wait for the commands that run, and forget them. */
void jobs_end(struct ledger *l);

#endif
