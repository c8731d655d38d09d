/* SPDX-License-Identifier: MIT
 *
 * Files that hold a secret: one word of printable characters, with white space around it or not.
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_SECRET_FILE_H
#define ANCHORAGE_PROXY_ACCOUNT_SECRET_FILE_H

#include "base/buffer.h"

/* The v3 key: the file's text without white space at its ends, appended to `key`, which the caller wipes. False with a
 * line in `why`. */
[[nodiscard]] bool secret_file_read_key(const char *file, struct buffer *key, struct buffer *why);

/* The same for the token of the admin side; one that could be guessed is refused. */
[[nodiscard]] bool secret_file_read_token(const char *file, struct buffer *token, struct buffer *why);

#endif
