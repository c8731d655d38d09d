/* SPDX-License-Identifier: MIT
 * Conditions at their longest: quoted texts, positions of mistakes, and what can never be sent. */
#include <stdio.h>

#include "kit.h"

struct call_of {
    struct arena *memory;
    struct call call;
    struct plan plan;
    struct refusal refusal;
};

static struct call_of plan_of(struct slice clause, struct slice text)
{
    struct call_of c = { .memory = arena_new(32 * 1024 * 1024) };
    struct plan_options options = kit_options();
    struct buffer query = { 0 };
    buffer_str(&query, "from=anchors&target=example.com&mode=domain&");
    buffer_append(&query, clause);
    buffer_put(&query, '=');
    percent_encode(&query, text);
    struct slice kept = arena_dup(c.memory, buffer_slice(&query));
    buffer_clear(&query);
    c.refusal = kit_plan(kept, &options, c.memory, &c.call, &c.plan);
    return c;
}

static struct slice repeated(struct buffer *b, const char *before, const char *unit, size_t times, const char *behind)
{
    buffer_str(b, before);
    while (times--)
        buffer_str(b, unit);
    buffer_str(b, behind);
    return buffer_slice(b);
}

static void escapes(void **state)
{
    (void)state;
    static const struct {
        struct slice where, text;
    } cases[] = {
        { SLICE("anchor=\"\""), SLICE("") },
        { SLICE("anchor=\"plain\""), SLICE("plain") },
        { SLICE("anchor=\"\\\"\""), SLICE("\"") },
        { SLICE("anchor=\"a\\\"b\\\\\""), SLICE("a\"b\\") },
        { SLICE("anchor='it\\'s \"so\"'"), SLICE("it's \"so\"") },
        { SLICE("anchor=\"\\0\""), SLICE("\0") },
        { SLICE("anchor=\"a\\bc\""), SLICE("abc") },
        { SLICE("anchor=\"\\\\\",anchor=\"x\""), SLICE("\\") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct call_of c = plan_of(S("where"), cases[i].where);
        assert_int_equal(c.refusal.fault, FAULT_NONE);
        assert_slice_equal(c.call.where.list[0].text, cases[i].text);
        arena_free(c.memory);
    }
}

static void open_texts(void **state)
{
    (void)state;
    static const struct slice cases[] = { SLICE("anchor=\""), SLICE("anchor=\"a"), SLICE("anchor=\"a\\"),
                                          SLICE("anchor=\"a\\\""), SLICE("anchor='a\"") };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct call_of c = plan_of(S("where"), cases[i]);
        assert_int_equal(c.refusal.fault, FAULT_BAD_WHERE);
        assert_true(slice_starts(c.refusal.why, S("where, character 8: the string that begins here has no closing")));
        arena_free(c.memory);
    }
}

/* Positions count characters, and are right whatever was refused before which. */
static void positions(void **state)
{
    (void)state;
    static const struct {
        struct slice where, why;
    } cases[] = {
        { SLICE("anchor=\"β\",x>1"), SLICE("where, character 12: there is no column") },
        { SLICE("anchor=\"ββ\",nothing(anchor,1)"), SLICE("where, character 13: there is no function") },
        { SLICE("anchor=\"😀\",word(backlinks,1)"), SLICE("where, character 12: word is for texts") },
        { SLICE("anchor=\"ä\",backlinks>x"), SLICE("where, character 22: \"x\" is no whole number") },
        { SLICE("anchor=\"ä\" backlinks>1"), SLICE("where, character 12: a comma is missing") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct call_of c = plan_of(S("where"), cases[i].where);
        assert_int_equal(c.refusal.fault, FAULT_BAD_WHERE);
        assert_slice_equal(slice_of(c.refusal.why.p, cases[i].why.n), cases[i].why);
        arena_free(c.memory);
    }
}

/* Many texts in a long clause do not each take the room of the whole clause. */
static void memory_is_that_of_the_text(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct call_of c = plan_of(S("where"), repeated(&b, "anchor=\"x\"", ",anchor<>\"a\\\\\"", 99, ""));
    assert_int_equal(c.refusal.fault, FAULT_NONE);
    assert_int_equal(c.call.where.n, 100);
    size_t few = arena_used(c.memory);
    arena_free(c.memory);
    buffer_clear(&b);
    c = plan_of(S("where"), repeated(&b, "anchor=\"x\",anchor<>\"a\\\\\",anchor=\"", "y", 1300, "\""));
    assert_true(arena_used(c.memory) < few * 2);
    arena_free(c.memory);
    buffer_clear(&b);
}

/* A clause that cannot be sent is refused, and nothing is made of it before. */
static void what_cannot_be_sent(void **state)
{
    (void)state;
    static const struct {
        const char *clause, *before, *unit, *behind;
        size_t times, least; /* bytes of the URL */
        enum fault fault;
    } cases[] = {
        { "where", "anchor=\"", "a", "\"", 16385, 16385, FAULT_BAD_WHERE },
        { "where", "subdomain(anchor,\"", "(", "\")", 20000, 60000, FAULT_BAD_WHERE },
        { "where", "anchor=\"", "\x01", "\"", 3000, 18000, FAULT_BAD_WHERE },
        { "where", "anchor=\"", "β", "\"", 30000, 180000, FAULT_BAD_WHERE },
        { "where", "anchor=\"", "\\\"", "\"", 3000, 18000, FAULT_BAD_WHERE },
        { "having", "anchor=\"", "a", "\"", 20000, 20000, FAULT_BAD_HAVING },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b = { 0 };
        char want[128];
        struct slice text = repeated(&b, cases[i].before, cases[i].unit, cases[i].times, cases[i].behind);
        struct call_of c = plan_of(slice_str(cases[i].clause), text);
        snprintf(want, sizeof want, "at least %zu bytes, %zu more than the 16384", cases[i].least,
                 cases[i].least - 16384);
        assert_int_equal(c.refusal.fault, cases[i].fault);
        assert_true(slice_starts(c.refusal.why, slice_str(cases[i].clause)));
        assert_non_null(memmem(c.refusal.why.p, c.refusal.why.n, want, strlen(want)));
        assert_true(arena_used(c.memory) < 1024 * 1024);
        arena_free(c.memory);
        buffer_clear(&b);
    }
}

/* The count never says more than there will be: also where folding makes a text shorter. */
static void the_least_is_the_least(void **state)
{
    (void)state;
    static const char *const units[] = { "a", "(", "\x01", "\\\"", "\\\\", "ä", "Ä", "β",  "ſ", "K",
                                         "Å", "ẞ", "Ω",    "İ",    "Ⱥ",    "😀", "𐐀", "\t", "~", "é" };
    static const char *const before[] = { "anchor=\"",      "anchor<>\"",          "substring(anchor,\"",
                                          "word(anchor,\"", "subdomain(anchor,\"", "anchor<\"" };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        for (size_t k = 0; k < sizeof before / sizeof before[0]; k++) {
            struct buffer b = { 0 };
            struct call_of c =
                plan_of(S("where"), repeated(&b, before[k], units[i], 50, strchr(before[k], '(') ? "\")" : "\""));
            assert_int_equal(c.refusal.fault, FAULT_NONE);
            struct slice path = plan_list_path(&c.plan, S(""), 0, c.memory);
            assert_true(conditions_least_url(&c.call.where) >= 50);
            assert_true(conditions_least_url(&c.call.where) < path.n);
            arena_free(c.memory);
            buffer_clear(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(open_texts),
        cmocka_unit_test(positions),
        cmocka_unit_test(memory_is_that_of_the_text),
        cmocka_unit_test(what_cannot_be_sent),
        cmocka_unit_test(the_least_is_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
