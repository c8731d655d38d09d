/* SPDX-License-Identifier: MIT
 * Lines on their way to standard error.
 *
 * Setting O_NONBLOCK on a descriptor that was inherited would set it for everybody who has it, a shell for example. So
 * a pipe or a terminal is opened once more, a socket is asked each time not to wait, and where neither can be done,
 * poll(2) is asked first and no more is written than a pipe takes when it says that it is ready. */
#include "proxy/admin/log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { KEPT_ROOM = 256 * 1024, LAST_MS = 1000, FORM_BYTES = 64 };

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    log_flush(context);
}

/* The same file under a descriptor of our own that does not wait; -1 when it cannot be had, or is not needed. */
static int open_again(int fd, mode_t mode)
{
    char name[FORM_BYTES];
    if (!S_ISFIFO(mode) && !S_ISCHR(mode))
        return -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* DEVICE:INODE; who has another standard error by now has inherited the variable only. */
bool log_is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct slice inode, device = slice_split(slice_str(stream), ':', &inode);
    uint64_t dev, ino;
    struct stat st;
    return parse_u64(device, &dev) && parse_u64(inode, &ino) && fstat(fd, &st) == 0 && st.st_dev == dev &&
           st.st_ino == ino;
}

bool log_open(struct log *l, struct event_base *base, int fd)
{
    struct stat st;
    mode_t mode = fstat(fd, &st) == 0 ? st.st_mode : 0;
    l->reopened = open_again(fd, mode);
    l->fd = l->reopened >= 0 ? l->reopened : fd;
    l->is_socket = S_ISSOCK(mode);
    l->is_journal = log_is_journal(fd);
    l->drains = event_new(base, l->fd, EV_WRITE, on_writable, l);
    return l->drains;
}

struct buffer *log_begin_at(struct log *l, enum log_level level)
{
    l->waiting.max_bytes = LOG_ROOM;
    l->line_at = l->waiting.n;
    if (l->is_journal) {
        char *to = buffer_reserve(&l->waiting, 3);
        if (to) {
            to[0] = '<';
            to[1] = (char)('0' + level);
            to[2] = '>';
            l->waiting.n += 3;
        }
    }
    return &l->waiting;
}

struct buffer *log_begin(struct log *l)
{
    return log_begin_at(l, LOG_LEVEL_INFO);
}

void log_end(struct log *l)
{
    buffer_put(&l->waiting, '\n');
    if (!l->waiting.failed)
        return;
    l->waiting.n = l->line_at;
    l->waiting.failed = false;
    l->lost++;
}

/* As write(2), but never waiting; -1 with EAGAIN when it would have to. */
static ssize_t put(const struct log *l, const char *p, size_t n)
{
    if (l->is_socket)
        return send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (l->reopened < 0) {
        struct pollfd ready = { .fd = l->fd, .events = POLLOUT };
        if (poll(&ready, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        n = n < PIPE_BUF ? n : PIPE_BUF;
    }
    return write(l->fd, p, n);
}

static uint64_t lines_in(struct slice s)
{
    uint64_t n = 0;
    for (size_t at; (at = slice_find(s, '\n')) < s.n; n++)
        s = slice_from(s, at + 1);
    return n;
}

static void empty(struct log *l)
{
    l->waiting.n = l->sent = 0;
    if (l->waiting.room > KEPT_ROOM)
        buffer_clear(&l->waiting);
}

/* False when the descriptor takes nothing now. */
static bool write_out(struct log *l)
{
    while (l->sent < l->waiting.n) {
        ssize_t n = put(l, l->waiting.p + l->sent, l->waiting.n - l->sent);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        if (n <= 0) {
            /* Nobody reads any more, or the disk is full: these are gone, later ones are tried again. */
            l->lost += lines_in(slice_from(buffer_slice(&l->waiting), l->sent));
            empty(l);
            return true;
        }
        l->sent += (size_t)n;
    }
    return true;
}

/* Bytes that are written make room, moved seldom enough to cost nothing. */
static void make_room(struct log *l)
{
    if (l->sent < l->waiting.n / 2)
        return;
    memmove(l->waiting.p, l->waiting.p + l->sent, l->waiting.n - l->sent);
    l->waiting.n -= l->sent;
    l->sent = 0;
}

static void tell_lost(struct log *l)
{
    uint64_t lost = l->lost;
    buffer_printf(log_begin_at(l, LOG_LEVEL_WARNING),
                  "anchorage: %llu lines of this log were lost, for nobody took them",
                  (unsigned long long)(lost - l->lost_told));
    log_end(l);
    l->lost_told = lost;
}

void log_flush(struct log *l)
{
    if (!l->drains)
        return;
    uint64_t lost = l->lost;
    if (!write_out(l)) {
        make_room(l);
        event_add(l->drains, NULL);
        return;
    }
    bool works = l->waiting.n && l->lost == lost;
    if (l->waiting.n)
        empty(l);
    if (works && l->lost != l->lost_told) {
        tell_lost(l);
        log_flush(l);
    }
}

void log_close(struct log *l)
{
    struct pollfd ready = { .fd = l->fd, .events = POLLOUT };
    if (l->drains) {
        log_flush(l);
        while (l->sent < l->waiting.n && poll(&ready, 1, LAST_MS) > 0)
            log_flush(l);
        event_free(l->drains);
        if (l->reopened >= 0)
            close(l->reopened);
    }
    buffer_clear(&l->waiting);
    *l = (struct log){ 0 };
}

void log_text(struct buffer *b, struct slice s)
{
    bool cut = s.n > LOG_MAX_TEXT;
    if (cut) {
        s.n = LOG_MAX_TEXT;
        while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
            s.n--;
    }
    buffer_put(b, '"');
    buffer_json_any(b, s);
    buffer_str(b, cut ? "…\"" : "\"");
}
