/* SPDX-License-Identifier: MIT
 * The wait list, without calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proxy/service/waitlist.h"

enum { WAITERS = 4 };

struct person {
    struct waiter waiter;
    bool is_worth_it, comes_back, makes_room;
};

static struct event_base *base;
static struct waitlist list;
static struct person people[WAITERS];
static struct waitlist_lane lanes[2];
static char tried[64];

static bool is_worth_it(const void *context, int64_t now_ms)
{
    const struct person *p = context;
    assert_true(now_ms <= clock_monotonic_ms());
    return p->is_worth_it;
}

static void again(void *context)
{
    struct person *p = context;
    size_t n = strlen(tried);
    assert_true(link_is_alone(&p->waiter.link));
    snprintf(tried + n, sizeof tried - n, "%d ", (int)(p - people));
    if (p->comes_back)
        waitlist_add(&list, &p->waiter);
    if (p->makes_room)
        waitlist_retry(&list);
}

static int begin(void **state)
{
    (void)state;
    base = event_base_new();
    tried[0] = '\0';
    waitlist_lane_init(&lanes[0]);
    waitlist_lane_init(&lanes[1]);
    for (int i = 0; i < WAITERS; i++) {
        people[i] = (struct person){ .is_worth_it = true };
        people[i].waiter =
            (struct waiter){ .is_worth_it = is_worth_it, .again = again, .context = &people[i], .lane = &lanes[0] };
        link_init(&people[i].waiter.link);
    }
    return waitlist_begin(&list, base) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    waitlist_end(&list);
    event_base_free(base);
    return 0;
}

static void add(int n)
{
    for (int i = 0; i < n; i++)
        waitlist_add(&list, &people[i].waiter);
}

static void first_come_first_served(void **state)
{
    (void)state;
    waitlist_retry(&list); /* nothing waits */
    add(WAITERS);
    assert_int_equal(list.n, WAITERS);
    waitlist_remove(&list, &people[1].waiter);
    waitlist_retry(&list);
    assert_string_equal(tried, "0 2 3 ");
    assert_int_equal(list.n, 0);
}

static void a_try_in_vain_is_not_made(void **state)
{
    (void)state;
    people[0].is_worth_it = people[2].is_worth_it = false;
    add(3);
    waitlist_retry(&list);
    assert_string_equal(tried, "1 ");
    assert_int_equal(list.n, 2);
}

static void each_gets_one_try_at_a_time(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        people[i].comes_back = people[i].makes_room = true;
    add(3);
    waitlist_retry(&list);
    assert_string_equal(tried, "0 1 2 ");
    assert_int_equal(list.n, 3);
}

static void tries_are_paced(void **state)
{
    (void)state;
    int64_t from_ms = clock_monotonic_ms();
    people[0].comes_back = true;
    add(1);
    waitlist_retry(&list);
    waitlist_retry(&list);
    waitlist_retry(&list);
    assert_string_equal(tried, "0 ");
    people[0].comes_back = false;
    event_base_dispatch(base); /* until the pause is over */
    assert_string_equal(tried, "0 0 ");
    assert_true(clock_monotonic_ms() - from_ms >= 19);
}

static void nothing_is_tried_again_without_a_reason(void **state)
{
    (void)state;
    people[0].comes_back = true;
    add(1);
    waitlist_retry(&list);
    event_base_dispatch(base);
    assert_string_equal(tried, "0 ");
    assert_int_equal(list.n, 1);
}

/* The last one is of another team. */
static void teams_take_turns(void **state)
{
    (void)state;
    people[3].waiter.lane = &lanes[1];
    for (int i = 0; i < 3; i++)
        people[i].comes_back = i > 0; /* there is room for the first only */
    people[3].is_worth_it = false;
    assert_false(waitlist_has_others(&list, &lanes[0]));
    add(WAITERS);
    assert_true(waitlist_has_others(&list, &lanes[0]));
    waitlist_retry(&list);
    assert_string_equal(tried, "0 1 2 ");
    people[0].comes_back = people[3].is_worth_it = true;
    waitlist_add(&list, &people[0].waiter);
    people[3].comes_back = true;
    tried[0] = '\0';
    for (int i = 0; i < 2; i++) { /* in vain: the other team stays the first */
        waitlist_retry(&list);
        event_base_dispatch(base);
    }
    assert_string_equal(tried, "3 1 2 0 3 1 2 0 ");
    people[3].comes_back = people[1].comes_back = false;
    tried[0] = '\0';
    waitlist_retry(&list);
    assert_string_equal(tried, "3 1 2 0 ");
    assert_int_equal(list.n, 2);
    assert_false(waitlist_has_others(&list, &lanes[0]));
    assert_true(waitlist_has_others(&list, &lanes[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_come_first_served, begin, end),
        cmocka_unit_test_setup_teardown(a_try_in_vain_is_not_made, begin, end),
        cmocka_unit_test_setup_teardown(each_gets_one_try_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(tries_are_paced, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_tried_again_without_a_reason, begin, end),
        cmocka_unit_test_setup_teardown(teams_take_turns, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
