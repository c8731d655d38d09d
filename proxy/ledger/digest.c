/* SPDX-License-Identifier: MIT
 * SHA-256 through one context and one fetched algorithm: fetching anew would cost more than the digest of a token. */
#include "proxy/ledger/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct digester {
    EVP_MD_CTX *context;
    EVP_MD *sha256;
};

struct digester *digester_new(void)
{
    struct digester *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->context = EVP_MD_CTX_new();
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!d->context || !d->sha256) {
        digester_free(d);
        return NULL;
    }
    return d;
}

void digester_free(struct digester *d)
{
    if (!d)
        return;
    EVP_MD_free(d->sha256);
    EVP_MD_CTX_free(d->context);
    free(d);
}

struct digest digest_of(struct digester *d, struct slice s)
{
    struct digest out = { 0 };
    bool made = EVP_DigestInit_ex2(d->context, d->sha256, NULL) && EVP_DigestUpdate(d->context, s.p, s.n) &&
                EVP_DigestFinal_ex(d->context, out.b, NULL);
    /* Nothing is allocated on this way, so it cannot fail; a digest of zeros would be a key to many doors. */
    if (!made)
        abort();
    return out;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->b, b->b, DIGEST_BYTES) == 0;
}
