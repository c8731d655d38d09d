/* SPDX-License-Identifier: MIT
 * Targets: what is read, what v3 is asked for by mode, what is refused, what is free. */
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
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int mode = 0; mode < MODE_COUNT; mode++)
            check(&(struct target_row){ rows[i], (enum mode)mode, NULL, NULL, MODE_COUNT });
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
            assert_int_equal(plan_max_units(&plan), 0);
        arena_free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_by_mode),
        cmocka_unit_test(refused_targets),
        cmocka_unit_test(lengths),
        cmocka_unit_test(what_is_under_a_name),
        cmocka_unit_test(a_free_target_is_known_by_its_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
