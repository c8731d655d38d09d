/* SPDX-License-Identifier: MIT
 * Turns, under overload when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "proxy/service/team_queue.h"

enum { CALLS = 12 };

static struct scene {
    struct event_base *base;
    struct pacer pacer;
    struct config_team teams[2];
    struct team_queue queues[2];
    struct ticket *calls;
    char came[8 * CALLS]; /* the numbers of those whose turn came after they had waited */
    bool ends_at_once;
} scene;
static bool is_behind;

static bool behind(void *context)
{
    (void)context;
    return is_behind;
}

static bool take(struct ticket *ticket)
{
    return team_queue_take(&scene.pacer, ticket);
}

static void leave(struct ticket *ticket)
{
    team_queue_leave(&scene.pacer, ticket);
}

static void came(void *context)
{
    struct ticket *ticket = context;
    assert_true(ticket->has_turn && !ticket->waits);
    size_t n = strlen(scene.came);
    snprintf(scene.came + n, sizeof scene.came - n, "%d ", (int)(ticket - scene.calls));
    if (scene.ends_at_once)
        leave(ticket);
}

static void loop_until_came(const char *numbers)
{
    while (strlen(scene.came) < strlen(numbers))
        event_base_loop(scene.base, EVLOOP_ONCE);
    assert_memory_equal(scene.came, numbers, strlen(numbers));
}

/* Nobody begins while it lasts. */
static void overload(void)
{
    is_behind = true;
    scene.pacer.begun_us = clock_monotonic_us() + INT64_C(3600000000);
}

/* The first half of the calls is of the first team. */
static int begin(void **state)
{
    (void)state;
    scene = (struct scene){ .teams = { { .concurrency = 2 }, { .concurrency = 2 } } };
    scene.calls = calloc(CALLS, sizeof *scene.calls);
    scene.base = event_base_new();
    is_behind = false;
    for (int i = 0; i < 2; i++) {
        team_queue_init(&scene.queues[i]);
        scene.queues[i].team = &scene.teams[i];
    }
    for (int i = 0; i < CALLS; i++) {
        scene.calls[i] = (struct ticket){ .queue = &scene.queues[i / (CALLS / 2)], .came = came };
        scene.calls[i].context = &scene.calls[i];
    }
    return pacer_begin(&scene.pacer, scene.base, behind, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    pacer_end(&scene.pacer);
    event_base_free(scene.base);
    free(scene.calls);
    return 0;
}

static void a_team_has_as_many_as_it_may(void **state)
{
    (void)state;
    struct ticket *x = scene.calls;
    assert_true(take(&x[0]));
    assert_true(take(&x[1]));
    for (int i = 2; i < 6; i++)
        assert_false(take(&x[i]));
    assert_true(take(&x[6]));
    leave(&x[3]);
    leave(&x[6]);
    assert_string_equal(scene.came, "");
    leave(&x[0]);
    assert_string_equal(scene.came, "2 ");
    scene.teams[0].concurrency = 4;
    team_queue_look(&scene.pacer, &scene.queues[0]);
    loop_until_came("2 4 5 ");
    assert_int_equal(scene.queues[0].running, 4);
}

static void calls_that_end_at_once_make_room_for_all(void **state)
{
    (void)state;
    assert_true(take(&scene.calls[0]));
    assert_true(take(&scene.calls[1]));
    for (int i = 2; i < 6; i++)
        assert_false(take(&scene.calls[i]));
    scene.ends_at_once = true;
    leave(&scene.calls[1]);
    loop_until_came("2 3 4 5 ");
    assert_int_equal(scene.queues[0].running, 1);
    assert_int_equal(scene.queues[0].n_waiting, 0);
}

static void what_is_begun_comes_first(void **state)
{
    (void)state;
    scene.teams[0].concurrency = scene.teams[1].concurrency = 100;
    assert_true(take(&scene.calls[0]));
    overload();
    for (int i = 1; i < CALLS; i++)
        assert_false(take(&scene.calls[i]));
    int64_t began_us = scene.pacer.begun_us = clock_monotonic_us();
    int rounds = 0;
    for (; strlen(scene.came) < strlen("1 6 2 7 "); rounds++) {
        event_base_loop(scene.base, EVLOOP_ONCE);
        assert_in_range(strlen(scene.came) / 2, 0, (clock_monotonic_us() - began_us) / 1000); /* one a millisecond */
    }
    assert_in_range(rounds, 1, 20); /* and the loop sleeps meanwhile */
    is_behind = false;
    loop_until_came("1 6 2 7 3 8 4 9 5 10 11 "); /* the teams by turns */
}

static void calls_begin_though_nobody_leaves(void **state)
{
    (void)state;
    assert_true(take(&scene.calls[0]));
    overload();
    assert_false(take(&scene.calls[1]));
    assert_false(take(&scene.calls[6]));
    is_behind = false;
    assert_false(take(&scene.calls[7])); /* those before it have not begun yet */
    loop_until_came("1 6 7 ");
}

static bool no_memory;

static void *realloc_or_not(void *p, size_t n)
{
    return no_memory ? NULL : realloc(p, n);
}

/* The loop has no room for one more timer: theirs stands in it already. */
static void calls_begin_without_memory(void **state)
{
    (void)state;
    overload();
    no_memory = true;
    assert_false(take(&scene.calls[0]));
    assert_false(take(&scene.calls[6]));
    is_behind = false;
    loop_until_came("0 6 ");
    no_memory = false;
}

enum { TIMERS = 64 };

static void add_two(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct event **timers = context;
    for (int i = 0; i < 2; i++)
        assert_int_equal(event_add(timers[i], &(struct timeval){ .tv_sec = 1000 }), 0);
}

/* Theirs has just been taken out of the loop's heap, and somebody else has its place. */
static void calls_begin_though_its_timer_is_lost(void **state)
{
    (void)state;
    struct event_base *base = scene.base;
    struct event *timers[TIMERS] = { 0 };
    overload();
    assert_false(take(&scene.calls[0]));
    assert_false(take(&scene.calls[6]));
    timers[2] = event_new(base, -1, 0, add_two, timers);
    event_add(timers[2], &(struct timeval){ .tv_usec = 1 });
    no_memory = true;
    int n = 3;
    do { /* until the heap has no room */
        assert_true(n < TIMERS);
        timers[n] = event_new(base, -1, 0, add_two, timers);
    } while (event_add(timers[n++], &(struct timeval){ .tv_sec = 1000 }) == 0);
    for (int i = 0; i < 2; i++)
        timers[i] = event_new(base, -1, 0, add_two, timers);
    for (int64_t until_us = clock_monotonic_us() + 2000; clock_monotonic_us() < until_us;) { /* both are due */
    }
    event_base_loop(base, EVLOOP_ONCE);
    assert_true(event_pending(timers[1], EV_TIMEOUT, NULL));
    no_memory = false;
    assert_string_equal(scene.came, "0 6 ");
    for (int i = 0; i < n; i++)
        event_free(timers[i]);
}

static void a_team_is_forgotten(void **state)
{
    (void)state;
    assert_true(take(&scene.calls[0]));
    overload();
    assert_false(take(&scene.calls[1]));
    assert_false(take(&scene.calls[6]));
    leave(&scene.calls[1]);
    assert_false(link_is_alone(&scene.queues[0].paced));
    team_queue_forget(&scene.queues[0]);
    assert_true(link_is_alone(&scene.queues[0].paced));
    scene.queues[0].team = NULL;
    is_behind = false;
    loop_until_came("6 ");
    team_queue_forget(&scene.queues[1]);
}

int main(void)
{
    event_set_mem_functions(malloc, realloc_or_not, free);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_team_has_as_many_as_it_may, begin, end),
        cmocka_unit_test_setup_teardown(calls_that_end_at_once_make_room_for_all, begin, end),
        cmocka_unit_test_setup_teardown(what_is_begun_comes_first, begin, end),
        cmocka_unit_test_setup_teardown(a_team_is_forgotten, begin, end),
        cmocka_unit_test_setup_teardown(calls_begin_though_nobody_leaves, begin, end),
        cmocka_unit_test_setup_teardown(calls_begin_without_memory, begin, end),
        cmocka_unit_test_setup_teardown(calls_begin_though_its_timer_is_lost, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
