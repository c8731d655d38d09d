/* SPDX-License-Identifier: MIT
 * Many requests at once: they are handed out in the order they came, over many rounds of the loop, so that it comes
 * around and sees to everything else. */
#include "fixture.h"

enum { CLIENTS = 60, TAKES_US = 300, A_ROUND = 8 };

static void on_slow_request(void *context, struct http_call *call, const struct http_request *q)
{
    int64_t until = clock_monotonic_us() + TAKES_US;
    while (clock_monotonic_us() < until)
        ;
    kit_on_request(context, call, q);
}

/* Each for its number. */
static void ask(const int *fds, int from, int until)
{
    for (int i = from; i < until; i++) {
        char text[64];
        snprintf(text, sizeof text, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
        kit_say(fds[i], text);
    }
}

static void ask_all(int *fds)
{
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, CLIENTS);
    ask(fds, 0, CLIENTS);
}

static void assert_answered(int fd, int n)
{
    memset(&got, 0, sizeof got);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == n);
    assert_int_equal(got_status(&got), 200);
}

static int begin_slow(void **state)
{
    begin(state);
    kit.options.on_request = on_slow_request;
    return 0;
}

static void a_few_in_a_round_in_their_order(void **state)
{
    (void)state;
    int fds[CLIENTS];
    ask_all(fds);
    for (int before = 0; kit.n_requests < CLIENTS; before = kit.n_requests) {
        kit_turn(&kit);
        assert_in_range(kit.n_requests - before, 0, A_ROUND);
    }
    const char *at = kit.seen;
    for (int i = 0; i < CLIENTS; i++) {
        char path[16];
        snprintf(path, sizeof path, "0 /%d?", i);
        at = strstr(at, path);
        assert_non_null(at);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_answered(fds[i], 1);
    close_all(fds, CLIENTS);
}

static void who_leaves_before_its_turn_has_not_asked(void **state)
{
    (void)state;
    enum { STAY = 40 };
    int fds[CLIENTS];
    ask_all(fds);
    KIT_UNTIL(&kit, kit.n_requests > 0);
    close_all(fds + STAY, CLIENTS - STAY);
    for (int i = 0; i < STAY; i++)
        assert_answered(fds[i], 1);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == STAY);
    assert_int_equal(kit.n_requests, STAY);
    close_all(fds, STAY);
}

static void what_comes_behind_waits_behind(void **state)
{
    (void)state;
    int fds[CLIENTS];
    ask_all(fds);
    KIT_UNTIL(&kit, kit.n_requests > 0);
    kit_say(fds[CLIENTS - 1], "GET /behind HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.1\r\nHo");
    kit_turn(&kit);
    kit_say(fds[CLIENTS - 1], "st: x\r\n\r\n");
    assert_answered(fds[CLIENTS - 1], 3);
    assert_int_equal(kit.n_requests, CLIENTS + 2);
    const char *at = strstr(kit.seen, "0 /59?");
    assert_non_null(at);
    assert_non_null(at = strstr(at, "0 /behind?"));
    assert_non_null(strstr(at, "0 /last?"));
    close_all(fds, CLIENTS);
}

/* Whoever sends so much while it waits that it is not read for a time is read again afterwards. */
static void who_was_held_back_is_read_again(void **state)
{
    (void)state;
    enum { BODY = 20000, POSTS = 2 };
    static char posts[POSTS * (BODY + 100)];
    size_t n = 0;
    for (int i = 0; i < POSTS; i++) {
        n += (size_t)sprintf(posts + n, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BODY);
        memset(posts + n, 'x', BODY);
        n += BODY;
    }
    kit.holds = true; /* each answer comes later */
    int fds[CLIENTS + 1];
    ask_all(fds);
    fds[CLIENTS] = kit_connect(&kit);
    kit_send(fds[CLIENTS], posts, n);
    for (size_t i = 0; i < CLIENTS + POSTS; i++) {
        KIT_UNTIL(&kit, kit.n_held > i);
        kit_answer(&kit, kit.held[i]);
    }
    kit.holds = false;
    kit_say(fds[CLIENTS], "GET /third HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_answered(fds[CLIENTS], POSTS + 1);
    close_all(fds, CLIENTS + 1);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

static void faults_wait_for_their_turn_too(void **state)
{
    (void)state;
    int fds[CLIENTS];
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        kit_say(fds[i], "BAD\r\n\r\n");
    for (int before = 0; kit.n_faults < CLIENTS; before = kit.n_faults) {
        kit_turn(&kit);
        assert_in_range(kit.n_faults - before, 0, A_ROUND);
    }
    close_all(fds, CLIENTS);
}

static void who_is_turned_away_does_not_stand_in_line(void **state)
{
    (void)state;
    enum { FULL = 57 }; /* more than these are too many for new calls */
    int fds[CLIENTS];
    kit.options.max_connections = CLIENTS;
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, FULL);
    ask(fds, 0, FULL);
    KIT_UNTIL(&kit, kit.n_requests > 0);
    for (int i = FULL; i < CLIENTS; i++)
        fds[i] = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == CLIENTS);
    ask(fds, FULL, CLIENTS);
    KIT_UNTIL(&kit, kit.n_requests == CLIENTS);
    const char *turned_away = strstr(kit.seen, "0 /57?"), *waited = strstr(kit.seen, "0 /56?");
    assert_non_null(turned_away);
    assert_non_null(waited);
    assert_true(turned_away < waited);
    close_all(fds, CLIENTS);
}

static void who_waits_is_served_while_draining(void **state)
{
    (void)state;
    int fds[CLIENTS];
    ask_all(fds);
    KIT_UNTIL(&kit, kit.n_requests > 0);
    http_server_drain(kit.server, kit_on_drained, &kit);
    for (int i = 0; i < CLIENTS; i++) {
        assert_answered(fds[i], 1);
        if (i >= A_ROUND) /* the first may have been answered before */
            assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    }
    close_all(fds, CLIENTS);
    KIT_UNTIL(&kit, kit.n_drained == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_slow, end)
    const struct CMUnitTest tests[] = {
        TEST(a_few_in_a_round_in_their_order),
        TEST(who_leaves_before_its_turn_has_not_asked),
        TEST(what_comes_behind_waits_behind),
        TEST(who_was_held_back_is_read_again),
        TEST(faults_wait_for_their_turn_too),
        TEST(who_waits_is_served_while_draining),
        TEST(who_is_turned_away_does_not_stand_in_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
