/* SPDX-License-Identifier: MIT
 * The pace, over simulated time: no window of 60 s sees more than the limit, and little is left unused. */
#include "proxy/upstream/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000, MINUTE = 60 * SECOND };

/* Every request that went out, and the most that any closed window of 60 s has seen. */
struct ledger {
    int64_t *at;
    size_t n, room, first, most;
};

static void ledger_note(struct ledger *l, int64_t at)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 1024;
        l->at = realloc(l->at, l->room * sizeof(*l->at));
        assert_non_null(l->at);
    }
    l->at[l->n++] = at;
    while (l->at[l->first] < at - MINUTE) {
        l->first++;
    }
    if (l->n - l->first > l->most) {
        l->most = l->n - l->first;
    }
}

static uint32_t seed = 12345;

static uint32_t next(void)
{
    return (seed = seed * 1664525 + 1013904223) >> 8;
}

/* Demand comes in floods, drips and pauses. */
static int64_t ask_until(struct rate *r, struct ledger *l, int64_t now, int64_t end)
{
    while (now < end) {
        uint32_t mood = next() % 4;
        int64_t until = now + (int64_t)(next() % 100) * SECOND;
        while (mood != 0 && now < until && now < end) {
            int64_t wait = rate_take(r, now);
            if (wait == 0) {
                ledger_note(l, now);
            }
            now += mood == 1 ? wait : mood == 2 ? (int64_t)(next() % 3000000) : wait / 2 + 1;
        }
        now = now < until ? until : now;
    }
    return now;
}

static const int64_t limits[] = { 1, 2, 3, 5, 6, 7, 11, 12, 13, 59, 60, 61, 100, 600, 6000 };

static void no_minute_sees_more_than_the_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rate r;
        struct ledger l = { 0 };
        rate_init(&r, limits[i], 7);
        ask_until(&r, &l, 7, (int64_t)30 * MINUTE);
        if (l.most > (size_t)limits[i] || l.n == 0) {
            fail_msg("limit %d: %zu in a minute, %zu in all", (int)limits[i], l.most, l.n);
        }
        free(l.at);
    }
}

static void nor_across_restarts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rate r;
        struct ledger l = { 0 };
        int64_t now = 0;
        for (int life = 0; life < 40; life++) {
            rate_init(&r, limits[i], now);
            now = ask_until(&r, &l, now, now + (int64_t)(next() % 90) * SECOND);
        }
        if (l.most > (size_t)limits[i]) {
            fail_msg("limit %d: %zu in a minute", (int)limits[i], l.most);
        }
        free(l.at);
    }
}

static void a_busy_hour_uses_what_there_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rate r;
        rate_init(&r, limits[i], 0);
        int64_t n = 0, now = 0;
        while (now <= (int64_t)60 * MINUTE) {
            int64_t wait = rate_take(&r, now);
            n += wait == 0;
            now += wait;
        }
        assert_true(n >= limits[i] * 60 * 4 / 5);
        assert_true(n <= limits[i] * 60);
    }
}

static void an_idle_while_saves_up_a_sixth(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 60, 0);
    assert_true(rate_take(&r, 0) > 0); /* what a dead process sent is not known */
    int n = 0;
    while (rate_take(&r, (int64_t)5 * MINUTE) == 0) {
        n++;
    }
    assert_int_equal(n, 10);
}

static void the_wait_told_is_the_wait_needed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rate r;
        rate_init(&r, limits[i], 0);
        int64_t now = next() % MINUTE;
        int64_t told = rate_wait_us(&r, 3, now), end = now + told;
        int n = 0;
        while (now < end) {
            int64_t wait = rate_take(&r, now);
            n += wait == 0;
            now += wait;
        }
        n += rate_take(&r, end + 3) == 0; /* each of three waits is rounded up */
        assert_int_equal(told ? n : 3, 3);
    }
}

static void the_highest_limit_is_no_limit(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 100000000, 0);
    for (int64_t now = 10; now < 1000000; now++) {
        assert_int_equal(rate_take(&r, now), 0);
    }
    /* A clock that stood still for years overflows nothing. */
    assert_int_equal(rate_take(&r, (int64_t)100 * 365 * 24 * 60 * MINUTE), 0);
    assert_true(rate_wait_us(&r, INT64_MAX, (int64_t)101 * 365 * 24 * 60 * MINUTE) > 0);
}

static void a_429_pauses_and_slows(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 6000, 0);
    int64_t now = MINUTE;
    assert_int_equal(rate_take(&r, now), 0);
    assert_int_equal(rate_refused(&r, 5000, 1, now), 5000);
    assert_int_equal(rate_take(&r, now), 5 * SECOND);
    /* The others in flight are refused too: the same event. */
    assert_int_equal(rate_refused(&r, 1000, 1, now + SECOND), 4000);
    assert_int_equal(r.slow, 2);
    int64_t start = now + 5 * SECOND, n = 0;
    for (now = start; now < start + 30 * SECOND;) {
        int64_t wait = rate_take(&r, now);
        n += wait == 0;
        now += wait;
    }
    assert_in_range(n, 2100, 2300); /* the burst of 1000, then half the pace */
    n = 0;
    for (; now < start + 60 * SECOND;) {
        int64_t wait = rate_take(&r, now);
        n += wait == 0;
        now += wait;
    }
    assert_in_range(n, 2400, 2600); /* recovered */
}

static void without_retry_after_the_guess_grows(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 60, 0);
    int64_t now = MINUTE, last = 0;
    for (int i = 0; i < 8; i++) {
        int64_t pause = rate_refused(&r, -1, 128, now);
        assert_true(pause > last || pause == 60000);
        assert_true(pause <= 60000);
        last = pause;
        now += pause * 1000;
    }
    assert_int_equal(last, 60000);
    rate_answered(&r);
    assert_in_range(rate_refused(&r, -1, 0, now), 1000, 1500);
    assert_int_equal(rate_refused(&r, 3600000, 0, now + MINUTE), 60000); /* an hour is not believed */
}

static void tokens_are_those_that_could_be_taken(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 600, 0);
    assert_int_equal(rate_tokens(&r, 0), 0);
    for (int64_t now = MINUTE / 4; now < 10 * (int64_t)MINUTE; now += MINUTE / 4) {
        if (now == 5 * (int64_t)MINUTE) {
            rate_refused(&r, 10000, 0, now);
        }
        struct rate copy = r;
        int64_t n = rate_tokens(&r, now), taken = 0;
        copy.paused_until_us = 0;
        while (rate_take(&copy, now) == 0) {
            taken++;
        }
        assert_int_equal(n, taken);
        assert_in_range(n, 1, r.burst);
        for (int64_t i = next() % (uint32_t)n; i > 0; i--) {
            (void)rate_take(&r, now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_minute_sees_more_than_the_limit),
        cmocka_unit_test(nor_across_restarts),
        cmocka_unit_test(a_busy_hour_uses_what_there_is),
        cmocka_unit_test(an_idle_while_saves_up_a_sixth),
        cmocka_unit_test(the_wait_told_is_the_wait_needed),
        cmocka_unit_test(the_highest_limit_is_no_limit),
        cmocka_unit_test(a_429_pauses_and_slows),
        cmocka_unit_test(tokens_are_those_that_could_be_taken),
        cmocka_unit_test(without_retry_after_the_guess_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
