/* SPDX-License-Identifier: MIT
 * UTF-8, percent-encoding and numbers read. */
#include "base/text.h"

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Whether these two begin an overlong form, a surrogate or something past U+10FFFF. */
static inline bool is_bad_second(unsigned char first, unsigned char second)
{
    return (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
           (first == 0xF4 && second > 0x8F);
}

/* Bytes of the code point at p, of which n are there; 0 when it is not valid. */
static size_t utf8_one(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    size_t length = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (n < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_tail(p[i]))
            return 0;
    return length > 2 && is_bad_second(c, p[1]) ? 0 : length;
}

size_t utf8_broken_prefix(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char c = p[0];
    size_t length = c < 0xC2 || c > 0xF4 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4, n = 1;
    while (n < length && n < s.n && is_tail(p[n]) && (n > 1 || !is_bad_second(c, p[1])))
        n++;
    return n;
}

size_t utf8_valid_prefix(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        uint64_t eight;
        if (s.n - i >= 8) {
            memcpy(&eight, p + i, 8);
            if (!(eight & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        size_t length = utf8_one(p + i, s.n - i);
        if (!length)
            break;
        i += length;
    }
    return i;
}

uint32_t utf8_decode(const char *text, size_t *length)
{
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80) {
        *length = 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *length = 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (p[0] < 0xF0) {
        *length = 3;
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    *length = 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

bool utf8_is_control(uint32_t c)
{
    return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t utf8_control(const char *p)
{
    unsigned char c = (unsigned char)p[0];
    size_t length;
    if (c < 0x80)
        return utf8_is_control(c);
    if (c != 0xC2 && c != 0xD8 && c != 0xE2) /* all that act begin with one of these */
        return 0;
    return utf8_is_control(utf8_decode(p, &length)) ? length : 0;
}

/* \u and four digits. */
static void put_escape(struct buffer *b, uint32_t c)
{
    static const char hex[] = "0123456789abcdef";
    char form[] = { '\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15] };
    buffer_append(b, slice_of(form, sizeof form));
}

static void json_valid(struct buffer *b, struct slice s)
{
    size_t start = 0, length;
    for (size_t i = 0; i < s.n; i++) {
        size_t n = (unsigned char)s.p[i] < 0x7F ? 0 : utf8_control(s.p + i); /* C0 is JSON's matter */
        if (!n)
            continue;
        buffer_json_text(b, slice_of(s.p + start, i - start));
        put_escape(b, utf8_decode(s.p + i, &length));
        start = i + n;
        i += n - 1;
    }
    buffer_json_text(b, slice_of(s.p + start, s.n - start));
}

void buffer_json_any(struct buffer *b, struct slice s)
{
    while (s.n) {
        size_t n = utf8_valid_prefix(s);
        json_valid(b, slice_of(s.p, n));
        if (n < s.n)
            buffer_str(b, UTF8_REPLACEMENT);
        s = slice_from(s, n < s.n ? n + 1 : n);
    }
}

/* Each byte as it stands in a URL, and behind that how many bytes that is. */
/* clang-format off */
#define E(hex) "%" hex "\3"
#define P(itself) itself "  \1"
#define ROW(h) E(h "0"), E(h "1"), E(h "2"), E(h "3"), E(h "4"), E(h "5"), E(h "6"), E(h "7"), \
               E(h "8"), E(h "9"), E(h "A"), E(h "B"), E(h "C"), E(h "D"), E(h "E"), E(h "F")
static const char encoded[256][4] = {
    ROW("0"), ROW("1"),
    E("20"), E("21"), E("22"), E("23"), E("24"), E("25"), E("26"), E("27"), E("28"), E("29"), E("2A"), E("2B"), E("2C"), P("-"), P("."), E("2F"),
    P("0"), P("1"), P("2"), P("3"), P("4"), P("5"), P("6"), P("7"), P("8"), P("9"), E("3A"), E("3B"), E("3C"), E("3D"), E("3E"), E("3F"),
    E("40"), P("A"), P("B"), P("C"), P("D"), P("E"), P("F"), P("G"), P("H"), P("I"), P("J"), P("K"), P("L"), P("M"), P("N"), P("O"),
    P("P"), P("Q"), P("R"), P("S"), P("T"), P("U"), P("V"), P("W"), P("X"), P("Y"), P("Z"), E("5B"), E("5C"), E("5D"), E("5E"), P("_"),
    E("60"), P("a"), P("b"), P("c"), P("d"), P("e"), P("f"), P("g"), P("h"), P("i"), P("j"), P("k"), P("l"), P("m"), P("n"), P("o"),
    P("p"), P("q"), P("r"), P("s"), P("t"), P("u"), P("v"), P("w"), P("x"), P("y"), P("z"), E("7B"), E("7C"), E("7D"), P("~"), E("7F"),
    ROW("8"), ROW("9"), ROW("A"), ROW("B"), ROW("C"), ROW("D"), ROW("E"), ROW("F"),
};
#undef E
#undef P
#undef ROW
/* clang-format on */

/* Four bytes are written each time, of which one or three stay: a branch would be guessed wrong too often. */
void buffer_grouped(struct buffer *b, int64_t n)
{
    char room[24];
    struct buffer digits = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    buffer_i64(&digits, n);
    for (size_t i = 0; i < digits.n; i++) {
        if (i && digits.p[i - 1] != '-' && (digits.n - i) % 3 == 0)
            buffer_put(b, ',');
        buffer_put(b, digits.p[i]);
    }
}

void percent_encode(struct buffer *b, struct slice s)
{
    char *to = s.n < SIZE_MAX / 3 ? buffer_reserve(b, s.n * 3 + 1) : NULL;
    if (!to)
        return;
    for (size_t i = 0; i < s.n; i++) {
        const char *form = encoded[(unsigned char)s.p[i]];
        memcpy(to, form, 4);
        to += form[3];
    }
    b->n = (size_t)(to - b->p);
}

bool percent_decode(struct buffer *b, struct slice s, size_t *bad_at)
{
    char *to = buffer_reserve(b, s.n);
    if (!to)
        return s.n == 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
            int low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0) {
                if (bad_at)
                    *bad_at = i;
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        *to++ = c;
    }
    b->n = (size_t)(to - b->p);
    return true;
}

bool parse_u64(struct slice s, uint64_t *value)
{
    uint64_t v = 0;
    if (!s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *value = v;
    return true;
}

bool parse_i64(struct slice s, int64_t *value)
{
    bool negative = s.n && s.p[0] == '-';
    struct slice digits = negative ? slice_from(s, 1) : s;
    uint64_t v;
    if ((digits.n > 1 && digits.p[0] == '0') || !parse_u64(digits, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *value = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
