/* SPDX-License-Identifier: MIT
 * The file of what was learnt: written and read again, and files that somebody else has written. */
#include "tests/unit/kit.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/day.h"
#include "proxy/account/learnt.h"

static struct account list[2];
static struct accounts accounts;
static struct buffer why;

static void forget_all(void)
{
    for (size_t i = 0; i < 2; i++)
        list[i] = (struct account){ .subscription = subscription_unknown() };
    strcpy(list[0].label, "main");
    strcpy(list[1].label, "team main");
    accounts = (struct accounts){ .list = list, .n = 2 };
}

static int begin(void **state)
{
    (void)state;
    kit_begin();
    forget_all();
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_clear(&why);
    kit_end();
    return 0;
}

static void learn_all(void)
{
    strcpy(list[0].subscription.plan, "Enterprise, billed yearly = for ever");
    assert_true(timestamp_parse(S("2027-03-04T05:06:07Z"), &list[0].subscription.expires_s));
    list[0].learnt_page_rows = 70;
    list[0].seen.disorder = true;
    list[1].seen.upper_case = true;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    learn_all();
    int64_t expires_s = list[0].subscription.expires_s;
    assert_true(learnt_write(kit_folder, &accounts, &why));
    char *text = kit_read("learnt");
    assert_string_equal(text, "; What anchorage has learnt of API v3. It may be deleted while no daemon runs.\n"
                              "[main]\n"
                              "plan = Enterprise, billed yearly = for ever\n"
                              "expires = 2027-03-04T05:06:07Z\n"
                              "page_rows = 70\n"
                              "disorder = 1\n"
                              "[team main]\n"
                              "upper_case = 1\n");
    free(text);
    assert_null(kit_read("learnt.new"));
    forget_all();
    learnt_read(kit_folder, &accounts);
    assert_string_equal(list[0].subscription.plan, "Enterprise, billed yearly = for ever");
    assert_int_equal(list[0].subscription.expires_s, expires_s);
    assert_int_equal(list[0].learnt_page_rows, 70);
    assert_true(list[0].seen.disorder && !list[0].seen.upper_case);
    assert_true(list[1].seen.upper_case && !list[1].seen.disorder);
    assert_int_equal(list[1].learnt_page_rows, 0);
}

static ino_t inode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(kit_path(name), &st), 0);
    return st.st_ino;
}

/* The old file stays open meanwhile, so that its number is not given to another one. */
static void it_is_written_when_there_is_news(void **state)
{
    (void)state;
    learn_all();
    assert_true(learnt_write(kit_folder, &accounts, &why));
    FILE *old = fopen(kit_path("learnt"), "re");
    ino_t inode = inode_of("learnt");
    assert_true(learnt_write(kit_folder, &accounts, &why));
    assert_int_equal(inode_of("learnt"), inode);
    list[1].learnt_page_rows = 5;
    assert_true(learnt_write(kit_folder, &accounts, &why));
    assert_int_not_equal(inode_of("learnt"), inode);
    fclose(old);
}

static void what_cannot_be_written_is_said_and_the_old_file_stays(void **state)
{
    (void)state;
    kit_write("learnt", S("[main]\npage_rows = 3\n"));
    assert_int_equal(mkdir(kit_path("learnt.new"), 0700), 0);
    learn_all();
    assert_false(learnt_write(kit_folder, &accounts, &why));
    kit_expect_in(&why, "/learnt: Is a directory");
    char *text = kit_read("learnt");
    assert_string_equal(text, "[main]\npage_rows = 3\n");
    free(text);
    assert_false(learnt_write(kit_path("none"), &accounts, &why));
    kit_expect_in(&why, "cannot write what was learnt of API v3: ");
}

static void nothing_is_known(void)
{
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(list[i].subscription.plan, "");
        assert_int_equal(list[i].subscription.expires_s, SUBSCRIPTION_UNKNOWN);
        assert_int_equal(list[i].learnt_page_rows, 0);
        assert_false(list[i].seen.upper_case || list[i].seen.disorder);
    }
}

static void files_of_others_say_nothing(void **state)
{
    (void)state;
    static const struct slice files[] = {
        SLICE(""),
        SLICE("\n\n;\n="),
        SLICE("page_rows = 9\nplan = Lite\n"), /* of no key */
        SLICE("[]\npage_rows = 9\n"),
        SLICE("[nobody]\npage_rows = 9\n"),
        SLICE("[main\npage_rows = 9\n"),
        SLICE("[main]\n[nobody]\npage_rows = 9\n"),
        SLICE("[main]\npage_rows = -9\npage_rows =\npage_rows\n= 9\npage_rows = 9x\n"),
        SLICE("[main]\npage_rows = 9223372036854775808\npage_rows = 0x9\npage_rows = 1e3\n"),
        SLICE("[main]\nupper_case = yes\ndisorder = 2\nupper_case = 0\n"),
        SLICE("[main]\nexpires = never\nexpires = 2027-13-41T00:00:00Z\nexpires = 1\n"),
        SLICE("[main]\nPLAN = Lite\nplan: Lite\n"),
        SLICE("[main\0]\npage_rows = 9\n"),
        SLICE("\xef\xbb\xbf[main]\npage_rows = 9\n"),
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        kit_write("learnt", files[i]);
        learnt_read(kit_folder, &accounts);
        nothing_is_known();
    }
    learnt_read(kit_path("none"), &accounts);
    assert_int_equal(remove(kit_path("learnt")), 0);
    assert_int_equal(mkdir(kit_path("learnt"), 0700), 0);
    learnt_read(kit_folder, &accounts);
    nothing_is_known();
}

static void white_space_and_ends_of_lines_do_not_matter(void **state)
{
    (void)state;
    kit_write("learnt", S("  [main] \r\n\tpage_rows=8\r\n plan   =   Lite  \r\n upper_case = 1"));
    learnt_read(kit_folder, &accounts);
    assert_int_equal(list[0].learnt_page_rows, 8);
    assert_string_equal(list[0].subscription.plan, "Lite");
    assert_true(list[0].seen.upper_case);
}

static void a_long_name_is_cut(void **state)
{
    (void)state;
    char text[300] = "[main]\nplan = ";
    size_t n = strlen(text);
    memset(text + n, 'x', sizeof text - n);
    kit_write("learnt", slice_of(text, sizeof text));
    learnt_read(kit_folder, &accounts);
    assert_int_equal(strlen(list[0].subscription.plan), SUBSCRIPTION_NAME_SIZE - 1);
}

/* It is read up to an end, whatever its size. */
static void a_file_without_end_is_not_read_whole(void **state)
{
    (void)state;
    static char lines[1024 * 1024];
    memset(lines, '\n', sizeof lines);
    memcpy(lines, "[main]\npage_rows = 7\n", 21);
    kit_write("learnt", slice_of(lines, sizeof lines));
    FILE *f = fopen(kit_path("learnt"), "ae");
    fputs("page_rows = 9\n", f);
    fclose(f);
    learnt_read(kit_folder, &accounts);
    assert_int_equal(list[0].learnt_page_rows, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, begin, end),
        cmocka_unit_test_setup_teardown(it_is_written_when_there_is_news, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said_and_the_old_file_stays, begin, end),
        cmocka_unit_test_setup_teardown(files_of_others_say_nothing, begin, end),
        cmocka_unit_test_setup_teardown(white_space_and_ends_of_lines_do_not_matter, begin, end),
        cmocka_unit_test_setup_teardown(a_long_name_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(a_file_without_end_is_not_read_whole, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
