/* SPDX-License-Identifier: MIT
 * Texts for people's eyes. */
#include "base/shown.h"

#include "base/text.h"

static const struct slice replacement = SLICE("\xEF\xBF\xBD");

/* Bytes of the character at s.p[at]; *fits: it is text, and harmless. */
static size_t look(struct slice s, size_t at, bool *fits)
{
    unsigned char c = (unsigned char)s.p[at];
    size_t left = s.n - at, bytes = 1;
    *fits = c >= 0x20 && c < 0x7F;
    if (c < 0x80 || !utf8_valid_prefix(slice_of(s.p + at, left < 4 ? left : 4)))
        return 1;
    utf8_decode(s.p + at, &bytes);
    *fits = !utf8_control(s.p + at);
    return bytes;
}

bool shown_is_plain(struct slice s)
{
    bool fits = true;
    for (size_t at = 0; at < s.n && fits;)
        at += look(s, at, &fits);
    return fits;
}

static void append(struct buffer *b, struct slice s, bool lines_stay)
{
    size_t start = 0;
    for (size_t at = 0, bytes; at < s.n; at += bytes) {
        bool fits;
        bytes = look(s, at, &fits);
        if (fits || (lines_stay && s.p[at] == '\n'))
            continue;
        buffer_append(b, slice_of(s.p + start, at - start));
        buffer_append(b, replacement);
        start = at + bytes;
    }
    buffer_append(b, slice_of(s.p + start, s.n - start));
}

void shown_append(struct buffer *b, struct slice s)
{
    append(b, s, false);
}

/* What terminals show two columns wide: East Asian letters, and pictures. */
static bool is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xA960 && c <= 0xA97C) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE10 && c <= 0xFE6F) ||
           (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x16FE0 && c <= 0x1B2FF) ||
           (c >= 0x1F000 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

size_t shown_width(struct slice s)
{
    size_t n = 0, bytes;
    bool fits;
    for (size_t at = 0; at < s.n; at += bytes, n++) {
        bytes = look(s, at, &fits);
        n += fits && bytes > 2 && is_wide(utf8_decode(s.p + at, &(size_t){ 0 }));
    }
    return n;
}

void shown_padded(struct buffer *b, struct slice s, size_t width)
{
    shown_append(b, s);
    for (size_t n = shown_width(s); n < width; n++)
        buffer_put(b, ' ');
}

void shown_cut(struct buffer *b, struct slice s, size_t width)
{
    size_t at = 0, n = 0, bytes;
    bool fits;
    if (shown_width(s) <= width) {
        shown_append(b, s);
        return;
    }
    for (; at < s.n; at += bytes) {
        bytes = look(s, at, &fits);
        n += shown_width(slice_of(s.p + at, bytes));
        if (n >= width)
            break;
    }
    shown_append(b, slice_of(s.p, at));
    buffer_str(b, "\xE2\x80\xA6");
}

static bool is_plain(struct slice s, bool lines_stay)
{
    if (!lines_stay)
        return shown_is_plain(s);
    bool plain = true;
    for (struct slice rest = s; plain && rest.p;)
        plain = shown_is_plain(slice_split(rest, '\n', &rest));
    return plain;
}

static void clean(struct buffer *b, size_t from, bool lines_stay)
{
    if (b->failed || from >= b->n || is_plain(slice_from(buffer_slice(b), from), lines_stay))
        return;
    struct buffer other = buffer_with_cap(b->max_bytes);
    append(&other, slice_from(buffer_slice(b), from), lines_stay);
    b->n = from;
    buffer_append(b, buffer_slice(&other));
    b->failed = b->failed || other.failed;
    buffer_clear(&other);
}

void shown_clean(struct buffer *b, size_t from)
{
    clean(b, from, true);
}

void shown_clean_line(struct buffer *b, size_t from)
{
    clean(b, from, false);
}
