/* SPDX-License-Identifier: MIT
 * The target record: what is asked for, with whom, what came back, who pays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buffer.h"
#include "mapping/record.h"

#define FIELD(NAME) (1u << RECORD_##NAME)
#define GROUP_A 0x7FFFu
#define GROUP_B FIELD(REFDOMAINS)
#define RATING (FIELD(DOMAIN_RATING) | FIELD(AHREFS_RANK))
#define METRICS                                                                                                        \
    (FIELD(BACKLINKS) | FIELD(BACKLINKS_NOFOLLOW) | FIELD(BACKLINKS_DOFOLLOW) | FIELD(BACKLINKS_REDIRECT) |            \
     FIELD(BACKLINKS_INTERNAL) | FIELD(OUTGOING_LINKS))
#define POSITIONS                                                                                                      \
    (FIELD(ORG_KEYWORDS) | FIELD(ORG_KEYWORDS_1_3) | FIELD(ORG_KEYWORDS_4_10) | FIELD(ORG_TRAFFIC) | FIELD(ORG_COST))

static void fields_have_prices(void **state)
{
    (void)state;
    assert_int_equal(record_units(RECORD_ALL), 50);
    assert_int_equal(record_units(GROUP_A), 15);
    assert_int_equal(record_units(RATING), 2);
    assert_int_equal(record_units(METRICS), 6);
    assert_int_equal(record_units(METRICS | GROUP_B | FIELD(REFIPS) | FIELD(REFIPS_SUBNETS) | FIELD(LINKED_DOMAINS)),
                     14);
    assert_int_equal(record_units(POSITIONS), 23);
    assert_int_equal(RECORD_OF_HOST, RATING);
    for (int f = 0; f < RECORD_FIELDS; f++)
        assert_int_equal(record_field_find(record_field_name((enum record_field)f)), f);
    assert_int_equal(record_field_find(S("index")), RECORD_FIELDS);
    assert_int_equal(record_field_find(S("")), RECORD_FIELDS);
}

static void what_costs_nothing_is_taken_along(void **state)
{
    (void)state;
    assert_int_equal(record_selected(RATING, 1), RECORD_ALL);
    assert_int_equal(record_selected(RATING, 2), GROUP_A | GROUP_B);
    assert_int_equal(record_selected(RATING, 3), GROUP_A);
    assert_int_equal(record_selected(RATING, 100), RATING);
    /* Up to the first that would cost, and not to a cheaper one behind it. */
    assert_int_equal(record_selected(FIELD(URL_RATING) | FIELD(ORG_TRAFFIC), 3),
                     FIELD(URL_RATING) | FIELD(ORG_TRAFFIC) | FIELD(DOMAIN_RATING) | FIELD(AHREFS_RANK) |
                         FIELD(BACKLINKS) | FIELD(BACKLINKS_DOFOLLOW));
    for (size_t n = 1; n <= RECORD_MAX_TARGETS; n++) {
        const uint32_t needs[] = { RATING, METRICS, POSITIONS, RECORD_ALL, FIELD(URL_RATING) };
        for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
            uint32_t fields = record_selected(needs[i], n);
            assert_int_equal(fields & needs[i], needs[i]);
            assert_int_equal(record_price(fields, n), record_price(needs[i], n));
        }
    }
}

static void a_post_has_its_price(void **state)
{
    (void)state;
    assert_int_equal(record_price(RATING, 1), 50);
    assert_int_equal(record_price(RECORD_ALL, 1), 50);
    assert_int_equal(record_price(RATING, 16), 50);
    assert_int_equal(record_price(RATING, 17), 51);
    assert_int_equal(record_price(RATING, 100), 300);
    assert_int_equal(record_price(RECORD_ALL, 100), 5100);
}

/* ---- who is asked for together ---- */

struct kind {
    uint32_t need;
    size_t n;
};

/* The price of all POSTs for these kinds of targets, in the order given; *n_posts becomes how many. */
static int64_t grouped(const struct kind *kinds, size_t n_kinds, size_t *n_posts)
{
    enum { MOST = 400 };
    static uint32_t needs[MOST];
    static size_t post_of[MOST], count[MOST];
    static struct record_post posts[MOST];
    size_t n = 0;
    int64_t units = 0;
    for (size_t k = 0; k < n_kinds; k++)
        for (size_t i = 0; i < kinds[k].n; i++)
            needs[n++] = kinds[k].need;
    *n_posts = record_group(needs, n, post_of, posts);
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++) {
        assert_true(post_of[i] < *n_posts);
        assert_int_equal(posts[post_of[i]].need & needs[i], needs[i]);
        count[post_of[i]]++;
    }
    for (size_t p = 0; p < *n_posts; p++) {
        assert_in_range(posts[p].n, 1, RECORD_MAX_TARGETS);
        assert_int_equal(posts[p].n, count[p]);
        assert_int_equal(posts[p].units, record_price(posts[p].need, posts[p].n));
        units += posts[p].units;
    }
    return units;
}

static void targets_share_a_post_when_that_is_not_dearer(void **state)
{
    (void)state;
    static const struct {
        struct kind kinds[4];
        size_t n_kinds, n_posts;
        int64_t units;
    } cases[] = {
        { { { RATING, 1 } }, 1, 1, 50 },
        { { { RATING, 1 }, { METRICS, 1 } }, 2, 1, 50 },
        { { { RATING, 1 }, { POSITIONS, 1 } }, 2, 1, 52 },
        { { { RATING, 100 } }, 1, 1, 300 },
        { { { RATING, 101 } }, 1, 2, 350 },
        { { { RATING, 250 } }, 1, 3, 300 + 300 + 150 },
        { { { RATING, 50 }, { POSITIONS, 50 } }, 2, 2, 150 + 1200 },
        /* Two requests of 50 units are one of less than 100. */
        { { { RATING, 10 }, { METRICS, 1 } }, 2, 1, 99 },
        { { { RATING, 10 }, { METRICS, 2 } }, 2, 2, 100 },
        { { { RATING, 1 }, { POSITIONS, 4 }, { METRICS, 1 } }, 3, 2, 96 + 50 },
        { { { RATING, 100 }, { METRICS, 1 } }, 2, 2, 350 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n_posts;
        int64_t units = grouped(cases[i].kinds, cases[i].n_kinds, &n_posts);
        if (units != cases[i].units || n_posts != cases[i].n_posts)
            fail_msg("case %zu: %zu POSTs for %lld units", i, n_posts, (long long)units);
    }
}

/* However kinds come: never dearer than each kind by itself. */
static void grouping_never_costs(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int round = 0; round < 2000; round++) {
        struct kind kinds[4];
        int64_t apart = 0;
        size_t n_posts, n = 1 + (size_t)round % 4;
        for (size_t k = 0; k < n; k++) {
            random = random * 1664525 + 1013904223;
            kinds[k] = (struct kind){ .need = (random >> 8 & RECORD_ALL) | 1u << k, .n = 1 + (random >> 20) % 90 };
            apart += record_price(kinds[k].need, kinds[k].n);
        }
        assert_true(grouped(kinds, n, &n_posts) <= apart);
    }
}

/* ---- a POST ---- */

static void the_body_says_what_is_asked(void **state)
{
    (void)state;
    static const struct record_target targets[] = { { SLICE("www.example.com"), MODE_DOMAIN },
                                                    { SLICE("example.com/\"a\"/"), MODE_EXACT } };
    struct buffer b = { 0 };
    record_body(&b, RATING, S(""), targets, 1);
    assert_true(slice_eq(buffer_slice(&b),
                         S("{\"select\":[\"domain_rating\",\"ahrefs_rank\"],\"targets\":[{\"url\":\"www.example.com\","
                           "\"mode\":\"domain\",\"protocol\":\"both\"}]}")));
    b.n = 0;
    record_body(&b, FIELD(ORG_TRAFFIC), S("us"), targets, 2);
    assert_true(slice_eq(buffer_slice(&b),
                         S("{\"select\":[\"org_traffic\",\"index\"],\"targets\":[{\"url\":\"www.example.com\","
                           "\"mode\":\"domain\",\"protocol\":\"both\"},{\"url\":\"example.com/\\\"a\\\"/\",\"mode\":"
                           "\"exact\",\"protocol\":\"both\"}],\"country\":\"us\"}")));
    buffer_clear(&b);
}

static void answers_are_read_by_index(void **state)
{
    (void)state;
    struct record r[3];
    assert_null(record_read(S(" {\"targets\": [ {\"ahrefs_rank\":52210,\"domain_rating\":61.0} ] } "), RATING, 1, r));
    assert_int_equal(r[0].known, RATING);
    assert_int_equal(r[0].value[RECORD_DOMAIN_RATING], 61);
    assert_int_equal(r[0].value[RECORD_AHREFS_RANK], 52210);
    /* In whatever order the rows come, with whatever else is in them. */
    assert_null(record_read(S("{\"x\":[1],\"targets\":[{\"index\":2,\"backlinks\":7,\"url\":\"c/\",\"ip\":null},"
                              "{\"backlinks\":5,\"index\":0},{\"index\":1,\"backlinks\":6}]}"),
                            FIELD(BACKLINKS), 3, r));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].known, FIELD(BACKLINKS));
        assert_int_equal(r[i].value[RECORD_BACKLINKS], 5 + i);
    }
    assert_null(record_read(S("{\"targets\":[{\"ahrefs_rank\":null,\"domain_rating\":null}]}"), RATING, 1, r));
    assert_int_equal(r[0].nulls, RATING);
    assert_int_equal(r[0].value[RECORD_AHREFS_RANK], 0);
}

static void odd_answers_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t n;
    } cases[] = {
        { "", 1 },
        { "[]", 1 },
        { "{}", 1 },
        { "{\"targets\":null}", 1 },
        { "{\"targets\":{}}", 1 },
        { "{\"targets\":[]}", 1 },
        { "{\"targets\":[[]]}", 1 },
        { "{\"targets\":[null]}", 1 },
        { "{\"targets\":[{}]}", 1 },
        { "{\"targets\":[{\"backlinks\":\"5\"}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5.5}]}", 1 },
        { "{\"targets\":[{\"backlinks\":-5}]}", 1 },
        { "{\"targets\":[{\"backlinks\":null}]}", 1 },
        { "{\"targets\":[{\"backlinks\":1e30}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5,\"backlinks\":5}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5}]", 1 },
        { "{\"targets\":[{\"backlinks\":5}]}]", 1 },
        { "{\"targets\":[{\"backlinks\":5}],\"targets\":[]}", 1 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":1}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5},{\"backlinks\":5}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5,\"x\":\"\xFF\"}]}", 1 },
        { "{\"targets\":[{\"backlinks\":5},{\"backlinks\":6}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0},{\"backlinks\":6,\"index\":0}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":1},{\"backlinks\":6,\"index\":2}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0},{\"backlinks\":6,\"index\":-1}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0},{\"backlinks\":6,\"index\":1.0}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0,\"index\":1},{\"backlinks\":6,\"index\":1}]}", 2 },
        { "{\"targets\":[{\"backlinks\":5,\"index\":0},{\"backlinks\":6,\"index\":1},{\"backlinks\":6,\"index\":1}]}",
          2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record r[3];
        if (!record_read(slice_str(cases[i].body), FIELD(BACKLINKS), cases[i].n, r))
            fail_msg("read: %s", cases[i].body);
    }
}

static void ratings_are_rounded_half_up(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t rounded; /* -1: refused */
    } cases[] = {
        { "0", 0 },         { "0.0", 0 },
        { "-0.0", 0 },      { "0.49999999999999999999999", 0 },
        { "0.5", 1 },       { "29.4", 29 },
        { "29.5", 30 },     { "29.49999999999999999999", 29 },
        { "99.6", 100 },    { "61", 61 },
        { "6.15e1", 62 },   { "6.14E+1", 61 },
        { "615e-1", 62 },   { "5e-1", 1 },
        { "0.05e1", 1 },    { "49e-2", 0 },
        { "5e-2", 0 },      { "-0.1", -1 },
        { "-1", -1 },       { "1e101", -1 },
        { "1e99", -1 },     { "true", -1 },
        { "\"61.0\"", -1 }, { "999999999999999999", 999999999999999999 },
        { "1e20", -1 },     { "1e17", 100000000000000000 },
        { "0e99", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b = { 0 };
        struct record r;
        buffer_printf(&b, "{\"targets\":[{\"domain_rating\":%s}]}", cases[i].text);
        const char *why = record_read(buffer_slice(&b), FIELD(DOMAIN_RATING), 1, &r);
        if ((why ? -1 : r.value[RECORD_DOMAIN_RATING]) != cases[i].rounded)
            fail_msg("%s: %s, %lld", cases[i].text, why ? why : "read", (long long)r.value[RECORD_DOMAIN_RATING]);
        buffer_clear(&b);
    }
}

static void records_grow_field_by_field(void **state)
{
    (void)state;
    struct record a = { 0 }, b = { 0 };
    a.known = RATING;
    a.nulls = FIELD(AHREFS_RANK);
    a.value[RECORD_DOMAIN_RATING] = 30;
    b.known = FIELD(AHREFS_RANK) | FIELD(BACKLINKS);
    b.value[RECORD_AHREFS_RANK] = 12;
    b.value[RECORD_BACKLINKS] = 3;
    record_merge(&a, &b);
    assert_int_equal(a.known, RATING | FIELD(BACKLINKS));
    assert_int_equal(a.nulls, 0);
    assert_int_equal(a.value[RECORD_DOMAIN_RATING], 30);
    assert_int_equal(a.value[RECORD_AHREFS_RANK], 12);
    assert_int_equal(a.value[RECORD_BACKLINKS], 3);
}

static void a_refusal_names_one_target_whole(void **state)
{
    (void)state;
    static const struct record_target targets[] = {
        { SLICE("a.example"), MODE_DOMAIN },         { SLICE("b.example"), MODE_DOMAIN },
        { SLICE("b.example"), MODE_PREFIX },         { SLICE("c.example/x"), MODE_EXACT },
        { SLICE("https://d.example/"), MODE_EXACT },
    };
    static const struct {
        const char *words;
        int named;
    } cases[] = {
        { "bad target", -1 },
        { "bad target: a.example", 0 },
        { "bad target a.example.", 0 },
        { "bad target \"a.example\": no", 0 },
        { "bad target https://a.example/: no", 0 },
        { "bad target: aa.example", -1 },
        { "bad target: a.example.org", -1 },
        { "bad target: a.example/x", -1 },
        { "bad target: a.example:8080", -1 },
        { "bad target: x@a.example", -1 },
        { "a.example-b.example", -1 },
        { "a.example, c.example/x", -1 },
        { "aa.example and a.example", 0 },
        { "b.example", -1 },
        { "(c.example/x)", 3 },
        { "c.example/xy", -1 },
        { "d.example", -1 },
        { "https://d.example/", 4 },
        { "https://d.example/x", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (record_named(slice_str(cases[i].words), targets, 5) != cases[i].named)
            fail_msg("%s: %d", cases[i].words, record_named(slice_str(cases[i].words), targets, 5));
}

static void units_are_split_to_the_last(void **state)
{
    (void)state;
    static const struct {
        int64_t units, weights[4], shares[4];
        size_t n;
    } cases[] = {
        { 50, { 2 }, { 50 }, 1 },
        { 50, { 2, 2 }, { 25, 25 }, 2 },
        { 50, { 2, 2, 2 }, { 17, 17, 16 }, 3 },
        { 50, { 2, 6, 14 }, { 4, 14, 32 }, 3 },
        { 0, { 2, 6 }, { 0, 0 }, 2 },
        { 1, { 1, 1, 1, 1 }, { 1, 0, 0, 0 }, 4 },
        { 3, { 1, 1, 1, 1 }, { 1, 1, 1, 0 }, 4 },
        { 10, { 1, 2, 1 }, { 3, 5, 2 }, 3 },
        { 7, { 0, 0, 0 }, { 3, 2, 2 }, 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t shares[4];
        record_split(cases[i].units, cases[i].weights, cases[i].n, shares);
        for (size_t k = 0; k < cases[i].n; k++)
            if (shares[k] != cases[i].shares[k])
                fail_msg("case %zu, member %zu: %lld", i, k, (long long)shares[k]);
    }
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        int64_t weights[100], shares[100], sum = 0;
        size_t n = 1 + (size_t)round % 100;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            weights[i] = 1 + (random >> 16) % 50;
        }
        int64_t units = (random >> 4) % 5200;
        record_split(units, weights, n, shares);
        for (size_t i = 0; i < n; i++) {
            assert_true(shares[i] >= 0);
            sum += shares[i];
        }
        assert_int_equal(sum, units);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_prices),
        cmocka_unit_test(what_costs_nothing_is_taken_along),
        cmocka_unit_test(a_post_has_its_price),
        cmocka_unit_test(targets_share_a_post_when_that_is_not_dearer),
        cmocka_unit_test(grouping_never_costs),
        cmocka_unit_test(the_body_says_what_is_asked),
        cmocka_unit_test(answers_are_read_by_index),
        cmocka_unit_test(odd_answers_are_none),
        cmocka_unit_test(ratings_are_rounded_half_up),
        cmocka_unit_test(records_grow_field_by_field),
        cmocka_unit_test(a_refusal_names_one_target_whole),
        cmocka_unit_test(units_are_split_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
