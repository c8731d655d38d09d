/* SPDX-License-Identifier: MIT
 * https: trusted by ca_file alone, refused without it, and compressed answers that are bounded unpacked. The other
 * side is Python's TLS with a certificate made on the spot. */
#include <signal.h>
#include <sys/wait.h>

#include "play.h"

#define FOLDER "/tmp/anchorage-tls-XXXXXX"

static const char program[] = "import gzip, http.server, ssl, sys\n"
                              "class Answer(http.server.BaseHTTPRequestHandler):\n"
                              "    protocol_version = 'HTTP/1.1'\n"
                              "    def do_GET(self):\n"
                              "        body = {'/v3/ok': b'{}', '/v3/bomb': b'0' * 50000000}.get(self.path, b'no')\n"
                              "        self.send_response(200)\n"
                              "        self.send_header('Content-Type', 'application/json')\n"
                              "        if 'gzip' in self.headers.get('Accept-Encoding', ''):\n"
                              "            body = gzip.compress(body, 1)\n"
                              "            self.send_header('Content-Encoding', 'gzip')\n"
                              "        if self.path == '/v3/torn': body = body[:-6] + b'xxxxxx'\n"
                              "        self.send_header('Content-Length', str(len(body)))\n"
                              "        self.end_headers()\n"
                              "        self.wfile.write(body)\n"
                              "    def log_message(self, *args): pass\n"
                              "tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                              "tls.load_cert_chain(sys.argv[1] + '/cert.pem', sys.argv[1] + '/key.pem')\n"
                              "if sys.argv[2] == 'old':\n"
                              "    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1\n"
                              "    tls.set_ciphers('ALL:@SECLEVEL=0')\n"
                              "server = http.server.ThreadingHTTPServer((sys.argv[3], 0), Answer)\n"
                              "server.daemon_threads = True\n"
                              "server.socket = tls.wrap_socket(server.socket, server_side=True)\n"
                              "print(server.server_port, flush=True)\n"
                              "server.serve_forever()\n";

struct tls {
    char folder[sizeof(FOLDER)], ca_file[64];
    pid_t pid;
    int port;
};

static void tls_start(struct tls *t, const char *kind, const char *address)
{
    char command[512];
    strcpy(t->folder, FOLDER);
    assert_non_null(mkdtemp(t->folder));
    snprintf(t->ca_file, sizeof(t->ca_file), "%s/cert.pem", t->folder);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
             "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s/key.pem -out %s 2>/dev/null",
             t->folder, t->ca_file);
    assert_int_equal(system(command), 0);
    int out[2];
    assert_int_equal(pipe(out), 0);
    t->pid = fork();
    if (t->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl("/usr/bin/python3", "python3", "-W", "ignore", "-c", program, t->folder, kind, address, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    assert_int_equal(fscanf(f, "%d", &t->port), 1);
    fclose(f);
}

static void tls_end(struct tls *t)
{
    char command[128];
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
    snprintf(command, sizeof(command), "rm -r %s", t->folder);
    assert_int_equal(system(command), 0);
}

static void the_ca_file_is_what_we_trust(void **state)
{
    (void)state;
    struct tls t;
    tls_start(&t, "new", "127.0.0.1");
    struct upstream_options o = quick;
    o.ca_file = t.ca_file;
    struct side *s = side_new(&o, "https://localhost:%d/v3", t.port);
    struct ask a = ask(s, "/ok"), b = ask(s, "/ok");
    assert_fault(&a, FAULT_NONE);
    assert_fault(&b, FAULT_NONE);
    assert_true(slice_eq(buffer_slice(&a.body), S("{}"))); /* it came compressed */
    struct ask torn = ask(s, "/torn");
    assert_fault(&torn, FAULT_UPSTREAM_ODD);
    struct ask bomb = { 0 };
    ask_start_for(s, &bomb, "/bomb", "seo", 100000, 10000);
    side_wait(s);
    assert_fault(&bomb, FAULT_UPSTREAM_ODD);
    assert_non_null(strstr(bomb.why, "too long"));
    assert_true(bomb.body.n <= 100000);
    buffer_clear(&a.body);
    buffer_clear(&b.body);
    buffer_clear(&torn.body);
    buffer_clear(&bomb.body);
    side_free(s);
    tls_end(&t);
}

static void strangers_are_not(void **state)
{
    (void)state;
    struct tls t;
    tls_start(&t, "new", "127.0.0.1");
    struct side *s = side_new(&quick, "https://localhost:%d/v3", t.port);
    struct ask a = ask(s, "/ok");
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_false(a.result.may_have_cost);
    assert_non_null(strstr(a.why, "certificate"));
    side_free(s);
    tls_end(&t);
}

static void nor_is_a_certificate_for_another_name(void **state)
{
    (void)state;
    struct tls t;
    tls_start(&t, "new", "127.0.0.2");
    struct upstream_options o = quick;
    o.ca_file = t.ca_file;
    struct side *s = side_new(&o, "https://127.0.0.2:%d/v3", t.port);
    struct ask b = ask(s, "/ok");
    assert_fault(&b, FAULT_UPSTREAM_DOWN);
    assert_non_null(strstr(b.why, "certificate"));
    side_free(s);
    tls_end(&t);
}

static void nor_is_an_old_protocol(void **state)
{
    (void)state;
    struct tls t;
    tls_start(&t, "old", "127.0.0.1");
    struct upstream_options o = quick;
    o.ca_file = t.ca_file;
    struct side *s = side_new(&o, "https://localhost:%d/v3", t.port);
    struct ask a = { 0 };
    ask_start_for(s, &a, "/ok", "seo", 1000, 1000);
    side_wait(s);
    assert_fault(&a, FAULT_UPSTREAM_DOWN);
    assert_false(a.result.may_have_cost);
    side_free(s);
    tls_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ca_file_is_what_we_trust),
        cmocka_unit_test(strangers_are_not),
        cmocka_unit_test(nor_is_a_certificate_for_another_name),
        cmocka_unit_test(nor_is_an_old_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
