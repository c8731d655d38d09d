/* SPDX-License-Identifier: MIT
 * The step hold, with real books that answer at once. */
#include "proxy/call/hold.h"
#include "tests/unit/call/kit.h"

enum { HOLD = 1, HELD, AGAIN_LOOKED, END };

static enum onward stay(struct exchange *x)
{
    return x->refusal.fault ? ONWARD : WAIT;
}

static enum onward finish(struct exchange *x)
{
    (void)x;
    return ONWARD;
}

static const struct step steps[] = {
    [HOLD] = { "hold",
               ROOM_ADMIT,
               hold_enter,
               hold_late,
               hold_gone,
               { [ONWARD] = HELD, [ANEW] = AGAIN_LOOKED, [REFUSE] = END } },
    [HELD] = { "held", ROOM_FETCH, stay, NULL, NULL, { [ONWARD] = END, [AGAIN] = HOLD } },
    [AGAIN_LOOKED] = { "looked", ROOM_FETCH, stay, NULL, NULL, { [ONWARD] = END } },
    [END] = { "end", ROOM_ANSWER, finish, NULL, NULL, { [ONWARD] = STEP_END } },
};

static struct exchange *call_with(int64_t rows, int64_t units)
{
    struct exchange *x = kit_call("from=anchors&target=example.com");
    x->next_hold = (struct amounts){ .rows = rows, .units = units };
    x->requests.n = 1;
    return x;
}

static void ignore(void *context, enum ledger_outcome outcome)
{
    (void)context;
    assert_int_equal(outcome, LEDGER_DONE);
}

/* As the step settle would, at 0 rows. */
static void release(struct exchange *x)
{
    struct ledger_call call = exchange_ledger_call(x);
    ledger_release(kit.service.ledger, &call, S("test"), ignore, NULL);
    hold_ended(x);
    waitlist_retry(&kit.service.waitlist);
}

static void end_call(struct exchange *x)
{
    exchange_refuse(x, FAULT_TOO_BUSY, S("the test ends it"));
    exchange_wake(x);
}

static void rows_and_units_are_held(void **state)
{
    (void)state;
    struct exchange *x = call_with(8, 150);
    exchange_start(x, steps, HOLD);
    assert_int_equal(x->driving.step, HELD);
    assert_true(hold_is_open(x));
    assert_int_equal(hold_rows(x), 8);
    release(x);
    end_call(x);
}

static void another_round_holds_more(void **state)
{
    (void)state;
    kit_open_books(10);
    struct exchange *x = call_with(8, 150);
    exchange_start(x, steps, HOLD);
    x->next_hold = (struct amounts){ .rows = 2, .units = 50 };
    exchange_start(x, steps, HOLD);
    assert_int_equal(x->driving.step, HELD);
    assert_int_equal(hold_rows(x), 10);
    x->next_hold = (struct amounts){ 0 };
    x->requests.n = 0;
    exchange_start(x, steps, HOLD); /* nothing is to be held: the books are not asked */
    assert_int_equal(x->driving.step, HELD);
    release(x);
    end_call(x);
}

static void what_the_limit_never_has_is_refused(void **state)
{
    (void)state;
    kit_open_books(10);
    struct exchange *x = call_with(11, 50);
    exchange_start(x, steps, HOLD);
    assert_int_equal(x->driving.step, STEP_END);
    assert_int_equal(x->refusal.fault, FAULT_OUT_OF_ROWS);
    assert_true(x->retry_after_ms > 0);
    assert_false(hold_is_open(x));
}

static struct exchange *holder, *waiter;

/* One call holds all, another waits. */
static void begin_wait(void)
{
    kit_open_books(10);
    holder = call_with(10, 50);
    waiter = call_with(5, 50);
    exchange_start(holder, steps, HOLD);
    exchange_start(waiter, steps, HOLD);
    assert_true(hold_is_waiting(waiter));
    assert_int_equal(kit.service.waitlist.n, 1);
}

static void what_others_hold_is_waited_for(void **state)
{
    (void)state;
    begin_wait();
    exchange_wake(waiter); /* by something else: it goes on waiting */
    assert_true(hold_is_waiting(waiter));
    release(holder);
    assert_int_equal(waiter->driving.step, AGAIN_LOOKED); /* what it was going to ask may be known by now */
    assert_int_equal(kit.service.waitlist.n, 0);
    end_call(holder);
    end_call(waiter);
}

static void a_call_that_has_a_hold_tries_the_same_again(void **state)
{
    (void)state;
    kit_open_books(10);
    holder = call_with(6, 50);
    waiter = call_with(2, 50);
    exchange_start(holder, steps, HOLD);
    exchange_start(waiter, steps, HOLD);
    waiter->next_hold.rows = 5;
    exchange_start(waiter, steps, HOLD);
    assert_true(hold_is_waiting(waiter));
    release(holder);
    assert_int_equal(waiter->driving.step, HELD);
    assert_int_equal(hold_rows(waiter), 7);
    release(waiter);
    end_call(holder);
    end_call(waiter);
}

static void it_waits_as_long_as_queue_timeout(void **state)
{
    (void)state;
    kit.config.queue_timeout_ms = 0;
    begin_wait();
    while (waiter->driving.step == HOLD)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(waiter->refusal.fault, FAULT_TOO_BUSY);
    assert_true(slice_eq(waiter->refusal.why, S("the team's other calls under way hold what is left of its limit")));
    assert_int_equal(kit.service.waitlist.n, 0);
    release(holder);
    end_call(holder);
}

static void a_client_that_leaves_ends_the_wait(void **state)
{
    (void)state;
    begin_wait();
    exchange_on_gone(waiter);
    assert_int_equal(waiter->driving.step, STEP_END);
    assert_int_equal(waiter->refusal.fault, FAULT_TOO_BUSY);
    assert_int_equal(kit.service.waitlist.n, 0);
    release(holder);
    end_call(holder);
}

static void nothing_is_sent_for_a_client_that_left_while_the_books_wrote(void **state)
{
    (void)state;
    struct exchange *x = call_with(8, 150);
    x->client_gone = true;
    exchange_start(x, steps, HOLD);
    assert_int_equal(x->refusal.fault, FAULT_TOO_BUSY);
    assert_true(slice_eq(x->refusal.why, S("the client left before anything was sent to API v3")));
    assert_true(hold_is_open(x)); /* to be released by the step settle */
    release(x);
}

static enum onward set_aside(struct exchange *x)
{
    enum onward how = hold_set_aside(x);
    return how == ONWARD ? AGAIN : how;
}

static void memory_is_set_aside_and_waited_for(void **state)
{
    (void)state;
    const struct step own[] = {
        [HOLD] = { "memory", ROOM_ADMIT, set_aside, hold_late, hold_gone, { [AGAIN] = HELD, [REFUSE] = END } },
        [HELD] = steps[HELD],
        [END] = steps[END],
    };
    struct exchange *calls[16];
    int n = 0;
    do { /* a sixteenth each, and half of all at most */
        assert_true(n < 16);
        calls[n] = kit_call("from=anchors&target=example.com&limit=5000000");
        exchange_start(calls[n], own, HOLD);
    } while (calls[n++]->driving.step == HELD);
    assert_int_equal(n, 9);
    assert_true(hold_is_waiting(calls[8]));
    assert_true(kit.service.promised <= kit.service.memory.max / 2);
    assert_true(hold_give_back(calls[0]));
    waitlist_retry(&kit.service.waitlist);
    assert_int_equal(calls[8]->driving.step, HELD);
    for (int i = 0; i < n; i++) {
        (void)hold_give_back(calls[i]);
        kit_drop(calls[i]);
    }
    assert_int_equal(kit.service.promised, 0);
}

static struct team_queue other_queue;
static struct config_team other_team;

/* From now on there is a second team, ads; all together may use so many units. */
static void open_books_of_two(int64_t units)
{
    struct buffer why = { 0 };
    static const struct ledger_team teams[] = { { "seo", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT },
                                                { "ads", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT } };
    struct ledger_options o = {
        .state_directory = kit.directory, .units_per_month = units, .billing_day = 1, .teams = teams, .n_teams = 2
    };
    ledger_close(kit.service.ledger);
    kit.service.ledger = NULL;
    assert_int_equal(ledger_open(NULL, &o, &kit.service.ledger, &why), LEDGER_OPENED);
    kit.service.memory.is_shared = true;
    other_team = kit.team;
    other_team.name = "ads";
    other_queue = kit.turns;
    team_queue_init(&other_queue);
    other_queue.team = &other_team;
    other_queue.n_calls = 1;
}

static struct exchange *of_other_team(struct exchange *x)
{
    kit.turns.n_calls--;
    other_queue.n_calls++;
    x->asked.team_name = S("ads");
    x->ticket.queue = &other_queue;
    return x;
}

static void memory_is_shared_between_teams(void **state)
{
    (void)state;
    const struct step own[] = {
        [HOLD] = { "memory", ROOM_ADMIT, set_aside, hold_late, hold_gone, { [AGAIN] = HELD, [REFUSE] = END } },
        [HELD] = steps[HELD],
        [END] = steps[END],
    };
    open_books_of_two(LEDGER_NO_LIMIT);
    kit.config.queue_timeout_ms = 0;
    struct exchange *calls[8];
    int n = 0;
    do { /* eight sixteenths may be promised; a team has half of what the other one leaves */
        assert_true(n < 8);
        calls[n] = kit_call("from=anchors&target=example.com&limit=5000000");
        exchange_start(calls[n], own, HOLD);
    } while (calls[n++]->driving.step == HELD);
    assert_int_equal(n, 5);
    for (int i = 5; i < 7; i++) {
        calls[i] = of_other_team(kit_call("from=anchors&target=example.com&limit=5000000"));
        exchange_start(calls[i], own, HOLD);
        assert_int_equal(calls[i]->driving.step, HELD);
    }
    while (calls[4]->driving.step == HOLD)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_true(slice_eq(calls[4]->refusal.why,
                         S("the team's other calls under way may need its share of the memory that calls may have")));
    for (int i = 0; i < 7; i++) {
        (void)hold_give_back(calls[i]);
        kit_drop(calls[i]);
    }
    assert_int_equal(kit.service.promised + kit.turns.promised + other_queue.promised, 0);
}

/* A call that waits is told whose calls it has waited for. */
static void assert_waits_for(struct exchange *x, const char *why)
{
    exchange_start(x, steps, HOLD);
    while (x->driving.step == HOLD)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(x->refusal.fault, FAULT_TOO_BUSY);
    assert_string_equal(x->refusal.why.p, why);
}

static void units_are_shared_between_teams(void **state)
{
    (void)state;
    open_books_of_two(1000);
    kit.config.queue_timeout_ms = 0;
    struct exchange *one = call_with(1, 400), *other = of_other_team(call_with(1, 500));
    exchange_start(one, steps, HOLD);
    assert_waits_for(call_with(1, 101), "the team's other calls under way hold its share of the units that are left: "
                                        "half of what other teams leave");
    exchange_start(other, steps, HOLD); /* its only one, however large */
    assert_int_equal(other->driving.step, HELD);
    assert_waits_for(call_with(1, 600), "other teams' calls under way hold the units that are left");
    release(other);
    end_call(other);
    release(one);
    end_call(one);
}

static void its_time_is_over_while_the_books_write(void **state)
{
    (void)state;
    kit_open_books_on(kit.service.base, 10);
    kit.config.queue_timeout_ms = 300;
    holder = call_with(6, 50);
    waiter = call_with(2, 50);
    exchange_start(holder, steps, HOLD);
    exchange_start(waiter, steps, HOLD);
    while (holder->driving.step == HOLD || waiter->driving.step == HOLD)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    waiter->next_hold.rows = 5;
    exchange_start(waiter, steps, HOLD);
    while (!hold_is_waiting(waiter))
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    release(holder);
    assert_int_equal(waiter->n_under_way, 1); /* on its way to the disk */
    usleep(400 * 1000);                       /* the disk is slow, or the loop is */
    kit_turn();
    while (waiter->n_under_way)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(waiter->driving.step, HELD);
    assert_int_equal(kit.service.waitlist.n, 0);
    release(waiter);
    end_call(holder);
    end_call(waiter);
    kit_turn();
}

static void count_came(void *context)
{
    ++*(int *)context;
}

/* Its turn is another call's as soon as it waits no more, before its end is on the disk. */
static void who_waits_no_more_gives_its_turn_back(void **state)
{
    (void)state;
    int came = 0;
    struct ticket third = { .queue = &kit.turns, .came = count_came, .context = &came };
    kit.config.queue_timeout_ms = 0;
    kit_open_books(10);
    holder = call_with(10, 50);
    waiter = call_with(5, 50);
    assert_true(team_queue_take(&kit.service.pacer, &holder->ticket));
    assert_true(team_queue_take(&kit.service.pacer, &waiter->ticket));
    assert_false(team_queue_take(&kit.service.pacer, &third));
    exchange_start(holder, steps, HOLD);
    exchange_start(waiter, steps, HOLD);
    while (waiter->driving.step == HOLD)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(came, 1);
    team_queue_leave(&kit.service.pacer, &third);
    team_queue_leave(&kit.service.pacer, &holder->ticket);
    release(holder);
    end_call(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(rows_and_units_are_held),
        kit_test(another_round_holds_more),
        kit_test(what_the_limit_never_has_is_refused),
        kit_test(what_others_hold_is_waited_for),
        kit_test(a_call_that_has_a_hold_tries_the_same_again),
        kit_test(it_waits_as_long_as_queue_timeout),
        kit_test(a_client_that_leaves_ends_the_wait),
        kit_test(nothing_is_sent_for_a_client_that_left_while_the_books_wrote),
        kit_test(memory_is_set_aside_and_waited_for),
        kit_test(memory_is_shared_between_teams),
        kit_test(units_are_shared_between_teams),
        kit_test(its_time_is_over_while_the_books_write),
        kit_test(who_waits_no_more_gives_its_turn_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
