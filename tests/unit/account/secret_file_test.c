/* SPDX-License-Identifier: MIT
 * Files that hold a secret, and files that hold none. */
#include "tests/unit/kit.h"

#include <sys/stat.h>

#include "proxy/account/secret_file.h"

static const struct {
    const char *what;
    struct slice bytes;
    const char *secret; /* NULL: refused */
    const char *why;
} files[] = {
    { "a word", SLICE("key"), "key", NULL },
    { "as an editor leaves it", SLICE("key\n"), "key", NULL },
    { "white space on both sides", SLICE(" \t\r\nk-e_y=.~!\r\n\n "), "k-e_y=.~!", NULL },
    { "nothing", SLICE(""), NULL, "this is no API v3 key: one word of printable characters is expected" },
    { "only white space", SLICE(" \n\n"), NULL, "this is no API v3 key" },
    { "two words", SLICE("one two"), NULL, "this is no API v3 key" },
    { "two lines", SLICE("one\ntwo\n"), NULL, "this is no API v3 key" },
    { "a NUL", SLICE("k\0y"), NULL, "this is no API v3 key" },
    { "a header of its own", SLICE("key\r\nX-Other: 1"), NULL, "this is no API v3 key" },
    { "a control character", SLICE("k\x1by"), NULL, "this is no API v3 key" },
    { "DEL", SLICE("key\x7f"), NULL, "this is no API v3 key" },
    { "no ASCII", SLICE("k\xc3\xa9y"), NULL, "this is no API v3 key" },
    { "a mark of order", SLICE("\xef\xbb\xbfkey"), NULL, "this is no API v3 key" },
};

static void one_word_is_a_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct buffer key = { 0 }, why = { 0 };
        kit_write("key", files[i].bytes);
        if (secret_file_read_key(kit_path("key"), &key, &why) != (files[i].secret != NULL))
            fail_msg("%s", files[i].what);
        if (files[i].secret)
            kit_expect(&key, files[i].secret);
        else
            kit_expect_in(&why, files[i].why);
        assert_int_equal(key.n, 0);
        assert_int_equal(why.n, 0);
    }
}

/* What is read stands behind what was there. */
static void a_key_is_appended(void **state)
{
    (void)state;
    struct buffer key = { 0 }, why = { 0 };
    kit_write("key", S("behind"));
    buffer_str(&key, "before ");
    assert_true(secret_file_read_key(kit_path("key"), &key, &why));
    kit_expect(&key, "before behind");
}

static void a_key_has_an_end(void **state)
{
    (void)state;
    static char bytes[5000];
    struct buffer key = { 0 }, why = { 0 };
    memset(bytes, 'k', sizeof bytes);
    kit_write("key", slice_of(bytes, 4095));
    assert_true(secret_file_read_key(kit_path("key"), &key, &why));
    assert_int_equal(key.n, 4095);
    buffer_clear(&key);
    kit_write("key", slice_of(bytes, 4096)); /* more may come behind it */
    assert_false(secret_file_read_key(kit_path("key"), &key, &why));
    kit_expect_in(&why, "this is no API v3 key");
    assert_int_equal(key.n, 0);
    assert_false(secret_file_read_key("/dev/zero", &key, &why));
    kit_expect_in(&why, "/dev/zero: this is no API v3 key");
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct buffer key = { 0 }, why = { 0 };
    assert_false(secret_file_read_key(kit_path("none"), &key, &why));
    kit_expect_in(&why, "none: No such file or directory");
    assert_false(secret_file_read_key(kit_folder, &key, &why));
    kit_expect_in(&why, "cannot read the API v3 key: ");
    assert_false(secret_file_read_token(kit_path("none"), &key, &why));
    kit_expect_in(&why, "cannot read the token of the admin side: ");
    assert_int_equal(key.n, 0);
}

static void a_key_may_be_short_a_token_not(void **state)
{
    (void)state;
    struct buffer token = { 0 }, why = { 0 };
    kit_write("token", S("0123456789abcde\n"));
    assert_false(secret_file_read_token(kit_path("token"), &token, &why));
    kit_expect_in(&why, "this token can be guessed: at least 16 characters are expected");
    buffer_clear(&token);
    kit_write("token", S("0123456789abcdef\n"));
    assert_true(secret_file_read_token(kit_path("token"), &token, &why));
    kit_expect(&token, "0123456789abcdef");
    assert_int_equal(why.n, 0);
}

static int begin(void **state)
{
    (void)state;
    kit_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    kit_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_word_is_a_key),
        cmocka_unit_test(a_key_is_appended),
        cmocka_unit_test(a_key_has_an_end),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(a_key_may_be_short_a_token_not),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
