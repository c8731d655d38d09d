/* SPDX-License-Identifier: MIT
 * Months that turn while a call is under way: rounds and holds over a clock that is moved. */
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/round.h"
#include "tests/unit/call/kit.h"

enum { ROUND = 1, HOLD, SENT, END };

static enum onward stay(struct exchange *x)
{
    return x->refusal.fault ? REFUSE : WAIT;
}

static enum onward finish(struct exchange *x)
{
    flight_leave_all(&x->seats);
    flight_give_up(&x->seats);
    return ONWARD;
}

static const struct step steps[] = {
    [ROUND] = { "round", ROOM_ADMIT, round_enter, NULL, NULL, { [ONWARD] = HOLD, [REFUSE] = END } },
    [HOLD] = { "hold",
               ROOM_ADMIT,
               hold_enter,
               hold_late,
               hold_gone,
               { [ONWARD] = SENT, [ANEW] = ROUND, [REFUSE] = END } },
    [SENT] = { "sent", ROOM_FETCH, stay, NULL, NULL, { [REFUSE] = END } },
    [END] = { "end", ROOM_ANSWER, finish, NULL, NULL, { [ONWARD] = STEP_END } },
};

static void set_clock(const char *text)
{
    int64_t s;
    assert_true(timestamp_parse(slice_str(text), &s));
    clock_shift_wall(s * 1000 - clock_wall_ms());
}

static int64_t rows_left(void)
{
    return ledger_left(kit.service.ledger, S("seo")).rows_left;
}

static void done(void *context, enum ledger_outcome outcome)
{
    (void)context;
    assert_int_equal(outcome, LEDGER_DONE);
}

static void write_settle(const struct exchange *x, int64_t rows, int64_t units)
{
    struct ledger_call call = exchange_ledger_call(x);
    struct ledger_settlement s = { .rows = { rows }, .units = units, .units_predicted = units, .via = "upstream" };
    ledger_settle(kit.service.ledger, &call, &s, done, NULL);
}

/* As the step settle would. */
static void settle(struct exchange *x, int64_t rows, int64_t units)
{
    write_settle(x, rows, units);
    hold_ended(x);
    (void)hold_give_back(x);
    exchange_refuse(x, FAULT_TOO_BUSY, S("the test ends it"));
    exchange_wake(x);
}

static struct exchange *begin(const char *query)
{
    struct exchange *x = kit_call(query);
    x->translation = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, 1 << 24, x->memory);
    x->is_new_list = true;
    return x;
}

static struct exchange *start(const char *query)
{
    struct exchange *x = begin(query);
    exchange_start(x, steps, ROUND);
    return x;
}

/* So many rows were used in November. */
static void use(int64_t rows)
{
    struct exchange *x = kit_call("from=anchors&target=example.com&limit=1");
    write_settle(x, rows, 0);
    kit_drop(x);
}

static const char hundred[] = "from=anchors&target=example.com&limit=99"; /* rows of v2, with the one of the call */

static void open_in_november(int64_t used)
{
    set_clock("2026-11-30T23:59:58Z");
    kit_open_books(1000);
    use(used);
    assert_int_equal(rows_left(), 1000 - used);
}

static void a_limit_that_is_used_up_is_not_so_in_the_next_month(void **state)
{
    (void)state;
    open_in_november(1000);
    struct exchange *x = start(hundred);
    assert_int_equal(x->refusal.fault, FAULT_OUT_OF_ROWS);
    assert_in_range(x->retry_after_ms, 1, 2000);
    set_clock("2026-12-01T00:00:00Z");
    struct exchange *y = start(hundred);
    assert_int_equal(y->driving.step, SENT);
    assert_int_equal(rows_left(), 900);
    settle(y, 100, 900);
    assert_int_equal(rows_left(), 900);
}

/* Checked and held in November, settled in December: it counts there, and November keeps what was settled in it. */
static void held_in_one_month_and_settled_in_the_next(void **state)
{
    (void)state;
    open_in_november(950);
    struct exchange *x = start(hundred);
    assert_int_equal(x->driving.step, SENT);
    assert_int_equal(hold_rows(x), 50); /* what November leaves */
    assert_int_equal(rows_left(), 0);
    set_clock("2026-12-01T00:00:00Z");
    assert_int_equal(rows_left(), 950);
    settle(x, 40, 450);
    assert_int_equal(rows_left(), 960);
    set_clock("2026-11-30T23:59:59Z");
    assert_int_equal(rows_left(), 50);
}

/* The later pages of a list that was checked in November are held in December, from what was set aside. */
static void pages_on_both_sides_of_the_turn(void **state)
{
    struct buffer body = { 0 };
    (void)state;
    open_in_november(500);
    kit.config.max_rows_per_request = 100;
    struct exchange *x = kit_call("from=anchors&target=example.com&limit=499&order_by=backlinks:desc");
    x->asked.plan.page_rows = 100;
    x->translation = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, 1 << 24, x->memory);
    x->is_new_list = true;
    exchange_start(x, steps, ROUND);
    assert_int_equal(x->driving.step, SENT);
    assert_int_equal(hold_rows(x), 101);
    assert_int_equal(rows_left(), 0); /* all 500 are set aside */
    kit_write_rows(&body, x, 0, 100);
    assert_true(translation_feed(x->translation, ASK_LIST, buffer_slice(&body)));
    assert_true(translation_end(x->translation, ASK_LIST, 100));
    buffer_clear(&body);
    x->has_sent = true;
    x->requests.n = 0;

    set_clock("2026-12-01T00:00:00Z");
    assert_int_equal(rows_left(), 500); /* of 1000: they still are */
    struct exchange *other = start("from=anchors&target=other.example&limit=599");
    assert_true(hold_is_waiting(other)); /* for this one, which may take less */
    exchange_start(x, steps, ROUND);
    assert_int_equal(x->driving.step, SENT);
    assert_int_equal(hold_rows(x), 201);
    settle(x, 201, 1800);
    waitlist_retry(&kit.service.waitlist);
    assert_int_equal(other->driving.step, SENT);
    assert_int_equal(rows_left(), 1000 - 201 - 600);
    settle(other, 1, 100);
    assert_int_equal(rows_left(), 1000 - 202);
    set_clock("2026-11-30T23:59:59Z");
    assert_int_equal(rows_left(), 500);
}

/* It waits for another call's hold in November, which would leave it nothing there: the new month has room for both. */
static void a_wait_ends_with_the_month(void **state)
{
    (void)state;
    open_in_november(850);
    struct exchange *x = start(hundred);
    assert_int_equal(hold_rows(x), 100);
    struct exchange *y = start("from=anchors&target=other.example&limit=99");
    assert_true(hold_is_waiting(y));
    set_clock("2026-12-01T00:00:00Z");
    settle(x, 100, 900);
    waitlist_retry(&kit.service.waitlist);
    assert_int_equal(y->driving.step, SENT);
    assert_int_equal(hold_rows(y), 100);
    settle(y, 100, 900);
    assert_int_equal(rows_left(), 800);
}

/* Written in December what was checked in November. */
static void the_month_turns_before_the_hold(void **state)
{
    static const struct step stopping[] = {
        [ROUND] = { "round", ROOM_ADMIT, round_enter, NULL, NULL, { [ONWARD] = HOLD, [REFUSE] = END } },
        [HOLD] = { "stop", ROOM_ADMIT, stay, NULL, NULL, { [REFUSE] = END } },
        [END] = { "end", ROOM_ANSWER, finish, NULL, NULL, { [ONWARD] = STEP_END } },
    };
    (void)state;
    open_in_november(950);
    struct exchange *x = begin(hundred);
    exchange_start(x, stopping, ROUND);
    assert_int_equal(x->next_hold.rows, 50);
    set_clock("2026-12-01T00:00:00Z");
    assert_int_equal(rows_left(), 950);
    exchange_start(x, steps, HOLD);
    assert_int_equal(hold_rows(x), 50); /* it was cut to what November left: its answer says so */
    settle(x, 50, 441);
    assert_int_equal(rows_left(), 950);
    set_clock("2026-11-30T23:59:59Z");
    assert_int_equal(rows_left(), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_limit_that_is_used_up_is_not_so_in_the_next_month),
        kit_test(held_in_one_month_and_settled_in_the_next),
        kit_test(pages_on_both_sides_of_the_turn),
        kit_test(a_wait_ends_with_the_month),
        kit_test(the_month_turns_before_the_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
