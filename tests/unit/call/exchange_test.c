/* SPDX-License-Identifier: MIT
 * The driver, with a table of the test's own. */
#include "tests/unit/call/kit.h"

enum { START = 1, MIDDLE, LAST };

/* What a step does when it is entered for the n-th time, and what has happened. */
static enum onward script[4][8];
static int entered[4];
static char trail[64];

static void note(char c)
{
    size_t n = strlen(trail);
    assert_true(n + 1 < sizeof trail);
    trail[n] = c;
    trail[n + 1] = '\0';
}

static enum onward play(int step, char name)
{
    note(name);
    return script[step][entered[step]++];
}

static enum onward enter_start(struct exchange *x)
{
    (void)x;
    return play(START, 's');
}

static enum onward enter_middle(struct exchange *x)
{
    (void)x;
    return play(MIDDLE, 'm');
}

static enum onward enter_last(struct exchange *x)
{
    (void)x;
    return play(LAST, 'l');
}

static enum onward late(struct exchange *x)
{
    note('L');
    return exchange_refuse(x, FAULT_UPSTREAM_LATE, S("late"));
}

static enum onward gone(struct exchange *x)
{
    assert_true(x->client_gone);
    note('G');
    return exchange_refuse(x, FAULT_TOO_BUSY, S("gone"));
}

static const struct step steps[] = {
    [START] = { "start", ROOM_READ, enter_start, NULL, NULL, { [ONWARD] = MIDDLE, [SKIP] = LAST, [REFUSE] = LAST } },
    [MIDDLE] = { "middle",
                 ROOM_FETCH,
                 enter_middle,
                 late,
                 gone,
                 { [ONWARD] = LAST, [AGAIN] = START, [ANEW] = START, [REFUSE] = LAST } },
    [LAST] = { "last", ROOM_ANSWER, enter_last, NULL, NULL, { [ONWARD] = STEP_END } },
};

static struct exchange *x;

static int begin(void **state)
{
    kit_begin(state);
    memset(script, 0, sizeof script); /* ONWARD */
    memset(entered, 0, sizeof entered);
    trail[0] = '\0';
    x = exchange_new(&kit.service, NULL);
    return 0;
}

static bool is_over(void)
{
    return !link_is_alone(&kit.service.finished) && link_is_alone(&kit.service.running);
}

static void a_call_goes_from_step_to_step(void **state)
{
    (void)state;
    exchange_start(x, steps, START);
    assert_string_equal(trail, "sml");
    assert_true(is_over());
    assert_int_equal(kit.service.counters.running, 0);
}

static void ways_lead_where_the_table_says(void **state)
{
    (void)state;
    script[MIDDLE][0] = AGAIN;
    script[MIDDLE][1] = ANEW;
    script[START][2] = SKIP;
    exchange_start(x, steps, START);
    assert_string_equal(trail, "smsmsl");
    assert_true(is_over());
}

static void a_waiting_call_goes_on_when_it_is_woken(void **state)
{
    (void)state;
    script[MIDDLE][0] = script[MIDDLE][1] = WAIT;
    exchange_start(x, steps, START);
    assert_string_equal(trail, "sm");
    exchange_wake(x);
    assert_string_equal(trail, "smm");
    assert_false(is_over());
    exchange_wake(x);
    assert_string_equal(trail, "smmml");
    assert_true(is_over());
}

static enum onward wakes_itself(struct exchange *y)
{
    note('w');
    if (strlen(trail) < 3) {
        exchange_wake(y);
        assert_true(strlen(trail) < 3); /* not from inside of it */
        return WAIT;
    }
    return ONWARD;
}

/* A callback may come before the function that asked for it has returned. */
static void a_wake_inside_of_a_step_comes_after_it(void **state)
{
    (void)state;
    const struct step own[] = {
        [START] = { "s", ROOM_READ, wakes_itself, NULL, NULL, { [ONWARD] = LAST } }, [LAST] = steps[LAST]
    };
    struct step table[LAST + 1] = { [START] = own[START], [LAST] = own[LAST] };
    exchange_start(x, table, START);
    assert_string_equal(trail, "wwwl");
    assert_true(is_over());
}

static void the_alarm_rings_in_its_step(void **state)
{
    (void)state;
    script[MIDDLE][0] = WAIT;
    exchange_start(x, steps, START);
    assert_int_equal(exchange_sleep(x, 0), WAIT);
    while (!is_over())
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_string_equal(trail, "smLl");
    assert_int_equal(x->refusal.fault, FAULT_UPSTREAM_LATE);
    assert_true(slice_eq(exchange_step_name(x, x->driving.refused_in), S("middle")));
}

static void the_alarm_goes_when_the_step_is_left(void **state)
{
    (void)state;
    script[MIDDLE][0] = script[LAST][0] = WAIT;
    exchange_start(x, steps, START);
    assert_int_equal(exchange_sleep(x, 0), WAIT);
    exchange_wake(x);
    assert_string_equal(trail, "smml");
    kit_turn();
    kit_turn();
    assert_string_equal(trail, "smml"); /* it would have met a step that does not mind it */
    exchange_wake(x);
    assert_true(is_over());
}

static void the_step_hears_that_the_client_left(void **state)
{
    (void)state;
    script[MIDDLE][0] = WAIT;
    exchange_start(x, steps, START);
    exchange_on_gone(x);
    assert_string_equal(trail, "smGl");
    assert_int_equal(x->refusal.fault, FAULT_TOO_BUSY);
}

static void a_step_that_does_not_mind_is_not_told(void **state)
{
    (void)state;
    script[START][0] = WAIT;
    exchange_start(x, steps, START);
    exchange_on_gone(x);
    assert_string_equal(trail, "s");
    assert_true(x->client_gone);
    exchange_wake(x);
    assert_true(is_over());
}

static void the_first_reason_counts(void **state)
{
    (void)state;
    script[START][0] = WAIT;
    exchange_start(x, steps, START);
    assert_int_equal(exchange_refuse(x, FAULT_NOT_FOUND, S("one")), REFUSE);
    exchange_refuse(x, FAULT_TOO_BUSY, S("two"));
    assert_int_equal(x->refusal.fault, FAULT_NOT_FOUND);
    assert_true(slice_eq(x->refusal.why, S("one")));
    exchange_wake(x);
}

static void time_is_charged_to_the_room(void **state)
{
    (void)state;
    script[MIDDLE][0] = WAIT;
    exchange_start(x, steps, START);
    int64_t from_us = clock_monotonic_us();
    while (clock_monotonic_us() < from_us + 2000) {
    }
    exchange_wake(x);
    assert_true(x->clocks.room_us[ROOM_FETCH] >= 2000);
    assert_true(x->clocks.room_us[ROOM_READ] < 2000);
}

static void what_a_call_holds_is_counted(void **state)
{
    (void)state;
    script[MIDDLE][0] = WAIT;
    exchange_start(x, steps, START);
    size_t before = kit.service.memory.used;
    assert_true(before >= sizeof *x);
    assert_non_null(arena_alloc(x->memory, 1 << 20));
    assert_true(exchange_count(x));
    assert_true(kit.service.memory.used >= before + (1 << 20));
    kit.service.memory.max = 1 << 20;
    assert_false(exchange_count(x));
    x->is_at_work = true; /* the worker has it: nothing is looked at */
    assert_true(exchange_count(x));
    x->is_at_work = false;
    exchange_wake(x);
    kit_drop(x);
    assert_int_equal(kit.service.memory.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_goes_from_step_to_step, begin, kit_end),
        cmocka_unit_test_setup_teardown(ways_lead_where_the_table_says, begin, kit_end),
        cmocka_unit_test_setup_teardown(a_waiting_call_goes_on_when_it_is_woken, begin, kit_end),
        cmocka_unit_test_setup_teardown(a_wake_inside_of_a_step_comes_after_it, begin, kit_end),
        cmocka_unit_test_setup_teardown(the_alarm_rings_in_its_step, begin, kit_end),
        cmocka_unit_test_setup_teardown(the_alarm_goes_when_the_step_is_left, begin, kit_end),
        cmocka_unit_test_setup_teardown(the_step_hears_that_the_client_left, begin, kit_end),
        cmocka_unit_test_setup_teardown(a_step_that_does_not_mind_is_not_told, begin, kit_end),
        cmocka_unit_test_setup_teardown(the_first_reason_counts, begin, kit_end),
        cmocka_unit_test_setup_teardown(time_is_charged_to_the_room, begin, kit_end),
        cmocka_unit_test_setup_teardown(what_a_call_holds_is_counted, begin, kit_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
