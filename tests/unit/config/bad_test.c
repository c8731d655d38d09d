/* SPDX-License-Identifier: MIT
 * bad/NAME.conf is refused with exactly the lines of bad/NAME.expect. UPDATE_EXPECT=1 writes them anew, for review. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/config.h"

static const char folder[] = SOURCE_DIR "/tests/unit/config/bad";

static bool read_all(const char *name, struct buffer *text)
{
    struct buffer path = { 0 };
    buffer_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.p, "rb");
    buffer_clear(&path);
    if (!file)
        return false;
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        buffer_put(text, (char)c);
    fclose(file);
    return true;
}

static void update(const char *name, struct slice text)
{
    struct buffer path = { 0 };
    buffer_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.p, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
    buffer_clear(&path);
}

/* 1 when the file is not refused as expected, 0 when it is. */
static int run(const char *conf)
{
    struct buffer text = { 0 }, expected = { 0 }, errors = { 0 }, expect = { 0 };
    buffer_printf(&expect, "%.*s.expect", (int)(strlen(conf) - strlen(".conf")), conf);
    assert_true(read_all(conf, &text));
    struct config *c = config_parse(conf, buffer_slice(&text), &errors);
    if (getenv("UPDATE_EXPECT"))
        update(expect.p, buffer_slice(&errors));
    bool read = read_all(expect.p, &expected);
    bool good = !c && read && slice_eq(buffer_slice(&expected), buffer_slice(&errors));
    if (!good)
        print_error("%s: expected:\n%.*sgot:\n%.*s%s\n", conf, SLICE_ARGS(buffer_slice(&expected)),
                    SLICE_ARGS(buffer_slice(&errors)), c ? "(it was taken)" : "");
    config_free(c);
    buffer_clear(&text);
    buffer_clear(&expected);
    buffer_clear(&errors);
    buffer_clear(&expect);
    return !good;
}

static void bad_files_are_refused_as_expected(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int cases = 0, failed = 0, expects = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        struct slice name = slice_str(entry->d_name);
        expects += slice_ends(name, S(".expect"));
        if (!slice_ends(name, S(".conf")))
            continue;
        cases++;
        failed += run(entry->d_name);
    }
    closedir(dir);
    assert_true(cases > 20);
    assert_int_equal(cases, expects);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bad_files_are_refused_as_expected) };
    unsetenv("CREDENTIALS_DIRECTORY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
