/* SPDX-License-Identifier: MIT
 * Tokens, and what spreadsheets make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/ledger/command/token.h"

static void is_taken(const char *token)
{
    struct buffer wrong = { 0 };
    if (!token_check(slice_str(token), &wrong))
        fail_msg("%s: %.*s", token, SLICE_ARGS(buffer_slice(&wrong)));
    assert_int_equal(wrong.n, 0);
}

/* And is not said again. */
static void is_refused(const char *token, const char *why)
{
    struct buffer wrong = { 0 };
    if (token_check(slice_str(token), &wrong))
        fail_msg("%s is taken", token);
    buffer_put(&wrong, '\0');
    if (!strstr(wrong.p, why) || (strlen(token) > 2 && strstr(wrong.p, token)))
        fail_msg("%s: %s", token, wrong.p);
    buffer_clear(&wrong);
}

static void tokens_of_programs(void **state)
{
    (void)state;
    is_taken("0123456789abcdef0123456789abcdef01234567");
    is_taken("1234567890123456789012345678901234567890");
    is_taken("12345678901234567890e1234567890123456789"); /* digits with one e among them */
    is_taken("1e39");
    is_taken("a");
    is_taken("-_.~!*(),;/?:@&$+=%[]{}|^`<>");
    is_taken("t\"1");
    is_taken("100000");
    is_taken("1000000000000000000");
    is_taken("1.2.0");
    is_taken("0000000000000000000000000000000000000000"); /* no number begins so */
}

static void what_a_spreadsheet_makes_of_them(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "1.23457E+39",  "1,23457E+39",   "1.23457e+39",          "1E+39",
        "1e-05",        "1.5E39",        "12345.6E-7",           "1.2345678901234567e+39",
        "1234567890.0", "1234567890,00", "12345678901234500000", "1234567890123450000000000000000000000000"
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        is_refused(numbers[i], "a number of the token");
    is_refused("'0123456789abcdef", "quote");
    is_refused("\"0123456789abcdef\"", "quote");
    is_refused("0123456789abcdef'", "quote");
    is_refused("=\"0123456789\"", "quote");
    is_refused("=A1", "formula");
    is_refused("#######", "hidden");
}

static void what_is_no_word(void **state)
{
    (void)state;
    char longest[514];
    memset(longest, 'x', sizeof longest);
    longest[513] = '\0';
    is_refused(longest, "too long");
    longest[512] = '\0';
    is_taken(longest);
    is_refused("", "empty");
    is_refused("0123 4567", "space");
    is_refused("0123\t4567", "space");
    is_refused("0123\x7F", "space");
    is_refused("0123\xC2\xA0"
               "4567",
               "ASCII");
    is_refused("\xE2\x80\x98"
               "0123",
               "ASCII");
    is_refused("\xEF\xBB\xBF"
               "0123",
               "ASCII");
    is_refused("\xFF", "ASCII");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_programs),
        cmocka_unit_test(what_a_spreadsheet_makes_of_them),
        cmocka_unit_test(what_is_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
