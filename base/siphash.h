/* SPDX-License-Identifier: MIT
 *
 * SipHash-1-3 (Aumasson and Bernstein): a hash with a key. Who does not know the key cannot choose texts that fall
 * together, which is what tables of strangers' texts need; it is no signature.
 */
#ifndef ANCHORAGE_BASE_SIPHASH_H
#define ANCHORAGE_BASE_SIPHASH_H

#include <stdint.h>

#include "base/slice.h"

struct siphash_key {
    uint64_t low, high; /* the key's sixteen bytes, each eight with the first in the lowest byte */
};

uint64_t siphash_1_3(struct siphash_key key, struct slice text);

#endif
