/* SPDX-License-Identifier: MIT
 * Commands: keys, usage, export, verify, backup. */
#include "room.h"

#include <sqlite3.h>
#include <sys/stat.h>

static const char token[] = "old-token-of-2014";

static const struct ledger_key *key_of(struct room *r, const char *text)
{
    return ledger_key_of_token(r->ledger, slice_str(text));
}

static void a_key_is_added_with_its_token(void **state)
{
    struct room *r = *state;
    assert_runs(r, "key add --team seo --name crawler --token old-token-of-2014");
    char id[16];
    snprintf(id, sizeof id, "%.8s", r->out.p);
    assert_int_equal(r->out.n, 9);
    const struct ledger_key *key = key_of(r, token);
    assert_non_null(key);
    assert_true(slice_eq(key->id, slice_str(id)));
    assert_true(slice_eq(key->team, S("seo")));
    assert_true(slice_eq(key->name, S("crawler")));
    assert_false(key->disabled);
    assert_null(key_of(r, "old-token-of-2015"));
    assert_null(key_of(r, ""));
    /* The same again is no error and the same key; to another team it is one. */
    assert_runs(r, "key add --team seo --name crawler --token old-token-of-2014");
    assert_memory_equal(r->out.p, id, 8);
    assert_int_equal(room_run(r, "key add --team sales --name crawler --token old-token-of-2014"), 1);
    assert_non_null(strstr(r->err.p, "of team \"seo\" already"));
    assert_int_equal(room_run(r, "key add --team seo --name other --token old-token-of-2014"), 1);
    room_close(r);
    room_open(r, NULL);
    assert_non_null(key_of(r, token));
}

static void a_token_comes_from_the_input(void **state)
{
    struct room *r = *state;
    assert_int_equal(room_run_input(r, "key add --team seo --token -", S("abc\n")), 0);
    assert_non_null(key_of(r, "abc"));
    assert_int_equal(room_run_input(r, "key add --team seo --token-file /some/where", S("def\r\n")), 0);
    assert_non_null(key_of(r, "def"));
    assert_int_equal(room_run_input(r, "key add --team seo --token -", S("\n")), 1);
    assert_int_equal(room_run_input(r, "key add --team seo --token -", S("a b")), 1);
}

static void a_made_token_is_shown_once_and_never_stored(void **state)
{
    struct room *r = *state;
    assert_runs(r, "key add --team seo");
    char made[41];
    assert_int_equal(sscanf(strchr(r->out.p, '\n'), "\ntoken: %40[a-z0-9] (shown", made), 1);
    assert_int_equal(strlen(made), 40);
    assert_non_null(key_of(r, made));
    assert_runs(r, "key list");
    assert_null(strstr(r->out.p, made));
    room_close(r);
    char path[320];
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    FILE *f = fopen(path, "rb");
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n > 4096);
    assert_null(memmem(bytes, n, made, 40));
    room_open(r, NULL);
}

static void keys_are_disabled_assigned_and_rotated(void **state)
{
    struct room *r = *state;
    char id[16], line[64], made[41];
    assert_runs(r, "key add --team seo --token old-token-of-2014");
    snprintf(id, sizeof id, "%.8s", r->out.p);
    snprintf(line, sizeof line, "key disable %s", id);
    assert_runs(r, line);
    assert_true(key_of(r, token)->disabled);
    assert_runs(r, line);
    snprintf(line, sizeof line, "key enable %s", id);
    assert_runs(r, line);
    assert_false(key_of(r, token)->disabled);
    snprintf(line, sizeof line, "key assign %s sales", id);
    assert_runs(r, line);
    assert_true(slice_eq(key_of(r, token)->team, S("sales")));
    snprintf(line, sizeof line, "key assign %s nobody", id);
    assert_int_equal(room_run(r, line), 1);
    assert_string_equal(r->err.p, "anchorage key assign: no team \"nobody\" is configured; configured: seo, sales\n");
    snprintf(line, sizeof line, "key rotate %s", id);
    assert_runs(r, line);
    assert_int_equal(sscanf(strchr(r->out.p, '\n'), "\ntoken: %40[a-z0-9]", made), 1);
    assert_null(key_of(r, token));
    assert_true(slice_eq(key_of(r, made)->id, slice_str(id)));
    assert_int_equal(room_run(r, "key disable zzzzzzzz"), 1);
    assert_runs(r, "ledger export");
    static const char *const words[] = { "key.add", "key.disable", "key.enable", "key.assign", "key.rotate" };
    const char *at = r->out.p;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        at = strstr(at, words[i]);
        assert_non_null(at);
    }
    assert_non_null(strstr(r->out.p, "\"table\":\"key.assign\",\"target\":\"seo\""));
    assert_null(strstr(r->out.p, made));
}

static void the_list_reads_well(void **state)
{
    struct room *r = *state;
    assert_runs(r, "key list");
    assert_string_equal(r->out.p, "id        team  name  state     created               last_used\n");
    assert_runs(r, "key add --team seo --name crawler --token a");
    char expected[400];
    snprintf(expected, sizeof expected,
             "id        team  name     state     created               last_used\n"
             "%.8s  seo   crawler  enabled   2026-11-23T12:00:00Z  never\n",
             r->out.p);
    assert_runs(r, "key list");
    assert_string_equal(r->out.p, expected);
    expected[8 + strlen("id        team  name     state     created               last_used\n")] = '\0';
    char json[400];
    snprintf(json, sizeof json,
             "{\"items\":[{\"key\":\"%s\",\"team\":\"seo\",\"name\":\"crawler\",\"state\":\"enabled\","
             "\"created\":\"2026-11-23T12:00:00Z\",\"last_used\":null}]}\n",
             expected + strlen("id        team  name     state     created               last_used\n"));
    assert_runs(r, "key list --format json");
    assert_string_equal(r->out.p, json);
    assert_runs(r, "key list --format csv");
    assert_non_null(strstr(r->out.p, ",seo,crawler,enabled,2026-11-23T12:00:00Z,\n"));
    assert_runs(r, "key list --unknown --format json");
    assert_string_equal(r->out.p, "{\"items\":[]}\n");
    assert_runs(r, "key list --unknown");
    assert_null(strstr(r->out.p, "crawler"));
}

static void a_list_of_keys_is_imported(void **state)
{
    struct room *r = *state;
    struct slice csv = S("\xEF\xBB\xBFname,token,team\r\n\"a, b\",\"t\"\"1\",seo\r\n\r\n,t2,sales\r\n,t2,sales\r\n");
    assert_int_equal(room_run_input(r, "key import --dry-run -", csv), 0);
    assert_string_equal(r->out.p, "would add 2, already there 1\n");
    assert_null(key_of(r, "t2"));
    assert_int_equal(room_run_input(r, "key import keys.csv", csv), 0);
    assert_string_equal(r->out.p, "added 2, already there 1\n");
    assert_true(slice_eq(key_of(r, "t\"1")->name, S("a, b")));
    assert_true(slice_eq(key_of(r, "t2")->team, S("sales")));
    assert_int_equal(room_run_input(r, "key import -", csv), 0);
    assert_string_equal(r->out.p, "added 0, already there 3\n");
    /* Without a header the order is team,name,token; the last line needs no end. */
    assert_int_equal(room_run_input(r, "key import -", S("seo,n,t3")), 0);
    assert_non_null(key_of(r, "t3"));
}

static void an_import_is_all_or_nothing(void **state)
{
    struct room *r = *state;
    assert_int_equal(room_run_input(r, "key import -",
                                    S("team,name,token\nseo,good,g1\nnobody,x,g2\nseo,two\nseo,\"open,g3\nseo,y,\n")),
                     1);
    assert_string_equal(r->err.p,
                        "anchorage key import: standard input:3: no team \"nobody\" is configured; configured: seo, "
                        "sales (column 1, team)\n"
                        "anchorage key import: standard input:4: a line has three fields with commas between them, "
                        "team,name,token; this one has 2\n"
                        "anchorage key import: standard input:5: a quote that is not closed (column 2, name)\n"
                        "anchorage key import: nothing was imported\n");
    assert_null(key_of(r, "g1"));
    assert_int_equal(room_run_input(r, "key import -", S("seo,a,g1\nsales,a,g1\n")), 1);
    assert_non_null(strstr(r->err.p, ":2: this token is key (of a line above) of team \"seo\" already"));
    assert_int_equal(room_run_input(r, "key import -", S("seo,a,\n")), 1);
    assert_non_null(strstr(r->err.p, ":1: the token is empty (column 3, token)"));
    assert_int_equal(room_run_input(r, "key import -", S("seo,\"a\"b,t\n")), 1);
    assert_non_null(strstr(r->err.p, ":1: text after a closing quote (column 2, name)"));
}

static void thousands_are_imported_at_once(void **state)
{
    struct room *r = *state;
    struct buffer csv = { 0 };
    for (int i = 0; i < 5000; i++)
        buffer_printf(&csv, "seo,key %d,token-%d\n", i, i);
    assert_int_equal(room_run_input(r, "key import -", buffer_slice(&csv)), 0);
    assert_string_equal(r->out.p, "added 5000, already there 0\n");
    buffer_clear(&csv);
    assert_true(slice_eq(key_of(r, "token-4999")->name, S("key 4999")));
    assert_runs(r, "ledger verify");
}

static void the_command_line_is_checked(void **state)
{
    struct room *r = *state;
    static const char *const wrong[] = {
        "key",
        "key shrink",
        "key add",
        "key add --team",
        "key add --team seo --team seo",
        "key add --tea seo",
        "key disable",
        "key disable a b",
        "key list --unknown=1",
        "key list --format xml",
        "usage --by moon",
        "usage --since tomorrow",
        "usage --since 1w",
        "usage --since 99999d",
        "usage --per day",
        "usage --per team",
        "usage --by key --per key",
        "usage --by faults",
        "usage --sort moon",
        "usage --top 0",
        "usage --top 1x",
        "usage --wide=1",
        "usage --warn 80",
        "usage --warn 0%",
        "usage --warn %",
        "usage --month 2026-13",
        "usage --month 2026-11 --since 2026-11-01",
        "usage --since 2026-11-02 --until 2026-11-02",
        "usage --format xml",
        "usage --split rows",
        "usage --bill 1,5",
        "usage --bill 1.234",
        "usage --warn much",
        "ledger",
        "ledger export --since x",
        "ledger export --format xml",
        "ledger backup",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (room_run(r, wrong[i]) != 2 || !strstr(r->err.p, "\nsee anchorage ") || r->out.n)
            fail_msg("%s: %s", wrong[i], r->err.p);
    }
    static const char *const help[] = { "key --help", "key add --help", "usage --help", "ledger export --help" };
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++) {
        assert_runs(r, help[i]);
        assert_non_null(strstr(r->out.p, "usage: anchorage "));
    }
    /* Without books there is still help. */
    r->out.n = r->err.n = 0;
    assert_int_equal(
        ledger_command(NULL, 2, (const char *[]){ "usage", "--help" }, S(""), &(int64_t){ 0 }, &r->out, &r->err), 0);
    assert_int_equal(ledger_command(NULL, 1, (const char *[]){ "usage" }, S(""), &(int64_t){ 0 }, &r->out, &r->err), 1);
}

/* ---- usage ---- */

static void three_calls(struct room *r)
{
    hold_now(r, "a", "seo", 8, 150);
    settle_now(r, "a", "seo", 8, 150);
    hold_now(r, "b", "seo", 8, 150);
    unknown_now(r, "b", "seo", 120);
    hold_now(r, "c", "sales", 8, 150);
    settle_now(r, "c", "sales", 3, -1);
    hold_now(r, "d", "seo", 5, 10);
}

static void usage_is_exact(void **state)
{
    struct room *r = *state;
    three_calls(r);
    assert_runs(r, "usage --format json");
    assert_string_equal(
        r->out.p,
        "{\"by\":\"team\",\"since\":\"2026-11-01\",\"until\":\"2026-12-01\",\"items\":["
        "{\"team\":\"sales\",\"calls\":1,\"results\":2,\"rows\":3,\"rows_held\":0,\"rows_limit\":null,"
        "\"rows_left\":null,\"units\":150,\"units_predicted\":150,\"units_alone\":150,\"units_unknown\":150,"
        "\"faults\":0,\"units_held\":0,\"units_limit\":null,\"units_left\":null,\"refused\":0,"
        "\"approximate\":1,\"approximate_rows\":0},"
        "{\"team\":\"seo\",\"calls\":2,\"results\":2,\"rows\":8,\"rows_held\":5,\"rows_limit\":100,\"rows_left\":87,"
        "\"units\":270,\"units_predicted\":270,\"units_alone\":150,\"units_unknown\":120,\"faults\":1,"
        "\"units_held\":10,\"units_limit\":1000,\"units_left\":720,\"refused\":0,"
        "\"approximate\":1,\"approximate_rows\":0}],"
        "\"others\":0,\"total\":{\"calls\":3,\"results\":4,\"rows\":11,\"rows_held\":5,\"rows_limit\":null,\"rows_"
        "left\":null,"
        "\"units\":420,\"units_predicted\":420,\"units_alone\":300,\"units_unknown\":270,\"faults\":1,"
        "\"units_held\":10,\"units_limit\":null,\"units_left\":null,\"refused\":0,"
        "\"approximate\":2,\"approximate_rows\":0},"
        "\"whole\":{\"units\":420,\"units_held\":10,\"units_limit\":null,\"units_left\":null,"
        "\"since\":\"2026-11-01\",\"until\":\"2026-12-01\",\"forecast\":null},"
        "\"limits\":[{\"team\":\"seo\",\"what\":\"units\",\"used\":270,\"held\":10,\"limit\":1000,\"left\":720,"
        "\"until\":\"2026-12-01\",\"forecast\":null},"
        "{\"team\":\"seo\",\"what\":\"rows\",\"used\":8,\"held\":5,\"limit\":100,\"left\":87,"
        "\"until\":\"2026-12-01\",\"forecast\":null}]}\n");
    assert_runs(r, "usage --by target --format csv");
    assert_string_equal(r->out.p, "target,calls,results,rows,rows_held,rows_limit,rows_left,units,units_predicted,"
                                  "units_alone,units_unknown,faults,units_held,units_limit,units_left,refused,"
                                  "approximate,approximate_rows\n"
                                  "example.com,3,4,11,5,,,420,420,300,270,1,10,,,,2,0\n"
                                  "(together),3,4,11,5,,,420,420,300,270,1,10,,,,2,0\n");
    static const char *const same[] = { "client", "day", "hour", "table" };
    static const char *const names[] = { "10.1.2.7", "2026-11-23", "2026-11-23T12:00:00Z", "anchors" };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        char line[64], expected[128];
        snprintf(line, sizeof line, "usage --by %s --format csv", same[i]);
        snprintf(expected, sizeof expected, "\n%s,3,4,11,5,,,420,420,300,270,1,10,,,%s,2,0\n(together)", names[i],
                 i ? "0" : "");
        assert_runs(r, line);
        assert_non_null(strstr(r->out.p, expected));
    }
    assert_runs(r, "usage --by key --format csv");
    assert_non_null(strstr(r->out.p, ",approximate_rows,name,team\nkey1,3,4,11,5,,,420,420,300,270,1,10,,,0,2,0,,\n"));
    assert_runs(r, "usage --by client --until 2026-11-23 --format csv");
    assert_null(strstr(r->out.p, "10.1.2.7"));
    assert_runs(r, "usage --by day --since 2026-11-23 --until 2026-11-24 --format csv");
    assert_non_null(strstr(r->out.p, "2026-11-23,3"));
    assert_runs(r, "usage --month 2026-10 --format csv");
    assert_non_null(strstr(r->out.p, "\nseo,0,0,0,0,,,0,0,0,0,0,0,,,0,0,0\n"));
}

static void a_bill_is_split(void **state)
{
    struct room *r = *state;
    three_calls(r);
    assert_runs(r, "usage --format csv --bill 100 --split rows");
    assert_non_null(strstr(r->out.p, ",0,27.27,0,,,0,1,0\nseo"));
    assert_non_null(strstr(r->out.p, ",1,72.73,10,"));
    assert_non_null(strstr(r->out.p, "\n(together),3,4,11,5,,,420,420,300,270,1,100.00,10,,,0,2,0\n"));
    assert_runs(r, "usage --format json --bill 0.01");
    assert_non_null(strstr(r->out.p, "\"bill\":0.01,"));
    assert_int_equal(room_run(r, "usage --bill 5 --month 2026-10"), 1);
}

static void a_warning_names_who_is_past(void **state)
{
    struct room *r = *state;
    three_calls(r);
    assert_runs(r, "usage --warn 80%");
    assert_int_equal(r->out.n + r->err.n, 0);
    assert_int_equal(room_run(r, "usage --warn 27%"), 1);
    assert_string_equal(r->err.p, "anchorage usage: seo has used 270 of 1000 units (27%)\n");
    r->options.units_per_month = 420;
    ledger_set_limits(r->ledger, &r->options);
    assert_int_equal(room_run(r, "usage --warn 80%"), 1);
    assert_string_equal(r->err.p, "anchorage usage: the whole has used 420 of 420 units (100%)\n");
}

/* ---- the books as a whole ---- */

static int export_from(struct room *r, const char *format, int64_t *at)
{
    const char *words[] = { "ledger", "export", "--format", format };
    r->out.n = 0;
    return ledger_command(r->ledger, 4, words, S(""), at, &r->out, &r->err);
}

/* However long it is, it is said in portions that both ends can hold. */
static void a_long_export_comes_in_portions(void **state)
{
    struct room *r = *state;
    enum { CALLS = 2500, ENTRIES = 1 + 2 * CALLS }; /* the first notes the limits */
    char id[LEDGER_ID_SIZE];
    room_close(r);
    r->options.relaxed = true; /* quick */
    room_open(r, NULL);
    for (int i = 0; i < CALLS; i++) {
        snprintf(id, sizeof id, "call%d", i);
        assert_int_equal(hold_now(r, id, "sales", 1, 1), LEDGER_DONE);
        assert_int_equal(settle_now(r, id, "sales", 1, 1), LEDGER_DONE);
    }
    int64_t at = 0;
    int portions = 0, seq = 0;
    do {
        assert_int_equal(export_from(r, "jsonl", &at), 0);
        assert_in_range(r->out.n, 1, 2 << 20);
        portions++;
        for (struct slice rest = buffer_slice(&r->out); rest.n;) {
            char begin[32];
            int n = snprintf(begin, sizeof begin, "{\"seq\":%d,", ++seq);
            struct slice line = slice_split(rest, '\n', &rest);
            assert_true(slice_starts(line, slice_of(begin, (size_t)n)));
        }
    } while (at);
    assert_in_range(portions, 2, 10);
    assert_int_equal(seq, ENTRIES);
    assert_int_equal(export_from(r, "csv", &at), 0);
    assert_true(slice_starts(buffer_slice(&r->out), S("seq,")));
    at = ENTRIES;
    assert_int_equal(export_from(r, "csv", &at), 0);
    assert_true(slice_starts(buffer_slice(&r->out), S("5001,")));
    assert_int_equal(at, 0);
}

static void the_export_is_exact(void **state)
{
    struct room *r = *state;
    static const char id[] = "0123456789abcdefghjkmnpqrs";
    struct ledger_call call = call_of(id, "sales");
    struct ledger_settlement s = { .rows = { 8 },
                                   .units = 0,
                                   .units_predicted = 0,
                                   .units_alone = 150,
                                   .results = 2,
                                   .via = "shared",
                                   .paid_by = S("7zzzzzzzzzzzzzzzzzzzzzzzzz"),
                                   .fault = S("upstream_odd"),
                                   .duration_ms = 412 };
    assert_runs(r, "ledger export --since 2026-11-23");
    assert_non_null(strstr(r->out.p, "{\"seq\":1,\"time\":\"2026-11-23T12:00:00."));
    assert_non_null(strstr(r->out.p, "\"kind\":\"note\""));
    assert_non_null(strstr(r->out.p,
                           "\"team\":\"seo\",\"key\":null,\"client\":null,\"table\":\"limits\",\"target\":null,"
                           "\"shape\":null,\"rows\":100,\"units\":1000,"));
    set_clock("2026-11-24T08:00:00Z");
    int outcome;
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_runs(r, "ledger export --since 2026-11-24");
    /* The milliseconds are the test's own. */
    memcpy(strstr(r->out.p, ":00.") + 4, "000", 3);
    assert_string_equal(r->out.p,
                        "{\"seq\":2,\"time\":\"2026-11-24T08:00:00.000Z\",\"kind\":\"settle\","
                        "\"id\":\"0123456789abcdefghjkmnpqrs\",\"ref\":null,\"team\":\"sales\",\"key\":\"key1\","
                        "\"client\":\"10.1.2.7\",\"table\":\"anchors\",\"target\":\"example.com\","
                        "\"shape\":\"8284fcbad678\",\"rows\":8,\"units\":0,\"units_predicted\":0,\"units_alone\":150,"
                        "\"via\":\"shared\",\"paid_by\":\"7zzzzzzzzzzzzzzzzzzzzzzzzz\",\"results\":2,\"where\":true,"
                        "\"having\":false,\"approximate\":[],\"fault\":\"upstream_odd\",\"duration_ms\":412}\n");
    assert_runs(r, "ledger export --since 2 --format csv");
    assert_non_null(strstr(r->out.p, "duration_ms\n2,2026-11-24T08:00:00."));
    assert_non_null(strstr(r->out.p, ",settle,0123456789abcdefghjkmnpqrs,,sales,key1,10.1.2.7,anchors,example.com,"
                                     "8284fcbad678,8,0,0,150,shared,7zzzzzzzzzzzzzzzzzzzzzzzzz,2,true,false,,"
                                     "upstream_odd,412\n"));
    assert_runs(r, "ledger export --since 3");
    assert_int_equal(r->out.n, 0);
}

static void tamper(struct room *r, const char *sql)
{
    char path[320];
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    room_close(r);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
    room_open(r, NULL);
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

/* 20 000 targets with two calls each, far from each other; every twentieth is dear. */
static void the_dearest_of_very_many_targets(void **state)
{
    struct room *r = *state;
    hold_now(r, "a", "seo", 8, 150);
    settle_now(r, "a", "seo", 8, 150);
    assert_runs(r, "usage --by target --format csv");
    assert_null(strstr(r->out.p, "others"));
    tamper(
        r,
        "INSERT INTO entry WITH RECURSIVE number(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i < 39999)"
        " SELECT (SELECT MAX(seq) + 1 FROM entry) + i, time, kind, id, ref, team, key, client, tbl,"
        " 't' || (i % 20000), shape, 1, iif(i % 20 = 0, 500, 1), units_predicted, units_alone, results, via, paid_by,"
        " flags, approximate, fault, duration_ms, sum FROM number JOIN entry WHERE entry.kind = 2;"
        "UPDATE rollup SET last_seq = (SELECT MAX(seq) FROM entry)");
    assert_runs(r, "usage --by target --format csv");
    assert_int_equal(count_of(r->out.p, "\n"), 1 + 1000 + 2);
    assert_non_null(strstr(r->out.p, "\nt40,2,4,2,0,,,1000,"));
    assert_non_null(strstr(r->out.p, "\nt19980,2,4,2,0,,,1000,"));
    assert_null(strstr(r->out.p, "\nt41,"));
    assert_non_null(strstr(r->out.p, "\nothers,38001,76002,38008,0,,,38150,"));
    assert_true(strstr(r->out.p, "\nothers,") > strstr(r->out.p, "\nt9980,"));
    assert_runs(r, "usage --by client --format csv");
    assert_non_null(strstr(r->out.p, "\n10.1.2.7,40001,80002,40008,0,,,1038150,"));
}

static void verify_sees_what_was_changed(void **state)
{
    struct room *r = *state;
    three_calls(r);
    assert_runs(r, "ledger verify");
    assert_memory_equal(r->out.p, "good: 8 entries, 3 calls ended, 1 open; sum ", 44);
    /* An entry made cheaper, its sum with it: the roll-up changed to agree. The open hold ends when it is reopened. */
    tamper(r, "DROP TRIGGER entry_stays; UPDATE entry SET rows = 1 WHERE seq = 3;"
              "UPDATE rollup SET rows = rows - 7 WHERE rows = 8");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "seq 3: this entry, or the one before it, is not as it was written"));
    assert_null(strstr(r->err.p, "seq 4"));
    tamper(r, "UPDATE entry SET rows = 8 WHERE seq = 3; UPDATE rollup SET rows = rows + 7 WHERE rows = 1");
    assert_runs(r, "ledger verify");
    tamper(r, "UPDATE rollup SET units = units + 1 WHERE units > 0");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "does not agree with the entries"));
    tamper(r, "UPDATE rollup SET units = units - 1 WHERE units > 0; DELETE FROM entry WHERE seq = 2");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "seq 3: the entries before it are missing"));
}

static void a_backup_is_a_ledger(void **state)
{
    struct room *r = *state;
    three_calls(r);
    char line[400], path[320];
    snprintf(path, sizeof path, "%s/copy", r->directory);
    mkdir(path, 0700);
    snprintf(line, sizeof line, "ledger backup %s/ledger.db", path);
    assert_runs(r, line);
    assert_int_equal(room_run(r, line), 1);
    assert_non_null(strstr(r->err.p, "File exists"));
    struct room copy = *r;
    copy.ledger = NULL;
    copy.out = copy.err = (struct buffer){ 0 };
    strcat(copy.directory, "/copy");
    copy.options.state_directory = copy.directory;
    room_open(&copy, NULL);
    assert_runs(&copy, "ledger verify");
    assert_int_equal(ledger_left(copy.ledger, S("seo")).units_left, 720);
    room_close(&copy);
    buffer_clear(&copy.out);
    buffer_clear(&copy.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(a_key_is_added_with_its_token),
        room_test(a_token_comes_from_the_input),
        room_test(a_made_token_is_shown_once_and_never_stored),
        room_test(keys_are_disabled_assigned_and_rotated),
        room_test(the_list_reads_well),
        room_test(a_list_of_keys_is_imported),
        room_test(an_import_is_all_or_nothing),
        room_test(thousands_are_imported_at_once),
        room_test(the_command_line_is_checked),
        room_test(usage_is_exact),
        room_test(a_bill_is_split),
        room_test(a_warning_names_who_is_past),
        room_test(the_export_is_exact),
        room_test(a_long_export_comes_in_portions),
        room_test(the_dearest_of_very_many_targets),
        room_test(verify_sees_what_was_changed),
        room_test(a_backup_is_a_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
