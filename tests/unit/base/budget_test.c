/* SPDX-License-Identifier: MIT
 * What pieces of work may hold together, and what one of several may. */
#include "base/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/share.h"

static void a_budget_is_spent(void **state)
{
    (void)state;
    struct budget b = { .max = 100 };
    assert_true(budget_take(&b, 60));
    assert_false(budget_take(&b, 41));
    assert_false(budget_take(&b, SIZE_MAX - 50));
    assert_true(budget_take(&b, 40));
    assert_false(budget_is_spent(&b));
    budget_add(&b, 1);
    assert_true(budget_is_spent(&b));
    assert_true(budget_is_over(&b, 100));
    budget_give(&b, 101);
    assert_int_equal(b.used, 0);
    assert_true(budget_take(NULL, SIZE_MAX));
}

static void parts_of_a_whole(void **state)
{
    (void)state;
    struct budget whole = { .max = 100 }, one = { .whole = &whole }, two = { .whole = &whole };
    assert_true(budget_take(&one, 70)); /* it is the only one that has a part */
    assert_int_equal(whole.used, 70);
    whole.is_shared = true;
    assert_true(budget_is_spent(&one));
    assert_false(budget_take(&one, 1));
    assert_true(budget_take(&two, 15)); /* half of 30 */
    assert_false(budget_take(&two, 1));
    assert_int_equal(whole.used, 85);
    budget_give(&one, 40);
    assert_true(budget_take(&two, 20)); /* half of 70 */
    assert_false(budget_take(&two, 1));
    budget_add(&two, 35); /* it was paid for */
    assert_int_equal(two.used, 70);
    assert_int_equal(whole.used, 100);
    budget_give(&two, 70);
    budget_give(&one, 30);
    assert_int_equal(whole.used + one.used + two.used, 0);
}

static void what_fits_into_a_share(void **state)
{
    (void)state;
    assert_true(share_fits(100, 0, 0, 100)); /* the first, however large */
    assert_false(share_fits(100, 1, 0, 100));
    assert_true(share_fits(100, 40, 10, 20));
    assert_false(share_fits(100, 40, 10, 21));
    assert_true(share_fits(1, 0, 0, 1));
    assert_false(share_fits(1, 1, 0, 1));
    assert_false(share_fits(-5, 0, 0, 1)); /* more is used than there is */
    assert_true(share_fits(INT64_MAX, 0, INT64_MAX / 2 - 1, 1));
    assert_int_equal(share_left(100, 40, 10), 20);
    assert_int_equal(share_left(100, 40, 31), 0);
    assert_int_equal(share_left(-5, 3, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_is_spent),
        cmocka_unit_test(parts_of_a_whole),
        cmocka_unit_test(what_fits_into_a_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
