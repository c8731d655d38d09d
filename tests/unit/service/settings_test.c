/* SPDX-License-Identifier: MIT
 * Settings live as long as somebody uses them, and say what the configuration says. */
#include "tests/unit/kit.h"

#include "base/clock.h"
#include "proxy/service/settings.h"

#define LEAST "[upstream]\nunits_per_month = 1\n"

/* The sanitizer sees what is freed too early, and what is not freed at all. */
static void the_last_user_frees(void **state)
{
    (void)state;
    struct config *c = kit_config(LEAST "[team seo]\n");
    struct settings *s = settings_new(c, c);
    assert_int_equal(s->users, 1);
    assert_ptr_equal(settings_hold(s), s);
    assert_ptr_equal(settings_hold(s), s);
    settings_put(s);
    settings_put(s);
    assert_int_equal(s->users, 1);
    assert_string_equal(s->config->teams[0].name, "seo");
    settings_put(s);
    settings_put(NULL);
}

static void a_configuration_of_others_stays(void **state)
{
    (void)state;
    struct config *c = kit_config(LEAST);
    settings_put(settings_new(c, NULL));
    struct settings *s = settings_new(c, NULL);
    s->owned = c; /* taken over later */
    settings_put(s);
}

static void free_targets_are_one_text(void **state)
{
    (void)state;
    struct config *c = kit_config("[proxy]\nfree_targets = example.com  a.example b.example\n" LEAST);
    struct settings *s = settings_new(c, c);
    struct slice text = settings_plan_options(s, 0).free_targets;
    assert_true(slice_eq(text, S("example.com a.example b.example")));
    settings_put(s);
}

static struct plan_options options_of(const char *text, int64_t page_rows)
{
    struct config *c = kit_config("%s", text);
    struct settings *s = settings_new(c, c);
    struct plan_options o = settings_plan_options(s, page_rows);
    settings_put(s);
    o.free_targets = S("");
    return o;
}

static void the_plan_has_what_is_configured(void **state)
{
    (void)state;
    struct plan_options o = options_of(LEAST, 0);
    assert_true(!o.nulls && !o.stats_zero && o.fold && !o.refuse_approximate);
    assert_int_equal(o.today.n, day_of_ms(clock_wall_ms()).n);
    assert_true(options_of(LEAST "[fidelity]\nlast_visited = null\n", 0).nulls == 1u << NULL_VISITED);
    assert_true(options_of(LEAST "[fidelity]\nstats = zero\n", 0).stats_zero);
    assert_true(options_of(LEAST "[fidelity]\nstats_refpages = null\n", 0).nulls == 1u << NULL_ESTIMATE);
    assert_true(options_of(LEAST "[fidelity]\nmissing = null\n", 0).nulls == 1u << NULL_MISSING);
    assert_false(options_of(LEAST "[fidelity]\nanchor_case = keep\n", 0).fold);
    assert_true(options_of(LEAST "[fidelity]\napproximate = refuse\n", 0).refuse_approximate);
}

static void what_is_configured_counts_before_what_was_learnt(void **state)
{
    (void)state;
    struct plan_options o = options_of(LEAST, 100);
    assert_int_equal(o.page_rows, 100);
    assert_true(o.page_rows_is_guess);
    o = options_of(LEAST "max_rows_per_request = 250\n", 100);
    assert_int_equal(o.page_rows, 250);
    assert_false(o.page_rows_is_guess);
}

static void explain_says_where_v3_is(void **state)
{
    (void)state;
    struct config *c = kit_config("[proxy]\ndefault_mode = domain\n[upstream]\nunits_per_month = 1\n"
                                  "units_per_call = 500\nurl = https://v3.example/v3\n");
    struct settings *s = settings_new(c, c);
    struct explain_options o = settings_explain_options(s, 70);
    assert_true(slice_eq(o.v3_url, S("https://v3.example/v3")));
    assert_int_equal(o.units_per_call, 500);
    assert_int_equal(o.default_mode, MODE_DOMAIN);
    assert_int_equal(o.plan.page_rows, 70);
    settings_put(s);
}

/* An answer that was remembered under one shape must not be given under another. */
static void each_choice_has_its_own_shape(void **state)
{
    (void)state;
    static const char *const last[] = { "first_seen", "null" }, *const stats[] = { "ask", "zero" };
    static const char *const refpages[] = { "estimate", "null" }, *const anchor_case[] = { "fold", "keep" };
    static const char *const missing[] = { "empty", "null" };
    enum { SHAPES = 32 };
    bool seen[SHAPES] = { 0 };
    for (int i = 0; i < SHAPES; i++) {
        struct config *c =
            kit_config(LEAST "[fidelity]\nlast_visited = %s\nstats = %s\nstats_refpages = %s\n"
                             "anchor_case = %s\nmissing = %s\n",
                       last[i & 1], stats[i >> 1 & 1], refpages[i >> 2 & 1], anchor_case[i >> 3 & 1], missing[i >> 4]);
        struct settings *s = settings_new(c, c);
        unsigned shape = settings_answer_shape(s);
        assert_true(shape < SHAPES && !seen[shape]);
        seen[shape] = true;
        settings_put(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_user_frees),
        cmocka_unit_test(a_configuration_of_others_stays),
        cmocka_unit_test(free_targets_are_one_text),
        cmocka_unit_test(the_plan_has_what_is_configured),
        cmocka_unit_test(what_is_configured_counts_before_what_was_learnt),
        cmocka_unit_test(explain_says_where_v3_is),
        cmocka_unit_test(each_choice_has_its_own_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
