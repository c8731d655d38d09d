/* SPDX-License-Identifier: MIT
 *
 * A supervisor is told how the daemon does, by systemd's protocol of Type=notify: a datagram of lines to
 * $NOTIFY_SOCKET, and signs of life for its watchdog. Without a supervisor all of it does nothing.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_SD_NOTIFY_H
#define ANCHORAGE_PROXY_DAEMON_SD_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buffer.h"

struct event;
struct event_base;

struct sd_notify {
    int fd; /* -1: there is no supervisor */
    struct sockaddr_un address;
    socklen_t n;
    struct event *watchdog; /* NULL: there is no watchdog */
};

/* Take $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment; from now on a sign of life leaves `base` at half of
 * the watchdog's time. False with a line in `why` when there is a supervisor that cannot be told. */
[[nodiscard]] bool sd_notify_start(struct sd_notify *n, struct event_base *base, struct buffer *why);
void sd_notify_end(struct sd_notify *n);

/* Say that calls are taken; it also ends sd_notify_reloading. `status` is what `systemctl status` shows. */
void sd_notify_ready(const struct sd_notify *n, const char *status);
void sd_notify_reloading(const struct sd_notify *n);
/* Say that the end has begun, and may take so long. */
void sd_notify_stopping(const struct sd_notify *n, int64_t at_most_ms, const char *status);

#endif
