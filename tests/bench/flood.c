/* SPDX-License-Identifier: MIT
 * Old programs in great number: each call comes on a connection of its own. flood PORT TARGET PACE SECONDS; a PACE of
 * 500 is five hundred calls a second, whatever becomes of those before; of -500, five hundred clients, each of which
 * calls again when it has its answer. Says in JSON what was answered and how long that took, from the first try to
 * connect to the last byte. Each # in TARGET becomes a number, another one for each call.
 *
 * What is answered each second is counted from a moment on when as many have come as wait at any time: else those who
 * wait when it ends would be missing. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { MAX_OPEN = 20000, MAX_TIMES = 1 << 20, HEAD = 2048, AT_ONCE = 64, BEFORE_US = 500000 };

enum outcome { GOOD, REFUSED, BROKEN, OUTCOMES };

struct client {
    int fd;
    bool has_asked;
    int64_t began_us;
    size_t n;
    char head[HEAD]; /* what the answer begins with */
};

static struct {
    struct sockaddr_in to;
    const char *target;
    int64_t n_asked;
    int epoll;
    struct client *idle[MAX_OPEN];
    int n_idle, n_open;
    int64_t counts_from_us;
    int64_t counts[OUTCOMES], n_times[OUTCOMES], skipped;
    int32_t times_us[OUTCOMES][MAX_TIMES];
} flood;

static void note(enum outcome o, int64_t began_us)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us >= flood.counts_from_us)
        flood.counts[o]++;
    if (flood.n_times[o] < MAX_TIMES)
        flood.times_us[o][flood.n_times[o]++] = (int32_t)(now_us - began_us);
}

/* With a reset, so that its port is free at once. */
static void end(struct client *c, enum outcome o)
{
    const struct linger now = { .l_onoff = 1 };
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(c->fd);
    note(o, c->began_us);
    flood.idle[flood.n_idle++] = c;
    flood.n_open--;
}

static void begin(void)
{
    if (!flood.n_idle) {
        flood.skipped++;
        return;
    }
    struct client *c = flood.idle[--flood.n_idle];
    flood.n_open++;
    c->n = 0;
    c->has_asked = false;
    c->began_us = clock_monotonic_us();
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
    if (c->fd < 0 || epoll_ctl(flood.epoll, EPOLL_CTL_ADD, c->fd, &event) != 0 ||
        (connect(c->fd, (struct sockaddr *)&flood.to, sizeof flood.to) != 0 && errno != EINPROGRESS))
        end(c, BROKEN);
}

static void ask(struct client *c)
{
    char request[4096], number[24];
    size_t n = (size_t)snprintf(request, sizeof request, "GET ");
    int digits = snprintf(number, sizeof number, "%lld", (long long)flood.n_asked++);
    for (const char *t = flood.target; *t && n < sizeof request / 2; t++) {
        if (*t == '#')
            n += (size_t)snprintf(request + n, sizeof request - n, "%.*s", digits, number);
        else
            request[n++] = *t;
    }
    n += (size_t)snprintf(request + n, sizeof request - n, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    (void)!send(c->fd, request, n,
                MSG_NOSIGNAL); /* who is turned away may find it closed, with the answer to be read */
}

static enum outcome outcome_of(const struct client *c)
{
    size_t n = c->n < HEAD - 1 ? c->n : HEAD - 1;
    char head[HEAD];
    memcpy(head, c->head, n);
    head[n] = '\0';
    if (strncmp(head, "HTTP/1.1 ", 9) != 0)
        return BROKEN;
    return strncmp(head + 9, "200", 3) == 0 && !strstr(head, "X-Anchorage-Fault") ? GOOD : REFUSED;
}

static void on_client(struct client *c, uint32_t events)
{
    static char bytes[1 << 18];
    if ((events & EPOLLOUT) && !c->has_asked) {
        c->has_asked = true;
        ask(c);
    }
    for (;;) {
        ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(c, outcome_of(c));
            return;
        }
        if (c->n < HEAD)
            memcpy(c->head + c->n, bytes, (size_t)n < HEAD - c->n ? (size_t)n : HEAD - c->n);
        c->n += (size_t)n;
    }
}

static int compare(const void *a, const void *b)
{
    return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

static void say(const char *name, enum outcome o, double seconds)
{
    int64_t n = flood.n_times[o];
    int32_t *t = flood.times_us[o];
    qsort(t, (size_t)n, sizeof *t, compare);
    printf("\"%s\": {\"each_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"most_ms\": %.2f}", name,
           (double)flood.counts[o] / seconds, n ? t[n / 2] / 1000.0 : 0, n ? t[n * 99 / 100] / 1000.0 : 0,
           n ? t[n - 1] / 1000.0 : 0);
}

static void run(double pace, double seconds)
{
    struct epoll_event events[512];
    int64_t began_us = clock_monotonic_us(), now_us = began_us;
    flood.counts_from_us = began_us + BEFORE_US;
    int64_t end_us = flood.counts_from_us + (int64_t)(seconds * 1e6);
    for (int64_t begun = 0; now_us < end_us; now_us = clock_monotonic_us()) {
        int64_t wanted = pace > 0 ? (int64_t)((double)(now_us - began_us) / 1e6 * pace) : 0;
        flood.skipped += wanted - begun > AT_ONCE ? wanted - begun - AT_ONCE : 0; /* the machine does not keep up */
        begun = wanted - begun > AT_ONCE ? wanted - AT_ONCE : begun;
        for (; begun < wanted; begun++)
            begin();
        while (pace < 0 && flood.n_open < (int)-pace)
            begin();
        int n = epoll_wait(flood.epoll, events, 512, 1);
        for (int i = 0; i < n; i++)
            on_client(events[i].data.ptr, events[i].events);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 5 || getrlimit(RLIMIT_NOFILE, &files) != 0) {
        fprintf(stderr, "usage: flood PORT TARGET PACE SECONDS\n");
        return 2;
    }
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    double seconds = atof(argv[4]);
    flood.to = (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)atoi(argv[1])),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    flood.target = argv[2];
    flood.epoll = epoll_create1(0);
    struct client *clients = calloc(MAX_OPEN, sizeof *clients);
    while (clients && flood.n_idle < MAX_OPEN)
        flood.idle[flood.n_idle] = &clients[flood.n_idle], flood.n_idle++;
    run(atof(argv[3]), seconds);
    printf("{");
    say("good", GOOD, seconds);
    printf(", ");
    say("refused", REFUSED, seconds);
    printf(", ");
    say("broken", BROKEN, seconds);
    printf(", \"open\": %d, \"not_begun\": %lld}\n", flood.n_open, (long long)flood.skipped);
    free(clients);
    return 0;
}
