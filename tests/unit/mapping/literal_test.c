/* SPDX-License-Identifier: MIT
 * Numbers and dates of v2 programs at their edges; parts: a share of a number, sums, and an object's numbers. */
#include "mapping/literal.h"

#include "mapping/part.h"
#include "tests/unit/mapping/kit.h"

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        { "0", 0 },
        { "-0", 0 },
        { "10", 10 },
        { "010", 10 },
        { "-3", -3 },
        { "1e5", 100000 },
        { "1E5", 100000 },
        { "1e+05", 100000 },
        { "1e 05", 100000 },
        { "-1e2", -100 },
        { "0e18", 0 },
        { "5e0", 5 },
        { "1e18", 1000000000000000000 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "0000000000000000000000000000001", 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 77;
        if (!literal_whole(slice_str(rows[i].text), &v))
            fail_msg("%s is refused", rows[i].text);
        assert_int_equal(v, rows[i].value);
    }
}

static void no_whole_numbers(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.5",
        "1.0",
        "1,000",
        "e5",
        "1e",
        "1e+",
        "1e ",
        "1e-5",
        "1e++5",
        "1e19",
        "1ee5",
        "1e5e5",
        "0x10",
        "ten",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "10e18",
        "18446744073709551617",
        "1\xC2\xA0",
        "\xD9\xA1",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 77;
        if (literal_whole(slice_str(rows[i]), &v))
            fail_msg("%s is taken", rows[i]);
        assert_int_equal(v, 77);
    }
    int64_t v;
    assert_false(literal_whole(slice_of(NULL, 0), &v));
    assert_false(literal_whole(TEXT("1\0"), &v));
}

static void dates(void **state)
{
    (void)state;
    struct literal_date d;
    assert_true(literal_date(S("1970-01-02"), &d));
    assert_false(d.is_moment);
    assert_int_equal(d.day.n, 1);
    assert_true(literal_date(S("1970-01-02T00:00:01Z"), &d));
    assert_true(d.is_moment);
    assert_int_equal(d.moment_s, 86401);
    assert_true(literal_date(S("2000-02-29"), &d));
    static const char *const bad[] = { "",
                                       "2018",
                                       "2018-1-31",
                                       "2018-02-30",
                                       "1900-02-29",
                                       "31-01-2018",
                                       "2018/01/31",
                                       "2018-01-31T08:00:00",
                                       "2018-01-31 08:00:00",
                                       "2018-01-31T08:00:00.5Z",
                                       "2018-01-31T24:00:00Z",
                                       "2018-01-31T08:00:60Z",
                                       "2018-01-31t08:00:00z",
                                       " 2018-01-31",
                                       "2018-01-31T08:00Z",
                                       "2018-00-01",
                                       "2018-13-01",
                                       "-018-01-01" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (literal_date(slice_str(bad[i]), &d))
            fail_msg("%s is taken", bad[i]);
}

static void a_share_is_rounded_half_up(void **state)
{
    (void)state;
    static const struct {
        int64_t links, refpages, live, want;
    } rows[] = {
        { 0, 0, 100, 0 },
        { 0, 5, 100, 0 },
        { 10, 0, 100, 0 },
        { 2, 1, 1, 1 }, /* 0.5 */
        { 2, 1, 3, 2 }, /* 1.5 */
        { 3, 1, 1, 0 },
        { 3, 1, 4, 1 },
        { 3, 2, 1, 1 },
        { 10, 9, 0, 0 },
        { 10, 20, 100, 100 }, /* never more than there are links */
        { 1, 1, INT64_MAX, INT64_MAX },
        { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX },
        { INT64_MAX, 1, INT64_MAX, 1 },
        { 1, INT64_MAX, INT64_MAX, INT64_MAX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(part_share(rows[i].live, rows[i].refpages, rows[i].links), rows[i].want);
    }
}

static void sums_saturate(void **state)
{
    (void)state;
    enum { LINKS = 1, REFPAGES = 2 };
    struct part_values sum = { 0 };
    struct scan_value row[REPORT_MAX_FIELDS] = { [LINKS] = { .whole = INT64_MAX }, [REFPAGES] = { .whole = 5 } };
    part_add(table_anchors.list, BIT(LINKS) | BIT(REFPAGES), row, &sum);
    row[REFPAGES].whole = INT64_MAX;
    part_add(table_anchors.list, BIT(LINKS) | BIT(REFPAGES), row, &sum);
    assert_int_equal(sum.of[LINKS].whole, INT64_MAX);
    assert_int_equal(sum.of[REFPAGES].whole, INT64_MAX);
    assert_int_equal(sum.rows, 2);
}

static void totals(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t live; /* -1: refused */
    } rows[] = {
        { "{\"metrics\":{\"live\":12}}", 12 },
        { " {\"metrics\":{\"live\":0,\"all_time\":5,\"x\":null}} \n", 0 },
        { "{\"metrics\":{\"live\":9223372036854775807}}", INT64_MAX },
        { "{\"metrics\":{\"live\":9223372036854775808}}", -1 },
        { "{\"metrics\":{\"live\":99999999999999999999999}}", -1 },
        { "{\"metrics\":{\"live\":-1}}", -1 },
        { "{\"metrics\":{\"live\":1.0}}", -1 },
        { "{\"metrics\":{\"live\":1e3}}", -1 },
        { "{\"metrics\":{\"live\":\"12\"}}", -1 },
        { "{\"metrics\":{\"live\":null}}", -1 },
        { "{\"metrics\":{\"live\":true}}", -1 },
        { "{\"metrics\":{}}", -1 },
        { "{\"metrics\":[12]}", -1 },
        { "{\"metrics\":null}", -1 },
        { "{}", -1 },
        { "[]", -1 },
        { "12", -1 },
        { "", -1 },
        { " ", -1 },
        { "{\"metrics\":{\"live\":12}", -1 },
        { "{\"metrics\":{\"live\":12}}x", -1 },
        { "{\"metrics\":{\"live\":12}}{}", -1 },
        { "{\"metrics\":{\"live\":12},}", -1 },
        { "{\"a\":[[[[[[[[[[[[]]]]]]]]]]]],\"metrics\":{\"live\":12}}", -1 },
        { "{\"a\":\"\xC3\",\"metrics\":{\"live\":12}}", -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct part_values v = { .of = { { .whole = -1 } } };
        int bad;
        if (part_read(table_anchors.parts[0].report, 1, slice_str(rows[i].body), &v, &bad) != (rows[i].live >= 0))
            fail_msg("wrong verdict: %s", rows[i].body);
        assert_int_equal(v.of[0].whole, rows[i].live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers), cmocka_unit_test(no_whole_numbers),
        cmocka_unit_test(dates),         cmocka_unit_test(a_share_is_rounded_half_up),
        cmocka_unit_test(sums_saturate), cmocka_unit_test(totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
