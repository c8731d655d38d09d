/* SPDX-License-Identifier: MIT
 * base/digits: numbers at their edges, and the end of plain bytes at every place of a block. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digits.h"

static void check_number(uint64_t v)
{
    char expected[24], written[24];
    int n = snprintf(expected, sizeof expected, "%" PRIu64, v);
    assert_int_equal(decimal_digits(v), n);
    assert_int_equal(decimal_write(written, v), n);
    assert_memory_equal(written, expected, (size_t)n);
}

static void numbers_around_each_power(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 100000; v++)
        check_number(v);
    for (uint64_t power = 10; power <= UINT64_MAX / 10; power *= 10) {
        check_number(power - 1);
        check_number(power);
        check_number(power + 1);
    }
    for (int bit = 0; bit < 64; bit++) {
        check_number((uint64_t)1 << bit);
        check_number(((uint64_t)1 << bit) - 1);
    }
    check_number(10000000000000000000u);
    check_number(UINT64_MAX);
}

/* Blocks of 16 are looked at together; the last one overlaps the one before. */
static void a_run_ends_at_the_first_stop(void **state)
{
    (void)state;
    static const char stops[] = { '"', '\\', 0x00, 0x1F, '\n' };
    for (size_t n = 0; n <= 50; n++) {
        char text[50];
        memset(text, 'a', sizeof text);
        for (size_t from = 0; from <= n; from++) {
            bool high = false;
            assert_int_equal(json_run(slice_of(text, n), from, &high), n);
            assert_false(high);
        }
        for (size_t at = 0; at < n; at++) {
            text[at] = stops[(n + at) % sizeof stops];
            for (size_t from = 0; from <= n; from++) {
                bool high = false;
                assert_int_equal(json_run(slice_of(text, n), from, &high), from <= at ? at : n);
            }
            text[at] = 'a';
        }
    }
}

static void high_bytes_are_reported(void **state)
{
    (void)state;
    static const char seen[] = { (char)0x80, (char)0xFF };
    for (size_t n = 1; n <= 50; n++) {
        char text[50];
        memset(text, 0x7F, sizeof text);
        for (size_t at = 0; at < n; at++) {
            bool high = false;
            text[at] = seen[at % 2];
            assert_int_equal(json_run(slice_of(text, n), 0, &high), n);
            assert_true(high);
            text[at] = 0x7F;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_around_each_power),
        cmocka_unit_test(a_run_ends_at_the_first_stop),
        cmocka_unit_test(high_bytes_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
