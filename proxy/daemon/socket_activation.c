/* SPDX-License-Identifier: MIT
 * A supervisor hands in descriptors from 3 on, with a name for each. */
#include "proxy/daemon/socket_activation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

enum { FIRST = 3 };

static const struct {
    struct slice name;
    const char *option;
} names[] = {
    { SLICE("http"), "listen" },
    { SLICE("tls"), "listen_tls" },
    { SLICE("admin"), "admin" },
};

static const char *option_of(struct slice name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq(names[i].name, name))
            return names[i].option;
    return NULL;
}

/* How many sockets are for this process. */
static uint64_t count(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    uint64_t n = 0, who = 0;
    if (!pid || !fds || !parse_u64(slice_str(pid), &who) || who != (uint64_t)getpid() || !parse_u64(slice_str(fds), &n))
        return 0;
    return n;
}

bool socket_activation_find(struct socket_activation *all, struct buffer *why)
{
    const char *list = getenv("LISTEN_FDNAMES");
    struct slice rest = slice_str(list ? list : "");
    uint64_t n = count();
    bool good = n <= SOCKET_ACTIVATION_MAX;
    if (!good)
        buffer_printf(why, "LISTEN_FDS: %llu sockets are handed in; at most %d", (unsigned long long)n,
                      SOCKET_ACTIVATION_MAX);
    for (int i = 0; good && i < (int)n; i++) {
        struct slice name = list ? slice_split(rest, ':', &rest) : S("http");
        const char *option = option_of(name);
        good = option && fcntl(FIRST + i, F_SETFD, FD_CLOEXEC) == 0;
        if (good) {
            all->sockets[all->n].option = option;
            all->sockets[all->n++].fd = FIRST + i;
        } else {
            buffer_printf(
                why,
                "a socket named \"%.*s\" is handed in as descriptor %d; FileDescriptorName= in its unit must be "
                "http, tls or admin",
                SLICE_ARGS(name), FIRST + i);
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return good;
}

int socket_activation_take(struct socket_activation *all, const char *option)
{
    for (size_t i = 0; i < all->n; i++) {
        int fd = all->sockets[i].fd;
        if (fd < 0 || strcmp(all->sockets[i].option, option) != 0)
            continue;
        all->sockets[i].fd = -1;
        return fd;
    }
    return -1;
}

bool socket_activation_all_taken(const struct socket_activation *all, struct buffer *why)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->sockets[i].fd < 0)
            continue;
        buffer_printf(why, "a socket is handed in for %s, which is not served", all->sockets[i].option);
        return false;
    }
    return true;
}

void socket_activation_end(struct socket_activation *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->sockets[i].fd >= 0)
            close(all->sockets[i].fd);
    all->n = 0;
}
