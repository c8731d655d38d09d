/* SPDX-License-Identifier: MIT
 *
 * SHA-256, made ready once and used many times.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_DIGEST_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_DIGEST_H

#include <stdint.h>

#include "base/slice.h"

enum { DIGEST_BYTES = 32 };

struct digest {
    uint8_t b[DIGEST_BYTES];
};

struct digester;

/* NULL when it cannot be had. For one thread at a time. */
struct digester *digester_new(void);
void digester_free(struct digester *d);

struct digest digest_of(struct digester *d, struct slice s);

/* In constant time. */
bool digest_eq(const struct digest *a, const struct digest *b);

#endif
