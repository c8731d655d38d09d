/* SPDX-License-Identifier: MIT
 * The classes of bytes as a table, and the fault that the first wrong byte leaves behind. */
#include "proxy/http/parse/grammar.h"

/* A path has no '?' in it (it ends there) and no '#'. */
/* clang-format off */
const uint8_t byte_classes[256] = {
    ['A' ... 'Z'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH, ['a' ... 'z'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH,
    ['0' ... '9'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH,
    ['!'] = BYTE_TOKEN | BYTE_PATH, ['"'] = BYTE_PATH,               ['#'] = BYTE_TOKEN,
    ['$'] = BYTE_TOKEN | BYTE_PATH, ['%'] = BYTE_TOKEN | BYTE_PATH,  ['&'] = BYTE_TOKEN | BYTE_PATH,
    ['\''] = BYTE_TOKEN | BYTE_PATH, ['('] = BYTE_PATH,              [')'] = BYTE_PATH,
    ['*'] = BYTE_TOKEN | BYTE_PATH, ['+'] = BYTE_TOKEN | BYTE_PATH,  [','] = BYTE_PATH,
    ['-'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH, ['.'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH,
    ['/'] = BYTE_PATH, [':'] = BYTE_HOST | BYTE_PATH, [';' ... '>'] = BYTE_PATH, ['@'] = BYTE_PATH,
    ['['] = BYTE_HOST | BYTE_PATH, ['\\'] = BYTE_PATH, [']'] = BYTE_HOST | BYTE_PATH,
    ['^'] = BYTE_TOKEN | BYTE_PATH, ['_'] = BYTE_TOKEN | BYTE_HOST | BYTE_PATH, ['`'] = BYTE_TOKEN | BYTE_PATH,
    ['{'] = BYTE_PATH, ['|'] = BYTE_TOKEN | BYTE_PATH, ['}'] = BYTE_PATH, ['~'] = BYTE_TOKEN | BYTE_PATH,
};
/* clang-format on */

size_t bytes_of_class(struct slice s, int class)
{
    size_t n = 0;
    while (n < s.n && byte_is(s.p[n], class))
        n++;
    return n;
}

/* 0x20 to 0x7e; as a signed char, what lies from 0x80 up is below zero. */
static bool is_text(char c)
{
    return (signed char)c >= 0x20 && c != 0x7f;
}

/* Blocks without an early exit become vector code. */
size_t text_end(const char *p, size_t at, size_t n)
{
    enum { BLOCK = 16 };
    while (n - at >= BLOCK) {
        unsigned char odd = 0;
        for (int i = 0; i < BLOCK; i++)
            odd |= (unsigned char)!is_text(p[at + i]);
        if (odd)
            break;
        at += BLOCK;
    }
    while (at < n && is_text(p[at]))
        at++;
    return at;
}

bool reader_refuse(struct reader *r, int status, const char *why)
{
    if (r->verdict != READER_FAULT) {
        r->verdict = READER_FAULT;
        r->fault_status = status;
        r->fault_why = why;
    }
    return false;
}
