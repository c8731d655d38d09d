/* SPDX-License-Identifier: MIT
 * Certificates and keys from their files, and what can be wrong with them in words. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words/words.h"
#include "proxy/http/tls.h"

enum { MAX_FILE = 1024 * 1024, MAX_KEY_FILE = 65536 };

struct reading {
    struct tls_pair *pair;
    const struct http_tls_pair *files;
    const struct tls_listener *listener;
    char *room; /* where files are read into; memory for keys */
};

static void say(const struct reading *r, bool about_key, bool is_warning, const char *what, const char *why)
{
    char line[512];
    const char *file = about_key ? r->files->private_key : r->files->certificate, *slash = strrchr(file, '/');
    bool pasted = words_look_secret(slice_str(slash ? slash + 1 : file)); /* a key in place of its file's name */
    snprintf(line, sizeof line, "%.*s%s: %s%s%s", pasted ? (int)(slash ? slash + 5 - file : 4) : (int)strlen(file),
             file, pasted ? "…" : "", what, why ? ": " : "", why ? why : "");
    r->listener->say(r->listener->context, r->listener->n, about_key, is_warning, line);
}

static bool refuse(const struct reading *r, bool about_key, const char *what, const char *why)
{
    say(r, about_key, false, what, why);
    ERR_clear_error();
    return false;
}

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "OpenSSL does not say why";
}

/* The bytes of one of the files into r->room; how many, or -1 with errno. */
static ssize_t read_file(const struct reading *r, bool is_key, size_t most)
{
    /* without waiting: a pipe that nobody writes to would stop the loop */
    int fd = open(is_key ? r->files->private_key : r->files->certificate, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return -1;
    if (is_key && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
        say(r, true, true, "every user of this machine can read this private key", NULL);
    size_t n = 0;
    ssize_t got = 0;
    while (n <= most && (got = read(fd, r->room + n, most + 1 - n)) > 0)
        n += (size_t)got;
    int error = got < 0 ? errno : EFBIG;
    close(fd);
    errno = error;
    return got < 0 || n > most ? -1 : (ssize_t)n;
}

/* Never ask for a passphrase. */
static int no_passphrase(char *to, int room, int for_writing, void *context)
{
    (void)to;
    (void)room;
    (void)for_writing;
    (void)context;
    return -1;
}

/* ---- the certificate ---- */

static void add_name(const struct reading *r, const ASN1_STRING *name)
{
    struct slice s = slice_of((const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
    if (s.n && slice_find(s, 0) == s.n) {
        buffer_append(&r->pair->names, s);
        buffer_put(&r->pair->names, 0);
    }
}

/* The DNS names of the certificate; its common name where it has no others. Whether it has any name at all, addresses
 * counted. */
static bool find_names(const struct reading *r, X509 *leaf)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    bool any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        any |= name->type == GEN_DNS || name->type == GEN_IPADD;
        if (name->type == GEN_DNS)
            add_name(r, name->d.dNSName);
    }
    if (!all) {
        X509_NAME *subject = X509_get_subject_name(leaf);
        int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        if (at >= 0)
            add_name(r, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    }
    GENERAL_NAMES_free(all);
    return any || r->pair->names.n;
}

static void warn_of_dates(const struct reading *r, const X509 *leaf)
{
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
        say(r, false, true, "the certificate has expired: clients will refuse it", NULL);
    else if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        say(r, false, true, "the certificate is not valid yet: clients will refuse it", NULL);
}

static bool use_leaf(const struct reading *r, X509 *leaf)
{
    if (!leaf)
        return refuse(r, false, "there is no certificate in it; PEM (-----BEGIN CERTIFICATE-----) is expected", NULL);
    if (SSL_CTX_use_certificate(r->pair->context, leaf) != 1)
        return refuse(r, false, "this certificate cannot be used", openssl_reason());
    if (!find_names(r, leaf)) {
        if (r->listener->n)
            return refuse(r, false, "there are no names in the certificate: no client would ever get it", NULL);
        say(r, false, true, "there are no names in the certificate: clients will refuse it", NULL);
    }
    warn_of_dates(r, leaf);
    return true;
}

/* What follows the first certificate is its chain. */
static bool use_chain(const struct reading *r, BIO *bytes)
{
    X509 *next;
    while ((next = PEM_read_bio_X509(bytes, NULL, no_passphrase, NULL))) {
        if (SSL_CTX_add0_chain_cert(r->pair->context, next) != 1) {
            X509_free(next);
            return refuse(r, false, "a certificate of the chain cannot be used", openssl_reason());
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(r, false, "a certificate of the chain cannot be read", openssl_reason());
    ERR_clear_error();
    return true;
}

static bool read_certificate(const struct reading *r)
{
    ssize_t n = read_file(r, false, MAX_FILE);
    if (n < 0)
        return refuse(r, false, "cannot read the certificate", strerror(errno));
    BIO *bytes = BIO_new_mem_buf(r->room, (int)n);
    X509 *leaf = bytes ? PEM_read_bio_X509(bytes, NULL, no_passphrase, NULL) : NULL;
    bool ok = use_leaf(r, leaf) && use_chain(r, bytes);
    X509_free(leaf);
    BIO_free(bytes);
    return ok;
}

/* ---- the key ---- */

static bool use_key(const struct reading *r, EVP_PKEY *key, bool is_encrypted)
{
    const X509 *leaf = SSL_CTX_get0_certificate(r->pair->context);
    if (!key)
        return refuse(r, true,
                      is_encrypted ? "the private key is encrypted; one without a passphrase is expected"
                                   : "there is no private key in it; PEM (-----BEGIN PRIVATE KEY-----) is expected",
                      NULL);
    if (leaf && X509_check_private_key(leaf, key) != 1)
        return refuse(r, true, "the private key is not that of the certificate", r->files->certificate);
    if (leaf && SSL_CTX_use_PrivateKey(r->pair->context, key) != 1)
        return refuse(r, true, "this private key cannot be used", openssl_reason());
    return true;
}

static bool read_key(const struct reading *r)
{
    ssize_t n = read_file(r, true, MAX_KEY_FILE);
    if (n < 0)
        return refuse(r, true, "cannot read the private key", strerror(errno));
    r->room[n] = 0;
    bool is_encrypted = strstr(r->room, "ENCRYPTED");
    BIO *bytes = BIO_new_mem_buf(r->room, (int)n);
    EVP_PKEY *key = bytes ? PEM_read_bio_PrivateKey(bytes, NULL, no_passphrase, NULL) : NULL;
    bool ok = use_key(r, key, is_encrypted);
    EVP_PKEY_free(key);
    BIO_free(bytes);
    return ok;
}

bool tls_pair_read(struct tls_pair *pair, const struct http_tls_pair *files, const struct tls_listener *listener)
{
    struct reading r = { pair, files, listener, OPENSSL_secure_malloc(MAX_FILE + 1) };
    if (!r.room)
        return refuse(&r, false, "memory is out", NULL);
    bool ok = read_certificate(&r);
    ok &= read_key(&r);
    OPENSSL_secure_clear_free(r.room, MAX_FILE + 1);
    return ok;
}
