/* SPDX-License-Identifier: MIT
 * The rules of TLS in front, by Mozilla's "intermediate": TLS 1.2 and 1.3, forward secrecy and authenticated ciphers
 * only, the client's preference among them. */
#include "proxy/http/tls.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"

enum {
    /* Private keys, also those of single handshakes, live in memory of OpenSSL's own that no core dump has. When it is
     * used up, handshakes fail: room for 10 000 of them at once. Only what is used becomes real memory. */
    KEY_ROOM = 32 * 1024 * 1024,
    KEY_LEAST = 32,
    TICKET_KEY_BYTES = 80,
    TICKET_KEYS_LAST_MS = 12 * 3600 * 1000,
    SESSIONS_LAST_S = 2 * 3600,
    MAX_NAME = 255,
};

struct tls {
    struct tls_pair *pairs; /* the first one is for all other names */
    size_t n;
    int64_t tickets_ms; /* when the keys of tickets were made */
};

static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                              "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";

/* ---- which certificate ---- */

static bool has_name(const struct tls_pair *pair, const char *name)
{
    for (size_t at = 0; at < pair->names.n; at += strlen(pair->names.p + at) + 1)
        if (strcasecmp(pair->names.p + at, name) == 0)
            return true;
    return false;
}

static const struct tls_pair *find_name(const struct tls *tls, const char *name)
{
    for (size_t i = 0; i < tls->n; i++)
        if (has_name(&tls->pairs[i], name))
            return &tls->pairs[i];
    return NULL;
}

/* By the name itself, then with its first label replaced by a star. */
static const struct tls_pair *choose(const struct tls *tls, const char *name)
{
    char wild[MAX_NAME + 2] = "*";
    const struct tls_pair *pair = find_name(tls, name);
    const char *dot = strchr(name, '.');
    if (!pair && dot && strlen(dot) <= MAX_NAME) {
        memcpy(wild + 1, dot, strlen(dot) + 1);
        pair = find_name(tls, wild);
    }
    return pair ? pair : &tls->pairs[0];
}

/* The place is looked at anew each time: its certificates may have been changed since the connection began. */
static int on_name(SSL *ssl, int *alert, void *context)
{
    struct tls *const *place = context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    if (!name || !*place)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_set_SSL_CTX(ssl, choose(*place, name)->context) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* As nginx: who wants none of these is told so. Who does not ask gets HTTP/1.1. */
static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *n_chosen, const unsigned char *offered,
                        unsigned int n_offered, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    unsigned char *out;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&out, n_chosen, ours, sizeof ours - 1, offered, n_offered) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = out;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- the rules ---- */

/* The group that Mozilla names for the ciphers of old clients. */
static bool set_dh(SSL_CTX *context)
{
    char group[] = "ffdhe2048";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *dh = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    bool ok = maker && EVP_PKEY_fromdata_init(maker) == 1 &&
              EVP_PKEY_fromdata(maker, &dh, EVP_PKEY_KEY_PARAMETERS, params) == 1;
    EVP_PKEY_CTX_free(maker);
    if (ok && SSL_CTX_set0_tmp_dh_pkey(context, dh) == 1)
        return true;
    EVP_PKEY_free(dh);
    return false;
}

static bool set_rules(SSL_CTX *context, struct tls **place)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Else one call reads on behind what is no data (new keys, warnings) for as long as a client sends it. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets hold what the server would */
    SSL_CTX_set_timeout(context, SESSIONS_LAST_S);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_tlsext_servername_arg(context, place);
    SSL_CTX_set_alpn_select_cb(context, on_protocols, NULL);
    static const unsigned char id[] = "anchorage";
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) && SSL_CTX_set_max_proto_version(context, 0) &&
           SSL_CTX_set_cipher_list(context, ciphers) && SSL_CTX_set_ciphersuites(context, suites) &&
           SSL_CTX_set1_groups_list(context, (char *)(uintptr_t)groups) &&
           SSL_CTX_set_session_id_context(context, id, sizeof id - 1) && set_dh(context);
}

/* ---- making and using ---- */

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    for (size_t i = 0; i < tls->n; i++) {
        SSL_CTX_free(tls->pairs[i].context);
        buffer_clear(&tls->pairs[i].names);
    }
    free(tls->pairs);
    free(tls);
}

static bool read_pairs(struct tls *tls, struct tls **place, const struct http_tls_pair *files,
                       struct tls_listener *listener)
{
    bool ok = true;
    for (size_t i = 0; i < tls->n; i++) {
        listener->n = i;
        tls->pairs[i].context = SSL_CTX_new(TLS_server_method());
        if (!tls->pairs[i].context || !set_rules(tls->pairs[i].context, place)) {
            listener->say(listener->context, i, false, false, "OpenSSL does not start");
            return false;
        }
        ok &= tls_pair_read(&tls->pairs[i], &files[i], listener);
    }
    return ok;
}

bool tls_load(struct tls **place, const struct http_tls_pair *pairs, size_t n, http_tls_say *say, void *context)
{
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(KEY_ROOM, KEY_LEAST);
    struct tls_listener listener = { .say = say, .context = context };
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls || !n || !(tls->pairs = calloc(n, sizeof *tls->pairs))) {
        say(context, 0, false, false, n ? "memory is out" : "there is no certificate");
        free(tls);
        return false;
    }
    tls->n = n;
    tls->tickets_ms = clock_monotonic_ms();
    bool ok = read_pairs(tls, place, pairs, &listener);
    ERR_clear_error();
    if (!ok) {
        tls_free(tls);
        return false;
    }
    tls_free(*place);
    *place = tls;
    return true;
}

/* Who has the keys of tickets can read what was sent under them: they are forgotten twice a day. All connections begin
 * with the first context, so its keys are the ones that count. */
static void renew_tickets(struct tls *tls)
{
    unsigned char keys[TICKET_KEY_BYTES];
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - tls->tickets_ms < TICKET_KEYS_LAST_MS || RAND_bytes(keys, sizeof keys) != 1)
        return;
    SSL_CTX_set_tlsext_ticket_keys(tls->pairs[0].context, keys, sizeof keys);
    OPENSSL_cleanse(keys, sizeof keys);
    tls->tickets_ms = now_ms;
}

struct ssl_st *tls_begin(struct tls *tls, int fd)
{
    renew_tickets(tls);
    SSL *ssl = SSL_new(tls->pairs[0].context);
    if (ssl && SSL_set_fd(ssl, fd) == 1) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    ERR_clear_error();
    return NULL;
}
