/* SPDX-License-Identifier: MIT
 * From one configuration to the next: what a reload takes over, and what stays until a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/find.h"

static struct config *parse(const char *text)
{
    struct buffer errors = { 0 };
    struct config *c = config_parse("test.conf", slice_str(text), &errors);
    buffer_put(&errors, '\0');
    if (!c)
        fail_msg("%s", errors.p);
    buffer_clear(&errors);
    return c;
}

static void expect_changes(const char *before, const char *after, const char *names)
{
    struct config *a = parse(before), *b = parse(after);
    struct buffer found = { 0 };
    assert_int_equal(config_changes(a, b, &found), names[0] != 0);
    buffer_put(&found, '\0');
    assert_string_equal(found.p, names);
    buffer_clear(&found);
    config_free(a);
    config_free(b);
}

static void changes_are_named(void **state)
{
    (void)state;
    static const char before[] = "[upstream]\nunits_per_month = 1\n[team a]\n[team b]\nsubscription = X\n[team c]\n";
    expect_changes(before, before, "");
    expect_changes(before,
                   "[proxy]\nfree_targets = example.com\nerror_status = http\n[upstream]\nunits_per_month = 2\n"
                   "[fidelity]\nstats = zero\n[team d]\n[team a]\nrows_per_month = 0\n[team c]\n",
                   "[proxy] error_status, [proxy] free_targets, [upstream] units_per_month, [fidelity] stats, "
                   "[team d] comes, [team a] rows_per_month, [team b] goes");
    expect_changes(before,
                   "[proxy]\nlisten = 127.0.0.1:1\n[upstream]\nunits_per_month = 1\n[team c]\n"
                   "[team b]\nsubscription = X\n[team a]\n",
                   "");
}

static void a_restart_keeps_its_values(void **state)
{
    (void)state;
    struct config *running = parse("[proxy]\nlisten = 127.0.0.1:1\nqueue_timeout = 1s\nerror_status = v2\n"
                                   "[upstream]\nunits_per_month = 7\n[team a]\n");
    struct config *next = parse("[proxy]\nlisten = 127.0.0.1:2\nqueue_timeout = 2s\nerror_status = http\n"
                                "[upstream]\nunits_per_month = 8\n[team a]\n[team b]\nrows_per_month = 3\n");
    config_keep(running, next);
    assert_string_equal(next->listen.word[0], "127.0.0.1:1");
    assert_int_equal(next->queue_timeout_ms, 1000);
    assert_int_equal(next->error_status, ERROR_STATUS_HTTP);
    assert_int_equal(next->units_per_month, 8);
    assert_int_equal(config_team(next, S("b"))->rows_per_month, 3);
    config_free(next);
    config_free(running);
}

/* Without a limit the real v3 is never asked: not even when a loopback url excused the limit, and the url stays. */
static void a_kept_url_keeps_its_limit(void **state)
{
    (void)state;
    struct config *running = parse("[upstream]\nunits_per_month = 7\n");
    struct config *next = parse("[upstream]\nurl = http://127.0.0.1:1/v3\n");
    config_keep(running, next);
    assert_string_equal(next->url, "https://api.ahrefs.com/v3");
    assert_int_equal(next->units_per_month, 7);
    config_free(next);
    config_free(running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_named),
        cmocka_unit_test(a_restart_keeps_its_values),
        cmocka_unit_test(a_kept_url_keeps_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
