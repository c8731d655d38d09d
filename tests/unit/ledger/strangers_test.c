/* SPDX-License-Identifier: MIT
 * Strangers: how they are named, listed, bounded, kept and forgotten. */
#include "room.h"

#include <event2/event.h>
#include <pthread.h>
#include <sqlite3.h>

#include "proxy/ledger/inside.h"
#include "proxy/ledger/store/schema.h"
#include "proxy/ledger/store/strangers.h"

static void see(struct room *r, const char *token, const char *client, const char *agent, const char *table)
{
    ledger_saw_stranger(r->ledger, &(struct ledger_stranger){ .token = slice_str(token),
                                                              .client = slice_str(client),
                                                              .agent = slice_str(agent),
                                                              .table = slice_str(table) });
}

/* Lines of the list without its first. */
static int lines_of(struct room *r)
{
    assert_runs(r, "key list --unknown --format csv");
    int n = -1;
    for (size_t i = 0; i < r->out.n; i++)
        n += r->out.p[i] == '\n';
    return n;
}

static bool lists(struct room *r, const char *text)
{
    lines_of(r);
    return strstr(r->out.p, text);
}

static int64_t number_on_disk(struct room *r, const char *sql)
{
    char path[320];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void the_list_reads_well(void **state)
{
    struct room *r = *state;
    assert_runs(r, "key list --unknown");
    assert_string_equal(r->out.p, "key          state    calls          first_seen            last_seen\n"
                                  "  client  tables  user_agent\n");
    set_clock("2026-11-23T12:00:00Z"); /* it goes on, and opening the books takes its time */
    see(r, "abc", "10.1.2.7", "curl/8", "anchors");
    set_clock("2026-11-23T13:00:00Z");
    see(r, "abc", "10.1.2.7", "old program/1.0 \x1b[31m\xC3\xA9", "backlinks");
    see(r, "abc", "10.1.2.7", "", "anchors");
    see(r, "abc", "10.1.2.8", "", "");
    ledger_saw_stranger(r->ledger, &(struct ledger_stranger){ .token = S("abc"),
                                                              .client = S("10.1.2.7"),
                                                              .agent = S("old program/1.0 \x1b[31m\xC3\xA9"),
                                                              .metered = true });
    assert_runs(r, "key list --unknown");
    assert_string_equal(r->out.p, "key          state    calls          first_seen            last_seen\n"
                                  "  client    tables             user_agent\n"
                                  "?ba7816bf8f  metered  4              2026-11-23T12:00:00Z  2026-11-23T13:00:00Z\n"
                                  "  10.1.2.7  anchors,backlinks  old program/1.0 ?[31m??\n"
                                  "?ba7816bf8f  refused  1              2026-11-23T13:00:00Z  2026-11-23T13:00:00Z\n"
                                  "  10.1.2.8  -                  -\n");
    assert_runs(r, "key list --unknown --format csv");
    assert_string_equal(r->out.p, "key,state,calls,first_seen,last_seen,client,tables,user_agent\n"
                                  "?ba7816bf8f,metered,4,2026-11-23T12:00:00Z,2026-11-23T13:00:00Z,10.1.2.7,"
                                  "\"anchors,backlinks\",old program/1.0 ?[31m??\n"
                                  "?ba7816bf8f,refused,1,2026-11-23T13:00:00Z,2026-11-23T13:00:00Z,10.1.2.8,,\n");
    assert_runs(r, "key list --unknown --format json");
    assert_non_null(strstr(r->out.p, "\"client\":\"10.1.2.8\",\"tables\":null,\"user_agent\":null}]}\n"));
}

static void hostile_texts_are_cut(void **state)
{
    struct room *r = *state;
    char agent[8192], table[4096], client[300];
    memset(agent, 'a', sizeof agent - 1);
    memset(table, 't', sizeof table - 1);
    memset(client, '1', sizeof client - 1);
    agent[sizeof agent - 1] = table[sizeof table - 1] = client[sizeof client - 1] = '\0';
    see(r, "abc", client, agent, table);
    for (int i = 0; i < 100; i++) {
        char other[16];
        snprintf(other, sizeof other, "t%d,\n", i);
        see(r, "abc", client, agent, other);
    }
    assert_int_equal(lines_of(r), 1);
    assert_in_range(r->out.n, 350, 650);
    assert_non_null(strstr(r->out.p, "tttttttttttttttttttttttt,t0??,t1??,"));
    assert_non_null(strstr(r->out.p, "aaa...\n"));
    assert_runs(r, "key list --unknown");
    assert_in_range(r->out.n, 200, 400);
    assert_null(memchr(r->out.p, '\x1b', r->out.n));
}

static void an_address_cannot_push_all_others_out(void **state)
{
    struct room *r = *state;
    char token[32], client[32];
    see(r, "old program", "10.1.2.7", "", "anchors");
    for (int i = 0; i < 5000; i++) {
        snprintf(token, sizeof token, "flood %d", i);
        see(r, token, "10.9.9.9", "", "");
    }
    assert_int_equal(lines_of(r), 1 + STRANGERS_OF_ADDRESS);
    assert_true(lists(r, "10.1.2.7"));
    /* From everywhere at once the list is full, and the one seen longest ago leaves. */
    for (int i = 0; i < STRANGERS - 1 - STRANGERS_OF_ADDRESS; i++) {
        snprintf(client, sizeof client, "10.2.%d.%d", i / 256, i % 256);
        see(r, "flood", client, "", "");
    }
    assert_int_equal(lines_of(r), STRANGERS);
    assert_true(lists(r, ",10.1.2.7,"));
    see(r, "flood", "10.3.0.1", "", "");
    assert_int_equal(lines_of(r), STRANGERS);
    assert_false(lists(r, ",10.1.2.7,"));
    assert_true(lists(r, ",10.3.0.1,"));
    for (int i = 0; i < 5000; i++) {
        snprintf(client, sizeof client, "10.4.%d.%d", i / 256, i % 256);
        see(r, "flood", client, "", "");
    }
    assert_int_equal(lines_of(r), STRANGERS);
    assert_false(lists(r, ",10.3.0.1,"));
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT count(*) FROM stranger"), STRANGERS);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), STRANGERS);
}

static void they_are_kept_over_a_restart(void **state)
{
    struct room *r = *state;
    see(r, "abc", "10.1.2.7", "curl/8", "anchors");
    set_clock("2026-11-23T13:00:00Z");
    see(r, "def", "unix", "", "");
    lines_of(r);
    char *before = strdup(r->out.p);
    room_close(r);
    room_open(r, NULL);
    lines_of(r);
    assert_string_equal(r->out.p, before);
    free(before);
    see(r, "abc", "10.1.2.7", "curl/8", "anchors");
    assert_true(lists(r, "refused,2,2026-11-23T12:00:00Z,2026-11-23T13:00:00Z,10.1.2.7,anchors"));
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT sum(calls) FROM stranger"), 3);
    room_open(r, NULL);
}

static void who_gets_a_key_is_no_stranger(void **state)
{
    struct room *r = *state;
    see(r, "abc", "10.1.2.7", "", "");
    see(r, "abc", "10.1.2.8", "", "");
    see(r, "def", "10.1.2.7", "", "");
    see(r, "ghi", "10.1.2.7", "", "");
    room_close(r);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 4);
    assert_runs(r, "key add --team * --token abc");
    assert_int_equal(lines_of(r), 2);
    assert_int_equal(room_run_input(r, "key import -", S("*,,def\nseo,,xyz\n")), 0);
    assert_int_equal(lines_of(r), 1);
    assert_true(lists(r, "10.1.2.7"));
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT count(*) FROM stranger"), 1);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 1);
    /* Its place is free for another, its old token is a stranger's again once it is rotated. */
    see(r, "jkl", "10.1.2.7", "", "");
    see(r, "mno", "10.1.2.7", "", "");
    assert_int_equal(lines_of(r), 3);
    assert_true(slice_eq(ledger_key_of_token(r->ledger, S("abc"))->team, S("*")));
}

/* What was written while its key was being made leaves at the next start. */
static void a_stranger_with_a_key_is_not_read(void **state)
{
    struct room *r = *state;
    assert_runs(r, "key add --team seo --token abc");
    see(r, "abc", "10.1.2.7", "", "");
    assert_int_equal(lines_of(r), 0);
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT count(*) FROM stranger"), 1);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 0);
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT count(*) FROM stranger"), 0);
    room_open(r, NULL);
}

static void what_cannot_be_written_is_written_later(void **state)
{
    struct room *r = *state;
    struct buffer why = { 0 };
    struct strangers *all = strangers_new();
    struct store *closed = store_new(r->directory, false);
    assert_false(strangers_changed(all));
    strangers_see(all, &(struct digest){ { 1 } }, &(struct ledger_stranger){ .client = S("10.1.2.7") }, 1000);
    assert_true(strangers_changed(all));
    assert_false(strangers_write(all, closed, &why));
    assert_true(strangers_changed(all));
    room_close(r);
    assert_int_equal(store_open(closed, &why), STORE_OPENED);
    assert_true(strangers_write(all, closed, &why));
    assert_false(strangers_changed(all));
    store_free(closed);
    strangers_free(all);
    buffer_clear(&why);
    assert_int_equal(number_on_disk(r, "SELECT count(*) FROM stranger"), 1);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 1);
}

static void count_shown(void *context, const struct stranger_row *stranger)
{
    *(size_t *)context += stranger->client.n;
}

static void *show_again_and_again(void *context)
{
    size_t bytes = 0;
    for (int i = 0; i < 200; i++)
        assert_true(strangers_show(context, count_shown, &bytes));
    return NULL;
}

/* What is shown on another thread stays whole while calls come: for ThreadSanitizer, which finds any other order. */
static void is_shown_while_calls_come(void **state)
{
    struct strangers *all = strangers_new();
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, show_again_and_again, all), 0);
    for (uint8_t i = 0; i < 250; i++)
        for (int k = 0; k < 8; k++)
            strangers_see(all, &(struct digest){ { i } }, &(struct ledger_stranger){ .client = S("10.1.2.7") },
                          1000 + k);
    pthread_join(thread, NULL);
    strangers_free(all);
}

static bool is_due(struct room *r)
{
    return event_pending(r->ledger->strangers_due, EV_TIMEOUT, NULL);
}

/* The loop only counts; a minute after the first of them a thread writes all that came. */
static void a_daemon_writes_them_once_a_minute(void **state)
{
    struct room *r = *state;
    struct event_base *base = event_base_new();
    room_close(r);
    room_open(r, base);
    assert_false(is_due(r));
    for (int i = 0; i < 1000; i++)
        see(r, "abc", "10.1.2.7", "", "");
    assert_true(is_due(r));
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_true(strangers_changed(r->ledger->strangers));
    assert_null(r->ledger->jobs);
    event_active(r->ledger->strangers_due, EV_TIMEOUT, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_del(r->ledger->strangers_due);
    while (r->ledger->jobs)
        event_base_loop(base, EVLOOP_ONCE);
    assert_false(strangers_changed(r->ledger->strangers));
    assert_false(is_due(r));
    see(r, "abc", "10.1.2.7", "", "");
    assert_true(is_due(r));
    room_close(r);
    assert_int_equal(number_on_disk(r, "SELECT sum(calls) FROM stranger"), 1001);
    event_base_free(base);
    room_open(r, NULL);
}

static bool is_named(struct room *r, const char *token, const char *name)
{
    return slice_eq(ledger_stranger_name(r->ledger, slice_str(token)), slice_str(name));
}

static void names_are_digests_and_so_many(void **state)
{
    struct room *r = *state;
    char token[32];
    assert_true(is_named(r, "abc", "?ba7816bf8f"));
    assert_true(is_named(r, "", "?e3b0c44298"));
    for (int i = 2; i < STRANGER_NAMES; i++) {
        snprintf(token, sizeof token, "t%d", i);
        assert_int_equal(ledger_stranger_name(r->ledger, slice_str(token)).n, STRANGER_NAME_TEXT);
    }
    assert_true(is_named(r, "one more", "other"));
    assert_true(is_named(r, "abc", "?ba7816bf8f"));
    assert_true(is_named(r, token, ledger_stranger_name(r->ledger, slice_str(token)).p));
    assert_false(is_named(r, token, "other"));
}

/* After a restart the names that stand in entries are counted again. */
static void names_in_the_books_count_after_a_restart(void **state)
{
    struct room *r = *state;
    char id[32], token[32];
    for (int i = 0; i < 3; i++) {
        snprintf(id, sizeof id, "call%d", i);
        snprintf(token, sizeof token, "booked %d", i);
        struct ledger_call call = call_of(id, "sales");
        call.key = ledger_stranger_name(r->ledger, slice_str(token));
        int outcome = -1;
        ledger_release(r->ledger, &call, S(""), take_outcome, &outcome);
        assert_int_equal(outcome, LEDGER_DONE);
    }
    room_close(r);
    room_open(r, NULL);
    int given = 0;
    for (int i = 0; i < STRANGER_NAMES; i++) {
        snprintf(token, sizeof token, "new %d", i);
        given += ledger_stranger_name(r->ledger, slice_str(token)).n == STRANGER_NAME_TEXT;
    }
    assert_int_equal(given, STRANGER_NAMES - 3);
    assert_false(is_named(r, "booked 1", "other"));
    assert_runs(r, "usage --by key");
    assert_non_null(strstr(r->out.p, ledger_stranger_name(r->ledger, S("booked 1")).p));
}

/* Books of the first version are led over. */
static void older_books_get_the_list(void **state)
{
    struct room *r = *state;
    char path[320], mark[80];
    sqlite3 *db;
    room_close(r);
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, schema_steps[0], NULL, NULL, NULL), SQLITE_OK);
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = 1", SCHEMA_APPLICATION);
    assert_int_equal(sqlite3_exec(db, mark, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 0);
    see(r, "abc", "10.1.2.7", "", "");
    room_close(r);
    assert_int_equal(number_on_disk(r, "PRAGMA user_version"), schema_version);
    room_open(r, NULL);
    assert_int_equal(lines_of(r), 1);
    assert_runs(r, "ledger verify");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(the_list_reads_well),
        room_test(hostile_texts_are_cut),
        room_test(an_address_cannot_push_all_others_out),
        room_test(they_are_kept_over_a_restart),
        room_test(who_gets_a_key_is_no_stranger),
        room_test(a_stranger_with_a_key_is_not_read),
        room_test(what_cannot_be_written_is_written_later),
        room_test(is_shown_while_calls_come),
        room_test(a_daemon_writes_them_once_a_minute),
        room_test(names_are_digests_and_so_many),
        room_test(names_in_the_books_count_after_a_restart),
        room_test(older_books_get_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
