/* SPDX-License-Identifier: MIT
 *
 * What TLS needs before there is a connection: certificates and keys, which of them is for which name, and the
 * rules (versions, ciphers, curves, tickets). Between the .c files of this room only.
 */
#ifndef ANCHORAGE_PROXY_HTTP_TLS_H
#define ANCHORAGE_PROXY_HTTP_TLS_H

#include "base/buffer.h"
#include "proxy/http/http.h"

struct ssl_ctx_st;
struct ssl_st;
struct tls;

/* A certificate, its key and the rules in one piece; and the names that choose it: each with a NUL behind, lower case.
 */
struct tls_pair {
    struct ssl_ctx_st *context;
    struct buffer names;
};

/* Where to say what is wrong with the n-th pair. */
struct tls_listener {
    http_tls_say *say;
    void *context;
    size_t n;
};

/* What http_server_load_tls promises. Connections read *place when they begin and while they shake hands: it outlives
 * them. */
[[nodiscard]] bool tls_load(struct tls **place, const struct http_tls_pair *pairs, size_t n, http_tls_say *say,
                            void *context);

/* The SSL of a client that begins; NULL when memory is out. */
struct ssl_st *tls_begin(struct tls *tls, int fd);

/* NULL is allowed. Connections that were begun with it go on. */
void tls_free(struct tls *tls);

/* tls_files.c: put certificate, chain and key into the context, and find the names. False when it cannot be used. */
[[nodiscard]] bool tls_pair_read(struct tls_pair *pair, const struct http_tls_pair *files,
                                 const struct tls_listener *listener);

#endif
