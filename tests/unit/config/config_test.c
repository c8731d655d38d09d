/* SPDX-License-Identifier: MIT
 * Good configurations: defaults, every option, what is resolved, what can be asked about the result. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/find.h"
#include "config/options.h"

#define UPSTREAM "[upstream]\nunits_per_month = unlimited\n"

static struct config *parse_as(const char *file, const char *text)
{
    struct buffer errors = { 0 };
    struct config *c = config_parse(file, slice_str(text), &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&errors)));
    assert_int_equal(errors.n, 0);
    return c;
}

static struct config *parse(const char *text)
{
    return parse_as("/etc/anchorage/anchorage.conf", text);
}

static void expect_words(const struct config_words *words, const char *joined)
{
    struct buffer got = { 0 };
    for (size_t i = 0; i < words->n; i++)
        buffer_printf(&got, "%s%s", i ? " " : "", words->word[i]);
    buffer_put(&got, '\0');
    assert_string_equal(got.p, joined);
    buffer_clear(&got);
}

static void defaults_of_proxy(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM);
    assert_string_equal(c->file, "/etc/anchorage/anchorage.conf");
    expect_words(&c->listen, "127.0.0.1:8080");
    expect_words(&c->listen_tls, "");
    expect_words(&c->tls_certificate, "");
    expect_words(&c->tls_private_key, "");
    expect_words(&c->admin, "127.0.0.1:9480");
    assert_null(c->admin_token_file);
    assert_string_equal(c->state_directory, "/var/lib/anchorage");
    assert_int_equal(c->unknown_keys, UNKNOWN_KEYS_REFUSE);
    assert_int_equal(c->error_status, ERROR_STATUS_V2);
    expect_words(&c->free_targets, "ahrefs.com");
    assert_int_equal(c->default_mode, DEFAULT_MODE_SUBDOMAINS);
    assert_int_equal(c->call_timeout_ms, 180000);
    assert_int_equal(c->queue_timeout_ms, 20000);
    assert_int_equal(c->drain_timeout_ms, 90000);
    assert_int_equal(c->max_connections, 10000);
    assert_int_equal(c->idle_timeout_ms, 75000);
    assert_int_equal(c->listen_mode, 0666);
    assert_int_equal(c->max_connections_per_address, 1000);
    config_free(c);
}

static void defaults_of_the_rest(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[team seo]");
    assert_string_equal(c->url, "https://api.ahrefs.com/v3");
    assert_string_equal(c->api_key_file, "/etc/anchorage/v3.key");
    assert_int_equal(c->requests_per_minute, 60);
    assert_int_equal(c->units_per_month, CONFIG_UNLIMITED);
    assert_int_equal(c->units_per_call, 100000);
    assert_int_equal(c->billing_day, CONFIG_AUTO);
    assert_int_equal(c->max_rows_per_request, CONFIG_AUTO);
    assert_int_equal(c->upstream_timeout_ms, 60000);
    assert_int_equal(c->stats_ttl_ms, 3600000);
    assert_int_equal(c->answer_ttl_ms, 3600000);
    assert_null(c->ca_file);
    assert_null(c->upstream_proxy);
    assert_int_equal(c->last_visited, LAST_VISITED_FIRST_SEEN);
    assert_int_equal(c->stats, STATS_ASK);
    assert_int_equal(c->stats_refpages, STATS_REFPAGES_ESTIMATE);
    assert_int_equal(c->missing, MISSING_EMPTY);
    assert_int_equal(c->anchor_case, ANCHOR_CASE_FOLD);
    assert_int_equal(c->approximate, APPROXIMATE_ALLOW);
    assert_int_equal(c->durability, DURABILITY_FULL);
    assert_int_equal(c->keep_months, 0);
    assert_int_equal(c->n_teams, 1);
    const struct config_team *team = &c->teams[0];
    assert_string_equal(team->name, "seo");
    assert_int_equal(team->line, 3);
    assert_int_equal(team->rows_per_month, CONFIG_UNLIMITED);
    assert_int_equal(team->units_per_month, CONFIG_UNLIMITED);
    assert_int_equal(team->concurrency, 32);
    assert_string_equal(team->subscription, "Enterprise");
    expect_words(&team->addresses, "");
    assert_null(team->api_key_file);
    config_free(c);
}

static void all_options_of_proxy(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[proxy]\n"
                                      "listen = 0.0.0.0:80 [::]:80\t*:81   unix:/run/x.sock unix:y.sock 127.0.0.1:0\n"
                                      "listen_tls =\n"
                                      "tls_certificate =\n"
                                      "tls_private_key =\n"
                                      "admin = unix:/run/admin.sock [::1]:9480 127.9.9.9:1\n"
                                      "admin_token_file =\n"
                                      "state_directory = state\n"
                                      "unknown_keys = refuse\n"
                                      "error_status = http\n"
                                      "free_targets = Example.COM yep.com firehose.com\n"
                                      "default_mode = require\n"
                                      "call_timeout = 2m\n"
                                      "queue_timeout = 0\n"
                                      "drain_timeout = 1h\n"
                                      "max_connections = 1\n"
                                      "max_connections_per_address = 1000000\n");
    expect_words(&c->listen, "0.0.0.0:80 [::]:80 *:81 unix:/run/x.sock unix:/etc/anchorage/y.sock 127.0.0.1:0");
    expect_words(&c->admin, "unix:/run/admin.sock [::1]:9480 127.9.9.9:1");
    assert_string_equal(c->state_directory, "/etc/anchorage/state");
    assert_int_equal(c->error_status, ERROR_STATUS_HTTP);
    expect_words(&c->free_targets, "example.com yep.com firehose.com");
    assert_int_equal(c->default_mode, DEFAULT_MODE_REQUIRE);
    assert_int_equal(c->call_timeout_ms, 120000);
    assert_int_equal(c->queue_timeout_ms, 0);
    assert_int_equal(c->drain_timeout_ms, 3600000);
    assert_int_equal(c->max_connections, 1);
    assert_int_equal(c->max_connections_per_address, 1000000);
    config_free(c);
}

static void all_options_of_upstream(void **state)
{
    (void)state;
    struct config *c = parse("[upstream]\n"
                             "url = http://127.0.0.1:9000/v3/\n"
                             "api_key_file = keys/v3.key\n"
                             "requests_per_minute = 100000000\n"
                             "units_per_month = 2000000\n"
                             "units_per_call = 0\n"
                             "billing_day = 28\n"
                             "max_rows_per_request = 500\n"
                             "timeout = 250ms\n"
                             "stats_ttl = 0\n"
                             "answer_ttl = 7d\n"
                             "ca_file = /etc/ssl/ours.pem\n"
                             "proxy = http://me:secret@10.0.0.1:3128\n");
    assert_string_equal(c->url, "http://127.0.0.1:9000/v3");
    assert_string_equal(c->api_key_file, "/etc/anchorage/keys/v3.key");
    assert_int_equal(c->requests_per_minute, 100000000);
    assert_int_equal(c->units_per_month, 2000000);
    assert_int_equal(c->units_per_call, 0);
    assert_int_equal(c->billing_day, 28);
    assert_int_equal(c->max_rows_per_request, 500);
    assert_int_equal(c->upstream_timeout_ms, 250);
    assert_int_equal(c->stats_ttl_ms, 0);
    assert_int_equal(c->answer_ttl_ms, 604800000);
    assert_string_equal(c->ca_file, "/etc/ssl/ours.pem");
    assert_string_equal(c->upstream_proxy, "http://me:secret@10.0.0.1:3128");
    config_free(c);
}

static void all_options_of_the_rest(void **state)
{
    (void)state;
    struct config *c =
        parse(UPSTREAM "[fidelity]\nlast_visited = null\nstats = zero\nstats_refpages = null\nmissing = null\n"
                       "anchor_case = keep\napproximate = refuse\n"
                       "[ledger]\ndurability = relaxed\nkeep = forever\n"
                       "[team seo]\nrows_per_month = 500000\nunits_per_month = 1000000000000000\n"
                       "concurrency = 100000\nsubscription = Enterprise, billed yearly; \xC3\xA9 ; c\n"
                       "addresses =\napi_key_file =\n"
                       "[team *]\n[team unassigned]\nrows_per_month = 0\n");
    assert_int_equal(c->last_visited, LAST_VISITED_NULL);
    assert_int_equal(c->stats, STATS_ZERO);
    assert_int_equal(c->stats_refpages, STATS_REFPAGES_NULL);
    assert_int_equal(c->missing, MISSING_NULL);
    assert_int_equal(c->anchor_case, ANCHOR_CASE_KEEP);
    assert_int_equal(c->approximate, APPROXIMATE_REFUSE);
    assert_int_equal(c->durability, DURABILITY_RELAXED);
    assert_int_equal(c->n_teams, 3);
    assert_int_equal(c->teams[0].rows_per_month, 500000);
    assert_int_equal(c->teams[0].units_per_month, 1000000000000000);
    assert_int_equal(c->teams[0].concurrency, 100000);
    assert_string_equal(c->teams[0].subscription, "Enterprise, billed yearly; \xC3\xA9");
    assert_string_equal(c->teams[1].name, "*");
    assert_int_equal(c->teams[1].concurrency, 32);
    assert_string_equal(c->teams[2].name, "unassigned");
    assert_int_equal(c->teams[2].rows_per_month, 0);
    config_free(c);
}

static void unknown_keys_are_metered_within_a_limit(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[proxy]\nunknown_keys = meter\n[team unassigned]\nunits_per_month = 0\n");
    assert_int_equal(c->unknown_keys, UNKNOWN_KEYS_METER);
    config_free(c);
    c = parse(UPSTREAM "[proxy]\nunknown_keys = meter\n[team unassigned]\nrows_per_month = 5\n");
    config_free(c);
}

static void off_is_empty(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[proxy]\nlisten =\nadmin = ; off\nfree_targets =\n");
    assert_int_equal(c->listen.n, 0);
    assert_int_equal(c->admin.n, 0);
    assert_int_equal(c->free_targets.n, 0);
    config_free(c);
}

static void units_may_be_unset_with_a_loopback_upstream(void **state)
{
    (void)state;
    static const char *const urls[] = { "http://127.0.0.1:1", "http://127.3.2.1/v3", "http://[::1]:1/v3",
                                        "http://localhost",   "https://localhost:1", "http://[::ffff:127.0.0.1]" };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct buffer text = { 0 };
        buffer_printf(&text, "[upstream]\nurl = %s%c", urls[i], '\0');
        struct config *c = parse(text.p);
        assert_int_equal(c->units_per_month, CONFIG_UNSET);
        assert_true(config_upstream_is_loopback(c));
        config_free(c);
        buffer_clear(&text);
    }
    struct config *c = parse(UPSTREAM "url = https://127.0.0.1.example.com\n");
    assert_false(config_upstream_is_loopback(c));
    config_free(c);
}

static void paths_are_relative_to_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *file, *key;
    } cases[] = {
        { "anchorage.conf", "v3.key" },
        { "./anchorage.conf", "./v3.key" },
        { "/anchorage.conf", "/v3.key" },
        { "a/b/c.conf", "a/b/v3.key" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *c = parse_as(cases[i].file, UPSTREAM);
        assert_string_equal(c->api_key_file, cases[i].key);
        config_free(c);
    }
}

static void make_file(const char *folder, const char *name, const char *text)
{
    struct buffer path = { 0 };
    buffer_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.p, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    buffer_clear(&path);
}

static void remove_file(const char *folder, const char *name)
{
    struct buffer path = { 0 };
    buffer_printf(&path, "%s/%s", folder, name);
    assert_int_equal(unlink(path.p), 0);
    buffer_clear(&path);
}

static void keys_are_found_in_the_credentials_directory(void **state)
{
    (void)state;
    char folder[] = "/tmp/anchorage-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    make_file(folder, "v3.key", "x");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    struct config *c = parse(UPSTREAM);
    struct buffer expected = { 0 };
    buffer_printf(&expected, "%s/v3.key%c", folder, '\0');
    assert_string_equal(c->api_key_file, expected.p);
    config_free(c);
    c = parse(UPSTREAM "api_key_file = other.key\n"); /* not there */
    assert_string_equal(c->api_key_file, "/etc/anchorage/other.key");
    config_free(c);
    c = parse(UPSTREAM "api_key_file = ./v3.key\n"); /* a path, not a bare name */
    assert_string_equal(c->api_key_file, "/etc/anchorage/./v3.key");
    config_free(c);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    c = parse(UPSTREAM);
    assert_string_equal(c->api_key_file, "/etc/anchorage/v3.key");
    config_free(c);
    buffer_clear(&expected);
    remove_file(folder, "v3.key");
    assert_int_equal(rmdir(folder), 0);
}

static void files_are_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/anchorage-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    make_file(folder, "a.conf", UPSTREAM);
    struct buffer path = { 0 }, errors = { 0 }, expected = { 0 };
    buffer_printf(&path, "%s/a.conf%c", folder, '\0');
    struct config *c = config_read(path.p, &errors);
    assert_non_null(c);
    assert_string_equal(c->file, path.p);
    config_free(c);
    remove_file(folder, "a.conf");
    assert_null(config_read(path.p, &errors));
    buffer_printf(&expected, "%s: cannot be read: No such file or directory; a configuration that this user may read\n",
                  path.p);
    assert_true(slice_eq(buffer_slice(&errors), buffer_slice(&expected)));
    buffer_clear(&errors);
    assert_null(config_read(folder, &errors)); /* a directory */
    assert_true(errors.n > 0);
    assert_int_equal(rmdir(folder), 0);
    buffer_clear(&path);
    buffer_clear(&errors);
    buffer_clear(&expected);
}

static void files_that_are_too_big_are_refused(void **state)
{
    (void)state;
    struct buffer text = { 0 }, errors = { 0 };
    buffer_str(&text, UPSTREAM);
    while (text.n < CONFIG_MAX_BYTES)
        buffer_put(&text, '\n');
    struct config *c = config_parse("c", buffer_slice(&text), &errors);
    assert_non_null(c);
    config_free(c);
    buffer_put(&text, '\n');
    assert_null(config_parse("c", buffer_slice(&text), &errors));
    buffer_put(&errors, '\0');
    assert_string_equal(errors.p, "c: the file is too big; at most 1 MiB\n");
    buffer_clear(&text);
    buffer_clear(&errors);
}

static void many_errors_are_counted(void **state)
{
    (void)state;
    struct buffer text = { 0 }, errors = { 0 };
    buffer_str(&text, UPSTREAM);
    for (int i = 0; i < 1000; i++)
        buffer_str(&text, "x\n");
    assert_null(config_parse("c", buffer_slice(&text), &errors));
    size_t lines = 0;
    for (size_t i = 0; i < errors.n; i++)
        lines += errors.p[i] == '\n';
    assert_int_equal(lines, 201);
    assert_true(slice_starts(buffer_slice(&errors), S("c:3: neither")));
    assert_true(slice_ends(buffer_slice(&errors), S("\nc: 800 more errors are not shown\n")));
    buffer_clear(&text);
    buffer_clear(&errors);
}

static void teams_are_found(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[team seo]\n[team ads]\n[team *]\n[team a.b_c-9]\n[team SEO]\n");
    assert_ptr_equal(config_team(c, S("seo")), &c->teams[0]);
    assert_ptr_equal(config_team(c, S("ads")), &c->teams[1]);
    assert_ptr_equal(config_team(c, S("*")), &c->teams[2]);
    assert_ptr_equal(config_team(c, S("a.b_c-9")), &c->teams[3]);
    assert_ptr_equal(config_team(c, S("SEO")), &c->teams[4]);
    assert_null(config_team(c, S("se")));
    assert_null(config_team(c, S("seo2")));
    assert_null(config_team(c, S("")));
    config_free(c);
    c = parse(UPSTREAM);
    assert_null(config_team(c, S("seo")));
    config_free(c);
    config_free(NULL);
}

static void many_teams_are_taken(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    buffer_str(&text, UPSTREAM);
    for (int i = 0; i < 5000; i++)
        buffer_printf(&text, "[team t%d]\nrows_per_month = %d\n", i, i);
    buffer_put(&text, '\0');
    struct config *c = parse(text.p);
    assert_int_equal(c->n_teams, 5000);
    assert_int_equal(config_team(c, S("t4321"))->rows_per_month, 4321);
    config_free(c);
    buffer_clear(&text);
}

static void lines_of_options_are_known(void **state)
{
    (void)state;
    struct config *c = parse("; a comment\n" UPSTREAM "[proxy]\n\nlisten = 127.0.0.1:1\n[team a]\nconcurrency = 1\n");
    assert_int_equal(config_line_of(c, "upstream", "units_per_month"), 3);
    assert_int_equal(config_line_of(c, "proxy", "listen"), 6);
    assert_int_equal(config_line_of(c, "proxy", "admin"), 0);
    assert_int_equal(config_line_of(c, "team", "concurrency"), 0);
    assert_int_equal(config_line_of(c, "proxy", "no_such"), 0);
    assert_int_equal(config_line_of(c, "no_such", "listen"), 0);
    config_free(c);
}

static void changes_that_need_a_restart_are_named(void **state)
{
    (void)state;
    struct config *a = parse(UPSTREAM "[team a]\n");
    struct config *b = parse("[upstream]\nurl = https://example.com\nunits_per_month = 5\nca_file = x\n"
                             "[proxy]\nlisten = 127.0.0.1:8080 127.0.0.1:8081\nmax_connections = 5\n"
                             "error_status = http\n[team a]\nconcurrency = 1\n[team b]\n");
    struct buffer names = { 0 };
    assert_false(config_needs_restart(a, a, &names));
    assert_int_equal(names.n, 0);
    assert_true(config_needs_restart(a, b, &names));
    buffer_put(&names, '\0');
    assert_string_equal(names.p, "[proxy] listen, [proxy] max_connections, [upstream] url, [upstream] ca_file");
    config_free(a);
    config_free(b);
    buffer_clear(&names);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        assert_true(o->section < CONFIG_SECTIONS);
        assert_ptr_equal(config_option_find(o->section, o->name), o); /* no name twice in a section */
        assert_true(i == 0 || o[-1].section <= o->section);
        assert_true(o->help[0] && o->help[strlen(o->help) - 1] != '\n');
        if (o->type == CONFIG_TYPE_NUMBER || o->type == CONFIG_TYPE_DURATION)
            assert_true(o->least >= 0 && o->least < o->most);
        if (o->size == sizeof(int32_t))
            assert_true(o->most <= INT32_MAX);
        if (o->type == CONFIG_TYPE_WORD)
            assert_true(o->size == sizeof(int32_t) && o->words[0].word.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_proxy),
        cmocka_unit_test(defaults_of_the_rest),
        cmocka_unit_test(all_options_of_proxy),
        cmocka_unit_test(all_options_of_upstream),
        cmocka_unit_test(all_options_of_the_rest),
        cmocka_unit_test(unknown_keys_are_metered_within_a_limit),
        cmocka_unit_test(off_is_empty),
        cmocka_unit_test(units_may_be_unset_with_a_loopback_upstream),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(keys_are_found_in_the_credentials_directory),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(files_that_are_too_big_are_refused),
        cmocka_unit_test(many_errors_are_counted),
        cmocka_unit_test(teams_are_found),
        cmocka_unit_test(many_teams_are_taken),
        cmocka_unit_test(lines_of_options_are_known),
        cmocka_unit_test(changes_that_need_a_restart_are_named),
        cmocka_unit_test(the_table_is_sound),
    };
    unsetenv("CREDENTIALS_DIRECTORY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
