/* SPDX-License-Identifier: MIT
 * http/parse/grammar: each byte in its classes, and the end of plain text at every place of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/parse/grammar.h"

static bool is_alphanumeric(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_one_of(int c, const char *some)
{
    return c && strchr(some, c);
}

static void bytes_in_their_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        /* RFC 9110 has the bytes of a token; a path may hold all that is visible but what ends it. */
        assert_int_equal(byte_is((char)c, BYTE_TOKEN) != 0, is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(byte_is((char)c, BYTE_HOST) != 0, is_alphanumeric(c) || is_one_of(c, "-._:[]"));
        assert_int_equal(byte_is((char)c, BYTE_PATH) != 0, c > 0x20 && c < 0x7F && !is_one_of(c, "?#"));
    }
    assert_int_equal(bytes_of_class(S("host name"), BYTE_TOKEN), 4);
    assert_int_equal(bytes_of_class(S("host"), BYTE_HOST), 4);
    assert_int_equal(bytes_of_class(S(""), BYTE_HOST), 0);
}

static void text_ends_at_the_first_odd_byte(void **state)
{
    (void)state;
    static const char odd[] = { 0x1F, 0x7F, (char)0x80, (char)0xFF, 0, '\t' };
    for (size_t n = 0; n <= 50; n++) {
        char text[50];
        memset(text, '~', sizeof text);
        for (size_t from = 0; from <= n; from++)
            assert_int_equal(text_end(text, from, n), n);
        for (size_t at = 0; at < n; at++) {
            text[at] = odd[(n + at) % sizeof odd];
            for (size_t from = 0; from <= n; from++)
                assert_int_equal(text_end(text, from, n), from <= at ? at : n);
            text[at] = ' ';
        }
    }
}

static void the_first_fault_counts(void **state)
{
    (void)state;
    struct reader r;
    reader_start(&r);
    assert_false(reader_refuse(&r, 400, "first"));
    assert_false(reader_refuse(&r, 500, "second"));
    assert_int_equal(r.verdict, READER_FAULT);
    assert_int_equal(r.fault_status, 400);
    assert_string_equal(r.fault_why, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_in_their_classes),
        cmocka_unit_test(text_ends_at_the_first_odd_byte),
        cmocka_unit_test(the_first_fault_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
