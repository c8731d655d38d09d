/* SPDX-License-Identifier: MIT
 * One list that two threads share; what is in it is taken as a whole. */
#include "proxy/http/doorman.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "proxy/http/http.h"

/* One list gathers while the thread sees to the other. */
enum { ROOM = HTTP_MOST_LEAVING / 2, ENOUGH = ROOM / 2, MAX_READS = 16, TURN_US = 100 };

#define TOO_MANY "{\"error\":\"too many connections; keep them open and reuse\"}"

struct client {
    int fd;
    bool is_tls;
    uint8_t n_head;
    char head[DOORMAN_MAX_HEAD];
};

struct list {
    struct client clients[ROOM];
    int n;
};

struct doorman {
    bool has_thread, lacks_thread; /* the loop's own, like `thread` */
    int n_given;                   /* and this: since the thread was last woken */
    pthread_t thread;
    struct list leaving;  /* the thread's own */
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t more;
    struct list waiting;
    bool sleeps, ends;
};

/* As far as the socket takes it. The request is not waited for, so the client may see a reset instead. In TLS nothing
 * can be said without a handshake, which would cost more than the request. */
static void say(const struct client *c)
{
    static const char before[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                 "Content-Type: application/json; charset=utf-8\r\n"
                                 "X-Anchorage-Fault: too_busy\r\n";
    static const char behind[] = "Retry-After: 1\r\n"
                                 "Content-Length: 58\r\n"
                                 "Connection: close\r\n\r\n" TOO_MANY;
    static_assert(sizeof TOO_MANY - 1 == 58, "Content-Length is the length of the body");
    char answer[sizeof before + DOORMAN_MAX_HEAD + sizeof behind], *to = answer;
    to = mempcpy(to, before, sizeof before - 1);
    to = mempcpy(to, c->head, c->n_head);
    to = mempcpy(to, behind, sizeof behind - 1);
    /* close sends it, in one packet with the end */
    (void)!send(c->fd, answer, (size_t)(to - answer), MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
}

static void turn_away(const struct client *c)
{
    char unread[4096];
    if (!c->is_tls)
        say(c);
    /* what is left unread would make a reset of the end, and take the answer along */
    for (int i = 0; i < MAX_READS && recv(c->fd, unread, sizeof unread, MSG_DONTWAIT) == sizeof unread; i++)
        ;
    close(c->fd);
}

static void *work(void *context)
{
    struct doorman *d = context;
    /* It has little to do, for somebody who waits: else that one waits until the loop's turn ends. */
    (void)thread_set_turn_us(TURN_US);
    pthread_mutex_lock(&d->lock);
    while (d->waiting.n || !d->ends) {
        if (!d->waiting.n) {
            d->sleeps = true;
            pthread_cond_wait(&d->more, &d->lock);
            continue;
        }
        d->leaving.n = d->waiting.n;
        memcpy(d->leaving.clients, d->waiting.clients, (size_t)d->waiting.n * sizeof(struct client));
        d->waiting.n = 0;
        pthread_mutex_unlock(&d->lock);
        for (int i = 0; i < d->leaving.n; i++)
            turn_away(&d->leaving.clients[i]);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

struct doorman *doorman_new(void)
{
    struct doorman *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->more, NULL);
    return d;
}

/* The signal is given without the lock, which the thread wants first. */
static void wake(struct doorman *d, bool ends)
{
    pthread_mutex_lock(&d->lock);
    d->ends = ends;
    bool is_due = d->sleeps && (d->waiting.n || ends);
    if (is_due)
        d->sleeps = false;
    pthread_mutex_unlock(&d->lock);
    if (is_due)
        pthread_cond_signal(&d->more);
}

void doorman_go(struct doorman *d)
{
    if (d->n_given)
        wake(d, false);
    d->n_given = 0;
}

void doorman_free(struct doorman *d)
{
    if (!d)
        return;
    if (d->has_thread) {
        wake(d, true);
        pthread_join(d->thread, NULL);
    }
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static bool give(struct doorman *d, const struct client *c)
{
    pthread_mutex_lock(&d->lock);
    bool has_room = d->waiting.n < ROOM;
    if (has_room)
        d->waiting.clients[d->waiting.n++] = *c;
    pthread_mutex_unlock(&d->lock);
    d->n_given += has_room;
    if (d->n_given >= ENOUGH)
        doorman_go(d);
    return has_room;
}

void doorman_turn_away(struct doorman *d, int fd, bool is_tls, struct slice head)
{
    assert(head.n <= DOORMAN_MAX_HEAD);
    struct client c = { .fd = fd, .is_tls = is_tls, .n_head = (uint8_t)head.n };
    if (head.n)
        memcpy(c.head, head.p, head.n);
    if (!d->has_thread && !d->lacks_thread) {
        d->has_thread = thread_start(&d->thread, work, d);
        d->lacks_thread = !d->has_thread;
    }
    if (!d->has_thread || !give(d, &c))
        turn_away(&c);
}
