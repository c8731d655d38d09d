/* SPDX-License-Identifier: MIT
 * ledger/operations and ledger/resume on a ledger made by hand: what comes back, and what is taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proxy/ledger/inside.h"
#include "proxy/ledger/operations.h"
#include "proxy/ledger/resume.h"

static int n_done;
static enum ledger_outcome last_outcome;

static void on_done(void *context, enum ledger_outcome outcome)
{
    (void)context;
    n_done++;
    last_outcome = outcome;
}

/* A ledger without store, thread and loop: it can count, but not write. */
static struct ledger *ledger_in_memory(void)
{
    static struct ledger_team teams[] = { { "seo", 100, 1000 } };
    struct ledger *l = calloc(1, sizeof *l);
    const struct ledger_options options = {
        .units_per_month = LEDGER_NO_LIMIT, .billing_day = 1, .teams = teams, .n_teams = 1
    };
    assert_non_null(l);
    open_calls_init(&l->calls);
    l->serves = true;
    assert_true(limits_copy(&l->limits, &options));
    assert_true(tally_limit(&l->tally, &l->limits, day_of_ms(clock_wall_ms())));
    n_done = 0;
    return l;
}

static void ledger_in_memory_free(struct ledger *l)
{
    open_calls_clear(&l->calls);
    tally_clear(&l->tally);
    limits_clear(&l->limits);
    for (size_t i = 0; i < l->n_noted; i++)
        free((void *)(uintptr_t)l->noted[i].team.p);
    free(l->noted);
    free(l);
}

/* The operation of an entry of `call` that comes back. */
static void come_back(struct ledger *l, struct open_call *call, enum entry_kind kind, int64_t seq, bool written)
{
    struct entry e = { .kind = kind, .seq = seq, .id = S("id"), .team = S("seo"), .units = 7, .units_predicted = 7 };
    struct op *op = op_new(&e);
    assert_non_null(op);
    op->call = call;
    op->written = written;
    op->completion.done = on_done;
    if (call)
        call->pending++;
    operation_finished(l, op);
}

static struct open_call *open_call(struct ledger *l)
{
    struct open_call *call = open_calls_add(&l->calls, S("id"), tally_find(&l->tally, S("seo")));
    assert_non_null(call);
    return call;
}

static void what_is_written_is_acknowledged(void **state)
{
    (void)state;
    struct ledger *l = ledger_in_memory();
    struct open_call *call = open_call(l);
    come_back(l, call, ENTRY_HOLD, 5, true);
    assert_int_equal(n_done, 1);
    assert_int_equal(last_outcome, LEDGER_DONE);
    assert_int_equal(l->acknowledged, 5);
    assert_int_equal(call->first_seq, 5);
    assert_int_equal(call->pending, 0);
    come_back(l, call, ENTRY_HOLD, 6, true);
    assert_int_equal(call->first_seq, 5);
    come_back(l, call, ENTRY_SETTLE, 7, true);
    assert_int_equal(l->calls.n, 0);
    assert_int_equal(l->tally.teams[0].all_time.calls, 1);
    assert_int_equal(l->tally.teams[0].all_time.units, 7);
    come_back(l, NULL, ENTRY_NOTE, 8, true);
    assert_int_equal(l->acknowledged, 8);
    assert_true(l->serves);
    ledger_in_memory_free(l);
}

static void what_is_not_written_is_lost(void **state)
{
    (void)state;
    static const struct {
        enum entry_kind kind, lost_kind;
        bool was_held, relaxed, is_lost, is_given;
    } cases[] = {
        { ENTRY_HOLD, ENTRY_RELEASE, false, false, true, false },
        { ENTRY_HOLD, 0, true, false, false, false },
        { ENTRY_SETTLE, ENTRY_UNKNOWN, true, false, true, false },
        { ENTRY_SETTLE, ENTRY_UNKNOWN, true, true, true, true },
        { ENTRY_RELEASE, ENTRY_RELEASE, true, false, true, false },
        { ENTRY_UNKNOWN, ENTRY_UNKNOWN, true, true, true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger *l = ledger_in_memory();
        struct open_call *call = open_call(l);
        l->relaxed = cases[i].relaxed;
        call->first_seq = cases[i].was_held ? 3 : 0;
        come_back(l, call, cases[i].kind, 4, false);
        assert_int_equal(last_outcome, LEDGER_DOWN);
        assert_false(l->serves);
        assert_int_equal(l->acknowledged, 0);
        assert_int_equal(l->calls.n, 1);
        assert_int_equal(call->lost, cases[i].is_lost);
        assert_int_equal(call->ended, cases[i].is_lost);
        assert_int_equal(call->given, cases[i].is_given);
        assert_int_equal(call->lost_kind, cases[i].lost_kind);
        ledger_in_memory_free(l);
    }
}

static void an_answer_without_a_loop_comes_at_once(void **state)
{
    (void)state;
    struct ledger *l = ledger_in_memory();
    operation_answer(l, S("seo"), on_done, NULL, LEDGER_OUT_OF_ROWS);
    assert_int_equal(n_done, 1);
    assert_int_equal(last_outcome, LEDGER_OUT_OF_ROWS);
    operation_answer(l, S("seo"), NULL, NULL, LEDGER_DONE);
    ledger_in_memory_free(l);
}

/* Used rows come from the disk; the holds of calls that are alive stay theirs. */
static void the_state_is_taken_over(void **state)
{
    (void)state;
    struct ledger *l = ledger_in_memory();
    struct day today = day_of_ms(clock_wall_ms());
    struct open_call *alive = open_call(l), *lost = open_calls_add(&l->calls, S("lost"), 0);
    assert_non_null(lost);
    lost->lost = lost->ended = true;
    alive->rows = 99;
    tally_hold(&l->tally, 0, 99, 99);
    struct entry hold = {
        .seq = 9, .kind = ENTRY_HOLD, .id = S("id"), .team = S("seo"), .rows = 10, .units = 20, .time_ms = 1000
    };
    struct used_day used = { .team = S("seo"), .day = today, .rows = 30, .units = 40 };
    struct limit_row limits[] = { { S(""), 1, LEDGER_NO_LIMIT }, { S("seo"), 100, 1000 } };
    struct recovery fresh = { .days = &used,
                              .n_days = 1,
                              .limits = limits,
                              .n_limits = 2,
                              .open = { .entries = (struct entry *[]){ &hold }, .n = 1 } };
    struct buffer why = { 0 };
    size_t together = 1;
    assert_true(resume_take(l, &fresh, &together, &why));
    assert_int_equal(why.n, 0);
    assert_int_equal(together, 0);
    assert_int_equal(l->calls.n, 1); /* nothing is to be written for the lost one */
    assert_int_equal(alive->rows, 10);
    assert_int_equal(alive->first_seq, 9);
    assert_int_equal(l->tally.teams[0].rows_held, 10);
    assert_int_equal(tally_used(&l->tally, 0, today).rows, 30);
    assert_int_equal(tally_used(&l->tally, 0, today).units, 40);
    buffer_clear(&why);
    ledger_in_memory_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_acknowledged),
        cmocka_unit_test(what_is_not_written_is_lost),
        cmocka_unit_test(an_answer_without_a_loop_comes_at_once),
        cmocka_unit_test(the_state_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
