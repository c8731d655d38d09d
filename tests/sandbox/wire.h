/* SPDX-License-Identifier: MIT
 *
 * An answer as bytes, with all that the script does to it. */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include "tests/sandbox/answer.h"
#include "tests/sandbox/script.h"

/* Send the answer. fault may be NULL. accepts_gzip: the client does. */
void wire_send(struct http_exchange *exchange, const struct options *options, struct answer *answer,
               const struct fault *fault, uint64_t delay_ms, bool accepts_gzip);

/* x-api-cache of the answer, NULL when it has none. */
const char *wire_cache(const struct options *options, const struct answer *answer);

#endif
