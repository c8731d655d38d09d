/* SPDX-License-Identifier: MIT
 * What each answer of v3, and each way of not answering, ends as. */
#include "play.h"

struct answer {
    const char *path;
    const char *line, *headers, *says; /* an answer with a true Content-Length... */
    const char *raw;                   /* ...or these bytes */
    enum after after;
    const char *endless;
    enum fault fault;
    int status;
    bool free;       /* surely not charged */
    const char *why; /* somewhere in it */
};

/* clang-format off */
static const struct answer answers[] = {
    /* the body is what was asked for */
    { .path = "/ok", .line = "200 OK", .headers = "Content-Type: application/json\r\n", .says = "{}", .status = 200 },
    { .path = "/no-type", .line = "200 OK", .says = "{}", .status = 200 },
    { .path = "/charset", .line = "200 OK", .headers = "content-type: Application/JSON; charset=utf-8\r\n", .says = "{}", .status = 200 },
    { .path = "/chunks", .raw = JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", .status = 200 },
    { .path = "/until-close", .raw = JSON_HEAD "\r\n{}", .after = CLOSE, .status = 200 },
    { .path = "/interim", .raw = "HTTP/1.1 103 Early Hints\r\nx-api-rows: 9\r\n\r\n" JSON_HEAD "Content-Length: 2\r\n\r\n{}", .status = 200 },
    { .path = "/high-bytes", .raw = JSON_HEAD "X-Note: caf\xc3\xa9 \xff\x80\r\nServer: \xa0\r\nContent-Length: 2\r\n\r\n{}", .status = 200 },
    { .path = "/trailers", .raw = JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-api-rows: 9\r\n\r\n", .status = 200 },
    { .path = "/status-behind", .raw = JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nHTTP/1.1 404 x\r\n\r\n", .after = CLOSE,
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "a line of the answer's head is none" },
    { .path = "/no-colon", .raw = JSON_HEAD "x\r\nContent-Length: 2\r\n\r\n{}", .after = CLOSE,
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "Header without colon" },
    { .path = "/long-line", .raw = "HTTP/1.1 200 OK\r\nx: ", .endless = "0123456789012345678901234567890123456789",
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "head is too long" },
    { .path = "/interims", .raw = "", .endless = "HTTP/1.1 102 Processing\r\n\r\n", .fault = FAULT_UPSTREAM_ODD, .status = 102, .why = "headers are too long" },
    { .path = "/too-much", .raw = JSON_HEAD "Content-Length: 2\r\n\r\n{}{}", .status = 200 },
    /* v3 says no */
    { .path = "/where", .line = "400 Bad Request", .says = "{\"error\":\"bad where: invalid filter expression\"}",
      .fault = FAULT_UPSTREAM_ODD, .status = 400, .free = true, .why = "answered 400: bad where: invalid filter expression" },
    { .path = "/message", .line = "400 Bad Request", .says = "{\"message\":\"no, sorry\"}",
      .fault = FAULT_UPSTREAM_ODD, .status = 400, .free = true, .why = "400: no, sorry" },
    { .path = "/nothing", .line = "400 Bad Request", .says = "", .fault = FAULT_UPSTREAM_ODD, .status = 400, .free = true, .why = "answered 400" },
    { .path = "/plain", .line = "400 Bad Request", .says = "column\x01 'x'\r\n not \x80\xff found 1 < 2",
      .fault = FAULT_UPSTREAM_ODD, .status = 400, .free = true, .why = "400: column 'x' not found 1 < 2" },
    { .path = "/gone", .line = "404 Not Found", .says = "not there", .fault = FAULT_UPSTREAM_ODD, .status = 404, .free = true, .why = "404: not there" },
    { .path = "/unknown?target=x", .line = "404 Not Found", .says = "{\"error\":\"target not found\"}", .fault = FAULT_BAD_TARGET, .status = 404, .free = true, .why = "404: target not found" },
    { .path = "/no-target", .line = "404 Not Found", .says = "{\"error\":\"Not Found\"}", .fault = FAULT_UPSTREAM_ODD, .status = 404, .free = true, .why = "url of [upstream] is right: Not Found" },
    { .path = "/priced-404?target=x", .line = "404 Not Found", .headers = "x-api-units-cost-total-actual: 50\r\n", .says = "{\"error\":\"no\"}", .fault = FAULT_BAD_TARGET, .status = 404, .why = "404: no" },
    { .path = "/hidden", .line = "200 OK", .headers = "Content-Type: application/json\r\n", .says = "{\"error\":\"out of order\"}", .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "200, but with an error: out of order" },
    { .path = "/stranger", .line = "401 Unauthorized", .says = "[\"Error\",\"Unauthorized\"]",
      .fault = FAULT_UPSTREAM_DENIED, .status = 401, .free = true, .why = "401: Unauthorized" },
    { .path = "/plan", .line = "403 Forbidden", .says = "{\"error\":\"Insufficient plan\"}",
      .fault = FAULT_UPSTREAM_DENIED, .status = 403, .free = true, .why = "403: Insufficient plan" },
    { .path = "/units", .line = "403 Forbidden", .says = "{\"error\":\"API units limit reached. Expected usage: 50, API units left: 0.\"}",
      .fault = FAULT_UPSTREAM_OUT_OF_UNITS, .status = 403, .free = true, .why = "403: API units limit reached. Expected usage: 50" },
    { .path = "/priced", .line = "400 Bad Request", .headers = "x-api-units-cost-total-actual: 50\r\n", .says = "no",
      .fault = FAULT_UPSTREAM_ODD, .status = 400, .why = "400: no" },
    /* v3 is not well */
    { .path = "/broken", .line = "500 Oops", .says = "oops", .fault = FAULT_UPSTREAM_DOWN, .status = 500, .why = "500: oops" },
    { .path = "/gateway", .line = "502 Bad Gateway", .headers = "Content-Type: text/html\r\n",
      .says = "<!DOCTYPE html>\n<h1 class=\"x\">Page under\nmaintenance</h1>  ",
      .fault = FAULT_UPSTREAM_DOWN, .status = 502, .why = "502: Page under maintenance" },
    { .path = "/priced-503", .line = "503 Busy", .headers = "x-api-units-cost-total: 50\r\n", .says = "", .fault = FAULT_UPSTREAM_DOWN, .status = 503, .why = "503" },
    { .path = "/priced-429", .line = "429 Slow", .headers = "Retry-After: 0\r\nx-api-units-cost-total: 50\r\n", .says = "", .fault = FAULT_UPSTREAM_DOWN, .status = 429, .why = "429" },
    /* not what was asked for */
    { .path = "/html", .line = "200 OK", .headers = "Content-Type: text/html\r\n", .says = "<html><b>Maintenance</b></html>",
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "not with JSON: Maintenance" },
    { .path = "/created", .line = "201 Created", .says = "{}", .fault = FAULT_UPSTREAM_ODD, .status = 201, .why = "201" },
    { .path = "/moved", .line = "302 Found", .headers = "Location: /v3/ok\r\n", .says = "", .fault = FAULT_UPSTREAM_ODD, .status = 302, .why = "302" },
    /* cut short, or not HTTP */
    { .path = "/short", .raw = JSON_HEAD "Content-Length: 10\r\n\r\n{}", .after = CLOSE, .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "announced end" },
    { .path = "/cut-chunk", .raw = JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\n{", .after = CLOSE, .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "announced end" },
    { .path = "/bad-chunk", .raw = JSON_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n{", .after = CLOSE, .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "chunks" },
    { .path = "/bad-gzip", .raw = JSON_HEAD "Content-Length: -2\r\n\r\n{}", .after = CLOSE, .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "not HTTP" },
    { .path = "/reset", .raw = JSON_HEAD "Content-Length: 10\r\n\r\n{}", .after = RESET, .fault = FAULT_UPSTREAM_DOWN, .status = -1, .why = "lost" },
    { .path = "/silent", .raw = "", .after = CLOSE, .fault = FAULT_UPSTREAM_DOWN, .why = "without an answer" },
    { .path = "/no-http", .raw = "hello\r\n\r\n", .after = CLOSE, .fault = FAULT_UPSTREAM_ODD, .why = "not HTTP" },
    { .path = "/short-error", .raw = "HTTP/1.1 401 No\r\nContent-Length: 99\r\n\r\nkey expired", .after = CLOSE,
      .fault = FAULT_UPSTREAM_DENIED, .status = 401, .free = true, .why = "401: key expired" },
    /* without end */
    { .path = "/headers", .raw = "HTTP/1.1 200 OK\r\n", .endless = "x-more: of the same of the same of the same of the same\r\n",
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "headers are too long" },
    { .path = "/endless", .raw = JSON_HEAD "\r\n", .endless = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]",
      .fault = FAULT_UPSTREAM_ODD, .status = 200, .why = "too long" },
    { .path = "/endless-error", .raw = "HTTP/1.1 401 No\r\n\r\n", .endless = "no ", .fault = FAULT_UPSTREAM_DENIED, .status = 401, .free = true, .why = "401: no no no" },
};
/* clang-format on */
enum { N_ANSWERS = sizeof(answers) / sizeof(answers[0]) };

static struct slice bytes_of(const struct answer *a, struct buffer *b)
{
    if (a->raw) {
        return slice_str(a->raw);
    }
    buffer_printf(b, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", a->line, a->headers ? a->headers : "",
                  strlen(a->says), a->says);
    return buffer_slice(b);
}

static void check(const struct answer *want, struct ask *a)
{
    if (a->result.fault != want->fault || a->result.may_have_cost == want->free ||
        (want->status >= 0 && a->result.status != want->status) || !strstr(a->why, want->why ? want->why : "")) {
        fail_msg("%s: %.*s %d%s \"%s\"", want->path, SLICE_ARGS(fault_word(a->result.fault)), a->result.status,
                 a->result.may_have_cost ? "" : " free", a->why);
    }
    assert_int_equal(a->sent, 1);
    if (want->fault == FAULT_NONE && !slice_eq(buffer_slice(&a->body), S("{}"))) {
        fail_msg("%s: %.*s", want->path, SLICE_ARGS(buffer_slice(&a->body)));
    }
}

static void each_answer_has_its_fault(void **state)
{
    (void)state;
    struct scene scenes[N_ANSWERS];
    struct buffer made[N_ANSWERS] = { 0 };
    char paths[N_ANSWERS][64];
    for (size_t i = 0; i < N_ANSWERS; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/v3%s ", answers[i].path);
        scenes[i] =
            (struct scene){ paths[i], bytes_of(&answers[i], &made[i]), answers[i].after, 0, answers[i].endless };
    }
    struct play *p = play_start(scenes, N_ANSWERS);
    for (size_t i = 0; i < N_ANSWERS; i++) {
        struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
        struct ask a = ask(s, answers[i].path);
        check(&answers[i], &a);
        buffer_clear(&a.body);
        side_free(s);
    }
    assert_int_equal(p->requests, N_ANSWERS); /* nothing was asked twice */
    play_end(p);
    for (size_t i = 0; i < N_ANSWERS; i++) {
        buffer_clear(&made[i]);
    }
}

static void the_request_is_what_v3_wants(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3/ok",
                                             .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3/", p->port);
    struct ask a = ask(s, "/ok?target=example.com&where=%7B%7D&a=%20");
    assert_fault(&a, FAULT_NONE);
    char want[512];
    snprintf(want, sizeof(want),
             "GET /v3/ok?target=example.com&where=%%7B%%7D&a=%%20 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
             "Accept: */*\r\nUser-Agent: anchorage/" ANCHORAGE_VERSION "\r\n"
             "Authorization: Bearer secret-key-0123456789\r\n\r\n",
             p->port);
    assert_string_equal(p->last, want);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_fault),
        cmocka_unit_test(the_request_is_what_v3_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
