/* SPDX-License-Identifier: MIT
 * What a stranger cannot do: be slow, be many, talk without end; and what happens when descriptors are out. */
#include "fixture.h"

#include <sys/resource.h>

#include "proxy/http/server.h"

#define GET_1 "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_2 "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"

/* Say one byte every 10 ms until the server answers or closes; how long it took. */
static int64_t drip(int fd, const char *bytes, size_t n)
{
    int64_t since_ms = clock_monotonic_ms();
    for (size_t i = 0; i < n && !got.n && !got.is_closed; i++) {
        kit_send(fd, bytes + i, 1);
        kit_run_ms(&kit, 10);
        got_read(&got, fd);
    }
    return clock_monotonic_ms() - since_ms;
}

static void slow_header_ends_in_time(void **state)
{
    (void)state;
    kit.options.header_ms = 150;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    int64_t took_ms = drip(fd, "GET / HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 70);
    assert_in_range(took_ms, 145, 600); /* all the bytes would take 700 */
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_int_equal(got_status(&got), 408);
    assert_int_equal(kit.n_faults, 1);
    close(fd);
}

static void slow_body_ends_in_time(void **state)
{
    (void)state;
    kit.options.body_ms = 150;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    int64_t took_ms = drip(fd, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 70);
    assert_in_range(took_ms, 145, 600); /* all the bytes would take 700 */
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_int_equal(got_status(&got), 408);
    close(fd);
}

/* No byte, a lone CRLF, and after an answer. */
static void idle_ends_silently(void **state)
{
    (void)state;
    kit.options.idle_ms = kit.options.header_ms = 60;
    kit_start(&kit, "127.0.0.1:0");
    static const char *const before[] = { "", "\r\n", GET_1, GET_1 "\r\n" };
    for (size_t i = 0; i < 4; i++) {
        got = (struct got){ 0 };
        int fd = kit_connect(&kit);
        kit_say(fd, before[i]);
        int64_t since_ms = clock_monotonic_ms();
        GOT_UNTIL(&kit, &got, fd, got.is_closed);
        assert_in_range(clock_monotonic_ms() - since_ms, 50, 2000);
        assert_false(got.is_reset);
        assert_int_equal(got_answers(&got), i >= 2);
        close(fd);
    }
    assert_int_equal(kit.n_faults, 0);
}

static void waiting_call_has_no_deadline(void **state)
{
    (void)state;
    kit.options.idle_ms = kit.options.header_ms = kit.options.body_ms = kit.options.drain_ms = 20;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int fd = kit_connect(&kit);
    kit_say(fd, GET_1);
    KIT_UNTIL(&kit, kit.n_held == 1);
    kit_run_ms(&kit, 100);
    kit_answer(&kit, kit.held[0]);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    close(fd);
}

/* The time to take an answer grows with its length; past it the connection is cut. */
static void writing_has_a_deadline(void **state)
{
    (void)state;
    static char big[16 << 20];
    memset(big, 'x', sizeof big);
    kit.big = big;
    kit.n_big = sizeof big;
    kit.options.write_floor_ms = 50;
    kit_start(&kit, "127.0.0.1:0");
    int fd = kit_connect(&kit);
    kit_say(fd, GET_1);
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_WRITING]));
    kit_run_ms(&kit, 120);
    struct connection *c = place_first(&kit.server->places[PLACE_WRITING]);
    assert_non_null(c);
    assert_in_range(c->deadline_ms - clock_monotonic_ms(), 1000000, sizeof big / 4);
    c->deadline_ms = clock_monotonic_ms() + 20;
    server_deadline_set(kit.server, c->deadline_ms);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    close(fd);
}

static void drains(void **state)
{
    (void)state;
    kit.options.drain_ms = 50;
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int busy = kit_connect(&kit), idle = kit_connect(&kit);
    kit_say(busy, GET_1 GET_2);
    KIT_UNTIL(&kit, kit.n_held == 1 && http_server_connections(kit.server) == 2);
    http_server_drain(kit.server, kit_on_drained, &kit);
    assert_int_equal(kit.n_drained, 0);
    GOT_UNTIL(&kit, &got, idle, got.is_closed);
    assert_int_equal(kit.n_drained, 0);
    got = (struct got){ 0 };
    kit_answer(&kit, kit.held[0]);
    GOT_UNTIL(&kit, &got, busy, got.is_closed);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    assert_int_equal(got_answers(&got), 1);
    close(busy);
    close(idle);
    KIT_UNTIL(&kit, kit.n_drained == 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(kit.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    close(fd);
}

static void drains_when_nobody_is_there(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    http_server_drain(kit.server, kit_on_drained, &kit);
    assert_int_equal(kit.n_drained, 0);
    KIT_UNTIL(&kit, kit.n_drained == 1);
    kit_run_ms(&kit, 10);
    assert_int_equal(kit.n_drained, 1);
}

static void raise_descriptors(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void serves_a_thousand(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    raise_descriptors();
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    static int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = kit_connect(&kit);
        kit_say(fds[i], GET_1);
        if (i % 100 == 99)
            kit_turn(&kit);
    }
    KIT_UNTIL(&kit, kit.n_held == MANY);
    assert_int_equal(http_server_connections(kit.server), MANY);
    for (int i = MANY - 1; i >= 0; i--)
        kit_answer(&kit, kit.held[i]);
    for (int i = 0; i < MANY; i++) {
        got.n = 0;
        got_read(&got, fds[i]);
        assert_int_equal(got_answers(&got), 1);
        close(fds[i]);
    }
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

/* A storm of connections is taken in by and by, so that nobody else waits for all of them. */
struct watcher {
    struct event *event;
    size_t before, most;
};

static void on_watch(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct watcher *w = context;
    size_t now = http_server_connections(kit.server);
    w->most = now - w->before > w->most ? now - w->before : w->most;
    w->before = now;
    evtimer_add(w->event, &(struct timeval){ 0 });
}

static void accepts_in_portions(void **state)
{
    (void)state;
    enum { MANY = 900, A_PORTION = 256 };
    struct watcher watcher = { 0 };
    raise_descriptors();
    kit_start(&kit, "127.0.0.1:0");
    watcher.event = evtimer_new(kit.base, on_watch, &watcher);
    evtimer_add(watcher.event, &(struct timeval){ 0 });
    static int fds[MANY];
    for (int i = 0; i < MANY; i++)
        fds[i] = kit_connect(&kit);
    KIT_UNTIL(&kit, watcher.before == MANY);
    assert_in_range(watcher.most, 1, 2 * A_PORTION);
    event_free(watcher.event);
    close_all(fds, MANY);
}

static void on_work(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    *(size_t *)context = http_server_connections(kit.server);
}

/* However much else is ready. */
static void accepts_first(void **state)
{
    (void)state;
    size_t seen = 0;
    kit_start(&kit, "127.0.0.1:0");
    struct event *work = event_new(kit.base, -1, 0, on_work, &seen);
    int fd = kit_connect(&kit);
    event_active(work, EV_TIMEOUT, 0);
    kit_turn(&kit);
    assert_int_equal(seen, 1);
    event_free(work);
    close(fd);
}

static void caps(int n_first)
{
    int fds[8];
    for (int i = 0; i < n_first; i++)
        fds[i] = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == (size_t)n_first);
    int over = kit_connect(&kit);
    kit_say(over, GET_1);
    GOT_UNTIL(&kit, &got, over, got.is_closed);
    assert_int_equal(got_status(&got), 503);
    assert_int_equal(kit.n_troubles, 1);
    close(over);
    over = kit_connect(&kit);
    got = (struct got){ 0 };
    GOT_UNTIL(&kit, &got, over, got.is_closed);
    assert_int_equal(kit.n_troubles, 1); /* a line a second at most */
    close(over);
    got = (struct got){ 0 };
    kit_say(fds[0], GET_1);
    GOT_UNTIL(&kit, &got, fds[0], got_answers(&got) == 1);
    close(fds[1]);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == (size_t)n_first - 1);
    fds[1] = kit_connect(&kit);
    got = (struct got){ 0 };
    kit_say(fds[1], GET_2);
    GOT_UNTIL(&kit, &got, fds[1], got_answers(&got) == 1);
    assert_int_equal(got_status(&got), 200);
    for (int i = 0; i < n_first; i++)
        close(fds[i]);
}

static void caps_connections(void **state)
{
    (void)state;
    kit.options.max_connections = 4;
    kit_start(&kit, "127.0.0.1:0");
    caps(4);
    assert_non_null(strstr(kit.trouble, "max_connections (4)"));
}

static void caps_connections_per_address(void **state)
{
    (void)state;
    kit.options.max_connections_per_address = 3;
    kit_start(&kit, "127.0.0.1:0");
    caps(3);
    assert_non_null(strstr(kit.trouble, "max_connections_per_address (3)"));
}

/* Clients wait in the backlog; the loop does not spin; all are served once descriptors are back. */
static void survives_without_descriptors(void **state)
{
    (void)state;
    enum { MANY = 20 };
    kit_start(&kit, "127.0.0.1:0");
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = kit_connect(&kit);
        kit_say(fds[i], GET_1);
    }
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)fds[MANY - 1] + 6;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
    KIT_UNTIL(&kit, kit.n_troubles == 1);
    size_t n_served = http_server_connections(kit.server);
    assert_in_range(n_served, 1, MANY - 1);
    clock_t cpu = clock();
    kit_run_ms(&kit, 400);
    assert_true(clock() - cpu < CLOCKS_PER_SEC / 5);
    assert_int_equal(kit.n_troubles, 1);
    assert_int_equal(kit.n_requests, n_served);
    setrlimit(RLIMIT_NOFILE, &before);
    KIT_UNTIL(&kit, kit.n_requests == MANY);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

static void drains_what_follows_a_fault(void **state)
{
    (void)state;
    kit.options.drain_ms = 60;
    kit_start(&kit, "127.0.0.1:0");
    static char rest[60000];
    memset(rest, 'x', sizeof rest);
    int fd = kit_connect(&kit);
    kit_say(fd, "BAD\r\n" GET_1);
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    kit_send(fd, rest, sizeof rest);
    kit_run_ms(&kit, 5);
    assert_int_equal(got_status(&got), 400);
    assert_int_equal(kit.n_requests, 0);
    assert_int_equal(http_server_connections(kit.server), 1);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    close(fd);

    kit.server->places[PLACE_LINGER].lasts_ms = 60000; /* now the bytes are the limit, not the time */
    fd = kit_connect(&kit);
    kit_say(fd, "BAD\r\n");
    KIT_UNTIL(&kit, kit.n_faults == 2);
    kit_send(fd, rest, sizeof rest);
    kit_send(fd, rest, sizeof rest);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    close(fd);
}

/* What stands behind a waiting call is held back at some point, and not lost. */
static void holds_back_a_flood(void **state)
{
    (void)state;
    enum { MANY = 8000 };
    kit_start(&kit, "127.0.0.1:0");
    kit.holds = true;
    int fd = kit_connect(&kit);
    static char flood[MANY * (sizeof GET_1 - 1) + 1];
    for (size_t i = 0; i < MANY; i++)
        memcpy(flood + i * (sizeof GET_1 - 1), GET_1, sizeof GET_1 - 1);
    size_t sent = 0, total = sizeof flood - 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100; i++) {
        ssize_t n = send(fd, flood + sent, total - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        kit_turn(&kit);
    }
    assert_int_equal(kit.n_held, 1);
    assert_true(place_first(&kit.server->places[PLACE_CALL])->is_paused);
    clock_t cpu = clock();
    kit_run_ms(&kit, 100);
    assert_true(clock() - cpu < CLOCKS_PER_SEC / 20);
    kit.holds = false;
    kit_answer(&kit, kit.held[0]);
    while (kit.n_requests < MANY) {
        ssize_t n = sent < total ? send(fd, flood + sent, total - sent, MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        kit_turn(&kit);
        got.n = 0;
        got_read(&got, fd);
        assert_false(got.is_closed);
    }
    assert_int_equal(kit.n_requests, MANY);
    close(fd);
}

static void listens_on_unix(void **state)
{
    (void)state;
    char folder[] = "/tmp/http-test-XXXXXX", address[128];
    assert_non_null(mkdtemp(folder));
    snprintf(address, sizeof address, "unix:%s/s", folder);
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s/s", folder);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_return_code(bind(stale, (struct sockaddr *)&to, sizeof to), errno);
    close(stale);
    kit.options.max_connections_per_address = 1; /* does not count here */
    kit_start(&kit, address);
    struct buffer why = buffer_with_cap(0);
    assert_false(http_server_listen(kit.server, address, &why)); /* taken by one who listens */
    buffer_clear(&why);
    int first = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_return_code(connect(first, (struct sockaddr *)&to, sizeof to), errno);
    assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof to), errno);
    kit_say(fd, GET_1);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    assert_string_equal(kit.seen, "0 /1?||||unix\n");
    close(first);
    close(fd);
    http_server_drain(kit.server, NULL, NULL);
    assert_int_equal(access(to.sun_path, F_OK), -1);
    rmdir(folder);
}

static void shows_mapped_addresses_as_v4(void **state)
{
    (void)state;
    kit_start(&kit, "*:0");
    int fd = kit_connect(&kit);
    kit_say(fd, GET_1);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
    assert_string_equal(kit.seen, "0 /1?||||127.0.0.1\n");
    close(fd);
}

static void refuses_addresses_it_does_not_know(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", kit.port);
    const char *const bad[] = { "",        "8080",   ":8080",       "127.0.0.1",  "127.0.0.1:", "127.0.0.1:65536",
                                "[::1]",   "[::1:1", "::1:8080",    "example:80", "unix:",      "127.0.0.1:-1",
                                "1.2.3:1", taken,    "unix:/no/x/y" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer why = buffer_with_cap(0);
        assert_false(http_server_listen(kit.server, bad[i], &why));
        assert_true(slice_starts(buffer_slice(&why), S("cannot listen on ")));
        buffer_clear(&why);
    }
    struct buffer none = buffer_with_cap(0);
    assert_false(http_server_address(kit.server, 1, &none));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(slow_header_ends_in_time),     TEST(slow_body_ends_in_time),
        TEST(idle_ends_silently),           TEST(waiting_call_has_no_deadline),
        TEST(writing_has_a_deadline),       TEST(drains),
        TEST(drains_when_nobody_is_there),  TEST(serves_a_thousand),
        TEST(accepts_in_portions),          TEST(caps_connections),
        TEST(caps_connections_per_address), TEST(accepts_first),
        TEST(survives_without_descriptors), TEST(drains_what_follows_a_fault),
        TEST(holds_back_a_flood),           TEST(listens_on_unix),
        TEST(shows_mapped_addresses_as_v4), TEST(refuses_addresses_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
