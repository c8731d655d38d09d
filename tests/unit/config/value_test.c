/* SPDX-License-Identifier: MIT
 * Values by type: both edges of every range, all words, and the forms of addresses, networks, hosts and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "config/address.h"
#include "config/config.h"
#include "config/duration.h"
#include "config/value.h"

/* Read `text` as the option's value; what was stored, when it was taken. */
static bool take_number(const struct config_option *o, struct slice text, int64_t *stored)
{
    union {
        struct config config;
        struct config_team team;
    } holder = { 0 };
    struct config_place place = { .memory = arena_new(1 << 20) };
    struct buffer why = { 0 };
    bool taken = config_value_read(o, text, &place, &holder, &why);
    assert_true(taken == (why.n == 0));
    const char *field = (const char *)&holder + o->offset;
    int32_t narrow;
    memcpy(&narrow, field, sizeof narrow);
    *stored = narrow;
    if (o->size == sizeof *stored)
        memcpy(stored, field, sizeof *stored);
    buffer_clear(&why);
    arena_free(place.memory);
    return taken;
}

static void check_edge(const struct config_option *o, int64_t value, bool taken)
{
    struct buffer text = { 0 };
    buffer_i64(&text, value);
    if (o->type == CONFIG_TYPE_DURATION)
        buffer_str(&text, "ms");
    int64_t stored;
    if (take_number(o, buffer_slice(&text), &stored) != taken)
        fail_msg("%s = %.*s", o->name.p, SLICE_ARGS(buffer_slice(&text)));
    assert_int_equal(stored, taken ? value : 0); /* untouched when refused */
    buffer_clear(&text);
}

static void ranges_at_their_edges(void **state)
{
    (void)state;
    int seen = 0;
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        if (o->type != CONFIG_TYPE_NUMBER && o->type != CONFIG_TYPE_DURATION)
            continue;
        seen++;
        check_edge(o, o->least - 1, false);
        check_edge(o, o->least, true);
        check_edge(o, o->most, true);
        check_edge(o, o->most + 1, false);
        check_edge(o, INT64_MAX, false);
    }
    assert_int_equal(seen, 21);
}

static void modes_of_files(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        int64_t mode; /* 0: refused */
    } rows[] = {
        { SLICE("0666"), 0666 }, { SLICE("666"), 0666 },  { SLICE("0777"), 0777 }, { SLICE("0200"), 0200 },
        { SLICE("0002"), 0002 }, { SLICE("0660"), 0660 }, { SLICE(""), 0 },        { SLICE("0"), 0 },
        { SLICE("66"), 0 },      { SLICE("0000"), 0 },    { SLICE("0444"), 0 },    { SLICE("0555"), 0 },
        { SLICE("1777"), 0 },    { SLICE("4755"), 0 },    { SLICE("00666"), 0 },   { SLICE("0668"), 0 },
        { SLICE("0o666"), 0 },   { SLICE("-666"), 0 },    { SLICE("+666"), 0 },    { SLICE("a+rw"), 0 },
        { SLICE("0x1b"), 0 },    { SLICE("7777"), 0 },
    };
    const struct config_option *o = config_option_find(CONFIG_SECTION_proxy, S("listen_mode"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t stored;
        if (take_number(o, rows[i].text, &stored) != (rows[i].mode != 0))
            fail_msg("listen_mode = %.*s", SLICE_ARGS(rows[i].text));
        assert_int_equal(stored, rows[i].mode);
    }
}

static void every_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        for (const struct config_word *w = o->words; w->word.p; w++) {
            int64_t stored;
            assert_true(take_number(o, w->word, &stored));
            assert_int_equal(stored, w->value);
        }
    }
}

static void ranges_that_were_promised(void **state)
{
    (void)state;
    const struct config_option *o = config_option_find(CONFIG_SECTION_upstream, S("requests_per_minute"));
    assert_true(o->least == 1 && o->most == 100000000);
    o = config_option_find(CONFIG_SECTION_team, S("concurrency"));
    assert_true(o->least == 1 && o->most == 100000);
    o = config_option_find(CONFIG_SECTION_upstream, S("billing_day"));
    assert_true(o->least == 1 && o->most == 28);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        int64_t ms;
    } good[] = {
        { SLICE("10ms"), 10 },
        { SLICE("60s"), 60000 },
        { SLICE("5m"), 300000 },
        { SLICE("1h"), 3600000 },
        { SLICE("7d"), 604800000 },
        { SLICE("0"), 0 },
        { SLICE("0s"), 0 },
        { SLICE("00"), 0 },
        { SLICE("007s"), 7000 },
        { SLICE("106751991167d"), 9223372036828800000 },
        { SLICE("106751991168d"), INT64_MAX },
        { SLICE("99999999999999999999ms"), INT64_MAX },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = -1;
        assert_int_equal(config_duration_read(good[i].text, &ms), CONFIG_DURATION_OK);
        assert_int_equal(ms, good[i].ms);
    }
    static const struct slice bad[] = { SLICE(""),      SLICE("s"),   SLICE("1 s"), SLICE("1.5s"),
                                        SLICE("-1s"),   SLICE("1S"),  SLICE("1w"),  SLICE("+1s"),
                                        SLICE("1h30m"), SLICE("1ss"), SLICE("1M") };
    int64_t ms = -1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(config_duration_read(bad[i], &ms), CONFIG_DURATION_NOT_ONE);
    assert_int_equal(config_duration_read(S("60"), &ms), CONFIG_DURATION_NO_UNIT);
    assert_int_equal(ms, -1);
}

static void durations_are_written(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = { { 0, "0" },       { 1, "1ms" },      { 1500, "1500ms" }, { 1000, "1s" },     { 60000, "1m" },
                  { 90000, "90s" }, { 3600000, "1h" }, { 86400000, "1d" }, { 90000000, "25h" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b = { 0 };
        config_duration_write(&b, cases[i].ms);
        buffer_put(&b, '\0');
        assert_string_equal(b.p, cases[i].text);
        buffer_clear(&b);
    }
}

static void listen_addresses(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        bool valid, local;
    } cases[] = {
        { SLICE("127.0.0.1:8080"), true, true },
        { SLICE("127.255.0.1:0"), true, true },
        { SLICE("[::1]:65535"), true, true },
        { SLICE("[::ffff:127.0.0.1]:1"), true, true },
        { SLICE("0.0.0.0:1"), true, false },
        { SLICE("[::]:1"), true, false },
        { SLICE("*:1"), true, false },
        { SLICE("128.0.0.1:1"), true, false },
        { SLICE("[::2]:1"), true, false },
        { SLICE("[::ffff:10.0.0.1]:1"), true, false },
        { SLICE(""), false, false },
        { SLICE(":1"), false, false },
        { SLICE("8080"), false, false },
        { SLICE("127.0.0.1"), false, false },
        { SLICE("127.0.0.1:"), false, true },
        { SLICE("127.0.0.1:65536"), false, true },
        { SLICE("127.0.0.1:-1"), false, true },
        { SLICE("127.0.0.1:080"), false, true },
        { SLICE("127.0.0.1:http"), false, true },
        { SLICE("127.1:80"), false, false },
        { SLICE("127.0.0.01:80"), false, false },
        { SLICE("::1:80"), false, false },
        { SLICE("[::1]"), false, false },
        { SLICE("[::1"), false, false },
        { SLICE("[::1]80"), false, false },
        { SLICE("[]:80"), false, false },
        { SLICE("[*]:80"), false, false },
        { SLICE("[127.0.0.1]:80"), false, false },
        { SLICE("[fe80::1%lo]:80"), false, false },
        { SLICE("example.com:80"), false, false },
        { SLICE("1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:80"), false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (config_listen_valid(cases[i].text) != cases[i].valid ||
            config_listen_is_local(cases[i].text) != cases[i].local)
            fail_msg("%s", cases[i].text.p);
    }
    assert_true(config_listen_is_local(S("unix:/run/x")));
}

static void networks(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        bool valid;
    } cases[] = {
        { SLICE("10.1.2.0/24"), true },
        { SLICE("10.1.2.7"), true },
        { SLICE("10.1.2.7/32"), true },
        { SLICE("0.0.0.0/0"), true },
        { SLICE("128.0.0.0/1"), true },
        { SLICE("10.1.2.4/30"), true },
        { SLICE("2001:db8::/32"), true },
        { SLICE("2001:db8::1"), true },
        { SLICE("::/0"), true },
        { SLICE("2001:db8::1/128"), true },
        { SLICE("10.1.2.7/24"), false },
        { SLICE("10.1.2.6/30"), false },
        { SLICE("0.0.0.1/0"), false },
        { SLICE("10.1.2.0/33"), false },
        { SLICE("10.1.2.0/"), false },
        { SLICE("10.1.2.0/-1"), false },
        { SLICE("10.1.2.0/024"), false },
        { SLICE("10.1.2.0/24/2"), false },
        { SLICE("10.1.2/24"), false },
        { SLICE("/24"), false },
        { SLICE(""), false },
        { SLICE("::/129"), false },
        { SLICE("2001:db8::1/127"), false },
        { SLICE("a.b.c.d"), false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (config_range_read(cases[i].text, &(struct config_range){ 0 }) != cases[i].valid)
            fail_msg("%s", cases[i].text.p);
    }
}

static void hosts(void **state)
{
    (void)state;
    assert_true(config_host_valid(S("ahrefs.com")));
    assert_true(config_host_valid(S("a-b_c.Example.9")));
    static const struct slice bad[] = { SLICE(""),   SLICE("."),   SLICE("a."),  SLICE(".a"),       SLICE("a..b"),
                                        SLICE("a/"), SLICE("a b"), SLICE("*.a"), SLICE("\xC3\xA9"), SLICE("a:1") };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(config_host_valid(bad[i]));
    char label[64];
    memset(label, 'a', sizeof label);
    assert_true(config_host_valid(slice_of(label, 63)));
    assert_false(config_host_valid(slice_of(label, 64)));
}

static void loopback_hosts(void **state)
{
    (void)state;
    static const struct slice good[] = { SLICE("localhost"),       SLICE("LocalHost"), SLICE("127.0.0.1"),
                                         SLICE("127.1.2.3"),       SLICE("::1"),       SLICE("0:0:0:0:0:0:0:1"),
                                         SLICE("::ffff:127.0.0.1") };
    static const struct slice bad[] = { SLICE(""),
                                        SLICE("localhost.example.com"),
                                        SLICE("127.0.0.1.example.com"),
                                        SLICE("0.0.0.0"),
                                        SLICE("::"),
                                        SLICE("126.255.255.255"),
                                        SLICE("127.1"),
                                        SLICE("0x7f.0.0.1"),
                                        SLICE("::127.0.0.1"),
                                        SLICE("::ffff:128.0.0.1") };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(config_host_is_loopback(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(config_host_is_loopback(bad[i]));
}

static void urls(void **state)
{
    (void)state;
    struct config_url url;
    assert_null(config_url_parse(S("https://api.ahrefs.com/v3"), &url));
    assert_true(slice_eq(url.scheme, S("https")) && slice_eq(url.host, S("api.ahrefs.com")) && !url.has_user);
    assert_null(config_url_parse(S("http://[::1]:80"), &url));
    assert_true(slice_eq(url.host, S("::1")));
    assert_null(config_url_parse(S("http://a@b:c@example.com:65535/x@y"), &url));
    assert_true(slice_eq(url.host, S("example.com")) && url.has_user);
    static const struct slice bad[] = { SLICE(""),
                                        SLICE("https:"),
                                        SLICE("https:/a"),
                                        SLICE("https://"),
                                        SLICE("https:///a"),
                                        SLICE("https://a b"),
                                        SLICE("https://a\tb"),
                                        SLICE("https://\xC3\xA9.com"),
                                        SLICE("https://a:"),
                                        SLICE("https://a:0"),
                                        SLICE("https://a:65536"),
                                        SLICE("https://a:1:2"),
                                        SLICE("https://[::1"),
                                        SLICE("https://[::1]80"),
                                        SLICE("https://[a]"),
                                        SLICE("https://::1"),
                                        SLICE("https://a?b"),
                                        SLICE("https://a#b"),
                                        SLICE("https://a/b#c"),
                                        SLICE("https://a/b?c"),
                                        SLICE("https://a\\b"),
                                        SLICE("https://127.0.0.1\\@example.com") };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!config_url_parse(bad[i], &url))
            fail_msg("%s", bad[i].p);
    }
}

static void paths_and_texts_have_a_most(void **state)
{
    (void)state;
    struct config_team team = { 0 };
    struct config_place place = { .memory = arena_new(1 << 20), .directory = S("/d/") };
    struct buffer why = { 0 }, path = { 0 };
    const struct config_option *text = config_option_find(CONFIG_SECTION_team, S("subscription"));
    const struct config_option *key = config_option_find(CONFIG_SECTION_team, S("api_key_file"));
    for (int i = 0; i < 5000; i++)
        buffer_put(&path, 'a');
    assert_true(config_value_read(text, slice_of(path.p, 200), &place, &team, &why));
    assert_int_equal(strlen(team.subscription), 200);
    assert_false(config_value_read(text, slice_of(path.p, 201), &place, &team, &why));
    assert_int_equal(strlen(team.subscription), 200);
    assert_true(config_value_read(key, slice_of(path.p, 4092), &place, &team, &why));
    assert_int_equal(strlen(team.api_key_file), 4095);
    assert_false(config_value_read(key, slice_of(path.p, 4093), &place, &team, &why));
    buffer_clear(&why);
    buffer_clear(&path);
    arena_free(place.memory);
}

static void long_texts_are_quoted_short(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    config_quote(&b, S("short"));
    buffer_put(&b, ' ');
    config_quote(&b, S("12345678901234567890123456789012345678901234567890123456789\xC3\xA9"));
    buffer_put(&b, '\0');
    assert_string_equal(b.p, "\"short\" \"12345678901234567890123456789012345678901234567890123456789...\"");
    buffer_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_at_their_edges),
        cmocka_unit_test(modes_of_files),
        cmocka_unit_test(every_word),
        cmocka_unit_test(ranges_that_were_promised),
        cmocka_unit_test(durations),
        cmocka_unit_test(durations_are_written),
        cmocka_unit_test(listen_addresses),
        cmocka_unit_test(networks),
        cmocka_unit_test(hosts),
        cmocka_unit_test(loopback_hosts),
        cmocka_unit_test(urls),
        cmocka_unit_test(paths_and_texts_have_a_most),
        cmocka_unit_test(long_texts_are_quoted_short),
    };
    unsetenv("CREDENTIALS_DIRECTORY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
