/* SPDX-License-Identifier: MIT
 * The life of requests against a stand-in: connections, time limits, retries, stops, leaving early. */
#include "play.h"

#define OK JSON_HEAD "Content-Length: 2\r\n\r\n{}"
#define EMPTY(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define SCENE(where, what, ...)                                                                                        \
    {                                                                                                                  \
        .path = "/v3" where, .bytes = SLICE(what), __VA_ARGS__                                                         \
    }
#define START(scenes) play_start(scenes, sizeof(scenes) / sizeof((scenes)[0]))

static void connections_are_kept(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < 50; i++) {
        struct ask a = ask(s, "/ok");
        assert_fault(&a, FAULT_NONE);
        buffer_clear(&a.body);
    }
    assert_int_equal(p->requests, 50);
    assert_int_equal(p->connections, 1);
    side_free(s);
    play_end(p);
}

static void four_hundred_at_once(void **state)
{
    (void)state;
    enum { N = 400 };
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    static struct ask asks[N];
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int round = 0; round < 2; round++) {
        memset(asks, 0, sizeof(asks));
        for (int i = 0; i < N; i++) {
            ask_start(s, &asks[i], "/ok");
        }
        side_wait(s);
        for (int i = 0; i < N; i++) {
            assert_fault(&asks[i], FAULT_NONE);
            assert_int_equal(asks[i].done, 1);
            assert_int_equal(asks[i].sent, 1);
            buffer_clear(&asks[i].body);
        }
    }
    assert_int_equal(p->requests, 2 * N);
    assert_in_range(p->connections, 1, N);
    side_free(s);
    play_end(p);
}

static void numbers_of_the_headers_come_through(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        SCENE("/ok", "HTTP/1.1 200 OK\r\nx-api-rows: 2\r\nX-Api-Units-Cost-Total: 50\r\nx-api-cache: hit\r\n"
                     "x-api-units-cost-total-actual: 18\r\nContent-Length: 2\r\n\r\n{}"),
        SCENE("/bare", OK),
    };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/ok"), b = ask(s, "/bare");
    assert_int_equal(a.result.units, 18);
    assert_int_equal(a.result.units_nominal, 50);
    assert_int_equal(a.result.rows, 2);
    assert_true(a.result.cache_hit);
    assert_int_equal(b.result.units, -1);
    assert_int_equal(b.result.units_nominal, -1);
    assert_int_equal(b.result.rows, -1);
    assert_false(b.result.cache_hit);
    buffer_clear(&a.body);
    buffer_clear(&b.body);
    side_free(s);
    play_end(p);
}

/* A kept connection that is closed under the next request: v3 may have seen that request. */
static void a_request_is_never_repeated_behind_our_back(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK), SCENE("/drop", "", .after = CLOSE) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/ok"), b = ask(s, "/drop"), c = ask(s, "/ok");
    assert_fault(&a, FAULT_NONE);
    assert_fault(&b, FAULT_UPSTREAM_DOWN);
    assert_true(b.result.may_have_cost);
    assert_fault(&c, FAULT_NONE);
    assert_int_equal(p->requests, 3);
    buffer_clear(&a.body);
    buffer_clear(&c.body);
    side_free(s);
    play_end(p);
}

static void closed_idle_connections_do_no_harm(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK, .after = CLOSE) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < 20; i++) {
        struct ask a = ask(s, "/ok");
        assert_fault(&a, FAULT_NONE);
        buffer_clear(&a.body);
        /* Whether the close has been seen by now or not. */
        for (int turn = 0; turn < i % 4; turn++) {
            event_base_loop(s->base, EVLOOP_ONCE);
        }
        usleep(2000);
    }
    assert_int_equal(p->requests, 20);
    side_free(s);
    play_end(p);
}

static void a_stalled_answer_ends_in_time(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        SCENE("/silent", "", .after = STALL),
        SCENE("/half", JSON_HEAD "Content-Length: 9\r\n\r\n{", .after = STALL),
        SCENE("/denied", "HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nno", .after = STALL),
    };
    struct upstream_options o = quick;
    o.timeout_ms = 150;
    struct play *p = START(scenes);
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 }, b = { 0 }, c = { 0 };
    ask_start(s, &a, "/silent");
    ask_start(s, &b, "/half");
    ask_start(s, &c, "/denied");
    side_wait(s);
    assert_fault(&a, FAULT_UPSTREAM_LATE);
    assert_true(a.result.may_have_cost);
    assert_in_range(a.result.total_ms, 150, 400);
    assert_fault(&b, FAULT_UPSTREAM_LATE);
    assert_fault(&c, FAULT_UPSTREAM_DENIED);
    side_wait_for(s, &p->left, 3); /* the server was told */
    buffer_clear(&b.body);
    side_free(s);
    play_end(p);
}

static void the_deadline_of_the_call_counts_too(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/silent", "", .after = STALL) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 };
    ask_start_for(s, &a, "/silent", "seo", 1000, 100);
    side_wait(s);
    assert_fault(&a, FAULT_UPSTREAM_LATE);
    assert_in_range(a.result.total_ms, 100, 300);
    side_free(s);
    play_end(p);
}

static void a_429_is_asked_again(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        SCENE("/a", EMPTY("429 Slow", "Retry-After: 0\r\n"), .times = 2),
        SCENE("/a", OK),
        SCENE("/b", EMPTY("429 Slow", ""), .times = 1),
        SCENE("/b", OK),
        SCENE("/c", EMPTY("429 Slow", "Retry-After: 30\r\n")),
    };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/a");
    assert_fault(&a, FAULT_NONE);
    assert_int_equal(a.sent, 1);
    assert_int_equal(p->requests, 3);
    struct ask b = ask(s, "/b"); /* our own guess */
    assert_fault(&b, FAULT_NONE);
    assert_in_range(b.result.total_ms, 900, 2000);
    struct ask c = ask(s, "/c"); /* the deadline does not allow it */
    assert_fault(&c, FAULT_UPSTREAM_DOWN);
    assert_false(c.result.may_have_cost);
    assert_in_range(c.result.retry_after_ms, 29000, 30000);
    struct ask d = ask(s, "/a"); /* the pause is longer than a request may wait */
    assert_fault(&d, FAULT_TOO_BUSY);
    assert_in_range(d.result.retry_after_ms, 28000, 30001);
    assert_int_equal(p->requests, 6);
    buffer_clear(&a.body);
    buffer_clear(&b.body);
    side_free(s);
    play_end(p);
}

static void a_503_is_asked_again(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/a", EMPTY("503 Busy", ""), .times = 2), SCENE("/a", OK) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/a");
    assert_fault(&a, FAULT_NONE);
    assert_int_equal(p->requests, 3);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

static void retries_have_a_budget(void **state)
{
    (void)state;
    enum { N = 30 };
    static const struct scene scenes[] = { SCENE("/a", EMPTY("429 Slow", "Retry-After: 0\r\n")) };
    static struct ask asks[N];
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < N; i++) {
        ask_start(s, &asks[i], "/a");
    }
    side_wait(s);
    for (int i = 0; i < N; i++) {
        assert_fault(&asks[i], FAULT_UPSTREAM_DOWN);
    }
    assert_in_range(p->requests, N + 5, N + 13);
    side_free(s);
    play_end(p);
}

static void failures_open_the_breaker(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/a", EMPTY("500 Oops", "")) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < 5; i++) {
        struct ask a = ask(s, "/a");
        assert_fault(&a, FAULT_UPSTREAM_DOWN);
        assert_true(a.result.may_have_cost);
    }
    struct ask a = ask(s, "/a");
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_false(a.result.may_have_cost);
    assert_int_equal(a.sent, 0);
    assert_in_range(a.result.retry_after_ms, 4000, 5000);
    assert_in_range(a.result.total_ms, 0, 50);
    assert_int_equal(p->requests, 5);
    side_free(s);
    play_end(p);
}

static void an_empty_month_is_asked_about_rarely(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE(
        "/a", "HTTP/1.1 403 No\r\nContent-Length: 36\r\n\r\n{\"error\":\"API units limit reached.\"}") };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < 3; i++) {
        struct ask a = ask(s, "/a");
        assert_fault(&a, FAULT_UPSTREAM_OUT_OF_UNITS);
        assert_in_range(a.result.retry_after_ms, 29000, 30000);
        assert_false(a.result.may_have_cost);
    }
    assert_int_equal(p->requests, 1);
    side_free(s);
    play_end(p);
}

static void the_key_stays_with_us(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE(
        "/a", "HTTP/1.1 401 No\r\n\r\n{\"error\":\"Bearer secret-key-0123456789 is not known\"}", .after = CLOSE) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/a");
    assert_null(strstr(a.why, "0123456789"));
    assert_string_equal(a.why, "API v3 answered 401");
    side_free(s);
    play_end(p);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", dead_port());
    struct ask a = ask(s, "/a");
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_false(a.result.may_have_cost);
    assert_int_equal(a.result.status, 0);
    assert_int_equal(a.sent, 1);
    assert_true(a.result.total_ms > 300); /* it was tried again */
    side_free(s);
}

/* Both addresses of localhost are tried; nobody listens on ::1. */
static void the_next_address_is_tried(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://localhost:%d/v3", p->port);
    struct ask a = ask(s, "/ok"), b = ask(s, "/ok");
    assert_fault(&a, FAULT_NONE);
    assert_fault(&b, FAULT_NONE);
    assert_int_equal(p->connections, 1);
    buffer_clear(&a.body);
    buffer_clear(&b.body);
    side_free(s);
    play_end(p);
}

static void a_dead_name_stops_nobody(void **state)
{
    (void)state;
    struct side *s = side_new(&quick, "http://no-such-host.invalid/v3");
    struct ask a = { 0 };
    ask_start_for(s, &a, "/a", "seo", 1000, 500);
    side_wait(s);
    assert_true(a.result.fault == FAULT_UPSTREAM_DOWN || a.result.fault == FAULT_UPSTREAM_LATE);
    assert_false(a.result.may_have_cost);
    struct ask b = { 0 };
    ask_start(s, &b, "/b");
    for (int i = 0; i < 5; i++) {
        event_base_loop(s->base, EVLOOP_ONCE);
    }
    assert_true(b.done || !upstream_cancel(b.get));
    assert_true(s->longest_ms < 50);
    int64_t before = clock_monotonic_ms();
    side_free(s);
    assert_true(clock_monotonic_ms() - before < 50);
}

static void waiting_for_the_rate_has_an_end(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    struct play *p = START(scenes);
    struct upstream_options o = quick;
    o.requests_per_minute = 60;
    o.queue_timeout_ms = 200;
    o.max_queue = 3;
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    struct ask asks[5] = { 0 };
    for (int i = 0; i < 5; i++) {
        ask_start_for(s, &asks[i], "/ok", "seo", 1000, i == 1 ? 50 : 10000);
    }
    side_wait(s);
    for (int i = 0; i < 5; i++) {
        assert_fault(&asks[i], FAULT_TOO_BUSY);
        assert_int_equal(asks[i].sent, 0);
        assert_false(asks[i].result.may_have_cost);
        assert_in_range(asks[i].result.retry_after_ms, 500, 5000);
    }
    assert_in_range(asks[0].result.total_ms, 200, 300);
    assert_in_range(asks[1].result.total_ms, 50, 150);
    assert_in_range(asks[3].result.total_ms, 0, 49);
    assert_int_equal(p->requests, 0);
    side_free(s);
    play_end(p);
}

static void a_flood_does_not_take_all_places(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    struct play *p = START(scenes);
    struct upstream_options o = quick;
    o.requests_per_minute = 60;
    o.queue_timeout_ms = 200;
    o.max_queue = 4;
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    struct ask asks[5] = { 0 };
    upstream_share(s->upstream, true);
    for (int i = 0; i < 5; i++) {
        ask_start_for(s, &asks[i], "/ok", i < 4 ? "loud" : "quiet", 1000, 10000);
    }
    side_wait(s);
    assert_string_equal(asks[2].why, "2 requests wait for the 60 a minute that API v3 takes, 2 of them the team's");
    assert_string_equal(asks[3].why, asks[2].why);
    for (int i = 0; i < 5; i++) /* two of the loud ones have a place, and the quiet one: they wait for the rate */
        assert_true(asks[i].result.total_ms >= 200 || i == 2 || i == 3);
    side_free(s);
    play_end(p);
}

static void teams_share_the_rate(void **state)
{
    (void)state;
    enum { N = 20 };
    static const struct scene scenes[] = { SCENE("/", OK) };
    static struct ask asks[N + 1];
    struct play *p = START(scenes);
    struct upstream_options o = quick;
    o.requests_per_minute = 6000;
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < N; i++) {
        ask_start_for(s, &asks[i], "/flood", "loud", 1000, 5000);
    }
    ask_start_for(s, &asks[N], "/one", "quiet", 1000, 5000);
    side_wait(s);
    assert_true(asks[N].result.total_ms < asks[5].result.total_ms);
    for (int i = 0; i <= N; i++) {
        assert_fault(&asks[i], FAULT_NONE);
        buffer_clear(&asks[i].body);
    }
    side_free(s);
    play_end(p);
}

static void the_asker_may_refuse_the_rest(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/endless", JSON_HEAD "\r\n", .endless = "0123456789") };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { .take = 1000 };
    ask_start(s, &a, "/endless");
    side_wait(s);
    assert_fault(&a, FAULT_UPSTREAM_ODD);
    side_wait_for(s, &p->left, 1);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

static void what_is_no_path_never_leaves(void **state)
{
    (void)state;
    static const char *const paths[] = { "", "no-slash", "/a b", "/a\r\nHost: x", "/caf\xc3\xa9", "/a\x7f" };
    static const struct scene scenes[] = { SCENE("/", OK) };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct ask a = ask(s, paths[i]);
        assert_fault(&a, FAULT_UPSTREAM_ODD);
        assert_false(a.result.may_have_cost);
    }
    assert_int_equal(p->connections, 0);
    side_free(s);
    play_end(p);
}

static void a_proxy_is_told_the_whole_url(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "http://example.invalid/v3/ok?a=b ", .bytes = SLICE(OK) } };
    struct play *p = START(scenes);
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", p->port);
    struct upstream_options o = quick;
    o.proxy = proxy;
    struct side *s = side_new(&o, "http://example.invalid/v3");
    struct ask a = ask(s, "/ok?a=b");
    assert_fault(&a, FAULT_NONE);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

static void the_environments_proxy_is_not_used(void **state)
{
    (void)state;
    static const struct scene scenes[] = { SCENE("/ok", OK) };
    struct play *p = START(scenes);
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", dead_port());
    setenv("http_proxy", proxy, 1);
    setenv("all_proxy", proxy, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = ask(s, "/ok");
    assert_fault(&a, FAULT_NONE);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

static void a_key_that_is_no_header_is_refused(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    struct upstream_options o = quick;
    o.url = "http://127.0.0.1:1/v3";
    o.api_key = S("abc\r\nHost: evil");
    assert_null(upstream_new(base, &o));
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(four_hundred_at_once),
        cmocka_unit_test(numbers_of_the_headers_come_through),
        cmocka_unit_test(a_request_is_never_repeated_behind_our_back),
        cmocka_unit_test(closed_idle_connections_do_no_harm),
        cmocka_unit_test(a_stalled_answer_ends_in_time),
        cmocka_unit_test(the_deadline_of_the_call_counts_too),
        cmocka_unit_test(a_429_is_asked_again),
        cmocka_unit_test(a_503_is_asked_again),
        cmocka_unit_test(retries_have_a_budget),
        cmocka_unit_test(failures_open_the_breaker),
        cmocka_unit_test(an_empty_month_is_asked_about_rarely),
        cmocka_unit_test(the_key_stays_with_us),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(the_next_address_is_tried),
        cmocka_unit_test(a_dead_name_stops_nobody),
        cmocka_unit_test(waiting_for_the_rate_has_an_end),
        cmocka_unit_test(a_flood_does_not_take_all_places),
        cmocka_unit_test(teams_share_the_rate),
        cmocka_unit_test(the_asker_may_refuse_the_rest),
        cmocka_unit_test(what_is_no_path_never_leaves),
        cmocka_unit_test(a_proxy_is_told_the_whole_url),
        cmocka_unit_test(the_environments_proxy_is_not_used),
        cmocka_unit_test(a_key_that_is_no_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
