/* SPDX-License-Identifier: MIT
 * Questions to the admin side and their answers, with an owner that writes down what it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/admin/admin.h"
#include "proxy/admin/sign_in.h"

struct play {
    struct buffer seen; /* what the owner was asked */
    bool is_ready, is_busy;
    size_t flood; /* bytes that explain writes */
    struct slice token;
};

static bool is_ready(void *context, struct buffer *why)
{
    struct play *p = context;
    if (!p->is_ready)
        buffer_str(why, "the disk is \"full\"");
    return p->is_ready;
}

static void gather(void *context, struct metrics *m)
{
    (void)context;
    metric_add(m, METRIC_CALLS, 7);
}

static void explain(void *context, struct slice call, struct buffer *out)
{
    struct play *p = context;
    buffer_append(&p->seen, call);
    buffer_str(out, "{\"fault\":null}");
    for (size_t i = 0; i < p->flood; i++)
        buffer_put(out, ' ');
}

static bool usage(void *context, void *asker, bool is_csv, int argc, const char *const *argv)
{
    struct play *p = context;
    assert_ptr_equal(asker, p);
    if (p->is_busy)
        return false;
    buffer_str(&p->seen, is_csv ? "csv:" : "json:");
    for (int i = 0; i < argc; i++)
        buffer_printf(&p->seen, " <%s>", argv[i]);
    return true;
}

static void calls(void *context, const struct admin_calls *choice, struct buffer *out)
{
    struct play *p = context;
    buffer_printf(&p->seen, "calls: <%.*s> <%.*s> <%.*s> %d %d", SLICE_ARGS(choice->team), SLICE_ARGS(choice->key),
                  SLICE_ARGS(choice->fault), choice->only, (int)choice->limit);
    buffer_str(out, "{}");
}

static bool sign_in_begun;

static bool ask(struct play *p, struct admin_question q, struct admin_answer *answer)
{
    static struct sign_in sign_in;
    if (!sign_in_begun) {
        assert_true(sign_in_begin(&sign_in, S("0123456789abcdef")));
        sign_in_begun = true;
    }
    const struct admin_owner owner = { is_ready, gather, explain,  usage,
                                       calls,    p,      p->token, p->token.n ? &sign_in : NULL };
    return admin_ask(&owner, &q, p, answer);
}

static struct admin_question get(const char *path, const char *query)
{
    return (struct admin_question){
        .is_read = true, .host = S("127.0.0.1:9480"), .path = slice_str(path), .query = slice_str(query)
    };
}

static void expect_answer(struct admin_answer *a, int status, const char *body)
{
    buffer_put(&a->body, '\0');
    assert_string_equal(a->body.p, body);
    assert_int_equal(a->status, status);
    buffer_clear(&a->body);
}

static void expect(struct play *p, struct admin_question q, int status, const char *body)
{
    struct admin_answer a;
    assert_true(ask(p, q, &a));
    expect_answer(&a, status, body);
}

static void expect_seen(struct play *p, const char *text)
{
    buffer_put(&p->seen, '\0');
    assert_string_equal(p->seen.p, text);
    buffer_clear(&p->seen);
}

static void health_and_readiness(void **state)
{
    (void)state;
    struct play p = { .is_ready = true };
    expect(&p, get("/healthz", NULL), 200, "{\"alive\":true}\n");
    expect(&p, get("/readyz", NULL), 200, "{\"ready\":true}\n");
    expect(&p, get("/readyz", ""), 200, "{\"ready\":true}\n");
    p.is_ready = false;
    expect(&p, get("/healthz", NULL), 200, "{\"alive\":true}\n");
    expect(&p, get("/readyz", NULL), 503, "{\"ready\":false,\"error\":\"the disk is \\\"full\\\"\"}\n");
}

static void metrics_come_as_text(void **state)
{
    (void)state;
    struct play p = { 0 };
    struct admin_answer a;
    assert_true(ask(&p, get("/metrics", NULL), &a));
    assert_true(slice_eq(a.content_type, S("text/plain; version=0.0.4; charset=utf-8")));
    expect_answer(&a, 200,
                  "# HELP anchorage_calls_total v2 calls that came in.\n# TYPE anchorage_calls_total counter\n"
                  "anchorage_calls_total 7\n");
}

static void usage_becomes_the_command(void **state)
{
    (void)state;
    struct play p = { 0 };
    struct admin_answer a;
    assert_false(ask(&p, get("/usage", NULL), &a));
    expect_seen(&p, "json: <usage> <--format> <json>");
    assert_false(ask(&p, get("/usage", "format=csv&until=2026-12-01&by=%6Bey&since=2026-11-01&&"), &a));
    expect_seen(&p, "csv: <usage> <--by> <key> <--since> <2026-11-01> <--until> <2026-12-01> <--format> <csv>");
    assert_false(ask(&p, get("/usage", "month=2026-11&by="), &a));
    expect_seen(&p, "json: <usage> <--month> <2026-11> <--format> <json>");
    p.is_busy = true;
    assert_true(ask(&p, get("/usage", NULL), &a));
    assert_int_equal(a.retry_s, 1);
    expect_answer(&a, 503, "{\"error\":\"other questions of usage are under way; ask again in a moment\"}\n");
}

static void usage_refuses(void **state)
{
    (void)state;
    struct play p = { 0 };
    expect(&p, get("/usage", "format=text"), 400, "{\"error\":\"format is json or csv\"}\n");
    expect(&p, get("/usage", "by=--help"), 400, "{\"error\":\"a value cannot begin with -\"}\n");
    expect(&p, get("/usage", "by=team&by=team"), 400, "{\"error\":\"by: is given twice\"}\n");
    expect(&p, get("/usage", "by=a%00b"), 400, "{\"error\":\"by: is not text\"}\n");
    expect(&p, get("/usage", "by=%FF"), 400, "{\"error\":\"by: is not text\"}\n");
    expect(&p, get("/usage", "by=%2"), 400, "{\"error\":\"by: a % is not followed by two hexadecimal digits\"}\n");
    expect(&p, get("/usage", "bill=\"1\xFF"), 400,
           "{\"error\":\"there is no parameter \\\"bill\\\" here; there are by, since, until, month, team, key, per, "
           "sort, top, format\"}\n");
    expect(&p, get("/usage", "\"\xFF=1"), 400,
           "{\"error\":\"there is no parameter \\\"\\\"\xEF\xBF\xBD\\\" here; there are by, since, until, month, team, "
           "key, per, "
           "sort, top, format\"}\n");
    expect(&p, get("/healthz", "x"), 400, "{\"error\":\"there is no parameter \\\"x\\\" here\"}\n");
    assert_null(p.seen.p);
}

static struct admin_answer usage_answer(bool is_csv, int status, struct slice out, struct slice err)
{
    struct buffer bytes = { 0 };
    buffer_append(&bytes, out);
    struct admin_answer a = admin_usage_answer(is_csv, status, &bytes, err);
    assert_true(a.status != 200 || !bytes.p);
    buffer_clear(&bytes);
    return a;
}

static void answers_of_the_command(void **state)
{
    (void)state;
    struct admin_answer a = usage_answer(false, 0, S("{}\n"), S(""));
    assert_true(slice_eq(a.content_type, S("application/json; charset=utf-8")));
    expect_answer(&a, 200, "{}\n");
    a = usage_answer(true, 0, S("team,calls\n"), S(""));
    assert_true(slice_eq(a.content_type, S("text/csv; charset=utf-8")));
    expect_answer(&a, 200, "team,calls\n");
    a = usage_answer(true, 2, S(""), S("anchorage usage: --by is team or key, not x\nusage: anchorage usage [--by]\n"));
    assert_true(slice_eq(a.content_type, S("application/json; charset=utf-8")));
    expect_answer(&a, 400, "{\"error\":\"by is team or key, not x\"}\n");
    a = usage_answer(false, 1, S("{\"half\":"), S("disk I/O error\n"));
    expect_answer(&a, 503, "{\"error\":\"disk I/O error\"}\n");
    static char long_text[65 << 20];
    a = usage_answer(true, 0, slice_of(long_text, sizeof long_text), S(""));
    expect_answer(&a, 503, "{\"error\":\"memory is out, or the answer is too long; try again later\"}\n");
    a = usage_answer(false, 1, S(""), S(""));
    expect_answer(&a, 503, "{\"error\":\"the books did not answer\"}\n");
}

static void explain_takes_a_url(void **state)
{
    (void)state;
    struct play p = { 0 };
    expect(&p, get("/explain", "call=https%3A%2F%2Fx%2F%3Ffrom%3Danchors%26where%3Da%2525"), 200, "{\"fault\":null}");
    expect_seen(&p, "https://x/?from=anchors&where=a%25");
    const char *missing = "{\"error\":\"call is missing: /explain?call=URL, the v2 URL percent-encoded\"}\n";
    expect(&p, get("/explain", NULL), 400, missing);
    expect(&p, get("/explain", "call="), 400, missing);
    expect(&p, get("/explain", "call"), 400, missing);
    p.flood = 65 * 1024 * 1024;
    expect(&p, get("/explain", "call=x"), 503,
           "{\"error\":\"memory is out, or the answer is too long; try again later\"}\n");
    buffer_clear(&p.seen);
}

static void the_latest_calls(void **state)
{
    (void)state;
    struct play p = { 0 };
    expect(&p, get("/calls", "team=seo&only=paid&limit=7&fault=bad_where"), 200, "{}");
    assert_true(slice_eq(buffer_slice(&p.seen), S("calls: <seo> <> <bad_where> 3 7")));
    buffer_clear(&p.seen);
    static const char *const wrong[] = { "limit=0", "limit=1001", "limit=x", "limit=-1" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect(&p, get("/calls", wrong[i]), 400, "{\"error\":\"limit is a number from 1 to 1000\"}\n");
    expect(&p, get("/calls", "only=all"), 400, "{\"error\":\"only is fault, inexact, paid or unknown\"}\n");
    assert_null(p.seen.p);
}

static void other_paths_and_methods(void **state)
{
    (void)state;
    struct play p = { 0 };
    static const char *const none[] = { "/none",   "/metrics/",  "/Metrics", "/metricsx",
                                        "/metric", "/%6Detrics", "//metrics" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        expect(&p, get(none[i], NULL), 404,
               "{\"error\":\"there is no such path here\",\"paths\":[\"/healthz\",\"/readyz\",\"/metrics\",\"/usage\","
               "\"/overview\",\"/unknown\",\"/explain\",\"/calls\",\"/\"]}\n");
    struct admin_question post = get("/usage", NULL);
    post.is_read = false;
    struct admin_answer a;
    assert_true(ask(&p, post, &a));
    assert_true(slice_eq(a.allow, S("GET, HEAD")));
    expect_answer(&a, 405, "{\"error\":\"the admin side is read only: GET or HEAD\"}\n");
}

static void hosts(void **state)
{
    (void)state;
    struct play p = { 0 };
    static const char *const ours[] = {
        "", "localhost", "LOCALHOST:9480", "127.0.0.1", "127.9.8.7:1", "[::1]", "[::1]:9480", "[::ffff:127.0.0.1]:80",
    };
    static const char *const others[] = {
        "evil.example",
        "evil.example:9480",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "[2001:db8::1]:80",
        "0.0.0.0",
        "127.1",
        "evil.localhost.io",
        ":9480",
        "[]",
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        struct admin_question q = get("/healthz", NULL);
        q.host = slice_str(ours[i]);
        expect(&p, q, 200, "{\"alive\":true}\n");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct admin_question q = get(i % 2 ? "/healthz" : "/none", NULL);
        q.host = slice_str(others[i]);
        expect(&p, q, 403,
               "{\"error\":\"the admin side answers to localhost and its addresses only, not to this name\"}\n");
    }
}

static void expect_token(struct play *p, const char *path, const char *authorization, int status)
{
    struct admin_question q = get(path, NULL);
    struct admin_answer a;
    q.host = S("proxy.example:9480"); /* whoever has the token may use any name */
    q.authorization = slice_str(authorization);
    assert_true(ask(p, q, &a));
    assert_int_equal(a.status, status);
    assert_int_equal(a.says_who, status == 401);
    buffer_clear(&a.body);
}

static void the_token(void **state)
{
    (void)state;
    struct play p = { .is_ready = true, .token = S("0123456789abcdef") };
    static const char *const wrong[] = {
        NULL,
        "",
        "Bearer",
        "Bearer ",
        "0123456789abcdef",
        "Basic 0123456789abcdef",
        "Bearer 0123456789abcdeF",
        "Bearer 0123456789abcde",
        "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcdef x",
        "Bearer0123456789abcdef",
        "Bearer\t0123456789abcdef",
        "Bearer Bearer 0123456789abcdef",
    };
    static const char *const right[] = { "Bearer 0123456789abcdef", "bearer 0123456789abcdef",
                                         "BEARER   0123456789abcdef " };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        expect_token(&p, "/metrics", wrong[i], 401);
        expect_token(&p, "/usage", wrong[i], 401);
        expect_token(&p, "/explain", wrong[i], 401);
        expect_token(&p, "/none", wrong[i], 401);
        expect_token(&p, "/healthz", wrong[i], 200);
        expect_token(&p, "/readyz", wrong[i], 200);
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        expect_token(&p, "/metrics", right[i], 200);
        expect_token(&p, "/explain", right[i], 400);
        expect_token(&p, "/none", right[i], 404);
    }
    assert_null(p.seen.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_and_readiness),
        cmocka_unit_test(metrics_come_as_text),
        cmocka_unit_test(usage_becomes_the_command),
        cmocka_unit_test(usage_refuses),
        cmocka_unit_test(answers_of_the_command),
        cmocka_unit_test(explain_takes_a_url),
        cmocka_unit_test(the_latest_calls),
        cmocka_unit_test(other_paths_and_methods),
        cmocka_unit_test(hosts),
        cmocka_unit_test(the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
