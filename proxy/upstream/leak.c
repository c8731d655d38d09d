/* SPDX-License-Identifier: MIT
 * The pieces of a secret as 64-bit numbers, and a window of eight letters that goes over the text. */
#include "proxy/upstream/leak.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/text.h"

/* How often something may be encoded in something else; and bits of the filter before the pieces are looked through. */
enum { MAX_LAYERS = 4, FILTER_BITS = 4096 };

struct pieces {
    uint64_t *list, mask, filter[FILTER_BITS / 64];
    size_t n;
};

/* In lower case; 0: left out. */
static unsigned char letter_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (unsigned char)(c | 0x20);
    }
    return (c >= 'a' && c <= 'z') || is_digit(c) ? (unsigned char)c : 0;
}

static size_t letters_in(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += letter_of(s.p[i]) != 0;
    }
    return n;
}

static size_t bit_of(uint64_t piece)
{
    return (size_t)(piece * 0x9e3779b97f4a7c15U >> 52) % FILTER_BITS;
}

static bool has(const struct pieces *p, uint64_t piece)
{
    size_t bit = bit_of(piece);
    if (!(p->filter[bit / 64] >> bit % 64 & 1)) {
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i] == piece) {
            return true;
        }
    }
    return false;
}

static bool cut_up(struct slice secret, struct pieces *ret)
{
    size_t letters = letters_in(secret), length = letters < LEAK_LENGTH ? letters : LEAK_LENGTH, seen = 0;
    uint64_t window = 0;
    *ret = (struct pieces){ .mask = length == LEAK_LENGTH ? UINT64_MAX : (1ULL << length * 8) - 1 };
    ret->list = calloc(letters + 1, sizeof(*ret->list));
    for (size_t i = 0; ret->list && i < secret.n; i++) {
        unsigned char c = letter_of(secret.p[i]);
        if (!c) {
            continue;
        }
        window = (window << 8 | c) & ret->mask;
        if (++seen >= length) {
            ret->list[ret->n++] = window;
            ret->filter[bit_of(window) / 64] |= 1ULL << bit_of(window) % 64;
        }
    }
    return ret->list;
}

static bool holds(struct slice text, const struct pieces *p)
{
    uint64_t window = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = letter_of(text.p[i]);
        if (!c) {
            continue;
        }
        window = (window << 8 | c) & p->mask;
        if (has(p, window)) {
            return true;
        }
    }
    return false;
}

/* What stands between < and > left out; a < that does not open a tag stays. */
static struct slice without_tags(struct slice s, struct buffer *room)
{
    bool in_tag = false;
    room->n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '<' && i + 1 < s.n && (letter_of(s.p[i + 1]) || strchr("/!?", s.p[i + 1]))) {
            in_tag = true;
        }
        if (!in_tag) {
            buffer_put(room, s.p[i]);
        }
        in_tag = in_tag && s.p[i] != '>';
    }
    return buffer_slice(room);
}

/* A blank as JSON and C write it. */
static size_t undress_blank(struct slice s, char *ret)
{
    bool is_one = s.n > 1 && s.p[0] == '\\' && strchr("nrtbfv", s.p[1]);
    *ret = is_one ? ' ' : *ret;
    return is_one ? 2 : 0;
}

/* The ASCII character that begins `s` in some dress, and how many bytes the dress has; 0: it is not dressed. */
static size_t undress(struct slice s, char *ret)
{
    uint32_t c = 0;
    size_t i = 0;
    bool is_entity = slice_starts(s, S("&#")), hex = true;
    size_t most = s.n;
    if (is_entity) {
        hex = s.n > 2 && (s.p[2] | 0x20) == 'x';
        i = hex ? 3 : 2;
    } else if (s.p[0] == '%' || slice_starts(s, S("\\x"))) {
        i = s.p[0] == '%' ? 1 : 2;
        most = i + 2;
    } else if (s.n > 1 && s.p[0] == '\\' && (s.p[1] | 0x20) == 'u') {
        i = 2;
        most = i + 4;
    } else {
        return undress_blank(s, ret);
    }
    size_t start = i;
    for (; i < s.n && i < most && (hex ? hex_value(s.p[i]) >= 0 : is_digit(s.p[i])); i++) {
        c = c > 0xffff ? c : c * (hex ? 16 : 10) + (uint32_t)hex_value(s.p[i]);
    }
    if (i == start || (!is_entity && i != most)) {
        return 0;
    }
    *ret = c < 0x80 ? (char)c : ' ';
    return i + (is_entity && i < s.n && s.p[i] == ';');
}

/* One layer of encoding taken off. True when there was one. */
static bool undressed(struct slice s, struct buffer *room)
{
    bool any = false;
    room->n = 0;
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        size_t n = undress(slice_from(s, i), &c);
        buffer_put(room, c);
        any |= n > 0;
        i += n ? n : 1;
    }
    return any;
}

bool text_leaks(struct slice text, struct slice secret)
{
    struct pieces pieces;
    struct buffer rooms[2] = { 0 }, tags = { 0 };
    if (!letters_in(secret) || !text.n) {
        return false;
    }
    if (!cut_up(secret, &pieces)) {
        return true;
    }
    bool leaks = false, more = true;
    for (int layer = 0; layer <= MAX_LAYERS && more && !leaks; layer++) {
        leaks = holds(text, &pieces) || holds(without_tags(text, &tags), &pieces);
        more = undressed(text, &rooms[layer % 2]);
        text = buffer_slice(&rooms[layer % 2]);
    }
    leaks |= rooms[0].failed || rooms[1].failed || tags.failed;
    buffer_clear(&rooms[0]);
    buffer_clear(&rooms[1]);
    buffer_clear(&tags);
    explicit_bzero(pieces.list, pieces.n * sizeof(*pieces.list));
    free(pieces.list);
    return leaks;
}
