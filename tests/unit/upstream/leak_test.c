/* SPDX-License-Identifier: MIT
 * Pieces of a secret in a stranger's words, plain and dressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proxy/upstream/leak.h"

static const struct slice key = SLICE("SeCrEt-KeY_0123456789abcdef");

static void eight_in_a_row_are_found(void **state)
{
    (void)state;
    static const char *const leaks[] = {
        "the key SeCrEt-KeY_0123456789abcdef is wrong",
        "it ends with 89abcdef",
        "begins with secretke",
        "SECRET KEY 0",
        "S e c r e t - K e y",
        "s.e.c.r.e.t:k:e",
        "01234<b>5</b>67",
        "<i>01</i><i>23</i>\n<a href='x'>45</a>67",
        "<a title=\"01234567\">x</a>",
        "0123\xe2\x80\x8b"
        "4567",
        "0123\xc2\xad"
        "4567",
        "%30%31%32%33%34%35%36%37",
        "0123%204567",
        "%2530%2531%2532%2533%2534%2535%2536%2537",
        "&#48;&#49;&#50;&#51;&#52;&#53;&#54;&#55;",
        "&#x30;&#x31;&#X32;3&#x34 567",
        "&#x0000000030;1234567",
        "\\u0030\\u0031\\u0032\\u0033\\x34567",
        "%26%2348%3B1234567",
        "012\\n34567",
        "01234567",
    };
    for (size_t i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++) {
        if (!text_leaks(slice_str(leaks[i]), key)) {
            fail_msg("not found in: %s", leaks[i]);
        }
    }
}

static void harmless_words_stay(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "",
        "API units limit reached. Expected usage: 50, API units left: 0.",
        "0123456",
        "secretk",
        "1124567893 is no target",
        "abcdef0123456x789",
        "76543210",
        "<html><body>Page under maintenance</body></html>",
        "100% of the limit, %zz &#; &#x; \\u00 \\x",
        "<0123> 456",
        "%",
        "\\",
        "&#99999999999999999999;",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        if (text_leaks(slice_str(fine[i]), key)) {
            fail_msg("found in: %s", fine[i]);
        }
    }
    assert_false(text_leaks(S("whatever"), S("")));
    assert_false(text_leaks(S("whatever"), S("-_-")));
}

static void short_secrets_are_looked_for_whole(void **state)
{
    (void)state;
    assert_true(text_leaks(S("your key a-b.C"), S("abc")));
    assert_false(text_leaks(S("your key ab"), S("abc")));
    assert_true(text_leaks(S("is it 1234 5678?"), S("12345678")));
    assert_false(text_leaks(S("is it 1234 567?"), S("12345678")));
}

/* A hostile v3 chooses up to 8 KiB; the loop must not feel them. */
static void it_is_linear(void **state)
{
    (void)state;
    static char text[1 << 20];
    static const char *const parts[] = { "0123456", "%250123456", "<b>0123456</b>", "&#48;123456", "<" };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strlen(parts[i]);
        for (size_t at = 0; at + n <= sizeof(text); at += n) {
            memcpy(text + at, parts[i], n);
        }
        int64_t before = clock_monotonic_ms();
        (void)text_leaks(slice_of(text, sizeof(text)), S("0123456x0123456y0123456z"));
        assert_in_range(clock_monotonic_ms() - before, 0, 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_in_a_row_are_found),
        cmocka_unit_test(harmless_words_stay),
        cmocka_unit_test(short_secrets_are_looked_for_whole),
        cmocka_unit_test(it_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
