/* SPDX-License-Identifier: MIT
 * When the breaker opens and how it closes again, over simulated time. */
#include "proxy/upstream/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool go(struct breaker *b, int64_t now)
{
    return gate_lets(&b->gate, now) ? (gate_enter(&b->gate), true) : false;
}

static void five_failures_in_a_row_stop_it(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    for (int i = 0; i < 4; i++) {
        breaker_note(&b, true, false, 1000);
    }
    breaker_note(&b, false, false, 1000);
    for (int i = 0; i < 4; i++) {
        breaker_note(&b, true, false, 1000);
        assert_true(gate_lets(&b.gate, 1000));
    }
    breaker_note(&b, true, false, 1000);
    assert_false(gate_lets(&b.gate, 1000));
    assert_int_equal(gate_wait_ms(&b.gate, 1000), 5000);
    assert_false(gate_lets(&b.gate, 5999));
    assert_true(gate_lets(&b.gate, 6000));
}

static void half_of_the_last_twenty_stop_it(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    for (int i = 0; i < 19; i++) {
        breaker_note(&b, i % 2, false, 0);
        assert_true(gate_lets(&b.gate, 0));
    }
    breaker_note(&b, true, false, 0);
    assert_false(gate_lets(&b.gate, 0));
}

static void what_is_long_past_does_not_count(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    for (int i = 0; i < 1000; i++) {
        breaker_note(&b, i % 20 < 9 && i % 5 != 4, false, 0);
        assert_true(gate_lets(&b.gate, 0));
    }
}

static void shut(struct breaker *b, int64_t now)
{
    for (int i = 0; i < 5; i++) {
        breaker_note(b, true, false, now);
    }
    assert_false(gate_lets(&b->gate, now));
}

static void one_probe_decides(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    shut(&b, 0);
    assert_true(go(&b, 5000));
    assert_false(go(&b, 5000)); /* one at a time */
    assert_true(gate_wait_ms(&b.gate, 5000) > 0);
    breaker_note(&b, true, true, 5100);
    assert_int_equal(gate_wait_ms(&b.gate, 5100), 10000); /* longer */
    assert_true(go(&b, 15100));
    breaker_note(&b, false, true, 15200);
    assert_true(go(&b, 15200));
    assert_true(go(&b, 15200));
    assert_int_equal(gate_wait_ms(&b.gate, 15200), 0);
    shut(&b, 20000);
    assert_int_equal(gate_wait_ms(&b.gate, 20000), 5000); /* it began anew */
}

static void a_probe_that_tells_nothing_makes_room_for_another(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    shut(&b, 0);
    assert_true(go(&b, 5000));
    gate_unprobed(&b.gate);
    assert_true(go(&b, 5000));
}

static void stragglers_from_before_change_nothing(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    shut(&b, 0);
    breaker_note(&b, false, false, 10);
    assert_false(gate_lets(&b.gate, 10));
    for (int i = 0; i < 20; i++) {
        breaker_note(&b, true, false, 10);
    }
    assert_int_equal(gate_wait_ms(&b.gate, 10), 4990);
}

static void pauses_end_at_a_minute(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    shut(&b, 0);
    int64_t now = 0;
    for (int i = 0; i < 10; i++) {
        now += gate_wait_ms(&b.gate, now);
        assert_true(go(&b, now));
        breaker_note(&b, true, true, now);
    }
    assert_int_equal(gate_wait_ms(&b.gate, now), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_failures_in_a_row_stop_it),
        cmocka_unit_test(half_of_the_last_twenty_stop_it),
        cmocka_unit_test(what_is_long_past_does_not_count),
        cmocka_unit_test(one_probe_decides),
        cmocka_unit_test(a_probe_that_tells_nothing_makes_room_for_another),
        cmocka_unit_test(stragglers_from_before_change_nothing),
        cmocka_unit_test(pauses_end_at_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
