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

/* The ignored names of a query, as a header has them; the query is read twice, as query and as form. */
static void expect_ignored(const char *query, const char *shown)
{
    struct arena *memory = arena_new(1 << 20);
    struct params p = { 0 };
    struct buffer out = { 0 };
    assert_true(params_add(&p, slice_str(query), memory) && params_add(&p, slice_str(query), memory));
    params_write_ignored(&p, &out);
    assert_slice_equal(buffer_slice(&out), slice_str(shown));
    buffer_clear(&out);
    arena_free(memory);
}

#define X10 "xxxxxxxxxx"

static void what_v2_did_not_have_is_named(void **state)
{
    (void)state;
    expect_ignored("", "");
    expect_ignored("from=a&target=b&mode=c&select=d&where=e&having=f&order_by=g&limit=h&offset=i&output=j&token=k", "");
    expect_ignored("from=anchors&timeout=600&timeout=5&sort=x&data&%73ort", "timeout,sort,data");
    expect_ignored("=x&&%=1&a%zz&b%ff=1&c%00&%0d%0a=2", "%25,a%25zz,b%FF,c%00,%0D%0A");
    expect_ignored("Target=x&where[]=1&where%5b%5D=2&+limit=1&\xC3\xA4=1&a,b;c=1", /* names are as they are spelt */
                   "Target,where%5B%5D,%20limit,%C3%A4,a%2Cb%3Bc");
    expect_ignored("A-Z_a.z0=&A-Z_a.z0&~=1&...=1", "A-Z_a.z0,%7E,...");
    expect_ignored("a&b&c&d&e&f&g&h", "a,b,c,d,e,f,g,h");
    expect_ignored("a&b&c&d&e&f&g&h&a&i&j", "a,b,c,d,e,f,g,h,...");
    expect_ignored(X10 X10 X10 X10 X10 X10 "1234=", X10 X10 X10 X10 X10 X10 "1234");
    expect_ignored(X10 X10 X10 X10 X10 X10 "12345&" X10 X10 X10 X10 X10 X10 "12346", X10 X10 X10 X10 X10 X10 "1234");
    expect_ignored(X10 X10 X10 X10 X10 X10 "12[]", X10 X10 X10 X10 X10 X10 "12");
    expect_ignored("token=secret-token&secret-token&x%73ecret-token=1&secret%2dtoken", "%5Btoken%5D,x%5Btoken%5D");
}

static void expect_twice(const char *query, bool of_list, const char *marks)
{
    struct arena *memory = arena_new(1 << 20);
    struct params p = { 0 };
    struct buffer out = { 0 };
    assert_true(params_add(&p, slice_str(query), memory));
    params_write_twice(&p, of_list, &out);
    assert_slice_equal(buffer_slice(&out), slice_str(marks));
    buffer_clear(&out);
    arena_free(memory);
}

static void what_came_twice_is_marked(void **state)
{
    (void)state;
    expect_twice("limit=1&limit=1&limit=%31&limit=&limit", true, "");
    expect_twice("limit=&limit=1", true, "");
    expect_twice("limit=1&limit=2&limit=3", true, "twice.limit");
    expect_twice("limit=1&limit=%2", true, "twice.limit");
    expect_twice("limit=%2&limit=%2", true, "twice.limit"); /* nobody knows whether they are the same */
    expect_twice("mode=a&from=a&mode=b&from=b&where=a&where=b", true, "twice.from,twice.mode,twice.where");
    expect_twice("mode=a&from=a&mode=b&from=b&output=a&output=b&target=a&target=b", false, "twice.from,twice.output");
}

static void expect_text(const char *query, const char *form, const char *text)
{
    struct buffer out = { 0 };
    params_write_text(slice_str(query), &out);
    params_write_text(slice_str(form), &out);
    assert_slice_equal(buffer_slice(&out), slice_str(text));
    buffer_clear(&out);
}

static void a_call_is_kept_without_its_token(void **state)
{
    (void)state;
    expect_text("", "", "");
    expect_text("token=abc", "token=abc", "");
    expect_text("from=anchors&token=abc&limit=1", "", "from=anchors&limit=1");
    expect_text("t%6fken=abc&%74%6F%6b%65%6E=abc&from=a&&token&token=", "", "from=a");
    expect_text("from=a", "target=b&token=abc&tok=1", "from=a&target=b&tok=1");
    expect_text("Token=1&token%20=2&tokens=3&%74oken%zz=4", "", "Token=1&token%20=2&tokens=3&%74oken%zz=4");
}

static void names_of_what_is_there(void **state)
{
    (void)state;
    struct arena *memory = arena_new(1 << 20);
    struct params p = { 0 };
    struct buffer out = { 0 };
    assert_true(params_add(&p, S("token=a&limit=%2&from=b&mode=c&where=&x=1"), memory));
    params_write_names(&p, &out);
    assert_slice_equal(buffer_slice(&out), S(" mode,limit"));
    buffer_clear(&out);
    arena_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_not_shown),           cmocka_unit_test(without_memory_nothing_is_shown),
        cmocka_unit_test(what_v2_did_not_have_is_named),    cmocka_unit_test(what_came_twice_is_marked),
        cmocka_unit_test(a_call_is_kept_without_its_token), cmocka_unit_test(names_of_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
