/* SPDX-License-Identifier: MIT
 *
 * Both ends of the control socket write this. A question has words and input, an answer has status, output and
 * messages. Each part has its length before it (32 bits, host order: both ends are this program on this machine). A
 * long answer comes in portions, each with these three parts; the status of all but the last is CONTROL_STATUS_MORE.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_CONTROL_WIRE_H
#define ANCHORAGE_PROXY_DAEMON_CONTROL_WIRE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/buffer.h"

enum {
    CONTROL_MAX_WORDS = 64,
    CONTROL_MAX_WORDS_BYTES = 65536, /* few, since they are looked at anew whenever more has come */
    CONTROL_STATUS_MORE = -1,
};

/* Give the address of STATE_DIRECTORY/control.sock. False when the path is too long for one. */
[[nodiscard]] bool control_address(struct sockaddr_un *a, const char *state_directory);

void control_put_part(struct buffer *b, struct slice part);

/* Take the next part from `in`. False when it is not whole. */
[[nodiscard]] bool control_take_part(struct slice *in, struct slice *part);

#endif
