/* SPDX-License-Identifier: MIT
 * The reader alone: every sample says the same however it is cut. */
#include "sample.h"
#include "walk.h"

static void must_equal(const struct sample *sample, struct walk *w, const struct walk *whole, size_t cut)
{
    if (!slice_eq(buffer_slice(&w->said), buffer_slice(&whole->said)))
        fail_msg("%s: cut at %zu it says\n%.*sand whole\n%.*s", sample->name, cut, SLICE_ARGS(buffer_slice(&w->said)),
                 SLICE_ARGS(buffer_slice(&whole->said)));
    buffer_clear(&w->said);
}

static void cut_everywhere(const struct sample *sample)
{
    const char *p = sample->bytes.p;
    size_t n = sample->bytes.n;
    struct walk whole = walk_begin();
    walk_to(&whole, p, n);
    assert_int_equal(whole.ready, sample->requests);
    size_t step = n > 2000 ? 509 : 1;
    for (size_t cut = 1; cut < n; cut += step) {
        struct walk w = walk_begin();
        walk_to(&w, p, cut);
        walk_to(&w, p, n);
        must_equal(sample, &w, &whole, cut);
    }
    for (size_t piece = n > 2000 ? 61 : 1; piece < 200; piece = piece * 2 + 1) {
        struct walk w = walk_begin();
        for (size_t at = piece; at < n; at += piece)
            walk_to(&w, p, at);
        walk_to(&w, p, n);
        must_equal(sample, &w, &whole, piece);
    }
    buffer_clear(&whole.said);
}

static void same_for_every_cut(void **state)
{
    (void)state;
    assert_true(sample_each("malformed", cut_everywhere) >= 80);
    assert_true(sample_each("wellformed", cut_everywhere) >= 30);
}

/* As soon as the first bad byte is there, and not before. */
static void fault_at_the_byte(void **state)
{
    (void)state;
    static const struct row {
        const char *bytes;
        size_t at;
        int status;
    } rows[] = {
        { "G\001", 2, 400 },
        { "GET / HTTP/1.1\r.", 16, 400 },
        { "GET / HTTP/2.0\r\n", 16, 505 },
        { "GET / HTTP/1.1\nHost: x\nA: \r.", 28, 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\nA: \177", 29, 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\n B: c\r\n", 32, 400 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader r;
        reader_start(&r);
        assert_int_equal(reader_read(&r, rows[i].bytes, rows[i].at - 1), READER_MORE);
        assert_int_equal(reader_read(&r, rows[i].bytes, rows[i].at), READER_FAULT);
        assert_int_equal(r.fault_status, rows[i].status);
    }
}

/* What makes a request one behind which nothing is read. */
static void nothing_behind(void **state)
{
    (void)state;
    static const struct row {
        const char *bytes;
        bool is_good, stays;
    } rows[] = {
        { "GET /?a=b HTTP/1.1\r\nHost: x\r\n\r\n", true, true },
        { "GET http://y:1/?a=b HTTP/1.1\r\nHost: x\r\n\r\n", true, true },
        { "GET /?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", true, true },
        { "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", true, true },
        { "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", true, false },
        { "GET / HTTP/1.1\nHost: x\r\n\r\n", true, false },
        { "GET / HTTP/1.1\r\nHost: x\n\r\n", true, false },
        { "GET / HTTP/1.1\r\nHost: x\r\n\n", true, false },
        { "GET / HTTP/1.0\nConnection: keep-alive\n\n", true, false },
        { "GET /?a b HTTP/1.1\r\nHost: x\r\n\r\n", true, false },
        { "OPTIONS * HTTP/1.1\nHost: x\n\n", true, false },
        { "OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", false, false },
        { "GET /?a b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", false, false },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\n", false, false },
        { "\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", false, false },
        { "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n", false, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader r;
        reader_start(&r);
        bool is_good = reader_read(&r, rows[i].bytes, strlen(rows[i].bytes)) == READER_READY;
        if (is_good != rows[i].is_good || (is_good && r.keep_alive != rows[i].stays))
            fail_msg("row %zu: %s, keep_alive %d", i, is_good ? "taken" : r.fault_why, r.keep_alive);
    }
}

static void limits_to_the_byte(void **state)
{
    (void)state;
    static char line[READER_MAX_LINE + 2];
    memset(line, 'a', sizeof line);
    struct reader r;
    reader_start(&r);
    assert_int_equal(reader_read(&r, line, READER_MAX_LINE), READER_MORE);
    assert_int_equal(reader_read(&r, line, READER_MAX_LINE + 1), READER_FAULT);
    assert_int_equal(r.fault_status, 414);
}

/* Every byte in every place where one may stand: which are let in is written down here once more. LF ends a line, so it
 * may stand wherever the part of the line before it is good. */
static void bytes_by_place(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char in_query[] = "GET /?a=. HTTP/1.1\r\nHost: x\r\n\r\n", in_path[] = "GET /. HTTP/1.1\r\nHost: x\r\n\r\n";
        char in_name[] = "GET / HTTP/1.1\r\nHost: x\r\n.: a\r\n\r\n";
        char in_value[] = "GET / HTTP/1.1\r\nHost: x\r\nA: a.a\r\n\r\n";
        char in_host[] = "GET / HTTP/1.1\r\nHost: x.\r\n\r\n";
        bool is_visible = c > 0x20 && c < 0x7f;
        bool is_alnum = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && c < 0x80);
        const struct row {
            char *bytes, *at;
            size_t n;
            bool is_good;
        } rows[] = {
            { in_query, in_query + 8, sizeof in_query - 1, (is_visible && c != '#') || c >= 0x80 || c == ' ' },
            { in_path, in_path + 5, sizeof in_path - 1, is_visible && c != '#' },
            { in_name, in_name + 25, sizeof in_name - 1, is_alnum || (c && strchr("!#$%&'*+-.^_`|~\n", c)) },
            { in_value, in_value + 29, sizeof in_value - 1, is_visible || c >= 0x80 || c == ' ' || c == '\t' },
            { in_host, in_host + 23, sizeof in_host - 1, is_alnum || (c && strchr(".:_- \t\n", c)) },
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            *rows[i].at = (char)c;
            struct reader r;
            reader_start(&r);
            if ((reader_read(&r, rows[i].bytes, rows[i].n) == READER_READY) != rows[i].is_good)
                fail_msg("byte 0x%02x in place %zu: wanted %s, got %s", c, i, rows[i].is_good ? "good" : "a fault",
                         r.fault_why ? r.fault_why : "none");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_for_every_cut), cmocka_unit_test(fault_at_the_byte), cmocka_unit_test(nothing_behind),
        cmocka_unit_test(limits_to_the_byte), cmocka_unit_test(bytes_by_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
