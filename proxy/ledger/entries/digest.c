/* SPDX-License-Identifier: MIT
 * SHA-256 by the library's plain functions: each use of its newer ones allocates, and a digest must not fail while
 * memory is out. They are marked as old, but stay. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proxy/ledger/entries/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct digester {
    SHA256_CTX context;
};

struct digester *digester_new(void)
{
    return calloc(1, sizeof(struct digester));
}

void digester_free(struct digester *d)
{
    free(d);
}

struct digest digest_of(struct digester *d, struct slice s)
{
    struct digest out = { 0 };
    bool made = SHA256_Init(&d->context) && SHA256_Update(&d->context, s.p, s.n) && SHA256_Final(out.b, &d->context);
    /* There is no way to fail; a digest of zeros would be a key to many doors. */
    if (!made)
        abort();
    return out;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->b, b->b, DIGEST_BYTES) == 0;
}
