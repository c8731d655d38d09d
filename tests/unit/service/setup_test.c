/* SPDX-License-Identifier: MIT
 * What the rooms are made with, by the configuration. */
#include "tests/unit/kit.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "proxy/service/setup.h"

static void limits_are_those_of_the_teams(void **state)
{
    (void)state;
    struct config *c = kit_config("[proxy]\nstate_directory = /var/lib/x\n[upstream]\nunits_per_month = 900\n"
                                  "billing_day = 7\n[ledger]\nkeep = 3\ndurability = relaxed\n"
                                  "[team all]\n[team some]\nrows_per_month = 10\nunits_per_month = 20\n"
                                  "[team none]\nrows_per_month = 0\nunits_per_month = 0\n");
    struct ledger_options o;
    assert_true(setup_ledger_options(c, &o));
    assert_string_equal(o.state_directory, "/var/lib/x");
    assert_int_equal(o.units_per_month, 900);
    assert_int_equal(o.billing_day, 7);
    assert_int_equal(o.keep_months, 3);
    assert_true(o.relaxed);
    assert_int_equal(o.n_teams, 3);
    static const struct ledger_team want[] = { { "all", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT },
                                               { "some", 10, 20 },
                                               { "none", 0, 0 } };
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(o.teams[i].name, want[i].name);
        assert_int_equal(o.teams[i].rows_per_month, want[i].rows_per_month);
        assert_int_equal(o.teams[i].units_per_month, want[i].units_per_month);
    }
    free((void *)(uintptr_t)o.teams);
    config_free(c);
}

static void what_is_not_set_is_left_to_the_books(void **state)
{
    (void)state;
    struct config *c = kit_config("[upstream]\nurl = http://127.0.0.1:1/v3\n");
    struct ledger_options o;
    assert_true(setup_ledger_options(c, &o));
    assert_int_equal(o.units_per_month, LEDGER_NO_LIMIT); /* CONFIG_UNSET as well as CONFIG_UNLIMITED */
    assert_int_equal(o.billing_day, LEDGER_BILLING_DAY_KEPT);
    assert_false(o.relaxed);
    free((void *)(uintptr_t)o.teams);
    config_free(c);
}

static void calls_have_the_memory_that_is_set_or_a_part(void **state)
{
    (void)state;
    struct config *c = kit_config("[proxy]\ncall_memory = 48\n[upstream]\nunits_per_month = 1\n");
    assert_int_equal(setup_call_memory(c), 48 << 20);
    config_free(c);
    c = kit_config("[upstream]\nunits_per_month = 1\n");
    size_t pages = (size_t)sysconf(_SC_PHYS_PAGES), size = (size_t)sysconf(_SC_PAGESIZE);
    size_t part = pages * size / 4, least = (size_t)64 << 20;
    assert_in_range(setup_call_memory(c), least, part > least ? part : least);
    config_free(c);
}

/* In a child, as it is for good: 0 when it has become the owner (or had not to), and cannot come back. */
static int become_owner_of(const char *folder, uid_t wanted)
{
    pid_t child = fork();
    if (child == 0) {
        struct buffer why = { 0 };
        bool good = setup_become_owner(folder, &why) && geteuid() == wanted && getegid() == wanted;
        bool stays = wanted == 0 || (setuid(0) != 0 && setgid(0) != 0 && getgroups(0, NULL) == 1);
        buffer_clear(&why);
        _exit(good && stays ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void root_becomes_the_owner(void **state)
{
    (void)state;
    struct buffer why = { 0 };
    if (geteuid() != 0) {
        assert_true(setup_become_owner("/", &why)); /* nothing to do */
        return;
    }
    kit_begin();
    assert_int_equal(become_owner_of(kit_folder, 0), 0);
    assert_int_equal(become_owner_of(kit_path("none"), 0), 0);
    if (chown(kit_folder, 12345, 12345) == 0)
        assert_int_equal(become_owner_of(kit_folder, 12345), 0);
    kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_those_of_the_teams),
        cmocka_unit_test(what_is_not_set_is_left_to_the_books),
        cmocka_unit_test(calls_have_the_memory_that_is_set_or_a_part),
        cmocka_unit_test(root_becomes_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
