/* SPDX-License-Identifier: MIT
 * JSON strings: checking and decoding them. */
#ifndef ANCHORAGE_MAPPING_STRING_H
#define ANCHORAGE_MAPPING_STRING_H

#include "base/buffer.h"

/* Decode the inside of a JSON string (no quotes around it, no bare quote or control byte inside): escapes become UTF-8.
 * False on bad escapes; `out` may then hold part of it. Where it is no text (bad UTF-8, half of a surrogate pair) it is
 * refused as well when `broken` is NULL; else that becomes U+FFFD and *broken true, which is false for a whole text. */
[[nodiscard]] bool string_decode(struct slice raw, struct buffer *out, bool *broken);

#endif
