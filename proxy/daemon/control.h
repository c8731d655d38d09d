/* SPDX-License-Identifier: MIT
 *
 * Commands on the books reach the running daemon over the control socket, so that the books have one writer only.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_CONTROL_H
#define ANCHORAGE_PROXY_DAEMON_CONTROL_H

#include "base/buffer.h"
#include "proxy/ledger/ledger.h"

struct event_base;
struct control;

/* How a command ends, here and over the socket: done; the thing asked about is wrong; the command line is wrong. */
enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_REFUSED = 78 /* EX_CONFIG of sysexits.h */ };

/* Listen on STATE_DIRECTORY/control.sock (0660) and run what comes on `ledger`. NULL with a line in `why`. */
struct control *control_new(struct event_base *base, const char *state_directory, struct ledger *ledger,
                            struct buffer *why);

/* A command that begins with `word` is run by `run` instead of the ledger. `run` calls `done` once, from the loop, or
 * never when the control is freed before. */
typedef void control_command(void *context, int argc, const char *const *argv, ledger_command_done *done,
                             void *done_context);
void control_serve(struct control *c, const char *word, control_command *run, void *context);

/* Close it and remove the socket. NULL is allowed. */
void control_free(struct control *c);

enum control_result { CONTROL_DONE, CONTROL_NO_DAEMON, CONTROL_BROKEN };

/* A portion of what a command says; both may be emptied. False when its reader has gone. */
typedef bool control_portion(void *context, struct buffer *out, struct buffer *err);

/* Ask the daemon to run the words on its books. CONTROL_NO_DAEMON: no daemon listens there. On CONTROL_DONE *status,
 * out and err are what the command gave, after all portions but the last were shown to `portion` (NULL: they gather in
 * out and err); on CONTROL_BROKEN `err` has a line. Blocks. */
enum control_result control_ask(const char *state_directory, int argc, const char *const *argv, struct slice input,
                                control_portion *portion, void *context, int *status, struct buffer *out,
                                struct buffer *err);

/* Whether a daemon listens there (as far as this user may see). */
bool control_is_there(const char *state_directory);

#endif
