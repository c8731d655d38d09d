/* SPDX-License-Identifier: MIT
 * A call's own token in the wrong place. */
#include "tests/unit/mapping/kit.h"

#include "mapping/params.h"

static void expect(const char *token, const char *text, const char *shown)
{
    struct arena *memory = arena_new(1 << 20);
    struct params p = { .value[PARAM_TOKEN] = slice_str(token) };
    struct slice got = params_without_token(&p, slice_str(text), memory);
    assert_slice_equal(got, slice_str(shown));
    arena_free(memory);
}

static void the_token_is_not_shown(void **state)
{
    (void)state;
    expect("secret-token", "nothing", "nothing");
    expect("secret-token", "", "");
    expect("secret-token", "secret-token", "[token]");
    expect("secret-token", "no table \"SECRET-Token\" and secret-toke", "no table \"[token]\" and secret-toke");
    expect("secret-token", "secret-tokensecret-token/secret-token", "[token][token]/[token]");
    expect("aaaaaaaa", "aaaaaaaaa", "[token]a");
    expect("", "text", "text");
    expect("1234567", "x%311234567y %31234567", "x%31[token]y [token]");
}

static void without_memory_nothing_is_shown(void **state)
{
    (void)state;
    enum { LONG = 1 << 20 };
    struct arena *memory = arena_new(64);
    struct params p = { .value[PARAM_TOKEN] = S("secret-token") };
    char *text = malloc(LONG);
    memset(text, 'x', LONG);
    memcpy(text, "secret-token", 12);
    assert_int_equal(params_without_token(&p, slice_of(text, LONG), memory).n, 0);
    free(text);
    arena_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_not_shown),
        cmocka_unit_test(without_memory_nothing_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
