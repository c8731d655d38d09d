/* SPDX-License-Identifier: MIT
 * Many clients: who makes room for whom, what memory an idle one takes, and what answers that nobody reads may take. */
#include "tls_client.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "fixture.h"
#include "proxy/http/server.h"

#define GET_1 "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"

enum { MOST = 40, CROWDED = 32, FULL = 38 }; /* more than these are too many */

static void on_turned_away(void *context, struct buffer *head)
{
    (void)context;
    buffer_str(head, "X-Number: 1\r\n");
}

static int begin_with_few(void **state)
{
    begin(state);
    kit.options.max_connections = MOST;
    return 0;
}

/* As if they had been silent for so long. */
static void make_idle(int64_t ms)
{
    for (struct connection *c = place_first(&kit.server->places[PLACE_IDLE]); c;
         c = place_next(&kit.server->places[PLACE_IDLE], c))
        c->deadline_ms -= ms;
}

static int ask(int fd)
{
    memset(&got, 0, sizeof got);
    kit_say(fd, GET_1);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    return got_status(&got);
}

static void the_longest_idle_make_room(void **state)
{
    (void)state;
    int fds[MOST + 20];
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, CROWDED + 1);
    make_idle(2000);
    for (int i = CROWDED + 1; i < MOST + 20; i++) { /* many more than there is room for, one after the other */
        fds[i] = kit_connect(&kit);
        assert_int_equal(ask(fds[i]), 200);
        assert_in_range(http_server_connections(kit.server), CROWDED, CROWDED + 2);
    }
    memset(&got, 0, sizeof got);
    GOT_UNTIL(&kit, &got, fds[0], got.is_closed);
    assert_int_equal(got.n, 0);
    assert_int_equal(kit.n_troubles, 0);
    close_all(fds, MOST + 20);
}

/* Who has just come is about to ask, and is not sent away for the next one. */
static void the_just_arrived_stay(void **state)
{
    (void)state;
    int fds[MOST];
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, MOST);
    int over = kit_connect(&kit);
    GOT_UNTIL(&kit, &got, over, got.is_closed);
    assert_int_equal(got_status(&got), 503);
    assert_int_equal(http_server_connections(kit.server), MOST);
    close(over);
    close_all(fds, MOST);
}

static void answers_close_when_it_is_crowded(void **state)
{
    (void)state;
    int fds[MOST];
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, CROWDED);
    assert_int_equal(ask(fds[3]), 200);
    assert_null(strstr(got.p, "Connection: close"));
    fds[CROWDED] = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == CROWDED + 1);
    assert_int_equal(ask(fds[3]), 200);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    GOT_UNTIL(&kit, &got, fds[3], got.is_closed);
    close_all(fds, CROWDED + 1);
}

static void calls_are_marked_when_it_is_full(void **state)
{
    (void)state;
    int fds[MOST];
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    connect_all(fds, FULL + 1);
    kit_say(fds[0], GET_1);
    KIT_UNTIL(&kit, kit.n_held == 1);
    assert_true(http_call_request(kit.held[0])->is_overload);
    kit_answer(&kit, kit.held[0]);
    GOT_UNTIL(&kit, &got, fds[0], got.is_closed);
    close(fds[0]);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == FULL);
    kit_say(fds[1], GET_1);
    KIT_UNTIL(&kit, kit.n_held == 2);
    assert_false(http_call_request(kit.held[1])->is_overload);
    kit_answer(&kit, kit.held[1]);
    close_all(fds + 1, FULL);
}

/* Their calls would be refused: those who have asked already hear it at once, those who have not come in. */
static void who_asks_when_it_is_full_is_turned_away(void **state)
{
    (void)state;
    int fds[MOST];
    kit.options.on_turned_away = on_turned_away;
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, FULL + 1);
    int asks = kit_connect(&kit);
    kit_say(asks, GET_1);
    char more[6000]; /* than is read at once */
    memset(more, 'x', sizeof more);
    kit_send(asks, more, sizeof more);
    GOT_UNTIL(&kit, &got, asks, got.is_closed);
    assert_int_equal(got_status(&got), 503);
    assert_false(got.is_reset);
    assert_non_null(strstr(got.p, "\r\nX-Number: 1\r\n"));
    assert_int_equal(http_server_turned_away(kit.server), 1);
    assert_non_null(strstr(kit.trouble, "nineteen twentieths of max_connections (40)"));
    fds[FULL + 1] = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == FULL + 2);
    assert_int_equal(kit.n_requests, 0);
    assert_int_equal(http_server_turned_away(kit.server), 1);
    close(asks);
    close_all(fds, FULL + 2);
}

/* Out of descriptors, the idle ones give theirs to those who wait. */
static void idle_ones_give_back_descriptors(void **state)
{
    (void)state;
    int fds[10];
    struct rlimit before, few;
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, 8);
    fds[8] = kit_connect(&kit);
    fds[9] = kit_connect(&kit);
    kit_say(fds[8], GET_1);
    kit_say(fds[9], GET_1);
    make_idle(2000);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)fds[9] + 1;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
    KIT_UNTIL(&kit, kit.n_requests == 2);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
    assert_non_null(strstr(kit.trouble, "accept: "));
    close_all(fds, 10);
}

/* Who waits for a descriptor has it as soon as one is free. */
static void a_free_descriptor_is_used_at_once(void **state)
{
    (void)state;
    int fds[9];
    struct rlimit before, few;
    kit_start(&kit, "127.0.0.1:0");
    connect_all(fds, 8);
    fds[8] = kit_connect(&kit);
    kit_say(fds[8], GET_1);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)fds[8] + 1;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
    KIT_UNTIL(&kit, kit.server->lacks_descriptors);
    shutdown(fds[0], SHUT_WR); /* the number of our own end stays taken */
    KIT_UNTIL(&kit, kit.server->n_connections < 8 || kit.n_requests);
    assert_false(kit.server->lacks_descriptors);
    KIT_UNTIL(&kit, kit.n_requests == 1);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
    close_all(fds, 9);
}

static void unread_answers_have_a_bound_together(void **state)
{
    (void)state;
    enum { BIG = 15 << 20 };
    static char big[BIG];
    int fds[3];
    kit.big = big;
    kit.n_big = BIG;
    kit_start(&kit, "127.0.0.1:0");
    kit.server->unsent_bytes = 220u << 20; /* of others */
    connect_all(fds, 3);
    for (int i = 0; i < 2; i++)
        kit_say(fds[i], GET_1);
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_WRITING]) != place_last(&kit.server->places[PLACE_WRITING]));
    assert_int_equal(kit.n_troubles, 0);
    kit_say(fds[2], GET_1);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 2); /* the one that has waited longest is cut */
    assert_non_null(strstr(kit.trouble, "slow clients"));
    assert_in_range(kit.server->unsent_bytes, 220u << 20, 256u << 20);
    close_all(fds, 3);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    assert_int_equal(kit.server->unsent_bytes, 220u << 20);
}

/* ---- memory ---- */

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

/* A sanitizer's heap is another one. */
static bool heap_is_known(void)
{
    size_t before = in_use();
    char *some = malloc(50000);
    assert_non_null(some);
    bool grows = in_use() >= before + 50000;
    free(some);
    return grows;
}

/* Bytes of the heap for each of `n` idle connections that have asked once; the clients' part is outside of it. */
static size_t bytes_each(int n, bool is_tls)
{
    static struct tls_client clients[400];
    kit.options.max_connections = 10000;
    if (is_tls)
        tls_start(&kit);
    else
        kit_start(&kit, "127.0.0.1:0");
    size_t before = 0;
    for (int i = 0; i < n + 20; i++) {
        if (i == 20) /* what is made once is made by now */
            before = in_use();
        memset(&got, 0, sizeof got);
        if (!is_tls) {
            clients[i].fd = kit_connect(&kit);
            ask(clients[i].fd);
            continue;
        }
        tls_connect(&clients[i], &kit, "a.example");
        assert_true(tls_send(&clients[i], &kit, GET_1, sizeof GET_1 - 1));
        TLS_UNTIL(&kit, &got, &clients[i], got_answers(&got) == 1);
        SSL_free(clients[i].ssl);
        SSL_CTX_free(clients[i].context);
    }
    kit_run_ms(&kit, 5);
    assert_int_equal(http_server_connections(kit.server), n + 20);
    size_t each = (in_use() - before) / (size_t)n;
    for (int i = 0; i < n + 20; i++)
        close(clients[i].fd);
    return each;
}

static void idle_connections_are_small(void **state)
{
    (void)state;
    if (!heap_is_known()) {
        kit_start(&kit, NULL);
        skip();
    }
    size_t plain = bytes_each(300, false);
    kit_stop(&kit);
    memset(&kit, 0, sizeof kit);
    size_t tls = bytes_each(300, true);
    print_message("an idle connection takes %zu bytes, with TLS %zu\n", plain, tls);
    assert_in_range(plain, 300, 2048);
    assert_in_range(tls, 1000, 16384);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_with_few, end)
    const struct CMUnitTest tests[] = {
        TEST(the_longest_idle_make_room),
        TEST(the_just_arrived_stay),
        TEST(answers_close_when_it_is_crowded),
        TEST(calls_are_marked_when_it_is_full),
        TEST(who_asks_when_it_is_full_is_turned_away),
        TEST(idle_ones_give_back_descriptors),
        TEST(a_free_descriptor_is_used_at_once),
        TEST(unread_answers_have_a_bound_together),
        TEST(idle_connections_are_small),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, tls_make_folder, tls_remove_folder);
}
