/* SPDX-License-Identifier: MIT
 * ledger/entries: what the books are made of, without a disk, a thread or a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/ledger/entries/chain.h"
#include "proxy/ledger/entries/ids.h"
#include "proxy/ledger/entries/limits.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/entries/names.h"
#include "proxy/ledger/entries/open_calls.h"
#include "proxy/ledger/entries/rollup.h"

enum { MANY = 2000 };

/* ---- ids ---- */

static void ids_are_packed_and_unpacked(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++) {
        char id[ID_TEXT + 1], again[ID_TEXT];
        uint8_t bytes[ID_BYTES];
        call_id_make(id);
        assert_int_equal(strlen(id), ID_TEXT);
        assert_true(id_pack(slice_str(id), bytes));
        id_unpack(bytes, again);
        assert_memory_equal(id, again, ID_TEXT);
    }
}

static void other_texts_are_no_ids(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "0",
        "8zzzzzzzzzzzzzzzzzzzzzzzzz" /* over 128 bits */,
        "0000000000000000000000000i",
        "0000000000000000000000000U",
        "000000000000000000000000000" /* one too long */,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t bytes[ID_BYTES];
        if (id_pack(slice_str(texts[i]), bytes))
            fail_msg("%s was taken for an id", texts[i]);
    }
    uint8_t bytes[ID_BYTES], most[ID_BYTES];
    memset(most, 0xFF, sizeof most);
    assert_true(id_pack(S("7zzzzzzzzzzzzzzzzzzzzzzzzz"), bytes));
    assert_memory_equal(bytes, most, sizeof most);
}

/* ---- names ---- */

static void names_keep_their_numbers(void **state)
{
    (void)state;
    struct names t = { 0 };
    char text[16];
    assert_int_equal(names_find(&t, S("a")), -1);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "name %d", i);
        assert_int_equal(names_add(&t, slice_str(text)), i);
        assert_int_equal(names_add(&t, slice_str(text)), i);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "name %d", i);
        assert_int_equal(names_find(&t, slice_str(text)), i);
        assert_true(slice_eq(names_text(&t, i), slice_str(text)));
    }
    assert_int_equal(names_find(&t, S("name")), -1);
    assert_int_equal(names_text(&t, MANY).n, 0);
    assert_int_equal(names_text(&t, -1).n, 0);
    names_clear(&t);
}

/* ---- open calls ---- */

static void check_order(const struct open_calls *c, const int32_t *expected, size_t n)
{
    size_t i = 0;
    for (struct open_call *call = open_calls_oldest(c); call; call = open_calls_newer(c, call), i++) {
        assert_true(i < n);
        assert_int_equal(call->team, expected[i]);
    }
    assert_int_equal(i, n);
    assert_int_equal(c->n, n);
}

static void open_calls_are_found_and_in_order(void **state)
{
    (void)state;
    struct open_calls c;
    open_calls_init(&c);
    check_order(&c, NULL, 0);
    assert_null(open_calls_find(&c, S("a")));
    struct open_call *a = open_calls_add(&c, S("a"), 1), *b = open_calls_add(&c, S("b"), 2);
    struct open_call *d = open_calls_add(&c, S("d"), 3);
    check_order(&c, (int32_t[]){ 1, 2, 3 }, 3);
    assert_ptr_equal(open_calls_find(&c, S("b")), b);
    open_calls_remove(&c, b);
    check_order(&c, (int32_t[]){ 1, 3 }, 2);
    open_calls_remove(&c, a);
    assert_non_null(open_calls_add(&c, S(""), 4));
    check_order(&c, (int32_t[]){ 3, 4 }, 2);
    open_calls_remove(&c, d);
    check_order(&c, (int32_t[]){ 4 }, 1);
    assert_null(open_calls_find(&c, S("d")));
    open_calls_clear(&c);
    check_order(&c, NULL, 0);
}

static void very_many_calls_are_open(void **state)
{
    (void)state;
    struct open_calls c;
    char id[16];
    open_calls_init(&c);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_non_null(open_calls_add(&c, slice_str(id), i));
    }
    for (int i = 0; i < MANY; i += 2) {
        snprintf(id, sizeof id, "%d", i);
        open_calls_remove(&c, open_calls_find(&c, slice_str(id)));
    }
    int next = 1;
    for (struct open_call *call = open_calls_oldest(&c); call; call = open_calls_newer(&c, call), next += 2) {
        snprintf(id, sizeof id, "%d", next);
        assert_int_equal(call->team, next);
        assert_ptr_equal(open_calls_find(&c, slice_str(id)), call);
    }
    assert_int_equal(next, MANY + 1);
    open_calls_clear(&c);
}

/* ---- limits ---- */

static void limits_are_a_copy(void **state)
{
    (void)state;
    char name[] = "seo";
    struct ledger_team teams[] = { { name, 5, LEDGER_NO_LIMIT }, { "ads", LEDGER_NO_LIMIT, 7 } };
    struct ledger_options options = { .units_per_month = 100, .billing_day = 15, .teams = teams, .n_teams = 2 };
    struct limits l = { 0 };
    assert_true(limits_copy(&l, &options));
    memset(name, 'x', sizeof name - 1);
    teams[0].rows_per_month = 6;
    assert_int_equal(limits_team(&l, S("seo"))->rows_per_month, 5);
    assert_int_equal(limits_team(&l, S("ads"))->units_per_month, 7);
    assert_null(limits_team(&l, S("se")));
    assert_int_equal(l.billing_day, 15);
    assert_false(l.keeps_day);
    limits_clear(&l);
    options.billing_day = LEDGER_BILLING_DAY_KEPT;
    assert_true(limits_copy(&l, &options));
    assert_int_equal(l.billing_day, 1);
    assert_true(l.keeps_day);
    limits_clear(&l);
}

/* ---- months ---- */

static struct day day(int year, int month, int day)
{
    return day_from_civil((struct civil){ .year = year, .month = month, .day = day });
}

static void every_day_is_in_its_month(void **state)
{
    (void)state;
    for (int first = 1; first <= 28; first++) {
        struct period before = { 0 };
        for (struct day d = day(2023, 12, 25); d.n < day(2025, 2, 5).n; d.n++) {
            struct period p = month_of_day(d, first);
            assert_true(period_has(p, d));
            assert_int_equal(day_to_civil(p.since).day, first);
            assert_int_equal(day_to_civil(p.until).day, first);
            assert_in_range(p.until.n - p.since.n, 28, 31);
            assert_true(!before.until.n || p.since.n == before.since.n || p.since.n == before.until.n);
            before = p;
        }
    }
}

/* ---- entries and their sums ---- */

static struct entry entry(enum entry_kind kind, int64_t rows, int64_t units, int64_t predicted)
{
    return (struct entry){ .seq = 1, .kind = kind, .rows = rows, .units = units, .units_predicted = predicted };
}

static void what_counts_as_used(void **state)
{
    (void)state;
    static const struct {
        enum entry_kind kind;
        int64_t units, rows_used, units_used;
    } rows[] = {
        { ENTRY_HOLD, 20, 0, 0 },      { ENTRY_SETTLE, 20, 10, 20 }, { ENTRY_SETTLE, ENTRY_NULL, 10, 30 },
        { ENTRY_RELEASE, 20, 0, 0 },   { ENTRY_UNKNOWN, 20, 0, 20 }, { ENTRY_UNKNOWN, ENTRY_NULL, 0, 30 },
        { ENTRY_CORRECT, 20, 10, 20 }, { ENTRY_NOTE, 20, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct entry e = entry(rows[i].kind, 10, rows[i].units, 30);
        struct sums s = { 0 };
        sums_add_entry(&s, &e);
        assert_int_equal(entry_rows_used(&e), rows[i].rows_used);
        assert_int_equal(entry_units_used(&e), rows[i].units_used);
        assert_int_equal(s.rows, rows[i].rows_used);
        assert_int_equal(s.units, rows[i].units_used);
        assert_int_equal(s.calls, entry_is_end(&e));
        bool unknown = rows[i].kind == ENTRY_UNKNOWN || (rows[i].kind == ENTRY_SETTLE && rows[i].units == ENTRY_NULL);
        assert_int_equal(s.units_unknown, unknown ? rows[i].units_used : 0);
    }
}

static void words_go_round(void **state)
{
    (void)state;
    for (enum entry_via via = VIA_UPSTREAM; via <= VIA_CACHE; via++)
        assert_int_equal(entry_via_of_word(entry_via_word(via)), via);
    assert_int_equal(entry_via_of_word("elsewhere"), VIA_NONE);
    assert_int_equal(entry_via_of_word(NULL), VIA_NONE);
    assert_string_equal(entry_kind_word(ENTRY_HOLD), "hold");
    assert_string_equal(entry_kind_word(ENTRY_NOTE), "note");
    assert_null(entry_kind_word((enum entry_kind)7));
}

static void a_copy_has_texts_of_its_own(void **state)
{
    (void)state;
    char text[] = "anchors";
    struct entry e = entry(ENTRY_SETTLE, 1, 2, 3);
    e.id = S("id");
    e.table = slice_str(text);
    e.fault = S("late");
    struct entry *copy = entry_copy(&e);
    assert_non_null(copy);
    memset(text, 'x', sizeof text - 1);
    assert_true(slice_eq(copy->id, S("id")) && slice_eq(copy->table, S("anchors")) && slice_eq(copy->fault, S("late")));
    assert_int_equal(copy->team.n, 0);
    assert_int_equal(copy->units_predicted, 3);
    free(copy);
}

static void sums_stand_by_hour_and_whom(void **state)
{
    (void)state;
    struct rollup_set set = { 0 };
    struct entry e = entry(ENTRY_SETTLE, 1, 2, 0);
    for (int i = 0; i < MANY; i++) {
        e.seq = i + 1;
        e.time_ms = (int64_t)(i % 100) * 3600000 + i;
        e.team_id = i % 3;
        assert_true(rollup_set_add(&set, &e));
    }
    assert_int_equal(set.n, 300);
    int64_t calls = 0;
    for (int hour = 0; hour < 100; hour++) {
        for (int team = 0; team < 3; team++) {
            const struct rollup *r = rollup_set_find(&set, &(struct rollup_key){ .hour = hour, .team = team });
            assert_non_null(r);
            assert_int_equal(r->sums.units, r->sums.calls * 2);
            calls += r->sums.calls;
        }
    }
    assert_int_equal(calls, MANY);
    assert_null(rollup_set_find(&set, &(struct rollup_key){ .hour = 100 }));
    rollup_set_reset(&set);
    assert_null(rollup_set_find(&set, &(struct rollup_key){ .hour = 0 }));
    rollup_set_clear(&set);
}

static void hours_before_1970_are_rounded_down(void **state)
{
    (void)state;
    assert_int_equal(hour_of_ms(0), 0);
    assert_int_equal(hour_of_ms(3599999), 0);
    assert_int_equal(hour_of_ms(3600000), 1);
    assert_int_equal(hour_of_ms(-1), -1);
    assert_int_equal(hour_of_ms(-3600000), -1);
    assert_int_equal(hour_of_ms(-3600001), -2);
}

/* ---- the chain ---- */

static uint64_t sum_of(struct digester *d, uint64_t before, const struct entry *e)
{
    struct buffer scratch = { 0 };
    uint64_t sum = 0;
    assert_true(chain_sum(d, &scratch, before, e, &sum));
    buffer_clear(&scratch);
    return sum;
}

/* The bytes that are summed are part of the format of the books. */
static void the_sum_depends_on_all(void **state)
{
    (void)state;
    struct digester *d = digester_new();
    struct entry e = entry(ENTRY_SETTLE, 1, 2, 3), other = e;
    e.id = other.id = S("ab");
    e.team = other.team = S("c");
    uint64_t sum = sum_of(d, 0, &e);
    assert_true(sum == sum_of(d, 0, &e));
    assert_true(sum != sum_of(d, 1, &e));
    other.id = S("a");
    other.team = S("bc");
    assert_true(sum != sum_of(d, 0, &other));
    other = e;
    other.units_alone++;
    assert_true(sum != sum_of(d, 0, &other));
    other = e;
    other.approximate = S("x");
    assert_true(sum != sum_of(d, 0, &other));
    digester_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_packed_and_unpacked),
        cmocka_unit_test(other_texts_are_no_ids),
        cmocka_unit_test(names_keep_their_numbers),
        cmocka_unit_test(open_calls_are_found_and_in_order),
        cmocka_unit_test(very_many_calls_are_open),
        cmocka_unit_test(limits_are_a_copy),
        cmocka_unit_test(every_day_is_in_its_month),
        cmocka_unit_test(what_counts_as_used),
        cmocka_unit_test(words_go_round),
        cmocka_unit_test(a_copy_has_texts_of_its_own),
        cmocka_unit_test(sums_stand_by_hour_and_whom),
        cmocka_unit_test(hours_before_1970_are_rounded_down),
        cmocka_unit_test(the_sum_depends_on_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
