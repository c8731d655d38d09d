/* SPDX-License-Identifier: MIT
 * The line reader: form, numbers, comments, ends of lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "config/line.h"

/* All lines as "NUMBER[name]", "NUMBER name=value" or "NUMBER!", a '|' behind each. */
static void expect(struct slice text, const char *expected)
{
    struct buffer got = { 0 };
    struct config_lines lines = { .rest = text };
    struct config_line line;
    while (config_line_next(&lines, &line)) {
        buffer_printf(&got, "%d", line.number);
        if (line.kind == CONFIG_LINE_SECTION)
            buffer_printf(&got, "[%.*s]|", SLICE_ARGS(line.name));
        else if (line.kind == CONFIG_LINE_SETTING)
            buffer_printf(&got, " %.*s=%.*s|", SLICE_ARGS(line.name), SLICE_ARGS(line.value));
        else
            buffer_str(&got, "!|");
    }
    buffer_put(&got, '\0');
    assert_string_equal(got.p, expected);
    buffer_clear(&got);
}

static void sections_and_settings(void **state)
{
    (void)state;
    expect(S("[a]\nb = c\nd=e\n  f\t=\tg h \n"), "1[a]|2 b=c|3 d=e|4 f=g h|");
    expect(S("[ team  seo ]\n"), "1[team  seo]|");
    expect(S("a = b = c\n= d\n"), "1 a=b = c|2!|");
    expect(S("a b = c"), "1 a b=c|");
}

static void empty_values(void **state)
{
    (void)state;
    expect(S("a =\nb=\nc = ; nothing\nd =;nothing\ne=\t \n"), "1 a=|2 b=|3 c=|4 d=|5 e=|");
}

static void blank_lines_and_comments_are_counted(void **state)
{
    (void)state;
    expect(S(""), "");
    expect(S("\n\n ; [a]\n;b = c\n\t\nd = e"), "6 d=e|");
}

static void comments_begin_behind_a_blank(void **state)
{
    (void)state;
    expect(S("a = b ; c\nd = e;f\ng = h\t;i\nj = k;l ; m ; n\n[o];p\n[q] ; r\n"),
           "1 a=b|2 d=e;f|3 g=h|4 j=k;l|5[o]|6[q]|");
    expect(S("a ; = b\n"), "1!|");
}

static void ends_of_lines(void **state)
{
    (void)state;
    expect(S("a = b\r\n\r\n[c]\r\n; d\r\ne = f\r"), "1 a=b|3[c]|5 e=f|");
    expect(S("a = b\r\r\nc = d\re = f\n"), "1!|2!|");
    expect(S("\r"), "");
}

static void byte_order_mark(void **state)
{
    (void)state;
    expect(S("\xEF\xBB\xBF[a]\n"), "1[a]|");
    expect(S("\xEF\xBB\xBF"), "");
    expect(S("[a]\n\xEF\xBB\xBF[b]\n"), "1[a]|2!|");
    expect(S("\xEF\xBB\xBF\xEF\xBB\xBF[a]\n"), "1!|");
}

static void control_bytes(void **state)
{
    (void)state;
    expect(S("a = \0b\n; \x01\n\x7F\n[\x1b]\nfine = 1\n"), "1!|2!|3!|4!|5 fine=1|");
    for (int c = 0; c < 256; c++) {
        char text[] = { 'a', '=', 'x', (char)c, 'x' };
        bool fine = (c >= 0x20 && c < 0x7F) || c == '\t';
        struct config_lines lines = { .rest = slice_of(text, sizeof text) };
        struct config_line line;
        assert_true(config_line_next(&lines, &line));
        if (c != '\n')
            assert_int_equal(line.kind, fine ? CONFIG_LINE_SETTING : CONFIG_LINE_FAULT);
    }
}

static void utf8(void **state)
{
    (void)state;
    expect(S("a = \xC3\xA9\nb = \xC3\nc = d ; \xE9\n; \xE9\n\xE9 = f\n[\xC0\x80]\n"), "1 a=\xC3\xA9|2!|3 c=d|5!|6!|");
}

static void what_is_no_line(void **state)
{
    (void)state;
    expect(S("words\n[a\n[]\n[ ]\n[a] b\n# c\n] = d\n[a]]\n"), "1!|2!|3!|4!|5!|6!|7 ]=d|8!|");
}

static void long_lines(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    buffer_str(&text, "a=");
    while (text.n < CONFIG_LINE_MAX_BYTES)
        buffer_put(&text, 'x');
    struct config_lines lines = { .rest = buffer_slice(&text) };
    struct config_line line;
    assert_true(config_line_next(&lines, &line));
    assert_int_equal(line.kind, CONFIG_LINE_SETTING);
    assert_int_equal(line.value.n, CONFIG_LINE_MAX_BYTES - 2);
    buffer_str(&text, "x\nb = c\n");
    lines = (struct config_lines){ .rest = buffer_slice(&text) };
    assert_true(config_line_next(&lines, &line));
    assert_int_equal(line.kind, CONFIG_LINE_FAULT);
    assert_string_equal(line.why, "the line is too long; at most 65536 bytes");
    assert_true(config_line_next(&lines, &line));
    assert_int_equal(line.number, 2);
    assert_int_equal(line.kind, CONFIG_LINE_SETTING);
    buffer_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_settings),
        cmocka_unit_test(empty_values),
        cmocka_unit_test(blank_lines_and_comments_are_counted),
        cmocka_unit_test(comments_begin_behind_a_blank),
        cmocka_unit_test(ends_of_lines),
        cmocka_unit_test(byte_order_mark),
        cmocka_unit_test(control_bytes),
        cmocka_unit_test(utf8),
        cmocka_unit_test(what_is_no_line),
        cmocka_unit_test(long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
