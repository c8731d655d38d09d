/* SPDX-License-Identifier: MIT
 * Counting by length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/histogram.h"

enum { SECOND = 1000000 };

static void a_bound_belongs_to_its_count(void **state)
{
    (void)state;
    struct histogram h = { .scale = &histogram_waits };
    histogram_add(&h, 5000, 0);
    histogram_add(&h, 5001, 0);
    histogram_add(&h, 0, 0);
    histogram_add(&h, -7, 0); /* a clock that did go back */
    histogram_add(&h, 60 * SECOND, 0);
    histogram_add(&h, 60 * SECOND + 1, 0);
    assert_int_equal(h.counts[0], 3);
    assert_int_equal(h.counts[1], 1);
    assert_int_equal(h.counts[h.scale->n - 1], 1);
    assert_int_equal(h.counts[h.scale->n], 1);
    assert_int_equal(h.sum_us, 5000 + 5001 + 120 * SECOND + 1);
}

static void two_become_one(void **state)
{
    (void)state;
    struct histogram a = { .scale = &histogram_waits }, b = a;
    histogram_add(&a, 1, 0);
    histogram_add(&b, 2, 0);
    histogram_add(&b, 100 * (int64_t)SECOND, 0);
    histogram_merge(&a, &b);
    assert_int_equal(a.counts[0], 2);
    assert_int_equal(a.counts[a.scale->n], 1);
    assert_int_equal(a.sum_us, 3 + 100 * (int64_t)SECOND);
}

static void the_longest_is_forgotten(void **state)
{
    (void)state;
    struct histogram h = { .scale = &histogram_moments };
    int64_t at = 1000 * (int64_t)SECOND;
    assert_int_equal(histogram_longest_us(&h, at), 0);
    histogram_add(&h, 700, at);
    histogram_add(&h, 300, at + 1);
    assert_int_equal(histogram_longest_us(&h, at + 59 * SECOND), 700);
    assert_int_equal(histogram_longest_us(&h, at + 61 * SECOND), 700);
    histogram_add(&h, 200, at + 61 * SECOND);
    assert_int_equal(histogram_longest_us(&h, at + 61 * SECOND), 700);
    histogram_add(&h, 100, at + 122 * (int64_t)SECOND);
    assert_int_equal(histogram_longest_us(&h, at + 122 * (int64_t)SECOND), 200);
    assert_int_equal(histogram_longest_us(&h, at + 1000 * (int64_t)SECOND), 0);
    histogram_add(&h, 50, at + 1000 * (int64_t)SECOND);
    assert_int_equal(histogram_longest_us(&h, at + 1000 * (int64_t)SECOND), 50);
}

static void scales_are_sound(void **state)
{
    (void)state;
    const struct histogram_scale *const scales[] = { &histogram_moments, &histogram_waits };
    for (size_t s = 0; s < 2; s++) {
        int64_t before = 0;
        for (size_t i = 0; i < scales[s]->n; i++) {
            assert_true(scales[s]->bounds[i].us > before);
            before = scales[s]->bounds[i].us;
            assert_int_equal((int64_t)(strtod(scales[s]->bounds[i].seconds, NULL) * SECOND + 0.5), before);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_belongs_to_its_count),
        cmocka_unit_test(two_become_one),
        cmocka_unit_test(the_longest_is_forgotten),
        cmocka_unit_test(scales_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
