/* SPDX-License-Identifier: MIT
 * base/text: every code point, the ill-formed sequences by kind, percent-encoding, numbers at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/digits.h"
#include "base/text.h"

static void every_code_point_goes_round(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        char bytes[4];
        size_t n = utf8_encode(c, bytes), length = 0;
        assert_int_equal(utf8_valid_prefix(slice_of(bytes, n)), n);
        assert_int_equal(utf8_decode(bytes, &length), c);
        assert_int_equal(length, n);
    }
}

static void surrogates_are_not_valid(void **state)
{
    (void)state;
    for (uint32_t c = 0xD800; c <= 0xDFFF; c++) {
        char bytes[4];
        size_t n = utf8_encode(c, bytes);
        assert_int_equal(utf8_valid_prefix(slice_of(bytes, n)), 0);
    }
}

static void bad_sequences(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        size_t valid;
        const char *why;
    } cases[] = {
        { SLICE("\x80"), 0, "a tail alone" },
        { SLICE("\xBF"), 0, "a tail alone" },
        { SLICE("\xC0\x80"), 0, "overlong NUL" },
        { SLICE("\xC1\xBF"), 0, "overlong, two bytes" },
        { SLICE("\xE0\x9F\xBF"), 0, "overlong, three bytes" },
        { SLICE("\xF0\x8F\xBF\xBF"), 0, "overlong, four bytes" },
        { SLICE("\xED\xA0\x80"), 0, "high surrogate" },
        { SLICE("\xED\xBF\xBF"), 0, "low surrogate" },
        { SLICE("\xF4\x90\x80\x80"), 0, "past U+10FFFF" },
        { SLICE("\xF5\x80\x80\x80"), 0, "past U+10FFFF" },
        { SLICE("\xFE"), 0, "no such byte" },
        { SLICE("\xFF"), 0, "no such byte" },
        { SLICE("\xC3"), 0, "cut after one of two" },
        { SLICE("\xE2\x82"), 0, "cut after two of three" },
        { SLICE("\xF0\x9F\x98"), 0, "cut after three of four" },
        { SLICE("\xC3\x28"), 0, "a head, no tail" },
        { SLICE("\xE2\x28\xA1"), 0, "a tail missing in the middle" },
        { SLICE("\xF0\x9F\x98\x28"), 0, "the last tail missing" },
        { SLICE("abc\xFF"), 3, "good, then bad" },
        { SLICE("abcdefgh\x80"), 8, "bad right after eight plain bytes" },
        { SLICE("abcdefg\xFFh"), 7, "bad within eight bytes" },
        { SLICE("\xC3\xA9\xC3"), 2, "the second one cut" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (utf8_valid_prefix(cases[i].text) != cases[i].valid)
            fail_msg("case %zu (%s): %zu bytes taken as valid, %zu are", i, cases[i].why,
                     utf8_valid_prefix(cases[i].text), cases[i].valid);
    assert_int_equal(utf8_valid_prefix(slice_of(NULL, 0)), 0);
    assert_int_equal(utf8_valid_prefix(S("a\0b")), 3);
}

/* As many of U+FFFD as browsers show: the examples of the Unicode Standard (3.9, "U+FFFD Substitution of Maximal
 * Subparts") and one of each kind. */
static void what_is_broken_becomes_as_many(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        size_t parts[8]; /* bytes of each; 0: no more */
    } rows[] = {
        { SLICE("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"), { 1, 1, 1, 1, 1, 1, 1, 1 } },
        { SLICE("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"), { 1, 1, 1, 1, 1, 1, 1, 1 } },
        { SLICE("\xF4\x91\x92\x93\xFF"), { 1, 1, 1, 1, 1 } },
        { SLICE("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"), { 2, 1, 3, 2 } },
        { SLICE("\xC3"), { 1 } },
        { SLICE("\xE2\x82"), { 2 } },
        { SLICE("\xF0\x9F\x98\xF0\x9F\x98"), { 3, 3 } },
        { SLICE("\xF4\x8F\xBF\xC2"), { 3, 1 } },
        { SLICE("\xEF\xBF\xC2"), { 2, 1 } },
        { SLICE("\x80\xBF"), { 1, 1 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice rest = rows[i].text;
        for (size_t k = 0; k < 8 && rows[i].parts[k]; k++) {
            assert_int_equal(utf8_valid_prefix(rest), 0);
            assert_int_equal(utf8_broken_prefix(rest), rows[i].parts[k]);
            rest = slice_from(rest, rows[i].parts[k]);
        }
        assert_int_equal(rest.n, 0);
    }
}

static void every_byte_goes_round_in_percent(void **state)
{
    (void)state;
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct buffer encoded = buffer_with_cap(0), decoded = buffer_with_cap(0);
    percent_encode(&encoded, slice_of(all, sizeof all));
    for (size_t i = 0; i < encoded.n; i++)
        assert_non_null(
            memchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%", encoded.p[i], 67));
    assert_true(percent_decode(&decoded, buffer_slice(&encoded), NULL));
    assert_int_equal(decoded.n, sizeof all);
    assert_memory_equal(decoded.p, all, sizeof all);
    buffer_clear(&encoded);
    buffer_clear(&decoded);
}

static bool is_plain_in_url(int c)
{
    return c && c < 0x80 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c);
}

static void every_byte_in_a_url(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c, form[4];
        struct buffer b = buffer_with_cap(0);
        snprintf(form, sizeof form, "%%%02X", (unsigned)c);
        percent_encode(&b, slice_of(&byte, 1));
        assert_true(slice_eq(buffer_slice(&b), is_plain_in_url(c) ? slice_of(&byte, 1) : slice_str(form)));
        buffer_clear(&b);
    }
}

/* Each byte at each place of texts that are shorter and longer than a block. */
static void runs_of_xml_stop_where_they_must(void **state)
{
    (void)state;
    char text[40];
    for (int c = 0; c < 256; c++) {
        bool stops = c == '&' || c == '<' || c == '>' || c == 0xEF || (c < ' ' && c != '\t' && c != '\n');
        for (size_t n = 1; n <= sizeof text; n++) {
            for (size_t at = 0; at < n; at++) {
                memset(text, 'a', sizeof text);
                text[at] = (char)c;
                assert_int_equal(xml_run(slice_of(text, n), 0), stops ? at : n);
                assert_int_equal(xml_run(slice_of(text, n), at + 1), n);
            }
        }
    }
}

static void percent_decoding(void **state)
{
    (void)state;
    static const struct {
        struct slice in, out;
        long bad_at; /* -1: good */
    } cases[] = {
        { SLICE(""), SLICE(""), -1 },
        { SLICE("a+b%20c"), SLICE("a b c"), -1 },
        { SLICE("%2B%2b"), SLICE("++"), -1 },
        { SLICE("%00"), SLICE("\0"), -1 },
        { SLICE("na%C3%AFve"), SLICE("na\xC3\xAFve"), -1 },
        { SLICE("raw \xFF\"<>"), SLICE("raw \xFF\"<>"), -1 },
        { SLICE("%"), SLICE(""), 0 },
        { SLICE("ab%4"), SLICE(""), 2 },
        { SLICE("a%4g"), SLICE(""), 1 },
        { SLICE("a%g4"), SLICE(""), 1 },
        { SLICE("%41%%41"), SLICE(""), 3 },
        { SLICE("%-1"), SLICE(""), 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer b = buffer_with_cap(0);
        size_t bad_at = 999;
        bool good = percent_decode(&b, cases[i].in, &bad_at);
        assert_int_equal(good, cases[i].bad_at < 0);
        if (good)
            assert_true(slice_eq(buffer_slice(&b), cases[i].out));
        else
            assert_int_equal(bad_at, cases[i].bad_at);
        buffer_clear(&b);
    }
}

static void signed_numbers(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        int64_t value;
    } good[] = {
        { SLICE("0"), 0 },
        { SLICE("-0"), 0 },
        { SLICE("-1"), -1 },
        { SLICE("9223372036854775807"), INT64_MAX },
        { SLICE("-9223372036854775808"), INT64_MIN },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = 77;
        assert_true(parse_i64(good[i].text, &v));
        assert_int_equal(v, good[i].value);
    }
    static const struct slice bad[] = { SLICE(""),
                                        SLICE("-"),
                                        SLICE("--1"),
                                        SLICE("+1"),
                                        SLICE("01"),
                                        SLICE("-01"),
                                        SLICE(" 1"),
                                        SLICE("1 "),
                                        SLICE("1\0"),
                                        SLICE("1.0"),
                                        SLICE("1e5"),
                                        SLICE("9223372036854775808"),
                                        SLICE("-9223372036854775809"),
                                        SLICE("99999999999999999999999") };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 77;
        assert_false(parse_i64(bad[i], &v));
        assert_int_equal(v, 77);
    }
}

static void unsigned_numbers(void **state)
{
    (void)state;
    uint64_t v = 77;
    assert_true(parse_u64(S("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    assert_true(parse_u64(S("00000000000000000000000000010"), &v));
    assert_int_equal(v, 10);
    static const struct slice bad[] = { SLICE(""),
                                        SLICE("-1"),
                                        SLICE("+1"),
                                        SLICE("1_"),
                                        SLICE("18446744073709551616"),
                                        SLICE("28446744073709551615"),
                                        SLICE("184467440737095516150") };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(parse_u64(bad[i], &v));
        assert_int_equal(v, 10);
    }
}

static void digits(void **state)
{
    (void)state;
    static const char hex[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int c = 0; c < 256; c++) {
        int value = -1;
        for (int i = 0; i < 16; i++)
            if (c == hex[i] || c == upper[i])
                value = i;
        assert_int_equal(is_digit((char)c), value >= 0 && value <= 9);
        assert_int_equal(hex_value((char)c), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_goes_round),
        cmocka_unit_test(surrogates_are_not_valid),
        cmocka_unit_test(bad_sequences),
        cmocka_unit_test(what_is_broken_becomes_as_many),
        cmocka_unit_test(every_byte_goes_round_in_percent),
        cmocka_unit_test(every_byte_in_a_url),
        cmocka_unit_test(runs_of_xml_stop_where_they_must),
        cmocka_unit_test(percent_decoding),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
