/* SPDX-License-Identifier: MIT
 * The handshake of a TLS connection, from its first byte to the first of HTTP. It is paced: one costs as much as
 * some hundred small requests, and a storm of them must not keep those waiting who are inside already. */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "proxy/http/server.h"
#include "proxy/http/tls.h"

enum { MAX_US_A_TURN = 4000, RECORD_OF_HANDSHAKE = 0x16 };

#define NOT_TLS "{\"error\":\"this port speaks https, the request was plain http\"}"

/* Plain HTTP where TLS should be: the words that such a client understands, and none but these. */
static void answer_plain(struct connection *c)
{
    static_assert(sizeof NOT_TLS - 1 == 62, "Content-Length is the length of the body");
    const struct http_options *options = &c->server->options;
    struct buffer *b = &c->server->head;
    b->n = 0;
    b->failed = false;
    buffer_str(b, "HTTP/1.1 400 Bad Request\r\n"
                  "Content-Type: application/json; charset=utf-8\r\n"
                  "X-Anchorage-Fault: bad_request\r\n");
    if (options->on_plain_http)
        options->on_plain_http(options->context, b);
    buffer_str(b, "Content-Length: 62\r\n"
                  "Connection: close\r\n\r\n" NOT_TLS);
    if (!b->failed)
        (void)transport_send(&c->transport, buffer_slice(b), S(""));
    connection_linger(c);
}

/* Look at the first byte; what is not TLS costs nothing more. False when there will be no handshake, or not yet. */
static bool begin(struct connection *c)
{
    char first;
    ssize_t n = recv(c->transport.fd, &first, 1, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n == 1 && first >= 'A' && first <= 'Z') {
        answer_plain(c);
        return false;
    }
    if (n == 1 && first == RECORD_OF_HANDSHAKE)
        c->transport.ssl = tls_begin(c->server->tls, c->transport.fd);
    if (!c->transport.ssl)
        connection_kill(c);
    return c->transport.ssl != NULL;
}

/* TLS has told the client what is wrong; for us, once a second. */
static void failed(struct connection *c)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    ERR_clear_error();
    if (!reason) { /* it has left */
        connection_kill(c);
        return;
    }
    server_trouble(c->server, "TLS: no connection with %s: %s", c->peer->text, reason);
    connection_linger(c);
}

void connection_shake(struct connection *c)
{
    struct http_server *s = c->server;
    if (s->shaken_us >= MAX_US_A_TURN) { /* the loop calls again at its next turn */
        server_schedule_turn(s);
        return;
    }
    if (!c->transport.ssl && !begin(c))
        return;
    int64_t began_us = clock_monotonic_us();
    enum transport_shaken shaken = transport_shake(&c->transport);
    s->shaken_us += clock_monotonic_us() - began_us;
    server_schedule_turn(s);
    switch (shaken) {
    case SHAKEN_WAITS:
        break;
    case SHAKEN_DONE:
        connection_move(c, PLACE_IDLE);
        transport_read(&c->transport); /* also makes OpenSSL give its buffers back */
        break;
    case SHAKEN_FAILED:
        failed(c);
        break;
    }
}
