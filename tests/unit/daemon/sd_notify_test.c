/* SPDX-License-Identifier: MIT
 * What a supervisor is told, seen from its end of the socket. */
#include "tests/unit/kit.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "proxy/daemon/sd_notify.h"

static struct event_base *base;
static struct sd_notify notify;
static struct buffer why;
static int supervisor;
static char said[4096];

/* Bind the supervisor's end; with '@' the name is in no file system. */
static void listen_at(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strncpy(a.sun_path, name, sizeof a.sun_path - 1);
    if (name[0] == '@')
        a.sun_path[0] = '\0';
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(supervisor, (const struct sockaddr *)&a, n), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram, which is there already; NULL when there is none. */
static const char *next(void)
{
    ssize_t n = recv(supervisor, said, sizeof said - 1, MSG_DONTWAIT);
    if (n < 0)
        return NULL;
    said[n] = '\0';
    return said;
}

static int begin(void **state)
{
    (void)state;
    kit_begin();
    base = event_base_new();
    notify = (struct sd_notify){ .fd = -1 };
    supervisor = -1;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static int end(void **state)
{
    (void)state;
    sd_notify_end(&notify);
    sd_notify_end(&notify); /* as often as one likes */
    event_base_free(base);
    if (supervisor >= 0)
        close(supervisor);
    buffer_clear(&why);
    kit_end();
    return 0;
}

static void expect_all(void)
{
    assert_null(getenv("NOTIFY_SOCKET"));
    sd_notify_ready(&notify, "serving");
    assert_string_equal(next(), "READY=1\nSTATUS=serving");
    int64_t before_us = clock_monotonic_us();
    sd_notify_reloading(&notify);
    long long at_us = 0;
    assert_int_equal(sscanf(next(), "RELOADING=1\nMONOTONIC_USEC=%lld", &at_us), 1);
    assert_in_range(at_us, before_us, clock_monotonic_us());
    sd_notify_stopping(&notify, 30000, "draining");
    assert_string_equal(next(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000\nSTATUS=draining");
    assert_null(next());
}

static void a_supervisor_is_told(void **state)
{
    (void)state;
    listen_at(kit_path("notify"));
    assert_true(sd_notify_start(&notify, base, &why));
    expect_all();
}

static void a_supervisor_without_a_file_is_told(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "@anchorage-test-%d", (int)getpid());
    listen_at(name);
    assert_true(sd_notify_start(&notify, base, &why));
    expect_all();
}

static void without_a_supervisor_nothing_happens(void **state)
{
    (void)state;
    assert_true(sd_notify_start(&notify, base, &why));
    assert_int_equal(notify.fd, -1);
    sd_notify_ready(&notify, "serving");
    sd_notify_reloading(&notify);
    sd_notify_stopping(&notify, 1, "");
    setenv("NOTIFY_SOCKET", "", 1);
    assert_true(sd_notify_start(&notify, base, &why));
    assert_int_equal(notify.fd, -1);
    assert_int_equal(why.n, 0);
}

/* It may end before us, or never have been there. */
static void a_supervisor_that_is_gone_is_no_trouble(void **state)
{
    (void)state;
    listen_at(kit_path("notify"));
    assert_true(sd_notify_start(&notify, base, &why));
    close(supervisor);
    supervisor = -1;
    sd_notify_ready(&notify, "serving");
    assert_int_equal(unlink(kit_path("notify")), 0);
    sd_notify_ready(&notify, "serving");
}

static void an_address_that_is_none_is_said(void **state)
{
    (void)state;
    char path[200] = "/";
    memset(path + 1, 'x', sizeof path - 2);
    const char *const names[] = { "notify", "/", "@", "vsock:2:1234", path };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_false(sd_notify_start(&notify, base, &why));
        assert_int_equal(notify.fd, -1);
        kit_expect_in(&why, "an absolute path or @NAME is expected");
    }
}

/* ---- the watchdog ---- */

static void start_watched(const char *us, int pid_of)
{
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid() + pid_of);
    setenv("WATCHDOG_USEC", us, 1);
    setenv("WATCHDOG_PID", pid, 1);
    setenv("NOTIFY_SOCKET", kit_path("notify"), 1);
    sd_notify_end(&notify);
    assert_true(sd_notify_start(&notify, base, &why));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
}

static void the_watchdog_gets_a_sign_of_life_twice_in_its_time(void **state)
{
    (void)state;
    listen_at(kit_path("notify"));
    int64_t began_us = clock_monotonic_us();
    start_watched("20000", 0);
    for (int i = 0; i < 3; i++) {
        event_base_loop(base, EVLOOP_ONCE);
        assert_string_equal(next(), "WATCHDOG=1");
    }
    assert_true(clock_monotonic_us() - began_us >= 3 * 10000 - 2000);
}

static void a_watchdog_of_others_gets_none(void **state)
{
    (void)state;
    static const char *const none[] = { "0", "", "-5", "soon", "99999999999999999999", "18446744073709551615" };
    listen_at(kit_path("notify"));
    start_watched("20000", 1);
    assert_null(notify.watchdog);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        start_watched(none[i], 0);
        assert_null(notify.watchdog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_supervisor_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_supervisor_without_a_file_is_told, begin, end),
        cmocka_unit_test_setup_teardown(without_a_supervisor_nothing_happens, begin, end),
        cmocka_unit_test_setup_teardown(a_supervisor_that_is_gone_is_no_trouble, begin, end),
        cmocka_unit_test_setup_teardown(an_address_that_is_none_is_said, begin, end),
        cmocka_unit_test_setup_teardown(the_watchdog_gets_a_sign_of_life_twice_in_its_time, begin, end),
        cmocka_unit_test_setup_teardown(a_watchdog_of_others_gets_none, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
