/* SPDX-License-Identifier: MIT
 * The upstream must not be ourselves; and what free requests do to the gate of an empty month. */
#include "play.h"

#include "proxy/upstream/forbidden.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *listen, *host, *port;
        bool forbidden;
    } cases[] = {
        { "127.0.0.1:8080", "127.0.0.1", "8080", true },
        { "127.0.0.1:8080", "127.0.0.1", "8081", false },
        { "127.0.0.1:8080", "127.0.0.2", "8080", false },
        { "127.0.0.1:8080", "localhost", "8080", true },
        { "127.0.0.1:8080", "LocalHost", "8080", true },
        { "[::1]:8080", "localhost", "8080", true },
        { "[::1]:8080", "[::1]", "8080", true },
        { "[::1]:8080", "::1", "8080", true },
        { "[::1]:8080", "127.0.0.1", "8080", false },
        { "127.0.0.1:8080", "[::ffff:127.0.0.1]", "8080", true },
        { "0.0.0.0:8080", "127.0.0.9", "8080", true },
        { "0.0.0.0:8080", "192.0.2.1", "8080", false },
        { "[::]:8080", "127.0.0.1", "8080", true },
        { "[::]:8080", "[2001:db8::1]", "8080", false },
        { "127.0.0.1:8080", "0.0.0.0", "8080", true },
        { "192.0.2.1:8080", "0.0.0.0", "8080", false },
        { "192.0.2.1:8080", "192.0.2.1", "8080", true },
        { "unix:/run/x.sock", "127.0.0.1", "8080", false },
        { "127.0.0.1:8080", "nobody.example", "8080", false },
        { "127.0.0.1:8080", "", "8080", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forbidden o = { 0 };
        assert_true(forbidden_add(&o, "127.0.0.1:1"));
        assert_true(forbidden_add(&o, cases[i].listen));
        if (forbidden_has_host(&o, cases[i].host, cases[i].port) != cases[i].forbidden)
            fail_msg("listening on %s, asked of %s port %s", cases[i].listen, cases[i].host, cases[i].port);
        forbidden_clear(&o);
    }
}

static void test_no_request_goes_to_ourselves(void **state)
{
    static const struct scene scenes[] = { { .path = "/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    (void)state;
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    char address[32];
    struct ask a = ask(s, "/x");
    assert_fault(&a, FAULT_NONE);
    assert_false(upstream_leads_back(s->upstream));
    buffer_clear(&a.body);
    side_free(s);

    s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    snprintf(address, sizeof address, "0.0.0.0:%d", p->port);
    assert_true(upstream_forbid(s->upstream, address));
    assert_true(upstream_leads_back(s->upstream));
    a = ask(s, "/x");
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_false(a.result.may_have_cost);
    assert_non_null(strstr(a.why, "leads back here"));
    assert_int_equal(p->requests, 1);
    side_free(s);
    play_end(p);
}

/* A name that resolves there, behind which is more than one address. */
static void test_a_name_that_leads_to_ourselves(void **state)
{
    (void)state;
    struct play *p = play_start(NULL, 0);
    struct side *s = side_new(&quick, "http://localhost:%d/v3", p->port);
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", p->port);
    assert_true(upstream_forbid(s->upstream, address));
    struct ask a = ask(s, "/x");
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_non_null(strstr(a.why, "leads back here"));
    assert_int_equal(p->connections, 0);
    side_free(s);
    play_end(p);
}

static atomic_int told;

static void on_out_of_units(void *context)
{
    (void)context;
    told++;
}

static struct ask ask_free(struct side *s, const char *path)
{
    struct ask a = { 0 };
    ask_start(s, &a, path);
    upstream_is_free(a.get);
    side_wait(s);
    a.result.why = slice_str(a.why);
    return a;
}

static void test_free_requests_pass_an_empty_month(void **state)
{
    static const struct scene scenes[] = {
        { .path = "/v3/paid",
          .bytes = SLICE("HTTP/1.1 403 Forbidden\r\nContent-Length: 61\r\n\r\n"
                         "{\"error\":\"API units limit reached. Expected usage: 50, lef0\"}"),
          .times = 1 },
        { .path = "/v3/paid", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") },
        { .path = "/v3/free", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") },
    };
    (void)state;
    struct play *p = play_start(scenes, 3);
    struct upstream_options o = quick;
    o.on_out_of_units = on_out_of_units;
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    told = 0;
    struct ask a = ask(s, "/paid");
    assert_fault(&a, FAULT_UPSTREAM_OUT_OF_UNITS);
    assert_int_equal(told, 1);
    assert_true(upstream_is_out_of_units(s->upstream));
    a = ask(s, "/paid");
    assert_fault(&a, FAULT_UPSTREAM_OUT_OF_UNITS);
    assert_int_equal(p->requests, 1); /* it was not sent */
    a = ask_free(s, "/free");
    assert_fault(&a, FAULT_NONE);
    buffer_clear(&a.body);
    assert_int_equal(p->requests, 2);
    assert_true(upstream_is_out_of_units(s->upstream)); /* an answer alone tells nothing of the units */
    upstream_tell_units(s->upstream, UNITS_NONE);
    a = ask(s, "/paid");
    assert_fault(&a, FAULT_UPSTREAM_OUT_OF_UNITS);
    upstream_tell_units(s->upstream, UNITS_LEFT);
    assert_false(upstream_is_out_of_units(s->upstream));
    a = ask(s, "/paid");
    assert_fault(&a, FAULT_NONE);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_no_request_goes_to_ourselves),
        cmocka_unit_test(test_a_name_that_leads_to_ourselves),
        cmocka_unit_test(test_free_requests_pass_an_empty_month),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
