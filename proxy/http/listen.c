/* SPDX-License-Identifier: MIT
 * Listeners: addresses as text to sockets, accepting, caps, and what to do when descriptors are out. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "proxy/http/doorman.h"
#include "proxy/http/server.h"

enum { BACKLOG = 4096, PAUSE_MS = 250, MAX_ACCEPTED_A_TURN = 256, ACCEPTING_US = 500, MAX_SHED_FOR_DESCRIPTORS = 16 };

struct address {
    struct sockaddr_storage socket;
    socklen_t n;
    bool is_both; /* IPv4 too on an IPv6 socket */
};

static bool parse_port(struct slice s, in_port_t *port)
{
    uint64_t n;
    if (s.n > 5 || !parse_u64(s, &n) || n > 65535)
        return false;
    *port = htons((uint16_t)n);
    return true;
}

static bool parse_unix(struct slice path, struct address *a)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->socket;
    if (!path.n || path.n >= sizeof un->sun_path)
        return false;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.p, path.n);
    a->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return true;
}

static bool parse_v6(struct slice host, in_port_t port, struct address *a)
{
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->socket;
    char text[INET6_ADDRSTRLEN] = "";
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    a->n = sizeof *v6;
    return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1;
}

static bool parse_v4(struct slice host, in_port_t port, struct address *a)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a->socket;
    char text[INET_ADDRSTRLEN] = "";
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    a->n = sizeof *v4;
    return inet_pton(AF_INET, text, &v4->sin_addr) == 1;
}

static bool parse_address(struct slice s, struct address *a)
{
    *a = (struct address){ 0 };
    if (slice_starts(s, S("unix:")))
        return parse_unix(slice_from(s, 5), a);
    size_t colon = s.n;
    while (colon && s.p[colon - 1] != ':')
        colon--;
    in_port_t port;
    if (colon < 2 || !parse_port(slice_from(s, colon), &port))
        return false;
    struct slice host = slice_of(s.p, colon - 1);
    if (slice_eq(host, S("*"))) {
        a->is_both = true;
        return parse_v6(S("::"), port, a);
    }
    if (host.p[0] == '[' && host.p[host.n - 1] == ']')
        return parse_v6(slice_of(host.p + 1, host.n - 2), port, a);
    return parse_v4(slice_eq(host, S("localhost")) ? S("127.0.0.1") : host, port, a);
}

/* A socket file that nobody listens on any more is in the way of bind. */
static void remove_stale(const struct sockaddr_un *un, socklen_t n)
{
    struct stat st;
    if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)un, n) != 0 && errno == ECONNREFUSED)
        unlink(un->sun_path);
    close(fd);
}

/* bind makes the file with the mode that the socket has, as far as the umask lets it; the rest is given by name. Nobody
 * connects meanwhile: that takes listen. Where /proc is missing, glibc cannot leave links alone. */
static bool bind_unix(int fd, const struct sockaddr_un *un, socklen_t n, unsigned mode)
{
    if (mode)
        (void)!fchmod(fd, mode); /* where a kernel does not, the file may be wider until listen */
    if (bind(fd, (const struct sockaddr *)un, n) != 0)
        return false;
    if (!mode || fchmodat(AT_FDCWD, un->sun_path, mode, AT_SYMLINK_NOFOLLOW) == 0 ||
        (errno == EOPNOTSUPP && chmod(un->sun_path, mode) == 0))
        return true;
    int error = errno;
    unlink(un->sun_path);
    errno = error;
    return false;
}

/* A bound socket, or -1 with errno. `unix_mode`: of its file; 0: as the umask says. */
static int bind_socket(struct address *a, unsigned unix_mode)
{
    int family = a->socket.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && a->is_both && errno == EAFNOSUPPORT) { /* a kernel without IPv6 */
        in_port_t port = ((struct sockaddr_in6 *)&a->socket)->sin6_port;
        *a = (struct address){ 0 };
        return parse_v4(S("0.0.0.0"), port, a) ? bind_socket(a, unix_mode) : -1;
    }
    if (fd < 0)
        return -1;
    int on = 1, only = !a->is_both;
    if (family == AF_UNIX)
        remove_stale((const struct sockaddr_un *)&a->socket, a->n);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    if (family != AF_UNIX) /* accepted sockets inherit it */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (family == AF_UNIX ? bind_unix(fd, (const struct sockaddr_un *)&a->socket, a->n, unix_mode)
                          : bind(fd, (const struct sockaddr *)&a->socket, a->n) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void turn_away(struct http_server *s, int fd, bool is_tls, const char *cap, int most)
{
    server_trouble(s, "%s (%d) is reached: a client was turned away", cap, most);
    s->n_turned_away++;
    char room[DOORMAN_MAX_HEAD];
    struct buffer head = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    if (s->options.on_turned_away && !is_tls) /* in TLS nothing is said */
        s->options.on_turned_away(s->options.context, &head);
    doorman_turn_away(s->doorman, fd, is_tls, buffer_slice(&head));
}

/* Its call would be refused as overload; to find that out from the request costs as much as some calls do. */
static bool asks_in_vain(const struct http_server *s, int fd, bool is_tls)
{
    char first;
    return s->options.on_turned_away && server_is_full(s) && !is_tls &&
           recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool is_out_of_room(const struct http_server *s)
{
    return http_server_connections(s) >= (size_t)s->options.max_connections;
}

/* Where that is the manner here, somebody goes for the newcomer, if it needs that. */
static void make_room(struct http_server *s, const struct sockaddr *address)
{
    int most = s->options.max_connections, most_of_address = s->options.max_connections_per_address;
    const struct peer *peer = s->options.makes_room ? peer_find(&s->peers, address) : NULL;
    if (peer && !peer->is_unix && peer->connections >= most_of_address && server_make_room(s, peer))
        server_trouble(s, "an address has max_connections_per_address (%d): its longest waiting one was closed",
                       most_of_address);
    if (s->options.makes_room && is_out_of_room(s) && server_make_room(s, NULL))
        server_trouble(s, "max_connections (%d) is reached: the longest waiting one was closed", most);
}

static void take_in(struct http_server *s, int fd, const struct sockaddr *address, bool is_tls)
{
    int most = s->options.max_connections, most_of_address = s->options.max_connections_per_address;
    if (server_is_crowded(s))
        server_shed_idle(s, 1);
    make_room(s, address);
    if (is_out_of_room(s)) {
        turn_away(s, fd, is_tls, "max_connections", most);
        return;
    }
    if (asks_in_vain(s, fd, is_tls)) {
        turn_away(s, fd, is_tls, "nineteen twentieths of max_connections", most);
        return;
    }
    bool full;
    struct peer *peer = peer_take(&s->peers, address, most_of_address, &full);
    if (full)
        turn_away(s, fd, is_tls, "max_connections_per_address", most_of_address);
    else if (!peer)
        close(fd);
    else if (!connection_new(s, fd, peer, is_tls))
        peer_put(&s->peers, peer);
}

static void accept_all(struct http_server *s, bool on)
{
    for (struct listener *l = s->listeners; l; l = l->next)
        (void)(on ? event_add(l->accepts, NULL) : event_del(l->accepts));
}

static void on_reopen(evutil_socket_t fd, short what, void *context)
{
    struct http_server *s = context;
    (void)fd;
    (void)what;
    s->lacks_descriptors = false;
    accept_all(s, true);
}

void listeners_resume(struct http_server *s)
{
    if (!s->lacks_descriptors)
        return;
    s->lacks_descriptors = false;
    evtimer_del(s->reopen);
    accept_all(s, true);
}

/* Errors of one client's connection have gone with it; a shortage stays, and the loop would spin on it. */
static void accept_failed(struct http_server *s, int error)
{
    struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
    bool is_shortage = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
        return;
    if (!is_shortage) {
        server_trouble(s, "accept: %s", strerror(error));
    } else if (evtimer_add(s->reopen, &pause) == 0) {
        s->lacks_descriptors = true;
        accept_all(s, false);
        server_shed_idle(s, MAX_SHED_FOR_DESCRIPTORS);
        server_trouble(s, "accept: %s; accepting again in %d ms", strerror(error), PAUSE_MS);
    }
}

/* Takes in a portion, up to *left, so that a storm of connections does not keep the others waiting: what is left makes
 * the listener readable again at the next turn of the loop. False when nobody is left. */
static bool accept_some(const struct listener *l, int *left)
{
    struct http_server *s = l->server;
    struct round share = { 0 };
    for (; *left && !round_is_over(&share, ACCEPTING_US); --*left) {
        struct sockaddr_storage address = { 0 };
        socklen_t n = sizeof address;
        int accepted = accept4(l->fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            accept_failed(s, errno);
            return false;
        }
        take_in(s, accepted, (const struct sockaddr *)&address, l->is_tls);
    }
    return true;
}

/* Where a newcomer may take another's place, each has some turns of the loop to be read before it can be its own. */
static int most_accepted(const struct http_options *o)
{
    enum { TURNS = 4 };
    return o->makes_room ? (o->max_connections_per_address + TURNS - 1) / TURNS : MAX_ACCEPTED_A_TURN;
}

/* Who connects comes first; but a storm has its turn like all else, for its next portion is always ready. */
static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    const struct listener *l = context;
    int left = most_accepted(&l->server->options);
    bool some_are_left = accept_some(l, &left);
    doorman_go(l->server->doorman);
    event_priority_set(l->accepts, some_are_left ? 1 : 0);
}

void listeners_empty(struct http_server *s)
{
    for (struct listener *l = s->listeners; l; l = l->next)
        for (int left = BACKLOG; !l->is_kept && left && accept_some(l, &left);)
            ;
    doorman_go(s->doorman);
}

static void listener_free(struct listener *l)
{
    struct stat st;
    if (l->accepts)
        event_free(l->accepts);
    close(l->fd);
    if (l->unix_path && lstat(l->unix_path, &st) == 0 && st.st_dev == l->unix_device && st.st_ino == l->unix_inode)
        unlink(l->unix_path);
    free(l->unix_path);
    free(l);
}

void listeners_close(struct http_server *s)
{
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        listener_free(l);
    }
    if (s->reopen)
        evtimer_del(s->reopen);
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t n = sizeof on;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

/* A listener on the bound socket, which it owns from now on, also on failure. Without `a` somebody else keeps it. */
static struct listener *listener_new(struct http_server *s, int fd, const struct address *a)
{
    struct listener *l = calloc(1, sizeof *l);
    if (!l) {
        close(fd);
        return NULL;
    }
    l->server = s;
    l->fd = fd;
    l->is_kept = !a;
    if ((l->is_kept && is_listening(fd)) || listen(fd, BACKLOG) == 0)
        l->accepts = event_new(s->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
    if (!l->accepts || event_priority_set(l->accepts, 0) != 0 || event_add(l->accepts, NULL) != 0) {
        int error = errno;
        listener_free(l);
        errno = error;
        return NULL;
    }
    struct stat st;
    const char *path = a && a->socket.ss_family == AF_UNIX ? ((const struct sockaddr_un *)&a->socket)->sun_path : NULL;
    if (path && lstat(path, &st) == 0) {
        l->unix_path = strdup(path);
        l->unix_device = st.st_dev;
        l->unix_inode = st.st_ino;
    }
    return l;
}

static bool make_reopen(struct http_server *s)
{
    if (!s->reopen)
        s->reopen = evtimer_new(s->base, on_reopen, s);
    return s->reopen != NULL;
}

static void add(struct http_server *s, struct listener *l)
{
    struct listener **end = &s->listeners;
    while (*end)
        end = &(*end)->next;
    *end = l;
}

static bool listen_on(struct http_server *s, const char *address, bool is_tls, struct buffer *why)
{
    struct address a;
    if (!parse_address(slice_str(address), &a)) {
        buffer_printf(why, "cannot listen on %s: write it as 127.0.0.1:8080, [::1]:8080, *:80 or unix:/run/x.sock",
                      address);
        return false;
    }
    int fd = make_reopen(s) ? bind_socket(&a, s->options.unix_mode) : -1;
    struct listener *l = fd >= 0 ? listener_new(s, fd, &a) : NULL;
    if (!l) {
        buffer_printf(why, "cannot listen on %s: %s", address, strerror(errno));
        return false;
    }
    l->is_tls = is_tls;
    add(s, l);
    return true;
}

bool http_server_listen(struct http_server *s, const char *address, struct buffer *why)
{
    return listen_on(s, address, false, why);
}

bool http_server_listen_tls(struct http_server *s, const char *address, struct buffer *why)
{
    if (s->tls)
        return listen_on(s, address, true, why);
    buffer_printf(why, "cannot listen on %s: there is no certificate", address);
    return false;
}

bool http_server_is_tls(const struct http_server *s, size_t n)
{
    const struct listener *l = s->listeners;
    while (l && n--)
        l = l->next;
    return l && l->is_tls;
}

/* A stream socket of a family that we know, made ready for accepting. */
static bool prepare_inherited(int fd)
{
    struct sockaddr_storage socket = { 0 };
    socklen_t n = sizeof socket, type_n = sizeof(int);
    int type = 0, on = 1, flags = fcntl(fd, F_GETFL);
    if (flags < 0 || getsockname(fd, (struct sockaddr *)&socket, &n) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_n) != 0)
        return false;
    bool is_inet = socket.ss_family == AF_INET || socket.ss_family == AF_INET6;
    if (type != SOCK_STREAM || (!is_inet && socket.ss_family != AF_UNIX)) {
        errno = EPROTOTYPE;
        return false;
    }
    if (is_inet)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool http_server_inherit(struct http_server *s, int fd, bool is_tls, struct buffer *why)
{
    struct listener *l = NULL;
    bool lacks_certificate = is_tls && !s->tls;
    if (!lacks_certificate && make_reopen(s) && prepare_inherited(fd)) {
        l = listener_new(s, fd, NULL);
        fd = -1;
    }
    if (!l) {
        buffer_printf(why, "cannot listen on the socket that was handed in%s: %s", is_tls ? " for TLS" : "",
                      lacks_certificate ? "there is no certificate" : strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    l->is_tls = is_tls;
    add(s, l);
    return true;
}

bool http_server_address(const struct http_server *s, size_t n, struct buffer *out)
{
    const struct listener *l = s->listeners;
    while (l && n--)
        l = l->next;
    if (!l)
        return false;
    struct sockaddr_storage socket = { 0 };
    socklen_t length = sizeof socket;
    if (getsockname(l->fd, (struct sockaddr *)&socket, &length) != 0)
        return false;
    char text[INET6_ADDRSTRLEN];
    if (socket.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&socket;
        buffer_printf(out, "%s:%u", inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text), ntohs(v4->sin_port));
    } else if (socket.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&socket;
        buffer_printf(out, "[%s]:%u", inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text), ntohs(v6->sin6_port));
    } else {
        buffer_printf(out, "unix:%s", ((const struct sockaddr_un *)&socket)->sun_path);
    }
    return true;
}
