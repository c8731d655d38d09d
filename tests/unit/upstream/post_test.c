/* SPDX-License-Identifier: MIT
 * POSTs: their body is asked for when their turn has come, and they share pool, rate, breaker and retries with all. */
#include "play.h"

#define OK JSON_HEAD "Content-Length: 2\r\n\r\n{}"
#define EMPTY(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define START(scenes) play_start(scenes, sizeof(scenes) / sizeof((scenes)[0]))

/* A POST of the asking side. */
struct post {
    struct ask ask; /* first: its callbacks take it for this */
    struct slice body;
    int turns;
    bool gives; /* its body as soon as it is asked for */
};

static void post_turn(void *context)
{
    struct post *p = context;
    p->turns++;
    assert_int_equal(p->ask.sent, 0);
    if (p->gives) {
        assert_true(upstream_send(p->ask.get, p->body));
    }
}

static const struct upstream_callbacks callbacks = { ask_sent, ask_bytes, ask_done, post_turn };

static void post_start(struct side *s, struct post *p, const char *path, int64_t within_ms)
{
    p->ask.get = upstream_start_post(s->upstream, slice_str(path), S("seo"), 1000, clock_monotonic_ms() + within_ms,
                                     &callbacks, p);
    assert_non_null(p->ask.get);
    p->ask.started = true;
    s->pending++;
}

static void wait_for_turn(struct side *s, const struct post *p)
{
    while (!p->turns) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

static void has_body(const struct play *p, const char *body)
{
    assert_ptr_equal(strstr(p->last, "POST /v3/batch HTTP/1.1\r\n"), p->last);
    assert_non_null(strstr(p->last, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(p->last, "\r\nAuthorization: Bearer secret-key-0123456789\r\n"));
    assert_non_null(strstr(p->last, "\r\nUser-Agent: anchorage/"));
    assert_null(strstr(p->last, "Expect"));
    assert_string_equal(strstr(p->last, "\r\n\r\n") + 4, body);
}

static void posts_and_gets_take_turns_on_one_connection(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3", .bytes = SLICE(OK) } };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    for (int i = 0; i < 3; i++) {
        struct post post = { .body = i == 2 ? S("{\"a\":123}") : S("{\"a\":1}"), .gives = true };
        post_start(s, &post, "/batch", 5000);
        side_wait(s);
        assert_fault(&post.ask, FAULT_NONE);
        assert_int_equal(post.turns, 1);
        assert_int_equal(post.ask.sent, 1);
        has_body(p, i == 2 ? "{\"a\":123}" : "{\"a\":1}");
        struct ask a = ask(s, "/get");
        assert_fault(&a, FAULT_NONE);
        assert_ptr_equal(strstr(p->last, "GET /v3/get HTTP/1.1\r\n"), p->last);
        assert_null(strstr(p->last, "Content-"));
        buffer_clear(&a.body);
        buffer_clear(&post.ask.body);
    }
    assert_int_equal(p->connections, 1);
    side_free(s);
    play_end(p);
}

static void it_goes_out_when_it_has_its_body(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3", .bytes = SLICE(OK) } };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct post post = { .body = S("{}") };
    post_start(s, &post, "/batch", 5000);
    wait_for_turn(s, &post);
    s->pending--; /* it holds up no other */
    struct ask other = ask(s, "/get");
    s->pending++;
    assert_int_equal(other.done, 1);
    assert_int_equal(p->requests, 1);
    assert_int_equal(post.ask.done, 0);
    assert_true(upstream_send(post.ask.get, post.body));
    side_wait(s);
    assert_fault(&post.ask, FAULT_NONE);
    assert_int_equal(post.turns, 1);
    has_body(p, "{}");
    buffer_clear(&other.body);
    buffer_clear(&post.ask.body);
    side_free(s);
    play_end(p);
}

static void it_asks_for_its_body_when_the_rate_lets_it_go(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3", .bytes = SLICE(OK) } };
    struct play *p = START(scenes);
    struct upstream_options slow = quick;
    slow.requests_per_minute = 300; /* the first token comes after some 200 ms */
    slow.queue_timeout_ms = 50;
    struct side *s = side_new(&slow, "http://127.0.0.1:%d/v3", p->port);
    struct post post = { .body = S("{}"), .gives = true };
    int64_t start = clock_monotonic_ms();
    post_start(s, &post, "/batch", 5000);
    wait_for_turn(s, &post);
    assert_true(clock_monotonic_ms() - start > 100); /* and queue_timeout does not end it */
    side_wait(s);
    assert_fault(&post.ask, FAULT_NONE);
    buffer_clear(&post.ask.body);
    side_free(s);
    play_end(p);
}

static void retries_have_the_same_body(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/v3", .bytes = SLICE(EMPTY("429 Too Many", "Retry-After: 0\r\n")), .times = 1 },
        { .path = "/v3", .bytes = SLICE(EMPTY("503 Busy", "")), .times = 1 },
        { .path = "/v3", .bytes = SLICE(OK) },
    };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct post post = { .body = S("{\"again\":true}"), .gives = true };
    post_start(s, &post, "/batch", 10000);
    side_wait(s);
    assert_fault(&post.ask, FAULT_NONE);
    assert_int_equal(post.turns, 1);
    assert_int_equal(post.ask.sent, 1);
    assert_int_equal(p->requests, 3);
    has_body(p, "{\"again\":true}");
    buffer_clear(&post.ask.body);
    side_free(s);
    play_end(p);
}

static void a_refusal_has_v3s_words_and_costs_nothing(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/v3",
          .bytes = SLICE("HTTP/1.1 400 Bad\r\nContent-Length: 37\r\n\r\n{\"error\":\"bad target: a..example/x\"}  ") },
    };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct post post = { .body = S("{}"), .gives = true };
    post_start(s, &post, "/batch", 10000);
    side_wait(s);
    assert_fault(&post.ask, FAULT_BAD_TARGET);
    assert_false(post.ask.result.may_have_cost);
    assert_non_null(strstr(post.ask.why, "bad target: a..example/x"));
    side_free(s);
    play_end(p);
}

/* Bodies of many lengths, over what libcurl sends in one go. */
static void long_bodies_arrive_whole(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3", .bytes = SLICE(OK), .after = KEEP } };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    static char text[15000];
    memset(text, 'x', sizeof(text));
    for (size_t n = 1; n < sizeof(text); n += 2000) {
        struct post post = { .body = slice_of(text, n), .gives = true };
        post_start(s, &post, "/batch", 5000);
        side_wait(s);
        assert_fault(&post.ask, FAULT_NONE);
        assert_int_equal(strlen(strstr(p->last, "\r\n\r\n") + 4), n);
        buffer_clear(&post.ask.body);
    }
    side_free(s);
    play_end(p);
}

static void it_can_be_left_at_any_moment(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3/silent", .bytes = SLICE(""), .after = STALL },
                                           { .path = "/v3", .bytes = SLICE(OK) } };
    struct play *p = START(scenes);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct post post[4] = { { .body = S("{}") }, { .body = S("{}") }, { .body = S("{}") }, { .body = S("{}") } };
    post_start(s, &post[0], "/batch", 5000);
    assert_false(upstream_cancel(post[0].ask.get));
    post_start(s, &post[1], "/batch", 5000);
    wait_for_turn(s, &post[1]);
    assert_false(upstream_cancel(post[1].ask.get));
    post_start(s, &post[2], "/batch", 5000);
    wait_for_turn(s, &post[2]);
    assert_true(upstream_send(post[2].ask.get, post[2].body));
    assert_false(upstream_cancel(post[2].ask.get));
    post_start(s, &post[3], "/silent", 5000);
    wait_for_turn(s, &post[3]);
    assert_true(upstream_send(post[3].ask.get, post[3].body));
    side_wait_for(s, &p->requests, 1);
    assert_true(upstream_cancel(post[3].ask.get));
    s->pending = 0;
    struct post late = { .body = S("{}") }; /* its body never comes */
    post_start(s, &late, "/batch", 100);
    side_wait(s);
    assert_fault(&late.ask, FAULT_TOO_BUSY);
    assert_int_equal(late.turns, 1);
    assert_false(late.ask.result.may_have_cost);
    assert_int_equal(p->requests, 1);
    side_free(s);
    play_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_and_gets_take_turns_on_one_connection),
        cmocka_unit_test(it_goes_out_when_it_has_its_body),
        cmocka_unit_test(it_asks_for_its_body_when_the_rate_lets_it_go),
        cmocka_unit_test(retries_have_the_same_body),
        cmocka_unit_test(a_refusal_has_v3s_words_and_costs_nothing),
        cmocka_unit_test(long_bodies_arrive_whole),
        cmocka_unit_test(it_can_be_left_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
