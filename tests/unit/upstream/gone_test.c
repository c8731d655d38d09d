/* SPDX-License-Identifier: MIT
 * When a 404 is about the target, and when about the path. */
#include "proxy/upstream/gone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool note(struct gone *g, const char *path, int target)
{
    char request[128];
    snprintf(request, sizeof(request), "%s?select=a&target=t%d.example&mode=exact", path, target);
    return gone_note_404(g, slice_str(request));
}

static void five_targets_and_then_the_path(void **state)
{
    (void)state;
    struct gone g = { 0 };
    for (int i = 0; i < 5; i++) {
        assert_false(note(&g, "/v3/a", i));
        assert_int_equal(note(&g, "/v3/a", i), i == 4);
    }
    assert_true(note(&g, "/v3/a", 5));
    assert_true(note(&g, "/v3/a", 0));
    assert_false(note(&g, "/v3/b", 5));
    gone_note_answer(&g, S("/v3/b?target=x"));
    assert_true(note(&g, "/v3/a", 6));
    gone_note_answer(&g, S("/v3/a?target=x"));
    assert_false(note(&g, "/v3/a", 6));
}

static void an_answer_between_begins_anew(void **state)
{
    (void)state;
    struct gone g = { 0 };
    for (int i = 0; i < 100; i++) {
        if (i % 5 == 4) {
            gone_note_answer(&g, S("/v3/a?target=good"));
        }
        assert_false(note(&g, "/v3/a", i));
    }
}

static void without_a_target_it_is_the_path(void **state)
{
    (void)state;
    struct gone g = { 0 };
    assert_true(gone_note_404(&g, S("/v3/limits")));
    assert_true(gone_note_404(&g, S("/v3/limits?target=")));
    assert_true(gone_note_404(&g, S("/v3/limits?targets=x&no=target")));
    assert_true(gone_note_404(&g, S("")));
    assert_false(gone_note_404(&g, S("/v3/a?target=x")));
}

static void many_paths_do_not_grow(void **state)
{
    (void)state;
    struct gone g = { 0 };
    char path[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/v3/%d", i);
        assert_false(note(&g, path, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_targets_and_then_the_path),
        cmocka_unit_test(an_answer_between_begins_anew),
        cmocka_unit_test(without_a_target_it_is_the_path),
        cmocka_unit_test(many_paths_do_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
