/* SPDX-License-Identifier: MIT
 * Who is sent away hears why, however many come at once, and also when there is no thread to be had. Linked so that
 * pthread_create can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/http/doorman.h"

#define UNUSED __attribute__((unused))

enum { MANY = 200 }; /* more than wait for it at most */

static int clients[MANY];
static bool no_thread;

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *context);

static struct {
    void *(*run)(void *);
    void *context;
} held;
static pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;

static void *run_when_let_go(void *context)
{
    pthread_mutex_lock(&hold);
    pthread_mutex_unlock(&hold);
    return context ? NULL : held.run(held.context);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *context)
{
    held.run = run;
    held.context = context;
    return no_thread ? EAGAIN : __real_pthread_create(t, a, run_when_let_go, NULL);
}

/* Each has asked already. */
static void come(struct doorman *d, int n, bool is_tls)
{
    int both[2];
    for (int i = 0; i < n; i++) {
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), errno);
        assert_int_equal(send(both[0], "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
        clients[i] = both[0];
        doorman_turn_away(d, both[1], is_tls, S("X-Number: 1\r\n"));
    }
    doorman_go(d);
}

/* What is there and the end, or the test's own end. */
static void hear(int fd, char *text, size_t room)
{
    ssize_t n;
    size_t got = 0;
    while ((n = recv(fd, text + got, room - 1 - got, 0)) > 0)
        got += (size_t)n;
    assert_return_code(n, errno);
    text[got] = '\0';
    close(fd);
}

static void assert_all_hear(int n)
{
    char text[1024];
    for (int i = 0; i < n; i++) {
        hear(clients[i], text, sizeof text);
        assert_ptr_equal(strstr(text, "HTTP/1.1 503 "), text);
        assert_non_null(strstr(text, "\r\nX-Number: 1\r\n"));
        const char *body = strstr(text, "\r\n\r\n");
        unsigned long length = 0;
        assert_non_null(body);
        assert_int_equal(sscanf(strstr(text, "Content-Length:"), "Content-Length: %lu", &length), 1);
        assert_int_equal(strlen(body + 4), length);
    }
}

static void many_are_sent_away(UNUSED void **state)
{
    struct doorman *d = doorman_new();
    pthread_mutex_lock(&hold); /* the thread has not begun */
    come(d, MANY, false);
    pthread_mutex_unlock(&hold);
    assert_all_hear(MANY);
    come(d, MANY, false);
    assert_all_hear(MANY);
    doorman_free(d);
}

static void none_is_left_behind(UNUSED void **state)
{
    for (int i = 0; i < 50; i++) {
        struct doorman *d = doorman_new();
        come(d, 5, false);
        doorman_free(d);
        assert_all_hear(5);
    }
}

static void tls_is_closed_without_a_word(UNUSED void **state)
{
    char text[64];
    struct doorman *d = doorman_new();
    come(d, 1, true);
    hear(clients[0], text, sizeof text);
    assert_string_equal(text, "");
    doorman_free(d);
}

static void without_a_thread(UNUSED void **state)
{
    struct doorman *d = doorman_new();
    no_thread = true;
    come(d, 3, false);
    no_thread = false;
    assert_all_hear(3);
    doorman_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_sent_away),
        cmocka_unit_test(none_is_left_behind),
        cmocka_unit_test(tls_is_closed_without_a_word),
        cmocka_unit_test(without_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
