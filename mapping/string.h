/* SPDX-License-Identifier: MIT
 * JSON strings: checking and decoding them. */
#ifndef ANCHORAGE_MAPPING_STRING_H
#define ANCHORAGE_MAPPING_STRING_H

#include "base/buffer.h"

/* Decode the inside of a JSON string (no quotes around it, no bare quote or control byte inside): escapes become UTF-8.
 * False on bad escapes, lone surrogates or bad UTF-8; `out` may then hold part of it. */
[[nodiscard]] bool string_decode(struct slice raw, struct buffer *out);

#endif
