/* SPDX-License-Identifier: MIT
 * Old months go: what they summed to stays, the rest verifies, nothing that is open is touched. */
#include "room.h"

#include <event2/event.h>
#include <sqlite3.h>

#include "proxy/ledger/inside.h"
#include "proxy/ledger/store/trim.h"

static void call_at(struct room *r, const char *time, const char *id, const char *team)
{
    set_clock(time);
    assert_int_equal(hold_now(r, id, team, 3, 50), LEDGER_DONE);
    assert_int_equal(settle_now(r, id, team, 2, 40), LEDGER_DONE);
}

/* The notes of the limits are the first entries: they must be as old as the rest. */
static void begin_in_august(struct room *r)
{
    room_close(r);
    nftw(r->directory, room_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    set_clock("2026-08-01T00:00:00Z");
    room_open(r, NULL);
}

/* Three months, a call in each of some hours, one over the edge. */
static void fill(struct room *r)
{
    begin_in_august(r);
    for (int i = 0; i < 300; i++) {
        char time[32], id[24];
        snprintf(time, sizeof time, "2026-%02d-%02dT%02d:30:00Z", 8 + i / 100, 1 + i % 100 / 4, i % 24 / 4 * 4 + i % 4);
        snprintf(id, sizeof id, "call-%d", i);
        call_at(r, time, id, i % 3 ? "sales" : "lab");
    }
    set_clock("2026-10-31T23:59:59Z");
    assert_int_equal(hold_now(r, "edge", "sales", 3, 50), LEDGER_DONE);
    set_clock("2026-11-01T00:00:01Z");
    assert_int_equal(settle_now(r, "edge", "sales", 3, 50), LEDGER_DONE);
    set_clock("2026-11-23T12:00:00Z");
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static void take_first(void *context, const struct trace_row *row)
{
    int64_t *first = context;
    if (row->hour < *first)
        *first = row->hour;
}

/* The first hour in which faults or marks are counted. */
static int64_t first_count(struct room *r)
{
    int64_t first = INT64_MAX;
    struct buffer why = { 0 };
    assert_true(store_traces(r->ledger->store, INT64_MIN, INT64_MAX, take_first, &first, &why));
    return first;
}

/* A daemon that keeps so many months; until the ledger says `words` when it is verified. */
static void run_daemon(struct room *r, int months, const char *words)
{
    room_close(r);
    struct event_base *base = event_base_new();
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    event_add(tick, &(struct timeval){ .tv_usec = 5000 });
    r->options.keep_months = months;
    room_open(r, base);
    int64_t until = clock_monotonic_ms() + 30000;
    bool seen = false;
    while (!seen && clock_monotonic_ms() < until) {
        event_base_loop(base, EVLOOP_ONCE);
        assert_runs(r, "ledger verify");
        seen = strstr(r->out.p, words) && first_count(r) >= store_traces_since(r->ledger->store);
    }
    if (!seen)
        fail_msg("verify never said \"%s\": %s", words, r->out.p);
    room_close(r);
    event_free(tick);
    event_base_free(base);
    r->options.keep_months = 0;
    room_open(r, NULL);
}

/* A CSV without its columns of counts, which are removed with the entries. */
static void cut_counts(char *csv)
{
    enum { COLUMNS = 15 };
    char *to = csv;
    for (int commas = 0; *csv; csv++) {
        commas = *csv == '\n' ? 0 : commas + (*csv == ',');
        if (commas < COLUMNS)
            *to++ = *csv;
    }
    *to = '\0';
}

static void old_months_go_and_their_sums_stay(void **state)
{
    struct room *r = *state;
    char before[16384], days[32768];
    fill(r);
    assert_runs(r, "usage --since 2026-01-01 --format csv");
    snprintf(before, sizeof before, "%s", r->out.p);
    cut_counts(before);
    assert_runs(r, "usage --by day --since 2026-01-01 --format csv");
    snprintf(days, sizeof days, "%s", r->out.p);
    cut_counts(days);

    run_daemon(r, 2, "before them 201 entries were removed");
    assert_runs(r, "usage --since 2026-01-01 --format csv");
    assert_non_null(strstr(r->out.p, "\n(together),301,602,603,0,,,12050,12050,45150,0,0,0,,,,,\n"));
    cut_counts(r->out.p);
    assert_string_equal(r->out.p, before);
    assert_runs(r, "usage --by day --since 2026-01-01 --format csv");
    cut_counts(r->out.p);
    assert_string_equal(r->out.p, days);
    assert_runs(r, "usage --since 2026-09-01 --format csv");
    assert_non_null(strstr(r->out.p, "\n(together),201,402,403,0,,,8050,8050,30150,0,0,0,,,0,201,0\n"));
    assert_runs(r, "ledger export");
    assert_memory_equal(r->out.p, "{\"seq\":202,\"time\":\"2026-09-", 26);
    assert_non_null(strstr(r->err.p, "the entries up to seq 201 were removed"));
    assert_runs(r, "ledger export --since 201");
    assert_non_null(strstr(r->err.p, "the entries up to seq 201 were removed"));
    assert_runs(r, "ledger export --since 2026-08-20");
    assert_non_null(strstr(r->err.p, "removed"));
    assert_runs(r, "ledger export --since 202");
    assert_int_equal(r->err.n, 0);
    assert_runs(r, "usage --by client --since 2026-08-01");
    assert_non_null(strstr(r->err.p, "removed"));
    assert_runs(r, "usage --by client --since 2026-09-01");
    assert_int_equal(r->err.n, 0);

    /* What is counted beside the entries goes with them. */
    int64_t september = hour_of_ms(day_start_ms(day_from_civil((struct civil){ 2026, 9, 1 })));
    assert_in_range(first_count(r), september, september + 24);

    /* The call over the edge of the month loses its hold, not its charge. */
    run_daemon(r, 0, "before them 201 entries were removed");
    set_clock("2026-12-02T00:00:00Z");
    call_at(r, "2026-12-02T00:00:00Z", "later", "seo");
    run_daemon(r, 1, "before them 602 entries were removed");
    assert_runs(r, "ledger export");
    assert_memory_equal(r->out.p, "{\"seq\":603,", 11);
    assert_non_null(strstr(r->out.p, "\"kind\":\"settle\",\"id\":\"edge\""));
}

static void numbers_are_never_used_again(void **state)
{
    struct room *r = *state;
    begin_in_august(r);
    call_at(r, "2026-08-01T00:00:00Z", "a", "lab");
    call_at(r, "2026-08-02T00:00:00Z", "b", "lab");
    set_clock("2026-11-23T12:00:00Z");
    /* The newest entry knows the time, too: with nothing newer than August, August is the running month. */
    run_daemon(r, 1, "good: 5 entries");
    call_at(r, "2026-11-23T12:00:00Z", "c", "lab");
    run_daemon(r, 1, "removed");
    room_close(r);
    room_open(r, NULL);
    assert_runs(r, "ledger verify");
    call_at(r, "2026-11-24T12:00:00Z", "d", "lab");
    assert_runs(r, "ledger export --since 8");
    assert_non_null(strstr(r->out.p, "{\"seq\":8,\"time\":\"2026-11-24"));
    assert_runs(r, "ledger verify");
}

static void nothing_open_is_cut(void **state)
{
    struct room *r = *state;
    begin_in_august(r);
    call_at(r, "2026-08-01T00:00:00Z", "a", "lab");
    assert_int_equal(hold_now(r, "open", "lab", 3, 50), LEDGER_DONE);
    call_at(r, "2026-11-23T12:00:00Z", "b", "lab");
    assert_runs(r, "ledger verify");
    /* While it is open, in the same process: the round is the thread's, so it is played here. */
    struct store *s = store_new(r->directory, false);
    struct buffer why = { 0 };
    room_close(r);
    assert_int_equal(store_open(s, &why), STORE_OPENED);
    struct trim *t = trim_new(s, 1);
    assert_true(trim_some(t, &why));
    assert_int_equal(store_cut(s).seq, 3);
    store_cut_stays(s, true);
    free(t);
    store_free(s);
    buffer_clear(&why);
    room_open(r, NULL);
    assert_runs(r, "ledger verify");
    assert_runs(r, "ledger export");
    assert_non_null(strstr(r->out.p, "\"kind\":\"unknown\",\"id\":\"open\""));
}

static void spoil(struct room *r, const char *sql)
{
    char path[300];
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    room_close(r);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    room_open(r, NULL);
}

static void verify_sees_what_was_changed_behind_the_cut(void **state)
{
    struct room *r = *state;
    fill(r);
    run_daemon(r, 2, "before them 201 entries were removed");
    spoil(r, "UPDATE rollup SET rows = rows + 1 WHERE hour = (SELECT min(hour) FROM rollup WHERE rows > 0)");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "the sums of 2026-08, team"));
    spoil(r, "UPDATE rollup SET rows = rows - 1 WHERE hour = (SELECT min(hour) FROM rollup WHERE rows > 0)");
    assert_runs(r, "ledger verify");
    spoil(r, "UPDATE closed SET units = units - 1");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    spoil(r, "UPDATE closed SET units = units + 1; DELETE FROM entry WHERE seq = 202");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "the entries before it are missing"));
}

static void months_that_stay(void **state)
{
    (void)state;
    int64_t now;
    assert_true(timestamp_parse(S("2026-02-28T10:00:00Z"), &now));
    const char *const expected[] = { "2026-02-01", "2026-01-01", "2025-12-01", "2025-11-01" };
    for (int keep = 0; keep < 4; keep++) {
        char text[11];
        day_format(day_of_ms(trim_until_ms(now * 1000, keep)), text);
        assert_string_equal(text, expected[keep]);
    }
    assert_int_equal(trim_until_ms(now * 1000, 1200), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(old_months_go_and_their_sums_stay),
        room_test(numbers_are_never_used_again),
        room_test(nothing_open_is_cut),
        room_test(verify_sees_what_was_changed_behind_the_cut),
        cmocka_unit_test(months_that_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
