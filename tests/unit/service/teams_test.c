/* SPDX-License-Identifier: MIT
 * Reloads: a team that stays keeps its turns, and those of a team that is gone end with its last call. */
#include "tests/unit/kit.h"

#include "proxy/service/service.h"
#include "proxy/service/teams.h"

static struct service service;
static struct account account;

static int begin(void **state)
{
    (void)state;
    service = (struct service){ .accounts = { .list = &account, .n = 1 } };
    return 0;
}

/* No call may be left. The sanitizer looks after what is not freed. */
static int end(void **state)
{
    (void)state;
    teams_drop_settings(&service);
    assert_null(service.all_queues);
    return 0;
}

/* A configuration with these sections comes into force. */
static void take(const char *sections)
{
    struct config *c = kit_config("[upstream]\nunits_per_month = 1\n%s", sections);
    struct settings *s = settings_new(c, c);
    assert_true(teams_take_settings(&service, s));
    assert_ptr_equal(service.settings, s);
    assert_ptr_equal(service.config, c);
}

static size_t n_turns(void)
{
    size_t n = 0;
    for (const struct team_queue *t = service.all_queues; t; t = t->next)
        n++;
    return n;
}

static struct team_queue *find(const char *team)
{
    return teams_find(&service, slice_str(team));
}

static void each_team_has_turns(void **state)
{
    (void)state;
    take("[team a]\nconcurrency = 3\n[team b]\nconcurrency = 5\n");
    assert_int_equal(n_turns(), 2);
    assert_int_equal(find("a")->team->concurrency, 3);
    assert_int_equal(find("b")->team->concurrency, 5);
    assert_ptr_equal(find("a")->account, &account);
    assert_ptr_equal(service.queues[1], find("b"));
    assert_null(find("c"));
    assert_null(find(""));
    assert_int_equal(service.settings->users, 3); /* the service and two teams */
}

static void a_team_keeps_its_turns(void **state)
{
    (void)state;
    take("[team a]\nconcurrency = 3\n[team b]\n");
    struct team_queue *a = find("a"), *b = find("b");
    a->running = 2;
    take("[team c]\n[team b]\n[team a]\nconcurrency = 7\n");
    assert_ptr_equal(find("a"), a);
    assert_ptr_equal(find("b"), b);
    assert_int_equal(a->running, 2);
    assert_int_equal(a->team->concurrency, 7); /* as the new configuration says */
    assert_ptr_equal(a->settings, service.settings);
    assert_int_equal(service.settings->users, 4); /* nothing uses the old ones any more */
    assert_int_equal(n_turns(), 3);
}

static void a_gone_team_without_calls_goes_at_once(void **state)
{
    (void)state;
    take("[team a]\n[team b]\n[team c]\n");
    teams_call_begins(find("a"));
    teams_call_ends(&service, find("a"));
    take("[team b]\n");
    assert_int_equal(n_turns(), 1);
    assert_null(find("a"));
    take("");
    assert_int_equal(n_turns(), 0);
    assert_int_equal(service.settings->users, 1);
}

static void a_gone_team_stays_until_its_last_call_ends(void **state)
{
    (void)state;
    take("[team a]\n[team b]\n");
    struct team_queue *a = find("a");
    struct settings *old = settings_hold(service.settings);
    teams_call_begins(a);
    teams_call_begins(a);
    take("[team b]\n");
    assert_null(find("a")); /* no new call is the team's */
    assert_int_equal(n_turns(), 2);
    assert_string_equal(a->team->name, "a"); /* by the last configuration that had it */
    assert_int_equal(old->users, 2);
    teams_call_ends(&service, a);
    assert_int_equal(n_turns(), 2);
    take("[team b]\n[team c]\n"); /* and over one more reload */
    assert_int_equal(n_turns(), 3);
    teams_call_ends(&service, a);
    assert_int_equal(n_turns(), 2);
    assert_int_equal(old->users, 1);
    settings_put(old);
}

static void only_the_team_whose_calls_ended_goes(void **state)
{
    (void)state;
    take("[team a]\n[team b]\n[team c]\n");
    struct team_queue *a = find("a"), *b = find("b"), *c = find("c");
    teams_call_begins(a);
    teams_call_begins(b);
    teams_call_begins(c);
    take("[team c]\n");
    teams_call_ends(&service, c); /* it is there, and stays */
    assert_int_equal(n_turns(), 3);
    teams_call_ends(&service, b);
    assert_int_equal(n_turns(), 2);
    assert_string_equal(a->team->name, "a");
    teams_call_ends(&service, a);
    assert_int_equal(n_turns(), 1);
    assert_ptr_equal(find("c"), c);
}

/* While its calls are under way, so that it has no more at once than it may. */
static void a_team_that_comes_back_finds_its_turns(void **state)
{
    (void)state;
    take("[team a]\n");
    struct team_queue *a = find("a");
    teams_call_begins(a);
    a->running = 1;
    take("[team b]\n");
    assert_null(find("a"));
    take("[team b]\n[team a]\n");
    assert_ptr_equal(find("a"), a);
    assert_int_equal(a->running, 1);
    a->running = 0;
    teams_call_ends(&service, a);
    assert_ptr_equal(find("a"), a);
    assert_int_equal(service.settings->users, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_team_has_turns, begin, end),
        cmocka_unit_test_setup_teardown(a_team_keeps_its_turns, begin, end),
        cmocka_unit_test_setup_teardown(a_gone_team_without_calls_goes_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_gone_team_stays_until_its_last_call_ends, begin, end),
        cmocka_unit_test_setup_teardown(only_the_team_whose_calls_ended_goes, begin, end),
        cmocka_unit_test_setup_teardown(a_team_that_comes_back_finds_its_turns, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
