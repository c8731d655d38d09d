/* SPDX-License-Identifier: MIT
 *
 * Which bytes may stand where, and the two kinds of line in a request head. Between the
 * .c files of this room only.
 */
#ifndef ANCHORAGE_PROXY_HTTP_PARSE_GRAMMAR_H
#define ANCHORAGE_PROXY_HTTP_PARSE_GRAMMAR_H

#include "proxy/http/parse/reader.h"

enum { BYTE_TOKEN = 1, BYTE_HOST = 2, BYTE_PATH = 4 };

extern const uint8_t byte_classes[256];

static inline bool byte_is(char c, int class)
{
    return byte_classes[(unsigned char)c] & class;
}

/* How many bytes at the start of `s` are of the class. */
size_t bytes_of_class(struct slice s, int class);

/* The first byte of `p` at or behind `at` that is not 0x20 to 0x7e, or `n`. */
size_t text_end(const char *p, size_t at, size_t n);

/* Remember the fault; the first one counts. Always false, for `return`. */
bool reader_refuse(struct reader *r, int status, const char *why);

/* Whether it is NAME, NAME:PORT, [ADDRESS] or [ADDRESS]:PORT, the port digits or nothing. */
bool host_is_well_formed(struct slice s);

/* Read a request line (no CRLF; no controls in it, bytes from 0x80 up possible). False after a fault. */
[[nodiscard]] bool request_line_read(struct reader *r, const char *bytes, struct reader_span line);

/* Read a header line (no CRLF, not empty; no control but HTAB in it). False after a fault. */
[[nodiscard]] bool field_read(struct reader *r, const char *bytes, struct reader_span line);

#endif
