/* SPDX-License-Identifier: MIT
 * Headers, dates and the words of errors, as pure functions. */
#include "proxy/upstream/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static const int64_t noon = 1792324800000; /* 2026-10-18T12:00:00Z */

static struct reply reply;

static void take(const char *line)
{
    assert_true(reply_header(&reply, slice_str(line), noon));
}

static void headers_are_read_whatever_their_case(void **state)
{
    (void)state;
    reply_init(&reply);
    take("HTTP/1.1 200 OK\r\n");
    take("X-API-Rows: 12\r\n");
    take("x-api-units-cost-total:700\r\n");
    take("x-api-units-cost-total-actual:   0  \r\n");
    take("x-api-cache: HIT\r\n");
    take("content-type: application/json\r\n");
    take("retry-after: 3\r\n");
    take("x-api-rows-more: 9\r\n");
    take("x-api-rows\r\n");
    take("\r\n");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.rows, 12);
    assert_int_equal(reply.units_nominal, 700);
    assert_int_equal(reply.units, 0);
    assert_true(reply.cache_hit);
    assert_int_equal(reply.type, REPLY_TYPE_JSON);
    assert_int_equal(reply.retry_after_ms, 3000);
}

static void odd_numbers_are_as_if_absent(void **state)
{
    (void)state;
    reply_init(&reply);
    take("HTTP/1.1 200 OK\r\n");
    take("x-api-rows: -1\r\n");
    take("x-api-units-cost-total: 1e3\r\n");
    take("x-api-units-cost-total-actual: 99999999999999999999\r\n");
    take("x-api-cache: no_cache\r\n");
    assert_int_equal(reply.rows, -1);
    assert_int_equal(reply.units_nominal, -1);
    assert_int_equal(reply.units, -1);
    assert_false(reply.cache_hit);
    take("x-api-units-cost-total: 1000000001\r\n");
    take("x-api-units-cost-total-actual: 9223372036854775807\r\n");
    assert_int_equal(reply.units_nominal, -1);
    assert_int_equal(reply.units, -1);
    static const char *const none[] = { "HTTP/1.1 abc\r\n",   "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 20\r\n",
                                        "HTTP/1.1 200OK\r\n", "HTTP/1.1 -20\r\n",     "HTTP/1.1\r\n",
                                        "HTTP/1.1  200\r\n" };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        take(none[i]);
        assert_int_equal(reply.status, 0);
    }
    take("HTTP/1.1 200\r\n");
    assert_int_equal(reply.status, 200);
}

static void what_follows_the_body_is_no_head(void **state)
{
    (void)state;
    reply_init(&reply);
    take("HTTP/1.1 103 Early Hints\r\n");
    take("x-api-units-cost-total-actual: 9\r\n");
    take("\r\n");
    assert_false(reply.has_head);
    take("HTTP/1.1 200 OK\r\n");
    take("x-api-units-cost-total-actual: 50\r\n");
    take("X-Note: caf\xe9 \xff\x80\r\n");
    take("\r\n");
    assert_true(reply.has_head);
    take("x-api-units-cost-total-actual: 0\r\n");
    take("HTTP/1.1 404 Gone\r\n");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.units, 50);
}

static void retry_after_has_two_forms(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } rows[] = {
        { "0", 0 },
        { "7", 7000 },
        { "99999999999999999999", -1 },
        { "999999999", 24 * 3600 * 1000 },
        { "-1", -1 },
        { "1.5", -1 },
        { "", -1 },
        { "soon", -1 },
        { "Sun, 18 Oct 2026 12:00:30 GMT", 30000 },
        { "Sunday, 18-Oct-26 12:00:30 GMT", 30000 },
        { "Sun Oct 18 12:00:30 2026", 30000 },
        { "Sun, 18 Oct 2026 11:59:30 GMT", 0 },
        { "Sun, 18 Oct 2126 12:00:30 GMT", 24 * 3600 * 1000 },
        { "Sun, 18 Oct 99999 12:00:30 GMT", 24 * 3600 * 1000 },
        { "Sun, 18 Oct 2147483647 12:00:30 GMT", 24 * 3600 * 1000 },
        { "Sun, 18 Oct 1970 12:00:30 GMT", 0 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = reply_retry_after(slice_str(rows[i].value), noon);
        if (ms != rows[i].ms) {
            fail_msg("%s: %lld", rows[i].value, (long long)ms);
        }
    }
}

static void assert_words(const char *body, const char *want)
{
    reply_init(&reply);
    (void)reply_error_bytes(&reply, slice_str(body));
    struct buffer b = { 0 };
    reply_words(&reply, S("SECRETkey1"), &b);
    if (!slice_eq(buffer_slice(&b), slice_str(want))) {
        fail_msg("%s: \"%.*s\" is not \"%s\"", body, SLICE_ARGS(buffer_slice(&b)), want);
    }
    buffer_clear(&b);
}

static void words_are_found_in_every_body(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words("{\"error\":\"bad target\"}", "bad target");
    assert_words("{\"error\":{\"message\":\"deep\"}}", "deep");
    assert_words("{\"message\":\"slow down\"}", "slow down");
    assert_words("[\"Error\",\"Forbidden\"]", "Forbidden");
    assert_words("[]", "[]");
    assert_words("{\"error\":7}", "{\"error\":7}");
    assert_words("  just text\t\n here ", "just text here");
    assert_words("<html><title>502</title>\n<body>Page <b>under</b> maintenance</body>", "502 Page under maintenance");
    assert_words("1 < 2 & a<5", "1 < 2 & a<5");
    assert_words("{\"error\":\"caf\\u00e9 \\u0000 \\u0085x\"}", "caf\xc3\xa9");
    assert_words("bad \xff utf \xe2\x82", "bad utf");
    assert_words("{\"error\":\"a\\nb\\u001bc\\u202e\"}", "a b c");
}

static void words_with_a_piece_of_the_key_are_dropped(void **state)
{
    (void)state;
    assert_words("{\"error\":\"key SECRETkey1 is unknown\"}", "");
    assert_words("Authorization: Bearer secretKEY1", "");
    assert_words("{\"error\":\"SECRET\\u006bey1\"}", "");
    assert_words("SECRET\x01key1", "");
    assert_words("the first are S.E.C.R.E.T.K.E", "");
    assert_words("the first are S.E.C.R.E.T.K", "the first are S.E.C.R.E.T.K");
    assert_words("<b>SECR</b><b>ETke</b>", "");
    assert_words("{\"error\":\"&#83;ECRETke\"}", "");

    /* It stands behind the 200 characters that are shown. */
    static char body[REPLY_MAX_ERROR_BYTES + 16];
    memset(body, 'x', sizeof(body));
    memcpy(body + 4000, "SECRETkey1", 10);
    body[sizeof(body) - 1] = '\0';
    assert_words(body, "");
}

static void assert_hides(const char *body, bool wanted)
{
    reply_init(&reply);
    (void)reply_error_bytes(&reply, slice_str(body));
    if (reply_hides_error(&reply) != wanted) {
        fail_msg("%s: %d", body, !wanted);
    }
}

static void errors_that_look_like_answers(void **state)
{
    (void)state;
    assert_hides("{\"error\":\"no\"}", true);
    assert_hides(" { \"error\" : {\"code\":7} } ", true);
    assert_hides("{\"anchors\":[],\"error\":\"late\"}", true);
    assert_hides("{\"error\":null,\"anchors\":[]}", false);
    assert_hides("{\"error\":false}", false);
    assert_hides("{\"error\":\"\"}", false);
    assert_hides("{\"anchors\":[{\"anchor\":\"error\"}]}", false);
    assert_hides("{\"anchors\":[{\"error\":\"x\"}]}", false);
    assert_hides("{\"anchors\":[]}", false);
    assert_hides("{\"error\":", false); /* it is cut: said as what it is */
    assert_hides("", false);
    static char body[REPLY_MAX_ERROR_BYTES * 2];
    memset(body, 'x', sizeof(body) - 1);
    memcpy(body, "{ \"error\": \"", 12);
    assert_hides(body, true);
    memcpy(body, "{\"a\":\"\\\"error\\\"", 15);
    assert_hides(body, false);
}

static void words_are_short_and_whole_characters(void **state)
{
    (void)state;
    reply_init(&reply);
    for (int i = 0; i < 300; i++) {
        (void)reply_error_bytes(&reply, S("\xc3\xa9"));
    }
    struct buffer b = { 0 };
    reply_words(&reply, S(""), &b);
    assert_int_equal(b.n, 2 * REPLY_MAX_WORDS);
    assert_int_equal(utf8_valid_prefix(buffer_slice(&b)), b.n);
    buffer_clear(&b);
}

static void only_so_many_headers(void **state)
{
    (void)state;
    reply_init(&reply);
    size_t n = 0;
    while (reply_header(&reply, S("x-more: 0123456789012345678901234567890123456789\r\n"), noon)) {
        n++;
    }
    assert_in_range(n, 1000, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_whatever_their_case),
        cmocka_unit_test(odd_numbers_are_as_if_absent),
        cmocka_unit_test(what_follows_the_body_is_no_head),
        cmocka_unit_test(retry_after_has_two_forms),
        cmocka_unit_test(words_are_found_in_every_body),
        cmocka_unit_test(words_with_a_piece_of_the_key_are_dropped),
        cmocka_unit_test(errors_that_look_like_answers),
        cmocka_unit_test(words_are_short_and_whole_characters),
        cmocka_unit_test(only_so_many_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
