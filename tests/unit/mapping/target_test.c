/* SPDX-License-Identifier: MIT
 * Targets: what is read, what v3 is asked for by mode, what is refused, what is free. */
#include <stdio.h>

#include "tests/unit/mapping/kit.h"

struct target_row {
    const char *text;
    enum mode mode;
    const char *host, *v3; /* host NULL: refused */
    enum mode v3_mode;
};

static void check(const struct target_row *r)
{
    struct arena *memory = arena_new(1 << 20);
    struct target t = { 0 };
    struct refusal refusal = target_parse(slice_str(r->text), r->mode, memory, &t);
    if (!r->host != (refusal.fault == FAULT_BAD_TARGET))
        fail_msg("wrong verdict on \"%s\": %.*s", r->text, SLICE_ARGS(refusal.why));
    if (r->host) {
        assert_slice_equal(t.host, slice_str(r->host));
        assert_slice_equal(t.v3, slice_str(r->v3));
        assert_int_equal(t.v3_mode, r->v3_mode);
    } else {
        assert_true(refusal.why.n > 0);
    }
    arena_free(memory);
}

static void targets_by_mode(void **state)
{
    (void)state;
    static const struct target_row rows[] = {
        { "example.com", MODE_DOMAIN, "example.com", "example.com", MODE_DOMAIN },
        { "https://WWW.Example.COM/a?b#c", MODE_SUBDOMAINS, "www.example.com", "www.example.com", MODE_SUBDOMAINS },
        { "  example.com\t", MODE_DOMAIN, "example.com", "example.com", MODE_DOMAIN },
        { "example.com.", MODE_DOMAIN, "example.com", "example.com", MODE_DOMAIN },
        { "example.com:8080/x", MODE_DOMAIN, "example.com", "example.com", MODE_DOMAIN },
        { "127.0.0.1", MODE_DOMAIN, "127.0.0.1", "127.0.0.1", MODE_DOMAIN },
        { "_a-b.example.com", MODE_DOMAIN, "_a-b.example.com", "_a-b.example.com", MODE_DOMAIN },
        { "B\u00DCCHER.example", MODE_DOMAIN, "b\u00FCcher.example", "b\u00FCcher.example", MODE_DOMAIN },
        { "\u023A.example", MODE_DOMAIN, "\u2C65.example", "\u2C65.example", MODE_DOMAIN },
        { "\uFEFFexample.com\u200B", MODE_DOMAIN, "example.com", "example.com", MODE_DOMAIN },
        { "\u00A0\u3000 example.com/a\u2003\u2060\r\n\v\xC2\x85\u2028", MODE_EXACT, "example.com", "example.com/a",
          MODE_EXACT },
        { "\u202F\u205F\u1680https://example.com/\u2007", MODE_EXACT, "example.com", "https://example.com/",
          MODE_EXACT },
        { "bu\u0308cher.example", MODE_DOMAIN, "b\u00FCcher.example", "b\u00FCcher.example", MODE_DOMAIN },
        { "BU\u0308CHER.example", MODE_DOMAIN, "b\u00FCcher.example", "b\u00FCcher.example", MODE_DOMAIN },
        { "\u212Bngstr\u00F6m.example", MODE_DOMAIN, "\u00E5ngstr\u00F6m.example", "\u00E5ngstr\u00F6m.example",
          MODE_DOMAIN },
        { "\u1112\u1161\u11AB.example/bu\u0308", MODE_EXACT, "\uD55C.example", "\uD55C.example/bu\u0308", MODE_EXACT },
        { "xn--bcher-kva.example", MODE_DOMAIN, "xn--bcher-kva.example", "xn--bcher-kva.example", MODE_DOMAIN },
        { "1.example", MODE_DOMAIN, "1.example", "1.example", MODE_DOMAIN },
        { "\u0967.example", MODE_DOMAIN, "\u0967.example", "\u0967.example", MODE_DOMAIN },
        { "\u4F60\u597D.example/\u2026\u00BD", MODE_PREFIX, "\u4F60\u597D.example", "\u4F60\u597D.example/\u2026\u00BD",
          MODE_PREFIX },
        { "example.com", MODE_PREFIX, "example.com", "example.com", MODE_DOMAIN },
        { "example.com/", MODE_PREFIX, "example.com", "example.com", MODE_DOMAIN },
        { "http://example.com/Blog/", MODE_PREFIX, "example.com", "example.com/Blog/", MODE_PREFIX },
        { "example.com?a=b", MODE_PREFIX, "example.com", "example.com/?a=b", MODE_PREFIX },
        { "HTTPS://Example.com/A", MODE_EXACT, "example.com", "https://example.com/A", MODE_EXACT },
        { "example.com/a@b", MODE_EXACT, "example.com", "example.com/a@b", MODE_EXACT },
        { "example.com:8080/x", MODE_EXACT, "example.com", "example.com:8080/x", MODE_EXACT },
        { "http://example.com/", MODE_EXACT, "example.com", "http://example.com/", MODE_EXACT },
        { "http://example.com/http://b.c", MODE_EXACT, "example.com", "http://example.com/http://b.c", MODE_EXACT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

static void refused_targets(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " \t ",
        "localhost",
        ".",
        "..",
        ".com",
        "a..b",
        "example.com..",
        "http://",
        "http:///a",
        "ftp://example.com/",
        "//example.com",
        "a@example.com",
        "u:p@example.com",
        "http://u@example.com/",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:8o",
        "exa mple.com",
        "example.com/a b",
        "example.com\x01",
        "example.com/\x7F",
        "example.com/\na",
        "[::1]",
        "*.example.com",
        "example.com\\a",
        "a,b.com",
        "exa%6Dple.com",
        "\377example.com", /* octal: hexadecimal digits would go on into the name */
        "example.com/\xC3",
        "\uFEFF\u200B\u00A0",
        "-example.com",
        "\u0301example.com",
        "\U0001F4A9.la",
        "~example.com",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int mode = 0; mode < MODE_COUNT; mode++)
            check(&(struct target_row){ rows[i], (enum mode)mode, NULL, NULL, MODE_COUNT });
}

/* Wherever they stand inside, in a host and in a path; what is said names them. */
static void odd_characters(void **state)
{
    (void)state;
    static const struct {
        const char *odd, *name;
    } rows[] = {
        { " ", "U+0020" },
        { "\x01", "U+0001" },
        { "\x7F", "U+007F" },
        { "\xC2\x80", "U+0080" },
        { "\xC2\x85", "U+0085" },
        { "\xC2\x9F", "U+009F" },
        { "\u00A0", "U+00A0" },
        { "\u00AD", "U+00AD" },
        { "\u061C", "U+061C" },
        { "\u1680", "U+1680" },
        { "\u180E", "U+180E" },
        { "\u2003", "U+2003" },
        { "\u200B", "U+200B" },
        { "\u200D", "U+200D" },
        { "\u200E", "U+200E" },
        { "\u2028", "U+2028" },
        { "\u202E", "U+202E" },
        { "\u2060", "U+2060" },
        { "\u2066", "U+2066" },
        { "\u3000", "U+3000" },
        { "\uE000", "U+E000" },
        { "\uF8FF", "U+F8FF" },
        { "\uFDD0", "U+FDD0" },
        { "\uFEFF", "U+FEFF" },
        { "\uFFF9", "U+FFF9" },
        { "\uFFFE", "U+FFFE" },
        { "\uFFFF", "U+FFFF" },
        { "\U0001FFFF", "U+1FFFF" },
        { "\U000E0041", "U+E0041" },
        { "\U000F0000", "U+F0000" },
        { "\U0010FFFF", "U+10FFFF" },
        { "\u3002", "\".\"" },
        { "\uFF0E", "\".\"" },
        { "\uFF61", "\".\"" },
        { "\u2024", "\".\"" },
        { "\uFE52", "\".\"" },
        { "\uFF0F", "\"/\"" },
        { "\uFF20", "\"@\"" },
        { "\uFE6B", "\"@\"" },
    };
    static const char *const places[][2] = {
        { "exam", "ple.com" }, { "https://example", "com/a" }, { "example.com/a", "b" }, { "example.com/?q=", "b" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
            struct arena *memory = arena_new(1 << 20);
            struct target t;
            char text[64];
            snprintf(text, sizeof text, "%s%s%s", places[k][0], rows[i].odd, places[k][1]);
            struct refusal r = target_parse(slice_str(text), MODE_EXACT, memory, &t);
            if (r.fault != FAULT_BAD_TARGET || !strstr(r.why.p, rows[i].name))
                fail_msg("\"%s\" (%s): %.*s", text, rows[i].name, SLICE_ARGS(r.why));
            arena_free(memory);
        }
    }
}

/* In a host all that browsers would read as something with a meaning; in a path it is a letter like others. */
static void look_alikes_in_hosts(void **state)
{
    (void)state;
    static const char *const rows[] = { "\u2044", "\u2215", "\u29F8", "\u2100", "\u2026",
                                        "\uFF1A", "\uFF1F", "\uFF03", "\uFF05", "\uFF3C" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char host[64], path[64];
        snprintf(host, sizeof host, "example.com%sx", rows[i]);
        snprintf(path, sizeof path, "example.com/%sx", rows[i]);
        check(&(struct target_row){ host, MODE_EXACT, NULL, NULL, MODE_COUNT });
        check(&(struct target_row){ path, MODE_EXACT, "example.com", path, MODE_EXACT });
    }
}

static void lengths(void **state)
{
    (void)state;
    char text[2050];
    struct arena *memory = arena_new(1 << 20);
    struct target t;
    memset(text, 'a', sizeof text);
    memcpy(text, "example.com/", 12);
    assert_int_equal(target_parse(slice_of(text, 2048), MODE_PREFIX, memory, &t).fault, FAULT_NONE);
    assert_int_equal(target_parse(slice_of(text, 2049), MODE_PREFIX, memory, &t).fault, FAULT_BAD_TARGET);
    memset(text, 'a', sizeof text);
    memcpy(text + 249, ".com", 4);
    assert_int_equal(target_parse(slice_of(text, 253), MODE_DOMAIN, memory, &t).fault, FAULT_NONE);
    assert_int_equal(t.host.n, 253);
    memcpy(text + 249, "a.com", 5);
    assert_int_equal(target_parse(slice_of(text, 254), MODE_DOMAIN, memory, &t).fault, FAULT_BAD_TARGET);
    arena_free(memory);
}

static void what_is_under_a_name(void **state)
{
    (void)state;
    assert_true(host_is_under(S("ahrefs.com"), S("ahrefs.com")));
    assert_true(host_is_under(S("a.b.ahrefs.com"), S("ahrefs.com")));
    assert_true(host_is_under(S("yep.com"), v3_free_targets));
    assert_true(host_is_under(S("x.firehose.com"), v3_free_targets));
    assert_true(host_is_under(S("b.c"), S("  a.b   b.c ")));
    assert_false(host_is_under(S("notahrefs.com"), S("ahrefs.com")));
    assert_false(host_is_under(S("ahrefs.com.evil.example"), S("ahrefs.com")));
    assert_false(host_is_under(S("com"), S("ahrefs.com")));
    assert_false(host_is_under(S("ahrefs.com"), S("")));
    assert_false(host_is_under(S("ahrefs.com"), S(" ")));
}

static void a_free_target_is_known_by_its_host(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool free_of_rows, free_of_units;
    } rows[] = {
        { "target=https://WWW.AHREFS.com:443/x&mode=exact", true, true },
        { "target=example.com/ahrefs.com&mode=prefix", false, false },
        { "target=ahrefs.com.example.com&mode=domain", false, false },
        { "target=a.yep.com.&mode=domain", false, true },
        { "target=%EF%BB%BFahrefs.com%E2%80%8B&mode=domain", true, true },
        { "target=%C2%A0ahrefs.com%C2%A0&mode=domain", true, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *memory = arena_new(1 << 20);
        struct call call;
        struct plan plan;
        struct plan_options options = kit_options();
        struct slice query = arena_printf(memory, "from=anchors&%s", rows[i].query);
        assert_int_equal(kit_plan(query, &options, memory, &call, &plan).fault, FAULT_NONE);
        assert_int_equal(plan.free_of_rows, rows[i].free_of_rows);
        assert_int_equal(plan.free_of_units, rows[i].free_of_units);
        assert_int_equal(plan_max_rows(&plan), rows[i].free_of_rows ? 0 : 1001);
        if (rows[i].free_of_units)
            assert_int_equal(plan_max_units(&plan, 0), 0);
        bool none_is_free = false;
        plan.options.none_is_free = &none_is_free;
        assert_int_equal(plan_is_free(&plan), rows[i].free_of_units);
        none_is_free = true; /* v3 took units for one: from now on it counts, in plans that are made already, too */
        assert_false(plan_is_free(&plan));
        assert_int_equal(plan_units(&plan, 1), 50);
        assert_true(plan_max_units(&plan, 0) > 0);
        assert_int_equal(plan_max_rows(&plan), rows[i].free_of_rows ? 0 : 1001);
        arena_free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_by_mode),
        cmocka_unit_test(refused_targets),
        cmocka_unit_test(odd_characters),
        cmocka_unit_test(look_alikes_in_hosts),
        cmocka_unit_test(lengths),
        cmocka_unit_test(what_is_under_a_name),
        cmocka_unit_test(a_free_target_is_known_by_its_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
