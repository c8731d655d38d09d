/* SPDX-License-Identifier: MIT
 * Commands read files and standard input whole. */
#ifndef ANCHORAGE_PROXY_COMMAND_INPUT_H
#define ANCHORAGE_PROXY_COMMAND_INPUT_H

#include "base/buffer.h"

/* Append all of `file` ("-": standard input). False with a message of `command` ("key add") on stderr. */
[[nodiscard]] bool input_read(const char *command, const char *file, struct buffer *out);

#endif
