/* SPDX-License-Identifier: MIT
 * The command usage: limits and how long they last, names, narrower questions, and text that fits a terminal. */
#include "room.h"

#include "base/shown.h"
#include "proxy/ledger/entries/forecast.h"

#define assert_says(r, text)                                                                                           \
    do {                                                                                                               \
        if (!strstr((r)->out.p, (text)))                                                                               \
            fail_msg("no \"%s\" in: %s", (text), (r)->out.p);                                                          \
    } while (0)

static void spend(struct room *r, const char *when, const char *team, int64_t rows, int64_t units)
{
    static int n;
    char id[LEDGER_ID_SIZE];
    set_clock(when);
    snprintf(id, sizeof id, "spend%d", n++);
    assert_int_equal(settle_now(r, id, team, rows, units), LEDGER_DONE);
}

/* ---- the forecast by itself ---- */

static int64_t ms_of(const char *text)
{
    int64_t s;
    assert_true(timestamp_parse(slice_str(text), &s));
    return s * 1000;
}

static struct forecast november(const struct spent *s, const char *now)
{
    struct day day = day_of_ms(ms_of(now));
    return forecast_of(s, month_of_day(day, 1), ms_of(now));
}

static void a_forecast_needs_a_day(void **state)
{
    (void)state;
    struct spent s = { .used = 100, .limit = 1000, .recent = 100, .first_ms = ms_of("2026-11-01T00:30:00Z") };
    assert_false(november(&s, "2026-11-01T23:30:00Z").is_known); /* 23 hours */
    assert_false(november(&s, "2026-11-02T00:29:59Z").is_known);
    struct forecast f = november(&s, "2026-11-02T00:30:00Z");
    assert_true(f.is_known);
    assert_int_equal(f.per_day, 100);
    assert_true(f.ends);
    assert_int_equal(f.end.n, day_of_ms(ms_of("2026-11-11T00:00:00Z")).n);
    assert_false(november(&s, "2026-10-31T12:00:00Z").is_known); /* the clock was set back */
    s.first_ms = INT64_MAX;
    assert_false(november(&s, "2026-11-29T00:00:00Z").is_known);
}

static void a_forecast_takes_the_last_week(void **state)
{
    (void)state;
    struct spent s = { .used = 5000, .limit = 6000, .recent = 700, .first_ms = ms_of("2026-11-01T00:30:00Z") };
    /* At the end of an hour the running one is whole: 168 hours. */
    struct forecast f = november(&s, "2026-11-20T22:59:59Z");
    assert_int_equal(f.per_day, 100);
    assert_true(f.ends);
    assert_int_equal(f.end.n, day_of_ms(ms_of("2026-11-30T00:00:00Z")).n);
    assert_int_equal(f.permille_at_end, 1000);
    s.held = 100; /* counts as used */
    f = november(&s, "2026-11-20T22:59:59Z");
    assert_int_equal(f.end.n, day_of_ms(ms_of("2026-11-29T00:00:00Z")).n);
    s.limit = 12000; /* raised */
    f = november(&s, "2026-11-20T22:59:59Z");
    assert_false(f.ends);
    assert_int_equal(f.permille_at_end, 508);
    s.limit = LEDGER_NO_LIMIT;
    f = november(&s, "2026-11-20T22:59:59Z");
    assert_true(f.is_known && !f.ends && f.permille_at_end < 0);
    s.limit = 0;
    f = november(&s, "2026-11-20T22:59:59Z");
    assert_true(f.ends && f.permille_at_end < 0);
    assert_int_equal(f.end.n, day_of_ms(ms_of("2026-11-20T00:00:00Z")).n);
}

static void a_forecast_knows_no_overflow(void **state)
{
    (void)state;
    struct spent s = { .used = INT64_MAX, .held = INT64_MAX, .limit = 1, .recent = INT64_MAX };
    struct forecast f = november(&s, "2026-11-20T12:00:00Z");
    assert_true(f.is_known && f.ends);
    assert_int_equal(f.permille_at_end, INT64_MAX);
    s = (struct spent){ .used = INT64_MIN, .limit = INT64_MAX, .recent = INT64_MIN };
    f = november(&s, "2026-11-20T12:00:00Z");
    assert_true(f.is_known && !f.ends);
    assert_int_equal(f.per_day, 0);
    assert_int_equal(spent_left(&s), INT64_MAX);
}

/* ---- limits ---- */

static void limits_last_as_long_as_they_do(void **state)
{
    struct room *r = *state;
    r->options.units_per_month = 30000;
    ledger_set_limits(r->ledger, &r->options);
    spend(r, "2026-11-01T00:00:00Z", "seo", 10, 100);
    assert_runs(r, "usage");
    assert_says(r, "1 November 2026, UTC\n");
    assert_says(r, "\n29,900 of 30,000 units left; not enough calls yet to say how long it lasts\n");
    assert_says(r, "not known yet\n");
    set_clock("2026-11-01T23:00:00Z");
    assert_runs(r, "usage --team seo");
    assert_says(r, "\n90 of 100 rows left; not enough calls yet to say how long it lasts\n");
    set_clock("2026-11-07T00:00:00Z");
    assert_runs(r, "usage");
    assert_says(r, "1 to 7 November 2026, UTC\n");
    assert_says(r, "\n29,900 of 30,000 units left; enough at this pace: 1.6 % by 1 Dec\n");
    spend(r, "2026-11-07T00:00:30Z", "seo", 50, 100);
    assert_runs(r, "usage");
    assert_says(r, "seo         200  100 %    60      60 %      2       0  11 Nov, rows\n");
    assert_says(r, "sales         0    0 %     0         -      0       0  no limit\n");
    assert_says(r, "together    200  100 %    60                2       0\n");
    assert_runs(r, "usage --team seo");
    assert_says(r, "\n40 of 100 rows left; at this pace used up on 11 Nov; the month ends on 1 Dec\n");
    assert_says(r, "\n800 of 1,000 units left; enough at this pace: 100 % by 1 Dec\n");
    assert_runs(r, "usage --format json");
    assert_says(r, "\"forecast\":{\"per_day\":10,\"ends\":\"2026-11-11\",\"share_at_end\":");
    r->teams[0].rows_per_month = 60; /* lowered: it is used up; raised: it is not */
    ledger_set_limits(r->ledger, &r->options);
    assert_runs(r, "usage --team seo");
    assert_says(r, "used up, rows\n");
    assert_says(r, "\n0 of 60 rows left; used up; more on 1 Dec\n");
    r->teams[0].rows_per_month = 6000;
    ledger_set_limits(r->ledger, &r->options);
    assert_runs(r, "usage --team seo");
    assert_says(r, "\n5,940 of 6,000 rows left; enough at this pace: 5.0 % by 1 Dec\n");
    r->teams[0].rows_per_month = 0;
    ledger_set_limits(r->ledger, &r->options);
    assert_runs(r, "usage --team seo --format json");
    assert_says(r,
                "\"limit\":0,\"left\":0,\"until\":\"2026-12-01\",\"forecast\":{\"per_day\":10,\"ends\":\"2026-11-07\","
                "\"share_at_end\":null}}");
    set_clock("2026-10-20T00:00:00Z"); /* back */
    assert_runs(r, "usage");
    assert_says(r, "\n30,000 of 30,000 units left; not enough calls yet to say how long it lasts\n");
}

static void units_are_of_the_billing_month(void **state)
{
    struct room *r = *state;
    r->options.billing_day = 28;
    r->options.units_per_month = 1000;
    ledger_set_limits(r->ledger, &r->options);
    spend(r, "2026-11-27T23:00:00Z", "sales", 1, 100);
    spend(r, "2026-11-28T00:00:00Z", "sales", 1, 7);
    set_clock("2026-11-29T00:00:00Z");
    assert_runs(r, "usage --format json");
    assert_says(r, "\"whole\":{\"units\":7,\"units_held\":0,\"units_limit\":1000,\"units_left\":993,"
                   "\"since\":\"2026-11-28\",\"until\":\"2026-12-28\",\"forecast\":{\"per_day\":7,\"ends\":null,"
                   "\"share_at_end\":0.210}}");
    set_clock("2026-12-01T00:00:00Z");
    assert_runs(r, "usage");
    assert_says(r, "1 December 2026, UTC\n");
    assert_says(r, "\n993 of 1,000 units left; ");
    hold_now(r, "open", "sales", 5, 93);
    assert_runs(r, "usage");
    assert_says(r, "\n900 of 1,000 units left, 93 held by calls under way; ");
    set_clock("2026-12-31T23:30:00Z"); /* a month later they are still held */
    assert_runs(r, "usage --format csv");
    assert_says(r, ",1000,907,0,0,0\n");
}

/* ---- narrower questions ---- */

static void questions_are_narrowed(void **state)
{
    struct room *r = *state;
    spend(r, "2026-11-20T10:00:00Z", "seo", 1, 10);
    spend(r, "2026-11-22T13:00:00Z", "seo", 2, 20);
    spend(r, "2026-11-23T11:00:00Z", "sales", 4, 5);
    set_clock("2026-11-23T12:00:00Z");
    assert_runs(r, "usage --team sales --format csv");
    assert_null(strstr(r->out.p, "seo"));
    assert_says(r, "\n(together),1,2,4,");
    assert_runs(r, "usage --by target --team seo --format csv");
    assert_says(r, "\nexample.com,2,4,3,");
    assert_runs(r, "usage --by target --team seo --key key1 --format csv");
    assert_says(r, "\nexample.com,2,4,3,");
    assert_runs(r, "usage --since yesterday --format csv --by day");
    assert_says(r, "2026-11-22,1,2,2,");
    assert_null(strstr(r->out.p, "2026-11-20"));
    assert_runs(r, "usage --since yesterday --until today --by day --format csv");
    assert_says(r, "\n(together),1,2,2,");
    assert_runs(r, "usage --since 3d --format json");
    assert_says(r, "\"since\":\"2026-11-20\",\"until\":\"2026-11-24\"");
    assert_says(r, "\"total\":{\"calls\":3,");
    assert_runs(r, "usage --since 24h --format json");
    assert_says(r, "\"since\":\"2026-11-22T12:00:00Z\",\"until\":\"2026-11-24\"");
    assert_says(r, "\"total\":{\"calls\":2,");
    assert_runs(r, "usage --since 2h --by client --format json");
    assert_says(r, "\"total\":{\"calls\":1,");
    assert_runs(r, "usage --by day --per team --format csv");
    assert_says(r, "day,team,calls");
    assert_says(r, "\n2026-11-22,seo,1,2,2,");
    assert_runs(r, "usage --by team --per key --sort rows --format json");
    assert_says(r, "\"items\":[{\"team\":\"sales\",\"key\":\"key1\",\"calls\":1,\"results\":2,\"rows\":4,");
    assert_runs(r, "usage --sort units --top 1 --format json");
    assert_says(r, "\"items\":[{\"team\":\"seo\",\"calls\":2,");
    assert_says(r, "],\"others\":1,\"total\":{\"calls\":3,");
    assert_runs(r, "usage --top 1 --format csv");
    assert_says(r, "\nothers,1,2,4,");
    assert_runs(r, "ledger export --since yesterday");
    assert_null(strstr(r->out.p, "2026-11-20"));
    assert_says(r, "2026-11-22T13");
    assert_int_equal(room_run(r, "usage --team nosuch"), 1);
    assert_string_equal(r->err.p, "anchorage usage: there is no team \"nosuch\"; configured: seo, sales\n");
    assert_int_equal(room_run(r, "usage --key nosuch"), 1);
    assert_non_null(strstr(r->err.p, "there is no key with this id"));
    r->options.n_teams = 1; /* sales is configured no more, and in the books */
    ledger_set_limits(r->ledger, &r->options);
    assert_runs(r, "usage --team sales");
}

static void shapes_are_added_up(void **state)
{
    struct room *r = *state;
    struct ledger_call call = call_of("a", "seo");
    struct ledger_settlement s = { .rows = { 3 }, .units = 5, .via = "upstream" };
    int outcome;
    spend(r, "2026-11-23T12:00:00Z", "seo", 1, 100);
    spend(r, "2026-11-23T12:00:00Z", "sales", 1, 100);
    call.shape = S("from=anchors&where=backlinks>?&mode=exact");
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    hold_now(r, "h", "seo", 4, 6);
    assert_runs(r, "usage --by shape --format csv --sort units");
    assert_says(r, "shape,calls,");
    assert_says(r, ",approximate_rows,call\n8284fcbad678,2,4,2,4,,,200,200,300,0,0,6,,,0,2,0,from=anchors&mode=?\n");
    assert_says(r, ",1,0,3,0,,,5,0,0,0,0,0,,,0,0,0,from=anchors&where=backlinks>?&mode=exact\n(together),3,4,5,4,");
    assert_runs(r, "usage --by shape --team sales --format json");
    assert_says(r, "{\"shape\":\"8284fcbad678\",\"calls\":1,");
    assert_says(r, ",\"call\":\"from=anchors&mode=?\"}],\"others\":0,\"total\"");
    assert_runs(r, "usage --by shape");
    assert_says(r, "\n8284fcbad678  from=anchors&mode=?");
    assert_runs(r, "usage --by shape --per key --format csv");
    assert_says(r, "shape,key,calls,");
    assert_says(r, ",approximate_rows,call,name,team\n");
}

static void keys_have_names(void **state)
{
    struct room *r = *state;
    char id[16], line[128];
    assert_runs(r, "key add --team seo --name crawler --token old-token-of-2014");
    snprintf(id, sizeof id, "%.8s", r->out.p);
    struct ledger_call call = call_of("a", "seo");
    struct ledger_settlement s = { .rows = { 3 }, .units = 5, .via = "upstream" };
    int outcome;
    call.key = slice_str(id);
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    call = (struct ledger_call){ .id = S("b"), .team = S("(anchorage)"), .table = S("doctor"), .shape = S("doctor") };
    s.rows.n = 0;
    s.units = 900;
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_runs(r, "usage --by key");
    snprintf(line, sizeof line, "%s     seo          crawler      5  0.6 %%     3      1       0\n", id);
    assert_says(r, line);
    assert_says(r, "\n(anchorage)  (anchorage)             900   99 %     0      1       0\ntogether ");
    assert_runs(r, "usage --by client --sort units --format csv");
    assert_non_null(strstr(strstr(r->out.p, "10.1.2.7"), "\n(anchorage),1,"));
    assert_runs(r, "usage --by key --format json");
    assert_says(r, ",\"name\":\"crawler\",\"team\":\"seo\"}");
    assert_says(r, "{\"key\":\"(anchorage)\",");
    snprintf(line, sizeof line, "usage --by day --key %s --format csv", id);
    assert_runs(r, line);
    assert_says(r, "\n2026-11-23,1,0,3,");
    assert_int_equal(room_run(r, "usage --key crawler"), 1);
    snprintf(line, sizeof line, "; did you mean key %s (crawler) of team seo?", id);
    assert_non_null(strstr(r->err.p, line));
    assert_int_equal(room_run(r, "key disable crawler"), 1);
    assert_non_null(strstr(r->err.p, line));
    id[3] = id[3] == '0' ? '1' : '0';
    snprintf(line, sizeof line, "key enable %s", id);
    assert_int_equal(room_run(r, line), 1);
    assert_non_null(strstr(r->err.p, " (crawler) of team seo?"));
}

/* ---- text ---- */

static void text_fits_a_terminal(void **state)
{
    struct room *r = *state;
    static const char *const words[] = { "usage",
                                         "usage --by key",
                                         "usage --by day --per key",
                                         "usage --team seo",
                                         "usage --bill 9999999999999.99",
                                         "usage --top 1" };
    char name[LEDGER_ID_SIZE * 8] = "";
    r->teams[0].rows_per_month = r->teams[0].units_per_month = 9000000000000;
    r->options.units_per_month = 9999999999999;
    ledger_set_limits(r->ledger, &r->options);
    for (int i = 0; i < 16; i++)
        strcat(name, "\xF0\x9F\x98\x80\xD7\x90"); /* 4 bytes and two cells wide, right to left */
    const char *argv[] = { "key", "add", "--team", "seo", "--name", name, "--token", "old-token-of-2014" };
    r->out.n = 0;
    assert_int_equal(ledger_command(r->ledger, 8, argv, S(""), &(int64_t){ 0 }, &r->out, &r->err), 0);
    char id[16];
    snprintf(id, sizeof id, "%.8s", r->out.p);
    struct ledger_call call = call_of("a", "seo");
    struct ledger_settlement s = { .rows = { 1234567890123 }, .units = 2345678901234, .via = "upstream" };
    int outcome;
    call.key = slice_str(id);
    set_clock("2026-11-21T12:00:00Z");
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    spend(r, "2026-11-23T12:00:00Z", "sales", 1, 1);
    hold_now(r, "h", "seo", 1000000000000, 1000000000000);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_runs(r, words[i]);
        for (struct slice rest = buffer_slice(&r->out); rest.n;) {
            struct slice line = slice_split(rest, '\n', &rest);
            if (shown_width(line) > 80 || (line.n && line.p[line.n - 1] == ' '))
                fail_msg("%s: \"%.*s\"", words[i], SLICE_ARGS(line));
        }
        assert_says(r, "2,345,678,901,23");
    }
    assert_runs(r, "usage --wide");
    assert_says(r, "UNITS LEFT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forecast_needs_a_day),
        cmocka_unit_test(a_forecast_takes_the_last_week),
        cmocka_unit_test(a_forecast_knows_no_overflow),
        room_test(limits_last_as_long_as_they_do),
        room_test(units_are_of_the_billing_month),
        room_test(questions_are_narrowed),
        room_test(shapes_are_added_up),
        room_test(keys_have_names),
        room_test(text_fits_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
