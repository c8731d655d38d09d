/* SPDX-License-Identifier: MIT
 * The step round: what is asked next, and what has to be held for it. */
#include "proxy/call/round.h"

#include "mapping/part.h"

#include "proxy/call/hold.h"
#include "tests/unit/call/kit.h"

enum { ROUND = 1, HOLD, END };

static enum onward stay(struct exchange *x)
{
    return x->refusal.fault ? REFUSE : WAIT;
}

static enum onward finish(struct exchange *x)
{
    flight_leave_all(&x->seats);
    flight_give_up(&x->seats);
    return ONWARD;
}

static const struct step steps[] = {
    [ROUND] = { "round", ROOM_ADMIT, round_enter, NULL, NULL, { [ONWARD] = HOLD, [REFUSE] = END } },
    [HOLD] = { "hold", ROOM_ADMIT, stay, NULL, NULL, { [REFUSE] = END } },
    [END] = { "end", ROOM_ANSWER, finish, NULL, NULL, { [ONWARD] = STEP_END } },
};

static void told(void *context, enum flight_kind kind, const struct flight_news *news)
{
    round_told(context, kind, news);
}

/* As recall leaves it, nothing being remembered. */
static struct exchange *start(const char *query)
{
    struct exchange *x = kit_call(query);
    x->seats.told = told;
    x->translation = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, 1 << 24, x->memory);
    x->pages.list = plan_list_path(&x->asked.plan, S(""), 0, x->memory);
    x->is_new_list = true;
    exchange_start(x, steps, ROUND);
    return x;
}

static void end_call(struct exchange *x)
{
    exchange_refuse(x, FAULT_TOO_BUSY, S("the test ends it"));
    if (x->driving.step != STEP_END)
        exchange_wake(x);
}

static const struct v3_request *request(const struct exchange *x, enum plan_ask ask)
{
    for (int i = 0; i < x->requests.n; i++)
        if (x->requests.list[i].ask == ask)
            return &x->requests.list[i];
    return NULL;
}

static int64_t units(const struct exchange *x)
{
    int64_t sum = 0;
    for (int i = 0; i < x->requests.n; i++)
        sum += x->requests.list[i].units;
    return sum;
}

static void the_first_round_asks_for_list_and_parts(void **state)
{
    (void)state;
    struct exchange *x = start("from=anchors&target=example.com&limit=10");
    assert_int_equal(x->driving.step, HOLD);
    assert_non_null(request(x, ASK_LIST));
    assert_non_null(request(x, ASK_PARTS));
    assert_int_equal(x->next_hold.rows, 11); /* 1 for the request and 10 results */
    assert_int_equal(x->next_hold.units, units(x));
    assert_non_null(x->seats.starts[FLIGHT_PAGES]);
    assert_non_null(x->seats.starts[FLIGHT_PARTS]);
    end_call(x);
}

static void clauses_have_a_price(void **state)
{
    (void)state;
    struct exchange *x = start("from=anchors&target=example.com&limit=10&where=backlinks%3E1&having=backlinks%3E2");
    assert_int_equal(x->next_hold.rows, 21);
    end_call(x);
}

static void a_free_call_holds_no_rows(void **state)
{
    (void)state;
    struct exchange *x = kit_call("from=anchors&target=example.com&limit=10");
    x->asked.plan.free_of_rows = true;
    x->translation = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, 1 << 24, x->memory);
    x->is_new_list = true;
    exchange_start(x, steps, ROUND);
    assert_int_equal(x->next_hold.rows, 0);
    assert_true(x->next_hold.units > 0);
    assert_int_equal(round_rows_of_all(x), 0);
    end_call(x);
}

static void what_is_known_of_the_target_is_not_asked(void **state)
{
    (void)state;
    struct exchange *first = start("from=anchors&target=example.com&limit=10");
    const struct target *t = &first->asked.call.target;
    int64_t later_ms = clock_monotonic_ms() + 60000;
    for (size_t k = 0; k < table_anchors.n_parts; k++) {
        const struct part *part = &table_anchors.parts[k];
        struct part_values values = { .known = part->fields,
                                      .of = { { .whole = 12 }, { .whole = 10 }, { .whole = 5 } } };
        assert_true(cache_keep_part(kit.account.cache, part, t, later_ms,
                                    slice_of((const char *)&values, part_bytes(part->report))));
    }
    end_call(first);
    struct exchange *x = start("from=anchors&target=example.com&limit=10");
    assert_int_equal(x->requests.n, 1);
    assert_non_null(request(x, ASK_LIST));
    end_call(x);
    kit.config.stats_ttl_ms = 0; /* they are asked every time */
    struct exchange *y = start("from=anchors&target=example.com&limit=10");
    assert_non_null(request(y, ASK_PARTS));
    end_call(y);
}

static void what_another_call_asks_is_awaited(void **state)
{
    (void)state;
    struct exchange *first = start("from=anchors&target=example.com&limit=10");
    struct exchange *x = start("from=anchors&target=example.com&limit=20");
    assert_null(request(x, ASK_PARTS));
    assert_true(x->seats.n_awaited > 0);
    struct part_values values = { .known = 1, .of = { { .whole = 77 } } };
    flight_give_part(&first->seats, FLIGHT_PARTS,
                     slice_of((const char *)&values, part_bytes(table_anchors.parts[0].report)));
    kit_turn();
    assert_true(x->outcome.shared);
    assert_true(slice_eq(x->outcome.payer, first->seats.id));
    end_call(first); /* what it had not answered is given up: this call asks after all */
    kit_turn();
    assert_int_equal(x->seats.n_awaited, 0);
    assert_false(translation_needs(x->translation, ASK_PARTS));
    end_call(x);
}

static void near_the_limit_a_page_asks_for_what_is_left_and_one_row(void **state)
{
    (void)state;
    kit_open_books(6); /* 1 for the request, 5 results */
    struct exchange *x = start("from=anchors&target=example.com&limit=1000");
    assert_int_equal(request(x, ASK_LIST)->rows, 6);
    assert_int_equal(x->next_hold.rows, 6);
    assert_int_equal(round_rows_of_all(x), 6);
    end_call(x);
}

static void the_ceiling_of_a_call_refuses(void **state)
{
    (void)state;
    kit.config.units_per_call = 60;
    struct exchange *x = start("from=anchors&target=example.com&limit=10");
    assert_int_equal(x->driving.step, STEP_END);
    assert_int_equal(x->refusal.fault, FAULT_TOO_DEAR);
    assert_non_null(memmem(x->refusal.why.p, x->refusal.why.n, "units_per_call = 60", 19));
    kit.config.units_per_call = 0; /* no ceiling */
    struct exchange *y = start("from=anchors&target=example.com&limit=10");
    assert_int_equal(y->driving.step, HOLD);
    end_call(y);
}

/* What a call may have is decided before its first request, and set aside. */
static void a_list_is_asked_for_as_far_as_it_is_paid_for(void **state)
{
    static const struct {
        const char *query;
        int64_t rows, ceiling;    /* of the team, of the call */
        enum fault fault;         /* or */
        int64_t asked, rows_left; /* rows of the list; of the team, beside what is set aside */
    } calls[] = {
        { "from=anchors&target=example.com&limit=1000", 2000, 100000, FAULT_NONE, 1000, 999 },
        { "from=anchors&target=example.com&limit=1000", 900, 100000, FAULT_NONE, 900, 0 },
        { "from=anchors&target=example.com&limit=1000", 900, 1000, FAULT_NONE, 100, 799 },
        { "from=anchors&target=example.com&limit=1000", 2000, 1000, FAULT_NONE, 100, 1899 },
        { "from=anchors&target=example.com&limit=1000&offset=50", 2000, 1000, FAULT_NONE, 100, 1949 },
        { "from=anchors&target=example.com&limit=1000&offset=100", 2000, 1000, FAULT_TOO_DEAR, 0, 2000 },
        { "from=anchors&target=example.com&limit=10", 1, 100000, FAULT_OUT_OF_ROWS, 0, 1 },
    };
    (void)state;
    kit.config.stats_ttl_ms = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        kit_open_books(calls[i].rows);
        kit.config.units_per_call = calls[i].ceiling;
        struct exchange *x = start(calls[i].query);
        assert_int_equal(x->refusal.fault, calls[i].fault);
        if (!calls[i].fault)
            assert_int_equal(request(x, ASK_LIST)->rows, calls[i].asked);
        assert_int_equal(ledger_left(kit.service.ledger, S("seo")).rows_left, calls[i].rows_left);
        if (!calls[i].fault)
            end_call(x);
        hold_give_back(x);
    }
}

static void what_may_be_too_long_has_its_bound_asked_for(void **state)
{
    (void)state;
    kit.config.units_per_call = 1000;
    kit.config.too_long = TOO_LONG_REFUSE;
    struct exchange *x = start("from=anchors&target=example.com&limit=1000");
    assert_int_equal(x->requests.n, 1);
    assert_non_null(request(x, ASK_PARTS));
    assert_int_equal(x->next_hold.units, 50);
    end_call(x);
}

static void what_is_remembered_is_held_for_but_not_asked(void **state)
{
    (void)state;
    struct buffer body = { 0 }, rows = { 0 };
    struct exchange *x = kit_call("from=anchors&target=example.com&limit=10");
    kit_write_rows(&body, x, 0, 4);
    kit_pack_rows(&rows, x, buffer_slice(&body));
    x->translation = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, 1 << 24, x->memory);
    assert_true(translation_replay(x->translation, buffer_slice(&rows)));
    translation_replayed(x->translation, false);
    x->is_new_list = true;
    exchange_start(x, steps, ROUND);
    assert_non_null(request(x, ASK_LIST));
    assert_int_equal(x->next_hold.rows, 11);
    assert_int_equal(request(x, ASK_LIST)->rows, 6);
    end_call(x);
    buffer_clear(&body);
    buffer_clear(&rows);
}

static void no_page_is_asked_for_a_client_that_left(void **state)
{
    (void)state;
    struct exchange *x = start("from=anchors&target=example.com&limit=10");
    flight_give_up(&x->seats);
    x->client_gone = true;
    exchange_start(x, steps, ROUND);
    assert_int_equal(x->driving.step, STEP_END);
    assert_true(slice_eq(x->refusal.why, S("the client left before all pages were asked for")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_first_round_asks_for_list_and_parts),
        kit_test(clauses_have_a_price),
        kit_test(a_free_call_holds_no_rows),
        kit_test(what_is_known_of_the_target_is_not_asked),
        kit_test(what_another_call_asks_is_awaited),
        kit_test(near_the_limit_a_page_asks_for_what_is_left_and_one_row),
        kit_test(the_ceiling_of_a_call_refuses),
        kit_test(a_list_is_asked_for_as_far_as_it_is_paid_for),
        kit_test(what_may_be_too_long_has_its_bound_asked_for),
        kit_test(what_is_remembered_is_held_for_but_not_asked),
        kit_test(no_page_is_asked_for_a_client_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
