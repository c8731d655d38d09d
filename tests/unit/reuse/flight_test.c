/* SPDX-License-Identifier: MIT
 * Flights: calls that ask the same thing, without calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <string.h>

#include "proxy/reuse/flight.h"

enum { CALLS = 4 };

struct person {
    struct seats seats;
    int told;
    enum flight_kind kind;
    enum flight_end end;
    enum fault fault;
    int64_t part, retry_after_ms;
    char payer[32], why[32], hurried_by[32];
};

static struct event_base *base;
static struct flights *flights;
static struct person calls[CALLS];

static void copy(char *to, struct slice s)
{
    assert_true(s.n < 32);
    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
}

static void told(void *context, enum flight_kind kind, const struct flight_news *news)
{
    struct person *p = context;
    assert_null(p->seats.seat[kind].flight); /* it has left the seat */
    p->told++;
    p->kind = kind;
    p->end = news->end;
    p->fault = news->failing.refusal.fault;
    p->retry_after_ms = news->failing.retry_after_ms;
    p->part = 0;
    if (news->part.n)
        memcpy(&p->part, news->part.p, sizeof p->part);
    copy(p->payer, news->payer);
    if (p->fault)
        copy(p->why, news->failing.refusal.why);
}

static void hurry(void *context, enum flight_kind kind, struct slice team)
{
    struct person *p = context;
    p->kind = kind;
    copy(p->hurried_by, team);
}

static int begin(void **state)
{
    static const char *const ids[CALLS] = { "call-0", "call-1", "call-2", "call-3" };
    (void)state;
    base = event_base_new();
    flights = flights_new(base);
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (struct person){ 0 };
        calls[i].seats.id = slice_str(ids[i]);
        calls[i].seats.told = told;
        calls[i].seats.hurry = hurry;
        calls[i].seats.context = &calls[i];
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++) {
        flight_leave_all(&calls[i].seats);
        flight_give_up(&calls[i].seats);
        assert_int_equal(calls[i].seats.n_awaited, 0);
    }
    flights_free(flights);
    event_base_free(base);
    return 0;
}

static bool join(int i, enum flight_kind kind, const char *key)
{
    return flight_join(flights, &calls[i].seats, kind, slice_str(key));
}

static void give_part(int i, int64_t value)
{
    flight_give_part(&calls[i].seats, FLIGHT_PARTS, slice_of((const char *)&value, sizeof value));
}

static void start(int i, enum flight_kind kind, const char *key)
{
    flight_start(flights, &calls[i].seats, kind, slice_str(key));
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
}

static void what_is_not_asked_cannot_be_joined(void **state)
{
    (void)state;
    assert_false(join(1, FLIGHT_PARTS, "a"));
    start(0, FLIGHT_PARTS, "a");
    assert_false(join(1, FLIGHT_PAGES, "a"));
    assert_false(join(1, FLIGHT_PARTS, "b"));
    assert_false(flight_is_awaited(&calls[0].seats));
    assert_true(join(1, FLIGHT_PARTS, "a"));
    assert_true(flight_is_awaited(&calls[0].seats));
    assert_int_equal(calls[1].seats.n_awaited, 1);
}

/* Two tables may have one part in different places. */
static void a_part_is_known_by_its_key(void **state)
{
    (void)state;
    enum flight_kind second = (enum flight_kind)(FLIGHT_PARTS + 1);
    start(0, FLIGHT_PARTS, "a");
    assert_true(join(1, second, "a"));
    flight_hurry(&calls[1].seats, S("sales"));
    assert_int_equal(calls[0].kind, FLIGHT_PARTS); /* where the starter has it */
    give_part(0, 42);
    turn();
    assert_int_equal(calls[1].told, 1);
    assert_int_equal(calls[1].kind, second);
    assert_int_equal(calls[1].part, 42);
}

static void all_who_wait_are_told_by_the_loop(void **state)
{
    (void)state;
    start(0, FLIGHT_PARTS, "a");
    for (int i = 1; i < CALLS; i++)
        assert_true(join(i, FLIGHT_PARTS, "a"));
    give_part(0, 42);
    assert_false(join(0, FLIGHT_PARTS, "a")); /* it is over for others */
    for (int i = 1; i < CALLS; i++)
        assert_int_equal(calls[i].told, 0); /* not inside of the starter's step */
    turn();
    for (int i = 1; i < CALLS; i++) {
        assert_int_equal(calls[i].told, 1);
        assert_int_equal(calls[i].end, FLIGHT_ANSWERED);
        assert_int_equal(calls[i].part, 42);
        assert_string_equal(calls[i].payer, "call-0");
    }
    turn();
    assert_int_equal(calls[1].told, 1);
    give_part(0, 43); /* it asks nothing any more */
}

static void a_call_that_has_left_is_not_told(void **state)
{
    (void)state;
    start(0, FLIGHT_PARTS, "a");
    assert_true(join(1, FLIGHT_PARTS, "a") && join(2, FLIGHT_PARTS, "a"));
    flight_leave_all(&calls[1].seats);
    give_part(0, 1);
    flight_leave_all(&calls[2].seats); /* after the end, before it was told */
    turn();
    assert_int_equal(calls[1].told + calls[2].told, 0);
}

static void what_v3_did_reaches_all(void **state)
{
    (void)state;
    start(0, FLIGHT_PAGES, "list");
    start(0, FLIGHT_PARTS, "a");
    assert_true(join(1, FLIGHT_PAGES, "list") && join(2, FLIGHT_PARTS, "a"));
    flight_blame(&calls[0].seats, FLIGHT_PAGES, (struct refusal){ FAULT_UPSTREAM_ODD, S("odd") }, 1500);
    flight_give_up(&calls[0].seats);
    turn();
    assert_int_equal(calls[1].end, FLIGHT_FAILED);
    assert_int_equal(calls[1].fault, FAULT_UPSTREAM_ODD);
    assert_int_equal(calls[1].retry_after_ms, 1500);
    assert_string_equal(calls[1].why, "odd");
    assert_int_equal(calls[2].end, FLIGHT_GIVEN_UP); /* nothing is known of it: that call asks for itself */
}

static void a_whole_answer_is_kept_until_it_is_left(void **state)
{
    (void)state;
    struct flight_answer a = { .results = 2, .rows = 8, .units_alone = 50, .body = S("body"), .marks = S("mode") };
    start(0, FLIGHT_CALL, "q");
    assert_true(join(1, FLIGHT_CALL, "q") && join(2, FLIGHT_CALL, "q"));
    flight_give_answer(&calls[0].seats, &a);
    turn();
    for (int i = 1; i < 3; i++) {
        const struct flight_news *news = flight_given(&calls[i].seats);
        assert_true(slice_eq(news->answer.body, S("body")) && slice_eq(news->answer.marks, S("mode")));
        assert_int_equal(news->answer.rows, 8);
        assert_int_equal(news->answer.units_alone, 50);
        assert_true(slice_eq(news->payer, S("call-0")));
        flight_leave_all(&calls[i].seats);
        assert_null(calls[i].seats.given);
    }
}

static void a_page_serves_those_that_want_it(void **state)
{
    (void)state;
    flight_give_page(&calls[0].seats); /* nothing was started */
    start(0, FLIGHT_PAGES, "list");
    assert_true(join(1, FLIGHT_PAGES, "list"));
    flight_give_page(&calls[0].seats);
    start(0, FLIGHT_PAGES, "list"); /* and the next one */
    assert_true(join(2, FLIGHT_PAGES, "list"));
    turn();
    assert_int_equal(calls[1].end, FLIGHT_ANSWERED);
    assert_int_equal(calls[2].told, 0);
}

static void the_starter_is_hurried(void **state)
{
    (void)state;
    start(0, FLIGHT_PARTS, "a");
    assert_true(join(1, FLIGHT_PARTS, "a"));
    flight_hurry(&calls[1].seats, S("sales"));
    assert_string_equal(calls[0].hurried_by, "sales");
    assert_int_equal(calls[0].kind, FLIGHT_PARTS);
    calls[0].hurried_by[0] = '\0';
    give_part(0, 1);
    flight_hurry(&calls[1].seats, S("sales")); /* it is over: nothing is asked any more */
    assert_string_equal(calls[0].hurried_by, "");
    turn();
    assert_int_equal(calls[1].told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_asked_cannot_be_joined, begin, end),
        cmocka_unit_test_setup_teardown(a_part_is_known_by_its_key, begin, end),
        cmocka_unit_test_setup_teardown(all_who_wait_are_told_by_the_loop, begin, end),
        cmocka_unit_test_setup_teardown(a_call_that_has_left_is_not_told, begin, end),
        cmocka_unit_test_setup_teardown(what_v3_did_reaches_all, begin, end),
        cmocka_unit_test_setup_teardown(a_whole_answer_is_kept_until_it_is_left, begin, end),
        cmocka_unit_test_setup_teardown(a_page_serves_those_that_want_it, begin, end),
        cmocka_unit_test_setup_teardown(the_starter_is_hurried, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
