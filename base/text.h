/* SPDX-License-Identifier: MIT
 *
 * Text as bytes: UTF-8, percent-encoding, numbers. No locale anywhere.
 */
#ifndef ANCHORAGE_BASE_TEXT_H
#define ANCHORAGE_BASE_TEXT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* Length of the valid UTF-8 at the start of `s` (no surrogates, no overlong forms, up to U+10FFFF);
 * equals s.n when all of it is valid. */
size_t utf8_valid_prefix(struct slice s);

/* What stands for bytes that are no UTF-8. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/* Bytes of `s`, which begins with something that is no UTF-8, that one U+FFFD stands for: as much of one code point as
 * is there, else one byte (the "maximal subpart" of the Unicode Standard, as browsers do it). At least 1. */
size_t utf8_broken_prefix(struct slice s);

/* Decode the code point at the start of valid UTF-8 text; *length becomes its bytes (1 to 4). */
uint32_t utf8_decode(const char *p, size_t *length);

/* Write `c` as UTF-8 and return how many of the 4 bytes were used. */
size_t utf8_encode(uint32_t c, char out[4]);

/* Whether a code point is a control, ends a line or turns the direction of writing: what a name or a message that is
 * shown must not have. */
bool utf8_is_control(uint32_t c);

/* Bytes of such a character at p, of valid UTF-8 text; 0: it is harmless. */
size_t utf8_control(const char *p);

/* Append a number for people: "1,391,002". */
void buffer_grouped(struct buffer *b, int64_t n);

/* Append `s` percent-encoded: all but A-Z a-z 0-9 - . _ ~ */
void percent_encode(struct buffer *b, struct slice s);

/* Append `s` as the inside of a JSON string, whatever its bytes are: what is no UTF-8 becomes U+FFFD, and what a
 * terminal could take for a command (C0, DEL, C1, separators of lines, marks of direction: shown.h) is escaped. */
void buffer_json_any(struct buffer *b, struct slice s);

/* Append the decoded form of `s`: %XX, and + as a space. False at a % that two hex digits do not
 * follow; *bad_at, when not NULL, becomes its index. */
[[nodiscard]] bool percent_decode(struct buffer *b, struct slice s, size_t *bad_at);

/* -?(0|[1-9][0-9]*) that fits; nothing else. *value is untouched on failure. */
[[nodiscard]] bool parse_i64(struct slice s, int64_t *value);

/* [0-9]+ that fits (leading zeros are allowed). */
[[nodiscard]] bool parse_u64(struct slice s, uint64_t *value);

bool is_digit(char c);
int hex_value(char c); /* 0 to 15, or -1 */

#endif
