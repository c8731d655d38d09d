/* SPDX-License-Identifier: MIT
 * The queue is fair between teams and in order within one. */
#include "proxy/upstream/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct one {
    char name;
    struct queue_item item;
};

static char pop(struct queue *q)
{
    struct queue_item *item = queue_peek(q);
    if (!item) {
        return '-';
    }
    queue_pop(q);
    return LINKED(item, struct one, item)->name;
}

static void push(struct queue *q, struct one *o, char name, const char *team, bool first)
{
    *o = (struct one){ .name = name };
    assert_true(queue_push(q, &o->item, slice_str(team), first));
}

static void assert_order(struct queue *q, const char *order)
{
    for (; *order; order++) {
        assert_int_equal(pop(q), *order);
    }
}

static void teams_take_turns(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[8];
    push(&q, &o[0], 'a', "seo", false);
    push(&q, &o[1], 'b', "seo", false);
    push(&q, &o[2], 'c', "seo", false);
    push(&q, &o[3], 'x', "ads", false);
    push(&q, &o[4], 'y', "ads", false);
    push(&q, &o[5], '1', "", false);
    assert_int_equal(q.length, 6);
    assert_order(&q, "ax1byc-");
    assert_int_equal(q.length, 0);
}

static void one_that_was_sent_before_comes_first_in_its_lane(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[8];
    push(&q, &o[0], 'a', "seo", false);
    push(&q, &o[1], 'x', "ads", false);
    push(&q, &o[2], 'A', "seo", true);
    assert_order(&q, "Axa-");
}

static void whoever_leaves_is_gone(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[8];
    push(&q, &o[0], 'a', "seo", false);
    push(&q, &o[1], 'b', "seo", false);
    push(&q, &o[2], 'x', "ads", false);
    queue_remove(&q, &o[2].item);
    queue_remove(&q, &o[2].item);
    queue_remove(&q, &o[0].item);
    assert_int_equal(q.length, 1);
    assert_order(&q, "b-");
}

static void a_new_team_does_not_jump_the_ring(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[8];
    push(&q, &o[0], 'a', "seo", false);
    push(&q, &o[1], 'b', "seo", false);
    push(&q, &o[2], 'x', "ads", false);
    assert_int_equal(pop(&q), 'a');
    push(&q, &o[3], 'n', "new", false);
    push(&q, &o[4], 'y', "ads", false);
    assert_order(&q, "xbny-");
}

/* What another team waits for as well goes where it comes sooner. */
static void shared_items_take_the_shorter_line(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[6];
    push(&q, &o[0], 'a', "seo", false);
    push(&q, &o[1], 'b', "seo", false);
    push(&q, &o[2], 'c', "seo", false);
    push(&q, &o[3], 'd', "seo", false);
    push(&q, &o[4], 'x', "ads", false);
    queue_share(&q, &o[3].item, S("ads")); /* behind x rather than behind a, b, c */
    queue_share(&q, &o[1].item, S("ads")); /* it stays: d would come before it there */
    queue_share(&q, &o[0].item, S("new")); /* it is the first already */
    queue_share(&q, &o[4].item, S("ads"));
    assert_int_equal(q.length, 5);
    assert_order(&q, "axbdc-");
    struct one out = { .name = 'o' };
    queue_share(&q, &out.item, S("ads")); /* not in the queue */
    assert_int_equal(q.length, 0);
    assert_order(&q, "-");
}

/* Of eight places a team has four, and half of what is left when others have come. */
static void one_team_has_a_share_of_the_places(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct one o[8];
    for (int i = 0; i < 5; i++) {
        assert_true(queue_has_place(&q, S("seo"), 8));
        push(&q, &o[i], (char)('a' + i), "seo", false);
    }
    assert_int_equal(queue_length_of(&q, S("seo")), 5);
    assert_int_equal(queue_length_of(&q, S("ads")), 0);
    assert_false(queue_has_place(&q, S("seo"), 5));
    q.is_shared = true;
    assert_false(queue_has_place(&q, S("seo"), 8));
    assert_true(queue_has_place(&q, S("ads"), 8));
    queue_remove(&q, &o[4].item);
    assert_false(queue_has_place(&q, S("seo"), 8));
    queue_share(&q, &o[3].item, S("ads"));
    assert_int_equal(queue_length_of(&q, S("seo")), 3);
    assert_int_equal(queue_length_of(&q, S("ads")), 1);
    assert_false(queue_has_place(&q, S("seo"), 8)); /* seven are left to it, of which four would be more than half */
    assert_true(queue_has_place(&q, S("ads"), 8));
    assert_order(&q, "adbc-");
    assert_int_equal(queue_length_of(&q, S("seo")), 0);
    assert_true(queue_has_place(&q, S("seo"), 1)); /* the last place is anybody's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teams_take_turns),
        cmocka_unit_test(shared_items_take_the_shorter_line),
        cmocka_unit_test(one_that_was_sent_before_comes_first_in_its_lane),
        cmocka_unit_test(whoever_leaves_is_gone),
        cmocka_unit_test(one_team_has_a_share_of_the_places),
        cmocka_unit_test(a_new_team_does_not_jump_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
