/* SPDX-License-Identifier: MIT
 *
 * What text needs Unicode for: case, collation keys, whole words. All text here is valid UTF-8. */
#ifndef SANDBOX_LETTERS_H
#define SANDBOX_LETTERS_H

#include "base/buffer.h"
#include "tests/sandbox/options.h"

/* Append `s` in lower or upper case, code point by code point; U+0130 becomes i and U+0307. */
void letters_lower(struct buffer *to, struct slice s);
void letters_upper(struct buffer *to, struct slice s);

/* Append the first letter of each word of `s` in upper case, all else as it is. */
void letters_title(struct buffer *to, struct slice s);

/* Order two texts as `collation` says; 0 only for equal bytes. */
int letters_compare(enum collation collation, struct slice a, struct slice b);

/* Append what `s` is compared by before its bytes. */
void letters_key(struct buffer *to, enum collation collation, struct slice s);

/* Whether `part` is in `s`, and as a whole word: touching no letter, digit or _ on either side. */
bool letters_substring(struct slice s, struct slice part);
bool letters_phrase(struct slice s, struct slice part);

#endif
