/* SPDX-License-Identifier: MIT
 * What v3 says of a key: read from good and from hostile bodies, and what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "mapping/subscription.h"

#define WHOLE                                                                                                          \
    "{\"limits_and_usage\":{\"subscription\":\"Enterprise, billed yearly\",\"usage_reset_date\":"                      \
    "\"2024-08-28T00:00:00Z\",\"units_limit_workspace\":12000000,\"units_usage_workspace\":6618294,"                   \
    "\"units_limit_api_key\":1000000,\"units_usage_api_key\":198771,\"api_key_expiration_date\":"                      \
    "\"2025-01-04T17:44:07Z\"}}"

static void test_reads_a_whole_answer(void **state)
{
    (void)state;
    struct subscription s;
    bool later;
    assert_true(subscription_parse(S(WHOLE), &s));
    assert_string_equal(s.plan, "Enterprise, billed yearly");
    assert_int_equal(s.workspace_limit, 12000000);
    assert_int_equal(s.workspace_used, 6618294);
    assert_int_equal(s.key_limit, 1000000);
    assert_int_equal(s.key_used, 198771);
    assert_int_equal(subscription_units_left(&s), 1000000 - 198771);
    assert_int_equal(subscription_billing_day(&s, &later), 28);
    assert_false(later);
    assert_int_equal(s.expires_s, 1736012647);
}

static struct subscription of(const char *fields)
{
    struct buffer b = { 0 };
    struct subscription s;
    buffer_printf(&b, "{\"limits_and_usage\":{%s}} ", fields);
    if (!subscription_parse(buffer_slice(&b), &s))
        fail_msg("not read: %.*s", SLICE_ARGS(buffer_slice(&b)));
    buffer_clear(&b);
    return s;
}

static void test_what_is_odd_is_unknown(void **state)
{
    (void)state;
    struct subscription s = of("");
    struct subscription none = subscription_unknown();
    bool later;
    assert_int_equal(s.workspace_limit, none.workspace_limit);
    assert_int_equal(s.key_used, SUBSCRIPTION_UNKNOWN);
    assert_int_equal(s.reset_s, SUBSCRIPTION_UNKNOWN);
    assert_string_equal(s.plan, "");
    assert_int_equal(subscription_units_left(&s), SUBSCRIPTION_UNKNOWN);
    assert_int_equal(subscription_billing_day(&s, &later), 0);
    s = of("\"subscription\":7,\"units_limit_api_key\":\"9\",\"units_usage_api_key\":1.5,\"usage_reset_date\":null,"
           "\"api_key_expiration_date\":\"soon\",\"units_limit_workspace\":-4,\"units_usage_workspace\":{}");
    assert_int_equal(s.key_limit, SUBSCRIPTION_UNKNOWN);
    assert_int_equal(s.key_used, SUBSCRIPTION_UNKNOWN);
    assert_int_equal(s.workspace_limit, SUBSCRIPTION_UNKNOWN);
    assert_int_equal(s.workspace_used, SUBSCRIPTION_UNKNOWN);
    assert_int_equal(s.expires_s, SUBSCRIPTION_UNKNOWN);
    s = of("\"units_limit_api_key\":9223372036854775807,\"units_usage_api_key\":9223372036854775808");
    assert_int_equal(s.key_limit, INT64_MAX);
    assert_int_equal(s.key_used, SUBSCRIPTION_UNKNOWN);
    s = of("\"subscription\":\"a\\nb\\u0000c\"");
    assert_string_equal(s.plan, "a b c");
    s = of("\"subscription\":\"a\\u0085b\\u202ec\\u2066\\u00e9\"");
    assert_string_equal(s.plan, "a b c \xc3\xa9");
}

static void test_what_is_no_answer_is_refused(void **state)
{
    static const char *const bodies[] = { "",
                                          "{}",
                                          "[]",
                                          "null",
                                          "{\"limits_and_usage\":null}",
                                          "{\"limits_and_usage\":[]}",
                                          "{\"limits_and_usage\":{}",
                                          "{\"limits_and_usage\":{}}x",
                                          "{\"limits_and_usage\":{\"a\":[[[[[[[[[[1]]]]]]]]]]}}",
                                          "{\"limits_and_usage\":{\"subscription\":\"\xff\"}}" };
    (void)state;
    struct subscription s;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (subscription_parse(slice_str(bodies[i]), &s))
            fail_msg("taken: %s", bodies[i]);
    struct buffer b = { 0 };
    buffer_str(&b, "{\"limits_and_usage\":{");
    for (int i = 0; i < SUBSCRIPTION_MAX_BYTES; i++)
        buffer_put(&b, ' ');
    buffer_str(&b, "}}");
    assert_false(subscription_parse(buffer_slice(&b), &s));
    buffer_clear(&b);
}

static void test_a_long_name_is_cut_to_whole_characters(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    buffer_str(&b, "\"subscription\":\"a");
    for (int i = 0; i < 100; i++)
        buffer_str(&b, "é");
    buffer_str(&b, "\"");
    buffer_put(&b, '\0');
    struct subscription s = of(b.p);
    assert_int_equal(strlen(s.plan), 63); /* 1 + 31 * 2: half a character is none */
    buffer_clear(&b);
}

static void test_units_left(void **state)
{
    static const struct {
        const char *fields;
        int64_t left;
    } cases[] = {
        { "\"units_limit_workspace\":100,\"units_usage_workspace\":30,\"units_limit_api_key\":50,\"units_usage_api_"
          "key\":10",
          40 },
        { "\"units_limit_workspace\":100,\"units_usage_workspace\":90,\"units_limit_api_key\":50,\"units_usage_api_"
          "key\":10",
          10 },
        { "\"units_limit_workspace\":100,\"units_usage_workspace\":130", 0 },
        { "\"units_limit_workspace\":null,\"units_limit_api_key\":50,\"units_usage_api_key\":10", 40 },
        { "\"units_limit_workspace\":100,\"units_usage_workspace\":40,\"units_limit_api_key\":null", 60 },
        { "\"units_limit_workspace\":null,\"units_limit_api_key\":null", SUBSCRIPTION_NO_LIMIT },
        { "\"units_limit_workspace\":null", SUBSCRIPTION_NO_LIMIT },
        { "\"units_limit_workspace\":null,\"units_limit_api_key\":50", SUBSCRIPTION_UNKNOWN },
        { "\"units_usage_api_key\":10", SUBSCRIPTION_UNKNOWN },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct subscription s = of(cases[i].fields);
        if (subscription_units_left(&s) != cases[i].left)
            fail_msg("%s: %lld left, not %lld", cases[i].fields, (long long)subscription_units_left(&s),
                     (long long)cases[i].left);
    }
}

static void test_row_caps(void **state)
{
    (void)state;
    assert_int_equal(subscription_row_cap(S("Lite, billed monthly")), 100);
    assert_int_equal(subscription_row_cap(S("STANDARD")), 250);
    assert_int_equal(subscription_row_cap(S("Ahrefs advanced (old)")), 500);
    assert_int_equal(subscription_row_cap(S("Enterprise, billed yearly")), SUBSCRIPTION_NO_LIMIT);
    assert_int_equal(subscription_row_cap(S("Elite")), SUBSCRIPTION_UNKNOWN);
    assert_int_equal(subscription_row_cap(S("Satellite Standards")), SUBSCRIPTION_UNKNOWN);
    assert_int_equal(subscription_row_cap(S("")), SUBSCRIPTION_UNKNOWN);
}

static void test_billing_day(void **state)
{
    static const struct {
        const char *date;
        int day;
        bool later;
    } cases[] = { { "2026-11-01T00:00:00Z", 1, false },
                  { "2026-11-28T23:59:59Z", 28, false },
                  { "2026-01-29", 28, true },
                  { "2026-12-31T00:00:00Z", 28, true },
                  { "2026-02-30", 0, false } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fields[80];
        bool later = false;
        snprintf(fields, sizeof fields, "\"usage_reset_date\":\"%s\"", cases[i].date);
        struct subscription s = of(fields);
        assert_int_equal(subscription_billing_day(&s, &later), cases[i].day);
        assert_int_equal(later, cases[i].later);
    }
}

static void test_days_left(void **state)
{
    (void)state;
    struct subscription s = { .expires_s = 10 * 86400 };
    assert_int_equal(subscription_days_left(&s, 0), 10);
    assert_int_equal(subscription_days_left(&s, 1), 9);
    assert_int_equal(subscription_days_left(&s, 10 * 86400), 0);
    assert_int_equal(subscription_days_left(&s, 10 * 86400 + 1), -1);
    assert_int_equal(subscription_days_left(&s, 12 * 86400), -2);
}

static void test_drift(void **state)
{
    (void)state;
    struct drift d = { 0 };
    struct subscription s = { .key_used = 500, .reset_s = 1000 };
    assert_int_equal(drift_look(&d, &s, 70), DRIFT_FIRST);
    s.key_used = 650;
    assert_int_equal(drift_look(&d, &s, 220), DRIFT_COMPARED);
    assert_int_equal(d.last_counted, 150);
    assert_int_equal(d.last_booked, 150);
    assert_int_equal(drift_difference(&d), 0);
    s.key_used = SUBSCRIPTION_UNKNOWN; /* the next look spans both */
    assert_int_equal(drift_look(&d, &s, 300), DRIFT_UNKNOWN);
    s.key_used = 800;
    assert_int_equal(drift_look(&d, &s, 320), DRIFT_COMPARED);
    assert_int_equal(d.last_counted, 150);
    assert_int_equal(d.last_booked, 100);
    assert_int_equal(drift_difference(&d), 50);
    s.key_used = 10; /* counted from 0 again */
    assert_int_equal(drift_look(&d, &s, 400), DRIFT_NEW_MONTH);
    assert_int_equal(drift_difference(&d), 50);
    s = (struct subscription){ .key_used = 5000, .reset_s = 2000 }; /* or the date has moved */
    assert_int_equal(drift_look(&d, &s, 500), DRIFT_NEW_MONTH);
    s.key_used = 5000;
    s.reset_s = SUBSCRIPTION_UNKNOWN;
    assert_int_equal(drift_look(&d, &s, 570), DRIFT_COMPARED);
    assert_int_equal(drift_difference(&d), -20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_whole_answer),
        cmocka_unit_test(test_what_is_odd_is_unknown),
        cmocka_unit_test(test_what_is_no_answer_is_refused),
        cmocka_unit_test(test_a_long_name_is_cut_to_whole_characters),
        cmocka_unit_test(test_units_left),
        cmocka_unit_test(test_row_caps),
        cmocka_unit_test(test_billing_day),
        cmocka_unit_test(test_days_left),
        cmocka_unit_test(test_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
