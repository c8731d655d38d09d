/* SPDX-License-Identifier: MIT
 * Which keys there are, which team has which, and what is known of a key. */
#include "tests/unit/kit.h"

#include <event2/event.h>

#include "proxy/account/account.h"
#include "tests/unit/upstream/play.h"

#define NOWHERE "[upstream]\nurl = http://127.0.0.1:1/v3\napi_key_file = main.key\n"

static struct event_base *base;
static struct buffer why;

static struct accounts open_all(const struct config *c)
{
    struct accounts a;
    if (!accounts_open(&a, base, c, 1 << 20, &why))
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&why)));
    return a;
}

static const struct account *of_team(const struct accounts *a, const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_teams; i++)
        if (strcmp(c->teams[i].name, name) == 0)
            return accounts_of_team(a, &c->teams[i]);
    fail_msg("there is no team %s", name);
    return NULL;
}

/* ---- keys ---- */

static void files_with_one_key_are_one_account(void **state)
{
    (void)state;
    kit_write("main.key", S("first\n"));
    kit_write("same.key", S("  first"));
    kit_write("other.key", S("second"));
    struct config *c = kit_config(NOWHERE "[team plain]\n[team same]\napi_key_file = same.key\n"
                                          "[team other]\napi_key_file = other.key\n"
                                          "[team with_other]\napi_key_file = other.key\n");
    struct accounts a = open_all(c);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.n_files, 3);
    assert_ptr_equal(of_team(&a, c, "plain"), &a.list[0]);
    assert_ptr_equal(of_team(&a, c, "same"), &a.list[0]);
    assert_ptr_equal(of_team(&a, c, "other"), &a.list[1]);
    assert_ptr_equal(of_team(&a, c, "with_other"), &a.list[1]);
    assert_string_equal(a.list[0].label, "main");
    assert_string_equal(a.list[1].label, "other");
    assert_ptr_not_equal(a.list[0].upstream, a.list[1].upstream);
    assert_ptr_not_equal(a.list[0].cache, a.list[1].cache);
    assert_int_equal(cache_max_bytes(a.list[0].cache), 1 << 19); /* each has its part */
    accounts_close(&a);
    assert_int_equal(a.n, 0);
    config_free(c);
}

static void a_team_may_be_called_main(void **state)
{
    (void)state;
    kit_write("main.key", S("first"));
    kit_write("other.key", S("second"));
    struct config *c = kit_config(NOWHERE "[team main]\napi_key_file = other.key\n");
    struct accounts a = open_all(c);
    assert_string_equal(a.list[0].label, "main");
    assert_string_equal(a.list[1].label, "team main");
    accounts_close(&a);
    config_free(c);
}

/* A reload may name a file that was not read at the start. */
static void a_file_that_was_not_there_has_no_account(void **state)
{
    (void)state;
    kit_write("main.key", S("first"));
    kit_write("late.key", S("first"));
    struct config *c = kit_config(NOWHERE "[team seo]\n");
    struct config *next = kit_config(NOWHERE "[team seo]\napi_key_file = late.key\n");
    struct accounts a = open_all(c);
    assert_null(of_team(&a, next, "seo"));
    assert_ptr_equal(of_team(&a, c, "seo"), &a.list[0]);
    accounts_close(&a);
    config_free(c);
    config_free(next);
}

static void a_key_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct accounts a;
    kit_write("main.key", S("first"));
    kit_write("bad.key", S("no key"));
    struct config *c = kit_config(NOWHERE "[team good]\n[team bad]\napi_key_file = bad.key\n"
                                          "[team none]\napi_key_file = none.key\n");
    assert_false(accounts_open(&a, base, c, 1 << 20, &why));
    kit_expect_in(&why, "test.conf:5)");
    accounts_close(&a);
    assert_false(accounts_check(c, &why));
    buffer_put(&why, '\0');
    assert_non_null(strstr(why.p, "test.conf:5: [team bad] "));
    assert_non_null(strstr(why.p, "test.conf:7: [team none] cannot read the API v3 key"));
    assert_null(strstr(why.p, "no key"));
    buffer_clear(&why);
    assert_int_equal(remove(kit_path("main.key")), 0);
    assert_false(accounts_open(&a, base, c, 1 << 20, &why));
    kit_expect_in(&why, "test.conf:3)");
    accounts_close(&a);
    config_free(c);
}

static void keys_that_can_be_read_are_checked_without_a_word(void **state)
{
    (void)state;
    kit_write("main.key", S("first"));
    struct config *c = kit_config(NOWHERE "[team seo]\napi_key_file = main.key\n");
    assert_true(accounts_check(c, &why));
    assert_int_equal(why.n, 0);
    config_free(c);
}

/* ---- what is known ---- */

static void the_smaller_page_counts(void **state)
{
    (void)state;
    static const struct {
        const char *plan;
        int64_t learnt, rows;
    } rows[] = {
        { "", 0, 0 },           { "", 70, 70 },         { "Some plan", 0, 0 }, { "Some plan", 55, 55 },
        { "Enterprise", 0, 0 }, { "Enterprise", 9, 9 }, { "Lite", 0, 100 },    { "Lite", 40, 40 },
        { "Lite", 300, 100 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account a = { .subscription = subscription_unknown(), .learnt_page_rows = rows[i].learnt };
        snprintf(a.subscription.plan, sizeof a.subscription.plan, "%s", rows[i].plan);
        assert_int_equal(account_page_rows(&a), rows[i].rows);
    }
}

static void another_plan_is_learnt_anew(void **state)
{
    (void)state;
    struct account a = { .subscription = subscription_unknown(), .learnt_page_rows = 40 };
    struct subscription s = subscription_unknown();
    strcpy(s.plan, "Lite, billed monthly");
    account_take(&a, &s);
    assert_int_equal(a.learnt_page_rows, 40); /* it was learnt under this plan for all that is known */
    assert_true(a.looked_ms > 0);
    account_take(&a, &s);
    assert_int_equal(a.learnt_page_rows, 40);
    s.plan[0] = '\0';
    account_take(&a, &s);
    assert_int_equal(a.learnt_page_rows, 40);
    strcpy(s.plan, "Lite, billed monthly");
    account_take(&a, &s);
    strcpy(s.plan, "Advanced, billed monthly");
    account_take(&a, &s);
    assert_int_equal(a.learnt_page_rows, 0);
    assert_string_equal(a.subscription.plan, "Advanced, billed monthly");
}

/* ---- units that are out ---- */

static int n_told;

static void on_out_of_units(void *context)
{
    assert_ptr_equal(context, &n_told);
    n_told++;
}

static void on_done(void *context, const struct upstream_result *result)
{
    assert_int_equal(result->fault, FAULT_UPSTREAM_OUT_OF_UNITS);
    *(bool *)context = true;
}

static void ask_v3(struct account *a)
{
    static const struct upstream_callbacks callbacks = { .on_done = on_done };
    bool done = false;
    assert_non_null(
        upstream_start(a->upstream, S("/paid"), S("seo"), 1000, clock_monotonic_ms() + 10000, &callbacks, &done));
    while (!done)
        event_base_loop(base, EVLOOP_ONCE);
}

static void a_watch_is_told_when_the_units_of_its_key_are_out(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/v3/paid",
          .bytes = SLICE("HTTP/1.1 403 No\r\nContent-Length: 36\r\n\r\n{\"error\":\"API units limit reached.\"}") },
    };
    struct play *p = play_start(scenes, 1);
    kit_write("main.key", S("first"));
    struct config *c = kit_config(
        "[upstream]\nurl = http://127.0.0.1:%d/v3\napi_key_file = main.key\nrequests_per_minute = 600000\n[team seo]\n",
        p->port);
    struct accounts a = open_all(c);
    ask_v3(&a.list[0]); /* nobody watches */
    accounts_close(&a);
    a = open_all(c);
    a.list[0].on_out_of_units = on_out_of_units;
    a.list[0].out_of_units_context = &n_told;
    ask_v3(&a.list[0]);
    assert_int_equal(n_told, 1);
    accounts_close(&a);
    play_end(p);
    config_free(c);
}

static int begin(void **state)
{
    (void)state;
    kit_begin();
    base = event_base_new();
    return base ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    event_base_free(base);
    kit_end();
    return 0;
}

static void absurd_prices_are_not_believed(void **state)
{
    (void)state;
    struct account a = { 0 };
    assert_true(account_believes(&a, 1000, 50, CONFIG_UNLIMITED));
    assert_false(account_believes(&a, 1001, 50, CONFIG_UNLIMITED));
    assert_true(account_believes(&a, 1000, 50, 1000));
    assert_false(account_believes(&a, 1000, 50, 999));
    assert_true(account_believes(&a, 1000, 50, CONFIG_UNSET));
    assert_int_equal(a.odd_prices, 2);
    assert_true(account_shouts(&a));
    assert_false(account_shouts(&a)); /* once a minute */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absurd_prices_are_not_believed),
        cmocka_unit_test_setup_teardown(files_with_one_key_are_one_account, begin, end),
        cmocka_unit_test_setup_teardown(a_team_may_be_called_main, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_was_not_there_has_no_account, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_cannot_be_read_is_named, begin, end),
        cmocka_unit_test_setup_teardown(keys_that_can_be_read_are_checked_without_a_word, begin, end),
        cmocka_unit_test(the_smaller_page_counts),
        cmocka_unit_test(another_plan_is_learnt_anew),
        cmocka_unit_test_setup_teardown(a_watch_is_told_when_the_units_of_its_key_are_out, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
