/* SPDX-License-Identifier: MIT
 * The cookie runs out, is nobody else's, and wrong tokens close the form for a minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/admin/sign_in.h"

enum { NOW_MS = 1796000000, SECOND = 1000 };

static void a_cookie_runs_out(void **state)
{
    (void)state;
    struct sign_in ours, others;
    struct buffer cookie = { 0 };
    assert_true(sign_in_begin(&ours, S("0123456789abcdef")) && sign_in_begin(&others, S("0123456789abcdef")));
    sign_in_cookie(&ours, NOW_MS, &cookie);
    int64_t last_ms = (int64_t)NOW_MS + (int64_t)SIGN_IN_SECONDS * SECOND - 1;
    assert_true(sign_in_is_valid(&ours, buffer_slice(&cookie), NOW_MS));
    assert_true(sign_in_is_valid(&ours, buffer_slice(&cookie), last_ms - SECOND));
    assert_false(sign_in_is_valid(&ours, buffer_slice(&cookie), last_ms + 1));
    assert_false(sign_in_is_valid(&others, buffer_slice(&cookie), NOW_MS));
    assert_false(sign_in_is_valid(&ours, slice_of(cookie.p, cookie.n - 1), NOW_MS));
    assert_false(sign_in_is_valid(&ours, S(""), NOW_MS));
    buffer_clear(&cookie);
}

static void wrong_tokens_close_the_form(void **state)
{
    (void)state;
    struct sign_in s;
    assert_true(sign_in_begin(&s, S("0123456789abcdef")));
    for (int i = 0; i < 30; i++) /* one in seven seconds is fine for ever */
        sign_in_was_wrong(&s, NOW_MS + i * 7 * SECOND);
    int64_t now = NOW_MS + 1000 * SECOND;
    assert_int_equal(sign_in_closed_s(&s, now), 0);
    for (int i = 0; i < SIGN_IN_MAX_WRONG; i++) {
        assert_int_equal(sign_in_closed_s(&s, now), 0);
        sign_in_was_wrong(&s, now + i);
    }
    now += SIGN_IN_MAX_WRONG - 1;
    assert_int_equal(sign_in_closed_s(&s, now), 60);
    assert_int_equal(sign_in_closed_s(&s, now + 59999), 1);
    assert_int_equal(sign_in_closed_s(&s, now + 60000), 0);
    assert_int_equal(sign_in_closed_s(&s, now - 5), 0); /* a clock that was set back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_runs_out),
        cmocka_unit_test(wrong_tokens_close_the_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
