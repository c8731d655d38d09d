/* SPDX-License-Identifier: MIT
 *
 * Taking a secret out of a text that others may read, in a time that grows with both lengths and not with their
 * product.
 */
#ifndef ANCHORAGE_BASE_CONCEAL_H
#define ANCHORAGE_BASE_CONCEAL_H

#include "base/buffer.h"
#include "base/slice.h"

/* Secrets of fewer bytes are found only where no letter or digit touches them: they stand in half of all words. */
enum { CONCEAL_SHORT = 4 };

/* Append `text` to `out` with `instead` in place of each appearance of `secret`; false, and nothing is appended, when
 * there is none. It is found in any case of ASCII letters, with any of its characters percent-encoded (up to three
 * times over), with + for a blank, and with the backslashes and classes of one letter ([sS]) that a regular expression
 * or a JSON string gave it. An empty secret stands nowhere. When memory is out: true, and out->failed is set. */
[[nodiscard]] bool conceal(struct slice text, struct slice secret, struct slice instead, struct buffer *out);

#endif
