/* SPDX-License-Identifier: MIT
 *
 * The control socket: commands on the books reach the running daemon here, so that there is one writer only.
 */
#ifndef ANCHORAGE_PROXY_CONTROL_H
#define ANCHORAGE_PROXY_CONTROL_H

#include "base/buffer.h"
#include "proxy/ledger/ledger.h"

struct event_base;
struct control;

/* Listen on STATE_DIRECTORY/control.sock (0660) and run what comes on `ledger`. NULL with a line in `why`. */
struct control *control_new(struct event_base *base, const char *state_directory, struct ledger *ledger,
                            struct buffer *why);

/* Close it and remove the socket. NULL is allowed. */
void control_free(struct control *c);

enum control_result { CONTROL_DONE, CONTROL_NO_DAEMON, CONTROL_BROKEN };

/* Ask the daemon to run the words on its books. CONTROL_NO_DAEMON: nobody listens there. On CONTROL_DONE *status, out
 * and err are what the command gave; on CONTROL_BROKEN `err` has a line. Blocks. */
enum control_result control_ask(const char *state_directory, int argc, const char *const *argv, struct slice input,
                                int *status, struct buffer *out, struct buffer *err);

/* Whether a daemon listens there (as far as this user may see). */
bool control_is_there(const char *state_directory);

#endif
