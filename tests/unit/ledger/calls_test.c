/* SPDX-License-Identifier: MIT
 * The entries of a call and the limits they are checked against. */
#include "room.h"

#include <event2/event.h>
#include <time.h>

static void a_call_is_held_and_settled(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "call-1", "seo", 8, 150), LEDGER_DONE);
    struct ledger_left left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 92);
    assert_int_equal(left.units_left, 850);
    assert_int_equal(settle_now(r, "call-1", "seo", 3, 100), LEDGER_DONE);
    left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 97);
    assert_int_equal(left.units_left, 900);
    assert_int_equal(left.whole_units_left, LEDGER_NO_LIMIT);
    assert_int_equal(ledger_left(r->ledger, S("sales")).rows_left, LEDGER_NO_LIMIT);
}

static void the_limit_is_exact(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 101, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(hold_now(r, "a", "seo", 0, 1001), LEDGER_OUT_OF_UNITS);
    assert_int_equal(hold_now(r, "a", "seo", 100, 1000), LEDGER_DONE);
    assert_int_equal(hold_now(r, "b", "seo", 1, 0), LEDGER_WAIT);
    assert_int_equal(hold_now(r, "b", "seo", 0, 1), LEDGER_WAIT);
    assert_int_equal(hold_now(r, "b", "seo", 0, 0), LEDGER_DONE);
    assert_int_equal(hold_now(r, "c", "sales", 1000000, 1000000), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 100, 1000), LEDGER_DONE);
    assert_int_equal(hold_now(r, "b", "seo", 1, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(hold_now(r, "b", "seo", 0, 1), LEDGER_OUT_OF_UNITS);
}

static void a_call_does_not_wait_for_itself(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 60, 0), LEDGER_DONE);
    assert_int_equal(hold_now(r, "a", "seo", 41, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(hold_now(r, "a", "seo", 40, 0), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 5, 0), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 95);
}

static enum ledger_outcome aside(struct room *r, const char *id, int64_t rows, int64_t units, int64_t *allowance)
{
    struct units more = { *allowance };
    enum ledger_outcome outcome =
        ledger_set_aside(r->ledger, slice_str(id), S("seo"), (struct rows){ rows }, (struct units){ units }, &more);
    *allowance = more.n;
    return outcome;
}

/* On the disk there is less, and a crash counts that; for limits all stays until the call ends. */
static void a_hold_is_lowered(void **state)
{
    struct room *r = *state;
    assert_int_equal(lower_now(r, "a", "seo", 0), LEDGER_DOWN);
    assert_int_equal(hold_now(r, "a", "seo", 2, 50), LEDGER_DONE);
    assert_int_equal(lower_now(r, "a", "seo", 51), LEDGER_DOWN);
    assert_int_equal(lower_now(r, "a", "seo", 47), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 950);
    assert_int_equal(hold_now(r, "b", "seo", 1, 950), LEDGER_DONE);
    assert_int_equal(hold_now(r, "a", "seo", 0, 47), LEDGER_DONE); /* again */
    assert_int_equal(hold_now(r, "a", "seo", 0, 1), LEDGER_WAIT);
    assert_int_equal(lower_now(r, "a", "seo", 40), LEDGER_DONE);
    assert_int_equal(settle_now(r, "b", "seo", 1, 950), LEDGER_DONE);
    assert_runs(r, "ledger export");
    assert_non_null(strstr(r->out.p, "\"kind\":\"hold\",\"id\":\"a\",\"ref\":\"a\","));
    assert_non_null(strstr(r->out.p, "\"rows\":2,\"units\":3,\"units_predicted\":3,"));
    assert_runs(r, "ledger verify");
    room_close(r);
    room_open(r, NULL);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 1000 - 950 - 10);
    assert_int_equal(lower_now(r, "a", "seo", 1), LEDGER_DOWN); /* it has ended */
    assert_runs(r, "ledger export");
    assert_non_null(strstr(r->out.p, "\"kind\":\"unknown\",\"id\":\"a\""));
    assert_runs(r, "ledger verify");
}

/* The team has 100 rows and 1000 units. */
static void what_is_set_aside_is_no_other_calls(void **state)
{
    static const struct {
        const char *id;
        int64_t rows, units, allowance;
        enum ledger_outcome outcome;
        int64_t got, rows_left, units_left; /* afterwards */
    } steps[] = {
        { "a", 101, 0, 0, LEDGER_OUT_OF_ROWS, 0, 100, 1000 },
        { "a", 0, 1001, 0, LEDGER_OUT_OF_UNITS, 0, 100, 1000 },
        { "a", 60, 500, 100, LEDGER_DONE, 100, 40, 400 },
        { "b", 41, 0, 0, LEDGER_WAIT, 0, 40, 400 },
        { "b", 0, 401, 0, LEDGER_WAIT, 0, 40, 400 },
        { "b", 40, 300, 500, LEDGER_DONE, 100, 0, 0 }, /* the allowance as far as it is free */
        { "a", 50, 400, 0, LEDGER_DONE, 0, 10, 200 },  /* anew */
    };
    struct room *r = *state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t allowance = steps[i].allowance;
        assert_int_equal(aside(r, steps[i].id, steps[i].rows, steps[i].units, &allowance), steps[i].outcome);
        if (steps[i].outcome == LEDGER_DONE)
            assert_int_equal(allowance, steps[i].got);
        assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, steps[i].rows_left);
        assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, steps[i].units_left);
    }
    struct ledger_room room = ledger_room(r->ledger, S("a"), S("seo"));
    assert_int_equal(room.rows, 100);
    assert_int_equal(room.rows_now, 60);
    assert_int_equal(room.team_units_now, 600);
    assert_int_equal(room.whole_units, LEDGER_NO_LIMIT);
    assert_int_equal(hold_now(r, "a", "seo", 30, 250), LEDGER_DONE); /* draws from it */
    assert_int_equal(hold_now(r, "a", "seo", 20, 150), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 10);
    assert_int_equal(hold_now(r, "a", "seo", 11, 0), LEDGER_WAIT);
    ledger_put_back(r->ledger, S("b")); /* it ends without a hold */
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 50);
    ledger_put_back(r->ledger, S("a"));
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 50);
    assert_int_equal(settle_now(r, "a", "seo", 12, 90), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 88);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 910);
}

static void a_lower_limit_does_not_take_away_what_is_set_aside(void **state)
{
    struct room *r = *state;
    int64_t allowance = 0;
    assert_int_equal(aside(r, "a", 60, 500, &allowance), LEDGER_DONE);
    r->teams[0].rows_per_month = 10;
    ledger_set_limits(r->ledger, &r->options);
    assert_int_equal(hold_now(r, "a", "seo", 60, 500), LEDGER_DONE);
    assert_int_equal(hold_now(r, "a", "seo", 1, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(settle_now(r, "a", "seo", 60, 500), LEDGER_DONE);
}

/* Two teams, and 1000 units for both: the first call of a team may have all, its allowance and further calls half. */
static void a_team_sets_its_share_aside(void **state)
{
    static const struct {
        const char *id, *team;
        int64_t units, allowance;
        enum ledger_way way;
        int64_t got;
    } steps[] = {
        { "a", "seo", 400, 500, LEDGER_WAY_FREE, 100 },
        { "b", "seo", 1, 0, LEDGER_WAY_OWN_SHARE, 0 },
        { "c", "sales", 501, 0, LEDGER_WAY_OTHERS, 0 },
        { "c", "sales", 260, 100, LEDGER_WAY_FREE, 0 }, /* more than half of what is left */
        { "a", "seo", 490, 0, LEDGER_WAY_FREE, 0 },     /* anew, of all that its team has */
        { "d", "sales", 1, 0, LEDGER_WAY_OWN_SHARE, 0 },
    };
    struct room *r = *state;
    r->teams[0].units_per_month = LEDGER_NO_LIMIT;
    r->options.units_per_month = 1000;
    ledger_set_limits(r->ledger, &r->options);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct slice id = slice_str(steps[i].id), team = slice_str(steps[i].team);
        struct units units = { steps[i].units }, allowance = { steps[i].allowance };
        assert_int_equal(ledger_set_aside(r->ledger, id, team, (struct rows){ 1 }, units, &allowance),
                         steps[i].way == LEDGER_WAY_FREE ? LEDGER_DONE : LEDGER_WAIT);
        assert_int_equal(ledger_way_aside(r->ledger, id, team, (struct rows){ 1 }, units), steps[i].way);
        if (steps[i].way == LEDGER_WAY_FREE)
            assert_int_equal(allowance.n, steps[i].got);
    }
    assert_int_equal(hold_now(r, "a", "seo", 1, 490), LEDGER_DONE);
    assert_int_equal(hold_now(r, "a", "seo", 0, 200), LEDGER_DONE); /* it may have paid */
    assert_int_equal(hold_now(r, "e", "seo", 0, 1), LEDGER_WAIT);
}

static void the_whole_has_a_limit(void **state)
{
    struct room *r = *state;
    r->options.units_per_month = 500;
    ledger_set_limits(r->ledger, &r->options);
    assert_int_equal(hold_now(r, "a", "sales", 0, 501), LEDGER_OUT_OF_UNITS);
    assert_int_equal(hold_now(r, "a", "sales", 0, 400), LEDGER_DONE);
    assert_int_equal(hold_now(r, "b", "seo", 0, 101), LEDGER_WAIT);
    assert_int_equal(hold_now(r, "b", "seo", 0, 100), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).whole_units_left, 0);
    assert_int_equal(release_now(r, "a", "sales"), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).whole_units_left, 400);
}

static void unknown_ends_count_their_units(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 50, 300), LEDGER_DONE);
    assert_int_equal(unknown_now(r, "a", "seo", 300), LEDGER_DONE);
    struct ledger_left left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 100);
    assert_int_equal(left.units_left, 700);
}

static void a_price_that_is_not_known_counts_as_predicted(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 1, 200), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 1, -1), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 850);
    assert_runs(r, "ledger export");
    assert_non_null(strstr(r->out.p, "\"rows\":1,\"units\":null,\"units_predicted\":150"));
}

static void a_settlement_may_pass_its_hold_and_the_limit(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 1, 1), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 150, 2000), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 0);
    assert_int_equal(hold_now(r, "b", "seo", 1, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(hold_now(r, "b", "seo", 0, 0), LEDGER_DONE);
}

static void free_targets_cost_no_rows(void **state)
{
    struct room *r = *state;
    struct ledger_call call = call_of("a", "seo");
    call.free_of_rows = true;
    int outcome = -1;
    ledger_hold(r->ledger, &call, (struct rows){ 5000 }, (struct units){ 1 }, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
    struct ledger_settlement s = { .rows = { 7 }, .units = 0, .via = "cache" };
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 100);
}

static void months_turn(void **state)
{
    struct room *r = *state;
    r->options.billing_day = 15;
    ledger_set_limits(r->ledger, &r->options);
    set_clock("2026-11-30T23:59:59Z");
    assert_int_equal(hold_now(r, "a", "seo", 90, 900), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 90, 900), LEDGER_DONE);
    assert_int_equal(hold_now(r, "b", "seo", 11, 0), LEDGER_OUT_OF_ROWS);
    assert_in_range(ledger_month_ends_in_ms(r->ledger), 1, 1000);
    assert_int_equal(hold_now(r, "over", "seo", 10, 0), LEDGER_DONE);

    set_clock("2026-12-01T00:00:00Z");
    /* Rows begin anew, but what is held stays held and lands in the month it is settled in; units go on. */
    struct ledger_left left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 90);
    assert_int_equal(left.units_left, 100);
    assert_int_equal(hold_now(r, "b", "seo", 11, 0), LEDGER_DONE);
    assert_int_equal(settle_now(r, "over", "seo", 10, 0), LEDGER_DONE);
    assert_int_equal(settle_now(r, "b", "seo", 11, 0), LEDGER_DONE);
    assert_int_equal(hold_now(r, "c", "seo", 0, 101), LEDGER_OUT_OF_UNITS);

    set_clock("2026-12-15T00:00:00Z");
    left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 79);
    assert_int_equal(left.units_left, 1000);
    assert_int_equal(hold_now(r, "c", "seo", 0, 1000), LEDGER_DONE);
    assert_int_equal(release_now(r, "c", "seo"), LEDGER_DONE);

    /* The clock steps back: the old month is as full as it was. */
    set_clock("2026-11-30T12:00:00Z");
    left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 10);
    assert_int_equal(left.units_left, 100);
    assert_int_equal(hold_now(r, "d", "seo", 11, 0), LEDGER_OUT_OF_ROWS);

    /* And the disk says the same. */
    room_close(r);
    room_open(r, NULL);
    left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 10);
    assert_int_equal(left.units_left, 100);
    assert_runs(r, "ledger verify");
}

static void a_second_end_changes_nothing_that_is_left(void **state)
{
    struct room *r = *state;
    assert_int_equal(settle_now(r, "cached", "seo", 4, 0), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 96);
    assert_int_equal(hold_now(r, "x", "nobody", 4, 9), LEDGER_DONE);
    assert_int_equal(settle_now(r, "x", "nobody", 4, 9), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("nobody")).rows_limit, LEDGER_NO_LIMIT);
}

struct crowd {
    struct event_base *base;
    struct ledger *ledger;
    int under_way;
};

static void one_is_done(void *context, enum ledger_outcome outcome)
{
    assert_int_equal(outcome, LEDGER_DONE);
    ((struct crowd *)context)->under_way--;
}

/* Calls first to last, side by side; the loop's own CPU time, in microseconds. */
static long crowd_us(struct crowd *crowd, int first, int last, bool settle)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    for (int i = first; i < last; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct ledger_call call = call_of(id, "sales");
        struct ledger_settlement settlement = { .rows = { 1 }, .units = 1, .via = "upstream" };
        crowd->under_way++;
        if (settle)
            ledger_settle(crowd->ledger, &call, &settlement, one_is_done, crowd);
        else
            ledger_hold(crowd->ledger, &call, (struct rows){ 1 }, (struct units){ 1 }, one_is_done, crowd);
    }
    while (crowd->under_way)
        event_base_loop(crowd->base, EVLOOP_ONCE);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
    return (ended.tv_sec - began.tv_sec) * 1000000 + (ended.tv_nsec - began.tv_nsec) / 1000;
}

static void a_call_costs_the_same_beside_many_that_are_open(void **state)
{
    enum { CALLS = 2000, OPEN = 30000 };
    struct room *r = *state;
    room_close(r);
    struct crowd crowd = { .base = event_base_new() };
    room_open(r, crowd.base);
    crowd.ledger = r->ledger;
    long alone = crowd_us(&crowd, 0, CALLS, false) + crowd_us(&crowd, 0, CALLS, true);
    crowd_us(&crowd, CALLS, CALLS + OPEN, false);
    long beside = crowd_us(&crowd, CALLS + OPEN, CALLS + OPEN + CALLS, false) +
                  crowd_us(&crowd, CALLS + OPEN, CALLS + OPEN + CALLS, true);
    if (beside > 5 * alone)
        fail_msg("%d calls took %ld us alone, %ld us beside %d open ones", CALLS, alone, beside, OPEN);
    room_close(r);
    event_base_free(crowd.base);
}

static void ids_are_random(void **state)
{
    (void)state;
    char a[LEDGER_ID_SIZE], b[LEDGER_ID_SIZE];
    for (int i = 0; i < 200; i++) {
        ledger_new_id(a);
        ledger_new_id(b);
        assert_int_equal(strlen(a), 26);
        assert_int_equal(strspn(a, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
        assert_string_not_equal(a, b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(a_call_is_held_and_settled),
        room_test(the_limit_is_exact),
        room_test(a_call_does_not_wait_for_itself),
        room_test(a_hold_is_lowered),
        room_test(what_is_set_aside_is_no_other_calls),
        room_test(a_lower_limit_does_not_take_away_what_is_set_aside),
        room_test(a_team_sets_its_share_aside),
        room_test(the_whole_has_a_limit),
        room_test(unknown_ends_count_their_units),
        room_test(a_price_that_is_not_known_counts_as_predicted),
        room_test(a_settlement_may_pass_its_hold_and_the_limit),
        room_test(free_targets_cost_no_rows),
        room_test(months_turn),
        room_test(a_second_end_changes_nothing_that_is_left),
        room_test(a_call_costs_the_same_beside_many_that_are_open),
        cmocka_unit_test(ids_are_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
