/* SPDX-License-Identifier: MIT
 * The server as clients see it: requests in, answers out, in order, over real sockets. */
#include <sys/syscall.h>

#include "fixture.h"

/* The most that one call of it was given. */
static size_t largest_send;

/* In front of the C library's. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t n = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        n += message->msg_iov[i].iov_len;
    largest_send = n > largest_send ? n : largest_send;
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void answers_one_request(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "GET /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "|"));
    assert_int_equal(got_status(&got), 200);
    assert_non_null(strstr(got.p, "\r\nContent-Length: 9\r\n"));
    assert_non_null(strstr(got.p, "\r\nX-Test: yes\r\n"));
    assert_non_null(strstr(got.p, "\r\nDate: "));
    assert_null(strstr(got.p, "Connection:"));
    assert_non_null(strstr(got.p, "\r\n\r\n0 /a?b=c|"));
    assert_string_equal(kit.seen, "0 /a?b=c|||t|127.0.0.1\n");
    assert_false(got.is_closed);
    close(fd);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

static void closes_when_asked(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_false(got.is_reset);
    assert_int_equal(got_answers(&got), 1);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    assert_int_equal(kit.n_requests, 1);
    close(fd);
}

static void pipelines_in_order(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int fd = kit_connect(&kit);
    for (int i = 0; i < 100; i++) {
        char request[64];
        snprintf(request, sizeof request, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
        kit_say(fd, request);
    }
    for (size_t i = 0; i < 100; i++) {
        KIT_UNTIL(&kit, kit.n_held == i + 1);
        kit_answer(&kit, kit.held[i]);
    }
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "/99?|"));
    const char *at = got.p;
    for (int i = 0; i < 100; i++) {
        char body[64];
        snprintf(body, sizeof body, "\r\n\r\n0 /%d?|", i);
        at = strstr(at, body);
        assert_non_null(at);
    }
    close(fd);
}

static void pipelines_without_recursion(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    static char many[1000 * 27 + 1];
    for (int i = 0; i < 1000; i++)
        memcpy(many + i * 27, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    kit_send(fd, many, sizeof many - 1);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1000);
    close(fd);
}

static void serves_old_http(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "GET ?from=anchors HTTP/1.0\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(got.p, "0 /?from=anchors|"));
    close(fd);
    got = (struct got){ 0 };
    fd = kit_connect(&kit);
    kit_say(fd, "POST /?a HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n"
                "line1\nline2");
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "line2"));
    assert_non_null(strstr(got.p, "\r\nConnection: keep-alive\r\n"));
    assert_false(got.is_closed);
    close(fd);
}

static void head_and_options(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "\r\n\r\n"));
    assert_non_null(strstr(got.p, "\r\nContent-Length: 6\r\n"));
    assert_string_equal(strstr(got.p, "\r\n\r\n"), "\r\n\r\n");
    got = (struct got){ 0 };
    kit_say(fd, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "\r\n\r\n"));
    assert_int_equal(got_status(&got), 204);
    assert_non_null(strstr(got.p, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
    assert_null(strstr(got.p, "Content-Length"));
    assert_int_equal(kit.n_requests, 1);
    close(fd);
}

static void says_what_is_allowed(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_int_equal(got_status(&got), 405);
    assert_non_null(strstr(got.p, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
    close(fd);
}

static void continues_when_asked(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, got.n);
    assert_string_equal(got.p, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(kit.n_requests, 0);
    kit_say(fd, "a=b");
    GOT_UNTIL(&kit, &got, fd, strstr(got.p, "2 /?|a=b"));
    close(fd);
}

static void notices_a_client_that_leaves(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    for (int how = 0; how < 3; how++) {
        kit.n_held = 0;
        kit.n_gone = 0;
        int fd = kit_connect(&kit);
        kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        KIT_UNTIL(&kit, kit.n_held == 1);
        http_call_on_gone(kit.held[0], kit_on_gone, &kit);
        struct linger reset = { .l_onoff = 1 };
        if (how == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        int64_t since_ms = clock_monotonic_ms();
        if (how == 2)
            shutdown(fd, SHUT_WR);
        else
            close(fd);
        KIT_UNTIL(&kit, kit.n_gone == 1);
        assert_true(clock_monotonic_ms() - since_ms < 100);
        KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
        assert_int_equal(http_call_request(kit.held[0])->path.n, 1);
        kit_answer(&kit, kit.held[0]);
        assert_int_equal(kit.n_gone, 1);
        if (how == 2)
            close(fd);
    }
}

static void tells_gone_to_who_asks_late(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int fd = kit_connect(&kit);
    kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    KIT_UNTIL(&kit, kit.n_held == 1);
    close(fd);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    http_call_on_gone(kit.held[0], kit_on_gone, &kit);
    assert_int_equal(kit.n_gone, 0);
    KIT_UNTIL(&kit, kit.n_gone == 1);
    kit_answer(&kit, kit.held[0]);
}

static void sends_a_big_answer_whole(void **state)
{
    (void)state;
    static char big[8 << 20];
    memset(big, 'x', sizeof big);
    kit.big = big;
    kit.n_big = sizeof big;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    size_t total = 0;
    while (!got.is_closed) {
        got_read(&got, fd);
        total += got.n;
        got.n = 0;
        kit_turn(&kit);
    }
    assert_true(total > 2 * sizeof big && total < 2 * sizeof big + 1000);
    assert_int_equal(kit.n_requests, 2);
    assert_in_range(largest_send, 1, 512 * 1024); /* all at once would keep the loop from the others */
    close(fd);
}

/* The client closes while most of the answer is still to be written. */
static void survives_a_client_that_leaves_in_the_middle(void **state)
{
    (void)state;
    static char big[8 << 20];
    memset(big, 'x', sizeof big);
    kit.big = big;
    kit.n_big = sizeof big;
    kit_start(&kit, "127.0.0.1:0");
    for (int how = 0; how < 2; how++) {
        int fd = kit_connect(&kit);
        kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        KIT_UNTIL(&kit, kit.n_requests == how + 1);
        if (how == 1) /* all is read first: the close is then a FIN, not a reset */
            GOT_UNTIL(&kit, &got, fd, got.n > 100000);
        close(fd);
        KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    }
}

/* A half-close behind a whole request, seen while the answer is being written, does not cut the answer. */
static void writes_on_after_a_half_close(void **state)
{
    (void)state;
    static char big[8 << 20];
    memset(big, 'x', sizeof big);
    kit.big = big;
    kit.n_big = sizeof big;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    KIT_UNTIL(&kit, kit.n_requests == 1);
    shutdown(fd, SHUT_WR);
    kit_run_ms(&kit, 5);
    size_t total = 0;
    while (!got.is_closed) {
        got_read(&got, fd);
        total += got.n;
        got.n = 0;
        kit_turn(&kit);
    }
    assert_false(got.is_reset);
    assert_true(total > sizeof big);
    close(fd);
}

/* A header of the owner cannot begin another one. */
static void keeps_headers_apart(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int fd = kit_connect(&kit);
    kit_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    KIT_UNTIL(&kit, kit.n_held == 1);
    struct http_header header = { S("X"), S("a\r\nSet-Cookie: b") };
    http_answer(kit.held[0], 299, &header, 1, NULL);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    assert_non_null(strstr(got.p, "\r\nX: a  Set-Cookie: b\r\nContent-Length: 0\r\n\r\n"));
    close(fd);
}

static void frees_open_calls(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int left = kit_connect(&kit), stays = kit_connect(&kit), idle = kit_connect(&kit);
    kit_say(left, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    kit_say(stays, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    KIT_UNTIL(&kit, kit.n_held == 2);
    close(left);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 2);
    close(stays);
    close(idle);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(answers_one_request),
        TEST(closes_when_asked),
        TEST(pipelines_in_order),
        TEST(pipelines_without_recursion),
        TEST(serves_old_http),
        TEST(head_and_options),
        TEST(says_what_is_allowed),
        TEST(continues_when_asked),
        TEST(notices_a_client_that_leaves),
        TEST(tells_gone_to_who_asks_late),
        TEST(sends_a_big_answer_whole),
        TEST(survives_a_client_that_leaves_in_the_middle),
        TEST(writes_on_after_a_half_close),
        TEST(keeps_headers_apart),
        TEST(frees_open_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
