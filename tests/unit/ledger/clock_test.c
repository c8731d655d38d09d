/* SPDX-License-Identifier: MIT
 * Clocks that step, months that end: whatever the clock says, no limit is passed in any month, and the books verify. */
#include "room.h"

#include "proxy/ledger/entries/month.h"

enum { CALLS = 10, STEPS = 3000, N_MONTHS = 4, MAX_IDS = 4000 };

/* The time of an entry, its kind and amounts, from a line of the export. */
struct seen {
    int64_t time_s;
    char kind[16], id[32];
    int64_t rows, units;
};

static bool read_seen(const char *line, struct seen *e)
{
    char time[21] = "";
    const char *at = strstr(line, "\"time\":\""), *rows = strstr(line, "\"rows\":"),
               *units = strstr(line, "\"units\":");
    if (!at || !rows || !units)
        return false;
    memcpy(time, at + 8, 19);
    strcat(time, "Z");
    assert_true(timestamp_parse(slice_str(time), &e->time_s));
    assert_int_equal(sscanf(strstr(line, "\"kind\":\""), "\"kind\":\"%15[a-z]\",\"id\":\"%31[^\"]", e->kind, e->id), 2);
    e->rows = atoll(rows + 7);
    e->units = atoll(units + 8);
    return true;
}

struct held {
    char id[32];
    int64_t rows, units;
};

struct replay {
    struct held held[MAX_IDS];
    int n;
    int64_t rows_held, units_held;
    int64_t rows[N_MONTHS], units[N_MONTHS]; /* used, by months since October 2026 */
};

static struct held *held_of(struct replay *p, const char *id)
{
    for (int i = p->n - 1; i >= 0; i--) {
        if (strcmp(p->held[i].id, id) == 0)
            return &p->held[i];
    }
    assert_true(p->n < MAX_IDS);
    struct held *h = &p->held[p->n++];
    *h = (struct held){ 0 };
    snprintf(h->id, sizeof h->id, "%s", id);
    return h;
}

static int month_number(int64_t time_s, int first_day)
{
    struct civil c = day_to_civil(month_of_day(day_of_ms(time_s * 1000), first_day).since);
    int number = c.year * 12 + c.month - (2026 * 12 + 10);
    assert_in_range(number, 0, N_MONTHS - 1);
    return number;
}

static void replay_one(struct replay *p, const struct seen *e, int billing_day)
{
    if (strcmp(e->kind, "note") == 0)
        return;
    int rows_month = month_number(e->time_s, 1), units_month = month_number(e->time_s, billing_day);
    struct held *h = held_of(p, e->id);
    if (strcmp(e->kind, "hold") == 0) {
        h->rows += e->rows;
        h->units += e->units;
        p->rows_held += e->rows;
        p->units_held += e->units;
    } else {
        p->rows_held -= h->rows;
        p->units_held -= h->units;
        h->rows = h->units = 0;
        p->rows[rows_month] += e->rows;
        p->units[units_month] += e->units;
    }
    assert_true(p->rows[rows_month] + p->rows_held <= 100);
    assert_true(p->units[units_month] + p->units_held <= 1000);
}

/* Every step of the books, judged from the export. */
static void replay_all(struct room *r, int billing_day)
{
    struct replay *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_runs(r, "ledger export");
    for (char *save, *line = strtok_r(r->out.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct seen e;
        if (read_seen(line, &e))
            replay_one(p, &e, billing_day);
    }
    free(p);
}

struct call_made {
    char id[32];
    int64_t rows, units;
};

static void step(struct room *r, struct call_made *c, int *made)
{
    if (!c->rows) {
        snprintf(c->id, sizeof c->id, "call-%d", (*made)++);
        int64_t rows = 1 + rand() % 20, units = 50 + rand() % 150;
        if (hold_now(r, c->id, "seo", rows, units) == LEDGER_DONE) {
            c->rows = rows;
            c->units = units;
        }
        return;
    }
    if (rand() % 4)
        assert_int_equal(settle_now(r, c->id, "seo", rand() % (c->rows / 2 + 1), c->units / 4), LEDGER_DONE);
    else
        assert_int_equal(release_now(r, c->id, "seo"), LEDGER_DONE);
    c->rows = 0;
}

static void a_clock_that_steps(struct room *r, int billing_day, const char *first, int days)
{
    int64_t first_s;
    assert_true(timestamp_parse(slice_str(first), &first_s));
    r->options.billing_day = billing_day;
    ledger_set_limits(r->ledger, &r->options);
    struct call_made calls[CALLS] = { 0 };
    int made = 0;
    for (int n = 0; n < STEPS; n++) {
        /* Mostly forward by a little; sometimes anywhere, over the edges of both months. */
        if (rand() % 12 == 0)
            clock_shift_wall((first_s + rand() % (days * 86400)) * 1000 - clock_wall_ms());
        step(r, &calls[rand() % CALLS], &made);
        if (n % 700 == 699) {
            /* A crash on the way; the memory that counts comes from the disk. */
            room_close(r);
            room_open(r, NULL);
            memset(calls, 0, sizeof calls);
        }
    }
    replay_all(r, billing_day);
    assert_runs(r, "ledger verify");
}

static void steps_over_the_edge_of_the_calendar(void **state)
{
    srand(1);
    set_clock("2026-11-20T00:00:00Z");
    a_clock_that_steps(*state, 1, "2026-11-20T00:00:00Z", 20);
}

static void steps_over_the_edges_of_both_months(void **state)
{
    srand(2);
    set_clock("2026-11-10T00:00:00Z");
    a_clock_that_steps(*state, 15, "2026-11-10T00:00:00Z", 30);
}

static void an_end_is_not_before_its_hold(void **state)
{
    struct room *r = *state;
    set_clock("2026-12-01T00:00:01Z");
    assert_int_equal(hold_now(r, "a", "seo", 60, 10), LEDGER_DONE);
    set_clock("2026-11-30T23:59:50Z");
    assert_int_equal(settle_now(r, "a", "seo", 60, 10), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_used, 0);
    /* What may end in December must fit there, too. */
    assert_int_equal(hold_now(r, "b", "seo", 41, 10), LEDGER_OUT_OF_ROWS);
    assert_int_equal(hold_now(r, "b", "seo", 40, 10), LEDGER_DONE);
    set_clock("2026-12-01T00:00:02Z");
    assert_int_equal(settle_now(r, "b", "seo", 40, 10), LEDGER_DONE);
    assert_int_equal(ledger_left(r->ledger, S("seo")).rows_used, 100);
    assert_runs(r, "ledger verify");
}

static void each_month_ends_on_its_day(void **state)
{
    struct room *r = *state;
    r->options.billing_day = 15;
    ledger_set_limits(r->ledger, &r->options);
    set_clock("2026-12-14T00:00:00Z");
    assert_in_range(ledger_billing_month_ends_in_ms(r->ledger), 86399000, 86400000);
    assert_in_range(ledger_month_ends_in_ms(r->ledger), 18 * 86400000LL - 1000, 18 * 86400000LL);
    set_clock("2026-12-15T00:00:00Z");
    assert_in_range(ledger_billing_month_ends_in_ms(r->ledger), 31 * 86400000LL - 1000, 31 * 86400000LL);
}

/* Years that a machine without a battery, a typing error or an overflow may tell. */
static void a_clock_of_any_year(void **state)
{
    struct room *r = *state;
    static const int64_t moments[] = { INT64_MIN / 1000000, -1,           0,
                                       2147483647,          2147483648,   4294967295,
                                       253370764799,        253402300799, 253402300800,
                                       INT64_MAX / 1000000 };
    static const char *const lines[] = { "usage",
                                         "usage --by day --format json",
                                         "usage --by hour --format csv",
                                         "usage --by client --since 1970-01-01 --until 9999-12-31",
                                         "usage --warn 100%",
                                         "key list",
                                         "ledger export",
                                         "ledger verify" };
    int64_t ms = clock_wall_ms(); /* without the bounds of the clock */
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        char id[32];
        clock_shift_wall(moments[i] * 1000 - ms);
        ms = moments[i] * 1000;
        snprintf(id, sizeof id, "call-%zu", i);
        assert_int_equal(hold_now(r, id, "sales", 5, 10), LEDGER_DONE);
        assert_int_equal(settle_now(r, id, "sales", 5, 10), LEDGER_DONE);
        for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
            assert_runs(r, lines[k]);
        room_close(r);
        room_open(r, NULL);
    }
    clock_shift_wall(-ms);
    set_clock("2026-11-20T00:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        room_test(steps_over_the_edge_of_the_calendar),
        room_test(steps_over_the_edges_of_both_months),
        room_test(an_end_is_not_before_its_hold),
        room_test(each_month_ends_on_its_day),
        room_test(a_clock_of_any_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
