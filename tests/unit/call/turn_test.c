/* SPDX-License-Identifier: MIT
 * The step turn, between two steps of the test's own. */
#include "proxy/call/turn.h"
#include "tests/unit/call/kit.h"

enum { TURN = 1, AFTER, END };

static enum onward stay(struct exchange *x)
{
    return x->refusal.fault ? ONWARD : WAIT;
}

static enum onward give_back(struct exchange *x)
{
    team_queue_leave(&kit.service.pacer, &x->ticket);
    return ONWARD;
}

static const struct step steps[] = {
    [TURN] = { "turn", ROOM_ADMIT, turn_enter, turn_late, turn_gone, { [ONWARD] = AFTER, [REFUSE] = END } },
    [AFTER] = { "after", ROOM_FETCH, stay, NULL, NULL, { [ONWARD] = END } },
    [END] = { "end", ROOM_ANSWER, give_back, NULL, NULL, { [ONWARD] = STEP_END } },
};

static struct exchange *calls[4];

static int begin(void **state)
{
    kit_begin(state);
    for (int i = 0; i < 4; i++) {
        calls[i] = kit_call("from=anchors&target=example.com");
        calls[i]->ticket.came = turn_came;
        calls[i]->ticket.context = calls[i];
    }
    return 0;
}

static void start(int n)
{
    for (int i = 0; i < n; i++)
        exchange_start(calls[i], steps, TURN);
}

static void end_call(struct exchange *x)
{
    exchange_refuse(x, FAULT_TOO_BUSY, S("the test ends it"));
    exchange_wake(x);
}

static void drop(int first)
{
    for (int i = first; i < 4; i++)
        kit_drop(calls[i]);
}

static void a_call_runs_when_its_turn_comes(void **state)
{
    (void)state;
    start(3);
    assert_int_equal(calls[1]->driving.step, AFTER);
    assert_int_equal(calls[2]->driving.step, TURN);
    exchange_wake(calls[2]); /* by something that it does not wait for */
    assert_int_equal(calls[2]->driving.step, TURN);
    end_call(calls[0]);
    assert_int_equal(calls[2]->driving.step, AFTER);
    assert_int_equal(kit.turns.running, 2);
    drop(1);
}

static void it_waits_as_long_as_queue_timeout(void **state)
{
    (void)state;
    kit.config.queue_timeout_ms = 0;
    start(3);
    while (calls[2]->driving.step == TURN)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(calls[2]->driving.step, STEP_END);
    assert_int_equal(calls[2]->refusal.fault, FAULT_TOO_BUSY);
    assert_true(
        slice_eq(calls[2]->refusal.why, S("the team already has as many calls under way as its concurrency allows")));
    assert_true(calls[2]->retry_after_ms >= 1000);
    assert_int_equal(kit.turns.n_waiting, 0);
    kit_drop(calls[3]);
    kit_drop(calls[0]);
    kit_drop(calls[1]);
}

static void overload_alone_holds_it_back_for_two_seconds_at_least(void **state)
{
    (void)state;
    kit.config.queue_timeout_ms = 0;
    kit.is_behind = true;
    kit.service.pacer.begun_us = clock_monotonic_us() + INT64_C(3600000000);
    start(1);
    assert_int_equal(calls[0]->driving.step, TURN);
    kit_turn();
    assert_int_equal(calls[0]->driving.step, TURN); /* queue_timeout is over */
    assert_int_equal(turn_late(calls[0]), REFUSE);
    assert_true(slice_eq(calls[0]->refusal.why, S("more calls come than this machine keeps up with")));
    drop(0);
}

static void a_client_that_leaves_gives_up_its_place(void **state)
{
    (void)state;
    start(4);
    assert_int_equal(kit.turns.n_waiting, 2);
    exchange_on_gone(calls[2]);
    assert_int_equal(calls[2]->driving.step, STEP_END);
    assert_int_equal(kit.turns.n_waiting, 1);
    end_call(calls[0]);
    assert_int_equal(calls[3]->driving.step, AFTER);
    kit_drop(calls[1]);
    kit_drop(calls[3]);
}

/* Those that wait count, too, once several teams have a part of the memory. */
static void a_team_has_its_share_of_the_memory(void **state)
{
    (void)state;
    struct budget *all = &kit.service.memory, other = { .whole = all };
    assert_non_null(arena_alloc(calls[0]->memory, 18 << 20)); /* of 48 MiB */
    assert_non_null(arena_alloc(calls[1]->memory, 7 << 20));
    assert_non_null(arena_alloc(calls[2]->memory, 5 << 20));
    start(1);
    all->is_shared = true;
    exchange_start(calls[1], steps, TURN);
    assert_int_equal(calls[1]->refusal.fault, FAULT_TOO_BUSY);
    assert_string_equal(calls[1]->refusal.why.p,
                        "the team's other calls hold its share of the memory that calls may have");
    assert_true(calls[1]->retry_after_ms >= 1000);
    exchange_start(calls[2], steps, TURN);
    assert_int_equal(calls[2]->driving.step, STEP_END); /* the one that was refused holds its part until it is freed */
    kit_drop(calls[1]);
    assert_int_equal(kit.turns.memory.used, all->used);
    budget_add(&other, 48 << 20);
    exchange_start(calls[3], steps, TURN);
    assert_string_equal(calls[3]->refusal.why.p, "other teams' calls hold all the memory that calls may have");
    budget_give(&other, 48 << 20);
    end_call(calls[0]);
    kit_drop(calls[0]);
    kit_drop(calls[2]);
    kit_drop(calls[3]);
    assert_int_equal(kit.turns.memory.used + all->used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_runs_when_its_turn_comes, begin, kit_end),
        cmocka_unit_test_setup_teardown(a_team_has_its_share_of_the_memory, begin, kit_end),
        cmocka_unit_test_setup_teardown(it_waits_as_long_as_queue_timeout, begin, kit_end),
        cmocka_unit_test_setup_teardown(overload_alone_holds_it_back_for_two_seconds_at_least, begin, kit_end),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_gives_up_its_place, begin, kit_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
