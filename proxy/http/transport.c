/* SPDX-License-Identifier: MIT
 * Bytes to and from one client socket. All that differs between plain and TLS is in take_some, give_some and
 * transport_finish. */
#include "proxy/http/transport.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

enum {
    MAX_READ = 16384,     /* a turn; also the most that a record of TLS can hold */
    MAX_RECORDS = 16,     /* a turn: records may be tiny */
    MAX_WRITE = 262144,   /* a turn */
    RECORD_BYTES = 16384, /* the most of one record */
};

/* What a step on the socket came to; else the number of bytes. */
enum { STEP_BLOCKED = 0, STEP_LEFT = -1, STEP_BROKEN = -2 };

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ENOBUFS;
}

/* After a call of OpenSSL that did not succeed. To read it needs nothing but to read, to write nothing but to write:
 * there is no renegotiation, and who forces the other with new keys that are not taken off is cut. Its errors are of no
 * use to others on this thread. */
static int ssl_step(struct transport *t, int result, int wanted)
{
    int error = SSL_get_error(t->ssl, result);
    ERR_clear_error();
    if (error == wanted)
        return STEP_BLOCKED;
    if (error == SSL_ERROR_ZERO_RETURN)
        return STEP_LEFT;
    t->is_tls_open = false; /* OpenSSL wants no goodbye after an error */
    return STEP_BROKEN;
}

static int take_some(struct transport *t, char *room, size_t n)
{
    if (!t->ssl) {
        ssize_t got = recv(t->fd, room, n, 0);
        return got > 0 ? (int)got : got == 0 ? STEP_LEFT : is_passing(errno) ? STEP_BLOCKED : STEP_BROKEN;
    }
    ERR_clear_error(); /* others on this thread may have left some */
    int got = SSL_read(t->ssl, room, (int)n);
    return got > 0 ? got : ssl_step(t, got, SSL_ERROR_WANT_READ);
}

void transport_read(struct transport *t)
{
    char room[MAX_READ];
    size_t total = 0;
    int step = 0;
    for (int i = 0; i < (t->ssl ? MAX_RECORDS : 1) && total < sizeof room; i++) {
        step = take_some(t, room + total, sizeof room - total);
        if (step <= 0)
            break;
        total += (size_t)step;
    }
    /* a record may be longer than the room that was left; the socket would not tell of the rest */
    size_t rest = t->ssl ? (size_t)SSL_pending(t->ssl) : 0;
    if (total && evbuffer_add(t->input, room, total) != 0)
        step = STEP_BROKEN;
    if (rest && step > 0) {
        step = take_some(t, room, rest < sizeof room ? rest : sizeof room);
        if (step > 0 && evbuffer_add(t->input, room, (size_t)step) != 0)
            step = STEP_BROKEN;
    }
    if (step < 0)
        event_del(t->reads);
    if (total)
        t->owner->read(t->context);
    if (step < 0 && t->owner) /* not muted meanwhile */
        t->owner->ended(t->context, step == STEP_LEFT);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct transport *t = context;
    (void)fd;
    (void)what;
    if (t->shakes)
        t->owner->shake(t->context);
    else
        transport_read(t);
}

/* One record's worth of what is queued, or of plain bytes all that the socket takes. */
static int give_some(struct transport *t, size_t most)
{
    if (!t->ssl) {
        int n = evbuffer_write_atmost(t->output, t->fd, (ev_ssize_t)most);
        return n > 0 ? n : n < 0 && is_passing(errno) ? STEP_BLOCKED : STEP_BROKEN;
    }
    /* after "try again", OpenSSL wants the same bytes: always as many as there are, up to a whole record */
    size_t n = evbuffer_get_length(t->output);
    n = n < RECORD_BYTES ? n : RECORD_BYTES;
    const unsigned char *bytes = evbuffer_pullup(t->output, (ev_ssize_t)n);
    if (!bytes)
        return STEP_BROKEN;
    ERR_clear_error();
    int gave = SSL_write(t->ssl, bytes, (int)n);
    if (gave <= 0)
        return ssl_step(t, gave, SSL_ERROR_WANT_WRITE);
    evbuffer_drain(t->output, (size_t)gave);
    return gave;
}

static void write_queued(struct transport *t)
{
    size_t total = 0;
    int step = 1;
    while (step > 0 && total < MAX_WRITE && evbuffer_get_length(t->output)) {
        step = give_some(t, MAX_WRITE - total);
        total += step > 0 ? (size_t)step : 0;
    }
    if (step < 0) {
        event_del(t->writes);
        t->owner->ended(t->context, false);
    } else if (!evbuffer_get_length(t->output)) {
        event_del(t->writes);
        t->owner->written(t->context);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct transport *t = context;
    (void)fd;
    (void)what;
    if (t->shakes)
        t->owner->shake(t->context);
    else
        write_queued(t);
}

static bool wait_to_write(struct transport *t)
{
    if (!t->writes)
        t->writes = event_new(t->base, t->fd, EV_WRITE | EV_PERSIST, on_writable, t);
    return t->writes && event_add(t->writes, NULL) == 0;
}

static void free_all(struct transport *t)
{
    if (t->reads)
        event_free(t->reads);
    if (t->writes)
        event_free(t->writes);
    if (t->input)
        evbuffer_free(t->input);
    if (t->output)
        evbuffer_free(t->output);
    t->reads = t->writes = NULL;
    t->input = t->output = NULL;
}

bool transport_open(struct transport *t, struct event_base *base, int fd, bool shakes,
                    const struct transport_owner *owner, void *context)
{
    *t = (struct transport){ .fd = fd, .shakes = shakes, .base = base, .owner = owner, .context = context };
    t->input = evbuffer_new();
    t->reads = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, t);
    if (t->input && t->reads && event_add(t->reads, NULL) == 0)
        return true;
    free_all(t);
    return false;
}

void transport_mute(struct transport *t)
{
    t->owner = NULL;
    event_del(t->reads);
    if (t->writes)
        event_del(t->writes);
    if (t->output)
        evbuffer_free(t->output);
    t->output = NULL;
}

/* A word of TLS that nothing more comes. It is not waited for, neither the sending of it nor an answer. */
static void end_tls(struct transport *t)
{
    if (!t->ssl)
        return;
    if (t->is_tls_open)
        (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    t->ssl = NULL;
}

void transport_close(struct transport *t)
{
    end_tls(t);
    free_all(t);
    close(t->fd);
}

void transport_pause(struct transport *t)
{
    event_del(t->reads);
}

void transport_resume(struct transport *t)
{
    event_add(t->reads, NULL);
}

enum transport_shaken transport_shake(struct transport *t)
{
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        if (t->writes)
            event_del(t->writes);
        t->shakes = false;
        t->is_tls_open = true;
        return SHAKEN_DONE;
    }
    int error = SSL_get_error(t->ssl, result);
    if (error == SSL_ERROR_WANT_READ) {
        if (t->writes)
            event_del(t->writes);
        return SHAKEN_WAITS;
    }
    return error == SSL_ERROR_WANT_WRITE && wait_to_write(t) ? SHAKEN_WAITS : SHAKEN_FAILED;
}

/* On loopback the kernel carries the bytes to the other end in the same call: a large answer takes its time. */
static ssize_t send_plain(struct transport *t, struct slice head, struct slice body)
{
    if (body.n > MAX_WRITE)
        body.n = MAX_WRITE;
    struct iovec parts[2] = { { .iov_base = (char *)(uintptr_t)head.p, .iov_len = head.n },
                              { .iov_base = (char *)(uintptr_t)body.p, .iov_len = body.n } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = body.n ? 2 : 1 };
    ssize_t n = sendmsg(t->fd, &message, MSG_NOSIGNAL);
    return n < 0 && is_passing(errno) ? 0 : n;
}

/* Head and body share their first record: a small answer is one packet. */
static ssize_t send_tls(struct transport *t, struct slice head, struct slice body)
{
    char record[RECORD_BYTES];
    size_t total = head.n + body.n, sent = 0;
    while (sent < total && sent < MAX_WRITE) {
        size_t n = total - sent < RECORD_BYTES ? total - sent : RECORD_BYTES;
        const char *from = sent >= head.n ? body.p + (sent - head.n) : record;
        if (from == record) {
            size_t of_head = head.n - sent < n ? head.n - sent : n;
            memcpy(record, head.p + sent, of_head);
            if (n > of_head)
                memcpy(record + of_head, body.p, n - of_head);
        }
        ERR_clear_error();
        int gave = SSL_write(t->ssl, from, (int)n);
        if (gave <= 0)
            return ssl_step(t, gave, SSL_ERROR_WANT_WRITE) == STEP_BLOCKED ? (ssize_t)sent : -1;
        sent += (size_t)gave;
    }
    return (ssize_t)sent;
}

ssize_t transport_send(struct transport *t, struct slice head, struct slice body)
{
    return t->ssl ? send_tls(t, head, body) : send_plain(t, head, body);
}

static bool has_output(struct transport *t)
{
    if (!t->output)
        t->output = evbuffer_new();
    return t->output != NULL;
}

bool transport_queue(struct transport *t, struct slice bytes)
{
    return has_output(t) && evbuffer_add(t->output, bytes.p, bytes.n) == 0 && wait_to_write(t);
}

static void free_body(const void *data, size_t n, void *body)
{
    (void)data;
    thread_free(body, n);
}

bool transport_queue_body(struct transport *t, struct buffer *body, size_t from)
{
    if (!has_output(t) || !wait_to_write(t))
        return false;
    if (evbuffer_add_reference(t->output, body->p + from, body->n - from, free_body, body->p) != 0)
        return false;
    *body = buffer_with_cap(body->max_bytes);
    return true;
}

size_t transport_queued(const struct transport *t)
{
    return t->output ? evbuffer_get_length(t->output) : 0;
}

bool transport_finish(struct transport *t)
{
    end_tls(t);
    t->shakes = false;
    return shutdown(t->fd, SHUT_WR) == 0;
}
