/* SPDX-License-Identifier: MIT
 * TLS in front: the same rules behind it, and what only TLS has: certificates and names, handshakes that stall,
 * goodbyes. */
#include "tls_client.h"

#include <signal.h>

#include "fixture.h"
#include "proxy/http/server.h"
#include "sample.h"

#define GET_1 "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"

static void send_text(struct tls_client *c, const char *text)
{
    assert_true(tls_send(c, &kit, text, strlen(text)));
}

static bool certificate_is(struct tls_client *c, const char *name)
{
    X509 *x = SSL_get1_peer_certificate(c->ssl);
    char subject[128];
    assert_non_null(x);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, subject, sizeof subject);
    X509_free(x);
    return strcmp(subject, name) == 0;
}

/* ---- the samples of requests ---- */

static void drive(const struct sample *sample, size_t piece)
{
    struct tls_client c;
    memset(&got, 0, sizeof got);
    kit.n_requests = 0;
    kit.n_seen = 0;
    tls_connect(&c, &kit, NULL);
    for (size_t at = 0; at < sample->bytes.n; at += piece)
        if (!tls_send(&c, &kit, sample->bytes.p + at, sample->bytes.n - at < piece ? sample->bytes.n - at : piece))
            break;
    int answers = sample->requests + (sample->status != 200), status = 0;
    TLS_UNTIL(&kit, &got, &c, got.is_closed || (!sample->closes && got_answers(&got) >= answers));
    for (const char *at = got.p; (at = got_next(at)); at++)
        status = atoi(at + 9);
    if (status != sample->status || kit.n_requests != sample->requests || got.is_closed != sample->closes ||
        got.is_reset)
        fail_msg("%s: status %d, requests %d, closed %d, reset %d\n%s", sample->name, status, kit.n_requests,
                 got.is_closed, got.is_reset, got.p);
    tls_client_free(&c);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

static void drive_both_ways(const struct sample *sample)
{
    drive(sample, sample->bytes.n);
    drive(sample, sample->bytes.n > 1000 ? 333 : 7);
}

static void requests_are_judged_as_without_tls(void **state)
{
    (void)state;
    kit.options.header_ms = kit.options.body_ms = 150;
    tls_start(&kit);
    assert_true(sample_each("malformed", drive_both_ways) >= 80);
    assert_true(sample_each("wellformed", drive_both_ways) >= 30);
}

/* ---- handshakes ---- */

/* Nothing at all, or the hello byte by byte: the time counts from the first moment. */
static void a_handshake_that_stalls_ends_in_time(void **state)
{
    (void)state;
    kit.options.handshake_ms = 150;
    tls_start(&kit);
    for (int drips = 0; drips < 2; drips++) {
        struct tls_client c;
        unsigned char hello[512];
        memset(&got, 0, sizeof got);
        tls_client_new(&c, &kit, "a.example");
        BIO *memory = BIO_new(BIO_s_mem());
        BIO_up_ref(memory);
        SSL_set0_wbio(c.ssl, memory);
        SSL_do_handshake(c.ssl);
        int n = BIO_read(memory, hello, sizeof hello);
        BIO_free(memory);
        assert_in_range(n, 100, sizeof hello);
        int64_t since_ms = clock_monotonic_ms();
        for (int i = 0; !got.is_closed && i < n; i++) {
            if (drips)
                kit_send(c.fd, (const char *)hello + i, 1);
            kit_run_ms(&kit, 5);
            got_read(&got, c.fd);
        }
        assert_in_range(clock_monotonic_ms() - since_ms, 140, 500);
        assert_int_equal(got.n, 0);
        tls_client_free(&c);
    }
    assert_int_equal(kit.n_requests + kit.n_faults, 0);
}

static void plain_http_is_told_so(void **state)
{
    (void)state;
    tls_start(&kit);
    int fd = kit_connect(&kit);
    kit_say(fd, GET_1);
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_false(got.is_reset);
    assert_int_equal(got_status(&got), 400);
    assert_int_equal(kit.n_requests + kit.n_faults, 0);
    close(fd);
    memset(&got, 0, sizeof got);
    fd = kit_connect(&kit);
    kit_send(fd, "\0\1\2", 3);
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_int_equal(got.n, 0);
    close(fd);
    fd = kit_connect(&kit); /* looks like TLS at first */
    memset(&got, 0, sizeof got);
    kit_say(fd, "\x16GET / HTTP/1.1\r\n\r\n");
    GOT_UNTIL(&kit, &got, fd, got.is_closed);
    assert_false(got.is_reset);
    assert_non_null(strstr(kit.trouble, "TLS: no connection with 127.0.0.1: "));
    close(fd);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

/* Once their time of this turn is used up they wait for the next, and none is lost. */
static void handshakes_are_paced(void **state)
{
    (void)state;
    enum { MANY = 60 };
    tls_start(&kit);
    static struct tls_client c[MANY];
    for (int i = 0; i < MANY; i++)
        tls_client_new(&c[i], &kit, NULL);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == MANY);
    kit.server->shaken_us = 1000000;
    for (int i = 0; i < MANY; i++)
        SSL_do_handshake(c[i].ssl);
    kit_turn(&kit);
    for (struct connection *at = place_first(&kit.server->places[PLACE_HANDSHAKE]); at;
         at = place_next(&kit.server->places[PLACE_HANDSHAKE], at))
        assert_null(at->transport.ssl);
    for (int i = 0; i < MANY; i++)
        assert_true(tls_shake(&c[i], &kit));
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_IDLE]) && kit.server->shaken_us == 0);
    for (int i = 0; i < MANY; i++)
        tls_client_free(&c[i]);
}

static void a_cap_costs_no_handshake(void **state)
{
    (void)state;
    kit.options.max_connections = 1;
    tls_start(&kit);
    struct tls_client first, over;
    tls_connect(&first, &kit, NULL);
    tls_client_new(&over, &kit, NULL);
    assert_false(tls_shake(&over, &kit));
    assert_non_null(strstr(kit.trouble, "max_connections (1)"));
    assert_int_equal(http_server_connections(kit.server), 1);
    send_text(&first, GET_1);
    TLS_UNTIL(&kit, &got, &first, got_answers(&got) == 1);
    tls_client_free(&first);
    tls_client_free(&over);
}

/* ---- certificates ---- */

static void the_name_chooses_the_certificate(void **state)
{
    (void)state;
    static const char *const wanted[][2] = { { "a.example", "a.example" },     { "b.example", "b.example" },
                                             { "B.Example", "b.example" },     { "x.wild.example", "a.example" },
                                             { "other.example", "a.example" }, { NULL, "a.example" },
                                             { "wild.example", "a.example" },  { "x.y.wild.example", "a.example" } };
    tls_start(&kit);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct tls_client c;
        tls_connect(&c, &kit, wanted[i][0]);
        assert_true(certificate_is(&c, wanted[i][1]));
        tls_client_free(&c);
    }
    assert_true(tls_load(&kit, "b", "a")); /* the first is for who asks for none of them */
    for (size_t i = 0; i < 2; i++) {
        struct tls_client c;
        tls_connect(&c, &kit, i ? "q.wild.example" : "x.y.wild.example");
        assert_true(certificate_is(&c, i ? "a.example" : "b.example"));
        tls_client_free(&c);
    }
}

static void new_certificates_disturb_nobody(void **state)
{
    (void)state;
    struct tls_client old, halfway, new;
    tls_start(&kit);
    kit.holds = true;
    tls_connect(&old, &kit, "a.example");
    send_text(&old, GET_1);
    KIT_UNTIL(&kit, kit.n_held == 1);
    tls_client_new(&halfway, &kit, "a.example");
    SSL_do_handshake(halfway.ssl);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 2);
    assert_true(tls_load(&kit, "b", NULL));
    kit_answer(&kit, kit.held[0]);
    TLS_UNTIL(&kit, &got, &old, got_answers(&got) == 1);
    assert_true(tls_shake(&halfway, &kit));
    tls_connect(&new, &kit, "a.example");
    assert_true(certificate_is(&old, "a.example"));
    assert_true(certificate_is(&new, "b.example"));
    assert_false(tls_load(&kit, "a", "missing"));
    tls_client_free(&new);
    tls_connect(&new, &kit, "a.example"); /* what was wrong changed nothing */
    assert_true(certificate_is(&new, "b.example"));
    tls_client_free(&old);
    tls_client_free(&halfway);
    tls_client_free(&new);
}

static void expect_said(const char *name, bool loads, const char *text)
{
    if (tls_load(&kit, "a", name) != loads || !strstr(tls_said, text))
        fail_msg("%s: said \"%s\", expected \"%s\"", name, tls_said, text);
}

static void says_what_is_wrong_with_the_files(void **state)
{
    (void)state;
    tls_make("nameless", "/O=x", "");
    tls_make("mixed", "/CN=m", "");
    tls_run("cd %s && cp b.key mixed.key && cp a.pem empty.pem && : >empty.key && cp a.key nocert.pem && cp a.key "
            "nocert.key",
            tls_folder);
    tls_run("cd %s && cp a.pem locked.pem && openssl ec -in a.key -aes128 -passout pass:x -out locked.key 2>/dev/null",
            tls_folder);
    tls_run("cd %s && mkfifo pipe.pem && cp a.key pipe.key", tls_folder);
    tls_run("cd %s && cp a.pem torn.pem && head -c 300 b.pem >>torn.pem && cp a.key torn.key", tls_folder);
    tls_start(&kit);
    expect_said("missing", false, "1 cert error ");
    assert_non_null(strstr(tls_said, "/missing.pem: cannot read the certificate: No such file or directory\n"));
    assert_non_null(strstr(tls_said, "/missing.key: cannot read the private key: No such file or directory\n"));
    expect_said("mixed", false, "/mixed.key: the private key is not that of the certificate: ");
    expect_said("nameless", false, "/nameless.pem: there are no names in the certificate");
    expect_said("empty", false, "/empty.key: there is no private key in it");
    expect_said("nocert", false, "/nocert.pem: there is no certificate in it");
    expect_said("pipe", false, "/pipe.pem: there is no certificate in it"); /* and nobody waits for one */
    expect_said("locked", false, "/locked.key: the private key is encrypted");
    expect_said("torn", false, "/torn.pem: a certificate of the chain cannot be read");
    expect_said("b", true, "");
    assert_string_equal(tls_said, "");
}

static void an_expired_certificate_or_an_open_key_is_only_a_warning(void **state)
{
    (void)state;
    tls_run(
        "cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old.example -keyout old.key "
        "-out old.csr 2>/dev/null && openssl x509 -req -in old.csr -signkey old.key -days -1 -out old.pem 2>/dev/null",
        tls_folder);
    tls_start(&kit);
    expect_said("old", true, "1 cert warning ");
    assert_non_null(strstr(tls_said, "has expired"));
    tls_run("cd %s && chmod 644 b.key", tls_folder);
    expect_said("b", true, "/b.key: every user of this machine can read this private key\n");
    tls_run("cd %s && chmod 600 b.key", tls_folder);
}

/* ---- connections ---- */

static void notices_a_client_that_leaves(void **state)
{
    (void)state;
    tls_start(&kit);
    kit.holds = true;
    for (int how = 0; how < 3; how++) {
        struct tls_client c;
        struct linger reset = { .l_onoff = 1 };
        kit.n_held = 0;
        kit.n_gone = 0;
        tls_connect(&c, &kit, NULL);
        send_text(&c, GET_1);
        KIT_UNTIL(&kit, kit.n_held == 1);
        http_call_on_gone(kit.held[0], kit_on_gone, &kit);
        int64_t since_ms = clock_monotonic_ms();
        if (how == 0)
            SSL_shutdown(c.ssl);
        if (how == 1)
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        tls_client_free(&c);
        KIT_UNTIL(&kit, kit.n_gone == 1);
        assert_in_range(clock_monotonic_ms() - since_ms, 0, 100);
        kit_answer(&kit, kit.held[0]);
        KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    }
}

static void idle_ends_with_a_goodbye(void **state)
{
    (void)state;
    kit.options.idle_ms = 60;
    tls_start(&kit);
    struct tls_client c;
    tls_connect(&c, &kit, NULL);
    TLS_UNTIL(&kit, &got, &c, got.is_closed);
    assert_false(got.is_reset);
    tls_client_free(&c);
}

/* A big answer to one who reads little at a time: whole and in order; and what is never read ends in time. */
static void slow_readers_get_it_all_or_are_cut(void **state)
{
    (void)state;
    enum { BIG = 16 << 20 };
    static char big[BIG];
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)('a' + i * 7 / 3 % 26);
    kit.big = big;
    kit.n_big = BIG;
    tls_start(&kit);
    struct tls_client c;
    static char in[BIG + 1024];
    size_t n = 0, head = 0;
    tls_connect(&c, &kit, NULL);
    send_text(&c, GET_1);
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_WRITING]));
    for (int64_t until = clock_monotonic_ms() + 20000; n < head + BIG && clock_monotonic_ms() < until;) {
        ERR_clear_error();
        int step = SSL_read(c.ssl, in + n, n + 5000 < sizeof in ? 5000 : (int)(sizeof in - n));
        n += step > 0 ? (size_t)step : 0;
        if (!head && strstr(in, "\r\n\r\n"))
            head = (size_t)(strstr(in, "\r\n\r\n") + 4 - in);
        if (step <= 0)
            kit_turn(&kit);
    }
    assert_int_equal(n, head + BIG);
    assert_memory_equal(in + head, big, BIG);
    assert_int_equal(kit.server->unsent_bytes, 0);
    send_text(&c, GET_1);
    KIT_UNTIL(&kit, place_first(&kit.server->places[PLACE_WRITING]));
    assert_in_range(kit.server->unsent_bytes, BIG, 2 * BIG + 65536);
    struct connection *slow = place_first(&kit.server->places[PLACE_WRITING]);
    assert_in_range(slow->deadline_ms - clock_monotonic_ms(), 1000000, BIG / 4);
    slow->deadline_ms = clock_monotonic_ms() + 20;
    server_deadline_set(kit.server, slow->deadline_ms);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    assert_int_equal(kit.server->unsent_bytes, 0);
    tls_client_free(&c);
}

/* Behind a waiting call reading stops; nothing that TLS holds is forgotten when it goes on. */
static void a_flood_is_held_back_and_not_lost(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    static char flood[MANY * (sizeof GET_1 - 1)];
    for (size_t i = 0; i < MANY; i++)
        memcpy(flood + i * (sizeof GET_1 - 1), GET_1, sizeof GET_1 - 1);
    tls_start(&kit);
    kit.holds = true;
    struct tls_client c;
    size_t sent = 0;
    tls_connect(&c, &kit, NULL);
    for (int i = 0; i < 300; i++) {
        size_t piece = sizeof flood - sent < 1357 ? sizeof flood - sent : 1357;
        int n = piece ? SSL_write(c.ssl, flood + sent, (int)piece) : 0;
        sent += n > 0 ? (size_t)n : 0;
        kit_turn(&kit);
    }
    assert_int_equal(kit.n_held, 1);
    assert_true(place_first(&kit.server->places[PLACE_CALL])->is_paused);
    kit.holds = false;
    kit_answer(&kit, kit.held[0]);
    KIT_UNTIL(&kit, (got.n = 0, tls_got(&c, &got),
                     kit.n_requests == MANY ||
                         (sent < sizeof flood && tls_send(&c, &kit, flood + sent, sizeof flood - sent) &&
                          (sent = sizeof flood, false))));
    tls_client_free(&c);
}

/* OpenSSL reads on by itself behind what is no data, as long as there is more: whoever sends new keys without end would
 * have the loop for himself. One record a turn is his share. */
static void new_keys_without_end_do_not_hold_the_loop(void **state)
{
    enum { KEYS = 5000, ROOM = 64 * KEYS };
    (void)state;
    tls_start(&kit);
    struct tls_client c;
    tls_connect(&c, &kit, NULL);
    char *flood = malloc(ROOM);
    BIO *memory = BIO_new(BIO_s_mem()), *wire = SSL_get_wbio(c.ssl);
    BIO_up_ref(wire);
    SSL_set0_wbio(c.ssl, memory);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(c.ssl), 1);
    }
    int n = BIO_read(memory, flood, ROOM), turns = 0;
    assert_in_range(n, KEYS, ROOM - 1);
    SSL_set0_wbio(c.ssl, wire);
    for (int at = 0; at < n; turns++) {
        ssize_t sent = send(c.fd, flood + at, (size_t)(n - at), MSG_NOSIGNAL);
        at += sent > 0 ? (int)sent : 0;
        kit_turn(&kit);
    }
    send_text(&c, GET_1);
    for (int64_t until = clock_monotonic_ms() + 20000; !got_status(&got) && clock_monotonic_ms() < until; turns++) {
        kit_turn(&kit);
        tls_got(&c, &got);
    }
    assert_int_equal(got_status(&got), 200);
    assert_in_range(turns, KEYS, INT32_MAX);
    free(flood);
    tls_client_free(&c);
}

/* A handshake is the beginning of a request: it is finished, and the request too. */
static void draining_waits_for_handshakes(void **state)
{
    (void)state;
    tls_start(&kit);
    struct tls_client c;
    tls_client_new(&c, &kit, NULL);
    SSL_do_handshake(c.ssl);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 1);
    http_server_drain(kit.server, kit_on_drained, &kit);
    assert_true(tls_shake(&c, &kit));
    send_text(&c, GET_1);
    TLS_UNTIL(&kit, &got, &c, got.is_closed);
    assert_int_equal(got_status(&got), 200);
    assert_false(got.is_reset);
    tls_client_free(&c);
    KIT_UNTIL(&kit, kit.n_drained == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_judged_as_without_tls),
        TEST(a_handshake_that_stalls_ends_in_time),
        TEST(plain_http_is_told_so),
        TEST(handshakes_are_paced),
        TEST(a_cap_costs_no_handshake),
        TEST(the_name_chooses_the_certificate),
        TEST(new_certificates_disturb_nobody),
        TEST(says_what_is_wrong_with_the_files),
        TEST(an_expired_certificate_or_an_open_key_is_only_a_warning),
        TEST(notices_a_client_that_leaves),
        TEST(idle_ends_with_a_goodbye),
        TEST(slow_readers_get_it_all_or_are_cut),
        TEST(a_flood_is_held_back_and_not_lost),
        TEST(new_keys_without_end_do_not_hold_the_loop),
        TEST(draining_waits_for_handshakes),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, tls_make_folder, tls_remove_folder);
}
