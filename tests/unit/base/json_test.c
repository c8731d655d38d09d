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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(what_is_no_json_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
