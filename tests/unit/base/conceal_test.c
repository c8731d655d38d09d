/* SPDX-License-Identifier: MIT
 * base/conceal: a secret in every guise that old programs give it, and that the search is linear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/conceal.h"

static void expect(const char *secret, const char *text, const char *shown)
{
    struct buffer out = { 0 };
    bool any = conceal(slice_str(text), slice_str(secret), S("***"), &out);
    struct slice got = any ? buffer_slice(&out) : slice_str(text);
    if (out.failed || !slice_eq(got, slice_str(shown))) {
        print_error("secret:   %s\ntext:     %s\ngot:      %.*s\nexpected: %s\n", secret, text, SLICE_ARGS(got), shown);
        fail();
    }
    assert_true(any || !out.n);
    buffer_clear(&out);
}

static void as_it_is(void **state)
{
    (void)state;
    expect("secret-token", "", "");
    expect("", "text", "text");
    expect("secret-token", "nothing", "nothing");
    expect("secret-token", "secret-token", "***");
    expect("secret-token", "no \"SECRET-Token\" and secret-toke", "no \"***\" and secret-toke");
    expect("secret-token", "secret-tokensecret-token/secret-token", "******/***");
    expect("secret-token", "secret-secret-secret-token", "secret-secret-***");
    expect("aaaaaaaa", "aaaaaaaaa", "***a");
    expect("aabaaab", "aabaaabaaabaabaaab", "***aaab***");
    expect("\xC3\xA9t\xC3\xA9-1", "l'\xC3\xA9t\xC3\xA9-1!", "l'***!");
}

static void short_ones_by_themselves(void **state)
{
    (void)state;
    expect("1234567", "1234567", "***");
    expect("1234567", "x1234567y", "x***y");
    expect("abcd", "xabcdx", "x***x");
    expect("abc", "abc", "***");
    expect("abc", "ABC/abc?abc=1 \"abc\" %61bc", "***/***?***=1 \"***\" ***");
    expect("abc", "abcd xabc ab c", "abcd xabc ab c");
    expect("a",
           "a table a, b and \xC3\xA4"
           "a",
           "*** table ***, b and \xC3\xA4"
           "a");
}

static void percent_encoded(void **state)
{
    (void)state;
    expect("secret-token", "x%73ecret-tokenx", "x***x");
    expect("secret-token", "%73%65%63%72%65%74%2D%74%6F%6B%65%6E", "***");
    expect("secret-token", "%73%65%63%72%65%74%2d%74%6f%6b%65%6E;", "***;");
    expect("secret-token", "%53ECRET%2dToken and secret-token", "*** and ***");
    expect("secret-token", "%2573ecret-token %252573ecret-token", "*** ***");
    expect("secret-token", "%25secret-token%25", "%25***%25");
    expect("secret-token", "%se%73ecret-token%", "%se***%");
    expect("secret-token", "100% secret%-token", "100% secret%-token");
    expect("ab%41cd", "ab%41cd ab%2541cd %61b%2541cd", "*** *** ***");
    expect("feedbeef", "%feedbeef %25feedbeef", "%*** %25***"); /* what looks like an encoded byte begins in it */
    expect("a b+c d", "a+b+c+d a%20b%2Bc%20d a b%2bc+d", "*** *** ***");
}

static void in_expressions(void **state)
{
    (void)state;
    expect("secret-token", "[\"regex\",\"(?i)^secret\\\\-token$\"]", "[\"regex\",\"(?i)^***$\"]");
    expect("secret-token", "%22(%3Fi)%5E%5BsS%5Decret%5C%5C-to%5BkK%5Den%24%22", "%22(%3Fi)%5E***%24%22");
    expect("sec\"ret\\token", "x sec\\\"ret\\\\token x", "x *** x");
    expect("sec[x]ret", "sec\\[x\\]ret sec[x]ret", "*** ***");
    expect("\\\\\\\\\\", "a\\b\\c", "a\\b\\c");
}

static uint32_t dice(uint32_t sides)
{
    static uint64_t state = 7;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % sides;
}

static void put_guised(struct buffer *b, char c)
{
    static const char digits[] = "0123456789abcdef";
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    switch (dice(5)) {
    case 0:
        buffer_printf(b, "%%%c%c", digits[(unsigned char)c >> 4], digits[c & 15]);
        break;
    case 1:
        buffer_printf(b, "%%25%c%c", digits[(unsigned char)c >> 4], digits[c & 15]);
        break;
    case 2:
        if (is_letter)
            buffer_printf(b, "[%c%c]", c, c ^ 0x20);
        else
            buffer_printf(b, "\\%c", c);
        break;
    case 3:
        buffer_put(b, is_letter ? (char)(c ^ 0x20) : c == ' ' ? '+' : c);
        break;
    default:
        buffer_put(b, c);
    }
}

/* However it is written, and whatever stands around it. */
static void in_any_mixture(void **state)
{
    (void)state;
    static const char signs[] = "abcxyzABCXYZ0129-_.~ =/", around[] = "abcXYZ129&=:,./ %\\[]+";
    for (int i = 0; i < 5000; i++) {
        struct buffer secret = { 0 }, text = { 0 }, out = { 0 };
        for (uint32_t n = 8 + dice(40); n; n--)
            buffer_put(&secret, signs[dice(sizeof signs - 1)]);
        for (uint32_t n = dice(60); n; n--)
            buffer_put(&text, around[dice(sizeof around - 1)]);
        buffer_put(&text, '&'); /* what stands before may begin an escape */
        for (size_t k = 0; k < secret.n; k++)
            put_guised(&text, secret.p[k]);
        buffer_put(&text, '&');
        for (uint32_t n = dice(60); n; n--)
            buffer_put(&text, around[dice(sizeof around - 1)]);
        if (!conceal(buffer_slice(&text), buffer_slice(&secret), S("***"), &out))
            fail_msg("%.*s stands in %.*s", SLICE_ARGS(buffer_slice(&secret)), SLICE_ARGS(buffer_slice(&text)));
        buffer_clear(&secret);
        buffer_clear(&text);
        buffer_clear(&out);
    }
}

/* Processor time, so that a busy machine changes nothing; the product of both lengths would take seconds. */
static void takes_time_by_length_only(void **state)
{
    (void)state;
    enum { LENGTH = 32 * 1024, ROUNDS = 10, MOST_MS = 500 };
    char *text = malloc(LENGTH), *secret = malloc(LENGTH);
    memset(text, 'a', LENGTH);
    memset(secret, 'a', LENGTH);
    clock_t began = clock();
    for (int i = 0; i < ROUNDS; i++) {
        struct buffer out = { 0 };
        size_t half = LENGTH / 2;
        secret[half - 1] = 'b';
        assert_false(conceal(slice_of(text, LENGTH), slice_of(secret, half), S("***"), &out));
        secret[half - 1] = 'a';
        text[LENGTH - 2] = '%'; /* all readings */
        text[LENGTH - 1] = '\\';
        assert_true(conceal(slice_of(text, LENGTH), slice_of(secret, half), S("***"), &out));
        text[LENGTH - 1] = text[LENGTH - 2] = 'a';
        assert_int_equal(out.n, 3 + half);
        for (size_t k = 0; k < LENGTH; k += half - 1)
            text[k] = '!';
        assert_false(conceal(slice_of(text, LENGTH), slice_of(secret, half), S("***"), &out));
        memset(text, 'a', LENGTH);
        buffer_clear(&out);
    }
    int ms = (int)((clock() - began) * 1000 / CLOCKS_PER_SEC);
    assert_in_range(ms, 0, MOST_MS);
    free(text);
    free(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is),        cmocka_unit_test(short_ones_by_themselves),
        cmocka_unit_test(percent_encoded), cmocka_unit_test(in_expressions),
        cmocka_unit_test(in_any_mixture),  cmocka_unit_test(takes_time_by_length_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
