/* SPDX-License-Identifier: MIT
 * Leaving early, at each stage and from each place: no callback, no leak, and the server is told. */
#include "play.h"

static const struct scene scenes[] = {
    { .path = "/v3/ok", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") },
    { .path = "/v3/silent", .after = STALL },
    { .path = "/v3/half", .bytes = SLICE(JSON_HEAD "Content-Length: 9\r\n\r\n{"), .after = STALL },
    { .path = "/v3/head", .bytes = SLICE("HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\n"), .after = STALL },
    { .path = "/v3/endless", .bytes = SLICE(JSON_HEAD "\r\n"), .endless = "0123456789" },
    { .path = "/v3/busy", .bytes = SLICE("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") },
};
enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static void once(struct side *s)
{
    assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
}

static void assert_still_works(struct side *s)
{
    struct ask a = ask(s, "/ok");
    assert_fault(&a, FAULT_NONE);
    buffer_clear(&a.body);
}

static void before_it_left(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 };
    ask_start(s, &a, "/ok");
    assert_false(upstream_cancel(a.get));
    s->pending = 0;
    once(s);
    assert_int_equal(a.done + a.sent, 0);
    assert_still_works(s);
    assert_int_equal(p->requests, 1);
    side_free(s);
    play_end(p);
}

static void while_it_waits_for_the_rate(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct upstream_options o = quick;
    o.requests_per_minute = 60;
    struct side *s = side_new(&o, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 }, b = { 0 };
    ask_start(s, &a, "/ok");
    ask_start(s, &b, "/ok");
    once(s);
    assert_false(upstream_cancel(b.get));
    assert_false(upstream_cancel(a.get));
    once(s);
    assert_int_equal(a.done + b.done, 0);
    side_free(s);
    play_end(p);
}

static void while_it_connects(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 };
    ask_start(s, &a, "/ok");
    while (!a.sent) {
        once(s);
    }
    assert_false(upstream_cancel(a.get) && !p->requests);
    s->pending = 0;
    assert_still_works(s);
    side_free(s);
    play_end(p);
}

static void while_v3_thinks(void **state)
{
    (void)state;
    static const char *const paths[] = { "/silent", "/half", "/endless" };
    for (size_t i = 0; i < 3; i++) {
        struct play *p = play_start(scenes, N_SCENES);
        struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
        struct ask a = { 0 };
        ask_start(s, &a, paths[i]);
        side_wait_for(s, &p->requests, 1);
        while (i > 0 && a.body.n == 0) {
            once(s);
        }
        assert_true(upstream_cancel(a.get));
        s->pending = 0;
        side_wait_for(s, &p->left, 1);
        assert_int_equal(a.done, 0);
        assert_still_works(s);
        buffer_clear(&a.body);
        side_free(s);
        play_end(p);
    }
}

static void while_it_rests_before_a_retry(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 };
    ask_start(s, &a, "/busy");
    side_wait_for(s, &p->requests, 1);
    for (int i = 0; i < 20; i++) {
        once(s);
    }
    assert_int_equal(a.done, 0);
    assert_false(upstream_cancel(a.get));
    s->pending = 0;
    assert_still_works(s);
    assert_int_equal(p->requests, 2);
    side_free(s);
    play_end(p);
}

/* One that cancels all the others from its own callback. */
struct killer {
    struct ask *victims;
    int n;
    bool from_bytes, fired;
    int done;
};

static void kill_all(struct killer *k)
{
    if (!k->fired) {
        k->fired = true;
        for (int i = 0; i < k->n; i++) {
            upstream_cancel(k->victims[i].get);
            asking_side->pending--;
        }
    }
}

static bool killer_bytes(void *context, struct slice bytes)
{
    (void)bytes;
    struct killer *k = context;
    if (k->from_bytes) {
        kill_all(k);
    }
    return true;
}

static void killer_done(void *context, const struct upstream_result *result)
{
    struct killer *k = context;
    assert_int_equal(result->fault, FAULT_NONE);
    kill_all(k);
    k->done++;
    asking_side->pending--;
}

static void others_from_inside_a_callback(void **state)
{
    (void)state;
    enum { N = 9 };
    static const char *const paths[N] = { "/silent",  "/half", "/endless", "/silent", "/head",
                                          "/endless", "/busy", "/half",    "/silent" };
    static const struct upstream_callbacks callbacks = { NULL, killer_bytes, killer_done, NULL };
    for (int from_bytes = 0; from_bytes < 2; from_bytes++) {
        struct play *p = play_start(scenes, N_SCENES);
        struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
        struct ask victims[N] = { 0 };
        for (int i = 0; i < N; i++) {
            ask_start(s, &victims[i], paths[i]);
        }
        side_wait_for(s, &p->requests, N);
        for (int i = 0; i < 20; i++) {
            once(s);
        }
        struct killer k = { .victims = victims, .n = N, .from_bytes = from_bytes };
        s->pending++;
        assert_non_null(
            upstream_start(s->upstream, S("/ok"), S("ads"), 100, clock_monotonic_ms() + 5000, &callbacks, &k));
        side_wait(s);
        assert_int_equal(k.done, 1);
        side_wait_for(s, &p->left, N - 1); /* the one that rested had no connection */
        for (int i = 0; i < N; i++) {
            assert_int_equal(victims[i].done, 0);
            buffer_clear(&victims[i].body);
        }
        assert_still_works(s);
        side_free(s);
        play_end(p);
    }
}

/* A long answer is shown in portions; behind the first it is our own turn that has libcurl show the rest. */
enum { PORTION = 256 * 1024 };

struct glutton {
    struct ask *victim;
    size_t bytes;
    bool fired;
};

static bool glutton_bytes(void *context, struct slice bytes)
{
    struct glutton *g = context;
    if (g->bytes >= PORTION && !g->fired) {
        g->fired = true;
        upstream_cancel(g->victim->get);
        asking_side->pending--;
    }
    g->bytes += bytes.n;
    return true;
}

static void glutton_done(void *context, const struct upstream_result *result)
{
    (void)context;
    assert_int_equal(result->fault, FAULT_UPSTREAM_ODD);
    asking_side->pending--;
}

static void others_from_inside_a_later_portion(void **state)
{
    (void)state;
    static const char *const paths[] = { "/silent", "/half", "/endless" };
    static const struct upstream_callbacks callbacks = { NULL, glutton_bytes, glutton_done, NULL };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct play *p = play_start(scenes, N_SCENES);
        struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
        struct ask victim = { 0 };
        struct glutton g = { .victim = &victim };
        ask_start_for(s, &victim, paths[i], "seo", 64 << 20, 10000);
        side_wait_for(s, &p->requests, 1);
        s->pending++;
        assert_non_null(upstream_start(s->upstream, S("/endless"), S("ads"), PORTION + PORTION / 4,
                                       clock_monotonic_ms() + 10000, &callbacks, &g));
        side_wait(s);
        assert_true(g.fired);
        assert_int_equal(victim.done, 0);
        side_wait_for(s, &p->left, 2);
        buffer_clear(&victim.body);
        assert_still_works(s);
        side_free(s);
        play_end(p);
    }
}

static void everything_when_the_upstream_is_freed(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask asks[5] = { 0 };
    static const char *const paths[] = { "/silent", "/half", "/busy", "/endless", "/ok" };
    for (int i = 0; i < 4; i++) {
        ask_start(s, &asks[i], paths[i]);
    }
    side_wait_for(s, &p->requests, 4);
    ask_start(s, &asks[4], paths[4]);
    side_free(s);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(asks[i].done, 0);
        buffer_clear(&asks[i].body);
    }
    play_end(p);
}

/* Asking again from the end of a request never nests, and uses the connection that just became free. */
struct chain {
    struct side *side;
    int left, depth;
};

static void chain_ask(struct chain *c);

static bool chain_bytes(void *context, struct slice bytes)
{
    (void)context;
    return bytes.n > 0;
}

static void chain_done(void *context, const struct upstream_result *result)
{
    struct chain *c = context;
    assert_int_equal(c->depth++, 0);
    assert_int_equal(result->fault, FAULT_NONE);
    c->side->pending--;
    if (c->left-- > 0) {
        chain_ask(c);
    }
    c->depth--;
}

static void chain_ask(struct chain *c)
{
    static const struct upstream_callbacks callbacks = { NULL, chain_bytes, chain_done, NULL };
    c->side->pending++;
    assert_non_null(
        upstream_start(c->side->upstream, S("/ok"), S("ads"), 100, clock_monotonic_ms() + 5000, &callbacks, c));
}

static void asking_again_from_the_end(void **state)
{
    (void)state;
    struct play *p = play_start(scenes, N_SCENES);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct chain c = { .side = s, .left = 100 };
    chain_ask(&c);
    side_wait(s);
    assert_int_equal(p->requests, 101);
    assert_int_equal(p->connections, 1);
    side_free(s);
    play_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_it_left),
        cmocka_unit_test(while_it_waits_for_the_rate),
        cmocka_unit_test(while_it_connects),
        cmocka_unit_test(while_v3_thinks),
        cmocka_unit_test(while_it_rests_before_a_retry),
        cmocka_unit_test(others_from_inside_a_callback),
        cmocka_unit_test(others_from_inside_a_later_portion),
        cmocka_unit_test(everything_when_the_upstream_is_freed),
        cmocka_unit_test(asking_again_from_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
