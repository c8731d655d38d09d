/* SPDX-License-Identifier: MIT
 * What one round of the loop takes of the answers: portions, in fair order, and nothing is lost meanwhile. */
#include "play.h"

/* However fast the bytes of an answer come: between two portions the loop sees to everything else. */
static void a_long_answer_in_portions(void **state)
{
    (void)state;
    enum { BODY = 16 << 20, PORTION = 1 << 20 };
    static char bytes[BODY + 128];
    int head = snprintf(bytes, sizeof(bytes), JSON_HEAD "Content-Length: %d\r\n\r\n", BODY);
    memset(bytes + head, ' ', BODY);
    const struct scene scenes[] = { { .path = "/v3/long", .bytes = slice_of(bytes, (size_t)head + BODY) } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct ask a = { 0 };
    ask_start_for(s, &a, "/long", "seo", BODY, 60000);
    while (!a.done) {
        size_t before = a.body.n;
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        assert_in_range(a.body.n - before, 0, PORTION);
    }
    assert_fault(&a, FAULT_NONE);
    assert_int_equal(a.body.n, BODY);
    buffer_clear(&a.body);
    side_free(s);
    play_end(p);
}

/* Many at once, each of which is much work for the one who asked: a few in a round of the loop. */
struct busy {
    int portions, done;
};

static void work_for_ms(int ms)
{
    int64_t until = clock_monotonic_us() + ms * 1000;
    while (clock_monotonic_us() < until) {
    }
}

static bool busy_bytes(void *context, struct slice bytes)
{
    struct busy *b = context;
    (void)bytes;
    b->portions++;
    work_for_ms(1);
    return true;
}

static void busy_done(void *context, const struct upstream_result *result)
{
    struct busy *b = context;
    assert_int_equal(result->fault, FAULT_NONE);
    b->done++;
    work_for_ms(1);
    asking_side->pending--;
}

/* All `n` are with the one who answers when it returns. */
static void busy_begin(struct side *s, struct play *p, struct busy *b, int n)
{
    static const struct upstream_callbacks callbacks = { NULL, busy_bytes, busy_done, NULL };
    for (int i = 0; i < n; i++) {
        s->pending++;
        assert_non_null(
            upstream_start(s->upstream, S("/"), S("seo"), 100, clock_monotonic_ms() + 60000, &callbacks, b));
    }
    side_wait_for(s, &p->requests, n);
}

static void many_answers_in_portions(void **state)
{
    (void)state;
    enum { N = 60, A_ROUND = 16 };
    const struct scene scenes[] = { { .path = "/v3/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct busy b = { 0 };
    busy_begin(s, p, &b, N);
    while (s->pending > 0) {
        struct busy before = b;
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        assert_in_range(b.portions - before.portions, 0, A_ROUND);
        assert_in_range(b.done - before.done, 0, A_ROUND);
    }
    assert_int_equal(b.portions, N);
    assert_int_equal(b.done, N);
    side_free(s);
    play_end(p);
}

/* The kernel is not to tell of all of them again in each round. */
static void who_waits_to_be_read_is_not_watched(void **state)
{
    (void)state;
    enum { N = 400, A_FEW = 100 };
    const struct scene scenes[] = { { .path = "/v3/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    struct busy b = { 0 };
    int before = event_base_get_num_events(s->base, EVENT_BASE_COUNT_ADDED), fewest = N;
    busy_begin(s, p, &b, N);
    while (b.portions < A_FEW / 2) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        /* Those that are done are kept for the next request, and watched for what nobody asks for. */
        int watched = event_base_get_num_events(s->base, EVENT_BASE_COUNT_ADDED) - before - b.portions;
        fewest = watched < fewest ? watched : fewest;
    }
    assert_in_range(fewest, 0, A_FEW);
    side_wait(s);
    assert_int_equal(b.portions, N);
    assert_int_equal(b.done, N);
    side_free(s);
    play_end(p);
}

/* While those that have ended wait for their turn, and are never all gone, others begin and end. */
struct chain {
    struct side *side;
    int begun, done;
};

static const struct upstream_callbacks chain_callbacks;

static void chain_begin(struct chain *c)
{
    c->begun++;
    c->side->pending++;
    assert_non_null(
        upstream_start(c->side->upstream, S("/"), S("seo"), 100, clock_monotonic_ms() + 60000, &chain_callbacks, c));
}

static void chain_done(void *context, const struct upstream_result *result)
{
    enum { ALL = 400 };
    struct chain *c = context;
    assert_int_equal(result->fault, FAULT_NONE);
    c->done++;
    c->side->pending--;
    if (c->begun < ALL)
        chain_begin(c);
    work_for_ms(1);
}

static bool chain_bytes(void *context, struct slice bytes)
{
    (void)context, (void)bytes;
    return true;
}

static const struct upstream_callbacks chain_callbacks = { NULL, chain_bytes, chain_done, NULL };

static void others_begin_while_some_wait_to_end(void **state)
{
    (void)state;
    enum { AT_ONCE = 50 };
    const struct scene scenes[] = { { .path = "/v3/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct chain c = { .side = side_new(&quick, "http://127.0.0.1:%d/v3", p->port) };
    for (int i = 0; i < AT_ONCE; i++)
        chain_begin(&c);
    side_wait(c.side);
    assert_int_equal(c.done, 400);
    side_free(c.side);
    play_end(p);
}

/* What is whole and waits for the asker's time is not late, though its deadline passes. */
static bool no_bytes(void *context, struct slice bytes)
{
    (void)context, (void)bytes;
    return true;
}

static void slow_done(void *context, const struct upstream_result *result)
{
    int *faults = context;
    *faults += result->fault != FAULT_NONE;
    asking_side->pending--;
    work_for_ms(20);
}

static void whole_answers_are_not_late(void **state)
{
    (void)state;
    enum { N = 60 };
    static const struct upstream_callbacks callbacks = { NULL, no_bytes, slow_done, NULL };
    const struct scene scenes[] = { { .path = "/v3/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    int faults = 0;
    int64_t until_ms = clock_monotonic_ms() + 600;
    for (int i = 0; i < N; i++) {
        s->pending++;
        assert_non_null(upstream_start(s->upstream, S("/"), S("seo"), 100, until_ms, &callbacks, &faults));
    }
    side_wait(s);
    assert_int_equal(faults, 0);
    assert_true(clock_monotonic_ms() > until_ms);
    side_free(s);
    play_end(p);
}

/* v3 on the test's own thread: each round of the loop a few more bytes on every connection. */
enum { STEADY = 12 };

struct steady {
    int listener, fds[STEADY], n;
    bool answers[STEADY];
    int portions[STEADY];
};

static void feed(struct steady *v3)
{
    static const char head[] = JSON_HEAD "Content-Length: 100000000\r\n\r\n ";
    char request[4096];
    int fd = accept4(v3->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        v3->fds[v3->n++] = fd;
    for (int i = 0; i < v3->n; i++) {
        if (v3->answers[i])
            (void)!send(v3->fds[i], " ", 1, MSG_NOSIGNAL);
        else if (recv(v3->fds[i], request, sizeof(request), 0) > 0)
            v3->answers[i] = send(v3->fds[i], head, sizeof(head) - 1, MSG_NOSIGNAL) > 0;
    }
}

static bool steady_bytes(void *context, struct slice bytes)
{
    int *portions = context;
    (void)bytes;
    ++*portions;
    work_for_ms(1);
    return true;
}

static void never_done(void *context, const struct upstream_result *result)
{
    (void)context, (void)result;
    fail();
}

static void each_has_its_share_of_the_time(void **state)
{
    (void)state;
    static const struct upstream_callbacks callbacks = { NULL, steady_bytes, never_done, NULL };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(address);
    struct steady v3 = { .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
    assert_int_equal(bind(v3.listener, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(v3.listener, STEADY), 0);
    assert_int_equal(getsockname(v3.listener, (struct sockaddr *)&address, &n), 0);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", ntohs(address.sin_port));
    for (int i = 0; i < STEADY; i++)
        assert_non_null(upstream_start(s->upstream, S("/"), S("seo"), 1 << 30, clock_monotonic_ms() + 60000, &callbacks,
                                       &v3.portions[i]));
    int least = 0, most = 0;
    for (int64_t until = clock_monotonic_ms() + 4000; least < 20 && clock_monotonic_ms() < until;) {
        feed(&v3);
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        least = most = v3.portions[0];
        for (int i = 1; i < STEADY; i++) {
            least = v3.portions[i] < least ? v3.portions[i] : least;
            most = v3.portions[i] > most ? v3.portions[i] : most;
        }
    }
    assert_in_range(most, 20, 80);
    assert_in_range(least, 20, most);
    side_free(s);
    for (int i = 0; i < v3.n; i++)
        close(v3.fds[i]);
    close(v3.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_answer_in_portions),           cmocka_unit_test(many_answers_in_portions),
        cmocka_unit_test(who_waits_to_be_read_is_not_watched), cmocka_unit_test(others_begin_while_some_wait_to_end),
        cmocka_unit_test(whole_answers_are_not_late),          cmocka_unit_test(each_has_its_share_of_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
