/* SPDX-License-Identifier: MIT
 * base/buffer: grows, keeps its cap, stays failed once it failed; JSON escapes and numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"

static void expect(struct buffer *b, struct slice want)
{
    assert_false(b->failed);
    assert_int_equal(b->n, want.n);
    if (want.n)
        assert_memory_equal(b->p, want.p, want.n);
    buffer_clear(b);
}

static void grows(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(0);
    for (int i = 0; i < 100000; i++)
        buffer_put(&b, (char)('a' + i % 26));
    assert_int_equal(b.n, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    buffer_clear(&b);
    assert_int_equal(b.n, 0);
    buffer_str(&b, "again");
    expect(&b, S("again"));
}

static void nothing_is_allowed(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(0);
    buffer_append(&b, slice_of(NULL, 0));
    buffer_str(&b, NULL);
    buffer_json_text(&b, slice_of(NULL, 0));
    expect(&b, S(""));
}

static void the_cap_is_exact(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(1000);
    for (int i = 0; i < 1000; i++)
        buffer_put(&b, 'x');
    assert_false(b.failed);
    buffer_put(&b, 'y');
    assert_true(b.failed);
    assert_int_equal(b.n, 1000);
    buffer_append(&b, slice_of("", 0));
    assert_true(b.failed);
    buffer_clear(&b);
    assert_false(b.failed);
    assert_int_equal(b.max_bytes, 1000);
}

static void failed_stays_failed(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(10);
    buffer_str(&b, "12345");
    buffer_str(&b, "1234567");
    assert_true(b.failed);
    /* This one would fit, but what came before it is missing. */
    buffer_put(&b, '6');
    buffer_u64(&b, 7);
    buffer_printf(&b, "%d", 8);
    assert_int_equal(b.n, 5);
    assert_null(buffer_reserve(&b, SIZE_MAX));
    buffer_clear(&b);
}

static void absurd_sizes_fail(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(0);
    buffer_str(&b, "x");
    assert_null(buffer_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buffer_clear(&b);
}

static void numbers(void **state)
{
    (void)state;
    struct buffer b = buffer_with_cap(0);
    static const uint64_t plain[] = { 0, 9, 10, UINT64_MAX };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        buffer_u64(&b, plain[i]);
        buffer_put(&b, ' ');
    }
    static const int64_t with_sign[] = { 0, -1, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < sizeof with_sign / sizeof *with_sign; i++) {
        buffer_i64(&b, with_sign[i]);
        buffer_put(&b, ' ');
    }
    expect(&b, S("0 9 10 18446744073709551615 0 -1 9223372036854775807 -9223372036854775808 "));
    buffer_printf(&b, "%s=%d", "a", -5);
    expect(&b, S("a=-5"));
}

static void json_strings(void **state)
{
    (void)state;
    static const struct {
        struct slice in, out;
    } cases[] = {
        { SLICE(""), SLICE("\"\"") },
        { SLICE("plain / text"), SLICE("\"plain / text\"") },
        { SLICE("a\"b\\c"), SLICE("\"a\\\"b\\\\c\"") },
        { SLICE("\n\r\t\b\f"), SLICE("\"\\n\\r\\t\\b\\f\"") },
        { SLICE("\0\x01\v\x1F"), SLICE("\"\\u0000\\u0001\\u000b\\u001f\"") },
        { SLICE("\x7F"), SLICE("\"\x7F\"") },
        { SLICE("na\xC3\xAFve \xF0\x9F\x98\x80"), SLICE("\"na\xC3\xAFve \xF0\x9F\x98\x80\"") },
        { SLICE("\"\""), SLICE("\"\\\"\\\"\"") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer b = buffer_with_cap(0);
        buffer_json_string(&b, cases[i].in);
        expect(&b, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),        cmocka_unit_test(nothing_is_allowed),  cmocka_unit_test(the_cap_is_exact),
        cmocka_unit_test(numbers),      cmocka_unit_test(failed_stays_failed), cmocka_unit_test(absurd_sizes_fail),
        cmocka_unit_test(json_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
