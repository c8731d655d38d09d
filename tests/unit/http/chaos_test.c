/* SPDX-License-Identifier: MIT
 * Many clients that do everything at once: pieces, pipelining, faults, leaving at any moment, while calls are
 * answered late and in any order. Each answer must be the one to its request, in order, and nothing may stay behind. */
#include "kit.h"

enum { CLIENTS = 24, STEPS = 30000 };

struct client {
    int fd;
    int sent, answered; /* requests, answers seen */
    char text[256];     /* what is still to be sent */
    size_t n_text, at;
    bool is_last;
    char in[65536];
    size_t n_in;
};

static struct kit kit;
static struct client clients[CLIENTS];
static uint32_t seed;

/* The same every time. */
static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

static void leave(struct client *c)
{
    struct linger reset = { .l_onoff = 1 };
    if (dice(2))
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(c->fd);
    c->fd = -1;
}

static void come(struct client *c)
{
    *c = (struct client){ .fd = kit_connect(&kit) };
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* Write the next request: its number is in the path. */
static void next_request(struct client *c)
{
    static const char *const methods[] = { "GET", "GET", "POST", "POST", "GET", "GET", "GET" };
    static const char *const rests[] = {
        "HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1\r\nHost: xx\r\n\r\n",
        "HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfrom=GET ",
        "HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\nfrom=GET ",
        "HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    uint32_t form = dice(40);
    form = form < 7 ? form : form % 5;
    c->is_last = form >= 5;
    c->n_text = (size_t)snprintf(c->text, sizeof c->text, "%s /%d? %s", methods[form], c->sent, rests[form]);
    c->at = 0;
    c->sent++;
}

static void talk(struct client *c)
{
    if (c->at == c->n_text && !c->is_last)
        next_request(c);
    size_t n = dice(3) ? c->n_text - c->at : (c->n_text - c->at) / 2;
    ssize_t sent = n ? send(c->fd, c->text + c->at, n, MSG_NOSIGNAL) : 0;
    c->at += sent > 0 ? (size_t)sent : 0;
}

/* Answers so far: 200 with "/N?" of its own number, or a last one that refuses. False when the server closed. */
static bool hear(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->n_in, sizeof c->in - 1 - c->n_in, 0);
    c->n_in += n > 0 ? (size_t)n : 0;
    c->in[c->n_in] = 0;
    const char *at = c->in, *end;
    while ((at = got_next(at)) && (end = strstr(at, "\r\n\r\n"))) {
        const char *length = strstr(at, "Content-Length: ");
        assert_true(length && length < end);
        const char *body = end + 4, *next = body + atoi(length + 16);
        if (next > c->in + c->n_in)
            break;
        if (atoi(at + 9) == 200)
            assert_int_equal(atoi(strchr(body, '/') + 1), c->answered);
        else
            assert_int_equal(atoi(at + 9), 501);
        c->answered++;
        c->n_in -= (size_t)(next - c->in);
        memmove(c->in, next, c->n_in + 1);
        at = c->in;
    }
    assert_true(c->answered <= c->sent);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void step(struct client *c)
{
    if (c->fd < 0)
        come(c);
    else if (dice(50) == 0)
        leave(c);
    else if (dice(2))
        talk(c);
    else if (!hear(c))
        leave(c);
}

static void answer_some(void)
{
    while (kit.n_held && dice(3)) {
        uint32_t i = dice((uint32_t)kit.n_held);
        struct http_call *call = kit.held[i];
        kit.held[i] = kit.held[--kit.n_held];
        kit_answer(&kit, call);
    }
}

static void all_at_once(void **state)
{
    (void)state;
    seed = 1;
    kit_start(&kit, "127.0.0.1:0");
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    for (int i = 0; i < STEPS; i++) {
        kit.n_seen = 0;
        kit.holds = dice(2);
        step(&clients[dice(CLIENTS)]);
        if (dice(3) == 0)
            event_base_loop(kit.base, EVLOOP_NONBLOCK);
        answer_some();
    }
    for (int i = 0; i < CLIENTS; i++)
        if (clients[i].fd >= 0)
            leave(&clients[i]);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
    while (kit.n_held)
        answer_some();
    assert_true(kit.n_requests > STEPS / 10);
    assert_true(kit.n_faults > 10);
    kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_at_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
