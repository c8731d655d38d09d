/* SPDX-License-Identifier: MIT
 * The row list: merging, every order against qsort, pages, many rows, and what it may hold. */
#include <stdio.h>

#include "tests/unit/mapping/kit.h"

enum { ANCHOR, LINKS, REFPAGES, REFDOMAINS, FIRST_SEEN, N_FIELDS };

static const struct field_order by_anchor[] = { { ANCHOR, false } };

static struct row_list *rows_in(const struct field_order *order, size_t n_order, bool fold, size_t max_bytes,
                                struct budget *budget)
{
    struct rows_options o = { .table = &table_anchors,
                              .fields = (1u << N_FIELDS) - 1,
                              .fold = fold,
                              .order = order,
                              .n_order = n_order,
                              .max_bytes = max_bytes,
                              .budget = budget };
    struct row_list *rows = rows_new(&o);
    assert_non_null(rows);
    return rows;
}

static struct row_list *rows_by(const struct field_order *order, size_t n_order, bool fold, size_t max_bytes)
{
    return rows_in(order, n_order, fold, max_bytes, NULL);
}

static void assert_row(const struct row_list *rows, int64_t i, const char *anchor, int64_t links)
{
    assert_slice_equal(rows_at(rows, i)->cells[ANCHOR].text, slice_str(anchor));
    assert_int_equal(rows_at(rows, i)->cells[LINKS].whole, links);
}

static void equal_keys_are_merged(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    assert_int_equal(kit_add(rows, (struct kit_row){ "seo", 1, 2, 3, "2020-01-02T00:00:00Z" }), ROWS_NEW);
    assert_false(rows_case_seen(rows));
    assert_int_equal(kit_add(rows, (struct kit_row){ "SEO", 10, 20, 30, "2019-01-02T00:00:00Z" }), ROWS_MERGED);
    assert_true(rows_case_seen(rows));
    assert_int_equal(kit_add(rows, (struct kit_row){ "Seo", 100, 200, 300, "2021-01-02T00:00:00Z" }), ROWS_MERGED);
    assert_int_equal(kit_add(rows, (struct kit_row){ "Zeo", 5, 5, 5, NULL }), ROWS_NEW);
    assert_int_equal(kit_add(rows, (struct kit_row){ "zeo", 5, 5, 5, NULL }), ROWS_MERGED);
    assert_int_equal(rows_count(rows), 2);
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "seo", 111);
    assert_int_equal(rows_at(rows, 0)->cells[REFPAGES].whole, 222);
    assert_int_equal(rows_at(rows, 0)->cells[REFDOMAINS].whole, 333);
    assert_slice_equal(rows_at(rows, 0)->cells[FIRST_SEEN].text, S("2019-01-02T00:00:00Z"));
    assert_row(rows, 1, "zeo", 10);
    assert_int_equal(rows_sum(rows, LINKS), 121);
    rows_free(rows);
}

/* `upper_case`: v3 is known to keep case. */
static struct plan plan_with(struct slice conditions, bool upper_case, struct arena *memory, struct call *call)
{
    struct plan plan;
    struct plan_options options = kit_options();
    options.upper_case = upper_case;
    struct slice query =
        arena_printf(memory, "from=anchors&target=example.com&mode=domain&%.*s", SLICE_ARGS(conditions));
    assert_int_equal(kit_plan(query, &options, memory, call, &plan).fault, FAULT_NONE);
    return plan;
}

/* A list that folds, as the plan has it. */
static struct row_list *rows_of(const struct plan *plan)
{
    struct rows_options o = { .table = &table_anchors,
                              .fields = plan->fields,
                              .fold = true,
                              .order = plan->order,
                              .n_order = plan->n_order,
                              .checks = plan->checks,
                              .n_checks = plan->n_checks,
                              .max_bytes = 1 << 20 };
    return rows_new(&o);
}

/* Two spellings of one anchor, each of which meets the condition by itself: is their row one of the answer? */
static bool meets_merged(const char *conditions, bool upper_case, struct kit_row one, struct kit_row other)
{
    struct arena *memory = arena_new(1 << 20);
    struct call call;
    struct plan plan = plan_with(slice_str(conditions), upper_case, memory, &call);
    struct row_list *rows = rows_of(&plan);
    assert_int_equal(kit_add(rows, one), ROWS_NEW);
    assert_int_equal(rows_count(rows), 1);
    assert_int_equal(kit_add(rows, other), ROWS_MERGED);
    int64_t n = rows_count(rows);
    assert_true(n == 0 || n == 1);
    assert_true(rows_finish(rows, 0, n));
    rows_free(rows);
    arena_free(memory);
    return n;
}

static void a_merged_row_is_looked_at_again(void **state)
{
    (void)state;
    const struct kit_row old = { "SEO", 5, 4, 3, "2015-06-01T00:00:00Z" }, young = { "seo", 2, 2, 2, NULL };
    static const struct {
        const char *conditions;
        bool holds;
    } cases[] = {
        { "having=backlinks<7", false },
        { "having=backlinks<8", true },
        { "having=backlinks<=6", false },
        { "having=backlinks<=7", true },
        { "having=backlinks>1", true },
        { "having=backlinks>=2", true },
        { "having=backlinks<>7", false },
        { "having=backlinks<>8", true },
        { "having=refpages<6", false },
        { "having=refpages<=6", true },
        { "having=refdomains<5", false },
        { "having=refdomains<6", true },
        { "where=backlinks<7", false },
        { "where=refpages<=5", false },
        { "where=refpages<=6", true },
        { "where=backlinks<100&having=refdomains<5", false },
        { "where=backlinks<7&having=refdomains<6", false },
        { "having=backlinks>1,refpages<6", false },
        { "having=backlinks<7&select=anchor", false },
        { "having=refdomains<5&select=first_seen", false },
        /* The earliest date is that of one spelling, which met the condition. */
        { "having=first_seen>\"2015-01-01\"", true },
        { "having=first_seen<\"2021-01-01\"", true },
        { "where=first_seen<>\"2016-01-01\"", true },
        { "having=last_visited>\"2015-01-01\"", true },
        { "having=anchor<\"m\"", false },
        { "having=anchor<\"T\"", true },
        { "having=anchor<=\"SEN\"", false },
        { "having=anchor<=\"seo\"", true },
        { "having=anchor>=\"SEO\"", true },
        { "having=anchor>\"SEO\"", false },
        { "having=anchor=\"Seo\"", true },
        { "having=anchor<>\"x\"", true },
        { "having=substring(anchor,\"E\")", true },
        { "where=word(anchor,\"SEO\"),refdomain=\"x.org\"", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool one = meets_merged(cases[i].conditions, true, old, young);
        bool other = meets_merged(cases[i].conditions, true, young, old);
        if (one != cases[i].holds || other != cases[i].holds)
            fail_msg("%s: %d and %d, not %d", cases[i].conditions, one, other, cases[i].holds);
    }
}

/* Before upper case was seen, a column that only filters was not asked for. */
static void what_cannot_be_checked_is_not_shown(void **state)
{
    (void)state;
    const struct kit_row one = { "SEO", 5, 4, 3, NULL }, other = { "seo", 2, 2, 2, NULL };
    assert_false(meets_merged("having=backlinks<8&select=anchor", false, one, other));
    assert_true(meets_merged("having=backlinks<8&select=anchor", true, one, other));
    assert_true(meets_merged("having=backlinks<8", false, one, other));
    assert_true(meets_merged("having=backlinks>1&select=anchor", false, one, other));
}

static void equal_counts_are_never_a_sum(void **state)
{
    (void)state;
    assert_false(meets_merged("having=backlinks=3", false, (struct kit_row){ "A", 3, 1, 1, NULL },
                              (struct kit_row){ "a", 3, 1, 1, NULL }));
}

/* Which rows are out changes along the way; those that are not stand where they would without them. */
static void rows_that_are_out_take_no_place(void **state)
{
    (void)state;
    struct arena *memory = arena_new(1 << 20);
    struct call call;
    struct plan plan = plan_with(S("having=backlinks<>3"), false, memory, &call);
    struct row_list *rows = rows_of(&plan);
    static const struct kit_row came[] = { { "A", 1, 1, 1, NULL }, { "B", 1, 1, 1, NULL }, { "a", 2, 1, 1, NULL },
                                           { "b", 2, 1, 1, NULL }, { "c", 9, 1, 1, NULL }, { "d", 8, 1, 1, NULL } };
    static const int64_t counts[] = { 1, 2, 1, 0, 1, 2 };
    for (size_t i = 0; i < sizeof came / sizeof came[0]; i++) {
        kit_add(rows, came[i]);
        assert_int_equal(rows_count(rows), counts[i]);
    }
    assert_int_equal(rows_begin_page(rows), 0);
    assert_int_equal(kit_add(rows, (struct kit_row){ "d", 8, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    kit_add(rows, (struct kit_row){ "É", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "É!", 1, 1, 1, NULL });
    assert_int_equal(rows_count(rows), 4);
    kit_add(rows, (struct kit_row){ "é", 2, 1, 1, NULL }); /* out */
    kit_add(rows, (struct kit_row){ "é!", 3, 1, 1, NULL });
    assert_int_equal(rows_count(rows), 3);
    assert_true(rows_finish(rows, 1, 2));
    assert_row(rows, 0, "d", 8);
    assert_row(rows, 1, "é!", 4);
    rows_free(rows);
    arena_free(memory);
}

static void kept_case_merges_nothing(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, false, 1 << 20);
    assert_int_equal(kit_add(rows, (struct kit_row){ "SEO", 1, 1, 1, NULL }), ROWS_NEW);
    assert_int_equal(kit_add(rows, (struct kit_row){ "seo", 1, 1, 1, NULL }), ROWS_NEW);
    assert_false(rows_case_seen(rows));
    assert_false(rows_disordered(rows));
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "SEO", 1);
    rows_free(rows);
}

static void sums_saturate(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    kit_add(rows, (struct kit_row){ "A", INT64_MAX, 1, INT64_MAX - 1, NULL });
    kit_add(rows, (struct kit_row){ "a", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "b", 5, 1, 1, NULL });
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "a", INT64_MAX);
    assert_int_equal(rows_at(rows, 0)->cells[REFDOMAINS].whole, INT64_MAX);
    assert_int_equal(rows_sum(rows, LINKS), INT64_MAX);
    assert_int_equal(rows_sum(rows, REFPAGES), 3);
    rows_free(rows);
    rows = rows_by(by_anchor, 1, true, 1 << 20);
    kit_add(rows, (struct kit_row){ "A", INT64_MIN, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "a", -1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "b", -5, 1, 1, NULL });
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "a", INT64_MIN);
    assert_int_equal(rows_sum(rows, LINKS), INT64_MIN);
    rows_free(rows);
}

static void ties_are_broken_by_the_anchor(void **state)
{
    (void)state;
    static const struct field_order order[] = { { LINKS, true }, { ANCHOR, false } };
    struct row_list *rows = rows_by(order, 2, true, 1 << 20);
    kit_add(rows, (struct kit_row){ "b", 5, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "", 5, 1, 1, NULL });
    assert_true(rows_disordered(rows));
    kit_add(rows, (struct kit_row){ "\xC3\xA9", 5, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "z", 5, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "a", 9, 1, 1, NULL });
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "a", 9);
    assert_row(rows, 1, "", 5);
    assert_row(rows, 2, "b", 5);
    assert_row(rows, 3, "z", 5);
    assert_row(rows, 4, "\xC3\xA9", 5);
    rows_free(rows);
}

static void rows_in_order_stay_untouched(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    assert_true(rows_finish(rows, 0, rows_count(rows))); /* of none */
    rows_free(rows);
    rows = rows_by(by_anchor, 1, true, 1 << 20);
    kit_add(rows, (struct kit_row){ "", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "a", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "a b", 1, 1, 1, NULL });
    assert_false(rows_disordered(rows) || rows_resorted(rows));
    rows_free(rows);
}

/* Folding alone can bring rows out of order: that is no disorder of v3's. */
static void folding_resorts(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    kit_add(rows, (struct kit_row){ "A", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "Z", 2, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "b", 3, 1, 1, NULL });
    assert_false(rows_disordered(rows));
    assert_true(rows_resorted(rows));
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "a", 1);
    assert_row(rows, 1, "b", 3);
    assert_row(rows, 2, "z", 2);
    rows_free(rows);
}

static void a_page_drops_what_was_seen(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    union cell last[REPORT_MAX_FIELDS];
    assert_false(rows_last(rows, last));
    kit_add(rows, (struct kit_row){ "A", 1, 1, 1, NULL });
    kit_add(rows, (struct kit_row){ "a", 1, 1, 1, NULL });
    assert_int_equal(rows_begin_page(rows), 0);
    assert_int_equal(rows_begin_page(rows), 0);
    assert_true(rows_last(rows, last));
    assert_slice_equal(last[ANCHOR].text, S("a"));
    assert_int_equal(kit_add(rows, (struct kit_row){ "a", 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    assert_int_equal(kit_add(rows, (struct kit_row){ "A", 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    assert_int_equal(kit_add(rows, (struct kit_row){ "B", 1, 1, 1, "2020-01-01T00:00:00Z" }), ROWS_NEW);
    assert_int_equal(kit_add(rows, (struct kit_row){ "B", 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    assert_true(rows_last(rows, last));
    assert_slice_equal(last[ANCHOR].text, S("B")); /* unfolded: v3 knows it so */
    assert_int_equal(last[LINKS].whole, 1);
    assert_int_equal(rows_count(rows), 2);
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    assert_row(rows, 0, "a", 2);
    rows_free(rows);
}

static void a_cut_date_is_paged_by_its_fraction(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    union cell last[REPORT_MAX_FIELDS];
    struct scan_value values[REPORT_MAX_FIELDS] = { { .text = S("a") } };
    values[FIRST_SEEN] = (struct scan_value){ .text = S("2020-01-01T00:00:00Z"), .raw = S("2020-01-01T00:00:00.25Z") };
    assert_int_equal(rows_add(rows, values), ROWS_NEW);
    assert_true(rows_last(rows, last));
    assert_slice_equal(last[FIRST_SEEN].text, S("2020-01-01T00:00:00.25Z"));
    kit_add(rows, (struct kit_row){ "b", 1, 1, 1, "2020-01-01T00:00:00Z" });
    assert_true(rows_last(rows, last));
    assert_slice_equal(last[FIRST_SEEN].text, S("2020-01-01T00:00:00Z"));
    rows_free(rows);
}

/* Two texts that differ in the same bit of two blocks, and in a byte between: a product hash gave half of such pairs
 * one hash, whatever its seed was. */
static void two_keys_are_never_one_by_accident(void **state)
{
    enum { PAIRS = 200 };
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
        char text[32];
        for (int i = 0; i < 2 * PAIRS; i++) {
            char c = (i < PAIRS) == !order ? 'a' : '!';
            if (i == PAIRS)
                assert_int_equal(rows_begin_page(rows), 0);
            snprintf(text, sizeof text, "%07d%cxyz%cxyz%c", i % PAIRS * 7919, c, c, c);
            assert_int_equal(kit_add(rows, (struct kit_row){ text, 1, 1, 1, NULL }), ROWS_NEW);
        }
        assert_int_equal(rows_count(rows), 2 * PAIRS);
        rows_free(rows);
    }
}

static enum rows_added add_broken(struct row_list *rows, const char *anchor, int64_t links)
{
    struct scan_value values[REPORT_MAX_FIELDS] = {
        { .text = slice_str(anchor), .plain = true, .broken = true },
        { .whole = links },
        { .whole = 1 },
        { .whole = 1 },
        { .text = S("2020-01-01T00:00:00Z"), .raw = S("2020-01-01T00:00:00.5Z"), .plain = true },
    };
    return rows_add(rows, values);
}

#define BROKEN "\uFFFD"

static void a_broken_row_is_like_no_other(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 1 << 20);
    union cell last[REPORT_MAX_FIELDS];
    assert_int_equal(add_broken(rows, "A" BROKEN, 1), ROWS_BROKEN);
    assert_true(rows_case_seen(rows));
    assert_false(rows_last(rows, last) || rows_can_page(rows));
    assert_int_equal(kit_add(rows, (struct kit_row){ "A" BROKEN, 2, 1, 1, NULL }), ROWS_NEW);
    assert_int_equal(kit_add(rows, (struct kit_row){ "a" BROKEN, 3, 1, 1, NULL }), ROWS_MERGED);
    assert_int_equal(add_broken(rows, "a" BROKEN, 4), ROWS_BROKEN);
    assert_int_equal(add_broken(rows, "0" BROKEN, 5), ROWS_BROKEN);
    assert_false(rows_disordered(rows) || rows_resorted(rows));
    assert_true(rows_last(rows, last) && rows_can_page(rows));
    assert_slice_equal(last[ANCHOR].text, S("a" BROKEN));
    assert_slice_equal(last[FIRST_SEEN].text, S("2020-01-01T00:00:00Z")); /* not the broken row's */
    assert_int_equal(rows_count(rows), 4);
    assert_int_equal(rows_begin_page(rows), 2);
    assert_int_equal(rows_count(rows), 2);
    assert_false(rows_can_page(rows));
    assert_true(rows_last(rows, last));
    assert_int_equal(add_broken(rows, "a" BROKEN, 4), ROWS_BROKEN);
    assert_int_equal(kit_add(rows, (struct kit_row){ "a" BROKEN, 2, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    assert_false(rows_can_page(rows));
    assert_int_equal(kit_add(rows, (struct kit_row){ "b", 6, 1, 1, NULL }), ROWS_NEW);
    assert_true(rows_can_page(rows));
    assert_int_equal(rows_count(rows), 4);
    assert_true(rows_finish(rows, 0, 4));
    assert_true(rows_broken_fields(rows, 4));
    assert_false(rows_broken_fields(rows, 0));
    assert_row(rows, 3, "b", 6);
    int64_t links = 0;
    for (int i = 0; i < 3; i++) {
        assert_slice_equal(rows_at(rows, i)->cells[ANCHOR].text, S("a" BROKEN));
        links = links * 10 + rows_at(rows, i)->cells[LINKS].whole;
    }
    assert_true(links == 154 || links == 145 || links == 514 || links == 541 || links == 451 || links == 415);
    rows_free(rows);
}

/* Broken rows in a list that gets long, at each end of what is indexed on the way. */
static void broken_rows_among_many(void **state)
{
    enum { LONG = 9000, PAGE = 1000 };
    char anchor[32];
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 64 << 20);
    for (int n = 0, taken_back = 0; n < LONG; n++) {
        if (n && n % PAGE == 0) {
            taken_back = (int)rows_begin_page(rows);
            assert_int_equal(taken_back, 10);
        }
        snprintf(anchor, sizeof anchor, "%s %06d", n % 2 ? "Anchor" : "anchor", n);
        bool broken = n % PAGE >= PAGE - 10 || (n % 7 == 0 && n % PAGE < PAGE - 20);
        enum rows_added added =
            broken ? add_broken(rows, "Anchor " BROKEN, 1) : kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL });
        assert_int_equal(added, broken ? ROWS_BROKEN : ROWS_NEW);
    }
    assert_int_equal(rows_begin_page(rows), 10);
    assert_int_equal(rows_count(rows), LONG - LONG / PAGE * 10);
    for (int n = 1; n < LONG; n += 7) { /* these were not broken for being the seventh */
        snprintf(anchor, sizeof anchor, "%s %06d", n % 2 ? "Anchor" : "anchor", n);
        enum rows_added want = n % PAGE >= PAGE - 10 ? ROWS_NEW : ROWS_SEEN_BEFORE;
        assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), want);
    }
    rows_free(rows);
}

/* ---- every order against qsort ---- */

enum { RANDOM_ROWS = 600 };

struct sample {
    char anchor[8], seen[21];
    struct kit_row row;
};

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 8;
}

static void make_samples(struct sample *s, uint32_t random, uint32_t swaps)
{
    for (int i = 0; i < RANDOM_ROWS; i++) {
        snprintf(s[i].anchor, sizeof s[i].anchor, "%c%03d", 'a' + i % 7, i);
        timestamp_format(1500000000 + next(&random) % 5 * 86400, s[i].seen);
        s[i].row = (struct kit_row){ NULL, next(&random) % 5, next(&random) % 300, next(&random) % 2, NULL };
    }
    for (uint32_t k = 0; k < swaps; k++) {
        uint32_t a = next(&random) % RANDOM_ROWS, b = next(&random) % RANDOM_ROWS;
        struct sample other = s[a];
        s[a] = s[b];
        s[b] = other;
    }
}

struct expected_order {
    const struct field_order *order;
    size_t n;
};

static int64_t whole_of(const struct sample *s, int field)
{
    return field == LINKS ? s->row.links : field == REFPAGES ? s->row.refpages : s->row.refdomains;
}

static int by_expected_order(const void *x, const void *y, void *context)
{
    const struct expected_order *e = context;
    const struct sample *a = x, *b = y;
    for (size_t i = 0; i < e->n; i++) {
        int field = e->order[i].field, c;
        if (field == ANCHOR || field == FIRST_SEEN)
            c = field == ANCHOR ? strcmp(a->anchor, b->anchor) : strcmp(a->seen, b->seen);
        else
            c = whole_of(a, field) < whole_of(b, field) ? -1 : whole_of(a, field) > whole_of(b, field);
        if (c)
            return e->order[i].descending ? -c : c;
    }
    return 0;
}

static void check_order(const struct field_order *order, size_t n_order, uint32_t random, uint32_t swaps)
{
    static struct sample samples[RANDOM_ROWS];
    struct expected_order expected = { order, n_order };
    struct row_list *rows = rows_by(order, n_order, true, 1 << 22);
    make_samples(samples, random, swaps);
    if (swaps < 100) /* nearly in order, as v3's rows are */
        qsort_r(samples, RANDOM_ROWS - swaps, sizeof samples[0], by_expected_order, &expected);
    for (int i = 0; i < RANDOM_ROWS; i++) {
        struct kit_row r = samples[i].row;
        r.anchor = samples[i].anchor;
        r.first_seen = samples[i].seen;
        assert_int_equal(kit_add(rows, r), ROWS_NEW);
    }
    qsort_r(samples, RANDOM_ROWS, sizeof samples[0], by_expected_order, &expected);
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    for (int i = 0; i < RANDOM_ROWS; i++)
        assert_slice_equal(rows_at(rows, i)->cells[ANCHOR].text, slice_str(samples[i].anchor));
    rows_free(rows);
}

static void every_order_is_that_of_qsort(void **state)
{
    (void)state;
    for (int first = 0; first < N_FIELDS; first++) {
        for (int second = 0; second < N_FIELDS; second++) {
            for (int directions = 0; directions < 4; directions++) {
                struct field_order order[3] = { { first, directions & 1 },
                                                { second, directions & 2 },
                                                { ANCHOR, false } };
                size_t n = first == ANCHOR ? 1 : second == ANCHOR || second == first ? 2 : 3;
                if (second == first)
                    order[1] = order[2];
                check_order(order, n, (uint32_t)(first * 64 + second * 8 + directions), 2000);
                check_order(order, n, (uint32_t)(first * 64 + second * 8 + directions), 5);
            }
        }
    }
}

/* ---- many rows ---- */

enum { MANY = 100000 };

static void many_rows(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 256u << 20);
    char anchor[16];
    for (int i = 0; i < MANY; i++) {
        if (i == MANY / 2)
            assert_int_equal(rows_begin_page(rows), 0);
        snprintf(anchor, sizeof anchor, "%c%06d", i & 1 ? 'K' : 'k', i / 2);
        assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), i & 1 ? ROWS_MERGED : ROWS_NEW);
    }
    assert_int_equal(rows_count(rows), MANY / 2);
    assert_int_equal(rows_sum(rows, LINKS), MANY);
    for (int i = 0; i < MANY; i += 997) {
        snprintf(anchor, sizeof anchor, "%c%06d", i & 1 ? 'K' : 'k', i / 2);
        assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
    }
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    for (int i = 0; i < MANY / 2; i++) {
        snprintf(anchor, sizeof anchor, "k%06d", i);
        assert_row(rows, i, anchor, 2);
    }
    rows_free(rows);
}

static void many_rows_backwards(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 256u << 20);
    char anchor[16];
    for (int i = MANY; i--;) {
        snprintf(anchor, sizeof anchor, "%06d", i);
        assert_int_equal(kit_add(rows, (struct kit_row){ anchor, i, 1, 1, NULL }), ROWS_NEW);
    }
    assert_true(rows_disordered(rows));
    assert_true(rows_finish(rows, 0, rows_count(rows)));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rows_at(rows, i)->cells[LINKS].whole, i);
    rows_free(rows);
}

static void it_holds_no_more_than_it_may(void **state)
{
    (void)state;
    int64_t most = 0;
    for (size_t max = 0; max < 1 << 20; max = max * 2 + 1000) {
        struct row_list *rows = rows_by(by_anchor, 1, true, max);
        char anchor[200];
        int i = 0;
        enum rows_added added;
        do {
            memset(anchor, 'x', sizeof anchor);
            snprintf(anchor, sizeof anchor, "%c%09d", i % 3 ? 'a' : 'A', i);
            anchor[10] = 'x';
            anchor[sizeof anchor - 1] = 0;
            added = kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL });
            i++;
        } while (added == ROWS_NEW && i < 100000);
        assert_int_equal(added, ROWS_FULL);
        assert_true(rows_text_bytes(rows) <= max);
        assert_true(rows_count(rows) >= most); /* more room is never fewer rows */
        most = rows_count(rows);
        rows_free(rows);
    }
    assert_true(most > 1000);
}

static void one_huge_key_is_no_row(void **state)
{
    (void)state;
    struct row_list *rows = rows_by(by_anchor, 1, true, 80000);
    char *anchor = malloc(100001);
    memset(anchor, 'A', 100000);
    anchor[100000] = 0;
    assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_FULL);
    free(anchor);
    rows_free(rows);
    rows_free(NULL);
}

/* What a row adds is looked after along the way, a little with each: for any few of them not much memory is taken, and
 * so not much moved. */
static void long_lists_grow_evenly(void **state)
{
    enum { LONG = 150000, FEW = 4096, MUCH = 5 << 18 };
    (void)state;
    struct budget budget = { .max = SIZE_MAX / 2 };
    struct row_list *rows = rows_in(by_anchor, 1, true, 256u << 20, &budget);
    char anchor[32];
    size_t before = 0;
    for (int n = 0; n < LONG; n++) {
        snprintf(anchor, sizeof anchor, "Anchor %06d", n);
        assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_NEW);
        if (n % FEW)
            continue;
        size_t used = atomic_load(&budget.used);
        assert_in_range(used - before, 0, MUCH);
        before = used;
    }
    rows_free(rows);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* A long list is indexed on the way; upper case and pages may come before or after it got long. */
static void long_lists_find_what_was_there(void **state)
{
    static const int when[][2] = { { 0, 0 },       { 3000, 5000 }, { 5000, 3000 }, { 4095, 4096 },
                                   { 4096, 4095 }, { 4097, 9000 }, { 9000, 4097 }, { 20000, 20000 } };
    enum { LONG = 20000 };
    char anchor[32];
    (void)state;
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        struct row_list *rows = rows_by(by_anchor, 1, true, 64 << 20);
        for (int n = 0; n < LONG; n++) {
            bool upper = n >= when[i][0] && n % 3 == 0;
            if (n == when[i][1])
                assert_int_equal(rows_begin_page(rows), 0);
            snprintf(anchor, sizeof anchor, "%s %06d", upper ? "Anchor" : "anchor", n);
            assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_NEW);
        }
        assert_int_equal(rows_begin_page(rows), 0);
        for (int n = 0; n < LONG; n += 7) {
            bool upper = n >= when[i][0] && n % 3 == 0;
            snprintf(anchor, sizeof anchor, "%s %06d", upper ? "Anchor" : "anchor", n);
            assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
            snprintf(anchor, sizeof anchor, "ANCHOR %06d", n);
            assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_MERGED);
            assert_int_equal(kit_add(rows, (struct kit_row){ anchor, 1, 1, 1, NULL }), ROWS_SEEN_BEFORE);
        }
        assert_int_equal(rows_count(rows), LONG);
        assert_int_equal(rows_sum(rows, LINKS), LONG + (LONG + 6) / 7);
        assert_true(rows_finish(rows, 0, rows_count(rows)));
        assert_row(rows, 7, "anchor 000007", 2);
        rows_free(rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lists_find_what_was_there),
        cmocka_unit_test(long_lists_grow_evenly),
        cmocka_unit_test(equal_keys_are_merged),
        cmocka_unit_test(a_merged_row_is_looked_at_again),
        cmocka_unit_test(equal_counts_are_never_a_sum),
        cmocka_unit_test(what_cannot_be_checked_is_not_shown),
        cmocka_unit_test(rows_that_are_out_take_no_place),
        cmocka_unit_test(kept_case_merges_nothing),
        cmocka_unit_test(sums_saturate),
        cmocka_unit_test(ties_are_broken_by_the_anchor),
        cmocka_unit_test(rows_in_order_stay_untouched),
        cmocka_unit_test(folding_resorts),
        cmocka_unit_test(a_page_drops_what_was_seen),
        cmocka_unit_test(a_cut_date_is_paged_by_its_fraction),
        cmocka_unit_test(two_keys_are_never_one_by_accident),
        cmocka_unit_test(a_broken_row_is_like_no_other),
        cmocka_unit_test(broken_rows_among_many),
        cmocka_unit_test(every_order_is_that_of_qsort),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(many_rows_backwards),
        cmocka_unit_test(it_holds_no_more_than_it_may),
        cmocka_unit_test(one_huge_key_is_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
