/* SPDX-License-Identifier: MIT
 * The end of the daemon while a command reads: commands end, what calls write does not. */
#include "proxy/ledger/store/store.h"

#include "tests/unit/ledger/room.h"

static void count(void *context, const struct entry *e)
{
    (void)e;
    ++*(int *)context;
}

static bool write_note(struct store *s, struct buffer *why)
{
    struct entry e = { .time_ms = 1, .kind = ENTRY_NOTE, .id = S("note"), .table = S("test") };
    struct entry *entries[] = { &e };
    return store_write(s, &(struct store_batch){ .entries = entries, .n_entries = 1 }, why);
}

static void commands_end_and_writing_goes_on(void **state)
{
    (void)state;
    struct room r;
    struct buffer why = { 0 };
    int seen = 0;
    int64_t next;
    bool more;
    char copy[300];
    room_init(&r);
    struct store *s = store_new(r.directory, false);
    assert_int_equal(store_open(s, &why), STORE_OPENED);
    assert_true(write_note(s, &why));
    assert_true(store_entries(s, 1, 10, count, &seen, &next, &why));
    assert_int_equal(seen, 1);
    store_end_commands(s);
    assert_false(store_entries(s, 1, 10, count, &seen, &next, &why));
    assert_non_null(memmem(why.p, why.n, "is being stopped", 16));
    snprintf(copy, sizeof copy, "%s/copy", r.directory);
    assert_false(store_backup(s, copy, &why));
    assert_int_not_equal(access(copy, F_OK), 0);
    assert_true(write_note(s, &why));
    assert_true(store_trim(s, 0, 1, 10, &more, &why));
    assert_true(write_note(s, &why));
    store_free(s);
    buffer_clear(&why);
    room_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(commands_end_and_writing_goes_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
