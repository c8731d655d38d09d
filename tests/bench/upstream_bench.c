/* SPDX-License-Identifier: MIT
 * What a request to v3 costs us in CPU: the room alone, against a responder in another process.
 *
 *   upstream_bench [REQUESTS [AT ONCE [BODY BYTES]]]
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "proxy/upstream/upstream.h"

struct bench {
    struct event_base *base;
    struct upstream *upstream;
    long left, in_flight, failed;
    int64_t bytes;
};

static void answer_forever(int listener, struct slice answer)
{
    int loop = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event ready[64];
        int n = epoll_wait(loop, ready, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            char request[4096];
            if (fd == listener) {
                event.data.fd = accept(listener, NULL, NULL);
                epoll_ctl(loop, EPOLL_CTL_ADD, event.data.fd, &event);
            } else if (recv(fd, request, sizeof(request), 0) <= 0 ||
                       send(fd, answer.p, answer.n, MSG_NOSIGNAL) != (ssize_t)answer.n) {
                close(fd);
            }
        }
    }
}

static pid_t start_responder(size_t body_bytes, int *port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &length)) {
        perror("responder");
        exit(1);
    }
    *port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct buffer answer = { 0 };
        buffer_printf(&answer,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-api-rows: 2\r\n"
                      "x-api-units-cost-row: 25\r\nx-api-units-cost-total: 50\r\n"
                      "x-api-units-cost-total-actual: 50\r\nx-api-cache: miss\r\nContent-Length: %zu\r\n\r\n",
                      body_bytes);
        while (body_bytes-- > 0) {
            buffer_put(&answer, 'x');
        }
        answer_forever(listener, buffer_slice(&answer));
    }
    close(listener);
    return pid;
}

static void ask(struct bench *b);

static bool on_bytes(void *context, struct slice bytes)
{
    struct bench *b = context;
    b->bytes += (int64_t)bytes.n;
    return true;
}

static void on_done(void *context, const struct upstream_result *result)
{
    struct bench *b = context;
    b->in_flight--;
    b->failed += result->fault != FAULT_NONE;
    if (b->left > 0) {
        ask(b);
    } else if (b->in_flight == 0) {
        event_base_loopbreak(b->base);
    }
}

static void ask(struct bench *b)
{
    static const struct upstream_callbacks callbacks = { NULL, on_bytes, on_done, NULL };
    b->left--;
    b->in_flight++;
    if (!upstream_start(b->upstream,
                        S("/site-explorer/anchors?target=example.com&mode=subdomains&history=live&output=json"
                          "&select=anchor,links_to_target,refpages,refdomains,first_seen&order_by=anchor:asc&limit=2"),
                        S("seo"), 1 << 30, clock_monotonic_ms() + 60000, &callbacks, b)) {
        abort();
    }
}

static int64_t cpu_us(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000LL + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void run(struct bench *b, long requests, long at_once)
{
    b->left = requests;
    int64_t cpu = cpu_us(), time = clock_monotonic_us();
    while (at_once-- > 0 && b->left > 0) {
        ask(b);
    }
    event_base_dispatch(b->base);
    cpu = cpu_us() - cpu;
    time = clock_monotonic_us() - time;
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    printf("%ld requests, %ld failed, %" PRId64 " bytes: %.2f us CPU, %.2f us each; at most %ld KiB\n", requests,
           b->failed, b->bytes, (double)cpu / (double)requests, (double)time / (double)requests, r.ru_maxrss);
}

int main(int argc, char **argv)
{
    long requests = argc > 1 ? atol(argv[1]) : 50000, at_once = argc > 2 ? atol(argv[2]) : 16;
    int port;
    pid_t responder = start_responder(argc > 3 ? strtoul(argv[3], NULL, 10) : 400, &port);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/v3", port);
    struct bench b = { 0 };
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    b.base = event_base_new_with_config(config);
    event_config_free(config);
    b.upstream = upstream_new(b.base, &(struct upstream_options){ .url = url,
                                                                  .api_key = S("0123456789"),
                                                                  .timeout_ms = 60000,
                                                                  .requests_per_minute = 100000000,
                                                                  .queue_timeout_ms = 20000 });
    run(&b, requests / 10, at_once); /* to warm up */
    run(&b, requests, at_once);
    upstream_free(b.upstream);
    event_base_free(b.base);
    kill(responder, SIGKILL);
    waitpid(responder, NULL, 0);
    return b.failed != 0;
}
