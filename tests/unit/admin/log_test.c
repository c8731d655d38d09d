/* SPDX-License-Identifier: MIT
 * The log on descriptors that take everything, little, or nothing. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "proxy/admin/log.h"

enum { LINE = 1000 };

struct play {
    struct event_base *base;
    struct log log;
    int ends[2]; /* read, write */
};

static void begin(struct play *p, bool is_socket)
{
    *p = (struct play){ .base = event_base_new() };
    int ends[2];
    assert_int_equal(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
    p->ends[0] = ends[0];
    p->ends[1] = ends[1];
    assert_true(log_open(&p->log, p->base, p->ends[1]));
}

static void end(struct play *p)
{
    log_close(&p->log);
    event_base_free(p->base);
    if (p->ends[0] >= 0)
        close(p->ends[0]);
    close(p->ends[1]);
}

static void say(struct play *p, int number, size_t length)
{
    struct buffer *line = log_begin(&p->log);
    buffer_i64(line, number);
    for (size_t i = 0; i < length; i++)
        buffer_put(line, '.');
    log_end(&p->log);
}

/* All that can be read until the log has nothing left. */
static void read_all(struct play *p, struct buffer *text)
{
    fcntl(p->ends[0], F_SETFL, O_NONBLOCK);
    for (;;) {
        char *to = buffer_reserve(text, 65536);
        ssize_t n = read(p->ends[0], to, 65536);
        if (n > 0)
            text->n += (size_t)n;
        else if (p->log.sent < p->log.waiting.n)
            event_base_loop(p->base, EVLOOP_ONCE);
        else
            return;
    }
}

static void lines_come_in_order(void **state)
{
    (void)state;
    for (int is_socket = 0; is_socket < 2; is_socket++) {
        struct play p;
        struct buffer text = { 0 };
        begin(&p, is_socket);
        say(&p, 1, 2);
        say(&p, 2, 0);
        log_flush(&p.log);
        read_all(&p, &text);
        assert_true(slice_eq(buffer_slice(&text), S("1..\n2\n")));
        assert_int_equal(p.log.lost, 0);
        buffer_clear(&text);
        end(&p);
    }
}

/* Nothing waits though nobody reads; the descriptor that others share stays as it was. */
static void a_full_pipe_stalls_nobody(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct play p;
        struct buffer text = { 0 };
        begin(&p, kind == 1);
        if (kind == 2 && p.log.reopened >= 0) { /* as where there is no /proc */
            struct event *drains = event_new(p.base, p.ends[1], EV_WRITE, event_get_callback(p.log.drains), &p.log);
            event_free(p.log.drains);
            close(p.log.reopened);
            p.log.drains = drains;
            p.log.reopened = -1;
            p.log.fd = p.ends[1];
        }
        alarm(20); /* what waits for a reader waits for ever */
        int n = 0;
        for (; p.log.lost < 10; n++) {
            say(&p, n, LINE);
            log_flush(&p.log);
        }
        assert_true(p.log.waiting.n <= LOG_ROOM);
        assert_int_equal(fcntl(p.ends[1], F_GETFL) & O_NONBLOCK, 0);
        read_all(&p, &text);
        alarm(0);
        struct slice rest = buffer_slice(&text), last = rest;
        int lines = 0;
        for (; rest.n; lines++) {
            last = slice_split(rest, '\n', &rest);
            int64_t number;
            if (lines < n - 10) {
                assert_true(parse_i64(slice_of(last.p, slice_find(last, '.')), &number));
                assert_int_equal(number, lines);
            }
        }
        assert_int_equal(lines, n - 10 + 1);
        assert_true(slice_eq(last, S("anchorage: 10 lines of this log were lost, for nobody took them")));
        /* It is said once. */
        text.n = 0;
        say(&p, 7, 0);
        log_flush(&p.log);
        read_all(&p, &text);
        assert_true(slice_eq(buffer_slice(&text), S("7\n")));
        buffer_clear(&text);
        end(&p);
    }
}

static void a_reader_that_is_gone(void **state)
{
    (void)state;
    struct play p;
    begin(&p, false);
    close(p.ends[0]);
    p.ends[0] = -1;
    say(&p, 1, 0);
    say(&p, 2, 0);
    log_flush(&p.log);
    assert_int_equal(p.log.lost, 2);
    assert_int_equal(p.log.waiting.n, 0);
    end(&p);
}

static void a_line_too_long_is_lost_whole(void **state)
{
    (void)state;
    struct play p;
    struct buffer text = { 0 };
    begin(&p, false);
    say(&p, 1, 0);
    say(&p, 2, LOG_ROOM);
    say(&p, 3, 0);
    log_flush(&p.log);
    read_all(&p, &text);
    assert_true(
        slice_eq(buffer_slice(&text), S("1\n3\nanchorage: 1 lines of this log were lost, for nobody took them\n")));
    buffer_clear(&text);
    end(&p);
}

static void expect_text(struct slice s, const char *json)
{
    struct buffer b = { 0 };
    log_text(&b, s);
    buffer_put(&b, '\0');
    assert_string_equal(b.p, json);
    buffer_clear(&b);
}

static void texts(void **state)
{
    (void)state;
    expect_text(S(""), "\"\"");
    expect_text(slice_of(NULL, 0), "\"\"");
    expect_text(S("a\"\\\n\x01"), "\"a\\\"\\\\\\n\\u0001\"");
    expect_text(S("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    expect_text(S("\x7F\xC2\x9B\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\x90"),
                "\"\\u007f\\u009b\\u2028\\u2029\\u202a\xE2\x80\x90\"");
    expect_text(S("a\xFF\xC3"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    expect_text(S("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void long_texts_are_cut_at_a_character(void **state)
{
    (void)state;
    char text[LOG_MAX_TEXT + 1];
    struct buffer b = { 0 };
    memset(text, 'x', sizeof text);
    memcpy(text + LOG_MAX_TEXT - 1, "\xC3\xA4", 2);
    log_text(&b, slice_of(text, sizeof text));
    assert_int_equal(b.n, LOG_MAX_TEXT - 1 + 3 + 2);
    assert_int_equal(utf8_valid_prefix(buffer_slice(&b)), b.n);
    buffer_clear(&b);
}

/* The inside of a JSON string that a terminal can show, nothing else. */
static bool is_json_string(struct slice s)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"' || utf8_valid_prefix(s) != s.n)
        return false;
    for (size_t i = 1; i + 1 < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c == 0x7F || c == '"')
            return false;
        if (c == '\\' && !strchr("\"\\nrtbfu", s.p[++i]))
            return false;
    }
    return true;
}

static void any_bytes_become_json(void **state)
{
    (void)state;
    uint32_t random = 12345;
    for (int round = 0; round < 20000; round++) {
        char text[24];
        size_t n = (random = random * 1664525u + 1013904223u) >> 24 & 15;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525u + 1013904223u;
            /* Often the bytes that begin or end something. */
            text[i] =
                random & 0x10000 ? "\"\\\xC2\xE2\x80\xA8\xED\xF4\x7F\xC0"[(random >> 24) % 10] : (char)(random >> 24);
        }
        char *exact = malloc(n ? n : 1);
        memcpy(exact, text, n);
        struct buffer b = { 0 };
        log_text(&b, slice_of(exact, n));
        assert_true(is_json_string(buffer_slice(&b)));
        buffer_clear(&b);
        free(exact);
    }
}

/* Lines have their level only where the journal listens: where $JOURNAL_STREAM is the very file. */
static void the_journal_is_told_levels(void **state)
{
    (void)state;
    static const struct {
        int dev, ino; /* from the true ones */
        const char *text;
        bool is_journal;
    } rows[] = { { 0, 0, NULL, true }, { 0, 1, NULL, false }, { 1, 0, NULL, false },
                 { 0, 0, "", false },  { 0, 0, "1", false },  { 0, 0, "x:y", false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct play p = { .base = event_base_new() };
        struct stat st;
        char stream[64];
        assert_int_equal(pipe(p.ends), 0);
        assert_int_equal(fstat(p.ends[1], &st), 0);
        snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev + (unsigned)rows[i].dev,
                 (unsigned long long)st.st_ino + (unsigned)rows[i].ino);
        setenv("JOURNAL_STREAM", rows[i].text ? rows[i].text : stream, 1);
        assert_true(log_open(&p.log, p.base, p.ends[1]));
        assert_int_equal(log_is_journal(p.ends[1]), rows[i].is_journal);
        buffer_str(log_begin(&p.log), "one");
        log_end(&p.log);
        buffer_str(log_begin_at(&p.log, LOG_LEVEL_ERROR), "two");
        log_end(&p.log);
        struct buffer text = { 0 };
        log_flush(&p.log);
        read_all(&p, &text);
        assert_true(slice_eq(buffer_slice(&text), rows[i].is_journal ? S("<6>one\n<3>two\n") : S("one\ntwo\n")));
        buffer_clear(&text);
        end(&p);
    }
    unsetenv("JOURNAL_STREAM");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_is_told_levels),        cmocka_unit_test(lines_come_in_order),
        cmocka_unit_test(a_full_pipe_stalls_nobody),         cmocka_unit_test(a_reader_that_is_gone),
        cmocka_unit_test(a_line_too_long_is_lost_whole),     cmocka_unit_test(texts),
        cmocka_unit_test(long_texts_are_cut_at_a_character), cmocka_unit_test(any_bytes_become_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
