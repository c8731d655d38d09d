/* SPDX-License-Identifier: MIT
 * The step recall, with a real cache and real flights. */
#include "proxy/call/hold.h"
#include "proxy/call/recall.h"
#include "tests/unit/call/kit.h"

enum { RECALL = 1, ROUND, HOLD, END };

static enum onward stay(struct exchange *x)
{
    return x->refusal.fault ? REFUSE : WAIT;
}

static enum onward finish(struct exchange *x)
{
    (void)hold_give_back(x);
    flight_leave_all(&x->seats);
    flight_give_up(&x->seats);
    return ONWARD;
}

static const struct step steps[] = {
    [RECALL] = { "recall",
                 ROOM_ADMIT,
                 recall_enter,
                 recall_late,
                 recall_gone,
                 { [ONWARD] = ROUND, [SKIP] = HOLD, [REFUSE] = END } },
    [ROUND] = { "round", ROOM_ADMIT, stay, NULL, NULL, { [REFUSE] = END } },
    [HOLD] = { "hold", ROOM_ADMIT, stay, NULL, NULL, { [REFUSE] = END } },
    [END] = { "end", ROOM_ANSWER, finish, NULL, NULL, { [ONWARD] = STEP_END } },
};

static void told(void *context, enum flight_kind kind, const struct flight_news *news)
{
    struct exchange *x = context;
    recall_told(x, kind, news);
    if (news->end == FLIGHT_FAILED)
        exchange_refuse(x, news->failing.refusal.fault, S("v3 failed"));
    exchange_wake(x);
}

static struct exchange *start(const char *query)
{
    struct exchange *x = kit_call(query);
    x->seats.told = told;
    exchange_start(x, steps, RECALL);
    return x;
}

static void end_call(struct exchange *x)
{
    exchange_refuse(x, FAULT_TOO_BUSY, S("the test ends it"));
    exchange_wake(x);
}

static const char query[] = "from=anchors&target=example.com&limit=10";

static void nothing_is_remembered_at_first(void **state)
{
    (void)state;
    struct exchange *x = start(query);
    assert_int_equal(x->driving.step, ROUND);
    assert_true(x->is_new_list);
    assert_int_equal(translation_rows(x->translation), 0);
    assert_non_null(x->seats.starts[FLIGHT_CALL]); /* others may join */
    assert_true(x->pages.list.n);
    end_call(x);
}

static void an_answer_that_was_given_is_given_again(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    struct cache_answer a = { .until_ms = clock_monotonic_ms() + 60000,
                              .results = 3,
                              .rows = 4,
                              .units_alone = 50,
                              .marks = S("last_visited"),
                              .payer = S("payer"),
                              .body = S("{}") };
    cache_keep_answer(kit.account.cache, first->outcome.question, &a);
    end_call(first);
    struct exchange *x = start(query);
    assert_int_equal(x->driving.step, HOLD);
    assert_true(x->outcome.cached && !x->outcome.shared);
    assert_int_equal(x->next_hold.rows, 4);
    assert_int_equal(x->next_hold.units, 0);
    assert_int_equal(x->outcome.alone_units, 50);
    assert_true(slice_eq(x->outcome.payer, S("payer")));
    struct exchange *other = start("from=anchors&target=example.com&limit=11");
    assert_int_equal(other->driving.step, ROUND); /* another question */
    end_call(x);
    end_call(other);
}

static void an_answer_is_not_used_when_none_is_kept(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    struct cache_answer a = { .until_ms = clock_monotonic_ms() + 60000, .marks = S(""), .payer = S(""), .body = S("") };
    cache_keep_answer(kit.account.cache, first->outcome.question, &a);
    end_call(first);
    kit.config.answer_ttl_ms = 0;
    struct exchange *x = start(query);
    assert_int_equal(x->driving.step, ROUND);
    assert_null(x->pages.list.p);
    end_call(x);
}

static void the_same_question_is_asked_once(void **state)
{
    (void)state;
    struct exchange *first = start(query), *second = start(query);
    assert_int_equal(second->driving.step, HOLD);
    assert_int_equal(second->seats.n_awaited, 1);
    assert_int_equal(second->next_hold.rows, 11); /* the biggest answer: 1 and 10 results */
    end_call(first);
    kit_turn();
    assert_null(second->seats.given); /* given up: told, and the step after this one asks anew */
    exchange_start(second, steps, RECALL);
    assert_int_equal(second->driving.step, ROUND);
    end_call(second);
}

/* Remember the first `n` rows of the list of `x`. */
static void keep_rows(const struct exchange *x, int64_t n)
{
    struct pages at = { .list = x->pages.list };
    struct buffer body = { 0 }, rows = { 0 };
    kit_write_rows(&body, x, 0, n);
    kit_pack_rows(&rows, x, buffer_slice(&body));
    pages_keep(&at, kit.account.cache, clock_monotonic_ms(), 60000, buffer_slice(&rows), false, S("payer"),
               KIT_CACHE_BYTES);
    buffer_clear(&body);
    buffer_clear(&rows);
}

static void rows_that_were_paid_for_are_read_first(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    keep_rows(first, 6);
    end_call(first);
    struct exchange *x = start(query);
    assert_int_equal(x->driving.step, ROUND);
    assert_int_equal(translation_rows(x->translation), 6);
    assert_true(slice_eq(x->outcome.payer, S("payer")));
    end_call(x);
}

static void a_call_waits_for_the_page_that_another_asks_for(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    keep_rows(first, 6);
    flight_start(kit.account.flights, &first->seats, FLIGHT_PAGES, first->pages.list);
    struct exchange *x = start("from=anchors&target=example.com&limit=12");
    assert_int_equal(x->driving.step, RECALL);
    assert_int_equal(x->seats.n_awaited, 1);
    exchange_wake(x); /* by something else */
    assert_int_equal(x->driving.step, RECALL);
    flight_give_page(&first->seats);
    kit_turn();
    assert_int_equal(x->driving.step, ROUND); /* it brought nothing new: not waited for again */
    assert_true(x->outcome.shared);
    end_call(x);
    end_call(first);
}

static void of_calls_whose_starter_gave_up_one_asks(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    flight_start(kit.account.flights, &first->seats, FLIGHT_PAGES, first->pages.list);
    struct exchange *x = start("from=anchors&target=example.com&limit=12");
    assert_int_equal(x->driving.step, RECALL);
    end_call(first);
    kit_turn();
    assert_int_equal(x->driving.step, ROUND);
    assert_false(x->outcome.shared);
    end_call(x);
}

static void what_v3_did_to_the_page_ends_those_that_wait(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    flight_start(kit.account.flights, &first->seats, FLIGHT_PAGES, first->pages.list);
    struct exchange *x = start("from=anchors&target=example.com&limit=12");
    flight_blame(&first->seats, FLIGHT_PAGES, (struct refusal){ FAULT_UPSTREAM_DOWN, S("down") }, 0);
    end_call(first);
    kit_turn();
    assert_int_equal(x->driving.step, STEP_END);
    assert_int_equal(x->refusal.fault, FAULT_UPSTREAM_DOWN);
}

static void a_page_is_awaited_until_the_deadline_or_until_the_client_leaves(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    flight_start(kit.account.flights, &first->seats, FLIGHT_PAGES, first->pages.list);
    struct exchange *x = start("from=anchors&target=example.com&limit=12");
    exchange_on_gone(x);
    assert_int_equal(x->refusal.fault, FAULT_TOO_BUSY);
    kit.config.call_timeout_ms = 0;
    struct exchange *y = start("from=anchors&target=example.com&limit=12");
    while (y->driving.step == RECALL)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(y->refusal.fault, FAULT_UPSTREAM_LATE);
    end_call(first);
}

/* A long list is not to stop the others: it is read over several turns of the loop. */
static void a_long_list_is_read_in_portions(void **state)
{
    (void)state;
    struct exchange *first = start("from=anchors&target=example.com&limit=20000");
    keep_rows(first, 12000);
    end_call(first);
    struct exchange *x = start("from=anchors&target=example.com&limit=20000");
    assert_int_equal(x->driving.step, RECALL);
    int64_t before = translation_rows(x->translation);
    assert_true(before > 0 && before < 12000);
    exchange_wake(x);
    assert_int_equal(translation_rows(x->translation), before);
    while (x->driving.step == RECALL)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(x->driving.step, ROUND);
    assert_int_equal(translation_rows(x->translation), 12000);
    end_call(x);
}

static const char deep[] = "from=anchors&target=example.com&limit=10&offset=400";

static void run_until_round(const struct exchange *x)
{
    while (x->driving.step == RECALL)
        event_base_loop(kit.service.base, EVLOOP_ONCE);
    assert_int_equal(x->driving.step, ROUND);
}

/* Remembered rows are copied for what is skipped, and the places behind them are remembered then. */
static void a_deep_call_goes_on_behind_what_is_remembered(void **state)
{
    (void)state;
    struct exchange *first = start(query);
    keep_rows(first, 6);
    end_call(first);
    struct exchange *x = start(deep);
    assert_int_equal(x->driving.step, RECALL); /* other calls may want the rows in front */
    run_until_round(x);
    assert_true(translation_skips(x->translation));
    assert_int_equal(translation_rows(x->translation), 6);
    assert_int_equal(x->pages.rows, 6);
    struct slice list = plan_list_path(x->asked.plan.skip, S(""), 0, x->memory);
    assert_true(slice_eq(x->pages.list, list));
    struct pages copies = { .list = list };
    pages_end(&copies, kit.account.cache, clock_monotonic_ms(), 0);
    assert_int_equal(copies.rows, 6);
    assert_true(copies.until_ms <= clock_monotonic_ms() + 60000); /* no longer than where they are from */
    end_call(x);
}

/* A pager that does not wait: its last page comes first. */
static void rows_that_others_want_are_not_skipped(void **state)
{
    (void)state;
    struct exchange *x = start(deep);
    assert_int_equal(x->driving.step, RECALL);
    struct exchange *front = start("from=anchors&target=example.com&limit=400");
    assert_int_equal(front->seats.n_awaited, 1);
    run_until_round(x);
    assert_false(translation_skips(x->translation));
    assert_true(flight_is_awaited(&x->seats));
    end_call(x);
    kit_turn();
    end_call(front);
}

/* A call does not take for others what it may not take for itself. */
static void rows_that_others_want_are_skipped_where_a_call_may_not_take_them(void **state)
{
    (void)state;
    kit.config.units_per_call = 3000;
    struct exchange *x = start(deep);
    struct exchange *front = start("from=anchors&target=example.com&limit=400");
    assert_int_equal(front->seats.n_awaited, 1);
    run_until_round(x);
    assert_true(translation_skips(x->translation));
    kit_turn();
    end_call(x);
    end_call(front);
}

/* One that wants a few rows in front asks for itself. */
static void a_few_rows_in_front_do_not_matter(void **state)
{
    (void)state;
    struct exchange *x = start(deep);
    struct exchange *front = start(query);
    assert_int_equal(front->seats.n_awaited, 1);
    run_until_round(x);
    assert_true(translation_skips(x->translation));
    kit_turn();
    assert_int_equal(front->driving.step, ROUND);
    end_call(x);
    end_call(front);
}

static void a_call_waits_for_memory(void **state)
{
    (void)state;
    kit.service.promised = kit.service.memory.max / 2;
    struct exchange *x = start(query);
    assert_int_equal(x->driving.step, RECALL);
    assert_true(hold_is_waiting(x));
    assert_null(x->seats.starts[FLIGHT_CALL]); /* others need not wait for it */
    kit.service.promised = 0;
    waitlist_retry(&kit.service.waitlist);
    assert_int_equal(x->driving.step, ROUND);
    assert_non_null(x->seats.starts[FLIGHT_CALL]);
    end_call(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(nothing_is_remembered_at_first),
        kit_test(an_answer_that_was_given_is_given_again),
        kit_test(an_answer_is_not_used_when_none_is_kept),
        kit_test(the_same_question_is_asked_once),
        kit_test(rows_that_were_paid_for_are_read_first),
        kit_test(a_call_waits_for_the_page_that_another_asks_for),
        kit_test(of_calls_whose_starter_gave_up_one_asks),
        kit_test(what_v3_did_to_the_page_ends_those_that_wait),
        kit_test(a_page_is_awaited_until_the_deadline_or_until_the_client_leaves),
        kit_test(a_long_list_is_read_in_portions),
        kit_test(a_deep_call_goes_on_behind_what_is_remembered),
        kit_test(rows_that_others_want_are_not_skipped),
        kit_test(rows_that_others_want_are_skipped_where_a_call_may_not_take_them),
        kit_test(a_few_rows_in_front_do_not_matter),
        kit_test(a_call_waits_for_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
