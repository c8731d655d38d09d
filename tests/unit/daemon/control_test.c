/* SPDX-License-Identifier: MIT
 * The control socket from both ends: questions in their turn, answers in portions, clients that send something else. */
#include "tests/unit/kit.h"

#include <event2/event.h>
#include <pthread.h>
#include <sys/socket.h>

#include "proxy/daemon/control.h"
#include "proxy/daemon/control_wire.h"

enum { CLIENTS = 14, BUSY = 8 };

static struct {
    struct event_base *base;
    struct control *control;
    int n_asked;
    char words[CLIENTS][64]; /* of each question, in the order they were begun */
    ledger_command_done *done[CLIENTS];
    void *done_context[CLIENTS];
} scene;

static void take_command(void *context, int argc, const char *const *argv, ledger_command_done *done,
                         void *done_context)
{
    assert_ptr_equal(context, &scene);
    assert_true(scene.n_asked < CLIENTS);
    struct buffer words = { 0 };
    for (int i = 0; i < argc; i++)
        buffer_printf(&words, "%s/", argv[i]);
    snprintf(scene.words[scene.n_asked], sizeof scene.words[0], "%.*s", SLICE_ARGS(buffer_slice(&words)));
    buffer_clear(&words);
    scene.done[scene.n_asked] = done;
    scene.done_context[scene.n_asked++] = done_context;
}

static int begin(void **state)
{
    (void)state;
    struct buffer why = { 0 };
    memset(&scene, 0, sizeof scene);
    kit_begin();
    scene.base = event_base_new();
    assert_false(control_is_there(kit_folder));
    scene.control = control_new(scene.base, kit_folder, NULL, &why);
    assert_non_null(scene.control);
    control_serve(scene.control, "word", take_command, &scene);
    assert_true(control_is_there(kit_folder));
    return 0;
}

static int end(void **state)
{
    (void)state;
    control_free(scene.control);
    assert_false(control_is_there(kit_folder));
    assert_int_not_equal(access(kit_path("control.sock"), F_OK), 0);
    event_base_free(scene.base);
    kit_end();
    return 0;
}

/* ---- a client of raw bytes ---- */

static int connect_to(void)
{
    struct sockaddr_un address;
    assert_true(control_address(&address, kit_folder));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_bytes(int fd, const struct buffer *b)
{
    assert_int_equal(send(fd, b->p, b->n, MSG_NOSIGNAL), b->n);
}

static void put_question(struct buffer *b, uint32_t n, const struct slice *words)
{
    b->n = 0;
    control_put_part(b, slice_of((const char *)&n, sizeof n));
    for (uint32_t i = 0; i < n; i++)
        control_put_part(b, words[i]);
    control_put_part(b, S("input"));
}

static void loop_until_asked(int n)
{
    while (scene.n_asked < n)
        event_base_loop(scene.base, EVLOOP_ONCE);
    assert_int_equal(scene.n_asked, n);
}

static void loop_a_little(void)
{
    for (int i = 0; i < 20; i++)
        event_base_loop(scene.base, EVLOOP_NONBLOCK);
}

/* The loop runs until the other end has closed. */
static void expect_closed(int fd)
{
    char byte;
    ssize_t n;
    while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0)
        event_base_loop(scene.base, EVLOOP_NONBLOCK);
    assert_int_equal(n, 0);
    close(fd);
}

static void answer(int i, int status, struct slice out, struct slice err, int64_t next)
{
    const struct ledger_answer a = { .status = status, .out = out, .err = err, .next = next };
    scene.done[i](scene.done_context[i], &a);
}

static void questions_wait_for_their_turn(void **state)
{
    (void)state;
    int fd[CLIENTS];
    struct buffer question = { 0 };
    for (int i = 0; i < CLIENTS; i++) {
        char number[8];
        snprintf(number, sizeof number, "%d", i);
        put_question(&question, 2, (const struct slice[]){ S("word"), slice_str(number) });
        fd[i] = connect_to();
        send_bytes(fd[i], &question);
        loop_a_little();
    }
    loop_until_asked(BUSY);
    close(fd[BUSY]); /* this one does not wait any longer, but that is seen when it has its turn */
    for (int i = 0; i < CLIENTS; i++) {
        loop_until_asked(BUSY + i < CLIENTS ? BUSY + i : CLIENTS);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "word/%d/", i);
        assert_string_equal(scene.words[i], wanted); /* the one that has waited longest */
        answer(i, 0, S("yes"), S(""), 0);
        if (i != BUSY) {
            char bytes[64];
            ssize_t n;
            while ((n = recv(fd[i], bytes, sizeof bytes, MSG_DONTWAIT)) < 0)
                event_base_loop(scene.base, EVLOOP_NONBLOCK);
            assert_int_equal(n, 3 * 4 + 4 + 3);
            expect_closed(fd[i]);
        } else {
            loop_a_little();
        }
    }
    buffer_clear(&question);
}

static void what_is_no_question_is_cut_off(void **state)
{
    (void)state;
    static const struct slice none[] = {
        SLICE("GET / HTTP/1.1\r\n\r\n"),
        SLICE("\4\0\0\0\0\0\0\0\0\0\0\0"), /* no word */
        SLICE("\4\0\0\0\101\0\0\0"),       /* 65 words */
        SLICE("\4\0\0\0\377\377\377\377"), /* very many */
        SLICE("\5\0\0\0\1\0\0\0\0"),       /* a number of another length */
        SLICE("\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        int fd = connect_to();
        assert_int_equal(send(fd, none[i].p, none[i].n, MSG_NOSIGNAL), none[i].n);
        expect_closed(fd);
    }
    int fd = connect_to(); /* half of one */
    assert_int_equal(send(fd, "\4\0\0\0\1\0\0\0\4\0\0\0wo", 14, MSG_NOSIGNAL), 14);
    loop_a_little();
    shutdown(fd, SHUT_WR);
    expect_closed(fd);
    assert_int_equal(scene.n_asked, 0);
}

static void a_question_may_come_in_pieces(void **state)
{
    (void)state;
    struct buffer question = { 0 };
    put_question(&question, 3, (const struct slice[]){ S("word"), S(""), S("two words") });
    int fd = connect_to();
    for (size_t i = 0, n = 8; i < question.n; i += n, n = 1) { /* the number of words first */
        assert_int_equal(scene.n_asked, 0);
        assert_int_equal(send(fd, question.p + i, n, MSG_NOSIGNAL), n);
        loop_a_little();
    }
    loop_until_asked(1);
    assert_string_equal(scene.words[0], "word//two words/");
    answer(0, 0, S(""), S(""), 0);
    loop_a_little();
    close(fd);
    buffer_clear(&question);
}

/* ---- a command ---- */

struct asking {
    enum control_result result;
    int status, n_portions;
    struct buffer out, err;
    bool leaves; /* after the first portion */
};

static bool count_portion(void *context, struct buffer *out, struct buffer *err)
{
    struct asking *a = context;
    (void)out, (void)err;
    a->n_portions++;
    return !a->leaves;
}

static void *ask_daemon(void *context)
{
    struct asking *a = context;
    a->result = control_ask(kit_folder, 1, (const char *const[]){ "word" }, S(""), count_portion, a, &a->status,
                            &a->out, &a->err);
    return NULL;
}

static void an_answer_comes_in_portions(void **state)
{
    (void)state;
    struct asking a = { .status = 9 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_daemon, &a), 0);
    loop_until_asked(1);
    answer(0, 0, S("one "), S(""), 7);
    loop_until_asked(2); /* it goes on when the first portion has gone */
    answer(1, 0, S("two "), S("a word "), 8);
    loop_until_asked(3);
    answer(2, 1, S("three"), S("of warning"), 0);
    loop_a_little();
    pthread_join(thread, NULL);
    assert_int_equal(a.result, CONTROL_DONE);
    assert_int_equal(a.status, 1);
    assert_int_equal(a.n_portions, 2);
    kit_expect(&a.out, "one two three");
    kit_expect(&a.err, "a word of warning");
}

static void a_reader_that_leaves_ends_it_well(void **state)
{
    (void)state;
    struct asking a = { .status = 9, .leaves = true };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_daemon, &a), 0);
    loop_until_asked(1);
    answer(0, 1, S("one "), S(""), 7);
    loop_until_asked(2);
    pthread_join(thread, NULL);
    assert_int_equal(a.result, CONTROL_DONE);
    assert_int_equal(a.status, 0);
    kit_expect(&a.out, "one ");
    buffer_clear(&a.err);
}

static void a_daemon_that_ends_meanwhile_is_said(void **state)
{
    (void)state;
    struct buffer why = { 0 };
    struct asking a = { .status = 9 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_daemon, &a), 0);
    loop_until_asked(1);
    control_free(scene.control);
    pthread_join(thread, NULL);
    assert_int_equal(a.result, CONTROL_BROKEN);
    kit_expect(&a.err, "anchorage: the daemon did not answer; see its log\n");
    ask_daemon(&a);
    assert_int_equal(a.result, CONTROL_NO_DAEMON);
    scene.control = control_new(scene.base, kit_folder, NULL, &why);
    assert_non_null(scene.control);
    buffer_clear(&a.out);
    buffer_clear(&a.err);
}

static void a_folder_with_a_long_name_has_no_socket(void **state)
{
    (void)state;
    char folder[200];
    struct buffer why = { 0 };
    memset(folder, 'x', sizeof folder - 1);
    folder[sizeof folder - 1] = '\0';
    assert_null(control_new(scene.base, folder, NULL, &why));
    kit_expect_in(&why, " is too long for a socket in it (107 bytes in all)");
    assert_false(control_is_there(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions_wait_for_their_turn, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_question_is_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(a_question_may_come_in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_comes_in_portions, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_that_leaves_ends_it_well, begin, end),
        cmocka_unit_test_setup_teardown(a_daemon_that_ends_meanwhile_is_said, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_with_a_long_name_has_no_socket, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
