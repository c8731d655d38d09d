/* SPDX-License-Identifier: MIT
 * Crashes, second openers, failing disks, and calls that are under way together. The disk fails through a layer under
 * SQLite that refuses to write while the test says so. */
#include "room.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- a disk that fails ---- */

static int disk_fails;    /* 0, or the error to answer a write of the log with */
static int failing_skips; /* writes that still succeed */
static int one_in;        /* the so-manieth write from now fails, once; 0: none */

/* SQLite has one table of methods for each way of locking; ours stands in front of each. */
static struct methods {
    sqlite3_io_methods ours; /* first: a file's table is the struct */
    const sqlite3_io_methods *real;
} tables[8];

static const sqlite3_io_methods *real_of(const sqlite3_file *f)
{
    return ((const struct methods *)f->pMethods)->real;
}

static bool refuses(void)
{
    return __atomic_load_n(&disk_fails, __ATOMIC_SEQ_CST) &&
           __atomic_sub_fetch(&failing_skips, 1, __ATOMIC_SEQ_CST) < 0;
}

static int on_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    if (__atomic_load_n(&one_in, __ATOMIC_SEQ_CST) && __atomic_sub_fetch(&one_in, 1, __ATOMIC_SEQ_CST) == 0)
        return SQLITE_IOERR_WRITE;
    return refuses() ? disk_fails : real_of(f)->xWrite(f, bytes, n, at);
}

static int on_sync(sqlite3_file *f, int flags)
{
    int error = __atomic_load_n(&disk_fails, __ATOMIC_SEQ_CST);
    return error ? error : real_of(f)->xSync(f, flags);
}

static int (*real_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    int status = real_open(vfs, name, f, flags, out_flags);
    if (status != SQLITE_OK || !f->pMethods)
        return status;
    struct methods *m = tables;
    while (m->real && m->real != f->pMethods)
        m++;
    m->real = f->pMethods;
    m->ours = *f->pMethods;
    m->ours.xWrite = on_write;
    m->ours.xSync = on_sync;
    f->pMethods = &m->ours;
    return status;
}

static int install_disk(void **state)
{
    (void)state;
    static sqlite3_vfs vfs;
    vfs = *sqlite3_vfs_find(NULL);
    real_open = vfs.xOpen;
    vfs.xOpen = on_open;
    vfs.zName = "failing";
    return sqlite3_vfs_register(&vfs, 1);
}

static void disk_fails_with(int error, int after_writes)
{
    __atomic_store_n(&failing_skips, after_writes, __ATOMIC_SEQ_CST);
    __atomic_store_n(&disk_fails, error, __ATOMIC_SEQ_CST);
}

/* ---- crashes ---- */

static void open_holds_of_the_dead_become_unknown(void **state)
{
    struct room *r = *state;
    room_close(r);
    pid_t child = fork();
    if (child == 0) {
        room_open(r, NULL);
        hold_now(r, "ended", "seo", 10, 100);
        settle_now(r, "ended", "seo", 4, 90);
        hold_now(r, "dead", "seo", 10, 100);
        hold_now(r, "dead", "seo", 10, 150);
        hold_now(r, "dead too", "sales", 1, 7);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    room_open(r, NULL);
    struct ledger_left left = ledger_left(r->ledger, S("seo"));
    assert_int_equal(left.rows_left, 96);
    assert_int_equal(left.units_left, 1000 - 90 - 250);
    assert_runs(r, "ledger verify");
    assert_memory_equal(r->out.p, "good: 8 entries, 3 calls ended, 0 open", 38);
    assert_runs(r, "ledger export --since 7");
    assert_non_null(strstr(r->out.p, "\"kind\":\"unknown\",\"id\":\"dead\",\"ref\":null,\"team\":\"seo\""));
    assert_non_null(strstr(r->out.p, "\"rows\":0,\"units\":250,\"units_predicted\":250,"));
    assert_non_null(strstr(r->out.p, "\"fault\":\"crash\""));
    assert_non_null(strstr(r->out.p, "\"kind\":\"unknown\",\"id\":\"dead too\""));
    room_close(r);
    room_open(r, NULL);
    assert_runs(r, "ledger verify");
    assert_memory_equal(r->out.p, "good: 8 entries", 15);
}

static void a_hold_long_ago_is_found(void **state)
{
    struct room *r = *state;
    hold_now(r, "old", "sales", 1, 1);
    for (int i = 0; i < 2500; i++) {
        char id[16];
        snprintf(id, sizeof id, "call-%d", i);
        hold_now(r, id, "sales", 1, 1);
        settle_now(r, id, "sales", 1, 1);
    }
    room_close(r);
    room_open(r, NULL);
    assert_runs(r, "ledger export --since 5003");
    assert_non_null(strstr(r->out.p, "\"kind\":\"unknown\",\"id\":\"old\""));
}

static void a_second_opener_is_refused(void **state)
{
    struct room *r = *state;
    struct room second = *r;
    second.ledger = NULL;
    second.out = second.err = (struct buffer){ 0 };
    assert_int_equal(room_try_open(&second, NULL), LEDGER_HELD_BY_ANOTHER);
    buffer_put(&second.err, '\0');
    char expected[512];
    snprintf(expected, sizeof expected, "ledger: %s is in use by another anchorage, process %ld", r->directory,
             (long)getpid());
    assert_string_equal(second.err.p, expected);
    buffer_clear(&second.err);
}

static void what_is_not_a_ledger_is_refused(void **state)
{
    struct room *r = *state;
    room_close(r);
    char path[320];
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fputs("this is not a database, and never was", f);
    fclose(f);
    assert_int_equal(room_try_open(r, NULL), LEDGER_BROKEN);
    buffer_put(&r->err, '\0');
    assert_non_null(strstr(r->err.p, "file is not a database"));
}

static void newer_books_are_refused(void **state)
{
    struct room *r = *state;
    char path[320];
    snprintf(path, sizeof path, "%s/ledger.db", r->directory);
    room_close(r);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(room_try_open(r, NULL), LEDGER_BROKEN);
    buffer_put(&r->err, '\0');
    assert_non_null(strstr(r->err.p, "written by a newer anchorage"));
}

static void the_files_are_private(void **state)
{
    struct room *r = *state;
    char path[330];
    struct stat st;
    room_close(r);
    strcat(r->directory, "/state");
    mode_t before = umask(0);
    room_open(r, NULL);
    umask(before);
    assert_int_equal(stat(r->directory, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    static const char *const names[] = { "ledger.db", "ledger.db-wal", "ledger.lock" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", r->directory, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    room_close(r);
    nftw(r->directory, room_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    *strrchr(r->directory, '/') = '\0';
}

/* ---- with an event base ---- */

struct scene {
    struct room *r;
    struct event_base *base;
    int ended, down;
    bool inside; /* a function of the ledger is running */
};

static void open_scene(struct scene *s, struct room *r)
{
    room_close(r);
    *s = (struct scene){ .r = r, .base = event_base_new() };
    room_open(r, s->base);
}

static void close_scene(struct scene *s)
{
    room_close(s->r);
    event_base_free(s->base);
    room_open(s->r, NULL);
}

static void count(void *context, enum ledger_outcome outcome)
{
    struct scene *s = context;
    assert_false(s->inside);
    s->ended++;
    s->down += outcome == LEDGER_DOWN;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

/* Turn the loop until `n` answers came, 20 seconds at most. */
static void turn_until(struct scene *s, int n)
{
    int64_t until = clock_monotonic_ms() + 20000;
    struct event *tick = event_new(s->base, -1, EV_PERSIST, on_tick, NULL);
    event_add(tick, &(struct timeval){ .tv_usec = 50000 });
    while (s->ended < n && clock_monotonic_ms() < until)
        event_base_loop(s->base, EVLOOP_ONCE);
    event_free(tick);
    assert_int_equal(s->ended, n);
}

static void hold_of(struct scene *s, int number, int64_t rows, int64_t units)
{
    char id[16];
    snprintf(id, sizeof id, "call-%d", number);
    struct ledger_call call = call_of(id, "sales");
    s->inside = true;
    ledger_hold(s->r->ledger, &call, (struct rows){ rows }, (struct units){ units }, count, s);
    s->inside = false;
}

static void settle_of(struct scene *s, int number, int64_t rows, int64_t units)
{
    char id[16];
    snprintf(id, sizeof id, "call-%d", number);
    struct ledger_call call = call_of(id, "sales");
    struct ledger_settlement settlement = { .rows = { rows }, .units = units, .via = "upstream" };
    s->inside = true;
    ledger_settle(s->r->ledger, &call, &settlement, count, s);
    s->inside = false;
}

static void many_calls_at_once(void **state)
{
    struct scene s;
    open_scene(&s, *state);
    for (int i = 0; i < 64; i++)
        hold_of(&s, i, 2, 10);
    turn_until(&s, 64);
    for (int i = 0; i < 64; i++)
        settle_of(&s, i, 1, 5);
    turn_until(&s, 128);
    assert_int_equal(s.down, 0);
    close_scene(&s);
    struct room *r = *state;
    assert_runs(r, "usage --format csv");
    assert_non_null(strstr(r->out.p, "\nsales,64,0,64,0,,,320,"));
    assert_runs(r, "ledger verify");
}

static void relaxed_answers_do_not_wait(void **state)
{
    struct room *r = *state;
    r->options.relaxed = true;
    struct scene s;
    open_scene(&s, r);
    hold_of(&s, 1, 1, 1);
    settle_of(&s, 1, 1, 1);
    assert_int_equal(s.ended, 0);
    event_base_loop(s.base, EVLOOP_NONBLOCK);
    assert_int_equal(s.ended, 2);
    assert_int_equal(s.down, 0);
    close_scene(&s);
    assert_runs(r, "usage --format csv");
    assert_non_null(strstr(r->out.p, "\nsales,1,0,1,0,"));
}

static void closing_waits_for_the_disk(void **state)
{
    struct scene s;
    open_scene(&s, *state);
    for (int i = 0; i < 200; i++)
        hold_of(&s, i, 1, 1);
    close_scene(&s);
    assert_int_equal(s.ended, 0);
    struct room *r = *state;
    assert_runs(r, "usage --format csv");
    assert_non_null(strstr(r->out.p, "\nsales,200,0,0,0,,,200,"));
}

static void on_command(void *context, const struct ledger_answer *answer)
{
    struct scene *s = context;
    assert_int_equal(answer->status, 0);
    assert_int_equal(answer->next, 0);
    assert_true(answer->out.n > 0);
    assert_true(!answer->err.n || slice_starts(answer->err, S("added: key ")));
    s->ended++;
}

/* Commands run beside calls, and what they change of the keys is there when they are done. */
static void commands_run_beside_calls(void **state)
{
    struct scene s;
    open_scene(&s, *state);
    struct ledger *l = s.r->ledger;
    for (int i = 0; i < 100; i++)
        hold_of(&s, i, 1, 1);
    ledger_command_start(l, 3, (const char *[]){ "key", "add", "--team=seo" }, S(""), 0, on_command, &s);
    ledger_command_start(l, 6, (const char *[]){ "key", "add", "--team", "seo", "--token", "-" },
                         S("token-one-of-many"), 0, on_command, &s);
    ledger_command_start(l, 6, (const char *[]){ "key", "add", "--team", "seo", "--token", "-" },
                         S("token-two-of-many"), 0, on_command, &s);
    ledger_command_start(l, 2, (const char *[]){ "ledger", "verify" }, S(""), 0, on_command, &s);
    ledger_command_start(l, 2, (const char *[]){ "ledger", "export" }, S(""), 0, on_command, &s);
    assert_int_equal(s.ended, 0);
    turn_until(&s, 105);
    assert_non_null(ledger_key_of_token(l, S("token-one-of-many")));
    assert_non_null(ledger_key_of_token(l, S("token-two-of-many")));
    ledger_command_start(l, 2, (const char *[]){ "ledger", "export" }, S(""), 0, on_command, &s);
    close_scene(&s);
    assert_int_equal(s.ended, 105);
}

/* Turn the loop until the books serve again. */
static void turn_until_served(struct scene *s)
{
    struct event *tick = event_new(s->base, -1, EV_PERSIST, on_tick, NULL);
    event_add(tick, &(struct timeval){ .tv_usec = 50000 });
    int64_t until = clock_monotonic_ms() + 20000;
    while (!ledger_serves(s->r->ledger) && clock_monotonic_ms() < until)
        event_base_loop(s->base, EVLOOP_ONCE);
    event_free(tick);
    assert_true(ledger_serves(s->r->ledger));
}

static void a_failing_disk(struct room *r, int error, int after_writes)
{
    struct scene s;
    open_scene(&s, r);
    hold_of(&s, 1, 5, 50); /* goes on through the failure */
    hold_of(&s, 2, 5, 50); /* settles in the failure */
    hold_of(&s, 3, 5, 50); /* settles while the books are closed */
    turn_until(&s, 3);
    assert_int_equal(s.down, 0);
    disk_fails_with(error, after_writes);
    settle_of(&s, 2, 4, 40);
    hold_of(&s, 4, 5, 50);
    turn_until(&s, 5);
    assert_int_equal(s.down, 2);
    assert_false(ledger_serves(r->ledger));
    settle_of(&s, 3, 3, 30);
    hold_of(&s, 5, 5, 50);
    turn_until(&s, 7);
    assert_int_equal(s.down, 4);
    disk_fails_with(0, 0);
    turn_until_served(&s);
    settle_of(&s, 1, 5, 45);
    turn_until(&s, 8);
    assert_int_equal(s.down, 4);
    /* Memory and disk agree: no rows for 2, 3, 4 and 5, their units are kept, nothing is held. */
    struct ledger_left left = ledger_left(r->ledger, S("sales"));
    assert_int_equal(left.rows_used, 5);
    assert_runs(r, "usage --format csv");
    assert_non_null(strstr(r->out.p, ",0,5,0,,,115,"));
    assert_runs(r, "ledger verify");
    assert_non_null(strstr(r->out.p, " 0 open;"));
    close_scene(&s);
    assert_int_equal(ledger_left(r->ledger, S("sales")).rows_used, 5);
    assert_runs(r, "ledger verify");
}

static void an_input_output_error_is_survived(void **state)
{
    a_failing_disk(*state, SQLITE_IOERR_WRITE, 0);
}

static void a_full_disk_is_survived(void **state)
{
    a_failing_disk(*state, SQLITE_FULL, 0);
}

/* The whole transaction is in the log, only the sync failed: it may be found there when the books are opened again. */
static void a_settlement_that_was_denied_is_taken_back(void **state)
{
    struct room *r = *state;
    a_failing_disk(r, SQLITE_IOERR_FSYNC, 1000000);
    assert_runs(r, "ledger export");
    const char *correction = strstr(r->out.p, "\"kind\":\"correct\"");
    assert_non_null(correction);
    assert_non_null(strstr(correction, "\"ref\":\"call-2\""));
    assert_non_null(strstr(correction, "\"rows\":-4,\"units\":0,"));
    assert_non_null(strstr(r->out.p, "\"kind\":\"release\",\"id\":\"call-4\""));
}

/* The disk fails once more while that is being put right: what is owed is remembered until it is written, and written
 * once. */
static void a_second_failure_forgets_nothing(void **state)
{
    struct room *r = *state;
    static const int writes[] = { 1, 2, 4, 7, 11 };
    int64_t until = clock_monotonic_ms() + 30000;
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        struct scene s;
        int number = (int)i;
        open_scene(&s, r);
        hold_of(&s, number, 5, 50);
        turn_until(&s, 1);
        disk_fails_with(SQLITE_IOERR_FSYNC, 1000000);
        settle_of(&s, number, 4, 40);
        turn_until(&s, 2);
        assert_int_equal(s.down, 1);
        __atomic_store_n(&one_in, writes[i], __ATOMIC_SEQ_CST);
        disk_fails_with(0, 0);
        bool done = false;
        while (!done && clock_monotonic_ms() < until) {
            turn_until_served(&s);
            event_base_loop(s.base, EVLOOP_NONBLOCK);
            done = ledger_serves(r->ledger) && ledger_left(r->ledger, S("sales")).rows_used == 0 &&
                   room_run(r, "ledger verify") == 0 && strstr(r->out.p, " 0 open;") &&
                   room_run(r, "usage --format csv") == 0 && strstr(r->out.p, "\nsales,") &&
                   strstr(strstr(r->out.p, "\nsales,"), ",0,0,0,,,");
        }
        if (!done)
            fail_msg("after write %d: %s", writes[i], r->out.p);
        __atomic_store_n(&one_in, 0, __ATOMIC_SEQ_CST);
        close_scene(&s);
    }
    assert_runs(r, "ledger verify");
    assert_int_equal(ledger_left(r->ledger, S("sales")).rows_used, 0);
}

static void a_disk_that_fails_without_a_thread(void **state)
{
    struct room *r = *state;
    disk_fails_with(SQLITE_IOERR_WRITE, 0);
    assert_int_equal(hold_now(r, "a", "seo", 5, 50), LEDGER_DOWN);
    assert_false(ledger_serves(r->ledger));
    disk_fails_with(0, 0);
    assert_int_equal(hold_now(r, "b", "seo", 5, 50), LEDGER_DONE);
    assert_true(ledger_serves(r->ledger));
    assert_int_equal(settle_now(r, "b", "seo", 5, 50), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_left, 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(open_holds_of_the_dead_become_unknown),
        room_test(a_hold_long_ago_is_found),
        room_test(a_second_opener_is_refused),
        room_test(what_is_not_a_ledger_is_refused),
        room_test(newer_books_are_refused),
        room_test(the_files_are_private),
        room_test(many_calls_at_once),
        room_test(relaxed_answers_do_not_wait),
        room_test(closing_waits_for_the_disk),
        room_test(commands_run_beside_calls),
        room_test(an_input_output_error_is_survived),
        room_test(a_full_disk_is_survived),
        room_test(a_settlement_that_was_denied_is_taken_back),
        room_test(a_second_failure_forgets_nothing),
        room_test(a_disk_that_fails_without_a_thread),
    };
    return cmocka_run_group_tests(tests, install_disk, NULL);
}
