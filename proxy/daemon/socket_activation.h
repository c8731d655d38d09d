/* SPDX-License-Identifier: MIT
 *
 * A supervisor hands in listening sockets, by systemd's protocol of socket activation ($LISTEN_PID, $LISTEN_FDS,
 * $LISTEN_FDNAMES). They stay open there while this process comes and goes, so no client is refused in between.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_SOCKET_ACTIVATION_H
#define ANCHORAGE_PROXY_DAEMON_SOCKET_ACTIVATION_H

#include "base/buffer.h"

enum { SOCKET_ACTIVATION_MAX = 64 };

struct socket_activation {
    struct {
        const char *option; /* the option of [proxy] whose addresses it stands for */
        int fd;             /* -1: taken */
    } sockets[SOCKET_ACTIVATION_MAX];
    size_t n;
};

/* Find what is handed in to this process, and take it out of the environment. False with a line in `why` when there is
 * a name that we do not know. */
[[nodiscard]] bool socket_activation_find(struct socket_activation *all, struct buffer *why);

/* Take the next socket for the option: its descriptor, which the caller owns; -1 when there is none (left). */
int socket_activation_take(struct socket_activation *all, const char *option);

/* True when all are taken; else false with a line in `why`. */
[[nodiscard]] bool socket_activation_all_taken(const struct socket_activation *all, struct buffer *why);

/* Close those that were not taken. */
void socket_activation_end(struct socket_activation *all);

#endif
