/* SPDX-License-Identifier: MIT
 * What is counted beside the entries: refused calls, words, the latest call of a shape. */
#include "room.h"

#include <event2/event.h>
#include <sqlite3.h>

#include "proxy/ledger/inside.h"
#include "proxy/ledger/store/sqlite/inside.h"

/* ---- reading ---- */

struct found {
    enum trace_what what;
    char word[128];
    int64_t calls, last_ms;
    int rows;
};

static void add_found(void *context, const struct trace_row *row)
{
    struct found *f = context;
    if (row->what != f->what || !slice_eq(row->word, slice_str(f->word)))
        return;
    f->rows++;
    f->calls += row->calls;
    if (row->last_ms > f->last_ms)
        f->last_ms = row->last_ms;
}

static struct found found(struct room *r, enum trace_what what, const char *word)
{
    struct found f = { .what = what };
    struct buffer why = { 0 };
    snprintf(f.word, sizeof f.word, "%s", word);
    assert_true(refusals_traces(r->ledger->refusals, r->ledger->store, 0, INT64_MAX, add_found, &f, &why));
    return f;
}

#define assert_calls(r, what, word, n) assert_int_equal(found((r), (what), (word)).calls, (n))

static void refuse(struct room *r, const char *key, const char *fault, const char *text)
{
    struct ledger_refusal call = { .team = S("seo"),
                                   .key = slice_str(key),
                                   .table = S("anchors"),
                                   .fault = slice_str(fault),
                                   .shape = S("refused bad_where anchors where"),
                                   .text = slice_str(text),
                                   .text_bytes = (int64_t)strlen(text) };
    ledger_saw_refusal(r->ledger, &call);
}

/* An end with a text. */
static void end_with(struct room *r, const char *id, const char *shape, const char *text, int64_t bytes)
{
    struct ledger_call call = call_of(id, "seo");
    struct ledger_settlement s = { .via = "cache", .approximate = S("rows,last_visited") };
    int outcome = -1;
    call.shape = slice_str(shape);
    call.text = slice_str(text);
    call.text_bytes = bytes;
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    assert_int_equal(outcome, LEDGER_DONE);
}

static void take_latest(void *context, const struct latest_row *row)
{
    struct buffer *b = context;
    buffer_printf(b, "%.*s|%.*s|%lld\n", SLICE_ARGS(row->shape_text), SLICE_ARGS(row->call), (long long)row->bytes);
}

/* What is known of a shape's latest call: the last of its lines. */
static void assert_latest(struct room *r, const char *line)
{
    struct buffer all = { 0 }, why = { 0 };
    assert_true(refusals_latest(r->ledger->refusals, r->ledger->store, take_latest, &all, &why));
    buffer_put(&all, '\0');
    if (!strstr(all.p, line))
        fail_msg("there is no %s in: %s", line, all.p);
    buffer_clear(&all);
}

static void reopen(struct room *r)
{
    room_close(r);
    room_open(r, NULL);
}

/* Change the books while they are closed, as another program would. */
static void change(struct room *r, const char *sql)
{
    char file[300];
    sqlite3 *db;
    char *why = NULL;
    room_close(r);
    snprintf(file, sizeof file, "%s/ledger.db", r->directory);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    room_open(r, NULL);
}

/* ---- tests ---- */

static void refusals_are_counted_and_kept(void **state)
{
    struct room *r = *state;
    refuse(r, "k1", "bad_where", "from=anchors&where=x");
    refuse(r, "k1", "bad_where", "from=anchors&where=y");
    refuse(r, "k2", "bad_where", "from=anchors&where=z");
    refuse(r, "k2", "out_of_rows", "from=anchors&limit=7");
    for (int i = 0; i < 3; i++) {
        assert_calls(r, TRACE_REFUSED, "bad_where", 3);
        assert_calls(r, TRACE_REFUSED, "out_of_rows", 1);
        assert_calls(r, TRACE_SHAPE, "refused bad_where anchors where", 4);
        assert_int_equal(found(r, TRACE_REFUSED, "bad_where").rows, 2);
        assert_latest(r, "refused bad_where anchors where|from=anchors&limit=7|20\n");
        reopen(r);
    }
    refuse(r, "k1", "bad_where", "from=anchors&where=later");
    reopen(r);
    assert_calls(r, TRACE_REFUSED, "bad_where", 4);
    assert_latest(r, "|from=anchors&where=later|");
    assert_runs(r, "ledger verify");
}

static void a_flood_takes_no_more_memory(void **state)
{
    struct room *r = *state;
    enum { KEYS = 20000 };
    for (int i = 0; i < KEYS; i++) {
        char key[16], shape[64];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(shape, sizeof shape, "refused unknown_table ? x%d", i);
        struct ledger_refusal call = { .team = S("seo"),
                                       .key = slice_str(key),
                                       .fault = S("unknown_table"),
                                       .shape = slice_str(shape),
                                       .text = S("from=x"),
                                       .text_bytes = 6 };
        ledger_saw_refusal(r->ledger, &call);
    }
    struct found all = found(r, TRACE_REFUSED, "unknown_table");
    assert_int_equal(all.calls, KEYS);
    assert_true(all.rows <= REFUSALS + 256);
    reopen(r);
    all = found(r, TRACE_REFUSED, "unknown_table");
    assert_int_equal(all.calls, KEYS);
    assert_true(all.rows <= REFUSALS + 256);
    assert_true(r->ledger->store->shapes.texts.n <= REFUSALS_CALLS + 2);
}

static void endless_shapes_are_others_in_the_end(void **state)
{
    struct room *r = *state;
    int64_t before = r->ledger->store->shapes.texts.n;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 250; i++) {
            char shape[64];
            snprintf(shape, sizeof shape, "refused bad_where anchors x%d", round * 250 + i);
            struct ledger_refusal call = {
                .team = S("seo"), .key = S("k"), .fault = S("bad_where"), .shape = slice_str(shape)
            };
            ledger_saw_refusal(r->ledger, &call);
        }
        reopen(r);
    }
    assert_int_equal(r->ledger->store->shapes.texts.n, before + STORE_REFUSED_SHAPES);
    assert_calls(r, TRACE_SHAPE, "", 500); /* the shape "other" has no text */
    assert_calls(r, TRACE_REFUSED, "bad_where", 1500);
    /* Calls that are served have places of their own. */
    end_with(r, "c", "anchors of its own", "from=anchors", 12);
    assert_latest(r, "anchors of its own|from=anchors|12\n");
}

static bool write_refusals(struct room *r)
{
    struct buffer why = { 0 };
    bool more = true, good = true;
    while (good && more)
        good = refusals_write(r->ledger->refusals, r->ledger->store, &more, &why);
    buffer_clear(&why);
    return good;
}

static void on_db(struct room *r, const char *sql)
{
    assert_int_equal(sqlite3_exec(r->ledger->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void open_store(struct room *r)
{
    struct buffer why = { 0 };
    assert_int_equal(store_open(r->ledger->store, &why), STORE_OPENED);
}

/* Whether a batch that failed is on disk is known by its turn: it is never counted twice. */
static void a_write_that_failed_counts_once(void **state)
{
    struct room *r = *state;
    refuse(r, "k1", "bad_where", "from=a");
    on_db(r, "PRAGMA query_only = 1");
    assert_false(write_refusals(r));
    open_store(r);
    assert_calls(r, TRACE_REFUSED, "bad_where", 1);
    refuse(r, "k1", "bad_where", "from=a");
    assert_true(write_refusals(r));
    assert_calls(r, TRACE_REFUSED, "bad_where", 2);

    /* This time it failed though the disk has it. */
    refuse(r, "k1", "bad_where", "from=a");
    on_db(r, "PRAGMA query_only = 1");
    assert_false(write_refusals(r));
    open_store(r);
    on_db(r, "UPDATE trace SET calls = calls + 1 WHERE what IN (2, 6);"
             "UPDATE meta SET value = value + 1 WHERE name = 'traced_turn'");
    on_db(r, "PRAGMA query_only = 1");
    struct buffer why = { 0 };
    assert_false(store_write(r->ledger->store, &(struct store_batch){ .turn = 1 }, &why));
    buffer_clear(&why);
    open_store(r);
    assert_calls(r, TRACE_REFUSED, "bad_where", 3);
    assert_true(write_refusals(r));
    assert_calls(r, TRACE_REFUSED, "bad_where", 3);
    reopen(r);
    assert_calls(r, TRACE_REFUSED, "bad_where", 3);
    assert_calls(r, TRACE_SHAPE, "refused bad_where anchors where", 3);
}

static void words_are_exact_after_a_crash(void **state)
{
    struct room *r = *state;
    assert_int_equal(hold_now(r, "a", "seo", 3, 50), LEDGER_DONE);
    assert_int_equal(settle_now(r, "a", "seo", 2, 40), LEDGER_DONE);
    assert_int_equal(hold_now(r, "b", "seo", 3, 50), LEDGER_DONE);
    assert_int_equal(release_now(r, "b", "seo"), LEDGER_DONE);
    assert_calls(r, TRACE_MARK, "last_visited", 1);
    assert_calls(r, TRACE_FAULT, "upstream_down", 1);
    /* Nothing of it is written when the process dies: the books as they are on disk now. */
    char copy[300], line[400];
    snprintf(copy, sizeof copy, "%s/copy", r->directory);
    snprintf(line, sizeof line, "ledger backup %s", copy);
    assert_runs(r, line);
    room_close(r);
    char file[300];
    snprintf(file, sizeof file, "%s/ledger.db", r->directory);
    assert_int_equal(rename(copy, file), 0);
    room_open(r, NULL);
    for (int i = 0; i < 3; i++) {
        assert_calls(r, TRACE_MARK, "last_visited", 1);
        assert_calls(r, TRACE_MARK, "stats.refpages", 1);
        assert_calls(r, TRACE_MARKED, "", 1);
        assert_calls(r, TRACE_MARKED_ROWS, "", 0);
        assert_calls(r, TRACE_CACHED, "", 0);
        assert_calls(r, TRACE_FAULT, "upstream_down", 1);
        assert_runs(r, "ledger verify");
        reopen(r);
    }
    end_with(r, "c", "s", "x", 1);
    assert_calls(r, TRACE_MARK, "last_visited", 2);
    assert_calls(r, TRACE_MARKED, "", 2);
    assert_calls(r, TRACE_MARKED_ROWS, "", 1);
    assert_calls(r, TRACE_CACHED, "", 1);
    reopen(r);
    assert_calls(r, TRACE_CACHED, "", 1);
    assert_calls(r, TRACE_SHARED, "", 0);
}

static void the_latest_call_of_a_shape_is_kept(void **state)
{
    struct room *r = *state;
    char longer[1100];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    end_with(r, "a", "one", "from=anchors&target=a", 21);
    end_with(r, "b", "two", "from=anchors&limit=1", 20);
    end_with(r, "c", "one", "from=anchors&target=b", 21);
    assert_latest(r, "one|from=anchors&target=b|21\n");
    reopen(r);
    assert_latest(r, "one|from=anchors&target=b|21\n");
    assert_latest(r, "two|from=anchors&limit=1|20\n");
    end_with(r, "d", "two", "", 5000);
    reopen(r);
    assert_latest(r, "two||5000\n");
}

static void verify_sees_counts_that_were_changed(void **state)
{
    struct room *r = *state;
    end_with(r, "a", "one", "from=anchors", 12);
    reopen(r);
    assert_runs(r, "ledger verify");
    change(r, "UPDATE trace SET calls = calls + 1 WHERE what = 3");
    assert_int_equal(room_run(r, "ledger verify"), 1);
    assert_non_null(strstr(r->err.p, "do not agree with the entries"));
    change(r, "UPDATE trace SET calls = calls - 1 WHERE what = 3");
    assert_runs(r, "ledger verify");
    change(r, "DELETE FROM trace WHERE what = 4");
    assert_int_equal(room_run(r, "ledger verify"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(refusals_are_counted_and_kept),        room_test(a_flood_takes_no_more_memory),
        room_test(endless_shapes_are_others_in_the_end), room_test(a_write_that_failed_counts_once),
        room_test(words_are_exact_after_a_crash),        room_test(the_latest_call_of_a_shape_is_kept),
        room_test(verify_sees_counts_that_were_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
