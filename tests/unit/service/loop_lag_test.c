/* SPDX-License-Identifier: MIT
 * How late the loop is, when it is and when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "proxy/service/loop_lag.h"

enum { EVERY_US = 51000, BUSY_US = 130000 };

static uint64_t times(const struct loop_lag *l)
{
    uint64_t n = 0;
    for (int i = 0; i <= HISTOGRAM_MAX_BOUNDS; i++)
        n += l->late.counts[i];
    return n;
}

static void keep_busy(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    for (int64_t until_us = *(const int64_t *)context + BUSY_US; clock_monotonic_us() < until_us;) {
    }
}

static void a_loop_that_is_busy_is_late(void **state)
{
    (void)state;
    struct loop_lag l = { 0 };
    struct event_base *base = event_base_new();
    int64_t began_us = clock_monotonic_us();
    struct event *work = event_new(base, -1, 0, keep_busy, &began_us);
    assert_true(loop_lag_start(&l, base));
    assert_int_equal(times(&l), 0);
    event_add(work, &(struct timeval){ .tv_usec = 1 });
    while (times(&l) < 2)
        event_base_loop(base, EVLOOP_ONCE);
    int64_t took_us = clock_monotonic_us() - began_us;
    assert_true(took_us >= BUSY_US + EVERY_US - 2000); /* the second time is counted from the first */
    int64_t longest_us = histogram_longest_us(&l.late, clock_monotonic_us());
    assert_in_range(longest_us, BUSY_US - EVERY_US - 2000, took_us);
    assert_in_range((int64_t)l.late.sum_us, longest_us, took_us);
    event_free(work);
    loop_lag_stop(&l);
    event_base_free(base);
}

static void it_may_be_stopped_at_any_time(void **state)
{
    (void)state;
    struct loop_lag l = { 0 };
    struct event_base *base = event_base_new();
    loop_lag_stop(&l);
    assert_true(loop_lag_start(&l, base));
    loop_lag_stop(&l);
    loop_lag_stop(&l);
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 1); /* nothing is left to wait for */
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_is_busy_is_late),
        cmocka_unit_test(it_may_be_stopped_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
