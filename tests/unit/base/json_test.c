/* SPDX-License-Identifier: MIT
 * Looking into JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

static void members_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "{\"a\":1}", "1" },
        { " {\n\"b\" : [1,{\"a\":2}] , \"a\":\t{ \"x\" : \"}\\\"\" } } ", "{ \"x\" : \"}\\\"\" }" },
        { "{\"a\":1,\"a\":-0.5e+3}", "-0.5e+3" },
        { "{\"b\":\"\\u00e9\\n\",\"a\":null}", "null" },
        { "{\"a\":[]}", "[]" },
        { "{\"a\":\"\xC3\xA9\"}", "\"\xC3\xA9\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice value;
        assert_true(json_member(slice_str(cases[i][0]), S("a"), &value));
        assert_true(slice_eq(value, slice_str(cases[i][1])));
    }
}

static void what_is_no_json_has_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "1",
        "[{\"a\":1}]",
        "{\"a\":1",
        "{\"a\":1}x",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\xC3\"}",
        "{\"\\u0061\":1}",
        "{\"b\":{\"a\":1}}",
        "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
        "{\"a\":1}{\"a\":2}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice value;
        if (json_member(slice_str(cases[i]), S("a"), &value))
            fail_msg("%s", cases[i]);
    }
}

static void a_walk_gives_all_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names[3], *values[3];
        size_t n;
        bool failed;
    } cases[] = {
        { "[]", { 0 }, { 0 }, 0, false },
        { " { } ", { 0 }, { 0 }, 0, false },
        { "[1, [2] ,{\"a\":3}]", { "", "", "" }, { "1", "[2]", "{\"a\":3}" }, 3, false },
        { "{\"a\" :1,\"a\":\"x\"}", { "a", "a" }, { "1", "\"x\"" }, 2, false },
        { "", { 0 }, { 0 }, 0, true },
        { "1", { 0 }, { 0 }, 0, true },
        { "[1,]", { "" }, { "1" }, 1, true },
        { "[1 2]", { "" }, { "1" }, 1, true },
        { "[1]]", { "" }, { "1" }, 1, true },
        { "{\"a\":1]", { "a" }, { "1" }, 1, true },
        { "{\"a\"}", { 0 }, { 0 }, 0, true },
        { "[1", { "" }, { "1" }, 1, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_walk walk;
        struct slice name, value;
        size_t n = 0;
        json_walk_begin(&walk, slice_str(cases[i].text));
        while (json_walk_next(&walk, &name, &value)) {
            assert_true(n < cases[i].n);
            assert_true(slice_eq(name, slice_str(cases[i].names[n])));
            assert_true(slice_eq(value, slice_str(cases[i].values[n])));
            n++;
        }
        if (n != cases[i].n || walk.failed != cases[i].failed)
            fail_msg("%s: %zu, %s", cases[i].text, n, walk.failed ? "failed" : "whole");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(what_is_no_json_has_none),
        cmocka_unit_test(a_walk_gives_all_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
