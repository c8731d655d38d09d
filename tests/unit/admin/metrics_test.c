/* SPDX-License-Identifier: MIT
 * The text format of the metrics, and the table of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "proxy/admin/metrics.h"
#include "proxy/admin/process.h"

static const struct {
    const char *name, *kind, *label, *help;
} rows[] = {
#define METRIC(NAME, name, KIND, label, help) { name, #KIND, label, help },
#include "proxy/admin/counters.def"
#undef METRIC
};

static void expect(struct buffer *b, const char *text)
{
    buffer_put(b, '\0');
    assert_false(b->failed);
    assert_string_equal(b->p, text);
    buffer_clear(b);
}

static void help_and_type_stand_once(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct metrics m = metrics_to(&b);
    metric_add(&m, METRIC_CALLS, INT64_MAX);
    metric_add_labelled(&m, METRIC_CONNECTIONS, S("client"), 2);
    metric_add_labelled(&m, METRIC_CONNECTIONS, S("admin"), -1);
    metric_add_seconds(&m, METRIC_UPTIME, 61007005);
    expect(&b, "# HELP anchorage_calls_total v2 calls that came in.\n"
               "# TYPE anchorage_calls_total counter\n"
               "anchorage_calls_total 9223372036854775807\n"
               "# HELP anchorage_connections Open connections of clients and of the admin side.\n"
               "# TYPE anchorage_connections gauge\n"
               "anchorage_connections{side=\"client\"} 2\n"
               "anchorage_connections{side=\"admin\"} -1\n"
               "# HELP anchorage_uptime_seconds How long the daemon runs.\n"
               "# TYPE anchorage_uptime_seconds gauge\n"
               "anchorage_uptime_seconds 61.007005\n");
}

static void a_histogram_adds_up(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct metrics m = metrics_to(&b);
    struct histogram h = { .scale = &histogram_moments };
    histogram_add(&h, 500, 0);
    histogram_add(&h, 700, 0);
    histogram_add(&h, 90000000, 0);
    metric_add_histogram(&m, METRIC_COMMIT, &h);
    metric_add(&m, METRIC_CALLS, 1);
    expect(&b, "# HELP anchorage_ledger_commit_seconds How long the disk took to have a batch of entries.\n"
               "# TYPE anchorage_ledger_commit_seconds histogram\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.0005\"} 1\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.001\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.0025\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.005\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.01\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.025\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.05\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.1\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"0.25\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"1\"} 2\n"
               "anchorage_ledger_commit_seconds_bucket{le=\"+Inf\"} 3\n"
               "anchorage_ledger_commit_seconds_sum 90.001200\n"
               "anchorage_ledger_commit_seconds_count 3\n"
               "# HELP anchorage_calls_total v2 calls that came in.\n"
               "# TYPE anchorage_calls_total counter\n"
               "anchorage_calls_total 1\n");
}

/* The sample line of a team of this name. */
static void expect_label(struct slice label, const char *text)
{
    struct buffer b = { 0 }, line = { 0 };
    struct metrics m = metrics_to(&b);
    metric_add_labelled(&m, METRIC_TEAM_ROWS, label, 1);
    struct slice rest = buffer_slice(&b);
    slice_split(rest, '\n', &rest);
    slice_split(rest, '\n', &rest);
    buffer_append(&line, rest);
    buffer_clear(&b);
    expect(&line, text);
}

static void labels_are_escaped(void **state)
{
    (void)state;
    expect_label(S("*"), "anchorage_team_rows_used{team=\"*\"} 1\n");
    expect_label(S("a\"} 9\nb\\"), "anchorage_team_rows_used{team=\"a\\\"} 9\\nb\\\\\"} 1\n");
    expect_label(S("a\tb\r\x7F"), "anchorage_team_rows_used{team=\"a b  \"} 1\n");
    expect_label(S("\xC3\xA4\xFFx"), "anchorage_team_rows_used{team=\"\xC3\xA4\"} 1\n");
    expect_label(S(""), "anchorage_team_rows_used{team=\"\"} 1\n");
}

static void labels_are_cut_at_a_character(void **state)
{
    (void)state;
    char name[200], line[300];
    memset(name, 'x', sizeof name);
    memcpy(name + METRICS_MAX_LABEL_BYTES - 1, "\xC3\xA4", 2);
    snprintf(line, sizeof line, "anchorage_team_rows_used{team=\"%.*s\"} 1\n", METRICS_MAX_LABEL_BYTES - 1, name);
    expect_label(slice_of(name, sizeof name), line);
}

static void samples_are_bounded(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct metrics m = metrics_to(&b);
    for (int i = 0; i < METRICS_MAX_SAMPLES + 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        metric_add_labelled(&m, METRIC_TEAM_ROWS, slice_str(name), i);
    }
    metric_add_labelled(&m, METRIC_TEAM_UNITS, S("a"), 5);
    int lines = 0;
    for (struct slice rest = buffer_slice(&b); rest.n; lines++)
        slice_split(rest, '\n', &rest);
    assert_int_equal(lines, METRICS_MAX_SAMPLES + 2 + 3);
    buffer_clear(&b);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    enum { N = sizeof rows / sizeof rows[0] };
    for (int i = 0; i < N; i++) {
        struct slice name = slice_str(rows[i].name), help = slice_str(rows[i].help);
        assert_true(slice_starts(name, S("anchorage_")) || slice_starts(name, S("process_")));
        assert_int_equal(slice_ends(name, S("_total")), strcmp(rows[i].kind, "COUNTER") == 0);
        for (size_t k = 0; k < name.n; k++)
            assert_true((name.p[k] >= 'a' && name.p[k] <= 'z') || is_digit(name.p[k]) || name.p[k] == '_');
        assert_true(help.n > 0 && utf8_valid_prefix(help) == help.n);
        assert_int_equal(slice_find(help, '\n'), help.n);
        assert_int_equal(slice_find(help, '\\'), help.n);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(rows[i].name, rows[k].name);
    }
}

/* The number of a sample. */
static double number_of(const struct buffer *b, const char *name)
{
    char *at = strstr(b->p, name);
    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

static void the_process_is_measured(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct metrics m = metrics_to(&b);
    process_gather(&m);
    buffer_put(&b, '\0');
    assert_true(number_of(&b, "\nprocess_resident_memory_bytes ") > 100000);
    assert_true(number_of(&b, "\nprocess_open_fds ") >= 1);
    assert_true(number_of(&b, "\nprocess_open_fds ") <= number_of(&b, "\nprocess_max_fds "));
    assert_true(number_of(&b, "\nprocess_threads ") >= 1);
    assert_true(number_of(&b, "\nprocess_cpu_seconds_total ") >= 0);
    buffer_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_type_stand_once), cmocka_unit_test(a_histogram_adds_up),
        cmocka_unit_test(labels_are_escaped),       cmocka_unit_test(labels_are_cut_at_a_character),
        cmocka_unit_test(samples_are_bounded),      cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(the_process_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
