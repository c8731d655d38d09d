/* SPDX-License-Identifier: MIT
 * A server that makes room: whoever connects gets in, and the connection that has waited longest for its client goes.
 * Also what else its options say: how long it keeps connections, what OPTIONS tells, the mode of socket files. */
#include "fixture.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include "proxy/http/server.h"

#define GET_1 "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
#define HALF "GET /1 HTTP/1.1\r\nHost: x\r\n"

enum { MOST = 12, OF_ADDRESS = 4 };

static void start(void)
{
    kit.options.makes_room = true;
    kit.options.max_connections = MOST;
    kit.options.max_connections_per_address = OF_ADDRESS;
    kit_start(&kit, "127.0.0.1:0");
}

/* Connect, say `text`, and wait until it has been taken in. */
static int come(uint32_t from, const char *text)
{
    enum place place = text[0] ? PLACE_HEADER : PLACE_IDLE;
    const struct place_list *list = &kit.server->places[place];
    const struct connection *last = place_last(list);
    int fd = kit_connect_from(&kit, from);
    kit_say(fd, text);
    KIT_UNTIL(&kit, place_last(list) && place_last(list) != last);
    return fd;
}

static bool is_closed(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void is_answered(uint32_t from)
{
    got = (struct got){ 0 };
    int fd = kit_connect_from(&kit, from);
    kit_say(fd, GET_1);
    GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1 || got.is_closed);
    assert_int_equal(got_status(&got), 200);
    close(fd);
}

/* Over its cap an address loses the one of its own that has waited longest, and nobody else's. */
static void an_address_makes_room_for_itself(void **state)
{
    (void)state;
    start();
    int fds[OF_ADDRESS + 3], other = come(2, "");
    for (int i = 0; i < OF_ADDRESS + 3; i++) {
        kit_run_ms(&kit, 2); /* as long have all waited that came in the same millisecond */
        fds[i] = come(1, i % 2 ? HALF : "");
    }
    KIT_UNTIL(&kit, is_closed(fds[0]) && is_closed(fds[1]) && is_closed(fds[2]));
    for (int i = 3; i < OF_ADDRESS + 3; i++)
        assert_false(is_closed(fds[i]));
    assert_int_equal(http_server_connections(kit.server), OF_ADDRESS + 1);
    is_answered(1);
    is_answered(2);
    assert_false(is_closed(other));
    assert_int_equal(http_server_turned_away(kit.server), 0);
    assert_non_null(strstr(kit.trouble, "an address has max_connections_per_address (4)"));
    close(other);
    close_all(fds, OF_ADDRESS + 3);
}

/* When all places are taken, the address with most loses one. */
static void the_busiest_makes_room(void **state)
{
    (void)state;
    start();
    int few[2] = { come(9, HALF), come(8, "") }, fds[MOST];
    for (int i = 0; i < MOST; i++) /* 4 of 127.0.0.1, 4 of .2, then of .3, for which the first of the others go */
        fds[i] = come((uint32_t)(1 + i / OF_ADDRESS), HALF);
    assert_int_equal(http_server_connections(kit.server), MOST);
    for (uint32_t from = 1; from < 30; from++)
        is_answered(from);
    assert_false(is_closed(few[0]));
    assert_false(is_closed(few[1]));
    assert_true(is_closed(fds[0]));
    assert_int_equal(http_server_turned_away(kit.server), 0);
    close_all(few, 2);
    close_all(fds, MOST);
}

/* A whole request under way is never broken off; who comes then is turned away. */
static void calls_stay(void **state)
{
    (void)state;
    start();
    kit.holds = true;
    int fds[MOST];
    for (int i = 0; i < MOST; i++) {
        fds[i] = kit_connect_from(&kit, (uint32_t)(1 + i / OF_ADDRESS));
        kit_say(fds[i], GET_1);
        KIT_UNTIL(&kit, kit.n_held == (size_t)i + 1);
    }
    for (uint32_t from = 1; from < 5; from++) {
        got = (struct got){ 0 };
        int fd = kit_connect_from(&kit, from);
        GOT_UNTIL(&kit, &got, fd, got.is_closed);
        assert_int_equal(got_status(&got), 503);
        close(fd);
    }
    assert_int_equal(http_server_turned_away(kit.server), 4);
    for (int i = 0; i < MOST; i++)
        kit_answer(&kit, kit.held[i]);
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_CALL]) == NULL);
    kit.holds = false;
    is_answered(1);
    close_all(fds, MOST);
}

/* Who does not take an answer goes too, but behind those that have none. */
static void slow_readers_go_last(void **state)
{
    (void)state;
    static char big[16 << 20];
    memset(big, 'x', sizeof big);
    start();
    kit.big = big;
    kit.n_big = sizeof big;
    int fds[OF_ADDRESS];
    for (int i = 0; i < OF_ADDRESS - 1; i++) {
        const struct connection *last = place_last(&kit.server->places[PLACE_WRITING]);
        fds[i] = kit_connect(&kit);
        kit_say(fds[i], GET_1);
        KIT_UNTIL(&kit, place_last(&kit.server->places[PLACE_WRITING]) != last);
    }
    kit.big = NULL;
    fds[OF_ADDRESS - 1] = come(1, HALF);
    const struct connection *first = place_first(&kit.server->places[PLACE_WRITING]);
    is_answered(1); /* in place of the half request */
    KIT_UNTIL(&kit, is_closed(fds[OF_ADDRESS - 1]));
    assert_ptr_equal(place_first(&kit.server->places[PLACE_WRITING]), first);
    int one = kit_connect(&kit); /* nothing but the half one and answers from now on */
    kit.holds = true;
    kit_say(one, GET_1);
    KIT_UNTIL(&kit, kit.n_held == 1);
    kit.holds = false;
    KIT_UNTIL(&kit, http_server_connections(kit.server) == OF_ADDRESS);
    is_answered(1);
    assert_ptr_not_equal(place_first(&kit.server->places[PLACE_WRITING]), first);
    kit_answer(&kit, kit.held[0]);
    close(one);
    close_all(fds, OF_ADDRESS);
}

/* A storm from one address: each that asks at once is read before newer ones can take its place. */
static void a_storm_is_served(void **state)
{
    (void)state;
    enum { MANY = 60 };
    kit.options.makes_room = true;
    kit.options.max_connections = 64;
    kit.options.max_connections_per_address = 16;
    kit_start(&kit, "127.0.0.1:0");
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = kit_connect(&kit);
        kit_say(fds[i], i % 2 ? GET_1 : HALF);
    }
    KIT_UNTIL(&kit, kit.n_requests == MANY / 2);
    close_all(fds, MANY);
}

/* A unix socket has no address and no cap by one; when all is full its longest waiting goes. */
static void unix_sockets_make_room(void **state)
{
    (void)state;
    char folder[] = "/tmp/anchorage-room-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s/s", folder);
    start();
    char address[128];
    snprintf(address, sizeof address, "unix:%s", to.sun_path);
    struct buffer why = { 0 };
    assert_true(http_server_listen(kit.server, address, &why));
    int fds[MOST + 2], tcp = come(1, HALF);
    for (int i = 0; i < MOST + 2; i++) {
        const struct connection *last = place_last(&kit.server->places[PLACE_HEADER]);
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(fds[i], (struct sockaddr *)&to, sizeof to), errno);
        kit_say(fds[i], HALF);
        KIT_UNTIL(&kit, place_last(&kit.server->places[PLACE_HEADER]) != last);
    }
    assert_true(is_closed(fds[0]) && is_closed(fds[2]) && !is_closed(fds[MOST + 1]) && !is_closed(tcp));
    is_answered(2);
    assert_int_equal(http_server_turned_away(kit.server), 0);
    close(tcp);
    close_all(fds, MOST + 2);
    http_server_drain(kit.server, kit_on_drained, &kit); /* removes the file */
    rmdir(folder);
}

/* ---- the other options ---- */

/* Those that are idle already have the new time, whether it is shorter or longer. */
static void idle_time_changes(void **state)
{
    (void)state;
    kit.options.idle_ms = 10000;
    kit_start(&kit, "127.0.0.1:0");
    int fds[3];
    connect_all(fds, 2);
    kit_run_ms(&kit, 5);
    http_server_set_idle(kit.server, 100000);
    assert_in_range(place_first(&kit.server->places[PLACE_IDLE])->deadline_ms - clock_monotonic_ms(), 50000, 100000);
    http_server_set_idle(kit.server, 60);
    fds[2] = kit_connect(&kit);
    int64_t since_ms = clock_monotonic_ms();
    KIT_UNTIL(&kit, is_closed(fds[0]) && is_closed(fds[1]) && is_closed(fds[2]));
    assert_in_range(clock_monotonic_ms() - since_ms, 30, 2000);
    close_all(fds, 3);
}

static void idle_time_by_default(void **state)
{
    (void)state;
    kit_start(&kit, "127.0.0.1:0");
    assert_int_equal(kit.server->places[PLACE_IDLE].lasts_ms, 75000);
    int fd;
    connect_all(&fd, 1);
    http_server_drain(kit.server, kit_on_drained, &kit);
    http_server_set_idle(kit.server, 100000);
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    close(fd);
}

static void options_say_what_is_allowed(void **state)
{
    (void)state;
    static const char *const asks[] = { "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PUT / HTTP/1.1\r\nHost: x\r\n\r\n" };
    kit.options.allow = S("GET, HEAD, OPTIONS");
    kit_start(&kit, "127.0.0.1:0");
    for (int i = 0; i < 2; i++) {
        got = (struct got){ 0 };
        int fd = kit_connect(&kit);
        kit_say(fd, asks[i]);
        GOT_UNTIL(&kit, &got, fd, got_answers(&got) == 1);
        assert_non_null(strstr(got.p, "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
        close(fd);
    }
}

/* Where no old program asks. */
static void a_strict_side_is_strict(void **state)
{
    (void)state;
    static const char *const asks[] = { "GET / HTTP/1.1\nHost: x\n\n" GET_1,
                                        "GET /?a b HTTP/1.1\r\nHost: x\r\n\r\n" GET_1,
                                        "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" GET_1 };
    kit.options.is_strict = true;
    kit_start(&kit, "127.0.0.1:0");
    for (int i = 0; i < 3; i++) {
        got = (struct got){ 0 };
        int fd = kit_connect(&kit);
        kit_say(fd, asks[i]);
        GOT_UNTIL(&kit, &got, fd, got.is_closed);
        assert_int_equal(got_status(&got), 400);
        assert_int_equal(got_answers(&got), 1);
        close(fd);
    }
    assert_int_equal(kit.n_requests, 0);
    int fd = kit_connect(&kit);
    kit_say(fd, GET_1);
    KIT_UNTIL(&kit, kit.n_requests == 1);
    close(fd);
}

/* ---- the mode of a socket file ---- */

static const char *watched;
static mode_t mode_at_bind, mode_at_listen;

static mode_t mode_of(const char *path)
{
    struct stat st;
    return path && lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

/* In front of the C library's. */
int bind(int fd, const struct sockaddr *address, socklen_t n)
{
    int done = (int)syscall(SYS_bind, fd, address, n);
    mode_at_bind = mode_of(watched);
    return done;
}

int listen(int fd, int backlog)
{
    mode_at_listen = mode_of(watched);
    return (int)syscall(SYS_listen, fd, backlog);
}

/* Whatever the umask; and never, not before it can be connected to either, is it wider than what was asked for. */
static void socket_files_have_their_mode(void **state)
{
    (void)state;
    static const struct row {
        mode_t umask, mode, is;
    } rows[] = {
        { 077, 0666, 0666 }, { 0, 0600, 0600 }, { 022, 0660, 0660 }, { 0777, 0777, 0777 },
        { 0, 0, 0777 },      { 027, 0, 0750 },  { 077, 0, 0700 },
    };
    char folder[] = "/tmp/anchorage-room-XXXXXX", path[64], address[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    watched = path;
    kit_start(&kit, NULL);
    mode_t before = umask(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_options options = kit.options;
        options.unix_mode = rows[i].mode;
        struct http_server *s = http_server_new(kit.base, &options);
        struct buffer why = { 0 };
        umask(rows[i].umask);
        assert_true(http_server_listen(s, address, &why));
        umask(0);
        if (mode_of(path) != rows[i].is || mode_at_listen != rows[i].is || mode_at_bind & ~rows[i].is)
            fail_msg("row %zu: %o at bind, %o at listen, %o then", i, mode_at_bind, mode_at_listen, mode_of(path));
        http_server_free(s);
    }
    umask(before);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_makes_room_for_itself, begin, end),
        cmocka_unit_test_setup_teardown(the_busiest_makes_room, begin, end),
        cmocka_unit_test_setup_teardown(calls_stay, begin, end),
        cmocka_unit_test_setup_teardown(slow_readers_go_last, begin, end),
        cmocka_unit_test_setup_teardown(a_storm_is_served, begin, end),
        cmocka_unit_test_setup_teardown(unix_sockets_make_room, begin, end),
        cmocka_unit_test_setup_teardown(idle_time_changes, begin, end),
        cmocka_unit_test_setup_teardown(idle_time_by_default, begin, end),
        cmocka_unit_test_setup_teardown(options_say_what_is_allowed, begin, end),
        cmocka_unit_test_setup_teardown(a_strict_side_is_strict, begin, end),
        cmocka_unit_test_setup_teardown(socket_files_have_their_mode, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
