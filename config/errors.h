/* SPDX-License-Identifier: MIT
 *
 * What is wrong with a configuration, a line each.
 */
#ifndef ANCHORAGE_CONFIG_ERRORS_H
#define ANCHORAGE_CONFIG_ERRORS_H

#include <stddef.h>

#include "base/buffer.h"

/* Past so many they are only counted: a file of another kind has one in every line. */
enum { CONFIG_ERRORS_SHOWN = 200 };

struct config_errors {
    const char *file;
    struct buffer *out;
    size_t count;
    struct buffer text; /* of all that are shown, in the order they were found */
    struct {
        int line;
        size_t from, to; /* in text */
    } shown[CONFIG_ERRORS_SHOWN];
};

/* Remember an error about `line`; 0 when it is about no line. The text has no newline. */
void config_error(struct config_errors *e, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Append to `out` what was found, by line, those without one last: "FILE:LINE: text\n". Ends the use of `e`. */
void config_errors_end(struct config_errors *e);

#endif
