/* SPDX-License-Identifier: MIT
 *
 * The program's sub-commands. Each takes its own words (without the program's name and without --config), prints, and
 * returns the exit status: 0 done, 1 the thing asked about is wrong, 2 the command line is wrong.
 */
#ifndef ANCHORAGE_PROXY_COMMAND_PROGRAM_H
#define ANCHORAGE_PROXY_COMMAND_PROGRAM_H

#include "base/buffer.h"
#include "config/config.h"
#include "proxy/ledger/ledger.h"

enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

/* serve.c: run in the foreground until SIGTERM. */
int program_serve(const struct config *config);

/* check.c: try what serve would need. */
int program_check(const struct config *config);

/* explain.c: what a v2 call becomes and may cost. */
int program_explain(const struct config *config, int argc, char **argv);

/* doctor_command.c: what the v3 key, plan and API really do; through the daemon when one runs. */
int program_doctor(const struct config *config, int argc, char **argv);

/* books.c: key, usage, ledger; through the daemon when one runs. argv[0] is the first word. */
int program_books(const struct config *config, int argc, char **argv);

/* setup.c: what serve and the commands need of the configuration. */

/* The teams and limits as the books want them; the array is allocated and in `ret->teams`. False when memory is out. */
[[nodiscard]] bool setup_ledger_options(const struct config *c, struct ledger_options *ret);
/* The v3 key: the file's text without white space at its ends, appended to `key`, which the caller wipes. False with a
 * line in `why`. */
[[nodiscard]] bool setup_read_key(const char *file, struct buffer *key, struct buffer *why);
/* The same for the token of the admin side; one that could be guessed is refused. */
[[nodiscard]] bool setup_read_admin_token(const char *file, struct buffer *token, struct buffer *why);
/* What calls may hold together, in bytes. */
size_t setup_call_memory(const struct config *c);
/* free_targets as one text separated by spaces. */
void setup_free_targets(const struct config *c, struct buffer *out);

/* Root becomes the owner of the state directory for good: files of root in it would keep the daemon out of its own
 * books. Before the books are opened by a command. False with a line in `why`. */
[[nodiscard]] bool setup_become_owner(const char *state_directory, struct buffer *why);

#endif
