/* SPDX-License-Identifier: MIT
 * A call's pages: what asking for them takes of memory. */
#include "kit.h"

enum { LONG = 14000 };

struct one {
    struct arena *memory;
    struct call call;
    struct plan plan;
    struct budget budget;
    struct translation *translation;
    int64_t rows; /* that v3 has given */
};

/* v3 gives one row a page. */
static void begin(struct one *o, const char *query, size_t memory)
{
    struct plan_options options = kit_options();
    options.page_rows = 1;
    options.stats_zero = true;
    *o = (struct one){ .memory = arena_new(memory), .budget = { .max = SIZE_MAX / 2 } };
    assert_int_equal(kit_plan(slice_str(query), &options, o->memory, &o->call, &o->plan).fault, FAULT_NONE);
    o->translation = translation_new(&o->plan, (struct translation_seen){ 0 }, SIZE_MAX / 2, o->memory);
    translation_set_budget(o->translation, &o->budget);
}

/* The next page of the list, with a long text in its row. False when the list has ended. */
static bool next_page(struct one *o)
{
    struct v3_request request;
    struct buffer body = { .max_bytes = 1024 * 1024 };
    if (!translation_next_of(o->translation, ASK_LIST, &request))
        return false;
    assert_true(request.path.n > (o->rows ? LONG : 0));
    buffer_printf(&body, "{\"anchors\":[{\"anchor\":\"%0*lld\"}]}", LONG, (long long)o->rows++);
    assert_true(translation_feed(o->translation, ASK_LIST, buffer_slice(&body)));
    assert_true(translation_end(o->translation, ASK_LIST, 1));
    buffer_clear(&body);
    return true;
}

static void end(struct one *o, int64_t results, enum translation_cut cut)
{
    struct translation_result result;
    assert_int_equal(translation_refusal(o->translation).fault, FAULT_NONE);
    assert_true(translation_is_whole(o->translation));
    assert_true(translation_finish(o->translation, &result));
    assert_int_equal(result.results, results);
    assert_int_equal(result.cut, cut);
    assert_int_equal(marks_has(&result.marks, MARK_ROWS), cut != CUT_NOT);
    translation_free(o->translation);
    assert_int_equal(o->budget.used, 0);
    arena_free(o->memory);
}

#define QUERY "from=anchors&target=example.com&mode=domain&select=anchor&limit=100"

static void many_pages_take_the_memory_of_one(void **state)
{
    (void)state;
    struct one o;
    begin(&o, QUERY, 256 * 1024);
    translation_pay(o.translation, INT64_MAX);
    while (next_page(&o))
        ;
    assert_false(arena_failed(o.memory));
    end(&o, 100, CUT_NOT);
}

/* Others take what is left while it is about to ask for its second page. */
static void without_memory_for_a_page_the_list_ends(void **state)
{
    (void)state;
    struct one o;
    begin(&o, QUERY, 256 * 1024);
    translation_pay(o.translation, INT64_MAX);
    assert_true(next_page(&o));
    o.budget.max = o.budget.used;
    assert_false(next_page(&o));
    end(&o, 1, CUT_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_pages_take_the_memory_of_one),
        cmocka_unit_test(without_memory_for_a_page_the_list_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
