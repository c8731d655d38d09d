/* SPDX-License-Identifier: MIT
 * base/slice: comparing, splitting, trimming, with the empty and the NULL slice among the inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct slice none = { NULL, 0 };

static void equality(void **state)
{
    (void)state;
    assert_true(slice_eq(S("abc"), S("abc")));
    assert_false(slice_eq(S("abc"), S("abd")));
    assert_false(slice_eq(S("abc"), S("ab")));
    assert_true(slice_eq(S("a\0b"), S("a\0b")));
    assert_false(slice_eq(S("a\0b"), S("a\0c")));
    assert_true(slice_eq(none, S("")));
    assert_true(slice_eq(slice_str(NULL), none));
}

static void equality_without_case(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(S("Content-Length"), S("cONTENT-lENGTH")));
    assert_false(slice_eq_nocase(S("abc"), S("abcd")));
    /* Only letters differ by that bit. */
    assert_false(slice_eq_nocase(S("["), S("{")));
    assert_false(slice_eq_nocase(S("@"), S("`")));
    assert_false(slice_eq_nocase(S("\xC3\x84"), S("\xC3\xA4")));
}

static void order(void **state)
{
    (void)state;
    static const struct slice sorted[] = { SLICE(""),   SLICE("\0"),   SLICE(" "),        SLICE("a"),
                                           SLICE("aa"), SLICE("ab"),   SLICE("b"),        SLICE("\x7F"),
                                           SLICE("é"),  SLICE("\xFF"), SLICE("\xFF\x01"), SLICE("\xFF\xFF") };
    size_t n = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int c = slice_cmp(sorted[i], sorted[j]);
            assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
        }
    assert_int_equal(slice_cmp(none, S("")), 0);
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts(S("www.example.com"), S("www.")));
    assert_false(slice_starts(S("ww"), S("www.")));
    assert_true(slice_ends(S("www.example.com"), S(".com")));
    assert_false(slice_ends(S("com"), S(".com")));
    assert_true(slice_starts(S("x"), none));
    assert_true(slice_ends(S("x"), S("")));
}

static void finding(void **state)
{
    (void)state;
    assert_int_equal(slice_find(S("a=b=c"), '='), 1);
    assert_int_equal(slice_find(S("abc"), '='), 3);
    assert_int_equal(slice_find(none, '='), 0);
    assert_int_equal(slice_find(S("a\0b"), '\0'), 1);
}

static void splitting(void **state)
{
    (void)state;
    struct slice rest;
    assert_true(slice_eq(slice_split(S("a=b=c"), '=', &rest), S("a")));
    assert_true(slice_eq(rest, S("b=c")));
    assert_true(slice_eq(slice_split(S("a="), '=', &rest), S("a")));
    assert_non_null(rest.p);
    assert_int_equal(rest.n, 0);
    assert_true(slice_eq(slice_split(S("=a"), '=', &rest), S("")));
    assert_true(slice_eq(rest, S("a")));
    assert_true(slice_eq(slice_split(S("abc"), '=', &rest), S("abc")));
    assert_null(rest.p);
    (void)slice_split(none, '=', &rest);
    assert_null(rest.p);
}

static void trimming(void **state)
{
    (void)state;
    assert_true(slice_eq(slice_trim(S(" \t\r\n a b \n")), S("a b")));
    assert_int_equal(slice_trim(S(" \t\r\n")).n, 0);
    assert_int_equal(slice_trim(none).n, 0);
    /* A vertical tab and a no-break space stay. */
    assert_true(slice_eq(slice_trim(S("\v\xC2\xA0")), S("\v\xC2\xA0")));
}

static void secrets(void **state)
{
    (void)state;
    assert_true(slice_is_secret(S("abc"), S("abc")));
    static const char *const wrong[] = { "", "a", "ab", "abd", "Abc", "abca", "abcabc" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(slice_is_secret(slice_str(wrong[i]), S("abc")));
    assert_false(slice_is_secret(none, S("abc")));
    assert_false(slice_is_secret(slice_of("ab\0", 3), S("abc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality), cmocka_unit_test(equality_without_case),
        cmocka_unit_test(order),    cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(finding),  cmocka_unit_test(splitting),
        cmocka_unit_test(trimming), cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
