/* SPDX-License-Identifier: MIT
 * base/day: every day of eight centuries against counting by hand, days that do not exist, timestamps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/day.h"

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* 1600-01-01 is 135140 days before 1970-01-01. */
static void every_day_goes_round(void **state)
{
    (void)state;
    int32_t n = -135140;
    for (int year = 1600; year <= 2400; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 31; day++) {
                char text[40], again[11];
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                struct day d = { 12345678 };
                bool exists = day <= days_in(year, month);
                assert_int_equal(day_parse(slice_str(text), &d), exists);
                assert_int_equal(d.n, exists ? n : 12345678);
                if (!exists)
                    continue;
                struct civil c = day_to_civil(d);
                assert_true(c.year == year && c.month == month && c.day == day);
                assert_int_equal(day_from_civil(c).n, n);
                day_format(d, again);
                assert_string_equal(again, text);
                n++;
            }
    struct day epoch;
    assert_true(day_parse(S("1970-01-01"), &epoch));
    assert_int_equal(epoch.n, 0);
}

static void the_ends_of_the_calendar(void **state)
{
    (void)state;
    static const char *const ends[] = { "0000-01-01", "0000-02-29", "0000-12-31", "9999-12-31" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct day d;
        char text[11];
        assert_true(day_parse(slice_str(ends[i]), &d));
        day_format(d, text);
        assert_string_equal(text, ends[i]);
    }
}

static void what_is_no_day(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        SLICE(""),           SLICE("2018-1-01"),  SLICE("2018-01-1"),   SLICE("2018-00-01"),  SLICE("2018-13-01"),
        SLICE("2018-01-00"), SLICE("2018-01-32"), SLICE("2018-04-31"),  SLICE("2018-02-29"),  SLICE("1900-02-29"),
        SLICE("2018/01/01"), SLICE("2018-01-0a"), SLICE("+018-01-01"),  SLICE("-018-01-01"),  SLICE("20180-01-1"),
        SLICE("18-01-01"),   SLICE("2018-01- 1"), SLICE("2018-01-01 "), SLICE(" 2018-01-01"), SLICE("2018-01-01T"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct day d = { 77 };
        if (day_parse(bad[i], &d))
            fail_msg("'%.*s' was taken as a day", SLICE_ARGS(bad[i]));
        assert_int_equal(d.n, 77);
    }
    struct day d;
    assert_false(day_parse(slice_of(NULL, 0), &d));
}

static void days_of_moments(void **state)
{
    (void)state;
    assert_int_equal(day_of_ms(0).n, 0);
    assert_int_equal(day_of_ms(86399999).n, 0);
    assert_int_equal(day_of_ms(86400000).n, 1);
    assert_int_equal(day_of_ms(-1).n, -1);
    assert_int_equal(day_of_ms(-86400000).n, -1);
    assert_int_equal(day_of_ms(-86400001).n, -2);
}

static void timestamps_go_round(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_s;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2018-06-06T07:16:28Z", 1528269388 },
        { "2000-02-29T12:34:56Z", 951827696 },
        { "9999-12-31T23:59:59Z", 253402300799 },
        { "0000-01-01T00:00:00Z", -62167219200 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t s = 77;
        char text[21];
        assert_true(timestamp_parse(slice_str(cases[i].text), &s));
        assert_int_equal(s, cases[i].unix_s);
        timestamp_format(s, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void fractions_are_cut(void **state)
{
    (void)state;
    int64_t s = 77;
    assert_true(timestamp_parse(S("1970-01-01T00:00:01.9Z"), &s));
    assert_int_equal(s, 1);
    assert_true(timestamp_parse(S("1970-01-01T00:00:02.123456789Z"), &s));
    assert_int_equal(s, 2);
}

static void what_is_no_timestamp(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        SLICE(""),
        SLICE("2018-06-06"),
        SLICE("2018-06-06T07:16:28"),
        SLICE("2018-06-06 07:16:28Z"),
        SLICE("2018-06-06t07:16:28Z"),
        SLICE("2018-06-06T07:16:28z"),
        SLICE("2018-06-06T24:00:00Z"),
        SLICE("2018-06-06T07:60:28Z"),
        SLICE("2018-06-06T07:16:60Z"),
        SLICE("2018-06-31T07:16:28Z"),
        SLICE("2018-06-06T07:16:28.Z"),
        SLICE("2018-06-06T07:16:28.1aZ"),
        SLICE("2018-06-06T07:16:28,1Z"),
        SLICE("2018-06-06T07:16:28.1234567890Z"),
        SLICE("2018-06-06T07:16:28.0000000000000000000000Z"),
        SLICE("99999-06-06T07:16:28Z"),
        SLICE("2018-06-06T07:16:28+00:00"),
        SLICE("2018-06-06T07:16:2 Z"),
        SLICE("2018-06-06T-7:16:28Z"),
        SLICE("2018-06-06T07:16:28ZZ"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t s = 77;
        if (timestamp_parse(bad[i], &s))
            fail_msg("'%.*s' was taken as a timestamp", SLICE_ARGS(bad[i]));
        assert_int_equal(s, 77);
    }
}

static void milliseconds(void **state)
{
    (void)state;
    char text[25];
    timestamp_format_ms(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    timestamp_format_ms(1528269388007, text);
    assert_string_equal(text, "2018-06-06T07:16:28.007Z");
    timestamp_format_ms(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    timestamp_format_ms(-1000, text);
    assert_string_equal(text, "1969-12-31T23:59:59.000Z");
}

/* Whatever a clock, a file or a stranger says: something is written, and nothing is done that C leaves open. */
static void every_number_is_taken(void **state)
{
    (void)state;
    static const int32_t days[] = { INT32_MIN, INT32_MIN + 1, -719529, 2932897, INT32_MAX - 1, INT32_MAX };
    static const int64_t times[] = { INT64_MIN, INT64_MIN + 1,   INT64_MIN / 1000, -62167219201,
                                     INT64_MAX, 253402300800000, INT64_MAX / 1000, 253402300800 };
    static const int numbers[] = { INT32_MIN, -401, -1, 0, 13, 9999, 10000, INT32_MAX };
    enum { N = sizeof numbers / sizeof *numbers };
    char text[25];
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        day_format((struct day){ days[i] }, text);
        assert_string_equal(text, days[i] < 0 ? "0000-01-01" : "9999-12-31");
        if (days[i] > INT32_MIN + 1)
            assert_int_equal(day_from_civil(day_to_civil((struct day){ days[i] })).n, days[i]);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        timestamp_format(times[i], text);
        assert_string_equal(text, times[i] < 0 ? "0000-01-01T00:00:00Z" : "9999-12-31T23:59:59Z");
        timestamp_format_ms(times[i], text);
        assert_int_equal(strlen(text), 24);
        assert_in_range(day_of_ms(times[i]).n + 719528, 0, 2932896 + 719528);
    }
    timestamp_format_ms(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    for (int i = 0; i < N * N * N; i++)
        (void)day_from_civil((struct civil){ numbers[i % N], numbers[i / N % N], numbers[i / N / N] });
    assert_int_equal(day_from_civil((struct civil){ INT32_MAX, 1, 1 }).n, INT32_MAX);
    assert_int_equal(day_from_civil((struct civil){ INT32_MIN, 1, 1 }).n, INT32_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_goes_round),  cmocka_unit_test(the_ends_of_the_calendar),
        cmocka_unit_test(what_is_no_day),        cmocka_unit_test(days_of_moments),
        cmocka_unit_test(timestamps_go_round),   cmocka_unit_test(fractions_are_cut),
        cmocka_unit_test(what_is_no_timestamp),  cmocka_unit_test(milliseconds),
        cmocka_unit_test(every_number_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
