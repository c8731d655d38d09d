/* SPDX-License-Identifier: MIT
 * Books of the version before are taken over: what their entries say is counted, and nothing else changes. */
#include "room.h"

#include "proxy/ledger/inside.h"
#include "tests/old_books.h"

enum { ENTRIES = 100000 };

static void file_of(struct room *r, char file[300])
{
    snprintf(file, 300, "%s/ledger.db", r->directory);
}

/* The first number that a question gives; the books are closed. */
static int64_t ask(struct room *r, const char *sql)
{
    char file[300];
    sqlite3 *db;
    sqlite3_stmt *st;
    file_of(r, file);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return n;
}

static void run_sql(struct room *r, const char *sql)
{
    char file[300], *why = NULL;
    sqlite3 *db;
    file_of(r, file);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* All that the schema says, in one number: two books with the same have the same tables. */
#define SCHEMA "SELECT sum(length(sql) * (unicode(name) + rootpage * 0)) FROM sqlite_master WHERE sql NOT NULL"

struct total {
    enum trace_what what;
    struct slice word;
    int64_t calls;
};

static void add(void *context, const struct trace_row *row)
{
    struct total *t = context;
    if (row->what == t->what && slice_eq(row->word, t->word))
        t->calls += row->calls;
}

static int64_t total(struct room *r, enum trace_what what, const char *word)
{
    struct total t = { .what = what, .word = slice_str(word) };
    struct buffer why = { 0 };
    assert_true(store_traces(r->ledger->store, INT64_MIN, INT64_MAX, add, &t, &why));
    return t.calls;
}

static void words_of_old_entries_are_counted(void **state)
{
    struct room *r = *state;
    char file[300];
    file_of(r, file);
    room_close(r);
    int64_t schema = ask(r, SCHEMA);
    assert_int_equal(unlink(file), 0);
    assert_true(old_books_make(file, ENTRIES));
    room_open(r, NULL);
    for (int round = 0; round < 2; round++) {
        /* Every second entry is an end, of ten of which one has a fault; of the others every fifth has no mark. */
        assert_int_equal(total(r, TRACE_FAULT, "upstream_late"), ENTRIES / 80);
        assert_int_equal(total(r, TRACE_FAULT, "bad_target"), ENTRIES / 80);
        assert_int_equal(total(r, TRACE_MARK, "rows"), ENTRIES / 10);
        assert_int_equal(total(r, TRACE_MARK, "last_visited"), 2 * ENTRIES / 10);
        assert_int_equal(total(r, TRACE_MARK, "stats.refpages"), 2 * ENTRIES / 10);
        assert_int_equal(total(r, TRACE_MARKED, ""), 4 * ENTRIES / 10);
        assert_int_equal(total(r, TRACE_MARKED_ROWS, ""), 2 * ENTRIES / 10);
        assert_int_equal(total(r, TRACE_REFUSED, "bad_target"), 0);
        room_close(r);
        assert_int_equal(ask(r, "PRAGMA user_version"), 4);
        assert_int_equal(ask(r, SCHEMA), schema);
        assert_int_equal(ask(r, "SELECT value FROM meta WHERE name = 'traced_seq'"), ENTRIES);
        assert_int_equal(ask(r, "SELECT count(*) FROM entry WHERE sum = 0"), ENTRIES);
        room_open(r, NULL);
    }
    assert_runs(r, "usage --since 2025-01-01 --format csv");
    assert_non_null(strstr(r->out.p, "team0,"));
}

/* With true sums: these books differ from old ones in their version alone once the new tables are gone. */
static void books_of_before_verify(void **state)
{
    struct room *r = *state;
    for (int i = 0; i < 50; i++) {
        char id[24];
        snprintf(id, sizeof id, "call-%d", i);
        assert_int_equal(hold_now(r, id, "sales", 3, 50), LEDGER_DONE);
        assert_int_equal(i % 5 ? settle_now(r, id, "sales", 2, 40) : release_now(r, id, "sales"), LEDGER_DONE);
    }
    room_close(r);
    run_sql(r, "DROP TABLE trace; DROP TABLE latest; DELETE FROM meta WHERE name LIKE 'traced%';"
               "PRAGMA user_version = 3");
    room_open(r, NULL);
    assert_runs(r, "ledger verify");
    assert_int_equal(total(r, TRACE_FAULT, "upstream_down"), 10);
    assert_int_equal(total(r, TRACE_MARKED, ""), 40);
    room_close(r);
    room_open(r, NULL);
    assert_runs(r, "ledger verify");
    assert_int_equal(total(r, TRACE_MARKED, ""), 40);
}

static void newer_books_are_refused(void **state)
{
    struct room *r = *state;
    room_close(r);
    run_sql(r, "PRAGMA user_version = 5");
    assert_int_equal(room_try_open(r, NULL), LEDGER_BROKEN);
    assert_non_null(memmem(r->err.p, r->err.n, "written by a newer anchorage", 28));
    run_sql(r, "PRAGMA user_version = 4");
    room_open(r, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(words_of_old_entries_are_counted),
        room_test(books_of_before_verify),
        room_test(newer_books_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
