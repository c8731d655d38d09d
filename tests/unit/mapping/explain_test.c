/* SPDX-License-Identifier: MIT
 * A call explained: the whole text, its widths, commands that were pasted, and that nothing inexact is without words.
 */
#include "tests/unit/mapping/kit.h"

#include "mapping/explain.h"

static struct explain_options options_of(size_t width)
{
    return (struct explain_options){ .plan = kit_options(),
                                     .default_mode = MODE_SUBDOMAINS,
                                     .units_per_call = 100000,
                                     .v3_url = S("https://v3.example/v3"),
                                     .width = width };
}

static const char call[] = "from=anchors&target=example.com/blog&mode=prefix&where=backlinks>5&"
                           "order_by=last_visited:desc&limit=1000&wher=x";

static void the_whole_text(void **state)
{
    (void)state;
    static const char head[] = "served; 4 things not exact, 1 parameter ignored; at most 1,006 rows and ";
    static const char parts[] =
        "\n"
        "  from=anchors                site-explorer/anchors                                  exact\n"
        "  target=example.com/blog     target=example.com/blog                                exact\n"
        "  mode=prefix                 mode=prefix                                            exact\n"
        "  where=backlinks>5           where links_to_target > 5                              not exact [1]\n"
        "  order_by=last_visited:desc  order_by=first_seen:desc,anchor:asc                    not exact [2]\n"
        "  limit=1000                  limit=1000                                             exact\n"
        "  (all columns)               anchor links_to_target refpages refdomains first_seen  not exact [3]\n"
        "  (stats)                     backlinks-stats, and the 25 greatest anchors           not exact [4]\n"
        "  wher=x                      -                                                      ignored [5]\n"
        "\n"
        "  [1] where.backlinks: v2 looked at each referring domain of an anchor; v3 has the sum only\n"
        "  [2] order_by.last_visited: v3 has no last visit; sorted by first_seen\n"
        "  [3] last_visited: answered with first_seen\n"
        "  [4] stats.refpages: estimated by the ratio of pages to links among the greatest rows\n"
        "  [5] wher: v2 had no such parameter and ignored it; did you mean where?\n"
        "\n"
        "rows   1 call + 1,000 results + 5 where                    = 1,006 at most\n"
        "units  ";
    struct explain_options o = options_of(0);
    struct buffer out = { 0 };
    assert_int_equal(explain_text(slice_str(call), &o, &out), FAULT_NONE);
    struct slice text = buffer_slice(&out);
    assert_true(slice_starts(text, slice_str(head)));
    text = slice_from(text, slice_find(text, '\n') + 1);
    assert_slice_equal(slice_of(text.p, text.n < sizeof parts - 1 ? text.n : sizeof parts - 1), slice_str(parts));
    buffer_clear(&out);
}

static size_t widest_line(struct slice text)
{
    size_t most = 0;
    while (text.n) {
        size_t n = 0;
        struct slice line = slice_split(text, '\n', &text);
        for (size_t i = 0; i < line.n; i++)
            n += ((unsigned char)line.p[i] & 0xC0) != 0x80;
        most = n > most ? n : most;
    }
    return most;
}

static void lines_fit(void **state)
{
    (void)state;
    static const char *const calls[] = {
        call,
        "from=anchors&target=example.com&where=anchor=\"a very long text with blanks, and commas, and more of both\"",
        "from=anchors&target=example.com&where=anchor="
        "\"averylongtextwithoutblanksaverylongtextwithoutblanksaverylong\"",
        "from=anchors&target=example.com&where=anchor=\"a\",backlinks>1,refpages>1,first_seen>\"x\"",
        "from=anchors&target=example.com&limit=4999999&offset=2147483647&having=backlinks>1",
        "from=averylongnameofatableaverylongnameofatableaverylongnameofatableaverylongnameofatableaverylongnameof",
    };
    for (size_t width = EXPLAIN_LEAST_WIDTH; width <= EXPLAIN_WIDTH; width += 5) {
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            struct explain_options o = options_of(width);
            struct buffer out = { 0 };
            (void)explain_text(slice_str(calls[i]), &o, &out);
            if (widest_line(buffer_slice(&out)) > width) {
                print_error("%zu:\n%.*s", width, SLICE_ARGS(buffer_slice(&out)));
                fail();
            }
            buffer_clear(&out);
        }
    }
}

/* A clause or a mark that changes an answer and has no sentence would leave people without the reason. */
static void all_that_is_inexact_is_said(void **state)
{
    (void)state;
    const struct table *t;
    for (size_t k = 0; (t = table_at(k)); k++) {
        for (size_t i = 0; i < t->n_columns; i++) {
            const struct column *c = &t->columns[i];
            assert_int_equal(c->where == FIDELITY_NEAR || c->where == FIDELITY_LIVE_DAY, c->where_says.n > 0);
            assert_int_equal(c->having == FIDELITY_NEAR || c->having == FIDELITY_LIVE_DAY, c->having_says.n > 0);
            assert_int_equal(c->order_by == FIDELITY_NEAR, c->order_by_says.n > 0);
            assert_int_equal(c->shown == FIDELITY_NEAR || c->shown == FIDELITY_BOUND, c->shown_says.n > 0);
        }
        for (size_t i = 0; i < t->n_stats; i++)
            assert_true(!mark_is_due(t->stats[i].shown) || t->stats[i].shown == FIDELITY_MISSING || t->stats[i].says.n);
        for (size_t i = 0; i < t->n_parts; i++)
            assert_true(t->parts[i].brings.n && t->parts[i].purpose && t->parts[i].what.n && t->parts[i].name.n);
    }
    for (int m = 0; m < MARK_COUNT; m++)
        assert_true(mark_says((enum mark)m).n);
}

static void curl_commands(void **state)
{
    (void)state;
    static const struct {
        const char *command, *address; /* NULL: it is refused */
    } cases[] = {
        { "curl https://x/?a=b", "https://x/?a=b" },
        { "$ curl 'https://x/?a=b'#c", "https://x/?a=b" },
        { "curl https://x/?a=b\\&c=d", "https://x/?a=b&c=d" },
        { "curl \"https://x/?a=\\\"\\$\\q\"", "https://x/?a=\"$\\q" },
        { "curl $'https://x/?a=\\x41\\102\\u00e9\\'\\n'", "https://x/?a=AB\xC3\xA9'\n" },
        { "curl -d a=b -d c=d x", "x?a=b&c=d" },
        { "curl 'x?q=1' \\\n -G \\\r\n --data-urlencode 'a=b c' --data-urlencode =d ignored", "x?q=1&a=b%20c&d" },
        { "curl --data-urlencode 'b c' x", "x?b%20c" },
        { "curl --data-raw @a x", "x?@a" },
        { "curl -H 'content-type: text/plain' -d a=b x", "x?" },
        { "curl -H 'content-type: text/plain' -d a=b x -G", "x?a=b" },
        { "curl -H 'content-type: application/x-www-form-urlencoded; charset=utf-8' -d a=b x", "x?a=b" },
        { "curl --json '{}' x?a", "x?a" },
        { "curl --whatever value https://x/ -sSfL --max-time 5 -XPOST -uu:p -o f", "https://x/?" },
        { "curl --whatever https://x/?a --compressed | jq", "https://x/?a" },
        { "curl -K c x --next y", "x?" },
        { "curl 'x?a' \\  -G \\-d b=c \\\t--data d", "x?a&b=c&d" }, /* pasted where line ends are lost */
        { "curl -d @file x", NULL },
        { "curl --data-urlencode a@file x", NULL },
        { "curl 'x", NULL },
        { "curl -d 'x", NULL },
        { "curl -s", NULL },
        { "curl ", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *memory = arena_new(1 << 20);
        struct slice text = slice_str(cases[i].command);
        const char *why = NULL;
        assert_true(params_are_curl(text));
        struct slice got = params_of_curl(text, memory, &why);
        assert_int_equal(why == NULL, cases[i].address != NULL);
        if (cases[i].address)
            assert_slice_equal(got, slice_str(cases[i].address));
        arena_free(memory);
    }
    assert_false(params_are_curl(S("curly x")));
    assert_false(params_are_curl(S("from=curl x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_text),
        cmocka_unit_test(lines_fit),
        cmocka_unit_test(all_that_is_inexact_is_said),
        cmocka_unit_test(curl_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
