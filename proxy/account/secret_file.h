/* SPDX-License-Identifier: MIT
 *
 * A secret file holds one word of printable characters, with white space around it or not.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_SECRET_FILE_H
#define ANCHORAGE_PROXY_ACCOUNT_SECRET_FILE_H

#include "base/buffer.h"

/* Append the v3 key, which is the file's text without white space at its ends, to `key`; the caller wipes it. False
 * with a line in `why`. */
[[nodiscard]] bool secret_file_read_key(const char *file, struct buffer *key, struct buffer *why);

/* Append the token of the admin side in the same way. A token that could be guessed is refused. */
[[nodiscard]] bool secret_file_read_token(const char *file, struct buffer *token, struct buffer *why);

#endif
