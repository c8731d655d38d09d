/* SPDX-License-Identifier: MIT
 * Sockets that a supervisor hands in. Descriptors from 3 on are taken for it, so this test runs in children that have
 * none of their own there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/daemon/socket_activation.h"

enum { FIRST = 3, GOOD = 0, BAD = 1 };

/* What a child finds, and what it did wrong. */
static struct socket_activation found;
static struct buffer why;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s; %.*s\n", __FILE__, __LINE__, #condition, SLICE_ARGS(buffer_slice(&why)));      \
            return BAD;                                                                                                \
        }                                                                                                              \
    } while (0)

static bool says(const char *part)
{
    buffer_put(&why, '\0');
    bool does = strstr(why.p, part);
    why.n--;
    return does;
}

/* Run `play` in a child that has `n` descriptors from 3 on, $LISTEN_FDS and $LISTEN_FDNAMES as given (NULL: not set)
 * and, unless `is_others`, its own number in $LISTEN_PID. */
static void hand_in(int n, const char *fds, const char *names, bool is_others, int (*play)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char pid[32];
        for (int fd = FIRST; fd < FIRST + 80; fd++)
            close(fd);
        for (int i = 0; i < n; i++)
            if (open("/dev/null", O_RDONLY) != FIRST + i)
                _exit(BAD);
        snprintf(pid, sizeof pid, "%d", (int)getpid() + is_others);
        setenv("LISTEN_PID", pid, 1);
        fds ? setenv("LISTEN_FDS", fds, 1) : unsetenv("LISTEN_FDS");
        names ? setenv("LISTEN_FDNAMES", names, 1) : unsetenv("LISTEN_FDNAMES");
        int status = play();
        socket_activation_end(&found);
        buffer_clear(&why);
        _exit(status);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* ---- good ones ---- */

static int three_for_two_options(void)
{
    CHECK(socket_activation_find(&found, &why) && found.n == 3);
    CHECK(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
    for (int i = 0; i < 3; i++)
        CHECK(fcntl(FIRST + i, F_GETFD) == FD_CLOEXEC);
    CHECK(!socket_activation_all_taken(&found, &why) && says("a socket is handed in for admin, which is not served"));
    CHECK(socket_activation_take(&found, "listen") == 4);
    CHECK(socket_activation_take(&found, "listen") == 5);
    CHECK(socket_activation_take(&found, "listen") == -1);
    CHECK(socket_activation_take(&found, "listen_tls") == -1);
    CHECK(!socket_activation_all_taken(&found, &why));
    CHECK(socket_activation_take(&found, "admin") == 3);
    CHECK(socket_activation_all_taken(&found, &why));
    socket_activation_end(&found);
    CHECK(is_open(3) && is_open(4) && is_open(5)); /* they belong to those that took them */
    return GOOD;
}

static int one_without_a_name(void)
{
    CHECK(socket_activation_find(&found, &why) && found.n == 1);
    CHECK(socket_activation_take(&found, "listen") == 3);
    return GOOD;
}

static int what_nobody_takes_is_closed(void)
{
    CHECK(socket_activation_find(&found, &why) && found.n == 2);
    CHECK(socket_activation_take(&found, "listen_tls") == 3);
    socket_activation_end(&found);
    CHECK(is_open(3) && !is_open(4));
    return GOOD;
}

static int as_many_as_may_be(void)
{
    CHECK(socket_activation_find(&found, &why) && found.n == SOCKET_ACTIVATION_MAX);
    return GOOD;
}

static void sockets_are_for_the_options_they_name(void **state)
{
    (void)state;
    hand_in(3, "3", "admin:http:http", false, three_for_two_options);
    hand_in(1, "1", NULL, false, one_without_a_name);
    hand_in(2, "2", "tls:http", false, what_nobody_takes_is_closed);
    hand_in(64, "64", NULL, false, as_many_as_may_be);
}

/* ---- none ---- */

static int none(void)
{
    CHECK(socket_activation_find(&found, &why) && found.n == 0 && why.n == 0);
    CHECK(socket_activation_take(&found, "listen") == -1);
    CHECK(socket_activation_all_taken(&found, &why));
    CHECK(!getenv("LISTEN_FDS"));
    return GOOD;
}

static void those_of_others_are_left_alone(void **state)
{
    (void)state;
    hand_in(1, "1", "http", true, none);
    hand_in(0, NULL, NULL, false, none);
    hand_in(0, "0", "", false, none);
    hand_in(1, "one", "http", false, none);
    hand_in(1, "-1", "http", false, none);
    hand_in(1, "99999999999999999999", "http", false, none);
}

/* ---- bad ones ---- */

static int a_name_that_is_not_known(void)
{
    CHECK(!socket_activation_find(&found, &why));
    CHECK(says("a socket named \"https\" is handed in as descriptor 4"));
    CHECK(!getenv("LISTEN_FDNAMES"));
    return GOOD;
}

static int a_name_that_is_missing(void)
{
    CHECK(!socket_activation_find(&found, &why));
    CHECK(says("a socket named \"\" is handed in as descriptor 4"));
    return GOOD;
}

static int a_descriptor_that_is_not_there(void)
{
    CHECK(!socket_activation_find(&found, &why));
    return GOOD;
}

static int too_many(void)
{
    CHECK(!socket_activation_find(&found, &why));
    CHECK(says("LISTEN_FDS: 65 sockets are handed in; at most 64"));
    return GOOD;
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    hand_in(2, "2", "http:https", false, a_name_that_is_not_known);
    hand_in(2, "2", "http", false, a_name_that_is_missing);
    hand_in(1, "2", "http:http", false, a_descriptor_that_is_not_there);
    hand_in(0, "65", NULL, false, too_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_for_the_options_they_name),
        cmocka_unit_test(those_of_others_are_left_alone),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
