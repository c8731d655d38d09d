/* SPDX-License-Identifier: MIT
 * The ledger beside a model of a few lines: random operations, and nothing is ever over a limit. And the arithmetic
 * that must add up. */
#include "room.h"

#include "proxy/ledger/command/bill.h"
#include "proxy/ledger/entries/month.h"

enum { CALLS = 12, STEPS = 1500 };

struct model {
    int64_t used_rows, used_units;
    int64_t rows[CALLS], units[CALLS]; /* as limits count them */
    int64_t on_disk[CALLS];            /* units, as a crash counts them */
    bool open[CALLS];
    int made;
};

static int64_t sum(const int64_t *amounts)
{
    int64_t total = 0;
    for (int i = 0; i < CALLS; i++)
        total += amounts[i];
    return total;
}

static int expected(const struct model *m, int i, int64_t rows, int64_t units)
{
    /* What was lowered is held again first. */
    units -= m->units[i] - m->on_disk[i];
    units = units > 0 ? units : 0;
    if (rows && rows + m->rows[i] + m->used_rows > 100)
        return LEDGER_OUT_OF_ROWS;
    if (units && units + m->units[i] + m->used_units > 1000)
        return LEDGER_OUT_OF_UNITS;
    bool fits = (!rows || rows + sum(m->rows) + m->used_rows <= 100) &&
                (!units || units + sum(m->units) + m->used_units <= 1000);
    return fits ? LEDGER_DONE : LEDGER_WAIT;
}

static void step(struct room *r, struct model *m, char ids[CALLS][16])
{
    int i = rand() % CALLS;
    int64_t rows = rand() % 30, units = rand() % 300;
    if (!m->open[i] || rand() % 3 == 0) {
        if (!m->open[i])
            snprintf(ids[i], 16, "call-%d", m->made++);
        int outcome = expected(m, i, rows, units);
        assert_int_equal(hold_now(r, ids[i], "seo", rows, units), outcome);
        if (outcome == LEDGER_DONE) {
            m->open[i] = true;
            m->rows[i] += rows;
            m->on_disk[i] += units;
            m->units[i] = m->on_disk[i] > m->units[i] ? m->on_disk[i] : m->units[i];
        }
        return;
    }
    if (rand() % 4 == 0) {
        int64_t less = m->on_disk[i] ? rand() % (m->on_disk[i] + 1) : 0;
        assert_int_equal(lower_now(r, ids[i], "seo", less), LEDGER_DONE);
        m->on_disk[i] -= less;
        return;
    }
    int64_t took_rows = m->rows[i] ? rand() % (m->rows[i] + 1) / 4 : 0;
    int64_t took_units = m->units[i] ? rand() % (m->units[i] + 1) / 4 : 0;
    switch (rand() % 3) {
    case 0:
        assert_int_equal(settle_now(r, ids[i], "seo", took_rows, took_units), LEDGER_DONE);
        m->used_rows += took_rows;
        m->used_units += took_units;
        break;
    case 1:
        assert_int_equal(release_now(r, ids[i], "seo"), LEDGER_DONE);
        break;
    default:
        assert_int_equal(unknown_now(r, ids[i], "seo", took_units), LEDGER_DONE);
        m->used_units += took_units;
    }
    m->open[i] = false;
    m->rows[i] = m->units[i] = m->on_disk[i] = 0;
}

static void random_operations_agree_with_the_model(void **state)
{
    struct room *r = *state;
    struct model m = { 0 };
    char ids[CALLS][16];
    srand(20261123);
    for (int n = 0; n < STEPS; n++) {
        step(r, &m, ids);
        struct ledger_left left = ledger_left(r->ledger, S("seo"));
        assert_true(m.used_rows + sum(m.rows) <= 100);
        assert_int_equal(left.rows_left, 100 - m.used_rows - sum(m.rows));
        assert_int_equal(left.units_left, 1000 - m.used_units - sum(m.units));
        if (n % 400 == 399) {
            /* A crash: what was held is unknown, its units may have been taken. */
            room_close(r);
            room_open(r, NULL);
            assert_int_equal(ledger_left(r->ledger, S("seo")).units_left, 1000 - m.used_units - sum(m.on_disk));
            memset(m.on_disk, 0, sizeof m.on_disk);
            memset(m.open, 0, sizeof m.open);
            memset(m.rows, 0, sizeof m.rows);
            memset(m.units, 0, sizeof m.units);
            set_clock(n == 399 ? "2026-12-01T00:00:00Z" : n == 799 ? "2027-01-01T00:00:00Z" : "2027-02-01T00:00:00Z");
            m.used_rows = m.used_units = 0;
        }
    }
    assert_runs(r, "ledger verify");
}

static void the_cents_add_up(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 5000; round++) {
        int64_t shares[12], parts[12], total = 0, left;
        size_t n = 1 + (size_t)rand() % 12;
        for (size_t i = 0; i < n; i++) {
            shares[i] = rand() % 5 ? (int64_t)rand() * (rand() % 1000) : 0;
            total += shares[i];
        }
        int64_t cents = (int64_t)rand() * (rand() % 100);
        left = cents;
        assert_int_equal(bill_split(cents, shares, n, parts), total > 0);
        for (size_t i = 0; total > 0 && i < n; i++) {
            __int128 exact = (__int128)cents * shares[i];
            assert_true((__int128)parts[i] * total > exact - total && (__int128)parts[i] * total < exact + total);
            left -= parts[i];
        }
        assert_true(total == 0 || left == 0);
    }
    int64_t parts[3];
    assert_true(bill_split(100, (const int64_t[]){ 1, 1, 1 }, 3, parts));
    assert_int_equal(parts[0], 34);
    assert_int_equal(parts[2], 33);
    int64_t cents;
    assert_true(bill_parse(S("1234.5"), &cents));
    assert_int_equal(cents, 123450);
    assert_false(bill_parse(S("-1"), &cents));
    assert_false(bill_parse(S("1."), &cents));
    assert_false(bill_parse(S(""), &cents));
}

static void months_begin_where_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        int first;
        const char *since, *until;
    } rows[] = {
        { "2026-11-23", 1, "2026-11-01", "2026-12-01" },  { "2026-12-31", 1, "2026-12-01", "2027-01-01" },
        { "2026-11-14", 15, "2026-10-15", "2026-11-15" }, { "2026-11-15", 15, "2026-11-15", "2026-12-15" },
        { "2027-01-01", 28, "2026-12-28", "2027-01-28" }, { "2024-02-29", 28, "2024-02-28", "2024-03-28" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct day day;
        char text[11];
        assert_true(day_parse(slice_str(rows[i].day), &day));
        struct period p = month_of_day(day, rows[i].first);
        day_format(p.since, text);
        assert_string_equal(text, rows[i].since);
        day_format(p.until, text);
        assert_string_equal(text, rows[i].until);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(random_operations_agree_with_the_model),
        cmocka_unit_test(the_cents_add_up),
        cmocka_unit_test(months_begin_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
