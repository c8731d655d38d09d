/* SPDX-License-Identifier: MIT
 * The day that units are counted from, when it is learnt rather than configured. */
#include "room.h"

static int start(void **state)
{
    struct room *r = malloc(sizeof *r);
    room_init(r);
    r->options.billing_day = LEDGER_BILLING_DAY_KEPT;
    set_clock("2026-11-14T12:00:00Z");
    *state = r;
    return 0;
}

static int end(void **state)
{
    struct room *r = *state;
    room_end(r);
    free(r);
    return 0;
}

static void spend(struct room *r, const char *id, int64_t units)
{
    struct ledger_call call = { .id = slice_str(id),
                                .team = S("seo"),
                                .key = S("k"),
                                .client = S("::1"),
                                .table = S("anchors"),
                                .target = S("a.example"),
                                .shape = S("anchors?") };
    struct ledger_settlement s = { .units = units, .units_predicted = units, .via = "upstream" };
    int outcome = -1;
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
}

static void the_books_remember_it(void **state)
{
    struct room *r = *state;
    room_open(r, NULL);
    assert_int_equal(ledger_billing_day(r->ledger), 1);
    spend(r, "a", 100); /* on the 14th */
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 900);

    set_clock("2026-11-20T12:00:00Z");
    spend(r, "b", 10);
    assert_true(ledger_set_billing_day(r->ledger, 15));
    assert_false(ledger_set_billing_day(r->ledger, 15)); /* no news */
    assert_false(ledger_set_billing_day(r->ledger, 29));
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 990);

    /* Another process, which nobody has told anything yet. */
    room_close(r);
    room_open(r, NULL);
    assert_int_equal(ledger_billing_day(r->ledger), 15);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 990);
    assert_int_equal(room_run(r, "ledger export --format jsonl"), 0);
    assert_non_null(strstr(r->out.p, "billing_day=15"));
    assert_int_equal(room_run(r, "ledger verify"), 0);

    /* A reload changes limits, not the day. */
    ledger_set_limits(r->ledger, &r->options);
    assert_int_equal(ledger_billing_day(r->ledger), 15);
}

static void a_configured_day_stays(void **state)
{
    struct room *r = *state;
    r->options.billing_day = 7;
    room_open(r, NULL);
    assert_false(ledger_set_billing_day(r->ledger, 15));
    assert_int_equal(ledger_billing_day(r->ledger), 7);
    /* And is the first answer once nobody configures it any more. */
    room_close(r);
    r->options.billing_day = LEDGER_BILLING_DAY_KEPT;
    room_open(r, NULL);
    assert_int_equal(ledger_billing_day(r->ledger), 7);
}

static void our_own_calls_count_in_the_whole(void **state)
{
    struct room *r = *state;
    r->options.units_per_month = 1000;
    room_open(r, NULL);
    struct ledger_call call = { .id = S("own"), .team = S("(anchorage)"), .table = S("doctor"), .shape = S("doctor") };
    struct ledger_settlement s = { .units = 60, .units_predicted = 50, .via = "upstream" };
    int outcome = -1;
    ledger_hold(r->ledger, &call, (struct rows){ 0 }, (struct units){ 50 }, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).whole_units_left, 940);
    assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 1000);
    assert_int_equal(room_run(r, "ledger export --format jsonl"), 0);
    assert_non_null(strstr(r->out.p, "\"team\":\"(anchorage)\",\"key\":null"));
    assert_int_equal(room_run(r, "ledger verify"), 0);
    assert_int_equal(room_run(r, "usage --format csv"), 0);
    assert_non_null(strstr(r->out.p, "(anchorage)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_books_remember_it, start, end),
        cmocka_unit_test_setup_teardown(a_configured_day_stays, start, end),
        cmocka_unit_test_setup_teardown(our_own_calls_count_in_the_whole, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
