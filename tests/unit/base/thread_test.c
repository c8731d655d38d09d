/* SPDX-License-Identifier: MIT
 * A thread beside the loop gets no signals, and the loop's own still comes to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/thread.h"

static void *look_at_mask(void *mask)
{
    pthread_sigmask(SIG_SETMASK, NULL, mask);
    return mask;
}

static void signals_are_for_who_starts_it(void **state)
{
    (void)state;
    pthread_t thread;
    sigset_t its, ours;
    assert_true(thread_start(&thread, look_at_mask, &its));
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &ours);
    const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGPIPE };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        assert_true(sigismember(&its, signals[i]));
        assert_false(sigismember(&ours, signals[i]));
    }
}

static void *ask_for_short_turns(void *us)
{
    *(int64_t *)us = thread_set_turn_us(150) ? thread_turn_us() : -1;
    return us;
}

/* A process that may do this alone, as by default, and where the kernel knows of it. */
static void a_thread_has_turns_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    int64_t its, ours = thread_turn_us();
    assert_true(thread_start(&thread, ask_for_short_turns, &its));
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (its <= 0) /* the kernel refuses, or is older than 6.12 */
        skip();
    assert_int_equal(its, 150);
    assert_int_equal(thread_turn_us(), ours);
    assert_int_not_equal(ours, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_for_who_starts_it),
        cmocka_unit_test(a_thread_has_turns_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
