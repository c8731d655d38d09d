/* SPDX-License-Identifier: MIT
 * ledger/tally: what fits into a limit, by the month, the day and what others hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/ledger/tally.h"

static struct day day(int year, int month, int day)
{
    return day_from_civil((struct civil){ .year = year, .month = month, .day = day });
}

struct books {
    struct tally tally;
    int32_t seo, ads;
};

/* seo: 100 rows, 1000 units; ads: no limits; all together: 1500 units, from the 10th on. */
static struct books books_on(struct day today)
{
    struct ledger_team teams[] = { { "seo", 100, 1000 }, { "ads", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT } };
    struct limits limits = { .teams = teams, .n_teams = 2, .units_per_month = 1500, .billing_day = 10 };
    struct books b = { 0 };
    assert_true(tally_limit(&b.tally, &limits, today));
    b.seo = tally_find(&b.tally, S("seo"));
    b.ads = tally_find(&b.tally, S("ads"));
    return b;
}

static enum ledger_outcome check(const struct books *b, int32_t team, int64_t rows, int64_t units)
{
    return tally_check(&b->tally, team, (struct rows){ rows }, (struct units){ units }, (struct rows){ 0 },
                       (struct units){ 0 });
}

static void limits_of_team_and_whole(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    assert_int_equal(check(&b, b.seo, 100, 1000), LEDGER_DONE);
    assert_int_equal(check(&b, b.seo, 101, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(check(&b, b.seo, 0, 1001), LEDGER_OUT_OF_UNITS);
    assert_int_equal(check(&b, b.ads, 1000000, 1500), LEDGER_DONE);
    assert_int_equal(check(&b, b.ads, 0, 1501), LEDGER_OUT_OF_UNITS);
    tally_clear(&b.tally);
}

static void a_team_that_goes_keeps_its_limits(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    struct ledger_team teams[] = { { "ads", 7, LEDGER_NO_LIMIT } };
    struct limits limits = { .teams = teams, .n_teams = 1, .units_per_month = 1500, .billing_day = 10 };
    assert_true(tally_limit(&b.tally, &limits, day(2026, 5, 20)));
    assert_int_equal(check(&b, b.seo, 100, 1000), LEDGER_DONE); /* its calls under way may go on so far */
    assert_int_equal(check(&b, b.seo, 101, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(check(&b, b.seo, 0, 1001), LEDGER_OUT_OF_UNITS);
    assert_int_equal(check(&b, b.ads, 8, 0), LEDGER_OUT_OF_ROWS);
    struct ledger_team back[] = { { "seo", LEDGER_NO_LIMIT, 5 } };
    limits.teams = back;
    assert_true(tally_limit(&b.tally, &limits, day(2026, 5, 20)));
    assert_int_equal(check(&b, b.seo, 101, 5), LEDGER_DONE);
    assert_int_equal(check(&b, b.seo, 0, 6), LEDGER_OUT_OF_UNITS);
    tally_clear(&b.tally);
}

static void what_others_hold_is_waited_for(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    tally_hold(&b.tally, b.seo, 60, 0);
    assert_int_equal(check(&b, b.seo, 40, 0), LEDGER_DONE);
    assert_int_equal(check(&b, b.seo, 41, 0), LEDGER_WAIT);
    /* One's own hold counts as used: waiting for it would never end. */
    assert_int_equal(tally_check(&b.tally, b.seo, (struct rows){ 41 }, (struct units){ 0 }, (struct rows){ 60 },
                                 (struct units){ 0 }),
                     LEDGER_OUT_OF_ROWS);
    tally_hold(&b.tally, b.seo, -60, 0);
    assert_int_equal(check(&b, b.seo, 41, 0), LEDGER_DONE);
    tally_hold(&b.tally, b.ads, 0, 600);
    assert_int_equal(check(&b, b.seo, 0, 1000), LEDGER_WAIT);
    assert_true(tally_use(&b.tally, b.ads, day(2026, 5, 20), 0, 600));
    assert_int_equal(check(&b, b.seo, 0, 1000), LEDGER_OUT_OF_UNITS);
    tally_clear(&b.tally);
}

static bool fits_share(const struct books *b, int32_t team, int64_t units, int64_t own)
{
    return tally_fits_share(&b->tally, team, (struct units){ units }, (struct units){ own });
}

static void a_team_holds_half_of_what_others_leave(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    assert_true(tally_use(&b.tally, b.seo, day(2026, 5, 20), 0, 500)); /* 1000 are left */
    assert_true(fits_share(&b, b.ads, 1000, 0));                       /* the first call, however large */
    tally_hold(&b.tally, b.ads, 0, 300);
    assert_true(fits_share(&b, b.ads, 200, 0));
    assert_false(fits_share(&b, b.ads, 201, 0));
    assert_true(fits_share(&b, b.ads, 0, 0));     /* rows are no common pot */
    assert_true(fits_share(&b, b.ads, 700, 300)); /* it holds all that the team does */
    assert_false(fits_share(&b, b.ads, 202, 299));
    tally_hold(&b.tally, b.ads, 0, 200);
    assert_true(fits_share(&b, b.seo, 500, 0));
    tally_hold(&b.tally, b.seo, 0, 100);
    assert_true(fits_share(&b, b.seo, 150, 0));
    assert_false(fits_share(&b, b.seo, 151, 0));
    tally_hold(&b.tally, b.ads, 0, -500);
    assert_true(fits_share(&b, b.seo, 400, 0));
    tally_clear(&b.tally);
}

/* What goes on top of a call's price is taken from the share alone. */
static void room_for_more_is_within_the_share(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    struct rows rows = { 0 };
    tally_hold(&b.tally, b.seo, 0, 300);
    tally_hold(&b.tally, b.ads, 0, 200);
    assert_int_equal(tally_room(&b.tally, b.ads, rows, (struct units){ 0 }).whole_units_now, 400);
    assert_int_equal(tally_room(&b.tally, b.ads, rows, (struct units){ 50 }).whole_units_now, 450);
    tally_hold(&b.tally, b.ads, 0, 500);
    assert_int_equal(tally_room(&b.tally, b.ads, rows, (struct units){ 0 }).whole_units_now, 0);
    tally_clear(&b.tally);
}

static void the_only_team_has_the_whole(void **state)
{
    (void)state;
    struct ledger_team teams[] = { { "seo", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT },
                                   { "*", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT } };
    struct limits limits = { .teams = teams, .n_teams = 2, .units_per_month = 1500, .billing_day = 1 };
    struct books b = { 0 };
    assert_true(tally_limit(&b.tally, &limits, day(2026, 5, 20)));
    tally_hold(&b.tally, 0, 0, 1000);
    assert_true(fits_share(&b, 0, 500, 0));
    assert_int_equal(tally_room(&b.tally, 0, (struct rows){ 0 }, (struct units){ 0 }).whole_units_now, 500);
    assert_int_equal(
        tally_way(&b.tally, 0, (struct rows){ 0 }, (struct units){ 501 }, (struct rows){ 0 }, (struct units){ 0 }),
        LEDGER_WAY_OWN_LIMIT);
    tally_clear(&b.tally);
}

static enum ledger_way way(const struct books *b, int32_t team, int64_t rows, int64_t units)
{
    return tally_way(&b->tally, team, (struct rows){ rows }, (struct units){ units }, (struct rows){ 0 },
                     (struct units){ 0 });
}

static void whose_holds_stand_in_the_way(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 20));
    tally_hold(&b.tally, b.seo, 60, 500);
    assert_int_equal(way(&b, b.seo, 41, 0), LEDGER_WAY_OWN_LIMIT);
    assert_int_equal(way(&b, b.seo, 0, 501), LEDGER_WAY_OWN_LIMIT);
    assert_int_equal(way(&b, b.ads, 0, 1001), LEDGER_WAY_OTHERS);
    tally_hold(&b.tally, b.ads, 0, 1);
    assert_int_equal(way(&b, b.ads, 0, 500), LEDGER_WAY_OWN_SHARE);
    assert_int_equal(way(&b, b.ads, 0, 1001), LEDGER_WAY_OTHERS);
    tally_clear(&b.tally);
}

static void months_end_on_days_of_their_own(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 5, 5));
    assert_true(tally_use(&b.tally, b.seo, day(2026, 5, 5), 100, 1000));
    assert_int_equal(check(&b, b.seo, 1, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(check(&b, b.seo, 0, 1), LEDGER_OUT_OF_UNITS);
    tally_turn(&b.tally, day(2026, 5, 10)); /* a billing month begins */
    assert_int_equal(check(&b, b.seo, 1, 0), LEDGER_OUT_OF_ROWS);
    assert_int_equal(check(&b, b.seo, 0, 1), LEDGER_DONE);
    tally_turn(&b.tally, day(2026, 6, 1));
    assert_int_equal(check(&b, b.seo, 1, 0), LEDGER_DONE);
    struct tally_used used = tally_used(&b.tally, b.seo, day(2026, 5, 31));
    assert_int_equal(used.rows, 100);
    assert_int_equal(used.units, 0);
    assert_int_equal(tally_used(&b.tally, -1, day(2026, 5, 9)).whole_units, 1000);
    tally_clear(&b.tally);
}

/* What was used in the month to come, before the clock stepped back, is not used again there. */
static void a_clock_that_steps_back(void **state)
{
    (void)state;
    struct books b = books_on(day(2026, 6, 1));
    assert_true(tally_use(&b.tally, b.seo, day(2026, 6, 1), 90, 0));
    tally_turn(&b.tally, day(2026, 5, 31));
    assert_int_equal(check(&b, b.seo, 10, 0), LEDGER_DONE);
    assert_int_equal(check(&b, b.seo, 11, 0), LEDGER_OUT_OF_ROWS);
    tally_clear(&b.tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_team_and_whole),          cmocka_unit_test(a_team_that_goes_keeps_its_limits),
        cmocka_unit_test(what_others_hold_is_waited_for),    cmocka_unit_test(a_team_holds_half_of_what_others_leave),
        cmocka_unit_test(room_for_more_is_within_the_share), cmocka_unit_test(the_only_team_has_the_whole),
        cmocka_unit_test(whose_holds_stand_in_the_way),      cmocka_unit_test(months_end_on_days_of_their_own),
        cmocka_unit_test(a_clock_that_steps_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
