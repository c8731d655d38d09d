/* SPDX-License-Identifier: MIT
 *
 * Whether words of a stranger hold a secret of ours, or a piece of it, however they are dressed.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_LEAK_H
#define ANCHORAGE_PROXY_UPSTREAM_LEAK_H

#include <stdbool.h>

#include "base/slice.h"

enum { LEAK_LENGTH = 8 };

/* Whether `text` holds LEAK_LENGTH letters and digits in a row of `secret` (all of one that has fewer). Only letters
 * and digits are compared, in any case: blanks, punctuation, bytes from 0x80 up and markup between them do not hide a
 * secret, nor do percent-encoding, entities and escapes of JSON, also in each other. Linear in both. When memory is
 * out: true. */
[[nodiscard]] bool text_leaks(struct slice text, struct slice secret);

#endif
