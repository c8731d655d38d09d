/* SPDX-License-Identifier: MIT
 * What is not passed on to people's eyes, and what is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/shown.h"
#include "base/text.h"

#define MARK "\xEF\xBF\xBD"

static void shows(const char *name, const char *shown)
{
    struct buffer b = { 0 }, whole = { 0 };
    shown_append(&b, slice_str(name));
    if (!slice_eq(buffer_slice(&b), slice_str(shown)))
        fail_msg("%s is shown as %.*s", name, SLICE_ARGS(buffer_slice(&b)));
    assert_int_equal(shown_is_plain(slice_str(name)), strcmp(name, shown) == 0);
    buffer_str(&whole, "\x1b");
    buffer_str(&whole, name);
    shown_clean(&whole, 1);
    if (!strchr(name, '\n'))
        assert_true(slice_eq(slice_from(buffer_slice(&whole), 1), slice_str(shown)));
    buffer_clear(&b);
    buffer_clear(&whole);
}

static void names(void **state)
{
    (void)state;
    shows("", "");
    shows("reports of the week", "reports of the week");
    shows("b\xC3\xBC"
          "cher \xE2\x82\xAC \xF0\x9F\x98\x80 \xC2\xA0",
          "b\xC3\xBC"
          "cher \xE2\x82\xAC \xF0\x9F\x98\x80 \xC2\xA0");
    shows("\xD8\xA7\xD9\x84 \xD7\xA9", "\xD8\xA7\xD9\x84 \xD7\xA9"); /* letters from right to left */
    shows("a\x1b[31mb\x7F\tc", "a" MARK "[31mb" MARK MARK "c");
    shows("\xC2\x9B"
          "31m\xC2\x80\xC2\x9F",
          MARK "31m" MARK MARK);
    shows("moc.\xE2\x80\xAE"
          "evil\xE2\x80\xAC",
          "moc." MARK "evil" MARK);
    shows("\xE2\x81\xA5\xE2\x81\xAA\xE2\x80\x8D\xE2\x80\x90\xE2\x80\xA7\xE2\x80\xAF\xD8\x9B\xD8\x9D",
          "\xE2\x81\xA5\xE2\x81\xAA\xE2\x80\x8D\xE2\x80\x90\xE2\x80\xA7\xE2\x80\xAF\xD8\x9B\xD8\x9D");
    shows("\xFF\xC3(\xE2\x80", MARK MARK "(" MARK MARK);
}

static void each_character_that_acts(void **state)
{
    (void)state;
    static const uint32_t ranges[][2] = { { 1, 0x1F },        { 0x7F, 0x9F },     { 0x61C, 0x61C },
                                          { 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2066, 0x2069 } };
    for (uint32_t c = 1; c < 0x3000; c++) {
        char text[5] = "";
        bool acts = false;
        for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
            acts |= c >= ranges[i][0] && c <= ranges[i][1];
        size_t n = utf8_encode(c, text);
        shows(text, acts ? MARK : text);
        struct buffer json = { 0 };
        buffer_json_any(&json, slice_of(text, n));
        if (acts && (json.n < 2 || json.p[0] != '\\'))
            fail_msg("U+%04X stands as it is in JSON", (unsigned)c);
        buffer_clear(&json);
    }
}

static void lines_stay_where_they_are_ours(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    buffer_str(&b, "one\ntwo\x07\n\r\n");
    shown_clean(&b, 0);
    assert_true(slice_eq(buffer_slice(&b), S("one\ntwo" MARK "\n" MARK "\n")));
    buffer_clear(&b);
    shown_clean(&b, 0);
    assert_int_equal(b.n, 0);
}

/* A long text of nothing but such characters costs no more than its bytes. */
static void a_long_text(void **state)
{
    (void)state;
    struct buffer in = { 0 }, out = { 0 };
    for (int i = 0; i < 500000; i++)
        buffer_str(&in, "\xC2\x9B");
    shown_append(&out, buffer_slice(&in));
    assert_int_equal(out.n, 1500000);
    buffer_clear(&in);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(each_character_that_acts),
        cmocka_unit_test(lines_stay_where_they_are_ours),
        cmocka_unit_test(a_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
