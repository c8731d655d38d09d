/* SPDX-License-Identifier: MIT
 * What is remembered, and for how long: answers, parts, pieces of lists; a cache that is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mapping/packed_rows.h"
#include "proxy/reuse/pages.h"

enum { TTL = 1000 };

static const struct table *table(void)
{
    return table_find(S("anchors"));
}

static uint64_t all_fields(void)
{
    return bit((int)table()->list->n_fields) - 1;
}

/* Rows numbered from `first`; odd ones have a date that was cut. */
static void put_rows(struct buffer *packed, int64_t first, int64_t n, size_t length)
{
    char text[4096];
    for (int64_t i = first; i < first + n; i++) {
        struct scan_value values[REPORT_MAX_FIELDS] = { 0 };
        memset(text, 'x', sizeof text);
        for (size_t k = 0; k < table()->list->n_fields; k++) {
            switch (table()->list->fields[k].type) {
            case VALUE_WHOLE:
                values[k].whole = i * 10 + (int64_t)k;
                break;
            case VALUE_DATE:
                values[k].text = S("2020-01-01T00:00:00Z");
                values[k].raw = i % 2 ? S("2020-01-01T00:00:00.123Z") : S("");
                break;
            case VALUE_TEXT:
                values[k].text = slice_of(text, length);
                values[k].plain = i % 3 == 0;
                values[k].broken = i % 5 == 0;
                break;
            default:
                break; /* anchors have no others */
            }
        }
        packed_rows_put(packed, table()->list, all_fields(), values);
    }
}

/* Take rows off and check that they are numbered from `first`; how many there were. */
static int64_t check_rows(struct slice packed, int64_t first, size_t length)
{
    struct scan_value values[REPORT_MAX_FIELDS];
    int64_t n = 0;
    for (; packed_rows_take(&packed, table()->list, all_fields(), values); n++) {
        for (size_t k = 0; k < table()->list->n_fields; k++) {
            if (table()->list->fields[k].type == VALUE_WHOLE)
                assert_int_equal(values[k].whole, (first + n) * 10 + (int64_t)k);
            if (table()->list->fields[k].type == VALUE_DATE)
                assert_int_equal(values[k].raw.n, (first + n) % 2 ? 24 : 0);
            if (table()->list->fields[k].type == VALUE_TEXT) {
                assert_int_equal(values[k].text.n, length);
                assert_int_equal(values[k].plain, (first + n) % 3 == 0);
                assert_int_equal(values[k].broken, (first + n) % 5 == 0);
            }
        }
    }
    return n;
}

/* The longest text and date that the scanner lets through. */
static void the_longest_row_comes_back(void **state)
{
    (void)state;
    struct buffer trail = { 0 };
    struct scan_value values[REPORT_MAX_FIELDS] = { 0 }, back[REPORT_MAX_FIELDS];
    char *text = malloc(SCAN_MAX_TEXT);
    memset(text, 'x', SCAN_MAX_TEXT);
    for (size_t k = 0; k < table()->list->n_fields; k++) {
        values[k].text = slice_of(text, SCAN_MAX_TEXT);
        if (table()->list->fields[k].type == VALUE_DATE)
            values[k] =
                (struct scan_value){ .text = S("2020-01-01T00:00:00Z"), .raw = S("2020-01-01T00:00:00.123456789Z") };
    }
    packed_rows_put(&trail, table()->list, all_fields(), values);
    struct slice rest = buffer_slice(&trail);
    assert_true(packed_rows_take(&rest, table()->list, all_fields(), back));
    assert_int_equal(rest.n, 0);
    for (size_t k = 0; k < table()->list->n_fields; k++) {
        if (table()->list->fields[k].type == VALUE_WHOLE)
            continue;
        assert_true(slice_eq(back[k].text, values[k].text));
        assert_true(slice_eq(back[k].raw, values[k].raw));
    }
    buffer_clear(&trail);
    free(text);
}

static void rows_come_back_as_they_were(void **state)
{
    struct buffer packed = { 0 };
    int64_t rows;
    (void)state;
    put_rows(&packed, 0, 100, 40);
    assert_int_equal(check_rows(buffer_slice(&packed), 0, 40), 100);
    size_t n = packed_rows_split(buffer_slice(&packed), packed.n / 2, &rows);
    assert_true(rows >= 49 && rows <= 50 && n <= packed.n / 2);
    assert_int_equal(check_rows(slice_from(buffer_slice(&packed), n), rows, 40), 100 - rows);
    n = packed_rows_split(buffer_slice(&packed), 1, &rows);
    assert_int_equal(rows, 1); /* one at least */
    assert_int_equal(packed_rows_split(slice_of(NULL, 0), 10, &rows), 0);
    assert_int_equal(rows, 0);
    buffer_clear(&packed);
}

static void a_full_trail_has_whole_rows(void **state)
{
    struct buffer packed = buffer_with_cap(1000);
    (void)state;
    put_rows(&packed, 0, 100, 40);
    assert_true(packed.failed);
    assert_true(check_rows(buffer_slice(&packed), 0, 40) > 1);
    buffer_clear(&packed);
}

static void keep(struct pages *at, struct cache *c, int64_t n, size_t length, bool whole)
{
    struct buffer packed = { 0 };
    put_rows(&packed, at->rows, n, length);
    pages_keep(at, c, 1, TTL, buffer_slice(&packed), whole, S("payer"), (int64_t)cache_max_bytes(c) / 2);
    buffer_clear(&packed);
}

/* What is known of the list at a time; *ret is where it ends. */
static int64_t known(struct cache *c, int64_t now_ms, size_t length, struct pages *ret)
{
    struct pages at = { .list = S("list") };
    struct slice rows, payer;
    int64_t n = 0;
    while (pages_next(&at, c, now_ms, &rows, &payer)) {
        n += check_rows(rows, n, length);
        assert_true(slice_eq(payer, S("payer")));
    }
    pages_touch(&at, c);
    assert_int_equal(at.rows, n);
    if (ret)
        *ret = at;
    return n;
}

static void a_list_grows(void **state)
{
    struct cache *c = cache_new(8 << 20);
    struct pages at = { .list = S("list") }, end;
    (void)state;
    assert_int_equal(known(c, 1, 40, &end), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(known(c, 1, 40, &at), i * 10);
        keep(&at, c, 10, 40, false);
    }
    assert_int_equal(known(c, 1, 40, &end), 2000);
    assert_true(end.n < 5); /* small pages fill a piece up */
    keep(&end, c, 5000, 40, false);
    assert_int_equal(known(c, 1, 40, &end), 7000);
    assert_true(end.n > 5); /* a big one is cut */
    keep(&end, c, 0, 40, true);
    assert_int_equal(known(c, 1, 40, &end), 7000);
    assert_true(end.whole);
    keep(&end, c, 10, 40, false); /* nothing is behind the end */
    assert_int_equal(known(c, 1, 40, NULL), 7000);
    assert_int_equal(known(c, 1 + TTL, 40, NULL), 0);
    cache_free(c);
}

/* A call that has seen a small piece finds what was put behind it, in the piece or as the next ones. */
static void a_piece_is_filled_up_meanwhile(void **state)
{
    struct cache *c = cache_new(8 << 20);
    struct pages seen, end;
    struct slice rows, payer;
    (void)state;
    known(c, 1, 40, &end);
    keep(&end, c, 10, 40, false);
    known(c, 1, 40, &seen);
    keep(&end, c, 20, 40, false);
    assert_true(pages_next(&seen, c, 1, &rows, &payer));
    assert_int_equal(check_rows(rows, 10, 40), 20);
    assert_int_equal(seen.rows, 30);
    assert_false(pages_next(&seen, c, 1, &rows, &payer));
    keep(&end, c, 3000, 40, false);
    int64_t n = 30;
    while (pages_next(&seen, c, 1, &rows, &payer))
        n += check_rows(rows, n, 40);
    assert_int_equal(n, 3030);
    assert_int_equal(seen.bytes, end.bytes);
    keep(&seen, c, 5, 40, true); /* it is at the end, too */
    assert_int_equal(known(c, 1, 40, NULL), 3035);
    assert_false(pages_next(&end, c, 1, &rows, &payer) && !end.whole);
    cache_free(c);
}

static void two_calls_at_the_same_place(void **state)
{
    struct cache *c = cache_new(8 << 20);
    struct pages one = { .list = S("list") }, two = one, late;
    (void)state;
    keep(&one, c, 100, 40, false);
    keep(&two, c, 50, 40, false); /* the first was quicker */
    assert_int_equal(known(c, 1, 40, &late), 100);
    keep(&one, c, 100, 40, false);
    keep(&late, c, 100, 40, false);
    assert_int_equal(known(c, 1, 40, NULL), 200);
    cache_free(c);
}

static void a_list_over_its_part_keeps_its_beginning(void **state)
{
    struct cache *c = cache_new(4 << 20);
    struct pages at;
    (void)state;
    for (int i = 0; i < 100; i++) {
        known(c, 1, 1000, &at);
        keep(&at, c, 100, 1000, false);
    }
    int64_t n = known(c, 1, 1000, &at);
    assert_true(n >= 1800 && n <= 2100);
    cache_free(c);
}

/* The end of a list goes before its beginning, and what is found is always a beginning. */
static void other_things_push_a_list_out(void **state)
{
    struct cache *c = cache_new(1 << 20);
    struct pages at;
    char body[60000] = { 0 }, question[20];
    int64_t before = 0;
    (void)state;
    for (int i = 0; i < 6; i++) {
        known(c, 1, 1000, &at);
        keep(&at, c, 64, 1000, false);
    }
    before = known(c, 1, 1000, NULL);
    assert_true(before > 300);
    for (int i = 0; i < 14; i++) {
        struct cache_answer a = { .until_ms = TTL, .body = slice_of(body, sizeof body) };
        int n = snprintf(question, sizeof question, "question %d", i);
        cache_keep_answer(c, slice_of(question, (size_t)n), &a);
    }
    int64_t left = known(c, 1, 1000, NULL);
    assert_in_range(left, 0, before - 1);
    cache_free(c);
}

static void answers_and_parts(void **state)
{
    struct cache *c = cache_new(1 << 20);
    struct cache_answer a = { .until_ms = 10, .results = 3, .marks = S("m"), .payer = S("p"), .body = S("b") }, got;
    (void)state;
    assert_false(cache_find_answer(c, S("q"), 1, &got));
    cache_keep_answer(c, S("q"), &a);
    assert_true(cache_find_answer(c, S("q"), 1, &got));
    assert_int_equal(got.results, 3);
    assert_true(slice_eq(got.body, S("b")) && slice_eq(got.payer, S("p")) && slice_eq(got.marks, S("m")));
    assert_false(cache_find_answer(c, S("q"), 10, &got));
    assert_false(cache_find_answer(c, S("q"), 1, &got)); /* it was dropped */
    struct target t = { .v3 = S("t"), .v3_mode = MODE_DOMAIN }, exact = { .v3 = S("t"), .v3_mode = MODE_EXACT };
    const struct part *part = &table()->parts[0], *other = &table()->parts[1];
    struct slice bytes;
    assert_false(cache_find_part(c, part, &t, 1, &bytes));
    assert_true(cache_keep_part(c, part, &t, 10, S("seven")));
    assert_true(cache_find_part(c, part, &t, 1, &bytes) && slice_eq(bytes, S("seven")));
    assert_false(cache_find_part(c, other, &t, 1, &bytes));
    assert_false(cache_find_part(c, part, &exact, 1, &bytes));
    assert_false(cache_find_part(c, part, &t, 10, &bytes));
    cache_free(c);
}

static void fill_with_parts(struct cache *c, int from, int n)
{
    char name[40];
    for (int i = from; i < from + n; i++) {
        snprintf(name, sizeof name, "target%d.example.com", i);
        struct target t = { .v3 = slice_str(name), .v3_mode = MODE_DOMAIN };
        assert_true(cache_keep_part(c, &table()->parts[0], &t, TTL, S("a few numbers of this target")));
    }
}

/* A large value among very many small ones drops a few of them at a time, never all that have to go. */
static void many_small_ones_go_bit_by_bit(void **state)
{
    enum { FILLED = 60000, A_FEW = 300 };
    struct cache *c = cache_new(8 << 20);
    static char body[1000 * 1000];
    struct cache_answer a = { .until_ms = TTL, .body = slice_of(body, sizeof body) }, got;
    (void)state;
    fill_with_parts(c, 0, FILLED);
    size_t before = cache_stats(c).entries;
    assert_in_range(before, 30000, FILLED - 1); /* it is full */
    assert_true(cache_keep_answer(c, S("first"), &a));
    assert_true(cache_find_answer(c, S("first"), 1, &got));
    assert_in_range(cache_stats(c).entries, before - A_FEW, before);
    before = cache_stats(c).entries;
    assert_false(cache_keep_answer(c, S("second"), &a));
    assert_in_range(cache_stats(c).entries, before - A_FEW, before);
    fill_with_parts(c, FILLED, 2000); /* each makes some room for what is large */
    assert_true(cache_keep_answer(c, S("second"), &a));
    assert_true(cache_find_answer(c, S("second"), 1, &got));
    assert_in_range(cache_stats(c).bytes, 1, 8 << 20);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_small_ones_go_bit_by_bit),
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(the_longest_row_comes_back),
        cmocka_unit_test(a_full_trail_has_whole_rows),
        cmocka_unit_test(a_list_grows),
        cmocka_unit_test(a_piece_is_filled_up_meanwhile),
        cmocka_unit_test(two_calls_at_the_same_place),
        cmocka_unit_test(a_list_over_its_part_keeps_its_beginning),
        cmocka_unit_test(other_things_push_a_list_out),
        cmocka_unit_test(answers_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
