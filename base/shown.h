/* SPDX-License-Identifier: MIT
 *
 * Names from outside as people may see them: on a terminal, in a log, in a table. What could move the cursor, change
 * colours or turn the direction of the text around is not passed on.
 */
#ifndef ANCHORAGE_BASE_SHOWN_H
#define ANCHORAGE_BASE_SHOWN_H

#include "base/buffer.h"
#include "base/slice.h"

/* Whether all of `s` is text without characters that a terminal or a reader of lines may act on (utf8_is_control). */
bool shown_is_plain(struct slice s);

/* Append `s`, with U+FFFD in place of each such character and of bytes that are no UTF-8. */
void shown_append(struct buffer *b, struct slice s);

/* How many columns of a terminal that takes, at most; and the same with blanks behind it up to `width` of them. */
size_t shown_width(struct slice s);
void shown_padded(struct buffer *b, struct slice s, size_t width);

/* Append at most `width` columns of it; what is longer ends with a sign for that. */
void shown_cut(struct buffer *b, struct slice s, size_t width);

/* As shown_append with what `b` holds from `from` on, for text that was put together from names: lines, or a part of
 * one. */
void shown_clean(struct buffer *b, size_t from);
void shown_clean_line(struct buffer *b, size_t from);

#endif
