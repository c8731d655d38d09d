/* SPDX-License-Identifier: MIT
 *
 * The program's sub-commands. Each takes its own words (without the program's name and without --config), which
 * main.c has judged before any file was opened, prints, and returns the exit status: 0 done, 1 the thing asked about is
 * wrong, 2 the command line is wrong; serve also 78, the configuration is refused, and starting again will not help.
 */
#ifndef ANCHORAGE_PROXY_COMMAND_PROGRAM_H
#define ANCHORAGE_PROXY_COMMAND_PROGRAM_H

#include "base/words/words.h"
#include "config/config.h"
#include "proxy/daemon/control.h"

/* check.c: try what serve would need; or, with `reload`, what a running daemon reads when it is told to: nothing is
 * bound then, and keys are not looked at. */
int program_check(const struct config *config, bool reload);

/* explain.c: what v2 calls become and may cost; by the defaults when `config` is NULL. Whether its words can be right
 * is told, and what is wrong printed, before anything is opened. */
bool program_explain_fits(int argc, char **argv);
int program_explain(const struct config *config, int argc, char **argv);

/* doctor_command.c: what the v3 key, plan and API really do; through the daemon when one runs. */
int program_doctor(const struct config *config, const struct words *words);

/* ledger_command.c: key, usage, ledger; through the daemon when one runs. argv[0] is the first word, and `words` are
 * what became of them. */
int program_ledger(const struct config *config, const struct words *words, int argc, char **argv);

#endif
