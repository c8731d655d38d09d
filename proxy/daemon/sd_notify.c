/* SPDX-License-Identifier: MIT
 * The protocol is that of sd_notify(3), which is stable. For four kinds of datagram a library with all of its
 * dependencies would be one more thing to load and to trust. */
#include "proxy/daemon/sd_notify.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { PATIENCE_S = 1, MARGIN_MS = 10000 };

static void tell(const struct sd_notify *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(const struct sd_notify *n, const char *format, ...)
{
    struct buffer lines = buffer_with_cap(4096);
    va_list args;
    if (n->fd < 0)
        return;
    va_start(args, format);
    buffer_vprintf(&lines, format, args);
    va_end(args);
    if (!lines.failed)
        (void)!sendto(n->fd, lines.p, lines.n, MSG_NOSIGNAL, (const struct sockaddr *)&n->address, n->n);
    buffer_clear(&lines);
}

static void on_watchdog(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    tell(context, "WATCHDOG=1");
}

/* The name is a path, or @ and a name that is in no file system. */
static bool set_address(struct sd_notify *n, struct slice name)
{
    if (name.n < 2 || name.n >= sizeof n->address.sun_path || (name.p[0] != '/' && name.p[0] != '@'))
        return false;
    n->address.sun_family = AF_UNIX;
    memcpy(n->address.sun_path, name.p, name.n);
    if (name.p[0] == '@')
        n->address.sun_path[0] = 0;
    n->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
    return true;
}

/* The watchdog's time when it watches this process; else 0. */
static int64_t watchdog_us(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t n = 0, who = 0;
    if (!us || !parse_u64(slice_str(us), &n) || n > INT64_MAX)
        return 0;
    if (pid && (!parse_u64(slice_str(pid), &who) || who != (uint64_t)getpid()))
        return 0;
    return (int64_t)n;
}

bool sd_notify_start(struct sd_notify *n, struct event_base *base, struct buffer *why)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int64_t half_us = watchdog_us() / 2;
    *n = (struct sd_notify){ .fd = -1 };
    if (!name || !name[0])
        return true;
    if (!set_address(n, slice_str(name))) {
        buffer_printf(why, "NOTIFY_SOCKET is %s: an absolute path or @NAME is expected", name);
        return false;
    }
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n->fd < 0) {
        buffer_printf(why, "NOTIFY_SOCKET: %s", strerror(errno));
        return false;
    }
    setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* the loop must not hang on a supervisor */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (half_us <= 0)
        return true;
    struct timeval half = { .tv_sec = (time_t)(half_us / 1000000), .tv_usec = (suseconds_t)(half_us % 1000000) };
    n->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, n);
    if (n->watchdog && event_add(n->watchdog, &half) == 0)
        return true;
    buffer_str(why, "memory is out");
    return false;
}

void sd_notify_end(struct sd_notify *n)
{
    if (n->watchdog)
        event_free(n->watchdog);
    n->watchdog = NULL;
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void sd_notify_ready(const struct sd_notify *n, const char *status)
{
    tell(n, "READY=1\nSTATUS=%s", status);
}

void sd_notify_reloading(const struct sd_notify *n)
{
    tell(n, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_us());
}

void sd_notify_stopping(const struct sd_notify *n, int64_t at_most_ms, const char *status)
{
    tell(n, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld\nSTATUS=%s", (long long)(at_most_ms + MARGIN_MS) * 1000, status);
}
