/* SPDX-License-Identifier: MIT
 * The end of a server under its clients, and what a successor gets. */
#include "fixture.h"

#include "proxy/http/server.h"

#define GET_1 "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_2 "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"

/* What is on its way when the end begins is served: on an open connection, half sent, and in the backlog. */
static void drains_with_a_last_chance(void **state)
{
    (void)state;
    kit.options.drain_ms = 5000;
    kit_start(&kit, "127.0.0.1:0");
    int idle = kit_connect(&kit), half = kit_connect(&kit);
    kit_say(idle, GET_1);
    GOT_UNTIL(&kit, &got, idle, got_answers(&got) == 1);
    kit_say(half, "GET /half HTTP/1.1\r\n");
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_HEADER]) && place_first(&kit.server->places[PLACE_IDLE]));
    int late = kit_connect(&kit);
    http_server_drain(kit.server, kit_on_drained, &kit);
    assert_int_equal(http_server_connections(kit.server), 3);
    const struct {
        int fd;
        const char *says;
    } clients[] = { { idle, GET_2 }, { half, "Host: x\r\n\r\n" }, { late, GET_1 } };
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        got = (struct got){ 0 };
        kit_say(clients[i].fd, clients[i].says);
        GOT_UNTIL(&kit, &got, clients[i].fd, got.is_closed);
        assert_int_equal(got_answers(&got), 1);
        assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
        assert_int_equal(kit.n_drained, 0);
        close(clients[i].fd);
    }
    KIT_UNTIL(&kit, kit.n_drained == 1);
}

/* And who is over a cap by then hears so, while the others are still served. */
static void who_is_too_many_at_the_end_hears_it(void **state)
{
    (void)state;
    kit.options.max_connections = 1;
    kit.options.drain_ms = 5000;
    kit_start(&kit, "127.0.0.1:0");
    int first = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 1);
    for (int i = 0; i < 3; i++) { /* the first one starts the thread */
        int over = kit_connect(&kit);
        if (i == 2)
            http_server_drain(kit.server, kit_on_drained, &kit);
        got = (struct got){ 0 };
        GOT_UNTIL(&kit, &got, over, got.is_closed);
        assert_int_equal(got_status(&got), 503);
        close(over);
    }
    assert_int_equal(kit.n_drained, 0);
    close(first);
    KIT_UNTIL(&kit, kit.n_drained == 1);
}

/* A socket that a supervisor keeps: who comes while nobody accepts waits there for the next server. */
static void a_kept_listener_has_a_successor(void **state)
{
    (void)state;
    struct buffer why = buffer_with_cap(0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof to;
    int kept = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(kept, (struct sockaddr *)&to, n), errno);
    assert_return_code(getsockname(kept, (struct sockaddr *)&to, &n), errno);
    kit_start(&kit, NULL);
    assert_true(http_server_inherit(kit.server, dup(kept), false, &why));
    assert_true(http_server_address(kit.server, 0, &why));
    assert_true(slice_starts(buffer_slice(&why), S("127.0.0.1:")));
    buffer_clear(&why);
    http_server_drain(kit.server, kit_on_drained, &kit);
    assert_return_code(connect(fd, (struct sockaddr *)&to, n), errno);
    kit_say(fd, GET_1);
    KIT_UNTIL(&kit, kit.n_drained == 1);
    kit_run_ms(&kit, 5);
    assert_int_equal(kit.n_requests, 0);
    kit_stop(&kit);
    kit_start(&kit, NULL);
    assert_true(http_server_inherit(kit.server, dup(kept), false, &why));
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    close(fd);
    close(kept);
}

static void a_kept_socket_file_stays(void **state)
{
    (void)state;
    struct buffer why = buffer_with_cap(0);
    char folder[] = "/tmp/anchorage-drain-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s/x.sock", folder);
    int kept = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(kept, (struct sockaddr *)&to, sizeof to), errno);
    kit_start(&kit, NULL);
    assert_true(http_server_inherit(kit.server, dup(kept), false, &why));
    http_server_drain(kit.server, NULL, NULL);
    assert_return_code(access(to.sun_path, F_OK), errno);
    unlink(to.sun_path);
    rmdir(folder);
    close(kept);
}

static void what_is_no_listener_is_refused(void **state)
{
    (void)state;
    kit_start(&kit, NULL);
    int fds[] = { dup(STDERR_FILENO), socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), -1 };
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        struct buffer why = buffer_with_cap(0);
        assert_false(http_server_inherit(kit.server, fds[i], false, &why));
        assert_true(slice_starts(buffer_slice(&why), S("cannot listen on the socket that was handed in: ")));
        buffer_clear(&why);
        assert_false(http_server_address(kit.server, 0, &why));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(drains_with_a_last_chance),       TEST(who_is_too_many_at_the_end_hears_it),
        TEST(a_kept_listener_has_a_successor), TEST(a_kept_socket_file_stays),
        TEST(what_is_no_listener_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
