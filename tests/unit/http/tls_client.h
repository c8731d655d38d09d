/* SPDX-License-Identifier: MIT
 *
 * Certificates made on the spot, a server of the kit that speaks TLS, and clients on the test's own thread.
 */
#ifndef ANCHORAGE_TESTS_UNIT_HTTP_TLS_CLIENT_H
#define ANCHORAGE_TESTS_UNIT_HTTP_TLS_CLIENT_H

#include "kit.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static char tls_folder[] = "/tmp/anchorage-http-tls-XXXXXX";

/* FOLDER/NAME in one of a few places that are used in turn. */
static UNUSED const char *tls_file(const char *name)
{
    static char paths[8][256];
    static unsigned at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", tls_folder, name);
    return path;
}

static UNUSED void tls_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tls_run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* NAME.pem and NAME.key for a subject, with more words for `openssl req`. */
static UNUSED void tls_make(const char *name, const char *subject, const char *more)
{
    tls_run("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '%s' %s "
            "-keyout %s.key -out %s.pem 2>/dev/null",
            tls_folder, subject, more, name, name);
}

static UNUSED int tls_make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(tls_folder));
    tls_make("a", "/CN=a.example", "-addext subjectAltName=DNS:a.example,DNS:*.wild.example");
    tls_make("b", "/CN=b.example", "-addext subjectAltName=DNS:b.example");
    return 0;
}

static UNUSED int tls_remove_folder(void **state)
{
    (void)state;
    tls_run("rm -r %s", tls_folder);
    return 0;
}

/* What was said about pairs: one line each, "N cert|key error|warning TEXT". */
static char tls_said[4096];

static UNUSED void tls_say(void *context, size_t n, bool about_key, bool is_warning, const char *line)
{
    size_t at = strlen(tls_said);
    (void)context;
    snprintf(tls_said + at, sizeof tls_said - at, "%zu %s %s %s\n", n, about_key ? "key" : "cert",
             is_warning ? "warning" : "error", line);
}

static UNUSED bool tls_load(struct kit *k, const char *first, const char *second)
{
    struct http_tls_pair pairs[2];
    const char *names[2] = { first, second };
    static char paths[4][256];
    size_t n = second ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[2 * i], sizeof paths[0], "%s/%s.pem", tls_folder, names[i]);
        snprintf(paths[2 * i + 1], sizeof paths[0], "%s/%s.key", tls_folder, names[i]);
        pairs[i] = (struct http_tls_pair){ paths[2 * i], paths[2 * i + 1] };
    }
    tls_said[0] = 0;
    return http_server_load_tls(k->server, pairs, n, tls_say, NULL);
}

static UNUSED void tls_start(struct kit *k)
{
    struct buffer text = buffer_with_cap(0);
    kit_start(k, NULL);
    if (!tls_load(k, "a", "b"))
        fail_msg("%s", tls_said);
    if (!http_server_listen_tls(k->server, "127.0.0.1:0", &text))
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&text)));
    assert_true(http_server_address(k->server, 0, &text));
    assert_true(http_server_is_tls(k->server, 0));
    buffer_put(&text, 0);
    k->port = (uint16_t)atoi(strrchr(text.p, ':') + 1);
    buffer_clear(&text);
}

struct tls_client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

/* A socket and what TLS needs; no byte is sent. Not verified: what a certificate is worth is not the matter here. */
static UNUSED void tls_client_new(struct tls_client *c, struct kit *k, const char *name)
{
    c->fd = kit_connect(k);
    int on = 1;
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(c->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    c->ssl = SSL_new(c->context);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    if (name)
        SSL_set_tlsext_host_name(c->ssl, (char *)(uintptr_t)name);
}

static UNUSED void tls_client_free(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    close(c->fd);
}

/* Whether the handshake succeeds. */
static UNUSED bool tls_shake(struct tls_client *c, struct kit *k)
{
    for (int64_t until = clock_monotonic_ms() + 5000; clock_monotonic_ms() < until;) {
        ERR_clear_error();
        int result = SSL_do_handshake(c->ssl);
        if (result == 1)
            return true;
        int error = SSL_get_error(c->ssl, result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return false;
        kit_turn(k);
    }
    fail_msg("the handshake does not end");
    return false;
}

static UNUSED void tls_connect(struct tls_client *c, struct kit *k, const char *name)
{
    tls_client_new(c, k, name);
    assert_true(tls_shake(c, k));
}

/* All of it, while the loop turns; false when the server has cut the connection. */
static UNUSED bool tls_send(struct tls_client *c, struct kit *k, const char *bytes, size_t n)
{
    for (int64_t until = clock_monotonic_ms() + 5000; n && clock_monotonic_ms() < until;) {
        ERR_clear_error();
        int sent = SSL_write(c->ssl, bytes, (int)n);
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
            continue;
        }
        int error = SSL_get_error(c->ssl, sent);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return false;
        kit_turn(k);
    }
    return n == 0;
}

/* What is here for the client. A goodbye in TLS counts as closed; an end without one as a reset. */
static UNUSED void tls_got(struct tls_client *c, struct got *g)
{
    while (!g->is_closed && g->n < sizeof g->p - 1) {
        ERR_clear_error();
        int n = SSL_read(c->ssl, g->p + g->n, (int)(sizeof g->p - 1 - g->n));
        if (n > 0) {
            g->n += (size_t)n;
            continue;
        }
        int error = SSL_get_error(c->ssl, n);
        if (error == SSL_ERROR_WANT_READ)
            break;
        g->is_closed = true;
        g->is_reset = !(SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN);
    }
    g->p[g->n] = 0;
}

#define TLS_UNTIL(k, g, c, condition) KIT_UNTIL(k, (tls_got(c, g), (condition)))

#endif
